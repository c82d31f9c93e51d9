//! Alerting (pure): the user's own alert fired within a time of the injection, and was resolved within a time of the
//! experiment's end, by the samples that Prometheus wrote of it.

use super::Evidence;
use super::experiment::{Bitten, bitten};
use super::fired::{End, Seen, seen};
use super::paste::{Expected, Paste};
use super::rule::{dated, looked_before, proven, seen_until};
use super::{Judged, Lack, Shown, show};
use crate::evidence::{Edge, Labels, Millis, Sample, Shortfall, State, family, traces};
use crate::slo::Alerting;
use crate::verdict::Verdict;

pub(super) fn judge(promise: &Alerting, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let bitten = bitten(evidence, &promise.experiment)?;
    owed(evidence, bitten)?;
    let alerts = alerts(promise, evidence)?;
    silent_before(promise, evidence, bitten.injected, &alerts)?;
    let next = next(evidence, bitten);
    let horizon = horizon(promise, bitten, next);
    let watched = watched(promise, bitten, (horizon, next));
    let over = evidence.run.processes.clock_at(evidence.run_end()).latest;
    let within = |alert: &Seen| (bitten.injected..=watched).contains(&alert.first.earliest);
    let (ours, after): (Vec<Seen>, Vec<Seen>) =
        alerts.into_iter().filter(within).partition(|alert| alert.active.earliest <= over);
    begun_after(promise, evidence, bitten.injected, &ours)?;
    let in_time = ours.iter().filter(|alert| alert.first.earliest <= horizon);
    let first = in_time.min_by(|a, b| a.first.earliest.total_cmp(&b.first.earliest));
    // What becomes active after the run's end may be for what came then, such as that the system was taken down.
    let unclear = first.is_none() && after.iter().any(|alert| alert.first.earliest <= horizon);
    let horizon = if unclear { horizon.min(over) } else { horizon };
    let mut judged = fired(promise, bitten, horizon, first);
    let proven = || proven(&promise.alert, evidence, (bitten.injected, horizon));
    if first.is_some() {
        if judged.by_value == Verdict::Fail {
            judged.shortfalls.extend(proven().err());
        }
        resolution(&mut judged, promise, evidence, (bitten, watched.min(over)), &ours);
    } else {
        // Where nobody looked, it is not known to have taken longer than anything.
        proven()?;
    }
    judged.samples = shown(promise, &ours);
    judged.pastes.push(counted(promise, evidence, (bitten.injected, horizon))?);
    Ok(judged)
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

/// That the alert was not firing when the fault was injected. One that had fired before was firing still for all that is
/// known, unless its rule was seen to be evaluated in between.
fn silent_before(
    promise: &Alerting,
    evidence: &Evidence,
    injected: f64,
    alerts: &[Seen],
) -> Result<(), Shortfall> {
    if let Some(alert) = alerts.iter().find(|alert| alert.firing_at(injected)) {
        let detail = format!("firing since {} at least", alert.firing.first);
        return Err(Shortfall::new(Lack::AlreadyFiring, detail));
    }
    alerts.iter().try_for_each(|alert| alert.over_by(&promise.alert, evidence, injected))
}

/// That what the alert fired for began with the fault, or later: that it was not pending by then, and that an evaluation
/// that was due before would have seen it.
fn begun_after(
    promise: &Alerting,
    evidence: &Evidence,
    injected: f64,
    fired: &[Seen],
) -> Result<(), Shortfall> {
    if let Some(alert) = fired.iter().find(|alert| alert.active.earliest <= injected) {
        let since = evidence.run.processes.prometheus_time(alert.active.latest);
        let detail = format!("pending since {since} at the latest");
        return Err(Shortfall::new(Lack::AlreadyFiring, detail));
    }
    let Some(pace) = fired.iter().map(|alert| alert.pace).max_by(f64::total_cmp) else { return Ok(()) };
    let at = evidence.run.processes.prometheus_time(injected);
    looked_before(&promise.alert, (&evidence.rules, &evidence.signs), (at, pace))
}

/// Every time that the alert fired, with whatever other labels.
fn alerts(promise: &Alerting, evidence: &Evidence) -> Result<Vec<Seen>, Shortfall> {
    let fired = series(evidence, &promise.selector())?;
    let active = series(evidence, &promise.active_selector())?;
    let traces = traces(fired, active);
    traces.iter().try_for_each(|trace| dated(&promise.alert, trace))?;
    Ok(traces.iter().flat_map(|trace| seen(&promise.alert, trace, evidence)).collect())
}

/// The series that a selector of the alert finds; none of an alert that never fired.
fn series<'a>(evidence: &'a Evidence, selector: &str) -> Result<&'a [(Labels, Vec<Sample>)], Shortfall> {
    let absent = || Shortfall::new(Lack::QueryError, "the alert was not asked for");
    evidence.others.get(selector).ok_or_else(absent)?.series()
}

/// When the next experiment began.
fn next(evidence: &Evidence, bitten: Bitten<'_>) -> f64 {
    let others = evidence.run.experiments.values().filter_map(|experiment| experiment.injected);
    others.filter(|injected| *injected > bitten.injected).fold(f64::INFINITY, f64::min)
}

/// Until when an alert may have fired because of the experiment: while it lasted or the limit was not over, but not
/// when the next one had begun.
fn horizon(promise: &Alerting, bitten: Bitten<'_>, next: f64) -> f64 {
    bitten.ended.latest.max(bitten.injected + promise.within.as_secs_f64()).min(next)
}

/// Until when an alert that begins to fire has to be resolved: one that fires again in the time for its end was not.
fn watched(promise: &Alerting, bitten: Bitten<'_>, (horizon, next): (f64, f64)) -> f64 {
    let Some(within) = promise.resolved_within else { return horizon };
    (bitten.ended.latest + within.as_secs_f64()).min(next).max(horizon)
}

/// When the alert fired. Of one that did not, no more is known than that it would have been later.
fn fired(promise: &Alerting, bitten: Bitten<'_>, horizon: f64, first: Option<&Seen>) -> Judged {
    let (alert, within) = (&promise.alert, promise.within.as_secs_f64());
    let Some(first) = first else {
        let waited = horizon - bitten.injected;
        let over = horizon >= bitten.injected + within;
        let verdict = if over { Verdict::Fail } else { Verdict::Inconclusive };
        // The limit itself, as a rule, but for what clocks are inexact by.
        let time = show::Time::more_than(waited, f64::INFINITY);
        let why = format!("{alert} did not fire in the {} s after the injection", time.least());
        return Judged::value(time.observed(), verdict, why);
    };
    let (lower, upper) = (first.first.earliest - bitten.injected, first.first.latest - bitten.injected);
    let value = f64::midpoint(lower, upper);
    let time = show::Time::new(value, (lower, upper), within);
    let why = format!("{alert} fired {} s after the fault was injected", time.seconds());
    Judged::value(time.observed(), Verdict::at_most(lower, upper, within), why)
}

/// Whether the alert was resolved in time every time that it fired, where that is promised.
fn resolution(
    judged: &mut Judged,
    promise: &Alerting,
    evidence: &Evidence,
    (bitten, watched): (Bitten<'_>, f64),
    fired: &[Seen],
) {
    let Some(within) = promise.resolved_within else { return };
    if bitten.experiment.state == Some(State::NotRecovered) {
        judged.lacks(Lack::StillDown, format!("{} ended without recovery", promise.experiment));
        return;
    }
    let until = seen_until(&promise.alert, evidence, asked(promise, evidence));
    let ends: Vec<End> = fired.iter().map(|alert| alert.end(&promise.alert, &until)).collect();
    let edges = fired.iter().zip(&ends).map(|(alert, end)| alert.resolved(end, evidence));
    let last =
        edges.reduce(|a, b| Edge { earliest: a.earliest.max(b.earliest), latest: a.latest.max(b.latest) });
    let Some(last) = last else { return };
    let lower = (last.earliest - bitten.ended.latest).max(0.0);
    let upper = (last.latest - bitten.ended.earliest).max(0.0);
    let limit = within.as_secs_f64();
    let verdict = Verdict::at_most(lower, upper, limit);
    let open = open(&ends);
    let told = told((lower, upper), limit, open.as_ref());
    judged.beside.push(format!("{} was {told}", promise.alert));
    judged.brief = Some(told);
    if verdict == Verdict::Inconclusive && upper.is_infinite() {
        judged.shortfalls.extend(open);
    }
    judged.by_value = judged.by_value.and(verdict);
    if judged.by_value == Verdict::Pass {
        judged.shortfalls.extend(unseen(&promise.alert, evidence, &ends, watched));
    }
}

/// Until when samples of the alert were asked for.
fn asked(promise: &Alerting, evidence: &Evidence) -> Millis {
    evidence.asked.get(&promise.selector()).copied().unwrap_or(evidence.alerts_until)
}

/// Why an alert that was resolved may have fired again by an instant all the same.
fn unseen(alert: &str, evidence: &Evidence, ends: &[End], watched: f64) -> Option<Shortfall> {
    let resolved = |end: &End| match end {
        End::Resolved(by) => Some(*by),
        End::Firing(_) | End::Unknown(_) => None,
    };
    let until = evidence.run.processes.prometheus_time(watched);
    let from = ends.iter().filter_map(resolved).max().filter(|from| *from < until)?;
    let (gone, back) = evidence.signs.dark(&evidence.rules.groups(alert), (from, until))?;
    let detail = format!(
        "Prometheus was not seen to evaluate {alert} from {gone} to {back}, so that it may have fired again"
    );
    Some(Shortfall::new(Lack::RuleUnproven, detail))
}

/// Why it is not known when the last of them was resolved; that one still fires says most.
fn open(ends: &[End]) -> Option<Shortfall> {
    let firing = ends.iter().find_map(|end| match end {
        End::Firing(at) => Some(Shortfall::new(Lack::StillFiring, format!("at {at}"))),
        End::Resolved(_) | End::Unknown(_) => None,
    });
    let unknown = |end: &End| match end {
        End::Unknown(why) => Some(why.clone()),
        End::Resolved(_) | End::Firing(_) => None,
    };
    firing.or_else(|| ends.iter().find_map(unknown))
}

fn told((lower, upper): (f64, f64), limit: f64, open: Option<&Shortfall>) -> String {
    if upper <= 0.0 {
        return "resolved before the experiment's end".to_owned();
    }
    let time = show::Time::at_most((lower, upper), limit);
    let (from, to) = (time.least(), time.most());
    match open {
        None => format!("resolved {from} s to {to} s after the experiment's end"),
        Some(open) if open.lack == Lack::StillFiring => {
            format!("still firing {from} s after the experiment's end")
        }
        Some(_) if lower > 0.0 => format!("last seen firing {from} s after the experiment's end"),
        Some(_) => "not seen firing after the experiment's end, nor resolved".to_owned(),
    }
}

/// The first and the last sample of each time that it fired.
fn shown(promise: &Alerting, fired: &[Seen]) -> Vec<Shown> {
    let ends = fired.iter().flat_map(|alert| [alert.firing.first, alert.firing.last]);
    ends.map(|at| Shown { series: promise.selector(), at, value: 1.0 }).collect()
}

/// The samples of the time in which it had to fire, counted by Prometheus too.
fn counted(promise: &Alerting, evidence: &Evidence, (from, to): (f64, f64)) -> Result<Paste, Shortfall> {
    let series = series(evidence, &promise.selector())?;
    let all: Vec<Millis> = series.iter().flat_map(|(_, samples)| samples).map(|sample| sample.at).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_as_far_as_it_is_known() {
        let lack = |lack: Lack| Some(Shortfall::new(lack, ""));
        let (still, unproven) = (lack(Lack::StillFiring), lack(Lack::RuleUnproven));
        let table = [
            (0.0, 0.0, None, "resolved before the experiment's end"),
            (2.0, 7.0, None, "resolved 2 s to 7 s after the experiment's end"),
            (9.0, f64::INFINITY, still, "still firing 9 s after the experiment's end"),
            (9.0, f64::INFINITY, unproven.clone(), "last seen firing 9 s after the experiment's end"),
            (0.0, f64::INFINITY, unproven, "not seen firing after the experiment's end, nor resolved"),
        ];
        for (lower, upper, open, due) in table {
            assert_eq!(told((lower, upper), 60.0, open.as_ref()), due);
        }
    }

    #[test]
    fn that_one_alert_still_fires_says_more_than_that_anothers_end_is_not_known() {
        let unproven = Shortfall::new(Lack::RuleUnproven, "");
        let ends = [End::Resolved(Millis(1)), End::Unknown(unproven.clone()), End::Firing(Millis(2000))];
        assert_eq!(open(&ends), Some(Shortfall::new(Lack::StillFiring, "at 2.000")));
        assert_eq!(open(&ends[..2]), Some(unproven));
        assert_eq!(open(&ends[..1]), None);
    }
}
