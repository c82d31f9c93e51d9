//! An archive of write-ahead logs that does not advance while a run goes on. Pure.

use super::Scope;
use super::promql::literal;
use super::rule::{Alert, FOR_GOOD, Group, Lasting, Rule, Severity};
use crate::slo::{ArchivePoint, Objective, Promise, show_duration};

const SPENT: &str = "ordeal:archive_age_spent:ratio";
const AGE: &str = "pg_stat_archiver_last_archive_age";
const FAILED: &str = "pg_stat_archiver_failed_count";
const REPLICA: &str = "pg_replication_is_replica";

pub(super) fn group(objectives: &[Objective], scope: &Scope) -> Option<Group> {
    let promises = objectives.iter().filter_map(|objective| match &objective.promise {
        Promise::ArchivePoint(promise) => Some((objective.name.as_str(), promise)),
        _ => None,
    });
    let (mut rules, mut failing) = (Vec::new(), Vec::new());
    for (name, promise) in promises {
        rules.push(record(name, promise, scope));
        failing.push(fails(name, promise, scope));
    }
    if rules.is_empty() {
        return None;
    }
    rules.push(old(scope, Severity::Warning, "0.5", Lasting { hold: "0s", keep: "0s" }));
    // The first scrapes of a run may still show what was before it.
    rules.push(old(scope, Severity::Critical, "1", Lasting { hold: "30s", keep: FOR_GOOD }));
    rules.extend(failing);
    Some(Group::of_run("archive", rules))
}

/// The age of what the present primary archived last, as a part of the limit.
fn record(name: &str, promise: &ArchivePoint, scope: &Scope) -> Rule {
    let selector = &promise.selector;
    let expr = format!(
        "max by (job, instance) ({AGE}{selector} and on (job, instance) {REPLICA}{selector} == 0) / {}
        and on () ({})",
        promise.within.as_secs_f64(),
        scope.going_on()
    );
    let limit = format!("within {}", show_duration(promise.within));
    Rule::record(SPENT, &expr, [("objective", name.to_owned()), ("limit", limit)])
}

/// The record names no run, as the archive is nobody's own: of two trials that go on at once, whose records have the same
/// name, the alerts of both tell the same, and each by the limit of the one whose record it is.
fn old(scope: &Scope, severity: Severity, part: &str, lasting: Lasting) -> Rule {
    let own = match scope.trial {
        None => String::new(),
        Some(_) => format!(" and on () ({})", scope.going_on()),
    };
    Alert {
        name: "OrdealArchiveStuck",
        severity,
        expr: format!("{SPENT} > {part}{own}"),
        lasting,
        labels: Vec::new(),
        summary: "Ordeal: the archive of {{ $labels.instance }} does not advance".to_owned(),
        description: "The newest log that {{ $labels.instance }} archived is as old as {{ $value | humanizePercentage }} \
                      of what `{{ $labels.objective }}` allows ({{ $labels.limit }})."
            .to_owned(),
    }
    .rule()
}

fn fails(name: &str, promise: &ArchivePoint, scope: &Scope) -> Rule {
    let selector = &promise.selector;
    Alert {
        name: "OrdealArchiveFailing",
        severity: Severity::Warning,
        expr: format!(
            "max by (job, instance) (increase({FAILED}{selector}[2m]) and on (job, instance) {REPLICA}{selector} == 0) > 0
            and on () ({})",
            scope.going_on()
        ),
        // PostgreSQL tries again at once, and after three failures in a minute.
        lasting: Lasting { hold: "0s", keep: "1m" },
        labels: vec![("objective", literal(name))],
        summary: "Ordeal: {{ $labels.instance }} fails to archive".to_owned(),
        description: "About {{ $value | printf \"%.0f\" }} attempts of {{ $labels.instance }} to archive a log failed in the \
                      last 2 minutes; one is enough to leave `{{ $labels.objective }}` inconclusive."
            .to_owned(),
    }
    .rule()
}
