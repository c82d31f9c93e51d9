//! Relief (pure): with many replicas each has less to do than with few, and answers come in time.

use std::time::Duration;

use super::Evidence;
use super::scaling::Replicas;
use super::{Judged, Lack, Shown, latency};
use crate::evidence::{Edge, PhaseName, Shortfall, Window, family, mean_bounds, same};
use crate::slo::{Scaling, Share, trimmed};
use crate::verdict::Verdict;

const FAMILY: &str = family::AUTOSCALER_UTILIZATION_RATIO;

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
    let labels = [("autoscaler", promise.autoscaler.as_str()), ("state", "current")];
    let used = evidence.gauge(FAMILY, &labels)?;
    let busiest = busiest(&used.points, replicas, end, bounds.from)?;
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
    let lighter = if upper < busiest.value {
        Verdict::Pass
    } else if lower >= busiest.value {
        Verdict::Fail
    } else {
        Verdict::Inconclusive
    };
    let window = Window::Part { from: Edge::exact(from), to: Edge::exact(end) };
    let in_time = latency::within(evidence, window, bounds.within, bounds.at_least, None)?;
    let observed = super::Observed { text, value, lower, upper, unit: "ratio" };
    let mut judged = Judged::value(observed, lighter.and(in_time.by_value), why);
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

/// The sample with the most utilisation while so few replicas were ready.
fn busiest(
    used: &[crate::evidence::Point],
    replicas: &Replicas,
    end: f64,
    few: u32,
) -> Result<crate::evidence::Point, Shortfall> {
    let with_few = |point: &&crate::evidence::Point| {
        let ready = replicas.ready.before(point.clock);
        point.clock <= end
            && point.value.is_finite()
            && ready.is_ok_and(|ready| ready.is_some_and(|ready| same(ready.value, f64::from(few))))
    };
    let found = used.iter().filter(with_few).max_by(|a, b| a.value.total_cmp(&b.value)).copied();
    found.ok_or_else(|| {
        Shortfall::new(
            Lack::NotAtReplicas,
            format!("no utilisation was seen with {few} replicas, up to {end:.0}"),
        )
    })
}
