//! What went by itself or not, pods above all, and what accounts for that. Pure.
//!
//! What goes with its controller is told with that: a collector of garbage says nothing of each.
//!
//! What a controller says that it deleted names the pod, but of one object no more than 25 events get through at once,
//! and then one in five minutes. So a `ReplicaSet` that is to have fewer pods accounts for as many, without names. The
//! other controllers remove few pods at a time.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::ours::Claim;
use super::words::Word;
use crate::clock::Moment;
use crate::cluster::seen::Object;

/// A controller tells of a deletion within this time.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// A `ReplicaSet` deletes what it has too many of within this time.
const SURPLUS_LASTS: Duration = Duration::from_secs(30);

/// Something that is gone, and nobody has said yet why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) object: Object,
    /// UID of its controller.
    pub(super) owner: Option<String>,
    /// When that was seen.
    pub(super) at: Moment,
}

/// That, and whether a taint of its node is said to be why.
#[derive(Debug)]
struct Waiting {
    gone: Gone,
    by_taint: bool,
}

/// How many pods a `ReplicaSet` has too many of, less those that it named; and when that changed last.
#[derive(Debug, Default)]
struct Surplus {
    pods: i64,
    at: Moment,
}

/// What went, and what accounts for that.
#[derive(Debug, Default)]
pub(super) struct Departures {
    /// Those not yet accounted for.
    waiting: Vec<Waiting>,
    /// UIDs of all that went: a pod is on its way out first and gone later, which is one departure.
    known: HashSet<String>,
    /// What controllers say they deleted, and when they said so, whose departure is not seen yet. Each accounts for
    /// one: a pod of a `StatefulSet` has its name from the one before it.
    told: Vec<(Word, Moment)>,
    /// By the UID of the `ReplicaSet`.
    surplus: HashMap<String, Surplus>,
    /// UIDs of controllers that are gone, or on their way out.
    ended: HashSet<String>,
    /// UIDs of nodes that a stranger keeps emptying by a taint, and when the last one ceased to be so.
    emptied: HashSet<String>,
    emptied_until: Option<Moment>,
}

impl Departures {
    /// What has this UID was on its way out before anybody watched.
    pub(super) fn begin(&mut self, uid: &str) {
        self.known.insert(uid.to_owned());
    }

    /// Whether what has this UID has gone.
    pub(super) fn went(&self, uid: &str) -> bool {
        self.known.contains(uid)
    }

    /// The controller of this UID is gone, or on its way out: what it has goes with it. Says whether that is news.
    pub(super) fn end(&mut self, uid: &str) -> bool {
        self.ended.insert(uid.to_owned())
    }

    /// Whether a stranger sends pods away from the node of this UID, as was seen at `at`.
    pub(super) fn empties(&mut self, node: &str, does: bool, at: Moment) {
        if does {
            self.emptied.insert(node.to_owned());
        } else if self.emptied.remove(node) {
            self.emptied_until = Some(at);
        }
    }

    /// A controller says, at `at`, that it deleted something.
    pub(super) fn explain(&mut self, word: Word, at: Moment) {
        if let Some(owner) = &word.set {
            self.note(owner, -1, at);
        }
        let news = |it: &Waiting| word.is_of(&it.gone.object) && !(word.by_taint && it.by_taint);
        match self.waiting.iter().position(news) {
            Some(place) if word.by_taint => self.waiting[place].by_taint = true,
            Some(place) => drop(self.waiting.remove(place)),
            None => self.told.push((word, at)),
        }
    }

    /// The `ReplicaSet` of this UID is to have so many pods less, as was seen at `at`.
    pub(super) fn wants_fewer(&mut self, owner: &str, by: u32, at: Moment) {
        self.note(owner, by.into(), at);
    }

    fn note(&mut self, owner: &str, pods: i64, at: Moment) {
        let surplus = self.surplus.entry(owner.to_owned()).or_default();
        surplus.pods += pods;
        surplus.at = at;
    }

    /// Something is gone, or on its way out.
    pub(super) fn add(&mut self, gone: Gone) {
        if !self.known.insert(gone.object.uid.clone()) {
            return;
        }
        let told = self.told.iter().position(|(word, _)| word.is_of(&gone.object));
        let word = told.map(|place| self.told.remove(place).0);
        if word.as_ref().is_none_or(|word| word.by_taint) {
            self.waiting.push(Waiting { gone, by_taint: word.is_some() });
        }
    }

    /// What went and neither a controller nor we account for, though all is known that controllers said and did until
    /// so long after it: that is known until `heard`, and departures until `looked`. Of what may yet prove ours,
    /// nothing is said.
    pub(super) fn unexplained(
        &mut self,
        looked: Moment,
        heard: Moment,
        claim: impl Fn(&str) -> Claim,
    ) -> Vec<Gone> {
        self.told.retain(|(_, at)| looked.since(*at) <= PATIENCE);
        self.surplus.retain(|_, surplus| heard.since(surplus.at) <= SURPLUS_LASTS);
        self.waiting.retain(|it| claim(&it.gone.object.uid) != Claim::Ours);
        let is_late =
            |it: &Waiting| heard.since(it.gone.at) > PATIENCE && claim(&it.gone.object.uid) == Claim::Theirs;
        let (mut late, waiting): (Vec<_>, Vec<_>) = self.waiting.drain(..).partition(is_late);
        self.waiting = waiting;
        late.retain(|it| !self.is_accounted_for(it));
        late.into_iter().map(|it| it.gone).collect()
    }

    fn is_accounted_for(&mut self, it: &Waiting) -> bool {
        let Waiting { gone, by_taint } = it;
        let owner = gone.owner.as_deref();
        (*by_taint && !self.is_emptied(gone.at))
            || owner.is_some_and(|owner| self.ended.contains(owner))
            || self.is_surplus(owner)
    }

    /// Whether, about `at`, a stranger sent pods away from any node: which, the controller does not tell.
    fn is_emptied(&self, at: Moment) -> bool {
        !self.emptied.is_empty() || self.emptied_until.is_some_and(|until| at.since(until) <= PATIENCE)
    }

    /// Whether a `ReplicaSet` had a pod too many, which then is this one.
    fn is_surplus(&mut self, owner: Option<&str>) -> bool {
        let surplus = owner.and_then(|owner| self.surplus.get_mut(owner)).filter(|it| it.pods > 0);
        surplus.map(|surplus| surplus.pods -= 1).is_some()
    }

    /// When the first of those went of which it is not known yet why.
    pub(super) fn oldest(&self) -> Option<Moment> {
        self.waiting.iter().map(|it| it.gone.at).min()
    }
}

#[cfg(test)]
mod tests;
