//! Scaling (pure): up while the load lasts, down after it.

use std::time::Duration;

use super::Evidence;
use super::paste::{Expected, Paste};
use super::{Judged, Lack, Shown, load_time, relief, show};
use crate::evidence::{Gauge, Point, Shortfall, Transition, family, same};
use crate::slo::{Scaling, Shape};
use crate::verdict::Verdict;

const READY: &str = family::WORKLOAD_REPLICAS;
const CURRENT: &str = family::AUTOSCALER_REPLICAS;

/// The replicas of a workload and what its autoscaler says.
pub(super) struct Replicas {
    pub(super) ready: Gauge,
    pub(super) current: Gauge,
    /// What the report calls the first.
    pub(super) ready_name: String,
    /// The selector of the first, for pasting.
    pub(super) ready_query: String,
}

impl Replicas {
    pub(super) fn of(promise: &Scaling, evidence: &Evidence) -> Result<Self, Shortfall> {
        let ready = match &promise.other.ready {
            Some(selector) => evidence.other_gauge(selector)?,
            None => evidence.gauge(READY, &[("workload", &promise.workload), ("state", "ready")])?,
        };
        let current = match &promise.other.current {
            Some(selector) => evidence.other_gauge(selector)?,
            None => evidence.gauge(CURRENT, &[("autoscaler", &promise.autoscaler), ("state", "current")])?,
        };
        let ours = format!("{READY}{{workload={:?},state=\"ready\"}}", promise.workload);
        let ready_query = promise
            .other
            .ready
            .clone()
            .unwrap_or_else(|| ours.replacen('{', &format!("{{{},", evidence.run.processes.pinned()), 1));
        let ready_name = promise.other.ready.clone().unwrap_or(ours);
        Ok(Self {
            ready: ready.finite(&ready_name)?,
            current: current.finite("current replicas")?,
            ready_name,
            ready_query,
        })
    }

    fn shown(&self, point: Point) -> Shown {
        Shown { series: self.ready_name.clone(), at: point.at, value: point.value }
    }

    fn samples(&self, change: Transition) -> Vec<Shown> {
        change.before.into_iter().chain([change.after]).map(|point| self.shown(point)).collect()
    }
}

pub(super) fn judge(promise: &Scaling, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let replicas = Replicas::of(promise, evidence)?;
    let mut judged = match &promise.shape {
        Shape::Up { from, to, within } => up(promise, evidence, &replicas, [*from, *to], *within),
        Shape::Down { to, within } => down(evidence, &replicas, *to, *within),
        Shape::Relief { from, to, last, within, at_least } => {
            let bounds =
                relief::Bounds { from: *from, to: *to, last: *last, within: *within, at_least: *at_least };
            relief::judge(promise, evidence, &replicas, bounds)
        }
    }?;
    judged.shortfalls.extend(load_time::wanted_otherwise(evidence));
    judged.shortfalls.extend(load_time::ran_no_longer(evidence));
    Ok(judged)
}

/// From few, before the load, to many while it lasts; and the autoscaler wanted it.
fn up(
    promise: &Scaling,
    evidence: &Evidence,
    replicas: &Replicas,
    [from, to]: [u32; 2],
    within: Option<Duration>,
) -> Result<Judged, Shortfall> {
    let (start, end) = load_time::span(evidence)?;
    let wanted = |value: f64| value >= f64::from(to);
    // Between a scrape before the load's end and one after it, it may have been reached in time.
    let in_time = |change: &Transition| change.before.is_none_or(|point| point.clock <= end);
    let reached = replicas.ready.first(start, wanted).filter(in_time);
    let highest = replicas.ready.within(start, end).iter().map(|point| point.value).fold(0.0, f64::max);
    let lasted = end - start;
    let limit = within.map_or(lasted, |within| within.as_secs_f64());
    let mut judged = if let Some(change) = reached {
        let lower = change.before.map_or(0.0, |point| (point.clock - start).max(0.0));
        let upper = change.after.clock - start;
        let time = show::Time::at_most((lower, upper), limit);
        let why =
            format!("{} ready {} s after the load began", replicas_of(change.after.value), time.seconds());
        let mut judged = Judged::value(time.observed(), Verdict::at_most(lower, upper, limit), why);
        judged.samples = replicas.samples(change);
        judged
    } else {
        let why = format!("at most {} ready while the load lasted", replicas_of(highest));
        let seen = replicas.ready.before(end)?.map_or(0.0, |point| (point.clock - start).max(0.0));
        let observed = show::Time::more_than(seen, limit).observed();
        let by_value =
            if within.is_some() { Verdict::at_most(seen, f64::INFINITY, limit) } else { Verdict::Fail };
        let mut judged = Judged::value(observed, by_value, why);
        let gap = replicas.ready.longest_gap(start, end);
        if gap > lasted / 4.0 {
            judged
                .lacks(Lack::Gap, format!("{} s without a sample while the load lasted", show::seconds(gap)));
        }
        judged
    };
    note_start(&mut judged, replicas, start, from);
    if !replicas.current.within(start, end).iter().any(|point| wanted(point.value)) && reached.is_some() {
        judged.lacks(Lack::Disagreement, format!("the autoscaler {} never had {to}", promise.autoscaler));
    }
    judged.pastes.extend(paste_max(promise, evidence, replicas));
    Ok(judged)
}

/// The workload had `from` replicas before the load: else it did not scale, it merely was large.
fn note_start(judged: &mut Judged, replicas: &Replicas, start: f64, from: u32) {
    match replicas.ready.before(start) {
        Err(flaw) => judged.shortfalls.push(flaw),
        Ok(Some(point)) if same(point.value, f64::from(from)) => {}
        Ok(Some(point)) => {
            judged.lacks(
                Lack::NotAtReplicas,
                format!("{} before the load, {from} due", replicas_of(point.value)),
            );
        }
        Ok(None) => judged.lacks(Lack::NoSamples, "no sample of the replicas before the load"),
    }
}

/// The most replicas of the whole run, for pasting.
fn paste_max(promise: &Scaling, evidence: &Evidence, replicas: &Replicas) -> Option<Paste> {
    if promise.other.ready.is_some() {
        return None;
    }
    let run = &evidence.run;
    let (from, at) = run.processes.fetch_window();
    let most = replicas.ready.points.iter().map(|point| point.value).fold(0.0, f64::max);
    let matchers = format!("workload={:?},state=\"ready\"", promise.workload);
    let query =
        format!("max(max_over_time({READY}{{{},{matchers}}}[{}ms]))", run.processes.pinned(), at.0 - from.0);
    Some(Paste { query, at, expected: Expected::Count(most), returned: None })
}

/// Back to few after the load, and staying there.
fn down(evidence: &Evidence, replicas: &Replicas, to: u32, within: Duration) -> Result<Judged, Shortfall> {
    let (start, end) = load_time::span(evidence)?;
    let due = f64::from(to);
    let limit = within.as_secs_f64();
    let until = replicas.ready.last()?.clock.min(replicas.current.last()?.clock);
    let changes =
        [&replicas.ready, &replicas.current].map(|gauge| gauge.lasting(until, |value| same(value, due)));
    let mut judged = if let [Some(ready), Some(current)] = changes {
        let since = |change: Transition| {
            (
                change.before.map_or(0.0, |point| point.clock - end).max(0.0),
                (change.after.clock - end).max(0.0),
            )
        };
        replicas.ready.whole(ready.after.clock, until)?;
        replicas.current.whole(current.after.clock, until)?;
        let (a, b) = (since(ready), since(current));
        let (lower, upper) = (a.0.max(b.0), a.1.max(b.1));
        let time = show::Time::at_most((lower, upper), limit);
        let why = format!("{} again {} s after the load's end", replicas_of(due), time.seconds());
        let mut judged = Judged::value(time.observed(), Verdict::at_most(lower, upper, limit), why);
        judged.samples = replicas.samples(ready);
        judged
    } else {
        let waited = (until - end).max(0.0);
        let still = replicas.ready.before(until)?.map_or(0.0, |point| point.value);
        let time = show::Time::more_than(waited, limit);
        let mut observed = time.observed();
        observed.text = format!("still {still} after {} s", time.least());
        let why = format!("still {} {} s after the load's end", replicas_of(still), time.least());
        let mut judged = Judged::value(observed, Verdict::at_most(waited, f64::INFINITY, limit), why);
        judged.samples =
            replicas.ready.points.last().map(|point| replicas.shown(*point)).into_iter().collect();
        judged
    };
    if !replicas.ready.within(start, end).iter().any(|point| point.value > due) {
        let detail = format!("never more than {to} while the load lasted, so nothing came back");
        judged.lacks(Lack::NotAtReplicas, detail);
    }
    judged.beside.push(format!("the load ended {} s before the last sample", show::seconds(until - end)));
    let window = ((until - end).max(1.0) * 1000.0).round();
    judged.pastes.push(Paste {
        query: format!("max_over_time(timestamp({} != {to})[{window}ms:1s])", replicas.ready_query),
        at: evidence.run.processes.prometheus_time(until),
        expected: Expected::Differs("a subquery is aligned to its step and repeats samples through gaps"),
        returned: None,
    });
    Ok(judged)
}

fn replicas_of(count: f64) -> String {
    show::counted(count, "replica", "replicas")
}
