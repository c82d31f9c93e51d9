//! Pure: whether too many requests fail for the run to go on.

use std::collections::VecDeque;

use crate::clock::Moment;
use crate::trial::ErrorLimit;

/// Follows how many requests ended, and how.
#[derive(Debug)]
pub(super) struct Tracker {
    limit: ErrorLimit,
    /// Counts of the limit's time, and the last ones before it.
    seen: VecDeque<(Moment, (u64, u64))>,
}

/// Too many failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exceeded {
    /// Requests that ended within the time.
    pub(super) ended: u64,
    /// Those that failed.
    pub(super) failed: u64,
}

impl Tracker {
    /// Nothing is seen yet.
    pub(super) fn new(limit: ErrorLimit) -> Self {
        Self { limit, seen: VecDeque::new() }
    }

    /// So many requests have ended well, and so many not, until `now`. Decides nothing before the limit's time has
    /// passed once, nor where no request ended in it.
    pub(super) fn look(&mut self, now: Moment, (ok, error): (u64, u64)) -> Option<Exceeded> {
        self.seen.push_back((now, (ok, error)));
        let over = |at: &Moment| now.since(*at) >= self.limit.window();
        while self.seen.get(1).is_some_and(|(at, _)| over(at)) {
            self.seen.pop_front();
        }
        let (_, (ok_before, error_before)) = *self.seen.front().filter(|(at, _)| over(at))?;
        let failed = error.saturating_sub(error_before);
        let ended = failed + ok.saturating_sub(ok_before);
        let exceeds = ended > 0 && failed as f64 >= self.limit.share() * ended as f64;
        exceeds.then_some(Exceeded { ended, failed })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// When a run with so many good and bad requests in each second is aborted, by half failing in 10 s.
    fn aborted(seconds: &[(u64, u64)]) -> Option<(usize, Exceeded)> {
        let limit = ErrorLimit::new(0.5, Duration::from_secs(10)).expect("a limit");
        let (mut tracker, mut ok, mut error) = (Tracker::new(limit), 0, 0);
        let first = tracker.look(Moment::default(), (0, 0));
        assert_eq!(first, None);
        seconds.iter().enumerate().find_map(|(second, (good, bad))| {
            (ok, error) = (ok + good, error + bad);
            let now = Moment(Duration::from_secs(second as u64 + 1));
            tracker.look(now, (ok, error)).map(|exceeded| (second + 1, exceeded))
        })
    }

    #[test]
    fn a_run_is_aborted_once_the_share_is_reached_over_the_whole_time() {
        let half = [(10, 10); 20];
        assert_eq!(aborted(&half), Some((10, Exceeded { ended: 200, failed: 100 })));
        assert_eq!(aborted(&[(11, 10); 60]), None);
        // A total outage after a minute: half of the last 10 s have failed after 5 s.
        let outage = [[(20, 0); 60].as_slice(), &[(0, 20); 10]].concat();
        assert_eq!(aborted(&outage), Some((65, Exceeded { ended: 200, failed: 100 })));
    }

    #[test]
    fn a_failover_that_is_shorter_is_ridden_out() {
        let failover = [[(20, 0); 30].as_slice(), &[(0, 20); 4], &[(20, 0); 30]].concat();
        assert_eq!(aborted(&failover), None);
    }

    #[test]
    fn nothing_is_decided_by_nothing() {
        assert_eq!(aborted(&[(0, 0); 60]), None);
        assert_eq!(aborted(&[(0, 9); 9]), None, "not before the time has passed once");
        assert!(aborted(&[(0, 1); 10]).is_some());
    }

    #[test]
    fn counts_that_come_seldom_count_from_the_last_before_the_time() {
        let limit = ErrorLimit::new(0.5, Duration::from_secs(10)).expect("a limit");
        let mut tracker = Tracker::new(limit);
        let at = |secs| Moment(Duration::from_secs(secs));
        assert_eq!(tracker.look(at(0), (0, 0)), None);
        assert_eq!(tracker.look(at(8), (100, 0)), None);
        assert_eq!(tracker.look(at(16), (100, 90)), None);
        assert_eq!(tracker.look(at(24), (100, 180)), Some(Exceeded { ended: 180, failed: 180 }));
    }
}
