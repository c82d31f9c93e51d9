//! What users did and how it went, in numbers that can be added (pure).

use std::time::Duration;

use super::outcome::Reason;
use super::report::UserSeconds;
use super::saturation::Lack;
use super::stats::Times;

/// What the users of one process, or of several, did.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// From the first user's start to the last one's end, or to now while users run.
    pub(super) lasted: Duration,
    /// Where users' time went.
    pub(super) user_seconds: UserSeconds,
    /// How late the generator itself was at worst, in seconds.
    pub(super) worst_lag: f64,
    /// Seconds in which it could not keep up, by [`Lack`].
    pub(super) saturated: [f64; Lack::ALL.len()],
    /// Task by task, in the trial's order.
    pub(super) tasks: Vec<TaskAccount>,
    /// Response times of all tasks; `None`: not told.
    pub(super) times: Option<Times>,
}

/// What came of one task.
#[derive(Debug, Clone)]
pub(super) struct TaskAccount {
    /// How often users chose it.
    pub(super) chosen: u64,
    /// Requests that went well.
    pub(super) ok: u64,
    /// Requests that did not.
    pub(super) error: u64,
    /// The latter by [`Reason`].
    pub(super) reasons: [u64; Reason::ALL.len()],
    /// Its response times; `None`: not told.
    pub(super) times: Option<Times>,
}

impl Account {
    /// That of a load that did not begin.
    pub(super) fn none(tasks: usize) -> Self {
        let task = TaskAccount { chosen: 0, ok: 0, error: 0, reasons: [0; Reason::ALL.len()], times: None };
        Self {
            lasted: Duration::ZERO,
            user_seconds: UserSeconds { thinking: 0.0, waiting: 0.0, overdue: 0.0 },
            worst_lag: 0.0,
            saturated: [0.0; Lack::ALL.len()],
            tasks: vec![task; tasks],
            times: None,
        }
    }

    /// Requests that ended: well, and not.
    pub(super) fn totals(&self) -> (u64, u64) {
        self.tasks.iter().fold((0, 0), |(ok, error), task| (ok + task.ok, error + task.error))
    }

    /// Adds what other users did at the same time. Response times are known of all or of none.
    pub(super) fn add(&mut self, other: &Self) {
        self.lasted = self.lasted.max(other.lasted);
        self.user_seconds.thinking += other.user_seconds.thinking;
        self.user_seconds.waiting += other.user_seconds.waiting;
        self.user_seconds.overdue += other.user_seconds.overdue;
        self.worst_lag = self.worst_lag.max(other.worst_lag);
        for (sum, seconds) in self.saturated.iter_mut().zip(other.saturated) {
            *sum += seconds;
        }
        for (task, other) in self.tasks.iter_mut().zip(&other.tasks) {
            task.add(other);
        }
        add_times(&mut self.times, other.times.as_ref());
    }
}

impl TaskAccount {
    fn add(&mut self, other: &Self) {
        self.chosen += other.chosen;
        self.ok += other.ok;
        self.error += other.error;
        for (sum, count) in self.reasons.iter_mut().zip(other.reasons) {
            *sum += count;
        }
        add_times(&mut self.times, other.times.as_ref());
    }
}

fn add_times(sum: &mut Option<Times>, other: Option<&Times>) {
    match (sum.as_mut(), other) {
        (Some(sum), Some(other)) => sum.add(other),
        _ => *sum = None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(seconds: u64, counts: [u64; 2], micros: Option<&[u64]>) -> Account {
        let times = micros.map(|micros| {
            let mut times = Times::new();
            for time in micros {
                times.ok.saturating_record(*time);
            }
            times
        });
        let mut reasons = [0; Reason::ALL.len()];
        reasons[Reason::Http5xx as usize] = counts[1];
        let task = TaskAccount {
            chosen: counts[0] + counts[1],
            ok: counts[0],
            error: counts[1],
            reasons,
            times: times.clone(),
        };
        Account {
            lasted: Duration::from_secs(seconds),
            user_seconds: UserSeconds { thinking: 1.0, waiting: 2.0, overdue: 4.0 },
            worst_lag: seconds as f64,
            saturated: [0.5; Lack::ALL.len()],
            tasks: vec![task],
            times,
        }
    }

    #[test]
    fn counts_and_seconds_are_added_and_the_longest_counts() {
        let mut sum = account(10, [7, 1], Some(&[1_000, 3_000]));
        sum.add(&account(12, [2, 5], Some(&[9_000])));
        assert_eq!((sum.totals(), sum.tasks[0].chosen, sum.lasted.as_secs()), ((9, 6), 15, 12));
        assert_eq!(sum.tasks[0].reasons[Reason::Http5xx as usize], 6);
        assert_eq!(sum.user_seconds, UserSeconds { thinking: 2.0, waiting: 4.0, overdue: 8.0 });
        let told = [sum.worst_lag, sum.saturated[0]].map(|value| value.to_string());
        assert_eq!(told, ["12", "1"]);
        let times = sum.times.expect("both told");
        assert_eq!((times.ok.len(), times.ok.max() / 1_000), (3, 9));
    }

    #[test]
    fn response_times_that_some_did_not_tell_are_not_those_of_all() {
        let mut sum = account(10, [1, 0], Some(&[1_000]));
        sum.add(&account(10, [1, 0], None));
        assert!(sum.times.is_none() && sum.tasks[0].times.is_none());
        sum.add(&account(10, [1, 0], Some(&[1_000])));
        assert!(sum.times.is_none());
    }
}
