//! Relief (pure): with many replicas each has less to do than with few, and answers come in time.

use std::time::Duration;

use super::Evidence;
use super::scaling::Replicas;
use super::{Judged, Lack, Shown, latency};
use crate::evidence::{Edge, Gauge, PhaseName, Point, Shortfall, Window, family, mean_bounds, same};
use crate::slo::{Scaling, Share, trimmed};
use crate::verdict::Verdict;

const FAMILY: &str = family::AUTOSCALER_UTILIZATION_RATIO;
/// The exporter reads the autoscaler once in so many seconds: a reading may be gone between two scrapes that are
/// further apart.
const READ_EVERY: f64 = 0.25;
/// A mean of many samples is exact to this.
const ROUNDING: f64 = 1e-9;

/// What the objective says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) last: Duration,
    pub(super) within: Duration,
    pub(super) at_least: Share,
}

pub(super) fn judge(
    promise: &Scaling,
    evidence: &Evidence,
    replicas: &Replicas,
    bounds: Bounds,
) -> Result<Judged, Shortfall> {
    let absent = || Shortfall::new(Lack::NoSamples, "the run has no phase `steady`");
    let steady = evidence.run.phase(PhaseName::Steady).ok_or_else(absent)?;
    let from = steady.start.max(steady.end - bounds.last.as_secs_f64());
    let end = steady.end;
    let loaded_from = evidence.run.phase(PhaseName::Ramp).map_or(steady.start, |ramp| ramp.start);
    let labels = [("autoscaler", promise.autoscaler.as_str()), ("state", "current")];
    let used = &evidence.gauge(FAMILY, &labels)?;
    let busiest = busiest(used, replicas, end, bounds.from)?;
    let inside = used.within(from, end);
    if let Some(bad) = inside.iter().find(|point| !point.value.is_finite()) {
        return Err(Shortfall::new(Lack::NotFinite, format!("{FAMILY} is {} at {}", bad.value, bad.at)));
    }
    used.whole(from, end)?;
    replicas.ready.whole(from, end)?;
    let (lower, value, upper) = mean_bounds(inside).ok_or_else(|| {
        Shortfall::new(
            Lack::NoSamples,
            format!("fewer than two samples in the last {} s of steady", end - from),
        )
    })?;
    let percent = |share: f64| trimmed(share * 100.0, 1);
    let text = format!(
        "{} % of {} %  [{}, {}]",
        percent(value),
        percent(busiest.value),
        percent(lower),
        percent(upper)
    );
    let why = format!(
        "mean utilisation {} % with {} replicas, {} % at most with {}",
        percent(value),
        bounds.to,
        percent(busiest.value),
        bounds.from
    );
    let widest = widest(used, replicas, (loaded_from, end), bounds.from);
    let lighter = lighter((lower, upper), busiest.value, widest);
    let window = Window::Part { from: Edge::exact(from), to: Edge::exact(end) };
    let in_time = latency::within(evidence, window, bounds.within, bounds.at_least, None)?;
    let observed = super::Observed { text, value, lower, upper, unit: "ratio" };
    let mut judged = Judged::value(observed, lighter.and(in_time.by_value), why);
    if lighter == Verdict::Inconclusive && widest > READ_EVERY {
        judged.beside.push(format!(
            "between two samples, up to {} s apart, it may have been above {} % with {}: without all readings, every {} s, this is no fail",
            super::show::seconds(widest), percent(busiest.value), bounds.from, READ_EVERY
        ));
    }
    if let Some(share) = &in_time.observed {
        judged.beside.push(format!("answered within {} s: {}", bounds.within.as_secs_f64(), share.text));
    }
    judged.beside.extend(in_time.beside);
    judged.shortfalls = in_time.shortfalls;
    judged.pastes = in_time.pastes;
    let due = f64::from(bounds.to);
    let ready = replicas.ready.within(from, end);
    if ready.is_empty() || ready.iter().any(|point| !same(point.value, due)) {
        let seen: Vec<_> = ready.iter().map(|point| point.value.to_string()).collect();
        let few = seen.first().map_or("none seen", String::as_str);
        judged.lacks(Lack::NotAtReplicas, format!("not {due} ready all the time ({few} at first)"));
    }
    let series = format!("{FAMILY}{{autoscaler={:?},state=\"current\"}}", promise.autoscaler);
    judged.samples = [busiest]
        .iter()
        .chain(inside)
        .map(|point| Shown { series: series.clone(), at: point.at, value: point.value })
        .collect();
    Ok(judged)
}

/// Whether less was to do than at the busiest: the most that a sample showed is not the most that there was
/// where samples are further apart than readings.
fn lighter((lower, upper): (f64, f64), busiest: f64, widest: f64) -> Verdict {
    let most = if widest > READ_EVERY { f64::INFINITY } else { busiest };
    if upper + ROUNDING < busiest {
        Verdict::Pass
    } else if lower + ROUNDING >= most {
        Verdict::Fail
    } else {
        Verdict::Inconclusive
    }
}

/// The sample with the most utilisation while so few replicas were ready.
fn busiest(used: &Gauge, replicas: &Replicas, end: f64, few: u32) -> Result<Point, Shortfall> {
    let with_few = |point: &&Point| {
        point.clock <= end
            && point.value.is_finite()
            && replicas
                .ready
                .before(point.clock)
                .is_ok_and(|ready| ready.is_some_and(|ready| same(ready.value, f64::from(few))))
    };
    let found = used.points.iter().filter(with_few).max_by(|a, b| a.value.total_cmp(&b.value)).copied();
    found.ok_or_else(|| {
        Shortfall::new(
            Lack::NotAtReplicas,
            format!("no utilisation was seen with {few} replicas, up to {end:.0}"),
        )
    })
}

/// The longest time between two samples under load while no more than so few replicas may have been ready.
fn widest(used: &Gauge, replicas: &Replicas, (from, end): (f64, f64), few: u32) -> f64 {
    let perhaps_few = |clock: f64| {
        let ready = replicas.ready.before(clock).ok().flatten();
        ready.is_none_or(|ready| same(ready.value, f64::from(few)))
    };
    let clocks: Vec<f64> = std::iter::once(f64::NEG_INFINITY)
        .chain(used.points.iter().map(|point| point.clock))
        .chain([f64::INFINITY])
        .collect();
    let steps = clocks.windows(2).map(|pair| (pair[0].max(from), pair[1].min(end)));
    steps.filter(|(a, b)| a < b && perhaps_few(*a)).map(|(a, b)| b - a).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Millis;

    fn gauge(points: &[(f64, f64)]) -> Gauge {
        let point = |&(clock, value): &(f64, f64)| Point { at: Millis::from_seconds(clock), clock, value };
        let due = points.iter().map(|(clock, _)| *clock).collect();
        Gauge { name: "g".to_owned(), points: points.iter().map(point).collect(), due }
    }

    #[test]
    fn what_may_have_been_missed_fails_nothing() {
        let table = [
            ("less than was seen", (0.71, 0.72), 0.73, 1.0, Verdict::Pass),
            ("more than was seen of some", (0.71, 0.72), 0.27, 1.0, Verdict::Inconclusive),
            ("more than was seen of all", (0.71, 0.72), 0.27, 0.2, Verdict::Fail),
            ("just as much, but for rounding", (0.4 - 1e-15, 0.4 - 1e-15), 0.4, 0.2, Verdict::Fail),
            ("about as much", (0.71, 0.74), 0.73, 0.2, Verdict::Inconclusive),
        ];
        for (what, mean, busiest, widest, verdict) in table {
            assert_eq!(lighter(mean, busiest, widest), verdict, "{what}");
        }
    }

    #[test]
    fn samples_are_apart_where_few_may_have_been_ready_under_load() {
        let replicas = |ready: &[(f64, f64)]| Replicas {
            ready: gauge(ready),
            current: gauge(ready),
            ready_name: String::new(),
            ready_query: String::new(),
        };
        let ready = replicas(&[(0.0, 3.0), (10.0, 3.0), (20.0, 4.0), (30.0, 10.0)]);
        let table: [(&str, &[f64], f64); 4] = [
            ("one a second", &[9.0, 10.0, 11.0, 12.0, 20.0, 30.0], 8.0),
            ("wide only with more ready", &[6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 90.0], 2.0),
            ("from the load's beginning", &[4.0, 18.0, 19.0, 20.0], 13.0),
            ("no sample", &[], 95.0),
        ];
        for (what, clocks, apart) in table {
            let used = gauge(&clocks.iter().map(|clock| (*clock, 0.5)).collect::<Vec<_>>());
            assert_eq!(widest(&used, &ready, (5.0, 100.0), 3), apart, "{what}");
        }
    }
}
