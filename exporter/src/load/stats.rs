//! Response times at full resolution, for the report and the progress line; Prometheus has the buckets.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// One hour: longer than any request's time-out.
const LONGEST_MICROS: u64 = 3_600_000_000;

/// The response times of one task.
#[derive(Debug)]
pub(super) struct TaskTimes(Mutex<Times>);

/// Response times in microseconds, three digits exact.
#[derive(Debug, Clone)]
pub(super) struct Times {
    /// Of requests that went well.
    pub(super) ok: Histogram<u64>,
    /// Of those that did not.
    pub(super) error: Histogram<u64>,
}

impl Times {
    /// None yet.
    pub(super) fn new() -> Self {
        let empty = Histogram::new_with_bounds(1, LONGEST_MICROS, 3).expect("the bounds are in order");
        Self { ok: empty.clone(), error: empty }
    }

    /// Adds those of `other`.
    pub(super) fn add(&mut self, other: &Self) {
        self.ok.add(&other.ok).expect("the bounds are the same");
        self.error.add(&other.error).expect("the bounds are the same");
    }

    /// All of them.
    pub(super) fn all(&self) -> Histogram<u64> {
        let mut all = self.ok.clone();
        all.add(&self.error).expect("the bounds are the same");
        all
    }
}

impl TaskTimes {
    /// None yet.
    pub(super) fn new() -> Self {
        Self(Mutex::new(Times::new()))
    }

    /// Adds one.
    pub(super) fn record(&self, ok: bool, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
        let mut times = self.lock();
        let times = if ok { &mut times.ok } else { &mut times.error };
        times.saturating_record(micros);
    }

    /// Adds those seen so far to `sum`.
    pub(super) fn add_to(&self, sum: &mut Times) {
        sum.add(&self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Percentiles of response times, in seconds; absent when there were none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentiles {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl Percentiles {
    /// Those of `times`, which are in microseconds.
    pub(super) fn of(times: &Histogram<u64>) -> Option<Self> {
        let seconds = |micros: u64| micros as f64 / 1e6;
        let at = |quantile| seconds(times.value_at_quantile(quantile));
        (!times.is_empty()).then(|| Self {
            count: times.len(),
            mean: times.mean() / 1e6,
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            max: seconds(times.max()),
        })
    }
}
