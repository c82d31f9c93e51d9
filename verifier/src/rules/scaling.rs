//! Replicas that do not follow the load. Pure.

use super::Scope;
use super::promql::{REMEMBERED, UNLOADED, in_phase, quoted};
use super::rule::{Alert, FOR_GOOD, Group, Lasting, Rule, Severity};
use crate::evidence::family::{RUN_PHASE_START_TIMESTAMP_SECONDS, TIME_SECONDS, WORKLOAD_REPLICAS};
use crate::slo::{Objective, Promise, Scaling, Shape, show_duration};

const SPENT: &str = "ordeal:scaling_spent:ratio";
/// The most replicas that were ready so far. Kept by the run, so that what an earlier run had does not count.
const MOST_READY: &str = "ordeal:replicas_ready:max";

pub(super) fn group(objectives: &[Objective], scope: &Scope) -> Option<Group> {
    let of = |objective: &Objective| match &objective.promise {
        Promise::Scaling(promise) => records(&objective.name, promise, scope),
        _ => Vec::new(),
    };
    let mut rules: Vec<Rule> = objectives.iter().flat_map(of).collect();
    if rules.is_empty() {
        return None;
    }
    rules.push(alert(scope, Severity::Warning, "0.5", Lasting { hold: "0s", keep: "0s" }));
    rules.push(alert(scope, Severity::Critical, "1", Lasting { hold: "0s", keep: FOR_GOOD }));
    Some(Group::of_run("scaling", rules))
}

fn records(name: &str, promise: &Scaling, scope: &Scope) -> Vec<Rule> {
    let ready = ready(promise, scope);
    let record = |spent: &str, limit: String| {
        let labels =
            [("objective", name.to_owned()), ("workload", promise.workload.clone()), ("limit", limit)];
        Rule::record(SPENT, spent, labels)
    };
    match &promise.shape {
        Shape::Up { from, to, within } => {
            let (spent, limit) = match within {
                Some(within) => {
                    let since = since("ramp", "ramp|steady|experiments", scope);
                    (
                        format!("{since} / {}", within.as_secs_f64()),
                        format!("within {}", show_duration(*within)),
                    )
                }
                None => (format!("({})", scope.runs_in(UNLOADED)), "while the load lasts".to_owned()),
            };
            let spent = format!("{spent} and on (run) {} < {to}", most_ready_of(name));
            vec![most_ready(name, &ready, scope), record(&spent, format!("{from} to {to} replicas {limit}"))]
        }
        Shape::Down { to, within } => {
            let since = since("cooldown", UNLOADED, scope);
            let spent = format!("{since} / {} and on (run) {ready} != {to}", within.as_secs_f64());
            vec![record(&spent, format!("back to {to} replicas within {}", show_duration(*within)))]
        }
        Shape::Relief { .. } => Vec::new(),
    }
}

fn most_ready_of(objective: &str) -> String {
    format!("{MOST_READY}{{objective={}}}", quoted(objective))
}

/// What is ready now or the record itself, if that is more: so it remembers for as long as the run lasts, and ends with
/// its conductor.
fn most_ready(objective: &str, ready: &str, scope: &Scope) -> Rule {
    let expr = format!(
        "max by (run) ({ready} or max_over_time({}[{REMEMBERED}]) and on (run) {})",
        most_ready_of(objective),
        scope.conductor()
    );
    Rule::record(MOST_READY, &expr, [("objective", objective.to_owned())])
}

/// The ready replicas of the workload, by run.
fn ready(promise: &Scaling, scope: &Scope) -> String {
    if let Some(selector) = &promise.other.ready {
        return format!("max by (run) ({} * on () group_left () max({selector}))", scope.conductor());
    }
    let own = format!("{WORKLOAD_REPLICAS}{{workload={},state=\"ready\"}}", quoted(&promise.workload));
    format!("max by (run) ({})", scope.with_run(&own))
}

/// Seconds since a phase began, while one of these phases lasts, by run.
fn since(phase: &str, phases: &str, scope: &Scope) -> String {
    let passed = format!(
        "{TIME_SECONDS} - on (job, instance) group_right ()
        {RUN_PHASE_START_TIMESTAMP_SECONDS}{{phase=\"{phase}\"}}
        and on (job, instance) {}",
        in_phase("=~", phases)
    );
    format!("max by (run) ({})", scope.with_run(&passed))
}

fn alert(scope: &Scope, severity: Severity, part: &str, lasting: Lasting) -> Rule {
    Alert {
        name: "OrdealScalingStuck",
        severity,
        expr: scope.of_own(&format!("{SPENT} >= {part}")),
        lasting,
        labels: Vec::new(),
        summary: "Ordeal: {{ $labels.workload }} does not follow the load".to_owned(),
        description: "{{ $value | humanizePercentage }} of the time that `{{ $labels.objective }}` allows \
                      ({{ $labels.limit }}) have passed without, in run {{ $labels.run }}."
            .to_owned(),
    }
    .rule()
}
