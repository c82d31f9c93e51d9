//! The error budget of availability over a whole run, in requests, users' time or probes. Pure.

use super::Scope;
use super::budget::{Budget, spent, spent_of};
use super::counted::Counted;
use super::promql::{any_of, quoted};
use super::rule::{Group, Rule};
use crate::evidence::family::{PROBES_TOTAL, REQUESTS_TOTAL, USER_SECONDS_TOTAL};
use crate::slo::{Availability, By, During, Objective, Promise};

const BUDGET: Budget = Budget {
    spent: "ordeal:availability_budget_spent:ratio",
    counted: "ordeal:availability_counted:sum",
    alert: "OrdealErrorBudget",
    how: "the service does not answer as promised",
};

pub(super) fn group(objectives: &[Objective], scope: &Scope) -> Option<Group> {
    let of = |objective: &Objective| match &objective.promise {
        Promise::Availability(promise) if promise.during == During::Run => {
            Some((records(&objective.name, promise, scope), lasts(&objective.name, promise)))
        }
        _ => None,
    };
    let (records, lasting): (Vec<Vec<Rule>>, Vec<Option<String>>) = objectives.iter().filter_map(of).unzip();
    if records.is_empty() {
        return None;
    }
    let mut rules: Vec<Rule> = records.into_iter().flatten().collect();
    rules.extend(BUDGET.alerts(scope));
    if lasting.iter().any(Option::is_none) {
        let lasting: Vec<String> = lasting.into_iter().flatten().collect();
        let others =
            if lasting.is_empty() { String::new() } else { format!("{{objective!~{}}}", any_of(&lasting)) };
        rules.push(BUDGET.alert_for_good(&others, scope));
    }
    Some(Group::of_run("availability", rules))
}

/// The name of an objective whose events do not end with the load: probes go on for as long as the exporter is there, so
/// good ones may mend such a budget to the last.
fn lasts(name: &str, promise: &Availability) -> Option<String> {
    matches!(promise.by, By::Probes(_)).then(|| name.to_owned())
}

/// What is counted, and the part of the budget that is spent by it, by the verdict's bound at best: a missed probe is one
/// that was made and did not fail. So a budget is over only where the verdict on what was counted so far would be a fail.
fn records(name: &str, promise: &Availability, scope: &Scope) -> Vec<Rule> {
    let share = promise.at_least;
    let counted = Counted { series: BUDGET.counted, objective: name, scope };
    let record = |of: &str, family: &str, matchers: [Option<String>; 2]| {
        counted.record(of, &selector(family, matchers))
    };
    let (bad, all) = (counted.sum("bad"), counted.sum("all"));
    let (mut rules, expr, of) = match &promise.by {
        By::Requests => {
            let task = promise.task.as_ref().map(|task| format!("task={}", quoted(task)));
            let rules = vec![
                record("bad", REQUESTS_TOTAL, [Some("outcome=\"error\"".to_owned()), task.clone()]),
                record("all", REQUESTS_TOTAL, [task, None]),
            ];
            let of = promise.task.as_ref().map(|task| format!("requests of {task}"));
            (rules, spent(&bad, &all, share), of.unwrap_or_else(|| "requests".to_owned()))
        }
        By::UserTime => {
            let rules = vec![
                record("bad", USER_SECONDS_TOTAL, [Some("state=\"overdue\"".to_owned()), None]),
                record("all", USER_SECONDS_TOTAL, [None, None]),
                // What the verdict wants enough of here is requests as well.
                record("requests", REQUESTS_TOTAL, [None, None]),
            ];
            let expr = spent_of(&bad, &all, &counted.sum("requests"), share);
            (rules, expr, "users' time".to_owned())
        }
        By::Probes(component) => {
            let component_is = Some(format!("component={}", quoted(component)));
            let rules = vec![
                record("bad", PROBES_TOTAL, [component_is.clone(), Some("outcome=\"failed\"".to_owned())]),
                record("all", PROBES_TOTAL, [component_is, None]),
            ];
            (rules, spent(&bad, &all, share), format!("probes of {component}"))
        }
    };
    let limit = format!("at least {share} of {of}");
    rules.push(Rule::record(BUDGET.spent, &expr, [("objective", name.to_owned()), ("limit", limit)]));
    rules
}

fn selector(family: &str, matchers: [Option<String>; 2]) -> String {
    format!("{family}{{{}}}", matchers.into_iter().flatten().collect::<Vec<_>>().join(","))
}
