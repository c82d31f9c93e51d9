//! Series that are there and then no longer, or come late, or are there for some only: nothing of this may pass.

mod made;

use made::trap::{spring, trap};
use made::{Made, always, from, steps};

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

/// As a relabelling does that drops one bucket of one task.
fn drop_a_bucket(made: &mut Made) {
    let bucket = [("task", "browse"), ("outcome", "ok"), ("le", "2")];
    made.remove("ordeal_response_time_seconds_bucket", &bucket);
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
            trap("how long health must hold", "PostgreSQL recovers", GAP, |made| {
                cut(made, "ordeal_settle_seconds", &[], 200.0);
            }),
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
fn an_experiment_or_bucket_of_which_nothing_was_recorded_is_missed() {
    const ABSENT: &str = "inconclusive family_absent";
    const BUCKETS: &str = "inconclusive buckets_differ";
    spring(
        "dropped",
        &[
            trap("the kill", "nothing lost", ABSENT, drop_the_kill),
            trap("the kill of a run that answers", "shop answers", ABSENT, drop_the_kill),
            trap("the kill that lost an hour", "span of lost writes", ABSENT, |made| {
                made.set("ordeal_recovery_point_seconds", &[KILL], from(215.0, 3600.0));
                drop_the_kill(made);
            }),
            trap("a bucket of one task", "in time", BUCKETS, drop_a_bucket),
            trap("a bucket of one task, too", "relief", BUCKETS, drop_a_bucket),
            trap("the count", "nothing lost", ABSENT, |made| made.remove("ordeal_experiments", &[])),
            trap("one too many", "nothing lost", "inconclusive disagreement", |made| {
                made.set("ordeal_experiments", &[], always(1.0));
            }),
        ],
    );
}

#[test]
fn a_phase_of_which_the_beginning_is_not_told_is_missed() {
    const STARTS: &str = "ordeal_run_phase_start_timestamp_seconds";
    const ABSENT: &str = "inconclusive family_absent";
    const APART: &str = "inconclusive disagreement";
    spring(
        "phase",
        &[
            trap("the cooldown's", "down", ABSENT, |made| {
                made.remove(STARTS, &[("phase", "cooldown")]);
            }),
            trap("the cooldown's, from 400 s on", "down", ABSENT, |made| {
                cut(made, STARTS, &[("phase", "cooldown")], 400.0);
            }),
            trap("the experiments'", "shop answers", ABSENT, |made| {
                made.remove(STARTS, &[("phase", "experiments")]);
            }),
            trap("the end's, however it is told", "shop answers", ABSENT, |made| {
                made.remove(STARTS, &[("phase", "finished")]);
                made.remove("ordeal_run_phase", &[("phase", "finished")]);
            }),
            trap("the present phase's", "shop answers", ABSENT, |made| {
                made.remove("ordeal_run_phase", &[("phase", "cooldown")]);
            }),
            trap("the present phase's, in the end", "shop answers", GAP, |made| {
                cut(made, "ordeal_run_phase", &[("phase", "steady")], 400.0);
            }),
            trap("a cooldown told to begin late", "down", APART, |made| {
                made.set(STARTS, &[("phase", "cooldown")], made::moment(530.0));
            }),
            trap(
                "the cooldown's of a stopped run",
                "down",
                "inconclusive run_aborted disagreement",
                |made| {
                    let begun =
                        [("preflight", 0.0), ("ramp", 20.0), ("steady", 40.0), ("experiments", 120.0)];
                    let ended = [("cooldown", 480.0), ("audit", 570.0), ("aborted", 600.0)];
                    made.walk(&[&begun[..], &ended].concat());
                    made.remove(STARTS, &[("phase", "cooldown")]);
                },
            ),
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
fn the_worst_so_far_does_not_get_better() {
    const FELL: &str = "inconclusive counter_reset";
    spring(
        "better",
        &[
            trap("lost writes", "nothing lost", FELL, |made| {
                let lost = steps(&[(0.0, 0.0), (216.0, 16.0), (346.0, 0.0)]);
                made.set("ordeal_ledger_audit", &[("store", "postgres"), ("class", "lost")], lost);
            }),
            trap("corrupt writes", "nothing lost in the partition", FELL, |made| {
                let corrupt = steps(&[(0.0, 0.0), (216.0, 3.0), (346.0, 0.0)]);
                made.set("ordeal_ledger_audit", &[("store", "postgres"), ("class", "corrupt")], corrupt);
            }),
            trap("an hour of lost writes", "span of lost writes", FELL, |made| {
                let span = steps(&[(215.0, 3600.0), (300.0, 0.0)]);
                made.set("ordeal_recovery_point_seconds", &[KILL, ("store", "postgres")], span);
            }),
            trap("ten seconds' outage", "health", "inconclusive disagreement", |made| {
                let longest = steps(&[(0.0, 0.0), (100.0, 10.0), (300.0, 0.0)]);
                let labels = [("component", "shop"), ("cause", "none")];
                made.set("ordeal_component_longest_outage_seconds", &labels, longest);
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
            trap("five present of all", "nothing lost", "inconclusive uncounted", |made| {
                made.set("ordeal_ledger_audit", &[("class", "present")], steps(&[(0.0, 0.0), (216.0, 5.0)]));
            }),
            trap("more found than acknowledged", "nothing lost", "inconclusive disagreement", |made| {
                made.bend("ordeal_ledger_audit", &[("class", "present")], |_, found| Some(found? * 2.0));
            }),
            trap("no write since before the faults", "nothing lost", "inconclusive disagreement", |made| {
                for (family, label) in [
                    ("ordeal_ledger_writes_total", ("outcome", "acked")),
                    ("ordeal_ledger_audit", ("class", "present")),
                ] {
                    made.bend(family, &[label], |_, count| Some(count?.min(2000.0)));
                }
            }),
            trap("endless writes before a fault", "nothing lost", "inconclusive not_finite", |made| {
                made.set("ordeal_experiment_acked_writes_before", &[], always(f64::INFINITY));
            }),
            trap("more within 1.5 s than within 2 s", "in time", "inconclusive disagreement", |made| {
                let bucket = [("outcome", "ok"), ("le", "2")];
                made.bend("ordeal_response_time_seconds_bucket", &bucket, |_, count| Some(count? - 1.0));
            }),
            trap("a ramp that began twice", "shop answers", "inconclusive disagreement", |made| {
                let ramp = steps(&[(20.0, made::MOMENT + 20.0), (590.0, made::MOMENT + 39.0)]);
                made.set("ordeal_run_phase_start_timestamp_seconds", &[("phase", "ramp")], ramp);
            }),
            trap("a run that began twice", "shop answers", "inconclusive disagreement", |made| {
                let start = steps(&[(0.0, made::MOMENT), (300.0, made::MOMENT + 1.0)]);
                made.set("ordeal_run_start_timestamp_seconds", &[], start);
            }),
            trap("a fault injected twice", "PostgreSQL recovers", "inconclusive disagreement", |made| {
                let injected = steps(&[(130.3, made::MOMENT + 130.3), (500.0, made::MOMENT + 131.3)]);
                made.set("ordeal_experiment_injected_timestamp_seconds", &[KILL], injected);
            }),
            trap("a revert moved later", "members rejoin", "inconclusive disagreement", |made| {
                let reverted = steps(&[(270.7, made::MOMENT + 270.7), (500.0, made::MOMENT + 300.0)]);
                made.set("ordeal_experiment_reverted_timestamp_seconds", &[], reverted);
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

/// Removes every series whose name has this part.
fn without(made: &mut Made, part: &str) {
    made.series.retain(|series| !series.name.contains(part));
}

#[test]
fn a_name_on_a_trial_that_has_nothing_of_that_sort_is_told_so() {
    const NOT_IN_RUN: &str = "inconclusive not_in_run";
    spring(
        "none",
        &[
            trap("a ledger", "nothing lost", NOT_IN_RUN, |made| {
                made.series.retain(|series| !series.labels.iter().any(|(label, _)| label == "store"));
            }),
            trap("a component", "PostgreSQL recovers", NOT_IN_RUN, |made| {
                made.series.retain(|series| !series.labels.iter().any(|(label, _)| label == "component"));
            }),
            trap("instances", "no split brain at all", NOT_IN_RUN, |made| {
                for part in ["writable_instances", "leader_", "split_brain", "instances_observed"] {
                    without(made, part);
                }
            }),
            trap("a workload", "up", NOT_IN_RUN, |made| without(made, "workload_replicas")),
            trap("an autoscaler", "up", NOT_IN_RUN, |made| without(made, "autoscaler_")),
        ],
    );
}

#[test]
fn a_server_that_comes_back_may_tell_its_role_before_its_archive() {
    let mut made = made::healthy("back", 5.0);
    made.bend(ARCHIVE[3], &[], |t, failed| failed.filter(|_| !(135.0..145.0).contains(&t)));
    let server = made::Server::with([&made]);
    assert_eq!(made::said(&server.verdict(&made::slos("back"), &[]), "archive"), "pass ");
}
