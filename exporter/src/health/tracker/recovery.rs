//! How long a component took to come back from a fault (pure).
//!
//! With `a` the start and `b` the end of the command (or call) that injected or reverted the fault, and the
//! last outage up to the final moment ended in `[lower, upper]`: the recovery took `[lower − b, upper − a]`,
//! estimated as `middle − a`, nothing below zero. An outage that ended before the revert counts for nothing
//! since the revert. The final moment is `settle` after the later of that end and the revert; an outage that
//! begins before it moves it.
//!
//! A hang shorter than the time-out fails no probe. Where no outage is seen, or the last was over before the
//! revert that is counted from, the recovery is in `[0, c − a]`, `c` being the completion of the last probe
//! before the final moment that took longer than `D + i`, `D` as of the injection. (`D` is the longest of some
//! 600 probes, so two of three healthy components answer one of the next 1200 a little slower.)
//!
//! Where none did, it is in `[0, D + 2i]`, estimated as 0. Nothing is not quite nothing: a hang shows as a slow
//! probe only if one begun within `i` of its beginning takes longer than `D + i`. This bound is counted from
//! the moment at which the fault acted, whenever within its command that was.
//!
//! A stretch without answers, long enough to hide an outage, is taken for one that may have been there: where it begins
//! before the final moment it moves that moment, and the upper end behind itself. The lower end and the estimate stay.

use std::time::Duration;

use super::unseen::Unseen;
use super::{LASTING_PROBES, LASTING_TIME, Outage, Tracker};
use crate::clock::Moment;

/// The start and end of a command or call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Just before it.
    pub start: Moment,
    /// When it had returned.
    pub end: Moment,
}

/// What has become of the revert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revert {
    /// There is nothing to put back.
    None,
    /// It is still to come.
    Due,
    /// Done.
    Done(Span),
}

/// What a recovery is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// The injection.
    Injected,
    /// The revert.
    Reverted,
}

impl Since {
    /// The value of the label `since`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Reverted => "reverted",
        }
    }
}

/// The recovery that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// The injection.
    pub injected: Span,
    /// The revert.
    pub revert: Revert,
    /// Which of the two the time counts from.
    pub since: Since,
    /// How long health must hold.
    pub settle: Duration,
    /// The moment by which the component must be back.
    pub deadline: Moment,
}

/// How long it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Took {
    /// At least.
    pub lower: Duration,
    /// Most likely.
    pub estimate: Duration,
    /// At most.
    pub upper: Duration,
}

impl Took {
    /// At once.
    pub const ZERO: Self = Self { lower: Duration::ZERO, estimate: Duration::ZERO, upper: Duration::ZERO };

    /// As exported and reported.
    pub fn seconds(self) -> Seconds {
        Seconds {
            estimate: self.estimate.as_secs_f64(),
            lower: self.lower.as_secs_f64(),
            upper: self.upper.as_secs_f64(),
        }
    }

    fn of(outage: &Outage, from: Span) -> Option<Self> {
        let ended = outage.ended?;
        Some(Self {
            lower: ended.lower.since(from.end),
            estimate: ended.middle().since(from.start),
            upper: ended.upper.since(from.start),
        })
    }
}

/// A final recovery as exported and reported: also one that did not come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seconds {
    /// Most likely; infinite when there was no recovery by the deadline.
    pub estimate: f64,
    /// At least; the time waited when there was no recovery.
    pub lower: f64,
    /// At most; infinite when there was no recovery.
    pub upper: f64,
}

impl Seconds {
    /// No recovery within the time waited.
    pub fn none_within(waited: Duration) -> Self {
        Self { estimate: f64::INFINITY, lower: waited.as_secs_f64(), upper: f64::INFINITY }
    }
}

/// What the probes showed of the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saw {
    /// Failed probes.
    Outage,
    /// Slow ones only: a hang shorter than the time-out.
    Slowness,
    /// Nothing at all: stands only if the fault was seen to bite.
    Nothing,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Not final.
    Pending {
        /// The time, should no further failure come.
        so_far: Option<Took>,
    },
    /// Final.
    Recovered {
        /// How long it took.
        took: Took,
        /// What the probes showed.
        saw: Saw,
        /// The moment at which it became final.
        settled: Moment,
    },
    /// Not back at the deadline: the recovery takes longer than `waited`.
    NotRecovered {
        /// From the end of the command to the deadline.
        waited: Duration,
    },
}

impl Tracker {
    /// Answers `question` from the probes up to `now`.
    pub fn recovery(&self, question: &Question, now: Moment) -> Recovery {
        let from = match (question.since, question.revert) {
            (Since::Injected, _) => question.injected,
            (Since::Reverted, Revert::Done(span)) => span,
            (Since::Reverted, _) => return Recovery::Pending { so_far: None },
        };
        let waited = question.deadline.since(from.end);
        let base = match question.revert {
            Revert::Done(span) => span.end,
            Revert::None | Revert::Due => question.injected.end,
        };
        let seen = self.seen().unwrap_or_default();
        let Dark { outage: last, unseen } = self.dark_before_final(question, base);
        let healthy = match last {
            Some(outage) => match outage.ended {
                Some(ended) if ended.lower <= question.deadline => Some(ended.upper),
                Some(_) => return Recovery::NotRecovered { waited },
                None => None,
            },
            None => Some(base),
        };
        let Some(healthy) = healthy else {
            let known = seen >= question.deadline || now >= question.deadline.later_by(self.grace());
            return if known {
                Recovery::NotRecovered { waited }
            } else {
                Recovery::Pending { so_far: None }
            };
        };
        let settled = healthy.max(base).max(unseen).later_by(question.settle);
        let injected = question.injected.start;
        let (took, saw) = match last {
            Some(outage) if ended_by(outage, from.start) => {
                (self.took_without_outage(injected, from, settled).0, Saw::Outage)
            }
            Some(outage) => (Took::of(outage, from).unwrap_or(Took::ZERO), Saw::Outage),
            None => self.took_without_outage(injected, from, settled),
        };
        let took = Took { upper: took.upper.max(unseen.since(from.start)), ..took };
        let over = last.is_none_or(|outage| outage.over);
        if question.revert != Revert::Due && over && seen >= settled {
            return Recovery::Recovered { took, saw, settled };
        }
        // Probes that were missed for so long never showed that health lasted.
        let shown_by = settled.max(question.deadline).later_by(self.lasts_within() + self.grace());
        if question.revert != Revert::Due && now >= shown_by {
            return Recovery::NotRecovered { waited };
        }
        Recovery::Pending { so_far: Some(took) }
    }

    /// The last outage and the last stretch without answers that ended after the injection and began before health
    /// had settled.
    fn dark_before_final(&self, question: &Question, base: Moment) -> Dark<'_> {
        let mut last = Dark { outage: None, unseen: Moment::default() };
        let mut quiet = base;
        let after = |ended: Option<Moment>| ended.is_none_or(|ended| ended > question.injected.start);
        let outages = self.outages().iter().map(Part::Outage);
        let mut parts: Vec<_> = outages.chain(self.unseen.iter().map(Part::Unseen)).collect();
        parts.retain(|part| after(part.over_by()));
        parts.sort_by_key(Part::began);
        for part in parts {
            if question.revert != Revert::Due && part.began() > quiet.later_by(question.settle) {
                break;
            }
            quiet = quiet.max(part.ended().unwrap_or(quiet));
            match part {
                Part::Outage(outage) => last.outage = Some(outage),
                Part::Unseen(unseen) => last.unseen = unseen.ended,
            }
        }
        last
    }

    /// From answers alone: what took longer than health does, and what was too short to show.
    fn took_without_outage(&self, injected: Moment, from: Span, settled: Moment) -> (Took, Saw) {
        let within = self.answers_within(injected);
        match self.history.last_slower(within + self.interval, from.start, settled) {
            Some(completion) => {
                let upper = completion.since(from.start);
                (Took { lower: Duration::ZERO, estimate: upper / 2, upper }, Saw::Slowness)
            }
            None => (Took { upper: within + self.interval * 2, ..Took::ZERO }, Saw::Nothing),
        }
    }

    /// The time in which a return proves to be lasting when no probe is missed.
    fn lasts_within(&self) -> Duration {
        LASTING_TIME.max(self.interval * LASTING_PROBES) + self.interval * 2
    }

    /// How long after a moment the outcome of a probe begun by then is known at the latest.
    fn grace(&self) -> Duration {
        self.timeout * 2 + self.interval * 2
    }
}

/// What kept health from settling.
#[derive(Debug)]
struct Dark<'a> {
    /// The last outage.
    outage: Option<&'a Outage>,
    /// End of the last stretch without answers; zero without one.
    unseen: Moment,
}

/// A time in which the component failed, or may have.
#[derive(Debug, Clone, Copy)]
enum Part<'a> {
    Outage(&'a Outage),
    Unseen(Unseen),
}

impl Part<'_> {
    fn began(&self) -> Moment {
        match self {
            Self::Outage(outage) => outage.first_failed,
            Self::Unseen(unseen) => unseen.began,
        }
    }

    /// As far as is known.
    fn ended(&self) -> Option<Moment> {
        match self {
            Self::Outage(outage) => outage.ended.map(|ended| ended.upper),
            Self::Unseen(unseen) => Some(unseen.ended),
        }
    }

    /// Its end, once nothing moves it any more.
    fn over_by(&self) -> Option<Moment> {
        match self {
            Self::Outage(outage) if !outage.over => None,
            Self::Outage(_) | Self::Unseen(_) => self.ended(),
        }
    }
}

/// Whether `outage` was over for certain by `moment`.
fn ended_by(outage: &Outage, moment: Moment) -> bool {
    outage.ended.is_some_and(|ended| ended.upper <= moment)
}
