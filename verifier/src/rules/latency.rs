//! The budget of answers that are late or bad, over a whole run. Pure.

use super::Scope;
use super::budget::{Budget, spent};
use super::counted::Counted;
use super::promql::quoted;
use super::rule::{Group, Rule};
use crate::evidence::family::{REQUESTS_TOTAL, RESPONSE_TIME_SECONDS_BUCKET};
use crate::slo::{During, Latency, Objective, Promise, show_duration};

const BUDGET: Budget = Budget {
    spent: "ordeal:latency_budget_spent:ratio",
    counted: "ordeal:latency_counted:sum",
    alert: "OrdealLatencyBudget",
    how: "answers are not in time as promised",
};

pub(super) fn group(objectives: &[Objective], scope: &Scope) -> Option<Group> {
    let of = |objective: &Objective| match &objective.promise {
        Promise::Latency(promise) if promise.during == During::Run => {
            Some(records(&objective.name, promise, scope))
        }
        _ => None,
    };
    let mut rules: Vec<Rule> = objectives.iter().filter_map(of).flatten().collect();
    if rules.is_empty() {
        return None;
    }
    rules.extend(BUDGET.alerts(scope));
    rules.push(BUDGET.alert_for_good("", scope));
    Some(Group::of_run("latency", rules))
}

fn records(name: &str, promise: &Latency, scope: &Scope) -> [Rule; 3] {
    let task = promise.task.as_ref().map(|task| format!("task={}", quoted(task)));
    let of = promise.task.as_ref().map(|task| format!(" of {task}")).unwrap_or_default();
    let also = task.as_ref().map(|task| format!(",{task}")).unwrap_or_default();
    let in_time = format!(
        "{RESPONSE_TIME_SECONDS_BUCKET}{{outcome=\"ok\",le=~{}{also}}}",
        bound(promise.within.as_secs_f64())
    );
    let requests = format!("{REQUESTS_TOTAL}{{{}}}", task.unwrap_or_default());
    let counted = Counted { series: BUDGET.counted, objective: name, scope };
    let all = counted.sum("all");
    let share = promise.at_least;
    let expr = spent(&format!("({all} - {})", counted.sum("in_time")), &all, share);
    let limit = format!("at least {share}{of} within {}", show_duration(promise.within));
    [
        counted.record("in_time", &in_time),
        counted.record("all", &requests),
        Rule::record(BUDGET.spent, &expr, [("objective", name.to_owned()), ("limit", limit)]),
    ]
}

/// The label of a bucket's bound: `2`, which Prometheus 3 stores as `2.0`.
fn bound(seconds: f64) -> String {
    let whole = if seconds.fract() == 0.0 { r"(\.0)?" } else { "" };
    quoted(&format!("{}{whole}", seconds.to_string().replace('.', r"\.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_found_as_either_version_of_prometheus_stores_them() {
        assert_eq!(bound(2.0), r#""2(\\.0)?""#);
        assert_eq!(bound(0.75), r#""0\\.75""#);
    }
}
