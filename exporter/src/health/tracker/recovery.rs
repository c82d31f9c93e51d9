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
//! before the final moment it moves that moment, and the upper end behind itself. The lower end and the estimate stay:
//! they count no outage that would have come after the final moment if nothing had failed there, and of one with such a
//! stretch inside no more than the part before it where the first failure after it would have come so late.
//!
//! What was not seen to be back by the deadline has no upper end. Its lower end is what failed probes prove: the
//! deadline, where it is known to have been down then or to have fallen later, before the final moment; else the
//! last failed probe, or the lower end of the outage that ended; zero without any. So it is too with a stretch that ends
//! after the deadline: none moves the final moment beyond it, and the wait is over.

use std::time::Duration;

use super::dark::Dark;
use super::{Outage, Tracker};
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

/// A final recovery as exported and reported: also one that was not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seconds {
    /// Most likely; infinite when no recovery was seen by the deadline.
    pub estimate: f64,
    /// At least.
    pub lower: f64,
    /// At most; infinite when no recovery was seen.
    pub upper: f64,
}

impl Seconds {
    /// No recovery was seen by the deadline; it took `at_least` so long.
    pub fn more_than(at_least: Duration) -> Self {
        Self { estimate: f64::INFINITY, lower: at_least.as_secs_f64(), upper: f64::INFINITY }
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
    /// Final: not seen to be back by the deadline. It may have been back unseen, or never away.
    NotRecovered {
        /// From the end of the command to the last moment at which failed probes prove that it was not back, which is
        /// at most the deadline.
        at_least: Duration,
        /// What the probes showed; of slow ones, those begun by the deadline.
        saw: Saw,
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
        let base = match question.revert {
            Revert::Done(span) => span.end,
            Revert::None | Revert::Due => question.injected.end,
        };
        let dark = self.dark_before_final(question, base, now);
        if dark.blind || self.is_late(dark.last, question.deadline, now) {
            return self.not_recovered(question, from, &dark);
        }
        if dark.last.is_some_and(|outage| outage.ended.is_none()) {
            return Recovery::Pending { so_far: None };
        }
        let settled = dark.ended.max(base).later_by(question.settle);
        let (took, saw) = self.took(question, from, &dark, settled);
        if question.revert == Revert::Due {
            return Recovery::Pending { so_far: Some(took) };
        }
        let over = dark.last.is_none_or(|outage| outage.over);
        if over && self.seen().is_some_and(|seen| seen >= settled) {
            return Recovery::Recovered { took, saw, settled };
        }
        // Probes that were missed for so long never showed that health lasted.
        let shown_by = settled.max(question.deadline).later_by(self.lasts_within() + self.grace());
        if now >= shown_by {
            return self.not_recovered(question, from, &dark);
        }
        Recovery::Pending { so_far: Some(took) }
    }

    /// Whether `last`, the last outage, ended after the deadline or had, as far as anybody saw, no end by then.
    fn is_late(&self, last: Option<&Outage>, deadline: Moment, now: Moment) -> bool {
        let told = self.seen().is_some_and(|seen| seen >= deadline);
        let known = told || now >= deadline.later_by(self.grace());
        last.is_some_and(|outage| outage.ended.map_or(known, |ended| ended.lower > deadline))
    }

    /// Nobody saw it back by the deadline, which does not say that anybody saw it away.
    fn not_recovered(&self, question: &Question, from: Span, dark: &Dark<'_>) -> Recovery {
        let at_least = dark.proven().min(question.deadline).since(from.end);
        let (_, without) = self.took_without_outage(question.injected.start, from, question.deadline);
        let saw = if dark.last.is_some() { Saw::Outage } else { without };
        Recovery::NotRecovered { at_least, saw }
    }

    /// How long it took if nothing more fails before `settled`, and what showed it.
    fn took(&self, question: &Question, from: Span, dark: &Dark<'_>, settled: Moment) -> (Took, Saw) {
        let counted = dark.certain.filter(|outage| !ended_by(outage, from.start));
        let (took, saw) = match counted.and_then(|outage| Took::of(outage, from)) {
            Some(took) => (took, Saw::Outage),
            None => self.took_without_outage(question.injected.start, from, settled),
        };
        let upper = took.upper.max(dark.ended.since(from.start));
        (Took { upper, ..took }, if dark.last.is_some() { Saw::Outage } else { saw })
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
        self.lasting() + self.interval * 2
    }

    /// How long after a moment the outcome of a probe begun by then is known at the latest.
    pub(super) fn grace(&self) -> Duration {
        self.timeout * 2 + self.interval * 2
    }
}

/// Whether `outage` was over for certain by `moment`.
fn ended_by(outage: &Outage, moment: Moment) -> bool {
    outage.ended.is_some_and(|ended| ended.upper <= moment)
}
