//! Availability (pure): by requests, by users' time, by probes; always told all three ways.

use super::Evidence;
use super::experiment::window;
use super::paste::{Expected, Paste};
use super::portion::{Counters, Portion, note_saturation};
use super::{Judged, Lack, probes, show, user_time};
use crate::evidence::{Bounds, Shortfall, Tally, Window, family};
use crate::slo::{Availability, By};
use crate::verdict::Verdict;

const REQUESTS: &str = family::REQUESTS_TOTAL;
const ERRORS: &str = family::REQUEST_ERRORS_TOTAL;
/// Each request begun is one observation of how late it began.
const BEGUN: &str = family::SCHEDULE_LAG_SECONDS_COUNT;
const USER_SECONDS: &str = family::USER_SECONDS_TOTAL;
const PROBES: &str = family::PROBES_TOTAL;
const BY_PROBES: &str = "by probes of ";
/// So many reasons of failures are told.
const REASONS: usize = 3;

pub(super) fn judge(promise: &Availability, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let window = window(evidence, &promise.during)?;
    let mut judged = match &promise.by {
        By::Requests => by_requests(promise, evidence, window)?,
        By::UserTime => by_user_time(promise, evidence, window)?,
        By::Probes(component) => by_probes(promise, evidence, window, component)?,
    };
    let ways = other_ways(promise, evidence, window);
    judged.beside = ways.iter().map(told).collect();
    judged.brief = Some(told_briefly(&ways));
    if judged.verdict() != Verdict::Pass
        && let Some(reasons) = top_reasons(promise, evidence, window)
    {
        judged.beside.insert(0, reasons.clone());
        judged.brief = Some(reasons);
    }
    Ok(judged)
}

/// The counters behind the share that is promised.
pub(crate) fn counters(promise: &Availability, evidence: &Evidence) -> Result<Counters, Shortfall> {
    let sure = |(bad, total): (Tally, Tally)| Counters { worst: bad.clone(), best: bad, total };
    match &promise.by {
        By::Requests => requests(evidence, promise.task.as_deref()).map(sure),
        By::UserTime => spent(evidence).map(sure),
        By::Probes(component) => probed(evidence, component),
    }
}

fn by_requests(promise: &Availability, evidence: &Evidence, window: Window) -> Result<Judged, Shortfall> {
    let task = promise.task.as_deref();
    let (bad, total) = requests(evidence, task)?;
    let portion = Portion::over(evidence, &bad, &total, window)?;
    let mut judged = portion.judged(promise.at_least, portion.total.inner, "requests")?;
    note_saturation(&mut judged, evidence, window, portion, promise.at_least)?;
    if task.is_none() {
        audit_reasons(&mut judged, evidence, &bad)?;
        audit_begun(&mut judged, evidence, &total)?;
    }
    let of_task = task.map(|task| format!(",task={task:?}")).unwrap_or_default();
    let matchers = [format!("outcome=\"error\"{of_task}"), of_task.trim_start_matches(',').to_owned()];
    let tallies = [(&bad, portion.bad), (&total, portion.total)];
    for (matchers, (tally, bounds)) in matchers.iter().zip(tallies) {
        judged.pastes.extend(paste(evidence, window, REQUESTS, matchers, tally, bounds, Expected::Count)?);
    }
    judged.samples = evidence.decisive(window, &[("errors", &bad), ("requests", &total)]);
    Ok(judged)
}

/// Errors and all requests, each task with both of its outcomes.
pub(super) fn requests(evidence: &Evidence, task: Option<&str>) -> Result<(Tally, Tally), Shortfall> {
    let tasks = match task {
        Some(task) => vec![task.to_owned()],
        None => evidence.label_values(REQUESTS, "task"),
    };
    let (mut bad, mut total) = (Vec::new(), Vec::new());
    for task in &tasks {
        bad.push(evidence.tally(REQUESTS, &[("task", task), ("outcome", "error")])?);
        total.push(evidence.tally(REQUESTS, &[("task", task), ("outcome", "ok")])?);
    }
    let bad = match Tally::sum(bad) {
        Some(bad) => bad,
        // No task at all: says that the family is absent.
        None => evidence.tally(REQUESTS, &[("outcome", "error")])?,
    };
    let total = total.into_iter().fold(bad.clone(), |total, ok| total.plus(&ok));
    Ok((bad, total))
}

/// Every error has one reason: the two families must count the same.
fn audit_reasons(judged: &mut Judged, evidence: &Evidence, bad: &Tally) -> Result<(), Shortfall> {
    let reasons = evidence.tally(ERRORS, &[])?.total();
    let errors = bad.total();
    if (reasons - errors).abs() > 0.0 {
        judged.lacks(Lack::Disagreement, format!("{errors} errors, but {reasons} reasons in {ERRORS}"));
    }
    Ok(())
}

/// As many requests were begun, which no task's label tells apart, as ended in all tasks together: a task whose
/// series are missing shows here.
pub(super) fn audit_begun(judged: &mut Judged, evidence: &Evidence, ended: &Tally) -> Result<(), Shortfall> {
    let begun = evidence.tally(BEGUN, &[])?.total();
    let ended = ended.total();
    // Of a run that was never seen to end, those begun last are merely under way.
    if evidence.run.end.is_none() && begun >= ended {
        return Ok(());
    }
    if (begun - ended).abs() > 0.0 {
        let (begun, ended) = (show::grouped(begun), show::grouped(ended));
        judged.lacks(
            Lack::Disagreement,
            format!("{begun} requests were begun by {BEGUN}, but {ended} ended by {REQUESTS}"),
        );
    }
    Ok(())
}

fn by_user_time(promise: &Availability, evidence: &Evidence, window: Window) -> Result<Judged, Shortfall> {
    let (overdue, total) = spent(evidence)?;
    let portion = Portion::over(evidence, &overdue, &total, window)?;
    let (_, requests) = requests(evidence, None)?;
    let events = requests.over(&evidence.run.processes, window)?.inner;
    let mut judged = portion.judged(promise.at_least, events, "user seconds")?;
    note_saturation(&mut judged, evidence, window, portion, promise.at_least)?;
    let tallies = [("state=\"overdue\"", &overdue, portion.bad), ("", &total, portion.total)];
    for (matchers, tally, bounds) in tallies {
        judged.pastes.extend(paste(
            evidence,
            window,
            USER_SECONDS,
            matchers,
            tally,
            bounds,
            Expected::Seconds,
        )?);
    }
    judged.shortfalls.extend(user_time::contradiction(evidence));
    judged.samples = evidence.decisive(window, &[("overdue", &overdue), ("user seconds", &total)]);
    Ok(judged)
}

fn spent(evidence: &Evidence) -> Result<(Tally, Tally), Shortfall> {
    let of = |state| evidence.tally(USER_SECONDS, &[("state", state)]);
    let overdue = of("overdue")?;
    let total = overdue.clone().plus(&of("thinking")?).plus(&of("waiting")?);
    Ok((overdue, total))
}

fn by_probes(
    promise: &Availability,
    evidence: &Evidence,
    window: Window,
    component: &str,
) -> Result<Judged, Shortfall> {
    let counters = probed(evidence, component)?;
    let portion = Portion::of(evidence, &counters, window)?;
    let (failed, total) = (counters.best, counters.total);
    let mut judged = portion.judged(promise.at_least, portion.total.inner, "probes")?;
    judged.shortfalls.extend(probes::at_once(evidence, component)?);
    let matchers = format!("component={component:?},outcome=\"failed\"");
    let bounds = failed.over(&evidence.run.processes, window)?;
    judged.pastes.extend(paste(evidence, window, PROBES, &matchers, &failed, bounds, Expected::Count)?);
    judged.samples = evidence.decisive(window, &[("failed probes", &failed), ("probes", &total)]);
    Ok(judged)
}

/// A missed probe may have failed or not: it is a bad one at worst and a good one at best.
fn probed(evidence: &Evidence, component: &str) -> Result<Counters, Shortfall> {
    let of = |outcome| evidence.tally(PROBES, &[("component", component), ("outcome", outcome)]);
    let (ok, failed, missed) = (of("ok")?, of("failed")?, of("missed")?);
    let worst = failed.plus(&missed);
    Ok(Counters { total: ok.plus(&worst), worst, best: failed })
}

/// One way to tell availability, and what it tells.
type Way = (String, Result<Portion, Shortfall>);

/// The other ways to tell availability, over the same window.
fn other_ways(promise: &Availability, evidence: &Evidence, window: Window) -> Vec<Way> {
    let portion = |(bad, total): (Tally, Tally)| Portion::over(evidence, &bad, &total, window);
    let mut ways = Vec::new();
    if promise.by != By::Requests {
        ways.push(("by requests".to_owned(), requests(evidence, None).and_then(portion)));
    }
    if promise.by != By::UserTime {
        ways.push(("by users' time".to_owned(), spent(evidence).and_then(portion)));
    }
    for component in evidence.label_values(PROBES, "component") {
        if promise.by != By::Probes(component.clone()) {
            let portion =
                probed(evidence, &component).and_then(|counters| Portion::of(evidence, &counters, window));
            ways.push((format!("{BY_PROBES}{component}"), portion));
        }
    }
    ways
}

fn told((way, portion): &Way) -> String {
    match portion {
        Ok(portion) => {
            let (lower, value, upper) = portion.good();
            format!("{way}: {}", show::share(value, (lower, upper), None).text)
        }
        Err(shortfall) => format!("{way}: not known ({shortfall})"),
    }
}

fn told_briefly(ways: &[Way]) -> String {
    let value = |portion: &Result<Portion, Shortfall>| {
        portion.as_ref().map_or_else(|_| "not known".to_owned(), |it| show::percent(it.good().1))
    };
    let (mut whole, mut probes) = (Vec::new(), Vec::new());
    for (way, portion) in ways {
        match way.strip_prefix(BY_PROBES) {
            Some(component) => probes.push(format!("{component} {}", value(portion))),
            None => whole.push(format!("{way} {}", value(portion))),
        }
    }
    if !probes.is_empty() {
        whole.push(format!("by probes {}", probes.join(", ")));
    }
    whole.join("; ")
}

/// What requests failed of most often over the same window, and in which task if most of them were in one.
fn top_reasons(promise: &Availability, evidence: &Evidence, window: Window) -> Option<String> {
    let count = |reason: &str, task: Option<&str>| {
        let mut matching = vec![("reason", reason)];
        matching.extend(task.map(|task| ("task", task)));
        let tally = evidence.tally(ERRORS, &matching).ok()?;
        tally.over(&evidence.run.processes, window).ok().map(|count| count.outer)
    };
    let of_reason = |reason: String| Some((count(&reason, promise.task.as_deref())?, reason));
    let reasons = evidence.label_values(ERRORS, "reason").into_iter();
    let mut counts: Vec<_> = reasons.filter_map(of_reason).filter(|(count, _)| *count > 0.0).collect();
    counts.sort_by(|a, b| b.0.total_cmp(&a.0));
    counts.truncate(REASONS);
    // A promise on one task has named it.
    let tasks = if promise.task.is_none() { evidence.label_values(ERRORS, "task") } else { Vec::new() };
    let told = counts.iter().map(|(total, reason)| {
        let of_task = |task: &String| Some((task.clone(), count(reason, Some(task.as_str()))?));
        let by_task: Vec<_> = tasks.iter().filter_map(of_task).collect();
        format!("{} {reason}{}", show::grouped(*total), in_task(*total, &by_task))
    });
    (!counts.is_empty()).then(|| format!("most frequent reasons: {}", told.collect::<Vec<_>>().join(", ")))
}

/// Which task had all of `total` failures, or more than half of them.
fn in_task(total: f64, by_task: &[(String, f64)]) -> String {
    match by_task.iter().max_by(|a, b| a.1.total_cmp(&b.1)) {
        Some((task, count)) if *count >= total => format!(" in task {task}"),
        Some((task, count)) if count * 2.0 > total => format!(" ({} in task {task})", show::grouped(*count)),
        _ => String::new(),
    }
}

/// The query for a person, exact where one process is scraped or the window is the run.
pub(super) fn paste(
    evidence: &Evidence,
    window: Window,
    family: &str,
    matchers: &str,
    tally: &Tally,
    bounds: Bounds,
    exactly: fn(f64) -> Expected,
) -> Result<Option<Paste>, Shortfall> {
    let run = &evidence.run;
    if window == Window::Run {
        return Ok(Some(Paste::last_sum(run, family, matchers, exactly(tally.total()))));
    }
    if run.processes.with(true) != [0] {
        return Ok(None);
    }
    let cut = run.processes.cut(0, window)?;
    Ok(Some(Paste::growth(run, family, matchers, cut.outer, exactly(bounds.outer))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_most_failures_are_in_is_named() {
        let told =
            |total, index, cart| in_task(total, &[("index".to_owned(), index), ("cart".to_owned(), cart)]);
        assert_eq!(told(1146.0, 1146.0, 0.0), " in task index");
        assert_eq!(told(1200.0, 54.0, 1146.0), " (1 146 in task cart)");
        assert_eq!(told(1200.0, 600.0, 600.0), "");
        assert_eq!(in_task(7.0, &[]), "");
    }
}
