//! Alerting (pure): the user's own alert fired within a time of the injection, and was resolved within a time of the
//! experiment's end, by the samples that Prometheus wrote of it.

use super::Evidence;
use super::experiment::{Bitten, bitten};
use super::paste::{Expected, Paste};
use super::rule::{interval, proven, seen_until};
use super::{Judged, Lack, Shown, show};
use crate::evidence::{Edge, Firing, Millis, Sample, Shortfall, State, family, firings, pace};
use crate::slo::Alerting;
use crate::verdict::Verdict;

pub(super) fn judge(promise: &Alerting, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let bitten = bitten(evidence, &promise.experiment)?;
    owed(evidence, bitten)?;
    let alerts = alerts(promise, evidence)?;
    if let Some(alert) = alerts.iter().find(|alert| alert.firing_at(bitten.injected)) {
        let detail = format!("firing since {} at least", alert.firing.first);
        return Err(Shortfall::new(Lack::AlreadyFiring, detail));
    }
    let horizon = horizon(promise, evidence, bitten);
    let ours = |alert: &&Seen| (bitten.injected..=horizon).contains(&alert.first.earliest);
    let ours: Vec<Seen> = alerts.iter().filter(ours).copied().collect();
    let first = ours.iter().min_by(|a, b| a.first.earliest.total_cmp(&b.first.earliest));
    let mut judged = fired(promise, bitten, horizon, first);
    if judged.by_value == Verdict::Fail
        && let Err(unproven) = proven(&promise.alert, evidence, (bitten.injected, horizon))
    {
        judged.shortfalls.push(unproven);
    }
    resolution(&mut judged, promise, evidence, bitten, &ours);
    judged.samples = shown(promise, &ours);
    judged.pastes.push(counted(promise, evidence, (bitten.injected, horizon))?);
    Ok(judged)
}

/// An alert while it fired, on the conductor's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    firing: Firing,
    first: Edge,
    /// Its last sample.
    last: Edge,
    /// The time between two evaluations of its rule.
    pace: f64,
}

impl Seen {
    /// Whether it was firing at an instant, or may have been: an alert fires until an evaluation finds otherwise.
    fn firing_at(&self, clock: f64) -> bool {
        self.first.earliest <= clock && clock <= self.last.latest + self.pace
    }

    /// When the evaluation after its last sample was due, by Prometheus' clock.
    fn next(&self) -> f64 {
        self.firing.last.seconds() + self.pace
    }
}

/// Whether a component went down, so that somebody had to be told.
fn owed(evidence: &Evidence, bitten: Bitten<'_>) -> Result<(), Shortfall> {
    let outages = evidence.tally(family::COMPONENT_OUTAGES_TOTAL, &[("cause", "experiment")])?;
    let outages = outages.over(&evidence.run.processes, bitten.window())?;
    if outages.outer < 1.0 {
        let detail = format!("no outage was counted in {}", bitten.experiment.name);
        return Err(Shortfall::new(Lack::AlertNotOwed, detail));
    }
    Ok(())
}

/// Every time that the alert fired, with whatever other labels.
fn alerts(promise: &Alerting, evidence: &Evidence) -> Result<Vec<Seen>, Shortfall> {
    let processes = &evidence.run.processes;
    let mut seen = Vec::new();
    for samples in samples(promise, evidence)? {
        // Evaluated less often than it is told to be, a rule is as slow as its samples show.
        let pace = interval(&promise.alert, evidence).max(pace(samples).unwrap_or(0.0));
        seen.extend(firings(samples, pace).into_iter().map(|firing| Seen {
            firing,
            first: processes.clock_at(firing.first),
            last: processes.clock_at(firing.last),
            pace,
        }));
    }
    Ok(seen)
}

/// The samples of every series of the alert; none of an alert that never fired.
fn samples<'a>(
    promise: &Alerting,
    evidence: &'a Evidence,
) -> Result<impl Iterator<Item = &'a [Sample]>, Shortfall> {
    let absent = || Shortfall::new(Lack::QueryError, "the alert was not asked for");
    let series = evidence.others.get(&promise.selector()).ok_or_else(absent)?.series()?;
    Ok(series.iter().map(|(_, samples)| samples.as_slice()))
}

/// Until when an alert may have fired because of the experiment: while it lasted or the limit was not over, but not
/// when the next one had begun.
fn horizon(promise: &Alerting, evidence: &Evidence, bitten: Bitten<'_>) -> f64 {
    let others = evidence.run.experiments.values().filter_map(|experiment| experiment.injected);
    let next = others.filter(|injected| *injected > bitten.injected).fold(f64::INFINITY, f64::min);
    bitten.ended.latest.max(bitten.injected + promise.within.as_secs_f64()).min(next)
}

/// When the alert fired. Of one that did not, no more is known than that it would have been later.
fn fired(promise: &Alerting, bitten: Bitten<'_>, horizon: f64, first: Option<&Seen>) -> Judged {
    let (alert, within) = (&promise.alert, promise.within.as_secs_f64());
    let Some(first) = first else {
        let waited = horizon - bitten.injected;
        let over = horizon >= bitten.injected + within;
        let verdict = if over { Verdict::Fail } else { Verdict::Inconclusive };
        let why = format!("{alert} did not fire in the {} s after the injection", show::seconds(waited));
        return Judged::value(show::time(f64::INFINITY, waited, f64::INFINITY), verdict, why);
    };
    let (lower, upper) = (first.first.earliest - bitten.injected, first.first.latest - bitten.injected);
    let value = f64::midpoint(lower, upper);
    let why = format!("{alert} fired {} s after the fault was injected", show::seconds(value));
    Judged::value(show::time(value, lower, upper), Verdict::at_most(lower, upper, within), why)
}

/// Whether the alert was resolved in time, where that is promised of one that fired.
fn resolution(
    judged: &mut Judged,
    promise: &Alerting,
    evidence: &Evidence,
    bitten: Bitten<'_>,
    fired: &[Seen],
) {
    let Some(within) = promise.resolved_within.filter(|_| !fired.is_empty()) else { return };
    if bitten.experiment.state == Some(State::NotRecovered) {
        judged.lacks(Lack::StillDown, format!("{} ended without recovery", promise.experiment));
        return;
    }
    let until = seen_until(promise, evidence);
    let known = until.as_ref().ok().copied();
    let ends = fired.iter().map(|alert| end(alert, evidence, known));
    let last =
        ends.reduce(|a, b| Edge { earliest: a.earliest.max(b.earliest), latest: a.latest.max(b.latest) });
    let Some(last) = last else { return };
    let lower = (last.earliest - bitten.ended.latest).max(0.0);
    let upper = (last.latest - bitten.ended.earliest).max(0.0);
    let verdict = Verdict::at_most(lower, upper, within.as_secs_f64());
    match until {
        _ if verdict != Verdict::Inconclusive || upper.is_finite() => {}
        Ok(until) if fired.iter().all(|alert| alert.next() <= until.seconds()) => {
            let detail = format!("Prometheus was not seen at work when {} ended", promise.alert);
            judged.lacks(Lack::RuleUnproven, detail);
        }
        Ok(until) => judged.lacks(Lack::StillFiring, format!("at {until}")),
        Err(unknown) => judged.shortfalls.push(unknown),
    }
    judged.by_value = judged.by_value.and(verdict);
    let told = told(lower, upper);
    judged.beside.push(format!("{} was {told}", promise.alert));
    judged.brief = Some(told);
}

/// When an alert was resolved: after its last sample, and no later than the evaluation after it, where there was one.
fn end(alert: &Seen, evidence: &Evidence, until: Option<Millis>) -> Edge {
    let resolved = until.is_some_and(|until| until.seconds() >= alert.next()) && worked(evidence, alert);
    let latest = if resolved { alert.last.latest + alert.pace } else { f64::INFINITY };
    Edge { earliest: alert.last.earliest, latest }
}

/// Whether Prometheus evaluated rules at an alert's end: it has run them since, or scraped the run meanwhile.
fn worked(evidence: &Evidence, alert: &Seen) -> bool {
    let last = alert.firing.last;
    let scrapes = &evidence.run.processes.conductor().scrapes;
    let late = alert.next() + evidence.run.processes.scrape_interval();
    evidence.rules.loaded.is_some_and(|loaded| loaded <= last)
        || scrapes.iter().any(|scrape| scrape.at > last && scrape.at.seconds() <= late)
}

fn told(lower: f64, upper: f64) -> String {
    if upper <= 0.0 {
        "resolved before the experiment's end".to_owned()
    } else if upper.is_infinite() {
        format!("still firing {} s after the experiment's end", show::seconds(lower))
    } else {
        format!(
            "resolved {} s to {} s after the experiment's end",
            show::seconds(lower),
            show::seconds(upper)
        )
    }
}

/// The first and the last sample of each time that it fired.
fn shown(promise: &Alerting, fired: &[Seen]) -> Vec<Shown> {
    let ends = fired.iter().flat_map(|alert| [alert.firing.first, alert.firing.last]);
    ends.map(|at| Shown { series: promise.selector(), at, value: 1.0 }).collect()
}

/// The samples of the time in which it had to fire, counted by Prometheus too.
fn counted(promise: &Alerting, evidence: &Evidence, (from, to): (f64, f64)) -> Result<Paste, Shortfall> {
    let all: Vec<Millis> = samples(promise, evidence)?.flatten().map(|sample| sample.at).collect();
    let [mut from, to] = [from, to].map(|clock| evidence.run.processes.prometheus_time(clock));
    // Whether a window's left end is in it depends on Prometheus' version.
    while all.contains(&from) {
        from.0 -= 1;
    }
    let count = all.iter().filter(|at| **at > from && **at <= to).count();
    let window = to.0 - from.0;
    let query = format!("sum(count_over_time({}[{window}ms])) or vector(0)", promise.selector());
    Ok(Paste { query, at: to, expected: Expected::Count(count as f64), returned: None })
}
