//! When a recovery was final: what comes after that is no part of it, and it is not told before.

mod made;

use made::trap::{spring, trap};
use made::{Made, Server, always, from, healthy, said, slos, steps};

const DISAGREEMENT: &str = "inconclusive disagreement";
const UNCOUNTED: &str = "inconclusive uncounted";
const KILL: (&str, &str) = ("experiment", "kill-postgres-primary");
const POSTGRES: (&str, &str) = ("component", "postgres");
/// PostgreSQL is back 5.49 s after the kill at 130.3 s, at the latest, and health has to hold for 30 s.
const FINAL: f64 = 165.79;

/// PostgreSQL's recovery from the kill is told from then on, with these bounds.
fn told(made: &mut Made, since: f64, bounds: [f64; 3]) {
    for (family, seconds) in ["lower_", "", "upper_"].into_iter().zip(bounds) {
        let labels = [KILL, POSTGRES, ("since", "injected")];
        made.set(&format!("ordeal_recovery_{family}seconds"), &labels, from(since, seconds));
    }
}

/// It is told from then on as it was.
fn told_at(made: &mut Made, since: f64) {
    told(made, since, [5.33, 5.41, 5.49]);
}

/// PostgreSQL is down once more, and that is counted as the experiment's.
fn relapse(made: &mut Made, from: f64, to: f64) {
    let seconds = move |t: f64| t.clamp(from, to) - from;
    let failed = move |t: f64| (seconds(t) / 0.05).floor();
    let probes = |outcome| [POSTGRES, ("outcome", outcome)];
    let explained = [POSTGRES, ("cause", "experiment")];
    made.bend("ordeal_probes_total", &probes("ok"), move |t, count| Some(count? - failed(t)));
    made.bend("ordeal_probes_total", &probes("failed"), move |t, count| Some(count? + failed(t)));
    made.bend("ordeal_component_outages_total", &explained, move |t, count| {
        Some(count? + f64::from(u8::from(t >= from)))
    });
    made.bend("ordeal_component_outage_seconds_total", &explained, move |t, sum| Some(sum? + seconds(t)));
    made.bend(
        "ordeal_component_up",
        &[POSTGRES],
        move |t, up| {
            if (from..to + 5.0).contains(&t) { Some(0.0) } else { up }
        },
    );
}

#[test]
fn an_outage_after_that_is_no_part_of_it_though_the_experiment_goes_on() {
    let mut made = healthy("after", 5.0);
    told_at(&mut made, FINAL);
    relapse(&mut made, 168.0, 176.0);
    let server = Server::with([&made]);
    let verdict = server.verdict(&slos("after"), &[]);
    assert_eq!(said(&verdict, "PostgreSQL recovers"), "pass ");
    assert_eq!(said(&verdict, "health"), "pass ");
    let reachable = "objectives: [{name: reachable, kind: availability, by: probes, component: postgres, \
                     during: {experiment: kill-postgres-primary}, at_least: 90%}]\n";
    assert_eq!(said(&server.verdict(reachable, &[]), "reachable"), "fail ");
}

#[test]
fn what_comes_before_that_is_part_of_it() {
    spring(
        "before",
        &[
            trap("a relapse", "PostgreSQL recovers", DISAGREEMENT, |made| {
                told_at(made, FINAL);
                relapse(made, 150.0, 158.0);
            }),
            trap("a relapse, though it was told before", "PostgreSQL recovers", DISAGREEMENT, |made| {
                told_at(made, 145.0);
                relapse(made, 150.0, 158.0);
            }),
            trap("a relapse, though health need hold for less", "PostgreSQL recovers", UNCOUNTED, |made| {
                made.set("ordeal_settle_seconds", &[], always(5.0));
                told_at(made, FINAL);
                relapse(made, 150.0, 158.0);
            }),
        ],
    );
}

#[test]
fn it_is_not_told_before() {
    spring(
        "early",
        &[
            trap("when health had lasted", "PostgreSQL recovers", DISAGREEMENT, |made| told_at(made, 145.0)),
            trap("a bound of it", "PostgreSQL recovers", DISAGREEMENT, |made| {
                let labels = [KILL, POSTGRES, ("since", "injected")];
                made.set("ordeal_recovery_lower_seconds", &labels, from(145.0, 5.33));
            }),
            trap("counted from the revert", "members rejoin", DISAGREEMENT, |made| {
                let members = [("component", "postgres-members"), ("since", "reverted")];
                made.set("ordeal_recovery_upper_seconds", &members, from(290.0, 12.48));
            }),
            trap("with the experiment's end", "PostgreSQL recovers", DISAGREEMENT, |made| {
                for (state, steps) in [
                    ("recovering", steps(&[(0.0, 0.0), (132.3, 1.0), (150.0, 0.0)])),
                    ("recovered", steps(&[(0.0, 0.0), (150.0, 1.0)])),
                ] {
                    made.set("ordeal_experiment_state", &[KILL, ("state", state)], steps);
                }
            }),
            trap("that it did not come", "PostgreSQL recovers", DISAGREEMENT, |made| {
                told(made, 180.0, [84.7, f64::INFINITY, f64::INFINITY]);
            }),
        ],
    );
}

#[test]
fn how_long_health_must_hold_is_told_and_stays() {
    spring(
        "settle",
        &[
            trap("not at all", "PostgreSQL recovers", "inconclusive family_absent", |made| {
                made.remove("ordeal_settle_seconds", &[]);
            }),
            trap("otherwise at first", "PostgreSQL recovers", DISAGREEMENT, |made| {
                made.set("ordeal_settle_seconds", &[], steps(&[(0.0, 5.0), (300.0, 30.0)]));
            }),
            trap("as nothing", "PostgreSQL recovers", DISAGREEMENT, |made| {
                made.set("ordeal_settle_seconds", &[], always(0.0));
            }),
        ],
    );
}
