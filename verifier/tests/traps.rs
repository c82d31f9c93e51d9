//! Evidence that does not suffice: nothing of this may pass.

mod made;

use made::trap::{spring, trap};
use made::{MOMENT, Made, Server, always, from, healthy, moment, said, slos, steps};
use serde_json::Value;

const REQUESTS: &str = "ordeal_requests_total";

/// Nothing but that the run has no end.
const KILLED: &str = "inconclusive run_unfinished";

/// As a relabelling does that drops whatever speaks of one task.
fn drop_a_task(made: &mut Made) {
    made.keep_begun();
    for family in [REQUESTS, "ordeal_request_errors_total", "ordeal_response_time_seconds_bucket"] {
        made.remove(family, &[("task", "browse")]);
    }
}

#[test]
fn series_that_are_not_what_they_should_be() {
    spring(
        "series",
        &[
            trap("the error series renamed", "shop answers", "inconclusive family_absent", |made| {
                made.rename(REQUESTS, &[("outcome", "error")], "ordeal_failures_total");
            }),
            trap("the whole family renamed", "in time", "inconclusive family_absent", |made| {
                made.rename(REQUESTS, &[], "requests_total");
            }),
            trap("all series of a task dropped", "shop answers", "inconclusive disagreement", drop_a_task),
            trap("all series of a task dropped", "in time", "inconclusive disagreement", drop_a_task),
            trap("all series of a component dropped", "health", "inconclusive family_absent", |made| {
                let of_shop = |(label, value): &(String, String)| label == "component" && value == "shop";
                made.series.retain(|series| !series.labels.iter().any(of_shop));
            }),
            trap("no count of the components", "health", "inconclusive family_absent", |made| {
                made.remove("ordeal_components", &[]);
            }),
            trap("one family without a component", "health", "inconclusive family_absent", |made| {
                made.remove("ordeal_component_up", &[("component", "shop")]);
            }),
            trap("not a number", "shop answers", "inconclusive not_finite", |made| {
                made.bend(
                    REQUESTS,
                    &[("outcome", "error")],
                    |t, count| if t > 100.0 { Some(f64::NAN) } else { count },
                );
            }),
            trap("a recovery that is no number", "PostgreSQL recovers", "inconclusive not_finite", |made| {
                made.set("ordeal_recovery_upper_seconds", &[], always(f64::NAN));
            }),
            trap("two series where one is due", "nothing lost", "inconclusive duplicate_series", |made| {
                made.duplicate("ordeal_ledger_audit", &[], "replica", "b");
            }),
            trap("two counters where one is due", "shop answers", "inconclusive duplicate_series", |made| {
                made.duplicate(REQUESTS, &[], "replica", "b");
            }),
            trap("a counter falls", "shop answers", "inconclusive counter_reset", |made| {
                let labels = [("task", "sale"), ("outcome", "ok")];
                made.bend(
                    REQUESTS,
                    &labels,
                    |t, count| if t > 300.0 { Some(count? - 3000.0) } else { count },
                );
            }),
            trap(
                "a gap where the fault was",
                "shop answers during the kill",
                "inconclusive too_few_events",
                |made| {
                    made.gap(100.0, 400.0);
                },
            ),
        ],
    );
}

#[test]
fn runs_that_are_not_whole() {
    spring(
        "run",
        &[
            trap("a gap at the end", "shop answers", "inconclusive run_unfinished", |made| made.last = 500.0),
            trap("an end that is not told", "in time", "inconclusive run_unfinished", |made| {
                made.set("ordeal_run_end_timestamp_seconds", &[], moment(1e6));
            }),
            trap("an end after all time", "in time", "inconclusive not_finite", |made| {
                made.set("ordeal_run_end_timestamp_seconds", &[], from(600.0, 1e30));
            }),
            trap("a clock after all time", "in time", "inconclusive not_finite", |made| {
                made.set("ordeal_time_seconds", &[], |t| Some(1e30 + t));
            }),
            trap("an aborted run", "nothing lost", "inconclusive run_aborted", |made| {
                let begun = [("preflight", 0.0), ("ramp", 20.0), ("steady", 40.0), ("experiments", 120.0)];
                made.walk(&[&begun[..], &[("audit", 480.0), ("aborted", 600.0)]].concat());
            }),
            trap("a restarted process", "shop answers", "inconclusive process_restarted", |made| {
                let starts = [(0.0, MOMENT - 0.5), (350.0, MOMENT + 349.0)];
                made.set("process_start_time_seconds", &[], steps(&starts));
            }),
            trap("clocks far apart", "PostgreSQL recovers", "inconclusive clock_skew", |made| {
                made.skew = 30.0;
            }),
            trap("a clock that goes back", "shop answers", "inconclusive clock_skew", |made| {
                made.set("ordeal_time_seconds", &[], |t| {
                    Some(MOMENT + if t > 300.0 { t - 3.0 } else { t + 3.0 })
                });
                made.skew = 0.0;
            }),
            trap("no clock", "nothing lost", "inconclusive family_absent", |made| {
                made.remove("ordeal_time_seconds", &[]);
            }),
            trap("a clock that is no number", "nothing lost", "inconclusive not_finite", |made| {
                made.set("ordeal_time_seconds", &[], always(f64::NAN));
            }),
            trap("no start of the process", "nothing lost", "inconclusive family_absent", |made| {
                made.remove("process_start_time_seconds", &[]);
            }),
            trap("no start of the run", "nothing lost", "inconclusive family_absent", |made| {
                made.remove("ordeal_run_start_timestamp_seconds", &[]);
            }),
            trap("no phases", "shop answers", "inconclusive family_absent", |made| {
                made.remove("ordeal_run_phase_start_timestamp_seconds", &[]);
            }),
            trap("no present phase", "nothing lost", "inconclusive family_absent", |made| {
                made.remove("ordeal_run_phase", &[]);
            }),
            trap("two series of its clock", "nothing lost", "inconclusive duplicate_series", |made| {
                made.duplicate("ordeal_time_seconds", &[], "twin", "b");
            }),
            trap("the target down for good", "nothing lost", "inconclusive run_unfinished", |made| {
                made.last = 300.0;
            }),
            trap("killed within an experiment", "members rejoin", KILLED, |made| made.last = 300.0),
            trap("killed while a component was down", "health", KILLED, |made| made.last = 245.0),
            trap("killed with requests under way", "shop answers", KILLED, |made| {
                made.last = 300.0;
                made.keep_begun();
                made.bend("ordeal_schedule_lag_seconds_count", &[], |_, begun| Some(begun? + 20.0));
            }),
            trap(
                "the target down and another process after",
                "shop answers",
                "inconclusive counter_reset process_restarted",
                |made| {
                    made.gap(300.0, 330.0);
                    let start = steps(&[(0.0, MOMENT - 0.5), (330.0, MOMENT + 329.0)]);
                    made.set("process_start_time_seconds", &[], start);
                    made.bend(REQUESTS, &[], |t, count| Some(if t > 330.0 { count? / 2.0 } else { count? }));
                },
            ),
            trap("a record that begins late", "up", "inconclusive", |made| made.first = 100.0),
        ],
    );
}

#[test]
fn experiments_that_prove_nothing() {
    spring(
        "experiment",
        &[
            trap(
                "a fault that did not bite",
                "PostgreSQL recovers",
                "inconclusive fault_ineffective",
                |made| {
                    stay(made, "ineffective");
                },
            ),
            trap(
                "a fault that did not bite, and its info dropped",
                "nothing lost",
                "inconclusive fault_missing",
                |made| {
                    stay(made, "ineffective");
                    made.remove("ordeal_experiment_info", &[]);
                },
            ),
            trap("an injection after all time", "PostgreSQL recovers", "inconclusive not_finite", |made| {
                let kill = [("experiment", "kill-postgres-primary")];
                made.set("ordeal_experiment_injected_timestamp_seconds", &kill, from(130.0, f64::INFINITY));
            }),
            trap("a refused experiment", "PostgreSQL recovers", "inconclusive fault_not_injected", |made| {
                stay(made, "refused");
            }),
            trap("an end within the experiment", "PostgreSQL recovers", "inconclusive not_final", |made| {
                stay(made, "recovering");
            }),
            trap("no probe failed", "PostgreSQL recovers", "inconclusive disagreement", |made| {
                let labels = [("component", "postgres"), ("outcome", "failed")];
                made.set("ordeal_probes_total", &labels, always(0.0));
            }),
            trap("probes failed for longer", "PostgreSQL recovers", "inconclusive disagreement", |made| {
                let labels = [("component", "postgres"), ("outcome", "failed")];
                made.bend("ordeal_probes_total", &labels, |_, count| Some(count? * 5.0));
            }),
        ],
    );
}

/// The kill of the primary ends in this state.
fn stay(made: &mut Made, state: &str) {
    let experiment = ("experiment", "kill-postgres-primary");
    made.set("ordeal_experiment_state", &[experiment], always(0.0));
    made.set("ordeal_experiment_state", &[experiment, ("state", state)], always(1.0));
}

#[test]
fn audits_and_watches_that_saw_too_little() {
    spring(
        "watch",
        &[
            trap(
                "no writes before",
                "nothing lost in the partition",
                "inconclusive no_writes_before",
                |made| {
                    made.set("ordeal_experiment_acked_writes_before", &[], always(3.0));
                },
            ),
            trap("the last audit is missing", "nothing lost", "inconclusive audit_incomplete", |made| {
                let audits = [(0.0, 0.0), (216.0, 1.0)];
                made.set("ordeal_ledger_audits_total", &[("result", "complete")], steps(&audits));
            }),
            trap("instances not observed", "no split brain", "inconclusive instances_not_observed", |made| {
                made.bend("ordeal_instances_observed_seconds_total", &[], |_, seconds| Some(seconds? * 0.5));
            }),
            trap("nobody watched for a while", "nobody intervened", "inconclusive watch_gap", |made| {
                made.bend("ordeal_interventions_watched_seconds_total", &[], |_, seconds| {
                    Some(seconds? * 0.9)
                });
            }),
            trap("nobody watched at all", "nobody intervened", "inconclusive family_absent", |made| {
                made.remove("ordeal_interventions_total", &[]);
            }),
        ],
    );
}

#[test]
fn a_series_born_late_counts_what_it_shows() {
    let mut made = healthy("born-late", 5.0);
    let late = |t: f64| (t >= 300.0).then_some(900.0);
    made.set(REQUESTS, &[("task", "sale"), ("outcome", "error")], late);
    made.set("ordeal_request_errors_total", &[("task", "sale"), ("reason", "reset")], late);
    let server = Server::with([&made]);
    assert_eq!(said(&server.verdict(&slos("born-late"), &[]), "shop answers"), "fail ");
}

#[test]
fn a_second_conductor_and_a_wrong_run_are_noticed() {
    let first = healthy("twice", 5.0);
    let mut second = healthy("twice", 5.0);
    second.instance = "other:10042".to_owned();
    let mut late = healthy("relayed", 5.0);
    late.instance = "relay:10042".to_owned();
    late.first = 400.9;
    let mut early = healthy("relayed", 5.0);
    early.last = 400.0;
    let server = Server::with([&first, &second, &early, &late]);
    for run in ["twice", "relayed"] {
        let told = server.verdict(&slos(run), &["--run", run]);
        for finding in told["findings"].as_array().expect("findings") {
            let said = said(&told, finding["name"].as_str().expect("a name"));
            assert!(said.starts_with("inconclusive") && said.contains("two_conductors"), "{said}");
        }
    }
    let told = server.verdict(&slos("twice"), &["--run", "thrice"]);
    assert_eq!(said(&told, "nothing lost"), "inconclusive run_not_found");
    assert_eq!((&told["run"], &told["exit_code"]), (&Value::Null, &Value::from(3)));
}

#[test]
fn a_run_that_prometheus_keeps_no_longer_or_that_is_not_looked_for_is_no_pass() {
    let (old, new) = (healthy("old", 15.0), healthy("new", 15.0));
    let ages = [(&old, 36_000.0), (&new, 1500.0)];
    let keeps = Server::aged(ages, &["--storage.tsdb.retention.time=1d"]);
    assert_eq!(keeps.verdict(&slos("old"), &["--run", "old"])["verdict"], "pass");
    let early = keeps.verdict(&slos("old"), &["--run", "old", "--since", "2h"]);
    assert_eq!(said(&early, "nothing lost"), "inconclusive run_not_found");
    // The search begins in the middle of the run.
    let half = keeps.verdict(&slos("new"), &["--run", "new", "--since", "1200s"]);
    assert_eq!(said(&half, "nothing lost"), "inconclusive gap");
    let forgets = Server::aged(ages, &["--storage.tsdb.retention.time=1h"]);
    let gone = forgets.verdict(&slos("old"), &["--run", "old"]);
    assert_eq!(said(&gone, "nothing lost"), "inconclusive run_not_found");
    assert_eq!(forgets.verdict(&slos("new"), &[])["verdict"], "pass");
}
