//! When alerts fired (pure): at each evaluation that finds an alert firing, Prometheus writes a sample of `ALERTS`, and
//! beside it one of `ALERTS_FOR_STATE`, which tells since when the alert has been active, pending included.

use std::collections::BTreeMap;

use super::sample::same;
use super::{Labels, Millis, Sample};

/// So many evaluations in a row without a sample part two firings of which nothing else tells whether they are one; fewer
/// may have been missed.
const MISSED: f64 = 3.0;

/// A time for which an alert was seen firing, from its first sample to its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Firing {
    pub(crate) first: Millis,
    pub(crate) last: Millis,
}

/// A firing, and when the alert became active before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spell {
    pub(crate) firing: Firing,
    /// The earliest and the latest moment at which it may have become active: that of the first sample where nothing
    /// tells it.
    pub(crate) active: (Millis, Millis),
}

/// All that is recorded of one alert.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trace<'a> {
    /// Those of its series while it fired.
    pub(crate) labels: &'a Labels,
    pub(crate) fired: &'a [Sample],
    /// Since when it has been active, in whole Unix seconds, at each evaluation that found it so.
    pub(crate) active: &'a [Sample],
}

/// A series.
type Series = (Labels, Vec<Sample>);

/// Each alert with its samples: those of `ALERTS` while it fired, and those of `ALERTS_FOR_STATE`.
pub(crate) fn traces<'a>(
    fired: impl IntoIterator<Item = &'a Series>,
    active: impl IntoIterator<Item = &'a Series>,
) -> Vec<Trace<'a>> {
    let active: BTreeMap<Labels, &'a [Sample]> =
        active.into_iter().map(|(labels, samples)| (own(labels), samples.as_slice())).collect();
    let one = |(labels, samples): &'a Series| Trace {
        labels,
        fired: samples,
        active: active.get(&own(labels)).copied().unwrap_or_default(),
    };
    fired.into_iter().map(one).collect()
}

/// An alert's own labels, which it has in whatever state.
fn own(labels: &Labels) -> Labels {
    let of_series = |name: &str| matches!(name, "__name__" | "alertstate");
    labels.iter().filter(|(name, _)| !of_series(name)).map(|(name, it)| (name.clone(), it.clone())).collect()
}

impl Trace<'_> {
    /// The first sample after a moment that finds the alert active, pending included.
    pub(crate) fn active_after(&self, moment: Millis) -> Option<Millis> {
        let after = |samples: &[Sample]| {
            samples.get(samples.partition_point(|sample| sample.at <= moment)).map(|sample| sample.at)
        };
        after(self.active).into_iter().chain(after(self.fired)).min()
    }

    /// The first sample that tells of a beginning later than itself: its rule was evaluated later than it says.
    pub(crate) fn early(&self) -> Option<Millis> {
        self.active.iter().find(|sample| sample.value > sample.at.seconds()).map(|sample| sample.at)
    }
}

/// Seconds between two evaluations of an alert's rule: as they are told, or more where samples that tell of the same
/// beginning show it. Where neither tells them, the shortest step; `None` of a single sample.
pub(crate) fn pace(trace: &Trace<'_>, interval: Option<f64>) -> Option<f64> {
    let step = |pair: &[Sample]| pair[1].at.seconds() - pair[0].at.seconds();
    let since = |sample: &Sample| told(trace.active, sample.at);
    let of_one = |pair: &&[Sample]| match (since(&pair[0]), since(&pair[1])) {
        (Some(before), Some(after)) => same(before, after),
        _ => false,
    };
    let mut steps: Vec<f64> = trace.fired.windows(2).filter(of_one).map(step).collect();
    steps.sort_by(f64::total_cmp);
    // Of two in the middle the shorter: the longer may be a hole.
    let shown = steps.get(steps.len().saturating_sub(1) / 2).copied();
    match (interval, shown) {
        (Some(interval), Some(shown)) => Some(interval.max(shown)),
        (Some(only), None) | (None, Some(only)) => Some(only),
        (None, None) => trace.fired.windows(2).map(step).min_by(f64::total_cmp),
    }
}

/// The times for which an alert fired whose rule is evaluated every `pace` seconds. Samples that tell of the same
/// beginning are of one firing, however far apart: no evaluation found the alert silent in between.
pub(crate) fn spells(trace: &Trace<'_>, pace: f64) -> Vec<Spell> {
    let mut spells: Vec<(Firing, Option<f64>)> = Vec::new();
    for sample in trace.fired {
        let since = told(trace.active, sample.at);
        match spells.last_mut() {
            Some((firing, known)) if one((firing.last, *known), (sample.at, since), pace) => {
                firing.last = sample.at;
                *known = known.or(since);
            }
            _ => spells.push((Firing { first: sample.at, last: sample.at }, since)),
        }
    }
    let spell = |(firing, since): (Firing, Option<f64>)| {
        let active = since.map_or((firing.first, firing.first), |since| began(trace.active, since));
        Spell { firing, active }
    };
    spells.into_iter().map(spell).collect()
}

/// Since when the alert has been active, as told at an evaluation; nothing begins later than it is told of.
fn told(active: &[Sample], at: Millis) -> Option<f64> {
    let found = active.binary_search_by_key(&at, |sample| sample.at).ok()?;
    Some(active[found].value).filter(|since| since.is_finite() && *since <= at.seconds())
}

/// Whether two samples in a row, each with the beginning that it tells of, are of one firing.
fn one(before: (Millis, Option<f64>), after: (Millis, Option<f64>), pace: f64) -> bool {
    match (before.1, after.1) {
        (Some(before), Some(after)) => same(before, after),
        _ => after.0.seconds() - before.0.seconds() < MISSED * pace,
    }
}

/// When an alert became active that tells so in whole seconds: at the first sample that does, unless there were others
/// before.
fn began(active: &[Sample], since: f64) -> (Millis, Millis) {
    let second = Millis::from_seconds(since);
    let end = Millis(second.0 + 999);
    let first = active.iter().find(|sample| same(sample.value, since)).map(|sample| sample.at);
    first.filter(|first| *first <= end).map_or((second, end), |first| (first, first))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples at times in seconds.
    fn at(seconds: &[i64]) -> Vec<Sample> {
        seconds.iter().map(|at| Sample { at: Millis(at * 1000), value: 1.0 }).collect()
    }

    /// What samples at times in seconds tell of the beginning.
    fn since(samples: &[(i64, f64)]) -> Vec<Sample> {
        samples.iter().map(|(at, value)| Sample { at: Millis(at * 1000), value: *value }).collect()
    }

    /// Beginning and end of each firing, in seconds, and the earliest at which it became active.
    fn fired(times: &[i64], active: &[(i64, f64)]) -> Vec<(i64, i64, i64)> {
        let (labels, fired, active) = (Labels::new(), at(times), since(active));
        let trace = Trace { labels: &labels, fired: &fired, active: &active };
        let told = |spell: &Spell| (spell.firing.first, spell.firing.last, spell.active.0);
        let spells = spells(&trace, 5.0);
        spells.iter().map(told).map(|(a, b, c)| (a.0 / 1000, b.0 / 1000, c.0 / 1000)).collect()
    }

    /// First and last sample of a firing, and the second since which it is active.
    type Told = (i64, i64, i64);
    /// Samples of `ALERTS_FOR_STATE`.
    type Active = &'static [(i64, f64)];

    #[test]
    fn samples_of_one_firing_show_how_often_its_rule_is_evaluated() {
        type Case = (&'static [i64], Active, Option<f64>, Option<f64>);
        let table: [Case; 9] = [
            (&[10, 15, 20, 200, 205], &[(10, 9.0), (15, 9.0), (20, 9.0), (200, 9.0)], Some(1.0), Some(5.0)),
            (&[10, 15, 20], &[(10, 9.0), (15, 9.0), (20, 9.0)], Some(60.0), Some(60.0)),
            (&[10, 15, 20], &[(10, 9.0), (15, 9.0), (20, 9.0)], None, Some(5.0)),
            // One step, and a hole.
            (&[10, 15, 150], &[(10, 9.0), (15, 9.0), (150, 9.0)], Some(1.0), Some(5.0)),
            // The time from one firing to the next says nothing.
            (&[140, 250], &[(140, 140.0), (250, 250.0)], Some(1.0), Some(1.0)),
            (&[140, 250], &[], Some(1.0), Some(1.0)),
            (&[140, 141, 250], &[], None, Some(1.0)),
            (&[7], &[], None, None),
            (&[], &[], None, None),
        ];
        for (times, active, interval, due) in table {
            let (labels, fired, since) = (Labels::new(), at(times), since(active));
            let trace = Trace { labels: &labels, fired: &fired, active: &since };
            assert_eq!(pace(&trace, interval), due, "{times:?} {active:?} {interval:?}");
        }
    }

    #[test]
    fn an_alert_that_is_pending_is_active() {
        let (labels, fired, active) = (Labels::new(), at(&[3, 40]), since(&[(3, 3.0), (8, 8.0), (40, 8.0)]));
        let trace = Trace { labels: &labels, fired: &fired, active: &active };
        let after = |seconds: i64| trace.active_after(Millis(seconds * 1000)).map(|at| at.0 / 1000);
        assert_eq!([after(2), after(3), after(8), after(40)], [Some(3), Some(8), Some(40), None]);
        let untold = Trace { active: &[], ..trace };
        assert_eq!(untold.active_after(Millis(3000)), Some(Millis(40_000)));
    }

    #[test]
    fn a_sample_that_tells_of_a_later_beginning_bears_the_wrong_time() {
        let (labels, fired) = (Labels::new(), at(&[140]));
        let early = |samples: &[(i64, f64)]| {
            let active = since(samples);
            Trace { labels: &labels, fired: &fired, active: &active }.early().map(|at| at.0 / 1000)
        };
        // The rule is evaluated 30 s later than its samples say, of which later ones tell nothing.
        assert_eq!(early(&[(140, 170.0), (170, 170.0), (200, 170.0)]), Some(140));
        assert_eq!(early(&[(140, 139.0), (145, 1e300)]), Some(145));
        assert_eq!(early(&[(140, 140.0), (145, 140.0), (150, f64::NAN)]), None);
    }

    #[test]
    fn where_nothing_tells_beginnings_missed_evaluations_part_no_firing() {
        assert_eq!(fired(&[], &[]), []);
        assert_eq!(fired(&[3], &[]), [(3, 3, 3)]);
        assert_eq!(fired(&[3, 8, 13], &[]), [(3, 13, 3)]);
        assert_eq!(fired(&[3, 8, 18, 23], &[]), [(3, 23, 3)]);
        assert_eq!(fired(&[3, 8, 23, 28], &[]), [(3, 8, 3), (23, 28, 23)]);
    }

    #[test]
    fn samples_that_tell_of_one_beginning_are_of_one_firing() {
        const OLD: f64 = 3.0;
        const NEW: f64 = 23.0;
        let table: [(Active, &[Told]); 5] = [
            (&[(3, OLD), (8, OLD), (23, OLD), (28, OLD)], &[(3, 28, 3)]),
            (&[(3, OLD), (8, OLD), (23, NEW), (28, NEW)], &[(3, 8, 3), (23, 28, 23)]),
            // Resolved for one evaluation only.
            (&[(3, OLD), (8, 8.0), (23, 8.0), (28, 8.0)], &[(3, 3, 3), (8, 28, 8)]),
            // Those of the time before the hole are missing.
            (&[(23, OLD), (28, OLD)], &[(3, 8, 3), (23, 28, 3)]),
            (&[(3, OLD), (8, f64::NAN), (23, OLD), (28, OLD)], &[(3, 28, 3)]),
        ];
        for (active, due) in table {
            assert_eq!(fired(&[3, 8, 23, 28], active), due, "{active:?}");
        }
    }

    #[test]
    fn an_alert_is_active_since_it_was_pending() {
        // Exactly where the first sample of that time is there, and within a second where it is not.
        let pending = [(100, 100.0), (105, 100.0), (110, 100.0)];
        assert_eq!(fired(&[110], &pending), [(110, 110, 100)]);
        assert_eq!(began(&since(&pending[1..]), 100.0), (Millis(100_000), Millis(100_999)));
        // Nothing begins later than it is told of.
        assert_eq!(fired(&[110], &[(100, 140.0), (110, 140.0)]), [(110, 110, 110)]);
    }

    #[test]
    fn an_alerts_series_are_told_apart_by_their_own_labels() {
        let series = |name: &str, more: &[(&str, &str)], value: f64| -> Series {
            let labels = [("__name__", name), ("alertname", "Down")];
            let labels = labels.iter().chain(more).map(|(name, it)| ((*name).to_owned(), (*it).to_owned()));
            (labels.collect(), since(&[(1, value)]))
        };
        let fired = [
            series("ALERTS", &[("alertstate", "firing"), ("zone", "a")], 1.0),
            series("ALERTS", &[("alertstate", "firing"), ("zone", "b")], 1.0),
        ];
        let active = [
            series("ALERTS_FOR_STATE", &[("zone", "b")], 7.0),
            series("ALERTS_FOR_STATE", &[("zone", "c")], 9.0),
        ];
        let told: Vec<Option<f64>> = traces(&fired, &active)
            .iter()
            .map(|trace| trace.active.first().map(|sample| sample.value))
            .collect();
        assert_eq!(told, [None, Some(7.0)]);
    }
}
