//! When alerts fired (pure): Prometheus writes a sample at each evaluation that finds an alert firing, and none else.

use super::{Millis, Sample};

/// So many evaluations in a row without a sample are a resolution; fewer may have been missed.
const MISSED: f64 = 3.0;

/// A time for which an alert was seen firing, from its first sample to its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Firing {
    pub(crate) first: Millis,
    pub(crate) last: Millis,
}

/// The time between two evaluations as a series shows it: the median of its steps. `None` of a single sample.
pub(crate) fn pace(samples: &[Sample]) -> Option<f64> {
    let mut steps: Vec<f64> =
        samples.windows(2).map(|pair| pair[1].at.seconds() - pair[0].at.seconds()).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied()
}

/// The times for which an alert that is evaluated every `pace` seconds was firing.
pub(crate) fn firings(samples: &[Sample], pace: f64) -> Vec<Firing> {
    let mut firings: Vec<Firing> = Vec::new();
    for sample in samples {
        match firings.last_mut() {
            Some(firing) if sample.at.seconds() - firing.last.seconds() < MISSED * pace => {
                firing.last = sample.at;
            }
            _ => firings.push(Firing { first: sample.at, last: sample.at }),
        }
    }
    firings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: &[i64]) -> Vec<Sample> {
        seconds.iter().map(|at| Sample { at: Millis(at * 1000), value: 1.0 }).collect()
    }

    #[test]
    fn a_series_shows_how_often_its_rule_is_evaluated() {
        assert_eq!(pace(&at(&[0, 5, 10, 200, 205])), Some(5.0));
        assert_eq!((pace(&at(&[7])), pace(&[])), (None, None));
    }

    #[test]
    fn missed_evaluations_are_no_resolution() {
        let told = |seconds: &[i64]| -> Vec<(i64, i64)> {
            firings(&at(seconds), 5.0).iter().map(|it| (it.first.0 / 1000, it.last.0 / 1000)).collect()
        };
        assert_eq!(told(&[]), []);
        assert_eq!(told(&[3]), [(3, 3)]);
        assert_eq!(told(&[3, 8, 13]), [(3, 13)]);
        assert_eq!(told(&[3, 8, 18, 23]), [(3, 23)]);
        assert_eq!(told(&[3, 8, 23, 28]), [(3, 8), (23, 28)]);
    }
}
