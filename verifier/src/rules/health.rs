//! Outages that no experiment explains. Pure.

use super::Scope;
use super::promql::{any_of, literal};
use super::rule::{Alert, FOR_GOOD, Group, Lasting, Rule, Severity};
use crate::evidence::family::COMPONENT_LONGEST_OUTAGE_SECONDS;
use crate::slo::{Health, Objective, Promise, show_duration};

pub(super) fn group(objectives: &[Objective], scope: &Scope) -> Option<Group> {
    let of = |objective: &Objective| match &objective.promise {
        Promise::Health(promise) => Some([
            // By its upper bound it may be too long, by its lower one it is.
            alert(&objective.name, promise, Severity::Warning, "upper", scope),
            alert(&objective.name, promise, Severity::Critical, "lower", scope),
        ]),
        _ => None,
    };
    let rules: Vec<Rule> = objectives.iter().filter_map(of).flatten().collect();
    (!rules.is_empty()).then(|| Group::of_run("health", rules))
}

fn alert(name: &str, promise: &Health, severity: Severity, bound: &str, scope: &Scope) -> Rule {
    let components = match promise.components.as_slice() {
        [] => String::new(),
        names => format!(",component=~{}", any_of(names)),
    };
    let longest =
        format!("{COMPONENT_LONGEST_OUTAGE_SECONDS}{{cause=\"none\",bound=\"{bound}\"{components}}}");
    let how = if bound == "lower" { "at least" } else { "at most" };
    Alert {
        name: "OrdealUnexplainedOutage",
        severity,
        expr: format!("{} > {}", scope.with_run(&longest), promise.longest.as_secs_f64()),
        // The longest outage stays the longest.
        lasting: Lasting { hold: "0s", keep: FOR_GOOD },
        labels: vec![("objective", literal(name))],
        summary: "Ordeal: {{ $labels.component }} failed and no experiment explains it".to_owned(),
        description: format!(
            "{{{{ $labels.component }}}} had an outage of {how} {{{{ $value | humanizeDuration }}}} that began outside \
             every experiment of run {{{{ $labels.run }}}}; `{{{{ $labels.objective }}}}` allows {}.",
            show_duration(promise.longest)
        ),
    }
    .rule()
}
