//! Two instances of a store that take writes at once. Pure.

use super::Scope;
use super::promql::{literal, quoted};
use super::rule::{Alert, FOR_GOOD, Group, Lasting, Rule, Severity};
use super::scoped::{Told, strictest};
use crate::evidence::family::SPLIT_BRAIN_SECONDS_TOTAL;
use crate::slo::{Objective, Promise, show_duration};

pub(super) fn group(objectives: &[Objective], scope: &Scope) -> Option<Group> {
    let promises = objectives.iter().filter_map(|objective| match &objective.promise {
        Promise::SplitBrain(promise) => Some(Told {
            objective: &objective.name,
            of: &promise.component,
            whole: promise.experiment.is_none(),
            at_most: promise.at_most,
        }),
        _ => None,
    });
    let rules: Vec<Rule> = strictest(promises).iter().map(|told| alert(told, scope)).collect();
    (!rules.is_empty()).then(|| Group::of_run("split-brain", rules))
}

fn alert(told: &Told<'_>, scope: &Scope) -> Rule {
    let seconds = format!("{SPLIT_BRAIN_SECONDS_TOTAL}{{component={}}}", quoted(told.of));
    let limit = if told.at_most.is_zero() { "none".to_owned() } else { show_duration(told.at_most) };
    Alert {
        name: "OrdealSplitBrain",
        severity: if told.whole { Severity::Critical } else { Severity::Warning },
        expr: format!("{} > {}", scope.with_run(&seconds), told.at_most.as_secs_f64()),
        // Its seconds are counted, and never taken back.
        lasting: Lasting { hold: "0s", keep: FOR_GOOD },
        labels: vec![("objective", literal(told.objective))],
        summary: "Ordeal: two instances of {{ $labels.component }} took writes at once".to_owned(),
        description: format!(
            "For {{{{ $value | humanizeDuration }}}} of run {{{{ $labels.run }}}}, one instance of \
             {{{{ $labels.component }}}} acknowledged writes while another one did; `{{{{ $labels.objective }}}}` \
             allows {limit}."
        ),
    }
    .rule()
}
