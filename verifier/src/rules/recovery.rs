//! Components that are down, and for which part of the time that an objective allows. Pure.
//!
//! A component counts as up again only when health has lasted (`judge::lasting`), so as long as it is down, its recovery
//! is later than that time ago. What is recorded is this least part: an alert at the whole of it never fires in a run
//! whose recovery is in time.

use super::Scope;
use super::promql::{LAST_SUCCESS, quoted};
use super::rule::{Alert, FOR_GOOD, Group, Lasting, Rule, Severity};
use crate::evidence::family::{
    COMPONENT_UP, EXPERIMENT_INJECTED_TIMESTAMP_SECONDS, EXPERIMENT_REVERTED_TIMESTAMP_SECONDS,
    EXPERIMENT_STATE, PROBE_INTERVAL_SECONDS, TIME_SECONDS,
};
use crate::judge::{LASTING_PROBES, LASTING_SECONDS};
use crate::slo::{Objective, Promise, Recovery, Since, show_duration};

const SPENT: &str = "ordeal:recovery_spent:ratio";
const NAME: &str = "OrdealComponentDown";

pub(super) fn group(objectives: &[Objective], scope: &Scope) -> Option<Group> {
    let record = |objective: &Objective| match &objective.promise {
        Promise::Recovery(promise) => Some(record(&objective.name, promise, scope)),
        _ => None,
    };
    let mut rules: Vec<Rule> = objectives.iter().filter_map(record).collect();
    let limited = !rules.is_empty();
    let healthy = objectives.iter().any(|objective| matches!(objective.promise, Promise::Health(_)));
    if !limited && !healthy {
        return None;
    }
    rules.push(down(scope));
    if limited {
        rules.extend([late(scope), too_late(scope)]);
    }
    Some(Group::of_run("recovery", rules))
}

/// The least part of the limit that a component of an experiment has been down for.
fn record(name: &str, promise: &Recovery, scope: &Scope) -> Rule {
    let (moment, since) = match promise.since {
        Since::Injected => (EXPERIMENT_INJECTED_TIMESTAMP_SECONDS, ""),
        Since::Reverted => (EXPERIMENT_REVERTED_TIMESTAMP_SECONDS, " since the revert"),
    };
    let (experiment, component) = (quoted(&promise.experiment), quoted(&promise.component));
    let passed = format!(
        "({TIME_SECONDS} - on (job, instance) group_right () {moment}{{experiment={experiment}}}
        and on (job, instance, experiment)
        {EXPERIMENT_STATE}{{experiment={experiment},state=~\"injected|recovering\"}} == 1)"
    );
    let lasting = format!(
        "clamp_min({LASTING_PROBES} * {PROBE_INTERVAL_SECONDS}{{component={component}}}, {LASTING_SECONDS})"
    );
    let down = format!(
        "{passed} - on (job, instance) group_right (experiment) {lasting}
        and on (job, instance, component) {COMPONENT_UP}{{component={component}}} == 0"
    );
    let expr = format!("clamp_min({}, 0) / {}", scope.with_run(&down), promise.within.as_secs_f64());
    let limit = format!("within {}{since}", show_duration(promise.within));
    Rule::record(SPENT, &expr, [("objective", name.to_owned()), ("limit", limit)])
}

fn down(scope: &Scope) -> Rule {
    let ago = format!(
        "{TIME_SECONDS} - on (job, instance) group_right () ({LAST_SUCCESS} > 0)
        and on (job, instance, component) {COMPONENT_UP} == 0
        and on (job, instance) {}",
        scope.going_on()
    );
    Alert {
        name: NAME,
        severity: Severity::Info,
        expr: scope.with_run(&ago),
        // At once; one outage that flaps is one alert.
        lasting: Lasting { hold: "0s", keep: "15s" },
        labels: Vec::new(),
        summary: "Ordeal: {{ $labels.component }} does not serve".to_owned(),
        description:
            "The last good probe of {{ $labels.component }} was {{ $value | humanizeDuration }} ago, in run \
                      {{ $labels.run }}."
                .to_owned(),
    }
    .rule()
}

fn late(scope: &Scope) -> Rule {
    spent(
        scope,
        Severity::Warning,
        "0.5",
        Lasting { hold: "0s", keep: "0s" },
        "Ordeal: {{ $labels.component }} is not back from {{ $labels.experiment }}",
    )
}

fn too_late(scope: &Scope) -> Rule {
    spent(
        scope,
        Severity::Critical,
        "1",
        // Missed probes make health last a little later.
        Lasting { hold: "5s", keep: FOR_GOOD },
        "Ordeal: {{ $labels.component }} is not back in time from {{ $labels.experiment }}",
    )
}

fn spent(scope: &Scope, severity: Severity, part: &str, lasting: Lasting, summary: &str) -> Rule {
    Alert {
        name: NAME,
        severity,
        expr: scope.of_own(&format!("{SPENT} >= {part}")),
        lasting,
        labels: Vec::new(),
        summary: summary.to_owned(),
        description: "{{ $labels.component }} has been down for at least {{ $value | humanizePercentage }} of the time \
                      that `{{ $labels.objective }}` allows ({{ $labels.limit }}), in run {{ $labels.run }}."
            .to_owned(),
    }
    .rule()
}
