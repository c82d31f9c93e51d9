//! What the outage counters of one component say (pure).
//!
//! The seconds of an outage grow while it lasts: up to the start of its last failed probe less `D`, which is
//! never beyond the estimate that is known later, except where a blind stretch put the estimate back.

use std::time::Duration;

use super::tracker::Outage;
use super::windows::Cause;

/// Lengths of an outage so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Length {
    pub(super) lower: Duration,
    pub(super) estimate: Duration,
    pub(super) upper: Duration,
}

impl Length {
    pub(super) fn of(outage: &Outage) -> Self {
        let began = outage.began;
        match outage.ended {
            Some(ended) => Self {
                lower: ended.lower.since(began.upper),
                estimate: ended.middle().since(began.middle()),
                upper: ended.upper.since(began.lower),
            },
            None => Self {
                lower: outage.last_failed.since(began.upper),
                estimate: outage.last_failed.earlier_by(outage.answers_within).since(began.middle()),
                upper: outage.last_failed.since(began.lower),
            },
        }
    }
}

/// Totals of one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Total {
    pub(super) outages: u64,
    pub(super) seconds: Duration,
    pub(super) longest_lower: Duration,
    pub(super) longest_upper: Duration,
}

/// The outages of one component, added up by cause.
#[derive(Debug, Default)]
pub(super) struct Account {
    totals: [Total; 2],
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    cause: Cause,
    /// The totals without the current outage.
    before: Total,
}

impl Account {
    /// A new outage began.
    pub(super) fn begin(&mut self, cause: Cause) {
        let total = &mut self.totals[cause as usize];
        total.outages += 1;
        self.current = Some(Current { cause, before: *total });
    }

    /// The current outage is now this long. The counter never falls.
    pub(super) fn update(&mut self, outage: &Outage) {
        let Some(Current { cause, before }) = self.current else { return };
        let length = Length::of(outage);
        let total = &mut self.totals[cause as usize];
        total.seconds = total.seconds.max(before.seconds + length.estimate);
        total.longest_lower = before.longest_lower.max(length.lower);
        total.longest_upper = before.longest_upper.max(length.upper);
    }

    /// The current outage is over; says what caused it.
    pub(super) fn end(&mut self) -> Option<Cause> {
        self.current.take().map(|current| current.cause)
    }

    pub(super) fn total(&self, cause: Cause) -> Total {
        self.totals[cause as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::health::tracker::{Change, Outcome, Probe, Tracker};

    fn follow(probes: impl Iterator<Item = (u64, Outcome)>) -> (Account, Tracker, Vec<Duration>) {
        let mut tracker = Tracker::new(Duration::from_millis(50), Duration::from_secs(1));
        let (mut account, mut seconds) = (Account::default(), Vec::new());
        for (start, outcome) in probes {
            let start = Moment(Duration::from_millis(start));
            let change =
                tracker.record(Probe { start, end: start.later_by(Duration::from_millis(8)), outcome });
            if change == Change::Began {
                account.begin(if seconds.is_empty() { Cause::None } else { Cause::Experiment });
            }
            if let Some(outage) = tracker.outages().back() {
                account.update(outage);
                seconds.push(account.total(Cause::None).seconds + account.total(Cause::Experiment).seconds);
            }
            if change == Change::Over {
                account.end();
            }
        }
        (account, tracker, seconds)
    }

    fn down(start: u64) -> (u64, Outcome) {
        let down = (10_000..12_000).contains(&start) || (30_000..31_000).contains(&start);
        (start, if down { Outcome::Refused } else { Outcome::Good })
    }

    #[test]
    fn seconds_grow_while_an_outage_lasts_and_end_at_its_estimate() {
        let (account, tracker, seconds) = follow((0..40_000).step_by(50).map(down));
        assert!(seconds.is_sorted());
        let mut steps = seconds.clone();
        steps.dedup();
        assert!(steps.len() > 50, "{} steps: it grows with the failed probes", steps.len());
        let lengths: Vec<_> = tracker.outages().iter().map(Length::of).collect();
        assert_eq!(account.total(Cause::None).seconds, lengths[0].estimate);
        assert_eq!(account.total(Cause::Experiment).seconds, lengths[1].estimate);
    }

    #[test]
    fn the_longest_of_each_cause_keeps_its_bounds() {
        let (account, tracker, _) = follow((0..40_000).step_by(50).map(down));
        for (index, cause) in [(0, Cause::None), (1, Cause::Experiment)] {
            let length = Length::of(&tracker.outages()[index]);
            let total = account.total(cause);
            assert_eq!(
                (total.outages, total.longest_lower, total.longest_upper),
                (1, length.lower, length.upper)
            );
        }
    }
}
