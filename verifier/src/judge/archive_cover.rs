//! Whether the archive's series cover the whole run (pure): nobody knows what failed while they were not there.

use super::archive::Reading;
use super::{Lack, show};
use crate::evidence::Shortfall;
use crate::run::{Experiment, Run};

/// So many steps in a row may be without a reading.
pub(super) const MISSING: f64 = 3.0;
/// What a scrape may be late by, in seconds.
pub(super) const LATE: f64 = 1.0;

/// From when to when each fault lasted, on Prometheus' clock.
pub(super) type Faults = Vec<(f64, f64)>;

/// The faults of a run.
pub(super) fn faults(run: &Run) -> Faults {
    let ahead = run.processes.prometheus_time(0.0).seconds();
    let span = |experiment: &Experiment| {
        let ended = experiment.ended.map_or(f64::INFINITY, |edge| edge.latest);
        experiment.injected.map(|injected| (injected + ahead, ended + ahead))
    };
    run.experiments.values().filter_map(span).collect()
}

/// The readings of each server that was ever primary reach from the run's start to its end, and so do those of
/// all primaries together. Only a fault excuses a server that cannot be asked: one that is not asked again was
/// replaced, one that was not there before replaces it.
pub(super) fn covered(run: &Run, servers: &[Vec<Reading>], from: f64, to: f64) -> Result<(), Shortfall> {
    let (faults, low) = (faults(run), f64::NEG_INFINITY);
    let led: Vec<&Vec<Reading>> =
        servers.iter().filter(|readings| readings.iter().any(|reading| reading.primary)).collect();
    let step = led.iter().map(|readings| step(readings)).fold(low, f64::max).max(0.0);
    for readings in &led {
        let whole = |reading: &&Reading| reading.failed.is_some() && reading.archived.is_some();
        // A server that comes up again may tell the one before it can tell the other.
        let counts = |reading: &&Reading| {
            let at = reading.at.seconds();
            (from..=to).contains(&at) && !within((at, at), &faults, step)
        };
        if let Some(part) = readings.iter().filter(counts).find(|reading| !whole(reading)) {
            let detail =
                format!("a server told its role at {}, but not what it archived and what failed", part.at);
            return Err(Shortfall::new(Lack::Gap, detail));
        }
        let times = readings.iter().map(|reading| reading.at.seconds());
        let gaps = gaps(times, from, to, MISSING * step + LATE);
        told(gaps.into_iter().find(|gap| !excused(*gap, &faults, (from, to), step)), "a server's archiver")?;
    }
    let mut primaries: Vec<f64> = led
        .iter()
        .flat_map(|readings| readings.iter().filter(|reading| reading.primary))
        .map(|reading| reading.at.seconds())
        .collect();
    primaries.sort_by(f64::total_cmp);
    let gaps = gaps(primaries.into_iter(), from, to, MISSING * step + LATE);
    told(gaps.into_iter().find(|gap| !within(*gap, &faults, step)), "any primary's archiver")
}

fn told(gap: Option<(f64, f64)>, what: &str) -> Result<(), Shortfall> {
    let Some((a, b)) = gap else { return Ok(()) };
    let detail = format!("no sample of {what} for {} s, from {a:.3}", show::seconds(b - a));
    Err(Shortfall::new(Lack::Gap, detail))
}

/// The median time between two readings.
pub(super) fn step(readings: &[Reading]) -> f64 {
    let mut steps: Vec<f64> =
        readings.windows(2).map(|pair| pair[1].at.seconds() - pair[0].at.seconds()).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(0.0)
}

/// Intervals longer than this without a reading, the ends of the run included.
fn gaps(times: impl Iterator<Item = f64>, from: f64, to: f64, longest: f64) -> Vec<(f64, f64)> {
    let inside = times.filter(|time| (from..=to).contains(time));
    let all: Vec<f64> = std::iter::once(from).chain(inside).chain(std::iter::once(to)).collect();
    all.windows(2).map(|pair| (pair[0], pair[1])).filter(|(a, b)| b - a > longest).collect()
}

/// Whether a gap begins and ends with a fault.
pub(super) fn within((a, b): (f64, f64), faults: &[(f64, f64)], step: f64) -> bool {
    let reach = MISSING * step + LATE;
    faults.iter().any(|(injected, ended)| a >= injected - reach && b <= ended + reach)
}

/// The same, or a server was replaced: it went with a fault for good, or came with one.
fn excused(gap: (f64, f64), faults: &[(f64, f64)], run: (f64, f64), step: f64) -> bool {
    let in_fault = |at: f64| {
        faults.iter().any(|(injected, ended)| (injected - step - LATE..=ended + step).contains(&at))
    };
    let is = |a: f64, b: f64| a.total_cmp(&b).is_eq();
    within(gap, faults, step)
        || (is(gap.1, run.1) && !is(gap.0, run.0) && in_fault(gap.0))
        || (is(gap.0, run.0) && !is(gap.1, run.1) && in_fault(gap.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_excused_by_the_fault_that_it_begins_and_ends_with() {
        let faults = [(100.0, 200.0)];
        let excused = |gap| excused(gap, &faults, (0.0, 600.0), 5.0);
        assert!(excused((98.0, 150.0)) && excused((120.0, 210.0)));
        assert!(excused((98.0, 600.0)) && excused((0.0, 150.0)));
        assert!(!excused((98.0, 300.0)) && !excused((0.0, 300.0)) && !excused((0.0, 600.0)));
        assert!(!excused((300.0, 600.0)) && !excused((300.0, 400.0)));
    }

    #[test]
    fn gaps_are_told_with_the_ends_of_the_run() {
        let gaps = gaps([20.0, 30.0, 60.0].into_iter(), 0.0, 100.0, 16.0);
        assert_eq!(gaps, [(0.0, 20.0), (30.0, 60.0), (60.0, 100.0)]);
    }
}
