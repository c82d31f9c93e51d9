//! Changes by hand. Pure.

use super::Scope;
use super::promql::literal;
use super::rule::{Alert, FOR_GOOD, Group, Lasting, Rule, Severity};
use crate::evidence::family::INTERVENTIONS_TOTAL;
use crate::slo::{Objective, Promise};

pub(super) fn group(objectives: &[Objective], scope: &Scope) -> Option<Group> {
    let of = |objective: &Objective| match &objective.promise {
        Promise::Intervention(_) => Some(alert(&objective.name, scope)),
        _ => None,
    };
    let rules: Vec<Rule> = objectives.iter().filter_map(of).collect();
    (!rules.is_empty()).then(|| Group::of_run("intervention", rules))
}

fn alert(name: &str, scope: &Scope) -> Rule {
    Alert {
        name: "OrdealIntervention",
        severity: Severity::Critical,
        expr: format!("{} > 0", scope.with_run(INTERVENTIONS_TOTAL)),
        // What was done by hand stays done.
        lasting: Lasting { hold: "0s", keep: FOR_GOOD },
        labels: vec![("objective", literal(name))],
        summary: "Ordeal: somebody intervened ({{ $labels.kind }})".to_owned(),
        description:
            "{{ $value }} changes of the kind {{ $labels.kind }} were made by hand in run {{ $labels.run }}; \
                      `{{ $labels.objective }}` allows none."
                .to_owned(),
    }
    .rule()
}
