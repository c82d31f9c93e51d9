//! What was seen of a cluster during a run: what befell its objects, who else changed them, and what was not seen.
//! Bounded. Pure.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::clock::Moment;

/// So many of a sort are told one by one; the others are counted.
const CAP: usize = 200;
/// The longest text that is kept of what somebody said, in characters.
const SAID: usize = 300;

/// An object of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Object {
    /// What it is, as the API names it.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its UID, which no other object of its name has.
    pub uid: String,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// The kinds of incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// A container ended, and is started again.
    Restart,
    /// A container ended with an error, and is not started again.
    ContainerFailed,
    /// The kernel killed a process for want of memory.
    OomKill,
    /// A pod was sent away from its node.
    Eviction,
    /// A probe failed.
    FailedProbe,
    /// A container is not started, or an image not pulled, for a while, since that failed before.
    BackOff,
    /// No node takes a pod.
    FailedScheduling,
    /// A node is not as it should be.
    NodeCondition,
}

/// What befell an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What kind of thing that is.
    pub kind: IncidentKind,
    /// What it befell.
    pub object: Object,
    /// Which container of it, where it is one's.
    pub container: Option<String>,
    /// What tells it apart from others of its kind, as `readiness` or `exit code 1`.
    pub what: String,
    /// What was said of it.
    pub said: String,
}

/// An incident, as often as it came during one experiment, or outside of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// What befell what; of what was said, the latest.
    pub incident: Incident,
    /// When it was first seen.
    pub first: Moment,
    /// When it was last seen.
    pub last: Moment,
    /// How often it came; 0: it went on from before.
    pub count: u64,
    /// The experiment that was on.
    pub during: Option<String>,
}

/// A change that neither a controller nor this program made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intervention {
    /// When it was seen.
    pub at: Moment,
    /// What kind of change: `change` or `deletion`.
    pub kind: &'static str,
    /// What was changed.
    pub object: Object,
    /// By whom, as it calls itself; a deletion is signed by nobody.
    pub manager: Option<String>,
    /// How, as the API server notes it.
    pub operation: String,
    /// Which part of the object, where it was one.
    pub subresource: Option<String>,
    /// The experiment that was on.
    pub during: Option<String>,
}

impl fmt::Display for Intervention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.object, self.operation)?;
        if let Some(part) = &self.subresource {
            write!(f, " of {part}")?;
        }
        if let Some(manager) = &self.manager {
            write!(f, " by {manager}")?;
        }
        self.during.as_ref().map_or(Ok(()), |experiment| write!(f, " during {experiment}"))
    }
}

/// A time in which something may have happened unseen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What was not seen.
    pub of: String,
    /// From when.
    pub from: Moment,
    /// Until when; `None`: to the end.
    pub until: Option<Moment>,
    /// Why.
    pub reason: String,
}

/// Some of a sort, and how many more there were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounded<T> {
    /// The first of them.
    pub told: Vec<T>,
    /// How many more.
    pub left_out: u64,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self { told: Vec::new(), left_out: 0 }
    }
}

impl<T> Bounded<T> {
    fn add(&mut self, one: T, count: u64) {
        if self.told.len() < CAP {
            self.told.push(one);
        } else {
            self.left_out += count;
        }
    }
}

/// All that was seen so far.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// What befell objects; left out are occurrences.
    pub incidents: Bounded<Tally>,
    /// What others changed.
    pub interventions: Bounded<Intervention>,
    /// When something may have been missed.
    pub gaps: Bounded<Gap>,
    /// What could not be looked at at all, and why.
    pub unseen: BTreeSet<String>,
    /// Which experiment was on, and since when.
    during: Vec<(Moment, Option<String>)>,
}

impl Seen {
    /// From `at` on `experiment` is on; `None`: none is.
    pub(super) fn during(&mut self, experiment: Option<&str>, at: Moment) {
        self.during.push((at, experiment.map(str::to_owned)));
    }

    /// The experiment that was on at `at`.
    fn on_at(&self, at: Moment) -> Option<String> {
        self.during
            .iter()
            .rev()
            .find(|(since, _)| *since <= at)
            .and_then(|(_, experiment)| experiment.clone())
    }

    /// Notes that `incident` came `count` times more by `at`; 0 where it only goes on.
    pub(super) fn incident(&mut self, incident: Incident, count: u64, at: Moment) {
        let incident = Incident { said: shortened(&incident.said), ..incident };
        let during = self.on_at(at);
        let same = |tally: &&mut Tally| {
            let (known, new) = (&tally.incident, &incident);
            tally.during == during
                && (known.kind, &known.object, &known.container, &known.what)
                    == (new.kind, &new.object, &new.container, &new.what)
        };
        if let Some(tally) = self.incidents.told.iter_mut().find(same) {
            tally.last = at;
            tally.count += count;
            tally.incident.said = incident.said;
            return;
        }
        self.incidents.add(Tally { incident, first: at, last: at, count, during }, count);
    }

    /// Notes a change by somebody else. It may be told late: what counts is what was on when it was made.
    pub(super) fn intervention(&mut self, intervention: Intervention) {
        let during = self.on_at(intervention.at);
        self.interventions.add(Intervention { during, ..intervention }, 1);
    }

    /// Since `from` something may be missed of what is seen otherwise; says whether that is news.
    pub(super) fn gap(&mut self, of: &str, from: Moment, reason: &str) -> bool {
        let known = self.gaps.told.iter().any(|gap| gap.of == of && gap.until.is_none());
        if !known {
            let (of, reason) = (of.to_owned(), shortened(reason));
            self.gaps.add(Gap { of, from, until: None, reason }, 1);
        }
        !known
    }

    /// From `at` on nothing is missed any more.
    pub(super) fn mend(&mut self, of: &str, at: Moment) {
        let open = |gap: &&mut Gap| gap.of == of && gap.until.is_none();
        if let Some(gap) = self.gaps.told.iter_mut().find(open) {
            gap.until = Some(at);
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SAID) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
