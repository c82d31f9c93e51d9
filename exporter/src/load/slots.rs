//! Where users' time goes, counted continuously: also while a request hangs.
//!
//! Each user has a slot that says what it does and up to when that time has been charged. Whoever moves the
//! mark forward, the user at a change or a scrape in between, charges exactly the time it moved over, so
//! every nanosecond of every user is charged once. A scrape costs one pass over the slots.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Moment;

/// What a user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Not running.
    Away = 0,
    /// Pausing.
    Thinking = 1,
    /// A request is open.
    Waiting = 2,
    /// Logging in: it waits, but a log-in is not a request.
    LoggingIn = 3,
}

impl Doing {
    fn of(mark: u64) -> Self {
        match mark & MASK {
            1 => Self::Thinking,
            2 => Self::Waiting,
            3 => Self::LoggingIn,
            _ => Self::Away,
        }
    }
}

const BITS: u32 = 2;
const MASK: u64 = (1 << BITS) - 1;

#[derive(Debug, Default)]
struct Slot {
    /// What the user does (low bits), and up to when that is charged (nanoseconds).
    mark: AtomicU64,
    /// When the present wait began.
    began: AtomicU64,
    /// When the present wait becomes overdue.
    overdue: AtomicU64,
}

/// The slots of all users, by number.
#[derive(Debug)]
pub(super) struct Slots {
    by_user: Box<[Slot]>,
    thinking: AtomicU64,
    waiting: AtomicU64,
    overdue: AtomicU64,
}

/// Users' time up to a moment, and what they do then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct UserTime {
    /// Pausing.
    pub(super) thinking: Duration,
    /// Waiting within patience.
    pub(super) waiting: Duration,
    /// Waiting beyond it.
    pub(super) overdue: Duration,
    /// Users that run.
    pub(super) running: usize,
    /// Requests that are open.
    pub(super) in_flight: usize,
    /// Age of the oldest of them.
    pub(super) oldest: Duration,
}

impl Slots {
    /// Room for `users`.
    pub(super) fn new(users: usize) -> Self {
        let by_user = (0..users).map(|_| Slot::default()).collect();
        Self { by_user, thinking: 0.into(), waiting: 0.into(), overdue: 0.into() }
    }

    /// What `user` does.
    pub(super) fn doing(&self, user: usize) -> Doing {
        Doing::of(self.by_user[user].mark.load(Ordering::Acquire))
    }

    /// `user` begins to pause, or goes away.
    pub(super) fn rest(&self, user: usize, doing: Doing, now: Moment) {
        self.turn(user, doing, nanos(now.0));
    }

    /// `user` begins to wait, for `patience` without complaint.
    pub(super) fn wait(&self, user: usize, doing: Doing, now: Moment, patience: Duration) {
        if matches!(self.doing(user), Doing::Waiting | Doing::LoggingIn) {
            // The limits below are the new wait's; the old one is charged by its own first.
            self.rest(user, Doing::Thinking, now);
        }
        let slot = &self.by_user[user];
        // Set before the mark says waiting. Released, so that a scrape that reads a new limit also sees that
        // the mark moved.
        slot.began.store(nanos(now.0), Ordering::Release);
        slot.overdue.store(nanos(now.later_by(patience).0), Ordering::Release);
        self.turn(user, doing, nanos(now.0));
    }

    fn turn(&self, user: usize, doing: Doing, now: u64) {
        let slot = &self.by_user[user];
        let overdue = slot.overdue.load(Ordering::Relaxed);
        let mut mark = slot.mark.load(Ordering::Relaxed);
        loop {
            // A scrape may have charged up to a little after our `now`.
            let until = now.max(mark >> BITS);
            let next = (until << BITS) | doing as u64;
            match slot.mark.compare_exchange_weak(mark, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return self.charge(mark, until, overdue),
                Err(seen) => mark = seen,
            }
        }
    }

    /// Adds the time from `mark` to `until` to what the mark says; waiting is overdue from `overdue` on.
    fn charge(&self, mark: u64, until: u64, overdue: u64) {
        let since = mark >> BITS;
        match Doing::of(mark) {
            Doing::Away => {}
            Doing::Thinking => add(&self.thinking, until - since),
            Doing::Waiting | Doing::LoggingIn => {
                let overdue = overdue.clamp(since, until);
                add(&self.waiting, overdue - since);
                add(&self.overdue, until - overdue);
            }
        }
    }

    /// Charges everyone up to `now` and returns the sums.
    pub(super) fn settle(&self, now: Moment) -> UserTime {
        let at = nanos(now.0);
        let mut time = UserTime::default();
        for slot in &self.by_user {
            let mark = slot.mark.load(Ordering::Acquire);
            let doing = Doing::of(mark);
            if doing == Doing::Away {
                continue;
            }
            time.running += 1;
            let began = slot.began.load(Ordering::Acquire);
            let overdue = slot.overdue.load(Ordering::Acquire);
            let next = (at << BITS) | (mark & MASK);
            // A user that changed meanwhile has charged itself.
            let unchanged = mark >> BITS < at
                && slot.mark.compare_exchange(mark, next, Ordering::AcqRel, Ordering::Relaxed).is_ok();
            if unchanged {
                self.charge(mark, at, overdue);
            }
            if doing == Doing::Waiting {
                time.in_flight += 1;
                time.oldest = time.oldest.max(Duration::from_nanos(at.saturating_sub(began)));
            }
        }
        time.thinking = Duration::from_nanos(self.thinking.load(Ordering::Relaxed));
        time.waiting = Duration::from_nanos(self.waiting.load(Ordering::Relaxed));
        time.overdue = Duration::from_nanos(self.overdue.load(Ordering::Relaxed));
        time
    }
}

fn add(sum: &AtomicU64, nanos: u64) {
    if nanos > 0 {
        sum.fetch_add(nanos, Ordering::Relaxed);
    }
}

/// Nanoseconds of a run's time; the top bits are free for 146 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX) & (u64::MAX >> BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment(Duration::from_millis(millis))
    }

    fn millis(time: UserTime) -> [u128; 3] {
        [time.thinking, time.waiting, time.overdue].map(|part| part.as_millis())
    }

    const PATIENCE: Duration = Duration::from_secs(2);

    #[test]
    fn time_is_charged_to_what_a_user_did() {
        let slots = Slots::new(2);
        slots.rest(0, Doing::Thinking, at(1_000));
        slots.wait(0, Doing::Waiting, at(2_500), PATIENCE);
        slots.rest(0, Doing::Thinking, at(3_500));
        slots.wait(0, Doing::LoggingIn, at(4_000), PATIENCE);
        slots.rest(0, Doing::Away, at(9_000));
        assert_eq!(millis(slots.settle(at(20_000))), [2_000, 3_000, 3_000]);
    }

    #[test]
    fn a_hang_is_counted_while_it_lasts() {
        let slots = Slots::new(3);
        slots.wait(0, Doing::Waiting, at(1_000), PATIENCE);
        slots.wait(1, Doing::Waiting, at(2_000), PATIENCE);
        slots.wait(2, Doing::LoggingIn, at(0), PATIENCE);
        let seen = [2_000, 3_000, 3_500, 5_000].map(|now| {
            let time = slots.settle(at(now));
            (millis(time), time.in_flight, time.oldest.as_millis(), time.running)
        });
        assert_eq!(seen[0], ([0, 3_000, 0], 2, 1_000, 3));
        assert_eq!(seen[1], ([0, 5_000, 1_000], 2, 2_000, 3));
        assert_eq!(seen[2], ([0, 5_500, 2_000], 2, 2_500, 3));
        assert_eq!(seen[3], ([0, 6_000, 6_000], 2, 4_000, 3));
    }

    #[test]
    fn a_scrape_that_looked_later_than_the_user_charges_nothing_twice() {
        let slots = Slots::new(1);
        slots.rest(0, Doing::Thinking, at(0));
        assert_eq!(millis(slots.settle(at(1_001))), [1_001, 0, 0]);
        slots.wait(0, Doing::Waiting, at(1_000), PATIENCE);
        assert_eq!(millis(slots.settle(at(1_000))), [1_001, 0, 0]);
        assert_eq!(millis(slots.settle(at(2_000))), [1_001, 999, 0]);
    }

    #[test]
    fn scrapes_beside_busy_users_lose_and_invent_nothing() {
        let slots = Slots::new(4);
        std::thread::scope(|scope| {
            for user in 0..4 {
                let slots = &slots;
                scope.spawn(move || {
                    for round in 0..20_000_u64 {
                        slots.rest(user, Doing::Thinking, Moment(Duration::from_nanos(round * 100)));
                        let begin = Moment(Duration::from_nanos(round * 100 + 30));
                        slots.wait(user, Doing::Waiting, begin, Duration::from_nanos(20));
                    }
                    slots.rest(user, Doing::Away, Moment(Duration::from_millis(2)));
                });
            }
            for round in 0..2_000_u64 {
                // Marks that lie behind the users' own, or close to them, never beyond the end.
                slots.settle(Moment(Duration::from_nanos(round * 1_000)));
            }
        });
        let time = slots.settle(Moment(Duration::from_millis(2)));
        let total = time.thinking + time.waiting + time.overdue;
        assert_eq!(total, Duration::from_millis(4 * 2));
    }
}
