//! Where users write down what they did: the metrics and the statistics of a run together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::account::{Account, TaskAccount};
use super::metrics::Metrics;
use super::outcome::Reason;
use super::report::UserSeconds;
use super::saturation::{Lack, Strain};
use super::slots::{Slots, UserTime};
use super::stats::{TaskTimes, Times};
use crate::clock::{Clock, Moment};
use crate::errors::OwnLack;

/// What all users share to write to.
#[derive(Debug)]
pub(super) struct Recorder {
    /// The run's clock.
    pub(super) clock: Clock,
    /// Series for Prometheus.
    pub(super) metrics: Metrics,
    /// What each user does.
    pub(super) slots: Arc<Slots>,
    /// Signs that we cannot keep up.
    pub(super) strain: Strain,
    /// By task.
    pub(super) tasks: Vec<TaskRecord>,
    /// The latest start of a request, in nanoseconds after it was intended.
    pub(super) worst_lag_nanos: AtomicU64,
}

/// Statistics of one task.
#[derive(Debug)]
pub(super) struct TaskRecord {
    /// How often it was chosen.
    pub(super) chosen: AtomicU64,
    /// Its response times.
    pub(super) times: TaskTimes,
    /// A bit for each [`Reason`] that one of its requests failed in.
    failed: AtomicU32,
}

impl TaskRecord {
    fn new() -> Self {
        Self { chosen: AtomicU64::new(0), times: TaskTimes::new(), failed: AtomicU32::new(0) }
    }

    /// Whether no request of it has failed in `reason` before; asked after each that has.
    pub(super) fn fails_first(&self, reason: Reason) -> bool {
        let bit = 1_u32 << (reason as usize);
        // Only read but once: thousands a second may ask.
        self.failed.load(Ordering::Relaxed) & bit == 0
            && self.failed.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}

impl Recorder {
    /// Nothing recorded yet.
    pub(super) fn new(clock: Clock, metrics: Metrics, slots: Arc<Slots>) -> Self {
        let tasks = metrics.tasks.iter().map(|_| TaskRecord::new()).collect();
        let strain = Strain::default();
        Self { clock, metrics, slots, strain, tasks, worst_lag_nanos: AtomicU64::new(0) }
    }

    /// A user chose `task`.
    pub(super) fn chose(&self, task: usize) {
        self.tasks[task].chosen.fetch_add(1, Ordering::Relaxed);
    }

    /// A request begins `lag` after it was intended.
    pub(super) fn lagged(&self, lag: Duration) {
        self.metrics.schedule_lag.observe(lag.as_secs_f64());
        self.strain.woke(lag);
        let nanos = u64::try_from(lag.as_nanos()).unwrap_or(u64::MAX);
        if nanos > self.worst_lag_nanos.load(Ordering::Relaxed) {
            self.worst_lag_nanos.fetch_max(nanos, Ordering::Relaxed);
        }
    }

    /// A connection could not be opened for want of something of our own.
    pub(super) fn lacked(&self, limit: OwnLack) {
        self.strain.lacked(limit);
    }

    /// Opens a request of `task` that was meant to start at `intended`.
    pub(super) fn open(&self, task: usize, intended: Moment) -> OpenRequest<'_> {
        OpenRequest { recorder: self, task, intended, ended: false }
    }

    /// Requests that ended so far: well, and not.
    pub(super) fn totals(&self) -> (u64, u64) {
        let tasks = self.metrics.tasks.iter();
        tasks.fold((0, 0), |(ok, error), task| (ok + task.ok.get(), error + task.error.get()))
    }

    /// What was recorded in the time that the load `lasted`, on request with response times.
    pub(super) fn account(&self, lasted: Duration, time: &UserTime, with_times: bool) -> Account {
        let mut all = with_times.then(Times::new);
        let tasks = self.tasks.iter().zip(&self.metrics.tasks).map(|(record, metrics)| {
            let times = all.as_mut().map(|all| {
                let mut times = Times::new();
                record.times.add_to(&mut times);
                all.add(&times);
                times
            });
            TaskAccount {
                chosen: record.chosen.load(Ordering::Relaxed),
                ok: metrics.ok.get(),
                error: metrics.error.get(),
                reasons: Reason::ALL.map(|reason| metrics.reasons[reason as usize].get()),
                times,
            }
        });
        let tasks = tasks.collect();
        Account {
            lasted,
            user_seconds: UserSeconds {
                thinking: time.thinking.as_secs_f64(),
                waiting: time.waiting.as_secs_f64(),
                overdue: time.overdue.as_secs_f64(),
            },
            worst_lag: self.worst_lag_nanos.load(Ordering::Relaxed) as f64 / 1e9,
            saturated: Lack::ALL.map(|lack| self.metrics.saturated[lack as usize].get()),
            tasks,
            times: all,
        }
    }

    fn ended(&self, task: usize, time: Duration, outcome: Result<(), Reason>) {
        let metrics = &self.metrics.tasks[task];
        match outcome {
            Ok(()) => {
                metrics.ok.inc();
                metrics.ok_time.observe(time.as_secs_f64());
            }
            Err(reason) => {
                metrics.error.inc();
                metrics.reasons[reason as usize].inc();
                metrics.error_time.observe(time.as_secs_f64());
            }
        }
        self.tasks[task].times.record(outcome.is_ok(), time);
    }
}

/// A request that has begun. It is counted exactly once: dropped without an end, it was drained.
#[derive(Debug)]
pub(super) struct OpenRequest<'a> {
    recorder: &'a Recorder,
    task: usize,
    intended: Moment,
    ended: bool,
}

impl OpenRequest<'_> {
    /// It ended at `now`.
    pub(super) fn end(mut self, now: Moment, outcome: Result<(), Reason>) {
        self.ended = true;
        self.recorder.ended(self.task, now.since(self.intended), outcome);
    }
}

impl Drop for OpenRequest<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let time = self.recorder.clock.now().since(self.intended);
            self.recorder.ended(self.task, time, Err(Reason::Drained));
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;

    use super::super::metrics::Scope;
    use super::*;
    use crate::trial::{self, Buckets};

    fn recorder() -> Recorder {
        let mut load = trial::smallest().load;
        load.buckets = Buckets::new(vec![1.0]).expect("a bound");
        let (clock, slots) = (Clock::start(), Arc::new(Slots::new(1)));
        let metrics = Metrics::register(&Registry::new(), &load, Arc::clone(&slots), clock, Scope::Run);
        Recorder::new(clock, metrics.expect("families"), slots)
    }

    #[test]
    fn a_response_time_runs_from_the_intended_start() {
        let recorder = recorder();
        let at = |secs| Moment(Duration::from_secs(secs));
        recorder.lagged(Duration::from_secs(3));
        recorder.open(0, at(10)).end(at(15), Ok(()));
        recorder.open(0, at(10)).end(at(17), Err(Reason::Http5xx));
        let task = &recorder.metrics.tasks[0];
        let sums = [task.ok_time.get_sample_sum(), task.error_time.get_sample_sum()];
        assert_eq!(sums.map(|sum| sum.round().to_string()), ["5", "7"]);
        assert_eq!((recorder.totals(), task.reasons[Reason::Http5xx as usize].get()), ((1, 1), 1));
        assert_eq!(recorder.worst_lag_nanos.load(Ordering::Relaxed), 3_000_000_000);
        assert_eq!(recorder.strain.take().late, 1);
    }

    #[test]
    fn a_second_failure_in_a_reason_is_nothing_new() {
        let task = TaskRecord::new();
        for reason in Reason::ALL {
            let asked = [task.fails_first(reason), task.fails_first(reason)];
            assert_eq!(asked, [true, false], "{reason:?}");
        }
        assert!(!Reason::ALL.into_iter().any(|reason| task.fails_first(reason)));
    }

    #[test]
    fn a_request_that_is_dropped_is_drained() {
        let recorder = recorder();
        drop(recorder.open(0, recorder.clock.now()));
        let task = &recorder.metrics.tasks[0];
        assert_eq!((task.error.get(), task.reasons[Reason::Drained as usize].get()), (1, 1));
    }
}
