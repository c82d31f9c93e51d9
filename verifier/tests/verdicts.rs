//! The verifier against a real Prometheus with made runs: what must pass, and every kind failing once.

mod made;

use made::spread::spread;
use made::{MOMENT, Made, Server, always, from, healthy, requests, said, slos, steps};
use serde_json::Value;

/// One objective out of the file.
fn one(run: &str, name: &str) -> String {
    let all = slos(run);
    let line = all.lines().find(|line| line.contains(&format!("{{name: {name},")));
    format!("objectives:\n{}\n", line.unwrap_or_else(|| panic!("an objective {name:?}")))
}

/// The findings that did not pass.
fn not_passed(told: &Value) -> Vec<&Value> {
    told["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| finding["verdict"] != "pass")
        .collect()
}

fn told(server: &Server, run: &str) -> Value {
    server.verdict(&slos(run), &["--run", run])
}

#[test]
fn a_healthy_run_passes_at_any_scrape_interval_and_with_scrapes_missing() {
    let mut holes = [healthy("holes-1s", 1.0), healthy("holes-15s", 15.0)];
    for made in &mut holes {
        made.one_missing_in = 100;
    }
    // None of those in which the page may go out again.
    holes[1].one_missing_in = 56;
    let runs = [healthy("each-1s", 1.0), healthy("each-15s", 15.0)];
    let all: Vec<&Made> = runs.iter().chain(&holes).collect();
    for server in Server::each_version(&all) {
        for made in &all {
            let told = told(&server, &made.id);
            assert_eq!(not_passed(&told), Vec::<&Value>::new(), "{}", made.id);
            assert_eq!(told["verdict"], "pass");
        }
    }
}

#[test]
fn a_run_of_several_load_processes_is_added_up() {
    let (conductor, workers) = spread("spread", 5.0);
    let mut broken = spread("unequal", 5.0);
    broken.1[1].remove("ordeal_response_time_seconds_bucket", &[("le", "2")]);
    let mut renamed = spread("renamed", 5.0);
    renamed.1[0].rename("ordeal_requests_total", &[("outcome", "error")], "other");
    let all = [&conductor, &broken.0, &renamed.0];
    let workers = workers.iter().chain(&broken.1).chain(&renamed.1);
    let server = Server::with(all.into_iter().chain(workers));
    let whole = told(&server, "spread");
    let names: Vec<&Value> = not_passed(&whole).into_iter().map(|finding| &finding["name"]).collect();
    // The expression asks the conductor for users, which run elsewhere.
    assert_eq!(names, ["own expression"], "{whole:#}");
    assert_eq!(whole["run"]["processes"].as_array().map(Vec::len), Some(3));
    assert_eq!(said(&told(&server, "unequal"), "in time"), "inconclusive buckets_differ");
    assert_eq!(said(&told(&server, "renamed"), "shop answers"), "inconclusive family_absent");
}

/// The objective that is broken, and how the run is bent.
type Breach = (&'static str, fn(&mut Made));

/// Runs that break one promise each.
fn breaches() -> Vec<Breach> {
    vec![
        ("load held", |made| made.fewer(0.75)),
        ("up", |made| {
            made.set(
                "ordeal_workload_replicas",
                &[("state", "ready")],
                steps(&[(0.0, 3.0), (60.0, 8.0), (540.0, 3.0)]),
            );
        }),
        ("down", |made| {
            made.set(
                "ordeal_workload_replicas",
                &[("state", "ready")],
                steps(&[(0.0, 3.0), (75.0, 10.0), (520.0, 4.0)]),
            );
        }),
        ("relief", |made| made.in_time(0.9)),
        ("new leader", |made| {
            made.set("ordeal_leader_since_timestamp_seconds", &[], always(MOMENT + 0.2));
            made.set("ordeal_leader_changes_total", &[], always(0.0));
        }),
        ("one leader", |made| made.set("ordeal_writable_instances", &[], steps(&[(0.0, 1.0), (130.4, 2.0)]))),
        ("shop answers", errors),
        ("browsing answers", errors),
        ("shop answers during the kill", errors),
        ("users do not wait", |made| {
            made.set("ordeal_user_seconds_total", &[("state", "overdue")], |t| Some(t.max(0.0)));
        }),
        ("shop probed", |made| {
            let labels = [("component", "shop"), ("outcome", "failed")];
            made.set("ordeal_probes_total", &labels, |t| Some((t.max(0.0) / 5.0).floor()));
        }),
        ("in time", |made| made.in_time(0.9)),
        ("PostgreSQL recovers", |made| late(made, "kill-postgres-primary", "postgres", 50.0)),
        ("members rejoin", |made| {
            let labels = [
                ("experiment", "partition-primary"),
                ("component", "postgres-members"),
                ("since", "reverted"),
            ];
            for family in
                ["ordeal_recovery_seconds", "ordeal_recovery_lower_seconds", "ordeal_recovery_upper_seconds"]
            {
                made.set(family, &labels, from(345.0, 40.0));
            }
        }),
        ("no split brain", split),
        ("no split brain at all", split),
        ("nothing lost", lost),
        ("nothing lost in the partition", lost),
        ("span of lost writes", |made| {
            made.set("ordeal_recovery_point_seconds", &[("store", "postgres")], from(215.0, 1000.0));
        }),
        ("archive", |made| {
            made.set("pg_stat_archiver_last_archive_age", &[("server", "pg1")], |t| Some(t + 1000.0));
        }),
        ("health", |made| {
            for bound in ["lower", "upper"] {
                let labels = [("component", "shop"), ("cause", "none"), ("bound", bound)];
                made.set("ordeal_component_longest_outage_seconds", &labels, always(3.0));
            }
            made.set(
                "ordeal_component_outages_total",
                &[("component", "shop"), ("cause", "none")],
                always(1.0),
            );
        }),
        ("nobody intervened", |made| {
            made.set("ordeal_interventions_total", &[], steps(&[(0.0, 0.0), (300.0, 1.0)]));
        }),
        ("the page goes out", |made| {
            made.set("ALERTS", &[], |t| (t >= 140.0).then_some(1.0));
            made.last = 900.0;
        }),
        ("own expression", |made| made.set("ordeal_users", &[("state", "running")], always(199.0))),
    ]
}

/// One request in a hundred fails.
fn errors(made: &mut Made) {
    for task in ["browse", "sale"] {
        errors_of(made, task);
    }
}

/// From the run's 20th second on, one request of `task` fails every two seconds.
fn errors_of(made: &mut Made, task: &'static str) {
    let count = |t: f64| ((t - 20.0).clamp(0.0, 460.0) * 0.5).floor();
    made.set("ordeal_requests_total", &[("task", task), ("outcome", "error")], move |t| Some(count(t)));
    let labels = [("task", task), ("reason", "http_5xx")];
    made.set("ordeal_request_errors_total", &labels, move |t| Some(count(t)));
}

/// A recovery that took long, probes and all.
fn late(made: &mut Made, experiment: &str, component: &str, seconds: f64) {
    let labels = [("experiment", experiment), ("component", component), ("since", "injected")];
    for (family, shift) in [
        ("ordeal_recovery_seconds", 0.0),
        ("ordeal_recovery_lower_seconds", -0.1),
        ("ordeal_recovery_upper_seconds", 0.1),
    ] {
        made.set(family, &labels, from(215.0, seconds + shift));
    }
}

fn split(made: &mut Made) {
    made.set("ordeal_split_brain_seconds_total", &[], steps(&[(0.0, 0.0), (260.0, 1.5)]));
}

fn lost(made: &mut Made) {
    made.find("lost", 346.0, 7.0);
    let labels = [("store", "postgres"), ("experiment", "partition-primary")];
    made.set("ordeal_recovery_point_seconds", &labels, from(345.0, 0.4));
}

#[test]
fn every_kind_fails_where_its_promise_is_broken() {
    let breaches = breaches();
    let bent = |(number, (_, bend)): (usize, &Breach)| {
        let mut made = healthy(&format!("breach-{number}"), 5.0);
        bend(&mut made);
        made
    };
    let runs: Vec<Made> = breaches.iter().enumerate().map(bent).collect();
    let server = Server::with(&runs);
    let mut wrong = Vec::new();
    for ((objective, _), made) in breaches.iter().zip(&runs) {
        let told = server.verdict(&one(&made.id, objective), &["--run", &made.id]);
        if told["verdict"] != "fail" {
            wrong.push(format!("{objective}: {:#}", told["findings"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_task_that_the_failures_are_in_is_named() {
    let mut made = healthy("one-task", 5.0);
    errors_of(&mut made, "sale");
    let told = Server::with([&made]).verdict(&one("one-task", "shop answers"), &[]);
    let beside = &told["findings"][0]["beside"];
    assert_eq!(beside[0], "most frequent reasons: 230 http_5xx in task sale", "{told:#}");
}

#[test]
fn every_objective_is_broken_by_some_run() {
    let all = slos("x");
    let names: Vec<&str> =
        all.lines().filter_map(|line| line.split("{name: ").nth(1)?.split(',').next()).collect();
    for name in &names {
        assert!(breaches().iter().any(|(objective, _)| objective == name), "{name}");
    }
    assert_eq!(names.len(), breaches().len());
}

#[test]
fn a_load_in_stages_is_held_stage_by_stage() {
    let mut made = healthy("stages", 5.0);
    // From 300 s on half of the users, who send half of the requests.
    for state in ["target", "running"] {
        made.bend("ordeal_users", &[("state", state)], |t, users| {
            Some(if t < 300.0 { users? } else { users? / 2.0 })
        });
    }
    let sent = |t: f64, share: f64| requests(t.min(300.0 + (t.min(480.0) - 300.0) / 2.0), share);
    for (task, share) in [("browse", 0.75), ("sale", 0.25)] {
        let labels = [("task", task), ("outcome", "ok")];
        made.set("ordeal_requests_total", &labels, move |t| Some(sent(t, share)));
    }
    for (state, seconds) in [("thinking", 2.0), ("waiting", 0.02)] {
        let passed = move |t| Some(sent(t, 1.0) * seconds);
        made.set("ordeal_user_seconds_total", &[("state", state)], passed);
    }
    let server = Server::with([&made]);
    assert_eq!(said(&server.verdict(&one("stages", "load held"), &[]), "load held"), "pass ");
    let mut late = made;
    late.id = "late".to_owned();
    late.instance = "late:10042".to_owned();
    late.bend("ordeal_users", &[("state", "running")], |t, users| {
        Some(if (200.0..210.0).contains(&t) { 150.0 } else { users? })
    });
    let server = Server::with([&late]);
    assert_eq!(said(&server.verdict(&one("late", "load held"), &[]), "load held"), "fail ");
}
