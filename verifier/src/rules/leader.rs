//! Stores that have not the leader that an objective wants. Pure.

use super::Scope;
use super::promql::quoted;
use super::rule::{Alert, FOR_GOOD, Group, Lasting, Rule, Severity};
use crate::evidence::family::{
    EXPERIMENT_INJECTED_TIMESTAMP_SECONDS, EXPERIMENT_STATE, LEADER_SINCE_TIMESTAMP_SECONDS, TIME_SECONDS,
    WRITABLE_INSTANCES,
};
use crate::slo::{Expect, Leader, Objective, Promise, show_duration};

const SPENT: &str = "ordeal:leader_spent:ratio";

pub(super) fn group(objectives: &[Objective], scope: &Scope) -> Option<Group> {
    let record = |objective: &Objective| match &objective.promise {
        Promise::Leader(promise) => Some(record(&objective.name, promise, scope)),
        _ => None,
    };
    let mut rules: Vec<Rule> = objectives.iter().filter_map(record).collect();
    if rules.is_empty() {
        return None;
    }
    rules.push(alert(scope, Severity::Warning, "0.5", Lasting { hold: "0s", keep: "0s" }));
    // Instances are asked every 0.25 s: one late answer does not last as long.
    rules.push(alert(scope, Severity::Critical, "1", Lasting { hold: "5s", keep: FOR_GOOD }));
    Some(Group::of_run("leader", rules))
}

/// The part of the limit that has passed without such a leader.
fn record(name: &str, promise: &Leader, scope: &Scope) -> Rule {
    let (experiment, component) = (quoted(&promise.experiment), quoted(&promise.component));
    let injected = format!("{EXPERIMENT_INJECTED_TIMESTAMP_SECONDS}{{experiment={experiment}}}");
    let (missing, whom) = match promise.expect {
        Expect::New => {
            let since = format!("{LEADER_SINCE_TIMESTAMP_SECONDS}{{component={component}}}");
            (format!("({since} <= on (job, instance) group_left () {injected})"), "another leader")
        }
        Expect::One => (format!("{WRITABLE_INSTANCES}{{component={component}}} != 1"), "one leader"),
    };
    let passed = format!(
        "{TIME_SECONDS} - on (job, instance) group_right () {injected}
        and on (job, instance, experiment)
        {EXPERIMENT_STATE}{{experiment={experiment},state=~\"injected|recovering\"}} == 1
        and on (job, instance) {missing}"
    );
    let expr = format!("{} / {}", scope.with_run(&passed), promise.within.as_secs_f64());
    let labels = [
        ("objective", name.to_owned()),
        ("component", promise.component.clone()),
        ("limit", format!("{whom} within {}", show_duration(promise.within))),
    ];
    Rule::record(SPENT, &expr, labels)
}

fn alert(scope: &Scope, severity: Severity, part: &str, lasting: Lasting) -> Rule {
    Alert {
        name: "OrdealLeaderMissing",
        severity,
        expr: scope.of_own(&format!("{SPENT} >= {part}")),
        lasting,
        labels: Vec::new(),
        summary: "Ordeal: {{ $labels.component }} has no new sole leader since {{ $labels.experiment }}"
            .to_owned(),
        description: "{{ $value | humanizePercentage }} of the time that `{{ $labels.objective }}` allows \
                      ({{ $labels.limit }}) have passed, in run {{ $labels.run }}."
            .to_owned(),
    }
    .rule()
}
