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
    let server = Server::with([&healthy("r", 5.0)]);
    let absent = "inconclusive family_absent";
    let table = [
        ("kind: recovery, experiment: kill-postgres-primry, component: postgres, within: 30s", absent),
        ("kind: recovery, experiment: kill-postgres-primary, component: postgre, within: 30s", absent),
        ("kind: availability, at_least: 99%, task: brows", absent),
        ("kind: availability, at_least: 99%, by: probes, component: shp", absent),
        ("kind: latency, within: 2s, at_least: 95%, task: brows", absent),
        ("kind: latency, within: 2s, at_least: 95%, during: {experiment: drain}", absent),
        ("kind: data_loss, store: mysql", absent),
        ("kind: recovery_point, store: mysql, within: 15m", absent),
        ("kind: scaling, workload: shp, shape: up, from: 3, to: 10", absent),
        (
            "kind: leader, component: redis-members, experiment: partition-primary, expect: new, within: 9s",
            absent,
        ),
        ("kind: split_brain, component: redis-members", absent),
        ("kind: health, components: [shp]", absent),
    ];
    for (fields, due) in table {
        assert_eq!(judged(&server, fields, &[]), due, "{fields}");
    }
    let mut short = healthy("short", 5.0);
    short.remove("ordeal_run_phase_start_timestamp_seconds", &[("phase", "cooldown")]);
    let server = Server::with([&short]);
    let cooldown = "kind: availability, at_least: 99%, during: {phase: cooldown}";
    assert_eq!(judged(&server, cooldown, &[]), "inconclusive no_samples");
}

#[test]
fn a_run_without_experiments_measures_no_recovery_point() {
    let mut quiet = healthy("quiet", 5.0);
    quiet.series.retain(|series| !series.name.contains("experiment"));
    let server = Server::with([&quiet]);
    assert_eq!(
        judged(&server, "kind: recovery_point, store: postgres, within: 1m", &[]),
        "inconclusive no_samples"
    );
    assert_eq!(judged(&server, "kind: data_loss, store: postgres", &[]), "pass ");
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
            trap("writers unseen during the fault", "one leader", "inconclusive", |made| {
                made.gap(130.0, 219.0);
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
    let conductors = [&idle, &unborn, &dark];
    let workers = thoughtless.iter().chain(&startless).chain(&clockless);
    let server = Server::with(conductors.into_iter().chain(workers));
    let load = "kind: load_held, at_least: 99%";
    assert_eq!(judged(&server, load, &["--run", "idle"]), "inconclusive no_samples");
    assert_eq!(judged(&server, load, &["--run", "unborn"]), "inconclusive family_absent");
    assert_eq!(judged(&server, load, &["--run", "dark"]), "inconclusive family_absent");
}
