//! Counters, added up over series and processes, and how much they grew over part of a run. Pure.

use super::index::{Laid, selector};
use super::sample::added;
use super::{Family, Lack, Processes, Recorded, Sample, Shortfall, Window};

/// A growth that falls between scrapes: at least that of the enclosed ones, at most that of the enclosing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) inner: f64,
    pub(crate) outer: f64,
}

/// A counter of the run: for each process its sum at every scrape.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tally {
    strands: Vec<Strand>,
}

/// The sum of one process's series at each of its scrapes.
#[derive(Debug, Clone, PartialEq)]
struct Strand {
    process: usize,
    sums: Vec<f64>,
}

impl Tally {
    /// Adds up the matching series of every process that must have them.
    pub(crate) fn of(
        processes: &Processes,
        recorded: &Recorded,
        family: &'static str,
        matching: &[(&str, &str)],
    ) -> Result<Self, Shortfall> {
        let series = recorded.matching(family, matching)?;
        let of_load = Family::named(family).is_some_and(|family| family.of_load);
        let mut strands = Vec::new();
        for process in processes.with(of_load) {
            let own: Vec<_> = series.iter().filter(|laid| laid.process == process).copied().collect();
            if own.is_empty() {
                let detail =
                    format!("no series {} of {}", selector(family, matching), processes.get(process));
                return Err(Shortfall::new(Lack::FamilyAbsent, detail));
            }
            let scrapes = processes.get(process).scrapes.len();
            let mut sums = vec![0.0; scrapes];
            for laid in own {
                add(&mut sums, laid).map_err(|(lack, what)| {
                    Shortfall::new(lack, format!("{}: {what}", selector(family, matching)))
                })?;
            }
            strands.push(Strand { process, sums });
        }
        Ok(Self { strands })
    }

    /// What was counted from the processes' start to their last scrape.
    pub(crate) fn total(&self) -> f64 {
        self.strands.iter().filter_map(|strand| strand.sums.last()).sum()
    }

    /// The growth over a window.
    pub(crate) fn over(&self, processes: &Processes, window: Window) -> Result<Bounds, Shortfall> {
        if window == Window::Run {
            let total = self.total();
            return Ok(Bounds { inner: total, outer: total });
        }
        let mut bounds = Bounds { inner: 0.0, outer: 0.0 };
        for strand in &self.strands {
            let cut = processes.cut(strand.process, window)?;
            bounds.outer += strand.growth(cut.outer);
            bounds.inner += cut.inner.map_or(0.0, |inner| strand.growth(inner));
        }
        Ok(bounds)
    }

    /// Both together, scrape by scrape.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    /// All together; `None` where there is none.
    pub(crate) fn sum(tallies: impl IntoIterator<Item = Self>) -> Option<Self> {
        tallies.into_iter().reduce(|sum, tally| sum.plus(&tally))
    }

    /// What is in `self` and not in `part`, scrape by scrape: both are read in the same scrapes.
    pub(crate) fn minus(&self, part: &Self) -> Self {
        self.with(part, |a, b| a - b)
    }

    fn with(&self, other: &Self, join: impl Fn(f64, f64) -> f64) -> Self {
        let strands = self.strands.iter().map(|strand| {
            let theirs = other.strands.iter().find(|other| other.process == strand.process);
            let at =
                |scrape: usize| theirs.and_then(|theirs| theirs.sums.get(scrape)).copied().unwrap_or(0.0);
            let sums = strand.sums.iter().enumerate().map(|(scrape, sum)| join(*sum, at(scrape))).collect();
            Strand { process: strand.process, sums }
        });
        Self { strands: strands.collect() }
    }

    /// The growth of the conductor's counter between two of its scrapes.
    pub(crate) fn between(&self, from: impl Into<Option<usize>>, to: usize) -> f64 {
        let from = from.into();
        self.strands.iter().map(|strand| strand.growth((from, to))).sum()
    }

    /// How the sum of all processes went, at Prometheus' times: at each scrape of any of them, what each had counted
    /// by its newest scrape.
    pub(crate) fn course(&self, processes: &Processes) -> Vec<Sample> {
        let strands = self.strands.iter().map(|strand| {
            let scrapes = processes.get(strand.process).scrapes.iter();
            scrapes.zip(&strand.sums).map(|(scrape, sum)| Sample { at: scrape.at, value: *sum }).collect()
        });
        added(&strands.collect::<Vec<_>>())
    }

    /// The growth of a process's counter from its first scrape to its last.
    pub(crate) fn of_process(&self, process: usize) -> f64 {
        let own = self.strands.iter().filter(|strand| strand.process == process);
        own.map(|strand| strand.growth((Some(0), strand.sums.len().saturating_sub(1)))).sum()
    }

    /// The sum at a scrape, where one process has it.
    pub(crate) fn at(&self, scrape: usize) -> Option<f64> {
        self.strands.first().and_then(|strand| strand.sums.get(scrape)).copied()
    }
}

impl Strand {
    fn growth(&self, (from, to): (Option<usize>, usize)) -> f64 {
        let at = |scrape: usize| self.sums.get(scrape).copied().unwrap_or(0.0);
        at(to) - from.map_or(0.0, at)
    }
}

/// Adds a series. Before its first sample it counts as zero: a counter begins at zero with its process, so a
/// series born late has counted everything that it shows.
fn add(sums: &mut [f64], laid: &Laid) -> Result<(), (Lack, String)> {
    let mut previous = 0.0;
    let mut next = 0;
    for &(scrape, value) in &laid.values {
        if !value.is_finite() {
            return Err((Lack::NotFinite, format!("a sample is {value}")));
        }
        if value < previous {
            return Err((Lack::CounterReset, format!("fell from {previous} to {value}")));
        }
        for sum in &mut sums[next..scrape] {
            *sum += previous;
        }
        sums[scrape] += value;
        previous = value;
        next = scrape + 1;
    }
    if next < sums.len() {
        let missing = sums.len() - next;
        return Err((Lack::Gap, format!("missing in the last {missing} scrapes of its process")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::window::{Edge, cut};
    use super::*;

    fn laid(values: &[(usize, f64)]) -> Laid {
        Laid { process: 0, labels: BTreeMap::new(), values: values.to_vec() }
    }

    fn summed(scrapes: usize, values: &[(usize, f64)]) -> Result<Vec<f64>, Lack> {
        let mut sums = vec![0.0; scrapes];
        add(&mut sums, &laid(values)).map_err(|(lack, _)| lack)?;
        Ok(sums)
    }

    #[test]
    fn a_series_born_late_counts_from_zero() {
        assert_eq!(summed(4, &[(2, 300.0), (3, 300.0)]), Ok(vec![0.0, 0.0, 300.0, 300.0]));
    }

    #[test]
    fn a_sample_missing_in_between_loses_nothing() {
        assert_eq!(summed(4, &[(0, 1.0), (3, 9.0)]), Ok(vec![1.0, 1.0, 1.0, 9.0]));
    }

    #[test]
    fn a_fall_a_non_number_and_a_vanished_series_are_shortfalls() {
        assert_eq!(summed(2, &[(0, 5.0), (1, 3.0)]), Err(Lack::CounterReset));
        assert_eq!(summed(2, &[(0, 5.0), (1, f64::NAN)]), Err(Lack::NotFinite));
        assert_eq!(summed(3, &[(0, 5.0), (1, 6.0)]), Err(Lack::Gap));
    }

    proptest! {
        /// Events at random times are counted by scrapes; the truth over a random window is inside the bounds.
        #[test]
        fn the_true_count_is_always_inside_the_bounds(
            events in prop::collection::vec(0.0..100.0_f64, 0..200),
            interval in 0.5..20.0_f64,
            phase in 0.0..1.0_f64,
            start in 0.0..100.0_f64,
            length in 0.0..100.0_f64,
        ) {
            let end = start + length;
            let clocks: Vec<f64> = (0..500).map(|n| (f64::from(n) + phase) * interval).take_while(|t| *t < 260.0).collect();
            let sums: Vec<f64> = clocks.iter().map(|t| events.iter().filter(|event| *event <= t).count() as f64).collect();
            let strand = Strand { process: 0, sums };
            let cut = cut(&clocks, Edge::exact(start), Edge::exact(end)).unwrap();
            let truth = events.iter().filter(|event| **event > start && **event <= end).count() as f64;
            let inner = cut.inner.map_or(0.0, |inner| strand.growth(inner));
            prop_assert!(inner <= truth && truth <= strand.growth(cut.outer));
        }
    }
}
