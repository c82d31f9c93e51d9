//! Times that are told otherwise than they were, and counts that come otherwise than they grew: nothing of this may pass.

mod made;

use made::Made;
use made::trap::{spring, trap};

const DISAGREEMENT: &str = "inconclusive disagreement";

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
