//! Faults and what comes back after them on evidence that does not decide: inconclusive, and for the reason that is due.

mod made;

use made::trap::{spring, trap};
use made::{MOMENT, always, from, steps};

const PROBES: &str = "ordeal_probes_total";

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
            trap("nobody looked for a while", "PostgreSQL recovers", "inconclusive probes_missed", |made| {
                made.look_away("postgres", (150.0, 170.0));
            }),
            trap(
                "nobody looked across a scrape",
                "PostgreSQL recovers",
                "inconclusive probes_missed",
                |made| {
                    // At 150.9 s, 155.9 s and 160.9 s: probes told something between any two of them.
                    made.look_away("postgres", (151.5, 160.4));
                },
            ),
            trap("not told for how long", "PostgreSQL recovers", "inconclusive family_absent", |made| {
                made.remove("ordeal_component_unseen_seconds_bucket", &[]);
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
            trap("nothing found though acknowledged", "nothing lost", "inconclusive uncounted", |made| {
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
            trap("few missed, but one after the other", "health", "inconclusive probes_missed", |made| {
                made.look_away("shop", (400.0, 412.0));
            }),
            trap("missed across a scrape", "health", "inconclusive probes_missed", |made| {
                // At 400.9 s, 405.9 s and 410.9 s: probes told something between any two of them.
                made.look_away("shop", (401.5, 410.4));
            }),
            trap("missed beyond an experiment's end", "health", "inconclusive probes_missed", |made| {
                // It was final at the scrape of 215.9 s.
                made.look_away("shop", (214.0, 219.4));
            }),
            trap("not told for how long nobody looked", "health", "inconclusive family_absent", |made| {
                made.remove("ordeal_component_unseen_seconds_sum", &[("component", "shop")]);
            }),
            trap("not told how many stretches", "health", "inconclusive family_absent", |made| {
                made.remove("ordeal_component_unseen_seconds_count", &[("component", "shop")]);
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
