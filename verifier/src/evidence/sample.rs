//! Samples and series as Prometheus gives them. Pure.

use std::collections::BTreeMap;
use std::fmt;

/// Milliseconds since the Unix epoch, which is how Prometheus keeps time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Millis(pub(crate) i64);

impl Millis {
    /// The largest time that is told apart, thousands of years away: sums and differences of such times fit.
    const FARTHEST: f64 = 1e14;

    /// The nearest millisecond.
    #[expect(clippy::cast_possible_truncation, reason = "times of this era fit, others are held in bounds")]
    pub(crate) fn from_seconds(seconds: f64) -> Self {
        Self((seconds * 1000.0).round().clamp(-Self::FARTHEST, Self::FARTHEST) as i64)
    }

    /// Seconds since the Unix epoch.
    pub(crate) fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0.div_euclid(1000), self.0.rem_euclid(1000))
    }
}

/// Whether a sampled number is exactly this one.
pub(crate) fn same(value: f64, other: f64) -> bool {
    value.total_cmp(&other).is_eq()
}

/// A sample as Prometheus stored it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    pub(crate) at: Millis,
    pub(crate) value: f64,
}

/// A sample, for a report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    /// The series, or what was added up.
    pub(crate) series: String,
    pub(crate) at: Millis,
    pub(crate) value: f64,
}

/// The labels of a series, the metric's name under `__name__`.
pub(crate) type Labels = BTreeMap<String, String>;

/// The result of a query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    /// Series with their samples, from a range selector.
    Series(Vec<(Labels, Vec<Sample>)>),
    /// One sample a series.
    Vector(Vec<(Labels, Sample)>),
    /// A bare number.
    Scalar(Sample),
    /// Text, or a kind of data that no objective can use.
    Other(&'static str),
}
