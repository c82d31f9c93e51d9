//! Scrapes that tell another story than the sums, and readings that nobody took: nothing of this may pass, and
//! what may have been missed may not fail either.

mod made;

use made::trap::{spring, trap};
use made::{Made, Server, always, from, healthy, said, slos, steps};

const DISAGREEMENT: &str = "inconclusive disagreement";
const UNCOUNTED: &str = "inconclusive uncounted";
const POSTGRES: (&str, &str) = ("component", "postgres");

/// A component is down from one time to another.
fn down(made: &mut Made, from: f64, to: f64) {
    made.bend(
        "ordeal_component_up",
        &[POSTGRES],
        move |t, up| {
            if (from..to).contains(&t) { Some(0.0) } else { up }
        },
    );
}

/// Its probes fail from one time to another.
fn failing(made: &mut Made, from: f64, to: f64) {
    let failed = move |t: f64| ((t.clamp(from, to) - from) / 0.05).floor();
    let probes = |outcome| [POSTGRES, ("outcome", outcome)];
    made.bend("ordeal_probes_total", &probes("ok"), move |t, count| Some(count? - failed(t)));
    made.bend("ordeal_probes_total", &probes("failed"), move |t, count| Some(count? + failed(t)));
}

#[test]
fn an_outage_that_the_scrapes_show_and_no_sum_tells() {
    spring(
        "shown",
        &[
            trap("down after the experiments", "health", UNCOUNTED, |made| down(made, 350.0, 470.0)),
            trap("down before the experiments", "health", UNCOUNTED, |made| down(made, 45.0, 100.0)),
            trap("down, its probes failed", "health", UNCOUNTED, |made| {
                down(made, 350.0, 470.0);
                failing(made, 350.0, 470.0);
            }),
            trap("only its probes failed", "health", UNCOUNTED, |made| failing(made, 400.0, 404.0)),
            trap("down for longer than was counted", "health", UNCOUNTED, |made| {
                down(made, 350.0, 470.0);
                let none = [POSTGRES, ("cause", "none")];
                made.set("ordeal_component_outages_total", &none, steps(&[(0.0, 0.0), (351.0, 1.0)]));
                made.set("ordeal_component_outage_seconds_total", &none, steps(&[(0.0, 0.0), (351.0, 0.2)]));
                made.set(
                    "ordeal_component_longest_outage_seconds",
                    &none,
                    steps(&[(0.0, 0.0), (351.0, 0.2)]),
                );
            }),
            trap("down long after its recovery", "PostgreSQL recovers", UNCOUNTED, |made| {
                down(made, 140.0, 210.0);
            }),
        ],
    );
}

#[test]
fn what_is_no_number_or_goes_uncounted_is_not_believed() {
    const NOT_FINITE: &str = "inconclusive not_finite";
    spring(
        "uncounted",
        &[
            trap("users that are no number", "load held", NOT_FINITE, |made| {
                made.bend("ordeal_users", &[("state", "running")], |t, users| {
                    if (100.0..400.0).contains(&t) { Some(f64::NAN) } else { users }
                });
            }),
            trap("losses that are no number for a while", "nothing lost", NOT_FINITE, |made| {
                made.bend("ordeal_ledger_audit", &[("class", "lost")], |t, lost| {
                    if (300.0..500.0).contains(&t) { Some(f64::NAN) } else { lost }
                });
            }),
            trap("outages that are no number for a while", "health", NOT_FINITE, |made| {
                made.bend("ordeal_component_longest_outage_seconds", &[("cause", "none")], |t, longest| {
                    if (300.0..400.0).contains(&t) { Some(f64::NAN) } else { longest }
                });
            }),
            trap("two writers that nobody counted", "no split brain at all", UNCOUNTED, |made| {
                made.bend("ordeal_writable_instances", &[], |t, count| {
                    if (300.0..320.0).contains(&t) { Some(2.0) } else { count }
                });
            }),
            trap("down long after, its probes missed", "PostgreSQL recovers", UNCOUNTED, |made| {
                down(made, 140.0, 210.0);
                let missed = |t: f64| ((t.clamp(140.0, 210.0) - 140.0) / 0.05).floor();
                let probes = |outcome| [POSTGRES, ("outcome", outcome)];
                made.bend("ordeal_probes_total", &probes("ok"), move |t, count| Some(count? - missed(t)));
                made.bend("ordeal_probes_total", &probes("missed"), move |t, count| Some(count? + missed(t)));
            }),
        ],
    );
}

#[test]
fn more_harm_than_was_counted_takes_nothing_from_a_failure() {
    spring(
        "harm",
        &[
            trap("lost writes, and others in no class", "nothing lost", "fail uncounted", |made| {
                made.find("lost", 346.0, 7.0);
                made.bend("ordeal_ledger_audit", &[("class", "present")], |_, found| Some(found? - 100.0));
            }),
            trap("a split brain counted as short", "no split brain at all", "fail uncounted", |made| {
                made.set("ordeal_split_brain_seconds_total", &[], steps(&[(0.0, 0.0), (305.0, 2.0)]));
                made.bend("ordeal_writable_instances", &[], |t, count| {
                    if (300.0..330.0).contains(&t) { Some(2.0) } else { count }
                });
            }),
        ],
    );
}

#[test]
fn what_is_final_had_to_last_and_stays() {
    const KILL: (&str, &str) = ("experiment", "kill-postgres-primary");
    spring(
        "final",
        &[
            trap("told before health could last", "PostgreSQL recovers", DISAGREEMENT, |made| {
                for (family, seconds) in [("", 5.41), ("lower_", 5.33), ("upper_", 5.49)] {
                    let labels = [KILL, POSTGRES, ("since", "injected")];
                    made.set(&format!("ordeal_recovery_{family}seconds"), &labels, from(134.0, seconds));
                }
            }),
            trap("a final state that lapses", "new leader", DISAGREEMENT, |made| {
                made.bend("ordeal_experiment_state", &[KILL, ("state", "recovered")], |t, holds| {
                    if (300.0..305.0).contains(&t) { Some(0.0) } else { holds }
                });
            }),
        ],
    );
}

#[test]
fn what_no_scrape_shows_is_not_proven() {
    spring(
        "unshown",
        &[
            trap("writable instances for a while", "one leader", "inconclusive gap", |made| {
                made.bend("ordeal_writable_instances", &[], |t, count| {
                    count.filter(|_| !(162.0..184.0).contains(&t))
                });
            }),
            trap("a watch that comes at once", "nobody intervened", "inconclusive watch_gap", |made| {
                made.set("ordeal_interventions_watched_seconds_total", &[], |t| {
                    Some(if t < 590.0 { 7.0 } else { t + 7.0 })
                });
            }),
            trap(
                "a watch of instances that comes at once",
                "no split brain at all",
                "inconclusive instances_not_observed",
                |made| {
                    made.set("ordeal_instances_observed_seconds_total", &[], |t| {
                        Some(if t < 590.0 { t.min(20.0) } else { t })
                    });
                },
            ),
            trap("an archive whose age stands still", "archive", DISAGREEMENT, |made| {
                let second = [("server", "pg2")];
                made.bend("pg_stat_archiver_last_archive_age", &second, |t, age| {
                    if t > 200.0 { Some(5.0) } else { age }
                });
                made.bend("pg_stat_archiver_archived_count", &second, |_, count| Some(count?.min(6.0)));
            }),
        ],
    );
}

/// The lab's shape: little to do for long, and much in the one second before the replicas rise.
fn burst(id: &str, interval: f64) -> Made {
    let mut made = healthy(id, interval);
    let busy = steps(&[(0.0, 0.267), (49.0, 0.733), (50.0, 0.9), (85.0, 0.714), (480.0, 0.05)]);
    made.set("ordeal_autoscaler_utilization_ratio", &[("state", "current")], busy);
    made
}

#[test]
fn a_reading_that_may_have_been_missed_fails_no_relief() {
    let mut missing = burst("burst-missing", 1.0);
    missing.gap(48.5, 49.99);
    let blind = ["burst-1s", "burst-5s", "burst-15s"].into_iter().zip([1.0, 5.0, 15.0]);
    let mut runs: Vec<Made> = blind.map(|(id, interval)| burst(id, interval)).collect();
    runs.push(missing);
    let server = Server::with(&runs);
    let said: Vec<String> = runs
        .iter()
        .map(|made| said(&server.verdict(&slos(&made.id), &["--run", &made.id]), "relief"))
        .collect();
    assert_eq!(said, ["pass ", "inconclusive ", "inconclusive ", "inconclusive "]);
}

#[test]
fn no_relief_fails_where_every_reading_was_seen() {
    let mut made = healthy("dense", 0.2);
    made.last = 602.0;
    made.set("ordeal_autoscaler_utilization_ratio", &[("state", "current")], always(0.4));
    let server = Server::with([&made]);
    assert_eq!(said(&server.verdict(&slos("dense"), &[]), "relief"), "fail ");
}
