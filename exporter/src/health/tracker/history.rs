//! The good probes of the recent past, and of an experiment while it is judged (pure).

use std::collections::VecDeque;
use std::time::Duration;

use super::Probe;
use crate::clock::Moment;

/// Probes are kept this long, twice the look-back, so that an experiment may be announced late.
const KEPT: Duration = Duration::from_mins(1);

/// Good probes in order of start.
#[derive(Debug, Default)]
pub(super) struct History {
    good: VecDeque<(Moment, Moment)>,
    keep_from: Option<Moment>,
}

impl History {
    pub(super) fn push(&mut self, probe: Probe) {
        self.good.push_back((probe.start, probe.end));
        let horizon = probe.start.earlier_by(KEPT);
        let oldest = self.keep_from.map_or(horizon, |kept| kept.min(horizon));
        while self.good.front().is_some_and(|&(start, _)| start < oldest) {
            self.good.pop_front();
        }
    }

    pub(super) fn keep_from(&mut self, from: Option<Moment>) {
        self.keep_from = from;
    }

    /// The longest probe begun at or after `from` and answered by `to`.
    pub(super) fn longest(&self, from: Moment, to: Moment) -> Option<Duration> {
        let first = self.good.partition_point(|&(start, _)| start < from);
        let begun = self.good.range(first..).take_while(|&&(start, _)| start <= to);
        begun.filter(|&&(_, end)| end <= to).map(|&(start, end)| end.since(start)).max()
    }

    /// The last completion of a probe begun by `to`, complete after `from`, that took longer than `limit`.
    pub(super) fn last_slower(&self, limit: Duration, from: Moment, to: Moment) -> Option<Moment> {
        let began_before = |&(start, _): &(Moment, Moment)| start <= to;
        let slow = |&(start, end): &(Moment, Moment)| end > from && end.since(start) > limit;
        self.good.iter().copied().take_while(began_before).filter(slow).map(|(_, end)| end).max()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.good.len()
    }
}
