//! Outages of one component, from its probes, with bounds for both ends (pure).
//!
//! With `i` the probe interval and `D` the longest good probe of the 30 s before the first failure (a healthy
//! service answers a fresh probe within `D`), and by start time `G` the last good probe before the first
//! failed one `F`, and `e` the earliest completion of a good probe in the streak that lasts:
//!
//! * the outage began in `[G.start, F.start + D]`; where probes are polls, which may read the state that they judge at
//!   any moment until their end, not before `F`'s end is it known to have begun, if that is later;
//! * it ended in `[e − i − D, e]`: a probe begun within `i` of the return is answered within `D`. Slots that
//!   we missed take the lower end back to the last probe before the first that can have seen the return. Where
//!   the last failed probe got a definite no, its start is the lower end if earlier, since answers are slower
//!   just after a return; so too where it timed out and the next probe was answered in less than half the
//!   time-out, for then requests were lost, not held, and that probe was sent before the return;
//! * the estimate of either end is the middle.
//!
//! `D` leaves out probes begun before the end of the outage before: a request that hung until the return says
//! nothing about how fast a healthy service answers. From the first fault on it leaves out as well whatever was
//! begun before the last answer of those 30 s that took longer than `D` of the first fault plus `i`: that may
//! be a hang that failed no probe. It is never less than `D` of the first fault, nor more than that plus `i`.
//! With no good probe to learn from, `D` is the time-out.
//!
//! An outage is over once at least [`LASTING_PROBES`] probes and [`LASTING_TIME`] have passed without a failure;
//! a failure sooner continues it. A stretch without probes of a second (or three intervals, if longer) inside
//! that time may hide more of the outage, so the upper end moves behind it. One at another time may hide a whole
//! outage: it begins none, but no recovery is known to have come before its end ([`recovery`]). One between two
//! failures of an outage may be a time of health between two outages ([`pause`]).

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Moment;
use crate::trial::BLIND_PROBES;

pub use recovery::{Question, Recovery, Revert, Saw, Seconds, Since, Span, Took};

mod dark;
mod history;
mod pause;
mod recovery;
#[cfg(test)]
mod tests;
mod unseen;

use history::History;
use pause::Pauses;
use unseen::{Stretches, Unseen};

/// Good probes that make a return lasting.
pub const LASTING_PROBES: u32 = 20;
/// Time without a failure that makes a return lasting.
pub const LASTING_TIME: Duration = Duration::from_secs(5);
/// Probes that far back say how fast a healthy service answers.
const LOOK_BACK: Duration = Duration::from_secs(30);
/// Outages remembered at most.
const OUTAGES_KEPT: usize = 4096;

/// How a probe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The service answered as a healthy one does.
    Good,
    /// A definite no before the time-out: refused, reset, an error, a wrong answer.
    Refused,
    /// No full answer within the time-out.
    TimedOut,
    /// We were late ourselves, or the answer is not known for another reason of ours.
    Missed,
}

/// One probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Just before its first byte (or its connection attempt).
    pub start: Moment,
    /// When its outcome was known.
    pub end: Moment,
    /// How it ended.
    pub outcome: Outcome,
}

/// A moment known to lie between two others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Not before this.
    pub lower: Moment,
    /// Not after this.
    pub upper: Moment,
}

impl Bounds {
    /// The estimate: halfway.
    pub fn middle(self) -> Moment {
        Moment((self.lower.0 + self.upper.0) / 2)
    }
}

/// An interval in which a component did not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// Start of the first failed probe.
    pub first_failed: Moment,
    /// Start of the last failed probe so far.
    pub last_failed: Moment,
    /// When it began.
    pub began: Bounds,
    /// When it ended; provisional until `over`.
    pub ended: Option<Bounds>,
    /// Whether health has lasted since.
    pub over: bool,
    /// Longest good probe before it.
    pub answers_within: Duration,
}

impl Outage {
    /// It did not end before that, as far as failed probes tell.
    fn least_end(&self) -> Moment {
        self.ended.map_or(self.last_failed, |ended| ended.lower)
    }
}

/// What a probe changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// No outage began or became over.
    Nothing,
    /// A new outage: the last of [`Tracker::outages`].
    Began,
    /// The last outage is over.
    Over,
}

/// The good probes since the last failed one of an outage that is not over.
#[derive(Debug)]
struct Streak {
    first: Probe,
    /// Earliest completion: `e`.
    earliest: Moment,
    /// Starts of its probes before `e`, in order.
    starts: Vec<Moment>,
    /// Earliest completion since the last stretch without probes.
    upper: Moment,
    /// Good probes since that stretch.
    good: u32,
}

/// Follows one component through its outages. Probes come in the order of their starts.
#[derive(Debug)]
pub struct Tracker {
    interval: Duration,
    timeout: Duration,
    /// Whether probes read the state that they judge at any moment until their end.
    polls: bool,
    history: History,
    /// Start of the first slot, missed or not.
    origin: Option<Moment>,
    last_good: Option<Moment>,
    /// Start of the latest probe that was not missed.
    seen: Option<Moment>,
    unseen: Stretches,
    /// Whether a probe was missed since the latest that was not.
    missed: bool,
    ended_stretch: Option<Duration>,
    outages: VecDeque<Outage>,
    pauses: Pauses,
    last_failed: Option<Probe>,
    streak: Option<Streak>,
    /// When the first fault was announced, and `D` then: nothing of ours had slowed the service yet.
    untouched: Option<(Moment, Duration)>,
}

impl Tracker {
    /// A tracker of probes begun every `interval` and given up after `timeout`.
    pub fn new(interval: Duration, timeout: Duration) -> Self {
        Self {
            interval,
            timeout,
            polls: false,
            history: History::default(),
            origin: None,
            last_good: None,
            seen: None,
            unseen: Stretches::default(),
            missed: false,
            ended_stretch: None,
            outages: VecDeque::new(),
            pauses: Pauses::default(),
            last_failed: None,
            streak: None,
            untouched: None,
        }
    }

    /// The same of polls.
    #[must_use]
    pub fn of_polls(self) -> Self {
        Self { polls: true, ..self }
    }

    /// Takes the next probe in order of start.
    pub fn record(&mut self, probe: Probe) -> Change {
        let origin = *self.origin.get_or_insert(probe.start);
        self.ended_stretch = None;
        let failed = match probe.outcome {
            Outcome::Missed => {
                self.missed = true;
                return Change::Nothing;
            }
            Outcome::Good => false,
            Outcome::Refused | Outcome::TimedOut => true,
        };
        let blind = self.seen.filter(|&seen| probe.start.since(seen) > self.blind_after());
        if let Some(began) = blind {
            self.unseen.push(Unseen { began, ended: probe.end });
            if let Some(open) = self.open().copied() {
                self.pauses.begin(open, probe.end);
            }
        }
        if std::mem::take(&mut self.missed) || blind.is_some() {
            self.ended_stretch = Some(probe.end.since(self.seen.unwrap_or(origin)));
        }
        let change = if failed { self.failed(probe) } else { self.good(probe, blind.is_some()) };
        self.seen = Some(probe.start);
        change
    }

    /// A fault is announced, to be injected at `from`: every probe from then on (less the look-back) is kept
    /// until told otherwise; `None` lets them go.
    pub fn keep_from(&mut self, from: Option<Moment>) {
        if let (Some(from), None) = (from, self.untouched) {
            self.untouched = self.longest_good(from).map(|within| (from, within));
        }
        self.history.keep_from(from.map(|from| from.earlier_by(LOOK_BACK)));
    }

    /// The outages so far, oldest first; the last may not be over.
    pub fn outages(&self) -> &VecDeque<Outage> {
        &self.outages
    }

    /// The outage that is not over, if there is one.
    pub fn open(&self) -> Option<&Outage> {
        self.outages.back().filter(|outage| !outage.over)
    }

    /// Whether the component serves: it has answered, and its last outage is over.
    pub fn up(&self) -> bool {
        self.last_good.is_some() && self.open().is_none()
    }

    /// Start of the latest probe that was not missed: everything before it is known.
    pub fn seen(&self) -> Option<Moment> {
        self.seen
    }

    /// How long nobody looked before the latest probe told something again: from the start of the last probe that
    /// had (of the first slot, where none had) to the latest one's end. `None` unless a probe was missed between
    /// the two, or their starts are so far apart that an outage may hide there; `None` too where the latest probe
    /// was missed itself.
    pub fn ended_stretch(&self) -> Option<Duration> {
        self.ended_stretch
    }

    fn failed(&mut self, probe: Probe) -> Change {
        self.streak = None;
        self.last_failed = Some(probe);
        self.pauses.end(probe.start, self.lasting());
        if let Some(open) = self.outages.back_mut().filter(|outage| !outage.over) {
            open.last_failed = probe.start;
            open.ended = None;
            return Change::Nothing;
        }
        let answers_within = self.answers_within(probe.start);
        let answered = probe.start.later_by(answers_within);
        let began = Bounds {
            lower: self.last_good.or(self.origin).unwrap_or(probe.start),
            upper: if self.polls { answered.max(probe.end) } else { answered },
        };
        if self.outages.len() == OUTAGES_KEPT
            && let Some(oldest) = self.outages.pop_front()
        {
            self.pauses.forget(oldest.first_failed);
        }
        self.outages.push_back(Outage {
            first_failed: probe.start,
            last_failed: probe.start,
            began,
            ended: None,
            over: false,
            answers_within,
        });
        Change::Began
    }

    /// `blind`: whether nothing was told just before.
    fn good(&mut self, probe: Probe, blind: bool) -> Change {
        self.history.push(probe);
        self.last_good = Some(probe.start);
        if self.open().is_none() {
            return Change::Nothing;
        }
        self.extend_streak(probe, blind);
        let ended = self.ended();
        let lasting = self.lasts(probe.start);
        if let Some(open) = self.outages.back_mut() {
            open.ended = ended;
            open.over = lasting;
        }
        if !lasting {
            return Change::Nothing;
        }
        self.streak = None;
        self.last_failed = None;
        self.pauses.over();
        Change::Over
    }

    fn extend_streak(&mut self, probe: Probe, blind: bool) {
        let streak = self.streak.get_or_insert_with(|| Streak {
            first: probe,
            earliest: probe.end,
            starts: Vec::new(),
            upper: probe.end,
            good: 0,
        });
        if blind {
            streak.upper = probe.end;
            streak.good = 0;
        }
        streak.earliest = streak.earliest.min(probe.end);
        streak.upper = streak.upper.min(probe.end);
        streak.good += 1;
        if probe.start < streak.earliest {
            streak.starts.push(probe.start);
        }
    }

    fn lasts(&self, now: Moment) -> bool {
        self.streak
            .as_ref()
            .is_some_and(|streak| streak.good >= LASTING_PROBES && now >= streak.upper.later_by(LASTING_TIME))
    }

    /// The time that a return takes to be lasting, at least.
    fn lasting(&self) -> Duration {
        LASTING_TIME.max(self.interval * LASTING_PROBES)
    }

    /// The bounds of the end, by the formula above.
    fn ended(&self) -> Option<Bounds> {
        let (streak, failed) = (self.streak.as_ref()?, self.last_failed?);
        let outage = self.outages.back()?;
        let within = outage.answers_within;
        let formula = streak.earliest.earlier_by(within).earlier_by(self.interval);
        // The first probe after the return began at or after e − D and is one of the streak.
        let earliest_start = streak.earliest.earlier_by(within);
        let before = streak.starts.iter().rev().find(|&&start| start < earliest_start);
        let mut lower = formula.min(before.copied().unwrap_or(failed.start));
        let answered_fast = streak.first.end.since(streak.first.start) < self.timeout / 2;
        if failed.outcome == Outcome::Refused || answered_fast {
            lower = lower.min(failed.start);
        }
        Some(Bounds { lower: lower.max(outage.began.lower), upper: streak.upper })
    }

    /// `D` at `moment`.
    fn answers_within(&self, moment: Moment) -> Duration {
        match self.untouched {
            Some((announced, within)) if moment > announced => {
                let slow = self.history.last_slower(within + self.interval, self.learns_from(moment), moment);
                let since = self.learns_from(moment).max(slow.unwrap_or_default());
                self.history.longest(since, moment).map_or(within, |longest| longest.max(within))
            }
            _ => self.longest_good(moment).unwrap_or(self.timeout),
        }
    }

    /// The longest of the probes that `D` at `moment` is learned from, whatever slowed them.
    fn longest_good(&self, moment: Moment) -> Option<Duration> {
        self.history.longest(self.learns_from(moment), moment)
    }

    /// The later of 30 s before `moment` and the end of the last outage by then.
    fn learns_from(&self, moment: Moment) -> Moment {
        let ends = self.outages.iter().rev().filter_map(|outage| outage.ended).map(|ended| ended.upper);
        let healthy_since = ends.filter(|&end| end <= moment).max().unwrap_or_default();
        moment.earlier_by(LOOK_BACK).max(healthy_since)
    }

    /// A stretch between two probes that is long enough to hide more of an outage.
    fn blind_after(&self) -> Duration {
        Duration::from_secs(1).max(self.interval * BLIND_PROBES)
    }
}
