//! The error budget of availability over a whole run, in requests, users' time or probes. Pure.

use super::Scope;
use super::budget::Budget;
use super::promql::quoted;
use super::rule::{Group, Rule};
use crate::evidence::family::{PROBES_TOTAL, REQUESTS_TOTAL, USER_SECONDS_TOTAL};
use crate::slo::{Availability, By, During, Objective, Promise};

const BUDGET: Budget = Budget {
    spent: "ordeal:availability_budget_spent:ratio",
    alert: "OrdealErrorBudget",
    how: "the service does not answer as promised",
};

pub(super) fn group(objectives: &[Objective], scope: &Scope) -> Option<Group> {
    let record = |objective: &Objective| match &objective.promise {
        Promise::Availability(promise) if promise.during == During::Run => {
            Some(record(&objective.name, promise, scope))
        }
        _ => None,
    };
    let mut rules: Vec<Rule> = objectives.iter().filter_map(record).collect();
    if rules.is_empty() {
        return None;
    }
    rules.extend(BUDGET.alerts(scope));
    Some(Group::of_run("availability", rules))
}

/// The part of the budget that is spent, once there are as many events as the verdict needs.
fn record(name: &str, promise: &Availability, scope: &Scope) -> Rule {
    let (bad, all, of) = match &promise.by {
        By::Requests => {
            let task = promise.task.as_ref().map(|task| format!("task={}", quoted(task)));
            let of = promise.task.as_ref().map(|task| format!("requests of {task}"));
            (
                selector(REQUESTS_TOTAL, [Some("outcome=\"error\"".to_owned()), task.clone()]),
                selector(REQUESTS_TOTAL, [task, None]),
                of.unwrap_or_else(|| "requests".to_owned()),
            )
        }
        By::UserTime => (
            selector(USER_SECONDS_TOTAL, [Some("state=\"overdue\"".to_owned()), None]),
            selector(USER_SECONDS_TOTAL, [None, None]),
            "users' time".to_owned(),
        ),
        By::Probes(component) => {
            let component_is = Some(format!("component={}", quoted(component)));
            (
                selector(PROBES_TOTAL, [component_is.clone(), Some("outcome=\"failed\"".to_owned())]),
                selector(PROBES_TOTAL, [component_is, Some("outcome=~\"ok|failed\"".to_owned())]),
                format!("probes of {component}"),
            )
        }
    };
    let share = promise.at_least;
    let expr = format!(
        "{} / ({} >= {}) / {}",
        scope.sum(&bad),
        scope.sum(&all),
        share.events_needed(),
        share.allowed_bad()
    );
    let limit = format!("at least {share} of {of}");
    Rule::record(BUDGET.spent, &expr, [("objective", name.to_owned()), ("limit", limit)])
}

fn selector(family: &str, matchers: [Option<String>; 2]) -> String {
    format!("{family}{{{}}}", matchers.into_iter().flatten().collect::<Vec<_>>().join(","))
}
