//! What a person and the shell are told when a run has ended.

use std::collections::BTreeMap;
use std::process::ExitCode;

use crate::chaos::experiment::State;
use crate::cluster::seen::{Bounded, Intervention};
use crate::conductor::{End, Ended, Stopped};
use crate::count::count;
use crate::load;
use crate::progress::Progress;

/// The exit code of an interrupted run: 128 + SIGINT, as shells count.
pub(super) const INTERRUPTED: u8 = 130;

/// Counts of failed requests by reason.
type Reasons = BTreeMap<&'static str, u64>;

/// How many of `requests` failed, of what most, and in which of `tasks`: told where a run ends, that nobody must look
/// for it.
fn failures_of(requests: u64, reasons: &Reasons, tasks: &[(&str, &Reasons)]) -> Option<String> {
    const TOP: usize = 3;
    let failed: u64 = reasons.values().sum();
    if failed == 0 {
        return None;
    }
    let mut most: Vec<_> = reasons.iter().filter(|(_, count)| **count > 0).collect();
    most.sort_by_key(|&(reason, count)| (std::cmp::Reverse(*count), *reason));
    let others = if most.len() > TOP { " and others" } else { "" };
    let told = |&(reason, count): &(&&'static str, &u64)| {
        let by_task = tasks.iter().filter_map(|(task, reasons)| Some((*task, *reasons.get(reason)?)));
        format!("{reason} {count}{}", in_task(*count, by_task))
    };
    let top: Vec<String> = most.iter().take(TOP).map(told).collect();
    Some(format!("; {failed} of {} failed: {}{others}", count(requests, "request"), top.join(", ")))
}

/// Which task had all of `total` failures, or more than half of them.
fn in_task<'t>(total: u64, by_task: impl Iterator<Item = (&'t str, u64)>) -> String {
    match by_task.max_by_key(|&(_, count)| count) {
        Some((task, count)) if count == total => format!(" ({task})"),
        Some((task, count)) if count > total / 2 => format!(" ({count} in {task})"),
        _ => String::new(),
    }
}

/// Says how the run ended, with what of its `load`, which of its experiments not as they were meant to, and who
/// interfered.
pub(super) fn report(end: End, load: Option<&load::Running>, progress: &Progress) -> ExitCode {
    let failures = load.map(load::Running::report);
    let failures = failures.and_then(|load| {
        let tasks: Vec<_> = load.tasks.iter().map(|task| (task.name.as_str(), &task.reasons)).collect();
        failures_of(load.requests.ok + load.requests.error, &load.reasons, &tasks)
    });
    let code = report_run(end.ended, failures.as_deref().unwrap_or_default(), &end.recover, progress);
    for done in &end.experiments {
        let refusal = done.refused.as_ref().map(|refused| refused.reason.as_str());
        if let Some(warning) = amiss(&done.experiment, done.state, refusal) {
            progress.say(&warning);
        }
    }
    if let Some(warning) = interfered(&end.interventions) {
        progress.say(&warning);
    }
    code
}

fn report_run(ended: Ended, failures: &str, recover: &str, progress: &Progress) -> ExitCode {
    match ended {
        Ended::Finished { written: true } => {
            progress.say(&format!("the run is finished{failures}"));
            ExitCode::SUCCESS
        }
        Ended::Finished { written: false } => {
            progress.say("the run is finished, but its results could not be written: the log says why");
            ExitCode::FAILURE
        }
        Ended::Aborted { stopped: Stopped::Interrupted, put_back: true } => {
            progress.say("the run was aborted: interrupted; nothing is left broken");
            ExitCode::from(INTERRUPTED)
        }
        Ended::Aborted { stopped, put_back } => {
            progress.say(&format!("the run was aborted: {:#}", anyhow::Error::from(stopped)));
            if !put_back {
                progress.say(&format!("NOT all it broke is put back: `{recover}` tries again"));
            }
            ExitCode::FAILURE
        }
    }
}

/// A warning of an experiment that did not begin or had no effect, or that the system did not recover from.
fn amiss(experiment: &str, state: State, refusal: Option<&str>) -> Option<String> {
    let why = match state {
        State::Refused => refusal.unwrap_or("the log says why"),
        State::Ineffective => "its fault failed or was not seen, the log says why",
        State::NotRecovered => "the system was not seen to recover by the deadline",
        State::Planned | State::Injected | State::Recovering | State::Recovered | State::Skipped => {
            return None;
        }
    };
    Some(format!("warning: experiment {experiment} ended as {state}: {why}"))
}

/// A warning of what others changed during the run: the first of it, and how much there was.
fn interfered(interventions: &Bounded<Intervention>) -> Option<String> {
    const FIRST: usize = 3;
    let Bounded { told, left_out } = interventions;
    let all = u64::try_from(told.len()).unwrap_or(u64::MAX).saturating_add(*left_out);
    if all == 0 {
        return None;
    }
    let first: Vec<String> = told.iter().take(FIRST).map(ToString::to_string).collect();
    let others = if told.len() > FIRST { "; chaos.json names the others" } else { "" };
    let changes = count(all, "change");
    Some(format!("warning: {changes} by others during the run: {}{others}", first.join("; ")))
}

/// Says where the verdict of a finished run is to be had.
pub(super) fn advise(id: &str, scrapes: u64, progress: &Progress) {
    if scrapes == 0 {
        progress.say("nobody has scraped this run: there is no verdict to be had of it");
    } else {
        progress.say(&format!("a verdict: slo-verifier verify SLOS --prometheus URL --run {id}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::cluster::seen::Object;

    #[test]
    fn the_end_of_a_run_names_what_most_requests_failed_of() {
        let told =
            |reasons: &[(&'static str, u64)]| failures_of(200, &reasons.iter().copied().collect(), &[]);
        assert_eq!(told(&[]), None);
        let all = told(&[("http_4xx", 195)]);
        assert_eq!(all.as_deref(), Some("; 195 of 200 requests failed: http_4xx 195"));
        let four = told(&[("body", 1), ("dns", 2), ("reset", 7), ("tls", 1)]);
        assert_eq!(four.as_deref(), Some("; 11 of 200 requests failed: reset 7, dns 2, body 1 and others"));
    }

    #[test]
    fn the_end_of_a_run_names_the_task_that_most_requests_failed_in() {
        let told = |index: u64, cart: u64| {
            let of = |count| Reasons::from([("assertion", count)]);
            failures_of(90, &of(index + cart), &[("index", &of(index)), ("cart", &of(cart))])
        };
        assert_eq!(told(7, 0).as_deref(), Some("; 7 of 90 requests failed: assertion 7 (index)"));
        assert_eq!(told(2, 5).as_deref(), Some("; 7 of 90 requests failed: assertion 7 (5 in cart)"));
        assert_eq!(told(4, 4).as_deref(), Some("; 8 of 90 requests failed: assertion 8"));
    }

    #[test]
    fn whoever_interfered_is_named_at_the_end() {
        let change = |name: &str| Intervention {
            at: Moment::default(),
            kind: "change",
            object: Object { kind: "Deployment".to_owned(), name: name.to_owned(), uid: String::new() },
            manager: Some("kubectl".to_owned()),
            operation: "Update".to_owned(),
            subresource: None,
            during: None,
        };
        let told = |names: &[&str], left_out| {
            interfered(&Bounded { told: names.iter().map(|name| change(name)).collect(), left_out })
        };
        assert_eq!(told(&[], 0), None);
        let one = "warning: 1 change by others during the run: Deployment a Update by kubectl";
        assert_eq!(told(&["a"], 0).as_deref(), Some(one));
        let many = "warning: 11 changes by others during the run: Deployment a Update by kubectl; Deployment b \
                    Update by kubectl; Deployment c Update by kubectl; chaos.json names the others";
        assert_eq!(told(&["a", "b", "c", "d"], 7).as_deref(), Some(many));
    }

    #[test]
    fn an_experiment_that_did_not_go_as_meant_is_told_by_name_and_state() {
        let of = |state| amiss("kill", state, Some("the system is already degraded: shop is down"));
        let told: Vec<String> = State::ALL.into_iter().filter_map(of).collect();
        assert_eq!(
            told,
            [
                "warning: experiment kill ended as not_recovered: the system was not seen to recover by the deadline",
                "warning: experiment kill ended as ineffective: its fault failed or was not seen, the log says why",
                "warning: experiment kill ended as refused: the system is already degraded: shop is down",
            ]
        );
    }
}
