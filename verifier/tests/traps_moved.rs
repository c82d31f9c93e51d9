//! Times that are told otherwise than they were, and counts that come otherwise than they grew: nothing of this may pass.

mod made;

use made::Made;
use made::trap::{spring, trap};

const DISAGREEMENT: &str = "inconclusive disagreement";
const GAP: &str = "inconclusive gap";

/// The phases of the healthy run, some of which begin at another time.
fn walk(made: &mut Made, moved: &[(&'static str, f64)]) {
    let told = [
        ("preflight", 0.0),
        ("ramp", 20.0),
        ("steady", 40.0),
        ("experiments", 120.0),
        ("cooldown", 480.0),
        ("audit", 570.0),
        ("finished", 600.0),
    ];
    let other = |name: &str| moved.iter().find(|(phase, _)| *phase == name).map(|(_, start)| *start);
    made.walk(&told.map(|(name, start)| (name, other(name).unwrap_or(start))));
}

#[test]
fn a_load_that_began_or_ended_at_another_time_than_its_users() {
    let ended_late =
        |objective| trap("ended late", objective, DISAGREEMENT, |made| walk(made, &[("cooldown", 530.0)]));
    spring(
        "moved",
        &[
            ended_late("down"),
            ended_late("relief"),
            ended_late("load held"),
            trap("ended early", "load held", DISAGREEMENT, |made| walk(made, &[("cooldown", 450.0)])),
            trap("began late", "up", DISAGREEMENT, |made| walk(made, &[("ramp", 35.0)])),
            trap("no user ran to its end", "down", DISAGREEMENT, |made| {
                made.bend("ordeal_users", &[("state", "running")], |t, users| {
                    Some(if t < 400.0 { users? } else { 0.0 })
                });
            }),
            trap("faults before they were due", "relief", DISAGREEMENT, |made| {
                walk(made, &[("experiments", 200.0)]);
            }),
        ],
    );
}

/// No good probe of a component is counted from 350 s to 500 s, and then all at once.
fn at_once(made: &mut Made, component: &str) {
    let labels = [("component", component), ("outcome", "ok")];
    made.bend("ordeal_probes_total", &labels, |t, count| {
        Some(if t < 500.0 { count?.min(6900.0) } else { count? })
    });
}

#[test]
fn probes_that_are_counted_all_at_once() {
    spring(
        "at-once",
        &[
            trap("of one component", "health", DISAGREEMENT, |made| at_once(made, "shop")),
            trap("of that component", "shop probed", DISAGREEMENT, |made| at_once(made, "shop")),
            trap("of what recovers", "PostgreSQL recovers", DISAGREEMENT, |made| at_once(made, "postgres")),
            trap("no time that they took", "health", "inconclusive family_absent", |made| {
                made.remove("ordeal_probe_duration_seconds_sum", &[]);
            }),
        ],
    );
}

#[test]
fn logs_whose_count_falls_again_and_again() {
    spring(
        "falls",
        &[trap("with each other log", "archive", "inconclusive counter_reset", |made| {
            made.bend("pg_stat_archiver_archived_count", &[("server", "pg2")], |t, count| {
                Some(if t < 200.0 { count? } else { count? % 2.0 })
            });
        })],
    );
}

#[test]
fn components_that_are_not_seen_from_the_beginning() {
    spring(
        "unseen",
        &[
            trap("one of them", "health", GAP, |made| {
                made.bend("ordeal_component_up", &[("component", "shop")], |t, up| up.filter(|_| t > 15.0));
            }),
            trap("none before the load", "health", GAP, |made| made.first = 30.0),
        ],
    );
}

#[test]
fn users_whose_seconds_are_not_those_that_they_ran() {
    spring(
        "seconds",
        &[
            trap("half of the thinking", "load held", DISAGREEMENT, |made| thinking(made, 0.5)),
            trap("half of it, too", "users do not wait", DISAGREEMENT, |made| thinking(made, 0.5)),
            trap("waiting hidden by thinking", "users do not wait", DISAGREEMENT, |made| {
                made.set("ordeal_user_seconds_total", &[("state", "overdue")], |t| Some(t.max(0.0)));
                thinking(made, 10.0);
            }),
            trap("users that were not told at first", "users do not wait", GAP, |made| {
                let running = [("state", "running")];
                made.bend("ordeal_users", &running, |t, users| users.filter(|_| t > 300.0));
            }),
        ],
    );
}

/// Users are told to have thought for another time.
fn thinking(made: &mut Made, times: f64) {
    made.bend("ordeal_user_seconds_total", &[("state", "thinking")], move |_, seconds| {
        Some(seconds? * times)
    });
}
