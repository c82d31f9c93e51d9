//! Acknowledged writes that an audit found lost or damaged. Pure.

use std::time::Duration;

use super::Scope;
use super::promql::{literal, quoted};
use super::rule::{Alert, FOR_GOOD, Group, Lasting, Rule, Severity};
use super::scoped::{Told, strictest};
use crate::evidence::family::LEDGER_AUDIT;
use crate::slo::{Objective, Promise};

pub(super) fn group(objectives: &[Objective], scope: &Scope) -> Option<Group> {
    let promises = objectives.iter().filter_map(|objective| match &objective.promise {
        Promise::DataLoss(promise) => Some(Told {
            objective: &objective.name,
            of: &promise.store,
            whole: promise.experiment.is_none(),
            // All of them allow none.
            at_most: Duration::ZERO,
        }),
        _ => None,
    });
    let rules: Vec<Rule> = strictest(promises).iter().map(|told| alert(told, scope)).collect();
    (!rules.is_empty()).then(|| Group::of_run("data-loss", rules))
}

fn alert(told: &Told<'_>, scope: &Scope) -> Rule {
    let harmed = format!(
        "{LEDGER_AUDIT}{{store={},class=~\"lost|resurrected|unexpected|duplicate|corrupt\"}}",
        quoted(told.of)
    );
    Alert {
        name: "OrdealDataLost",
        severity: if told.whole { Severity::Critical } else { Severity::Warning },
        expr: format!("{} > 0", scope.with_run(&harmed)),
        // What an audit missed once counts as lost for the whole run.
        lasting: Lasting { hold: "0s", keep: FOR_GOOD },
        labels: vec![("objective", literal(told.objective))],
        summary: "Ordeal: {{ $value }} writes {{ $labels.class }} in {{ $labels.store }}".to_owned(),
        description: "An audit of {{ $labels.store }} in run {{ $labels.run }} found {{ $value }} writes to be \
                      {{ $labels.class }}; `{{ $labels.objective }}` allows none. The run's ledger names each of them."
            .to_owned(),
    }
    .rule()
}
