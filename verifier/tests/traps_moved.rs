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
