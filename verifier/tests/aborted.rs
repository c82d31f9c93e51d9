//! Runs that were stopped: what was seen whole still fails, what was cut short decides nothing.

mod made;

use made::{MOMENT, Made, Server, always, from, healthy, said, slos, steps};

/// Stops a run in the experiments' phase: no cooldown, an audit at once.
fn stop(made: &mut Made) {
    let begun = [("preflight", 0.0), ("ramp", 20.0), ("steady", 40.0), ("experiments", 120.0)];
    made.walk(&[&begun[..], &[("audit", 480.0), ("aborted", 600.0)]].concat());
}

/// What the run shows besides, the objective, and what is said of it.
struct Case {
    what: &'static str,
    objective: &'static str,
    said: &'static str,
    bend: fn(&mut Made),
}

const CUT: &str = "inconclusive run_aborted cut_short";
const FAIL: &str = "fail run_aborted";
const OPEN: &str = "inconclusive run_aborted";

const fn case(what: &'static str, objective: &'static str, said: &'static str, bend: fn(&mut Made)) -> Case {
    Case { what, objective, said, bend }
}

/// One request in a hundred fails.
fn errors(made: &mut Made) {
    for task in ["browse", "sale"] {
        let count = |t: f64| ((t - 20.0).clamp(0.0, 460.0) * 0.5).floor();
        made.set("ordeal_requests_total", &[("task", task), ("outcome", "error")], move |t| Some(count(t)));
        let labels = [("task", task), ("reason", "http_5xx")];
        made.set("ordeal_request_errors_total", &labels, move |t| Some(count(t)));
    }
}

fn split(made: &mut Made) {
    made.set("ordeal_split_brain_seconds_total", &[], steps(&[(0.0, 0.0), (260.0, 1.5)]));
}

fn few_replicas(made: &mut Made) {
    let replicas = steps(&[(0.0, 3.0), (60.0, 8.0), (540.0, 3.0)]);
    made.set("ordeal_workload_replicas", &[("state", "ready")], replicas);
}

fn cases() -> Vec<Case> {
    vec![
        case("nothing wrong", "load held", OPEN, |_| {}),
        case("too few users", "load held", CUT, |made| {
            made.fewer(0.75);
        }),
        case("too few replicas", "up", CUT, few_replicas),
        case("still too many", "down", FAIL, |made| {
            let replicas = steps(&[(0.0, 3.0), (75.0, 10.0), (520.0, 4.0)]);
            made.set("ordeal_workload_replicas", &[("state", "ready")], replicas);
        }),
        case("relief was judged in a phase that was whole", "relief", FAIL, |made| made.in_time(0.9)),
        case("relief in a phase that was cut", "relief", CUT, |made| {
            made.in_time(0.9);
            made.set("ordeal_autoscaler_replicas", &[("state", "current")], always(10.0));
            let begun = [("preflight", 0.0), ("ramp", 20.0), ("steady", 450.0)];
            made.walk(&[&begun[..], &[("audit", 480.0), ("aborted", 600.0)]].concat());
        }),
        case("errors", "shop answers", CUT, errors),
        case("errors in one task", "browsing answers", CUT, errors),
        case("errors while an experiment lasted", "shop answers during the kill", FAIL, errors),
        case("users who wait", "users do not wait", CUT, |made| {
            made.set("ordeal_user_seconds_total", &[("state", "overdue")], |t| Some(t.max(0.0)));
        }),
        case("failing probes", "shop probed", CUT, |made| {
            let labels = [("component", "shop"), ("outcome", "failed")];
            made.set("ordeal_probes_total", &labels, |t| Some((t.max(0.0) / 5.0).floor()));
        }),
        case("late answers", "in time", CUT, |made| made.in_time(0.9)),
        case("an experiment under way", "members rejoin", "inconclusive run_aborted not_final", |made| {
            let experiment = ("experiment", "partition-primary");
            made.set("ordeal_experiment_state", &[experiment], always(0.0));
            made.set("ordeal_experiment_state", &[experiment, ("state", "recovering")], always(1.0));
        }),
        case(
            "an experiment that never began",
            "members rejoin",
            "inconclusive run_aborted fault_not_injected",
            |made| {
                let experiment = ("experiment", "partition-primary");
                made.set("ordeal_experiment_state", &[experiment], always(0.0));
                made.set("ordeal_experiment_state", &[experiment, ("state", "skipped")], always(1.0));
            },
        ),
        case("a slow recovery", "PostgreSQL recovers", FAIL, |made| {
            let labels =
                [("experiment", "kill-postgres-primary"), ("component", "postgres"), ("since", "injected")];
            for (family, seconds) in [("", 50.0), ("lower_", 49.9), ("upper_", 50.1)] {
                made.set(&format!("ordeal_recovery_{family}seconds"), &labels, from(215.0, seconds));
            }
        }),
        case("no new leader", "new leader", FAIL, |made| {
            made.set("ordeal_leader_since_timestamp_seconds", &[], always(MOMENT + 0.2));
            made.set("ordeal_leader_changes_total", &[], always(0.0));
        }),
        case("two leaders", "one leader", FAIL, |made| {
            made.set("ordeal_writable_instances", &[], steps(&[(0.0, 1.0), (130.4, 2.0)]));
        }),
        case("a split brain", "no split brain", FAIL, split),
        case("a split brain, too", "no split brain at all", FAIL, split),
        case("lost writes", "nothing lost", FAIL, |made| {
            made.find("lost", 346.0, 7.0);
        }),
        case("a long span of lost writes", "span of lost writes", FAIL, |made| {
            made.set("ordeal_recovery_point_seconds", &[("store", "postgres")], from(215.0, 1000.0));
        }),
        case("an old archive", "archive", FAIL, |made| {
            made.set("pg_stat_archiver_last_archive_age", &[("server", "pg1")], |t| Some(t + 1000.0));
        }),
        case("down when it was stopped", "health", OPEN, |made| {
            made.bend("ordeal_component_up", &[("component", "shop")], |t, up| {
                if t > 470.0 { Some(0.0) } else { up }
            });
        }),
        case("a long outage", "health", FAIL, |made| {
            let none = [("component", "shop"), ("cause", "none")];
            for bound in ["lower", "upper"] {
                let labels = [none[0], none[1], ("bound", bound)];
                made.set("ordeal_component_longest_outage_seconds", &labels, always(3.0));
            }
            made.set("ordeal_component_outages_total", &none, always(1.0));
        }),
        case("an intervention", "nobody intervened", FAIL, |made| {
            made.set("ordeal_interventions_total", &[], steps(&[(0.0, 0.0), (300.0, 1.0)]));
        }),
        case("an alert that goes on firing", "the page goes out", FAIL, |made| {
            made.set("ALERTS", &[], |t| (t >= 140.0).then_some(1.0));
            made.last = 900.0;
        }),
        case("an alert that never fired", "the page goes out", FAIL, |made| {
            made.remove("ALERTS", &[]);
        }),
        case("an expression of their own", "own expression", CUT, |made| {
            made.set("ordeal_users", &[("state", "running")], always(199.0));
        }),
    ]
}

#[test]
fn a_stopped_run_fails_only_by_what_was_seen_whole() {
    let cases = cases();
    let bent = |(number, case): (usize, &Case)| {
        let mut made = healthy(&format!("stopped-{number}"), 5.0);
        stop(&mut made);
        (case.bend)(&mut made);
        made
    };
    let runs: Vec<Made> = cases.iter().enumerate().map(bent).collect();
    let server = Server::with(&runs);
    let mut wrong = Vec::new();
    for (case, made) in cases.iter().zip(&runs) {
        let told = server.verdict(&slos(&made.id), &["--run", &made.id]);
        let said = said(&told, case.objective);
        if !said.starts_with(case.said) {
            wrong.push(format!("{}: {} is {said}", case.what, case.objective));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_of_objective_is_looked_at_on_a_stopped_run() {
    let all = slos("x");
    for name in all.lines().filter_map(|line| line.split("{name: ").nth(1)?.split(',').next()) {
        let covered = cases().iter().any(|case| case.objective == name);
        assert!(covered || name == "nothing lost in the partition", "{name}");
    }
}

/// It ends in preflight since the shop is down: nobody asked for anything, and nothing was broken.
fn refuse(made: &mut Made) {
    made.walk(&[("preflight", 0.0), ("aborted", 600.0)]);
    made.stop_users(0.0);
    made.set("ordeal_component_up", &[("component", "shop")], always(0.0));
    made.set("ordeal_experiment_state", &[], always(0.0));
    made.set("ordeal_experiment_state", &[("state", "planned")], always(1.0));
    made.remove("ordeal_experiment_injected_timestamp_seconds", &[]);
    made.remove("ordeal_experiment_reverted_timestamp_seconds", &[]);
}

#[test]
fn of_a_run_that_ended_before_its_load_only_that_is_told() {
    let mut made = healthy("refused", 5.0);
    refuse(&mut made);
    let mut divided = healthy("divided", 5.0);
    refuse(&mut divided);
    split(&mut divided);
    let server = Server::with([&made, &divided]);
    let told = server.verdict(&slos("refused"), &["--run", "refused"]);
    for finding in told["findings"].as_array().expect("findings") {
        let name = finding["name"].as_str().expect("a name");
        assert_eq!(said(&told, name), OPEN, "{name}");
        let detail = &finding["shortfalls"][0]["detail"];
        assert_eq!(detail, "it ended in `preflight`, before any load; down: shop", "{name}");
    }
    let output = server.verify(&slos("refused"), &["--run", "refused"]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(text.matches("What to do:").count(), 1, "{text}");
    // Harm that was seen stays.
    let told = server.verdict(&slos("divided"), &["--run", "divided"]);
    assert!(said(&told, "no split brain at all").starts_with(FAIL), "{told:#}");
}

#[test]
fn a_run_stopped_after_its_load_fails_by_its_load() {
    let mut made = healthy("cooled", 5.0);
    let begun = [("preflight", 0.0), ("ramp", 20.0), ("steady", 40.0), ("experiments", 120.0)];
    made.walk(&[&begun[..], &[("cooldown", 480.0), ("audit", 570.0), ("aborted", 600.0)]].concat());
    errors(&mut made);
    let server = Server::with([&made]);
    assert_eq!(said(&server.verdict(&slos("cooled"), &[]), "shop answers"), FAIL);
}
