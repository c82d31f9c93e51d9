//! Samples and series as Prometheus gives them. Pure.

use std::collections::{BTreeMap, BTreeSet};
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

    /// Whether so many seconds since the Unix epoch are a time at all: of this era, as far as it is told apart.
    pub(crate) fn can_be(seconds: f64) -> bool {
        (0.0..Self::FARTHEST / 1000.0).contains(&seconds)
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

/// The sum of several series over time: at each moment of any of them, what each was last. One counts from its first
/// sample on.
pub(crate) fn added(series: &[Vec<Sample>]) -> Vec<Sample> {
    let moments: BTreeSet<Millis> = series.iter().flatten().map(|sample| sample.at).collect();
    let at = |moment: Millis| {
        let last = |samples: &Vec<Sample>| {
            let next = samples.partition_point(|sample| sample.at <= moment);
            next.checked_sub(1).map_or(0.0, |last| samples[last].value)
        };
        Sample { at: moment, value: series.iter().map(last).sum() }
    };
    moments.into_iter().map(at).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_of_this_era() {
        let table = [
            (0.0, true),
            (1.7e9, true),
            (99_999_999_999.0, true),
            (1e11, false),
            (1e30, false),
            (f64::INFINITY, false),
            (-1.0, false),
            (f64::NAN, false),
        ];
        for (seconds, is) in table {
            assert_eq!(Millis::can_be(seconds), is, "{seconds}");
        }
    }

    #[test]
    fn series_are_added_at_every_moment_of_any_of_them() {
        let series = |samples: &[(i64, f64)]| -> Vec<Sample> {
            samples.iter().map(|(at, value)| Sample { at: Millis(*at), value: *value }).collect()
        };
        let sum = added(&[series(&[(1, 1.0), (3, 2.0)]), series(&[(2, 10.0), (3, 20.0)])]);
        assert_eq!(sum, series(&[(1, 1.0), (2, 11.0), (3, 22.0)]));
        assert_eq!(added(&[]), []);
    }
}
