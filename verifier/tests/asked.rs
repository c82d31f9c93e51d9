//! Objectives that ask for what a run does not have, or has elsewhere.

mod made;

use made::spread::spread;
use made::trap::{spring, trap};
use made::{MOMENT, Made, Server, always, healthy, said, steps};

/// What is said of one objective, given as its fields.
fn judged(server: &Server, fields: &str, options: &[&str]) -> String {
    let slos = format!("objectives: [{{name: asked, {fields}}}]\n");
    said(&server.verdict(&slos, options), "asked")
}

#[test]
fn names_that_the_run_does_not_have() {
    let mut made = healthy("r", 5.0);
    // A component whose series one family lacks is no slip of the pen.
    made.remove("ordeal_component_up", &[("component", "shop")]);
    let server = Server::with([&made]);
    let absent = "inconclusive not_in_run";
    let table = [
        ("kind: recovery, experiment: kill-postgres-primry, component: postgres, within: 30s", absent),
        ("kind: recovery, experiment: kill-postgres-primary, component: postgre, within: 30s", absent),
        ("kind: availability, at_least: 99%, task: brows", absent),
        ("kind: availability, at_least: 99%, by: probes, component: shp", absent),
        ("kind: latency, within: 2s, at_least: 95%, task: brows", absent),
        ("kind: latency, within: 2s, at_least: 95%, during: {experiment: drain}", absent),
        ("kind: data_loss, store: mysql", absent),
        ("kind: data_loss, store: postgres, experiment: drain", absent),
        ("kind: recovery_point, store: mysql, within: 15m", absent),
        ("kind: scaling, workload: shp, shape: up, from: 3, to: 10", absent),
        ("kind: scaling, workload: shop, autoscaler: shp, shape: up, from: 3, to: 10", absent),
        (
            "kind: leader, component: redis-members, experiment: partition-primary, expect: new, within: 9s",
            absent,
        ),
        ("kind: split_brain, component: redis-members", absent),
        ("kind: alerting, alert: ShopDown, experiment: kill-postgres-primry, within: 1m", absent),
        ("kind: health, components: [shp]", absent),
        ("kind: health, components: [shop]", "inconclusive family_absent"),
    ];
    for (fields, due) in table {
        assert_eq!(judged(&server, fields, &[]), due, "{fields}");
    }
    let slos = "objectives: [{name: asked, kind: availability, at_least: 99%, task: brows}]\n";
    let told = server.verdict(slos, &[]);
    assert_eq!(
        told["findings"][0]["shortfalls"][0]["detail"],
        "the run has no task \"brows\" (did you mean `browse`?); it has browse, sale"
    );
    let mut short = healthy("short", 5.0);
    short.remove("ordeal_run_phase_start_timestamp_seconds", &[("phase", "cooldown")]);
    let server = Server::with([&short]);
    let cooldown = "kind: availability, at_least: 99%, during: {phase: cooldown}";
    assert_eq!(judged(&server, cooldown, &[]), "inconclusive no_samples family_absent disagreement");
    let mut cut = healthy("cut", 5.0);
    cut.last = 500.0;
    let server = Server::with([&cut]);
    assert_eq!(judged(&server, cooldown, &[]), "inconclusive run_unfinished no_samples");
}

#[test]
fn a_run_without_experiments_measures_no_recovery_point_and_may_lose_nothing() {
    let quiet = |id: &str, acked: f64| {
        let mut made = healthy(id, 5.0);
        made.series.retain(|series| !series.name.contains("experiment"));
        made.add("ordeal_experiments", &[], always(0.0));
        made.set("ordeal_ledger_writes_total", &[("outcome", "acked")], move |t| Some(acked.min(t.max(0.0))));
        made.set("ordeal_ledger_audit", &[("class", "present")], always(acked));
        made
    };
    let server = Server::with(&[quiet("many", 20.0), quiet("few", 19.0)]);
    let point = "kind: recovery_point, store: postgres, within: 1m";
    assert_eq!(judged(&server, point, &["--run", "many"]), "inconclusive no_samples");
    let lost = "kind: data_loss, store: postgres";
    assert_eq!(judged(&server, lost, &["--run", "many"]), "pass ");
    assert_eq!(judged(&server, lost, &["--run", "few"]), "inconclusive no_writes_before");
}

/// Replicas as somebody else's exporter tells them.
fn told_elsewhere(id: &str, twice: bool) -> Made {
    let mut made = healthy(id, 5.0);
    made.rename("ordeal_workload_replicas", &[("state", "ready")], "kube_deployment_status_replicas_ready");
    let hpa = "kube_horizontalpodautoscaler_status_current_replicas";
    made.rename("ordeal_autoscaler_replicas", &[("state", "current")], hpa);
    if twice {
        made.duplicate(hpa, &[], "cluster", "b");
    }
    made
}

#[test]
fn replicas_may_be_told_by_somebody_else_once() {
    let runs = [told_elsewhere("elsewhere", false), told_elsewhere("doubled", true)];
    let server = Server::with(&runs);
    let up = |run: &str, to: u32| {
        let selector = |family: &str| format!("{family}{{instance=\"{run}:10042\"}}");
        let (ready, current) = (
            selector("kube_deployment_status_replicas_ready"),
            selector("kube_horizontalpodautoscaler_status_current_replicas"),
        );
        let fields = format!(
            "kind: scaling, workload: shop, shape: up, from: 3, to: {to}, ready: '{ready}', current: '{current}'"
        );
        judged(&server, &fields, &["--run", run])
    };
    assert_eq!(up("elsewhere", 10), "pass ");
    assert_eq!(up("elsewhere", 11), "fail ");
    assert_eq!(up("doubled", 10), "inconclusive duplicate_series");
}

#[test]
fn series_that_begin_or_end_at_the_wrong_time() {
    const KILL: (&str, &str) = ("experiment", "kill-postgres-primary");
    spring(
        "times",
        &[
            trap("injected before the run", "PostgreSQL recovers", "inconclusive disagreement", |made| {
                made.set("ordeal_experiment_injected_timestamp_seconds", &[KILL], always(MOMENT - 50.0));
            }),
            trap(
                "final before it was injected",
                "PostgreSQL recovers",
                "inconclusive disagreement",
                |made| {
                    made.set("ordeal_experiment_state", &[KILL], always(0.0));
                    made.set("ordeal_experiment_state", &[KILL, ("state", "recovered")], always(1.0));
                },
            ),
            trap("a leader told only later", "new leader", "inconclusive no_samples", |made| {
                made.set("ordeal_leader_since_timestamp_seconds", &[], |t| {
                    (t > 300.0).then_some(MOMENT + 135.4)
                });
            }),
            trap("writers not told during the fault", "one leader", "inconclusive no_samples", |made| {
                made.bend("ordeal_writable_instances", &[], |t, writers| {
                    writers.filter(|_| !(130.0..219.0).contains(&t))
                });
            }),
            trap("users told only early", "load held", "inconclusive no_samples", |made| {
                made.bend("ordeal_users", &[("state", "target")], |t, users| users.filter(|_| t < 40.0));
            }),
            trap("a bound that is no number", "in time", "inconclusive not_finite", |made| {
                let labels = [("task", "sale"), ("outcome", "ok"), ("le", "wide")];
                made.add("ordeal_response_time_seconds_bucket", &labels, always(0.0));
            }),
            trap("a run that began at no time", "nothing lost", "inconclusive family_absent", |made| {
                made.set("ordeal_run_start_timestamp_seconds", &[], always(0.0));
            }),
            trap("a counter that is infinite", "shop answers", "inconclusive not_finite", |made| {
                let labels = [("task", "sale"), ("outcome", "ok")];
                made.set("ordeal_requests_total", &labels, steps(&[(0.0, 0.0), (100.0, f64::INFINITY)]));
            }),
            trap("a counter that stops", "shop answers", "inconclusive gap", |made| {
                made.bend("ordeal_requests_total", &[("task", "sale")], |t, count| {
                    count.filter(|_| t < 300.0)
                });
            }),
        ],
    );
}

#[test]
fn load_processes_that_tell_too_little() {
    let (idle, mut thoughtless) = spread("idle", 5.0);
    for worker in &mut thoughtless {
        worker.set("ordeal_user_seconds_total", &[("state", "thinking")], always(0.0));
    }
    let (unborn, mut startless) = spread("unborn", 5.0);
    startless[1].remove("process_start_time_seconds", &[]);
    let (dark, mut clockless) = spread("dark", 5.0);
    clockless[0].remove("ordeal_time_seconds", &[]);
    let (hidden, mut userless) = spread("hidden", 5.0);
    userless[1].remove("ordeal_users", &[("state", "running")]);
    let conductors = [&idle, &unborn, &dark, &hidden];
    let workers = thoughtless.iter().chain(&startless).chain(&clockless).chain(&userless);
    let server = Server::with(conductors.into_iter().chain(workers));
    let load = "kind: load_held, at_least: 99%";
    assert_eq!(judged(&server, load, &["--run", "idle"]), "inconclusive no_samples");
    assert_eq!(judged(&server, load, &["--run", "unborn"]), "inconclusive family_absent");
    assert_eq!(judged(&server, load, &["--run", "hidden"]), "inconclusive family_absent");
    assert_eq!(judged(&server, load, &["--run", "dark"]), "inconclusive family_absent");
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
        ("rate(up)".to_owned(), "inconclusive query_error"),
        (target.replace('}', "}[5m]"), "inconclusive query_error"),
        (r#""text""#.to_owned(), "inconclusive query_error"),
    ];
    for (expr, due) in table {
        let slos = format!("objectives: [{{name: own, kind: promql, expr: '{expr}', at_least: 0}}]\n");
        assert_eq!(said(&server.verdict(&slos, &[]), "own"), due, "{expr}");
    }
}

#[test]
fn a_limit_that_is_no_bucket_is_told_with_its_bounds() {
    let server = Server::with([&healthy("r", 5.0)]);
    let slos = "objectives: [{name: asked, kind: latency, within: 3ms, at_least: 95%}]\n";
    let told = server.verdict(slos, &[]);
    let finding = &told["findings"][0];
    let observed = finding["observed"]["text"].as_str().expect("a value");
    assert!(observed.starts_with("0 % to 9."), "{observed}");
    let why = finding["why"].as_str().expect("why");
    assert!(
        why.starts_with("between ") && why.ends_with(" requests failed or took longer than 3 ms"),
        "{why}"
    );
    let due = "3 ms is no bucket of the trial, whose nearest bounds are 0 and 0.005 (seconds): add 0.003 to \
               `load.buckets`";
    assert!(finding["beside"].as_array().expect("lines").iter().any(|line| line == due), "{finding:#}");
}
