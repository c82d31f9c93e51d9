//! Leaders (pure): a new one after a fault, or exactly one.

use super::Evidence;
use super::experiment::{Bitten, bitten};
use super::paste::{Expected, Paste};
use super::{Judged, Lack, Shown, pace, show};
use crate::evidence::{Edge, PhaseName, Point, Shortfall, Window, family, same};
use crate::slo::{Expect, Leader};
use crate::verdict::Verdict;

/// An instance is asked again after this long, and an answer may take that long: a write may have been taken
/// so much earlier than it was seen.
const ASKED_EVERY: f64 = 1.25;
/// The part of a window in which the instances must have been observed.
pub(super) const OBSERVED: f64 = 0.95;
/// The exporter counts the time since it last looked, if that is not longer than this.
const LOOKED: f64 = 1.0;

pub(super) fn judge(promise: &Leader, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let bitten = bitten(evidence, &promise.experiment)?;
    let mut judged = match promise.expect {
        Expect::New => new_leader(promise, evidence, bitten)?,
        Expect::One => one_leader(promise, evidence, bitten)?,
    };
    gate_observed(&mut judged, evidence, &promise.component, bitten.window())?;
    Ok(judged)
}

/// Another instance took a first write after the injection; the one that led when the experiment was final.
fn new_leader(promise: &Leader, evidence: &Evidence, bitten: Bitten<'_>) -> Result<Judged, Shortfall> {
    let component = [("component", promise.component.as_str())];
    let limit = promise.within.as_secs_f64();
    let since = evidence.gauge(family::LEADER_SINCE_TIMESTAMP_SECONDS, &component)?.finite("leader_since")?;
    let changes = evidence.tally(family::LEADER_CHANGES_TOTAL, &component)?;
    let grown = changes.over(&evidence.run.processes, bitten.window())?;
    let missing = || Shortfall::new(Lack::NoSamples, "no sample at the experiment's end");
    let last = since.before(bitten.ended.latest)?.ok_or_else(missing)?;
    let mut judged = if last.value > bitten.injected {
        let upper = last.value - bitten.injected;
        let lower = (upper - ASKED_EVERY).max(0.0);
        let time = show::Time::at_most((lower, upper), limit);
        let why = format!(
            "the instance that led at the end took its first write {} s after the injection",
            time.seconds()
        );
        let mut judged = Judged::value(time.observed(), Verdict::at_most(lower, upper, limit), why);
        if grown.outer < 1.0 {
            judged.lacks(Lack::Disagreement, "the leader's first write is new, but no change was counted");
        }
        judged
    } else {
        let waited = bitten.ended.earliest - bitten.injected;
        let time = show::Time::more_than(waited, limit);
        let why = format!("no other instance had taken over {} s later", time.least());
        let mut judged = Judged::value(time.observed(), Verdict::at_most(waited, f64::INFINITY, limit), why);
        if grown.inner > 0.0 {
            judged.lacks(
                Lack::Disagreement,
                "a change of leaders was counted, but the leader's first write is old",
            );
        }
        judged
    };
    let changes = show::counted(grown.outer, "change of leader", "changes of leader");
    judged.beside.push(format!("{changes} between injection and end"));
    let cut = evidence.run.processes.cut(0, bitten.window())?;
    let matchers = format!("component={:?}", promise.component);
    let family = family::LEADER_CHANGES_TOTAL;
    judged.pastes.push(Paste::growth(
        &evidence.run,
        family,
        &matchers,
        cut.outer,
        Expected::Count(grown.outer),
    ));
    judged.samples.push(shown(family::LEADER_SINCE_TIMESTAMP_SECONDS, promise, last));
    Ok(judged)
}

/// From some time after the injection until the end, exactly one instance took writes at every scrape.
fn one_leader(promise: &Leader, evidence: &Evidence, bitten: Bitten<'_>) -> Result<Judged, Shortfall> {
    let family = family::WRITABLE_INSTANCES;
    let gauge = evidence.gauge(family, &[("component", &promise.component)])?.finite(family)?;
    let limit = promise.within.as_secs_f64();
    let end = bitten.ended.latest;
    let inside = gauge.within(bitten.injected, end);
    let Some(last) = inside.last().copied() else {
        return Err(Shortfall::new(
            Lack::NoSamples,
            "no sample between the injection and the experiment's end",
        ));
    };
    gauge.before(end)?;
    let mut judged = match gauge.lasting(end, |value| same(value, 1.0)) {
        None => {
            let waited = last.clock - bitten.injected;
            let time = show::Time::more_than(waited, limit);
            let why = format!(
                "{} took writes {} s after the injection",
                show::counted(last.value, "instance", "instances"),
                time.least()
            );
            Judged::value(time.observed(), Verdict::at_most(waited, f64::INFINITY, limit), why)
        }
        Some(change) => {
            let lower = change.before.map_or(0.0, |point| (point.clock - bitten.injected).max(0.0));
            let upper = (change.after.clock.max(inside[0].clock) - bitten.injected).max(0.0);
            let time = show::Time::at_most((lower, upper), limit);
            let why =
                format!("from {} s after the injection, exactly one instance took writes", time.seconds());
            let mut judged = Judged::value(time.observed(), Verdict::at_most(lower, upper, limit), why);
            judged.samples.extend(change.before.map(|point| shown(family, promise, point)));
            judged.samples.push(shown(family, promise, change.after));
            judged
        }
    };
    let from = bitten.injected + limit;
    let unseen = gauge.longest_gap(from.min(end), end);
    if unseen > limit.max(3.0 * evidence.run.processes.scrape_interval()) {
        judged.lacks(Lack::Gap, format!("{} s without a sample after the injection", show::seconds(unseen)));
    }
    judged.shortfalls.extend(gauge.whole(from.min(end), end).err());
    judged.samples.push(shown(family, promise, last));
    judged.pastes.push(Paste {
        query: format!(
            "count_over_time(({family}{{{},component={:?}}} != 1)[{}ms:1s])",
            evidence.run.processes.pinned(),
            promise.component,
            ((end - from).max(0.0) * 1000.0).round()
        ),
        at: last.at,
        expected: Expected::Differs(
            "a subquery repeats samples through gaps, and returns nothing where nothing differs",
        ),
        returned: None,
    });
    Ok(judged)
}

fn shown(family: &str, promise: &Leader, point: Point) -> Shown {
    let series = format!("{family}{{component={:?}}}", promise.component);
    Shown { series, at: point.at, value: point.value }
}

/// The instances were asked, one by one, for nearly all of a window.
pub(super) fn gate_observed(
    judged: &mut Judged,
    evidence: &Evidence,
    component: &str,
    window: Window,
) -> Result<(), Shortfall> {
    let run = &evidence.run;
    let window = match window {
        Window::Run => {
            let start = run.phase(PhaseName::Ramp).map_or(run.start, |ramp| ramp.start);
            let last = run.processes.conductor().scrapes.last().map_or(start, |scrape| scrape.clock);
            let end = run.end.unwrap_or(last).min(last - 0.1);
            Window::Part { from: Edge::exact(start), to: Edge::exact(end) }
        }
        part @ Window::Part { .. } => part,
    };
    let watched = evidence.tally(family::INSTANCES_OBSERVED_SECONDS_TOTAL, &[("component", component)])?;
    let (from, to) = run.processes.cut(0, window)?.outer;
    let scrapes = &run.processes.conductor().scrapes;
    let start = from.map_or((run.start, 0.0), |from| (scrapes[from].clock, watched.at(from).unwrap_or(0.0)));
    let length = scrapes[to].clock - start.0;
    let later = from.map_or(0, |from| from + 1)..=to;
    let samples = later.filter_map(|at| Some((scrapes[at].clock, watched.at(at)?)));
    let seconds = pace::seconds(std::iter::once(start).chain(samples), LOOKED);
    if seconds < OBSERVED * length {
        let detail = format!("observed for {} s of {} s", show::seconds(seconds), show::seconds(length));
        judged.lacks(Lack::InstancesNotObserved, detail);
    }
    Ok(())
}
