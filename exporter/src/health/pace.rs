//! The fixed rate of a prober, and the order of its results (pure).

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use crate::clock::Moment;

/// Slots at `origin + n × interval`. A slot is missed when we come to it only after the next one is due.
#[derive(Debug)]
pub(super) struct Slots {
    origin: Moment,
    interval: Duration,
    next: u64,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// Slots that have passed unused.
    pub(super) missed: Range<u64>,
    /// The slot to use now.
    pub(super) slot: u64,
}

impl Slots {
    pub(super) fn new(origin: Moment, interval: Duration) -> Self {
        Self { origin, interval, next: 0 }
    }

    /// The moment of the next slot.
    pub(super) fn next(&self) -> Moment {
        self.at(self.next)
    }

    pub(super) fn at(&self, slot: u64) -> Moment {
        let nanoseconds = self.interval.as_nanos().saturating_mul(u128::from(slot));
        self.origin.later_by(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)))
    }

    /// Takes the latest slot that is due at `now`; nothing if none is.
    pub(super) fn take(&mut self, now: Moment) -> Option<Due> {
        let passed = now.since(self.origin).as_nanos() / self.interval.as_nanos().max(1);
        let latest = u64::try_from(passed).unwrap_or(u64::MAX);
        if now < self.origin || latest < self.next {
            return None;
        }
        let missed = self.next..latest;
        self.next = latest + 1;
        Some(Due { missed, slot: latest })
    }
}

/// Gives results back in the order of their slots, whatever the order of their completion.
#[derive(Debug)]
pub(super) struct Ordered<T> {
    next: u64,
    waiting: BTreeMap<u64, T>,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self { next: 0, waiting: BTreeMap::new() }
    }
}

impl<T> Ordered<T> {
    pub(super) fn insert(&mut self, slot: u64, result: T) {
        self.waiting.insert(slot, result);
    }

    /// The next result in order, once it is there.
    pub(super) fn pop(&mut self) -> Option<T> {
        let result = self.waiting.remove(&self.next)?;
        self.next += 1;
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Moment {
        Moment(Duration::from_millis(milliseconds))
    }

    #[test]
    fn a_late_wake_misses_the_slots_whose_successor_is_due() {
        let mut slots = Slots::new(at(100), Duration::from_millis(50));
        assert_eq!(slots.take(at(99)), None);
        assert_eq!(slots.take(at(100)), Some(Due { missed: 0..0, slot: 0 }));
        assert_eq!(slots.take(at(149)), None);
        assert_eq!(slots.take(at(199)), Some(Due { missed: 1..1, slot: 1 }));
        assert_eq!(slots.take(at(351)), Some(Due { missed: 2..5, slot: 5 }));
        assert_eq!(slots.next(), at(400));
    }

    #[test]
    fn results_come_back_in_the_order_of_their_slots() {
        let mut ordered = Ordered::default();
        ordered.insert(1, 'b');
        assert_eq!(ordered.pop(), None);
        ordered.insert(0, 'a');
        assert_eq!((ordered.pop(), ordered.pop(), ordered.pop()), (Some('a'), Some('b'), None));
    }
}
