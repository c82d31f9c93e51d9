//! Series that are there and then no longer, or come late, or are there for some only: nothing of this may pass.

mod made;

use made::trap::{spring, trap};
use made::{Made, always, from};

const GAP: &str = "inconclusive gap";
const KILL: (&str, &str) = ("experiment", "kill-postgres-primary");
const ARCHIVE: [&str; 4] = [
    "pg_replication_is_replica",
    "pg_stat_archiver_last_archive_age",
    "pg_stat_archiver_archived_count",
    "pg_stat_archiver_failed_count",
];

/// The series that match are exposed until some time.
fn cut(made: &mut Made, family: &str, matching: &[(&str, &str)], until: f64) {
    made.bend(family, matching, move |t, value| value.filter(|_| t <= until));
}

/// The series that match are exposed from some time on.
fn late(made: &mut Made, family: &str, matching: &[(&str, &str)], since: f64) {
    made.bend(family, matching, move |t, value| value.filter(|_| t >= since));
}

/// As a relabelling does that drops whatever speaks of one experiment.
fn drop_the_kill(made: &mut Made) {
    let of_kill = |(label, value): &(String, String)| (label.as_str(), value.as_str()) == KILL;
    made.series.retain(|series| !series.labels.iter().any(of_kill));
}

#[test]
fn a_gauge_that_vanishes_keeps_no_value() {
    spring(
        "vanished",
        &[
            trap("the audit", "nothing lost", GAP, |made| cut(made, "ordeal_ledger_audit", &[], 400.0)),
            trap("recovery points", "span of lost writes", GAP, |made| {
                cut(made, "ordeal_recovery_point_seconds", &[], 400.0);
            }),
            trap("writes before a fault", "nothing lost", GAP, |made| {
                cut(made, "ordeal_experiment_acked_writes_before", &[], 350.0);
            }),
            trap("components' health", "health", GAP, |made| cut(made, "ordeal_component_up", &[], 200.0)),
            trap("longest outages", "health", GAP, |made| {
                cut(made, "ordeal_component_longest_outage_seconds", &[], 200.0);
            }),
            trap("the count of components", "health", GAP, |made| cut(made, "ordeal_components", &[], 100.0)),
            trap("interventions", "nobody intervened", GAP, |made| {
                cut(made, "ordeal_interventions_total", &[], 200.0);
            }),
            trap("the end of an abort", "shop answers", GAP, |made| {
                cut(made, "ordeal_run_phase", &[("phase", "aborted")], 300.0);
            }),
            trap("the process's start", "shop answers", GAP, |made| {
                cut(made, "process_start_time_seconds", &[], 300.0);
            }),
            trap("the process's start at first", "shop answers", GAP, |made| {
                late(made, "process_start_time_seconds", &[], 300.0);
            }),
            trap("users", "load held", GAP, |made| {
                cut(made, "ordeal_users", &[("state", "running")], 200.0);
            }),
            trap("users wanted", "load held", GAP, |made| {
                cut(made, "ordeal_users", &[("state", "target")], 440.0);
            }),
            trap("replicas when they are few again", "down", GAP, |made| {
                cut(made, "ordeal_workload_replicas", &[], 542.0);
                cut(made, "ordeal_autoscaler_replicas", &[], 542.0);
            }),
            trap("utilisation", "relief", GAP, |made| {
                made.bend("ordeal_autoscaler_utilization_ratio", &[], |t, busy| {
                    busy.filter(|_| !(92.0..112.0).contains(&t))
                });
            }),
            trap("the leader", "new leader", GAP, |made| {
                cut(made, "ordeal_leader_since_timestamp_seconds", &[], 140.0);
            }),
            trap("writable instances", "one leader", GAP, |made| {
                cut(made, "ordeal_writable_instances", &[], 180.0);
            }),
            trap("recoveries", "PostgreSQL recovers", GAP, |made| {
                cut(made, "ordeal_recovery_upper_seconds", &[], 350.0);
            }),
            trap("states", "PostgreSQL recovers", GAP, |made| {
                cut(made, "ordeal_experiment_state", &[KILL], 220.0);
            }),
        ],
    );
}

#[test]
fn an_experiment_of_which_nothing_was_recorded_is_missed() {
    const ABSENT: &str = "inconclusive family_absent";
    spring(
        "dropped",
        &[
            trap("the kill", "nothing lost", ABSENT, drop_the_kill),
            trap("the kill that lost an hour", "span of lost writes", ABSENT, |made| {
                made.set("ordeal_recovery_point_seconds", &[KILL], from(215.0, 3600.0));
                drop_the_kill(made);
            }),
            trap("the count", "nothing lost", ABSENT, |made| made.remove("ordeal_experiments", &[])),
            trap("one too many", "nothing lost", "inconclusive disagreement", |made| {
                made.set("ordeal_experiments", &[], always(1.0));
            }),
        ],
    );
}

#[test]
fn what_begins_late_does_not_speak_for_the_time_before() {
    spring(
        "late",
        &[
            trap("a watch", "nobody intervened", "inconclusive watch_gap", |made| {
                late(made, "ordeal_interventions_total", &[], 300.0);
                made.set("ordeal_interventions_watched_seconds_total", &[], |t| {
                    (t >= 300.0).then_some(t - 300.0)
                });
            }),
            trap("the archive", "archive", GAP, |made| {
                for family in ARCHIVE {
                    late(made, family, &[], 480.0);
                }
            }),
            trap("the archive to its end", "archive", GAP, |made| {
                for family in ARCHIVE {
                    cut(made, family, &[], 360.0);
                }
            }),
            trap("the archive within an experiment", "archive", GAP, |made| {
                for family in ARCHIVE {
                    cut(made, family, &[], 300.0);
                }
            }),
            trap("no more probes", "health", "inconclusive probes_missed", |made| {
                let all = [("component", "shop"), ("outcome", "ok")];
                made.set("ordeal_probes_total", &all, |t| Some((t.clamp(0.5, 300.0) * 20.0).floor()));
            }),
        ],
    );
}

#[test]
fn values_that_cannot_be() {
    spring(
        "nonsense",
        &[
            trap("fewer than none corrupt", "nothing lost", "inconclusive not_finite", |made| {
                let of = |class| [("store", "postgres"), ("class", class)];
                made.set("ordeal_ledger_audit", &of("lost"), always(5.0));
                made.set("ordeal_ledger_audit", &of("corrupt"), always(-5.0));
            }),
            trap("archived in the future", "archive", "inconclusive not_finite", |made| {
                made.set(ARCHIVE[1], &[], always(-1e9));
            }),
            trap("neither primary nor replica", "archive", "inconclusive not_finite", |made| {
                made.bend(ARCHIVE[0], &[], |t, is| if t > 200.0 { is.map(|_| f64::NAN) } else { is });
            }),
            trap("more in time than there were", "in time", "inconclusive disagreement", |made| {
                let bucket = [("outcome", "ok"), ("le", "2")];
                made.bend("ordeal_response_time_seconds_bucket", &bucket, |_, count| Some(count? * 3.0));
            }),
            trap("an end before its phases", "nothing lost", "inconclusive disagreement", |made| {
                made.set("ordeal_run_end_timestamp_seconds", &[], made::moment(300.0));
            }),
            trap("an audit before its faults", "nothing lost", "inconclusive disagreement", |made| {
                let audit = [("phase", "audit")];
                made.set("ordeal_run_phase_start_timestamp_seconds", &audit, made::moment(100.0));
            }),
            trap("two states at once", "PostgreSQL recovers", "inconclusive disagreement", |made| {
                made.set("ordeal_experiment_state", &[KILL, ("state", "ineffective")], always(1.0));
            }),
        ],
    );
}
