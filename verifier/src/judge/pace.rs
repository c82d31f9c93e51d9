//! Counts of seconds (pure): none passes faster than the clock.

/// The growth over samples of clock and count. What a step adds beyond the time that it took, and so many seconds
/// in which its source was late, was not counted when it passed.
pub(super) fn seconds(samples: impl IntoIterator<Item = (f64, f64)>, late: f64) -> f64 {
    let samples: Vec<_> = samples.into_iter().collect();
    let step = |pair: &[(f64, f64)]| (pair[1].1 - pair[0].1).min(pair[1].0 - pair[0].0 + late);
    samples.windows(2).map(step).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_passes_faster_than_the_clock() {
        let table = [
            ("steady", vec![(0.0, 7.0), (5.0, 12.0), (10.0, 17.0)], 10.0),
            ("late and caught up", vec![(0.0, 7.0), (5.0, 10.0), (10.0, 17.0)], 10.0),
            ("with a gap", vec![(0.0, 7.0), (10.0, 17.0)], 10.0),
            ("all at once", vec![(0.0, 0.0), (500.0, 0.0), (505.0, 505.0)], 8.0),
            ("one sample", vec![(0.0, 7.0)], 0.0),
        ];
        for (what, samples, grown) in table {
            assert_eq!(seconds(samples, 3.0), grown, "{what}");
        }
    }
}
