//! Every kind of objective on evidence that does not decide: inconclusive, and for the reason that is due.

mod made;

use made::trap::{spring, trap};
use made::{MOMENT, Server, always, from, healthy, said, steps};

const REQUESTS: &str = "ordeal_requests_total";
const PROBES: &str = "ordeal_probes_total";
const BUCKETS: &str = "ordeal_response_time_seconds_bucket";
const READY: [(&str, &str); 1] = [("state", "ready")];

#[test]
fn load_held() {
    spring(
        "load-held",
        &[
            trap("half of it unseen", "load held", "inconclusive gap", |made| made.gap(150.0, 400.0)),
            trap("users that do not think", "load held", "inconclusive not_finite", |made| {
                made.set("ordeal_think_time_seconds", &[], always(0.0));
            }),
            trap("a number of users that is none", "load held", "inconclusive not_finite", |made| {
                made.bend("ordeal_users", &[("state", "target")], |t, users| {
                    if t > 300.0 { Some(f64::NAN) } else { users }
                });
            }),
            trap("nobody wanted", "load held", "inconclusive no_samples", |made| {
                made.set("ordeal_users", &[("state", "target")], always(0.0));
            }),
            trap("too few requests", "load held", "inconclusive too_few_events", |made| {
                made.set(REQUESTS, &[("outcome", "ok")], always(100.0));
            }),
            trap("no phase of steady load", "load held", "inconclusive no_samples", |made| {
                made.remove("ordeal_run_phase_start_timestamp_seconds", &[("phase", "steady")]);
            }),
        ],
    );
}

#[test]
fn scaling() {
    spring(
        "scaling",
        &[
            trap("large before the load", "up", "inconclusive not_at_replicas", |made| {
                made.set("ordeal_workload_replicas", &READY, always(10.0));
            }),
            trap("not told before the load", "up", "inconclusive no_samples", |made| {
                made.bend("ordeal_workload_replicas", &READY, |t, ready| ready.filter(|_| t > 30.0));
            }),
            trap("an autoscaler that did nothing", "up", "inconclusive disagreement", |made| {
                made.set("ordeal_autoscaler_replicas", &[("state", "current")], always(3.0));
            }),
            trap("not seen while it may have grown", "up", "inconclusive gap", |made| {
                made.set("ordeal_workload_replicas", &READY, always(3.0));
                made.gap(60.0, 300.0);
            }),
            trap("large between two scrapes around the load's end", "up", "inconclusive ", |made| {
                made.set(
                    "ordeal_workload_replicas",
                    &READY,
                    steps(&[(0.0, 3.0), (60.0, 8.0), (478.0, 10.0), (540.0, 3.0)]),
                );
            }),
            trap("replicas that are no number", "up", "inconclusive not_finite", |made| {
                made.set("ordeal_workload_replicas", &READY, always(f64::NAN));
            }),
            trap("nothing to come back from", "down", "inconclusive not_at_replicas", |made| {
                made.set("ordeal_workload_replicas", &READY, always(3.0));
            }),
            trap("back between two scrapes around the limit", "down", "inconclusive ", |made| {
                made.set(
                    "ordeal_workload_replicas",
                    &READY,
                    steps(&[(0.0, 3.0), (75.0, 10.0), (598.0, 3.0)]),
                );
            }),
            trap("no load to come back from", "down", "inconclusive no_samples", |made| {
                made.remove("ordeal_run_phase_start_timestamp_seconds", &[("phase", "ramp")]);
            }),
        ],
    );
}

#[test]
fn relief() {
    const BUSY: &str = "ordeal_autoscaler_utilization_ratio";
    spring(
        "relief",
        &[
            trap("fewer replicas than promised", "relief", "inconclusive not_at_replicas", |made| {
                made.set("ordeal_workload_replicas", &READY, steps(&[(0.0, 3.0), (75.0, 9.0)]));
            }),
            trap("answers that were not timed", "relief", "inconclusive disagreement", |made| {
                made.bend(BUCKETS, &[("outcome", "ok")], |_, count| Some((count? * 0.99).floor()));
            }),
            trap("never the few replicas", "relief", "inconclusive not_at_replicas", |made| {
                made.set("ordeal_workload_replicas", &READY, always(10.0));
            }),
            trap("utilisation that is no number", "relief", "inconclusive not_finite", |made| {
                made.bend(
                    BUSY,
                    &[("state", "current")],
                    |t, busy| if t > 100.0 { Some(f64::NAN) } else { busy },
                );
            }),
            trap("the end of steady unseen", "relief", "inconclusive", |made| made.gap(88.0, 119.0)),
            trap("between the bounds", "relief", "inconclusive ", |made| {
                made.set(
                    BUSY,
                    &[("state", "current")],
                    steps(&[(0.0, 0.1), (30.0, 0.8), (100.0, 0.5), (103.0, 0.9), (110.0, 0.7)]),
                );
            }),
            trap("no phase of steady load", "relief", "inconclusive no_samples", |made| {
                made.remove("ordeal_run_phase_start_timestamp_seconds", &[("phase", "steady")]);
            }),
        ],
    );
}

#[test]
fn leader() {
    const SINCE: &str = "ordeal_leader_since_timestamp_seconds";
    const CHANGES: &str = "ordeal_leader_changes_total";
    spring(
        "leader",
        &[
            trap("new, but no change counted", "new leader", "inconclusive disagreement", |made| {
                made.set(CHANGES, &[], always(0.0));
            }),
            trap("a change counted, but the old one", "new leader", "inconclusive disagreement", |made| {
                made.set(SINCE, &[], always(MOMENT + 0.2));
            }),
            trap("a time that is none", "new leader", "inconclusive not_finite", |made| {
                made.set(SINCE, &[], always(f64::NAN));
            }),
            trap("instances hardly asked", "new leader", "inconclusive instances_not_observed", |made| {
                made.bend("ordeal_instances_observed_seconds_total", &[], |_, seconds| Some(seconds? * 0.9));
            }),
            trap(
                "instances hardly asked, too",
                "one leader",
                "inconclusive instances_not_observed",
                |made| {
                    made.bend("ordeal_instances_observed_seconds_total", &[], |_, seconds| {
                        Some(seconds? * 0.9)
                    });
                },
            ),
            trap("unseen after the fault", "one leader", "inconclusive gap", |made| made.gap(140.0, 205.0)),
            trap("one between two scrapes around the limit", "one leader", "inconclusive ", |made| {
                made.set("ordeal_writable_instances", &[], steps(&[(0.0, 1.0), (130.4, 0.0), (159.0, 1.0)]));
            }),
        ],
    );
}

#[test]
fn availability() {
    spring(
        "availability",
        &[
            trap("too few requests", "browsing answers", "inconclusive too_few_events", |made| {
                made.set(REQUESTS, &[("outcome", "ok")], always(2000.0));
            }),
            trap("errors without reasons", "shop answers", "inconclusive disagreement", |made| {
                made.set(
                    REQUESTS,
                    &[("task", "sale"), ("outcome", "error")],
                    steps(&[(0.0, 0.0), (200.0, 9.0)]),
                );
            }),
            trap("a task that is not there", "browsing answers", "inconclusive family_absent", |made| {
                made.remove(REQUESTS, &[("task", "browse")]);
            }),
            trap(
                "errors of a generator out of breath",
                "shop answers",
                "inconclusive generator_saturated",
                |made| {
                    let errors = steps(&[(0.0, 0.0), (200.0, 300.0)]);
                    made.set(REQUESTS, &[("task", "sale"), ("outcome", "error")], errors.clone());
                    made.set("ordeal_request_errors_total", &[("task", "sale"), ("reason", "reset")], errors);
                    made.set(
                        "ordeal_saturated_seconds_total",
                        &[("cause", "cpu")],
                        steps(&[(0.0, 0.0), (200.0, 60.0)]),
                    );
                },
            ),
            trap(
                "errors between two scrapes at the edge",
                "shop answers during the kill",
                "inconclusive ",
                |made| {
                    // Before the injection at 130.3 s or after it: between the scrapes at 125.9 s and 130.9 s.
                    let errors = steps(&[(0.0, 0.0), (130.0, 40.0)]);
                    made.set(REQUESTS, &[("task", "sale"), ("outcome", "error")], errors.clone());
                    made.set("ordeal_request_errors_total", &[("task", "sale"), ("reason", "reset")], errors);
                },
            ),
            trap("users' time partly unknown", "users do not wait", "inconclusive family_absent", |made| {
                made.remove("ordeal_user_seconds_total", &[("state", "overdue")]);
            }),
            trap("probes that were missed", "shop probed", "inconclusive ", |made| {
                made.set(
                    PROBES,
                    &[("component", "shop"), ("outcome", "missed")],
                    steps(&[(0.0, 0.0), (200.0, 400.0)]),
                );
            }),
            trap("no probe", "shop probed", "inconclusive too_few_events", |made| {
                made.set(PROBES, &[("component", "shop")], always(0.0));
            }),
        ],
    );
}

#[test]
fn latency() {
    spring(
        "latency",
        &[
            trap("no bound at the limit", "in time", "inconclusive saturated_bucket", |made| {
                for le in ["1", "1.5"] {
                    made.bend(BUCKETS, &[("outcome", "ok"), ("le", le)], |_, count| {
                        Some((count? * 0.9).floor())
                    });
                }
                made.remove(BUCKETS, &[("le", "2")]);
            }),
            trap("answers that were not timed", "in time", "inconclusive disagreement", |made| {
                made.bend(BUCKETS, &[("outcome", "ok")], |_, count| Some((count? * 0.99).floor()));
            }),
            trap("no histogram", "in time", "inconclusive family_absent", |made| made.remove(BUCKETS, &[])),
            trap("one task's histogram missing", "in time", "inconclusive disagreement", |made| {
                made.remove(BUCKETS, &[("task", "sale")]);
            }),
            trap(
                "late by a generator out of breath",
                "in time",
                "inconclusive generator_saturated",
                |made| {
                    for le in ["2", "3", "5"] {
                        made.bend(BUCKETS, &[("outcome", "ok"), ("le", le)], |_, count| {
                            Some((count? * 0.9).floor())
                        });
                    }
                    made.set(
                        "ordeal_saturated_seconds_total",
                        &[("cause", "cpu")],
                        steps(&[(0.0, 0.0), (200.0, 90.0)]),
                    );
                },
            ),
        ],
    );
}

#[test]
fn recovery() {
    const BOUNDS: [&str; 3] =
        ["ordeal_recovery_lower_seconds", "ordeal_recovery_seconds", "ordeal_recovery_upper_seconds"];
    const KILL: [(&str, &str); 2] = [("experiment", "kill-postgres-primary"), ("component", "postgres")];
    spring(
        "recovery",
        &[
            trap("around the limit", "PostgreSQL recovers", "inconclusive", |made| {
                for (family, seconds) in BOUNDS.into_iter().zip([29.0, 30.0, 31.0]) {
                    made.set(family, &KILL, from(215.0, seconds));
                }
            }),
            trap("not within its own bounds", "PostgreSQL recovers", "inconclusive disagreement", |made| {
                made.set(BOUNDS[1], &KILL, from(215.0, 99.0));
            }),
            trap("other than at first", "PostgreSQL recovers", "inconclusive disagreement", |made| {
                made.set(BOUNDS[2], &KILL, steps(&[(215.0, 5.6), (300.0, 5.5)]));
            }),
            trap("no component of that name", "PostgreSQL recovers", "inconclusive family_absent", |made| {
                for family in BOUNDS {
                    made.remove(family, &KILL);
                }
            }),
            trap("never reverted", "members rejoin", "inconclusive no_samples", |made| {
                made.remove("ordeal_experiment_reverted_timestamp_seconds", &[]);
            }),
            trap("no probes at all", "PostgreSQL recovers", "inconclusive no_samples", |made| {
                made.set(PROBES, &[("component", "postgres")], always(0.0));
            }),
            trap("no outage counted", "PostgreSQL recovers", "inconclusive disagreement", |made| {
                made.set("ordeal_component_outages_total", &[("component", "postgres")], always(0.0));
            }),
        ],
    );
}

#[test]
fn split_brain() {
    const SPLIT: &str = "ordeal_split_brain_seconds_total";
    spring(
        "split-brain",
        &[
            trap("not claimed", "no split brain at all", "inconclusive family_absent", |made| {
                made.remove(SPLIT, &[]);
            }),
            trap("between two scrapes at the edge", "no split brain", "inconclusive ", |made| {
                made.set(SPLIT, &[], steps(&[(0.0, 0.0), (239.0, 1.5)]));
            }),
            trap("hardly observed", "no split brain at all", "inconclusive instances_not_observed", |made| {
                made.bend("ordeal_instances_observed_seconds_total", &[], |_, seconds| Some(seconds? * 0.9));
            }),
        ],
    );
}

#[test]
fn data_loss_and_recovery_point_of_writes() {
    const AUDITS: &str = "ordeal_ledger_audits_total";
    let audits = |what, objective| {
        trap(what, objective, "inconclusive audit_incomplete", |made| {
            made.set(AUDITS, &[("result", "incomplete")], steps(&[(0.0, 0.0), (346.0, 1.0)]));
        })
    };
    spring(
        "audit",
        &[
            audits("an audit that read a part", "nothing lost"),
            audits("an audit that read a part, too", "span of lost writes"),
            trap("nothing found though acknowledged", "nothing lost", "inconclusive disagreement", |made| {
                made.set("ordeal_ledger_audit", &[("class", "present")], always(0.0));
            }),
            trap("a class that is not there", "nothing lost", "inconclusive family_absent", |made| {
                made.remove("ordeal_ledger_audit", &[("class", "lost")]);
            }),
            trap("no phase of audit", "nothing lost", "inconclusive audit_incomplete", |made| {
                made.remove("ordeal_run_phase_start_timestamp_seconds", &[("phase", "audit")]);
            }),
            trap("no ledger", "span of lost writes", "inconclusive family_absent", |made| {
                made.remove("ordeal_recovery_point_seconds", &[]);
            }),
            trap("a span that is no number", "span of lost writes", "inconclusive not_finite", |made| {
                made.set("ordeal_recovery_point_seconds", &[("store", "postgres")], from(215.0, f64::NAN));
            }),
        ],
    );
}

#[test]
fn recovery_point_of_the_archive() {
    const AGE: &str = "pg_stat_archiver_last_archive_age";
    const ARCHIVED: &str = "pg_stat_archiver_archived_count";
    const NOT_PROVEN: &str = "inconclusive archive_not_proven";
    spring(
        "archive",
        &[
            trap("nobody archives", "archive", "inconclusive no_samples", |made| {
                made.set("pg_replication_is_replica", &[], always(1.0));
            }),
            trap("no such exporter", "archive", "inconclusive family_absent", |made| {
                made.remove("pg_replication_is_replica", &[]);
            }),
            trap("too few archived", "archive", NOT_PROVEN, |made| made.set(ARCHIVED, &[], always(1.0))),
            trap("one failed", "archive", NOT_PROVEN, |made| {
                made.set("pg_stat_archiver_failed_count", &[], steps(&[(0.0, 0.0), (300.0, 1.0)]));
            }),
            trap("none since the promotion", "archive", NOT_PROVEN, |made| {
                made.set(AGE, &[("server", "pg2")], |t| Some(t - 100.0));
            }),
            trap("one server seen twice", "archive", "inconclusive duplicate_series", |made| {
                for family in [AGE, ARCHIVED, "pg_stat_archiver_failed_count", "pg_replication_is_replica"] {
                    made.duplicate(family, &[], "twin", "b");
                }
            }),
        ],
    );
}

#[test]
fn health() {
    spring(
        "health",
        &[
            trap("a component that is not there", "health", "inconclusive family_absent", |made| {
                made.remove("ordeal_component_up", &[]);
            }),
            trap("not told before the load", "health", "inconclusive no_samples", |made| {
                made.bend("ordeal_component_up", &[("component", "shop")], |t, up| up.filter(|_| t > 300.0));
            }),
            trap("probes missed", "health", "inconclusive probes_missed", |made| {
                let missed = steps(&[(0.0, 0.0), (200.0, 900.0)]);
                made.set(PROBES, &[("component", "shop"), ("outcome", "missed")], missed);
            }),
            trap("an outage of no length", "health", "inconclusive disagreement", |made| {
                let labels = [("component", "shop"), ("cause", "none")];
                made.set("ordeal_component_outages_total", &labels, steps(&[(0.0, 0.0), (300.0, 1.0)]));
            }),
            trap("failures without an outage", "health", "inconclusive disagreement", |made| {
                let failed = steps(&[(0.0, 0.0), (300.0, 5.0)]);
                made.set(PROBES, &[("component", "shop"), ("outcome", "failed")], failed);
            }),
            trap("no probe answered", "health", "inconclusive no_samples", |made| {
                made.set(PROBES, &[("component", "shop"), ("outcome", "ok")], always(0.0));
            }),
            trap("around the limit", "health", "inconclusive ", |made| {
                let none = [("component", "shop"), ("cause", "none")];
                made.set("ordeal_component_outages_total", &none, steps(&[(0.0, 0.0), (300.0, 1.0)]));
                for (bound, seconds) in [("lower", 0.4), ("upper", 0.6)] {
                    let labels = [none[0], none[1], ("bound", bound)];
                    made.set("ordeal_component_longest_outage_seconds", &labels, always(seconds));
                }
            }),
        ],
    );
}

#[test]
fn intervention() {
    const COUNT: &str = "ordeal_interventions_total";
    const WATCHED: &str = "ordeal_interventions_watched_seconds_total";
    spring(
        "intervention",
        &[
            trap("a count that falls", "nobody intervened", "inconclusive counter_reset", |made| {
                made.set(COUNT, &[], steps(&[(0.0, 3.0), (300.0, 0.0)]));
            }),
            trap("a watch begun anew", "nobody intervened", "inconclusive counter_reset", |made| {
                made.bend(WATCHED, &[], |t, seconds| if t > 300.0 { Some(t - 300.0) } else { seconds });
            }),
            trap("no watch", "nobody intervened", "inconclusive family_absent", |made| {
                made.remove(WATCHED, &[]);
            }),
            trap("not a number", "nobody intervened", "inconclusive not_finite", |made| {
                made.set(COUNT, &[], always(f64::NAN));
            }),
        ],
    );
}

#[test]
fn own_expressions() {
    let server = Server::with([&healthy("r", 5.0)]);
    let target = r#"ordeal_users{state="target"}"#;
    let table = [
        (format!("{target} @ $end / 0"), "inconclusive not_finite"),
        (format!("{target} @ $end == 12345"), "inconclusive no_samples"),
        ("no_such_metric".to_owned(), "inconclusive no_samples"),
        ("max_over_time(ordeal_users[$window] @ $end)".to_owned(), "inconclusive duplicate_series"),
        ("sum(".to_owned(), "inconclusive query_error"),
        (target.replace('}', "}[5m]"), "inconclusive query_error"),
        (r#""text""#.to_owned(), "inconclusive query_error"),
    ];
    for (expr, due) in table {
        let slos = format!("objectives: [{{name: own, kind: promql, expr: '{expr}', at_least: 0}}]\n");
        assert_eq!(said(&server.verdict(&slos, &[]), "own"), due, "{expr}");
    }
}
