//! A run of ten minutes in which everything goes well: 200 users, two experiments, all families.

use super::{MOMENT, Made, alerts, always, from, moment, steps, unseen};

/// Phases and when they begin, in seconds since the run's start.
const PHASES: [(&str, f64); 7] = [
    ("preflight", 0.0),
    ("ramp", 20.0),
    ("steady", 40.0),
    ("experiments", 120.0),
    ("cooldown", 480.0),
    ("audit", 570.0),
    ("finished", 600.0),
];
const RAMP: f64 = 20.0;
const LOAD_END: f64 = 480.0;
const END: f64 = 600.0;
const USERS: f64 = 200.0;
const THINK: f64 = 2.0;
const ANSWER: f64 = 0.02;
/// How long health must hold before a recovery is final.
const SETTLE: f64 = 30.0;

/// Tasks and their share of the requests.
const TASKS: [(&str, f64); 2] = [("browse", 0.75), ("sale", 0.25)];
const REASONS: [&str; 4] = ["connect_refused", "reset", "request_timeout", "http_5xx"];
const BUCKETS: [&str; 20] = [
    "0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.15", "0.2", "0.3", "0.5", "0.75", "1", "1.5", "2",
    "3", "5", "6", "10", "16", "+Inf",
];

/// An experiment and how its components came back, in seconds since the injection.
struct Experiment {
    name: &'static str,
    injected: f64,
    reverted: Option<f64>,
    ended: f64,
    recoveries: &'static [(&'static str, f64)],
}

const EXPERIMENTS: [Experiment; 2] = [
    Experiment {
        name: "kill-postgres-primary",
        injected: 130.3,
        reverted: None,
        ended: 215.0,
        recoveries: &[("postgres", 5.41), ("postgres-members", 20.5), ("shop", 0.0), ("replicas", 0.0)],
    },
    Experiment {
        name: "partition-primary",
        injected: 240.7,
        reverted: Some(270.7),
        ended: 345.0,
        recoveries: &[("postgres", 9.1), ("postgres-members", 42.4), ("shop", 0.0), ("replicas", 33.0)],
    },
];

/// Components and the time between two of their probes.
const COMPONENTS: [(&str, f64); 4] =
    [("postgres", 0.05), ("postgres-members", 0.25), ("shop", 0.05), ("replicas", 0.25)];

/// The run, scraped every `interval` seconds.
pub(crate) fn healthy(id: &str, interval: f64) -> Made {
    let mut made = Made {
        id: id.to_owned(),
        instance: format!("{id}:10042"),
        series: Vec::new(),
        interval,
        first: 0.9,
        last: END + 2.0 * interval + 1.0,
        skew: -0.002,
        gaps: Vec::new(),
        one_missing_in: 0,
    };
    run(&mut made, &PHASES);
    load(&mut made);
    components(&mut made);
    experiments(&mut made);
    ledger(&mut made);
    cluster(&mut made);
    others(&mut made);
    alerts::alerts(&mut made);
    made
}

/// What every run shows of itself, with these phases.
pub(super) fn run(made: &mut Made, phases: &[(&'static str, f64)]) {
    made.add(
        "ordeal_run_info",
        &[("run", "$run"), ("trial", "made"), ("role", "conductor"), ("version", "0.1.0")],
        always(1.0),
    );
    made.add("ordeal_time_seconds", &[], |t| Some(MOMENT + t));
    made.add("process_start_time_seconds", &[], always(MOMENT - 0.5));
    made.add("ordeal_run_start_timestamp_seconds", &[], always(MOMENT));
    made.add("ordeal_run_end_timestamp_seconds", &[], moment(phases[phases.len() - 1].1));
    made.add("ordeal_load_processes", &[], always(0.0));
    walk(made, phases);
}

/// The phases that the run goes through, and when each begins.
pub(super) fn walk(made: &mut Made, phases: &[(&'static str, f64)]) {
    for (at, &(phase, start)) in phases.iter().enumerate() {
        let end = phases.get(at + 1).map_or(f64::INFINITY, |next| next.1);
        let held = move |t: f64| Some(f64::from(u8::from(t >= start && t < end)));
        made.add("ordeal_run_phase", &[("phase", phase)], held);
        made.add("ordeal_run_phase_start_timestamp_seconds", &[("phase", phase)], moment(start));
    }
    let names = PHASES.iter().map(|(name, _)| *name).chain(["aborted"]);
    for name in names.filter(|name| phases.iter().all(|(phase, _)| phase != name)) {
        made.add("ordeal_run_phase", &[("phase", name)], always(0.0));
    }
}

/// Users' seconds so far: none, then a linear ramp of 20 s, then all until the load's end.
fn user_seconds(t: f64) -> f64 {
    let ramp = (t - RAMP).clamp(0.0, 20.0);
    let full = (t.min(LOAD_END) - RAMP - 20.0).max(0.0);
    USERS * (ramp * ramp / 40.0 + full)
}

/// A share of all requests so far.
pub(crate) fn requests(t: f64, share: f64) -> f64 {
    (user_seconds(t) / (THINK + ANSWER) * share).floor()
}

fn load(made: &mut Made) {
    let under = |t: f64| (RAMP..LOAD_END).contains(&t);
    made.add("ordeal_users", &[("state", "target")], move |t| Some(if under(t) { USERS } else { 0.0 }));
    let running =
        move |t: f64| Some(if under(t) { (USERS * (t - RAMP) / 20.0).min(USERS).floor() } else { 0.0 });
    made.add("ordeal_users", &[("state", "running")], running);
    made.add("ordeal_think_time_seconds", &[], always(THINK));
    let thinking = THINK / (THINK + ANSWER);
    made.add("ordeal_user_seconds_total", &[("state", "thinking")], move |t| {
        Some(user_seconds(t) * thinking)
    });
    let waiting = 1.0 - thinking;
    made.add("ordeal_user_seconds_total", &[("state", "waiting")], move |t| Some(user_seconds(t) * waiting));
    made.add("ordeal_user_seconds_total", &[("state", "overdue")], always(0.0));
    for (task, share) in TASKS {
        let count = move |t: f64| requests(t, share);
        made.add("ordeal_requests_total", &[("task", task), ("outcome", "ok")], move |t| Some(count(t)));
        made.add("ordeal_requests_total", &[("task", task), ("outcome", "error")], always(0.0));
        for reason in REASONS {
            made.add("ordeal_request_errors_total", &[("task", task), ("reason", reason)], always(0.0));
        }
        for le in BUCKETS {
            let bound: f64 = if le == "+Inf" { f64::INFINITY } else { le.parse().expect("a bound") };
            let within = if bound >= 0.05 { 1.0 } else { bound / 0.05 };
            let labels = [("task", task), ("outcome", "ok"), ("le", le)];
            made.add("ordeal_response_time_seconds_bucket", &labels, move |t| {
                Some((count(t) * within).floor())
            });
            let labels = [("task", task), ("outcome", "error"), ("le", le)];
            made.add("ordeal_response_time_seconds_bucket", &labels, always(0.0));
        }
    }
    for cause in ["lag", "ports", "descriptors", "cpu"] {
        made.add("ordeal_saturated_seconds_total", &[("cause", cause)], always(0.0));
    }
}

/// The outages of a component, from the injection (a little later) to the recovery.
fn outages(component: &str) -> Vec<(f64, f64)> {
    let of = |experiment: &Experiment| {
        let found = experiment.recoveries.iter().find(|(name, _)| *name == component);
        let seconds = found.map_or(0.0, |(_, seconds)| *seconds);
        (seconds > 0.0).then_some((experiment.injected + 0.1, experiment.injected + seconds))
    };
    EXPERIMENTS.iter().filter_map(of).collect()
}

fn components(made: &mut Made) {
    made.add("ordeal_components", &[], always(COMPONENTS.len() as f64));
    for (component, interval) in COMPONENTS {
        made.add("ordeal_probe_interval_seconds", &[("component", component)], always(interval));
        let outages = outages(component);
        let down = move |t: f64| outages.iter().map(|(from, to)| (t.min(*to) - from).max(0.0)).sum::<f64>();
        let failed = {
            let down = down.clone();
            move |t: f64| (down(t) / interval).floor()
        };
        let all = move |t: f64| ((t - 0.5).clamp(0.0, END) / interval).floor();
        let ok = {
            let failed = failed.clone();
            move |t: f64| Some(all(t) - failed(t))
        };
        made.add("ordeal_probes_total", &[("component", component), ("outcome", "ok")], ok);
        made.add("ordeal_probes_total", &[("component", component), ("outcome", "failed")], move |t| {
            Some(failed(t))
        });
        made.add("ordeal_probes_total", &[("component", component), ("outcome", "missed")], always(0.0));
        let took = move |t: f64| Some(all(t) * 0.004);
        made.add("ordeal_probe_duration_seconds_sum", &[("component", component)], took);
        unseen::none(made, component);
        let list = self::outages(component);
        let up = {
            let list = list.clone();
            move |t: f64| Some(f64::from(u8::from(!list.iter().any(|(from, to)| (*from..*to).contains(&t)))))
        };
        made.add("ordeal_component_up", &[("component", component)], up);
        let explained = [("component", component), ("cause", "experiment")];
        let unexplained = [("component", component), ("cause", "none")];
        let begun = list.clone();
        let count = move |t: f64| Some(begun.iter().filter(|(from, _)| *from <= t).count() as f64);
        made.add("ordeal_component_outages_total", &explained, count);
        made.add("ordeal_component_outages_total", &unexplained, always(0.0));
        made.add("ordeal_component_outage_seconds_total", &explained, move |t| Some(down(t)));
        made.add("ordeal_component_outage_seconds_total", &unexplained, always(0.0));
        for bound in ["lower", "upper"] {
            let longest = list.iter().map(|(from, to)| to - from).fold(0.0, f64::max);
            let labels = [("component", component), ("cause", "experiment"), ("bound", bound)];
            made.add("ordeal_component_longest_outage_seconds", &labels, always(longest));
            let labels = [("component", component), ("cause", "none"), ("bound", bound)];
            made.add("ordeal_component_longest_outage_seconds", &labels, always(0.0));
        }
    }
    let members = [("component", "postgres-members")];
    made.add(
        "ordeal_writable_instances",
        &members,
        steps(&[(0.0, 1.0), (130.4, 0.0), (135.6, 1.0), (241.0, 0.0), (249.0, 1.0)]),
    );
    let leaders = [(0.0, MOMENT + 0.2), (135.4, MOMENT + 135.4), (248.8, MOMENT + 248.8)];
    made.add("ordeal_leader_since_timestamp_seconds", &members, steps(&leaders));
    made.add("ordeal_leader_changes_total", &members, steps(&[(0.0, 0.0), (135.4, 1.0), (248.8, 2.0)]));
    made.add("ordeal_split_brain_seconds_total", &members, always(0.0));
    made.add("ordeal_instances_observed_seconds_total", &members, |t| Some((t - 0.1).max(0.0) * 0.999));
}

fn experiments(made: &mut Made) {
    made.add("ordeal_experiments", &[], always(EXPERIMENTS.len() as f64));
    made.add("ordeal_settle_seconds", &[], always(SETTLE));
    for experiment in EXPERIMENTS {
        let Experiment { name, injected, reverted, ended, recoveries } = experiment;
        made.add("ordeal_experiment_info", &[("experiment", name), ("fault", "exec")], always(1.0));
        let label = [("experiment", name)];
        made.add("ordeal_experiment_injected_timestamp_seconds", &label, moment(injected));
        if let Some(reverted) = reverted {
            made.add("ordeal_experiment_reverted_timestamp_seconds", &label, moment(reverted));
        }
        let recovering = injected + 2.0;
        let spans = [
            ("planned", f64::NEG_INFINITY, injected),
            ("injected", injected, recovering),
            ("recovering", recovering, ended),
            ("recovered", ended, f64::INFINITY),
        ];
        for (state, start, end) in spans {
            let held = move |t: f64| Some(f64::from(u8::from(t >= start && t < end)));
            made.add("ordeal_experiment_state", &[("experiment", name), ("state", state)], held);
        }
        for state in ["not_recovered", "ineffective", "refused", "skipped"] {
            made.add("ordeal_experiment_state", &[("experiment", name), ("state", state)], always(0.0));
        }
        for (component, seconds) in recoveries {
            recovery(made, name, component, "injected", ended, *seconds);
            if let Some(reverted) = reverted {
                recovery(made, name, component, "reverted", ended, (seconds + injected - reverted).max(0.0));
            }
        }
        for store in ["postgres", "redis"] {
            let labels = [("experiment", name), ("store", store)];
            made.add("ordeal_experiment_acked_writes_before", &labels, from(injected, 100.0));
            made.add("ordeal_recovery_point_seconds", &labels, from(ended, 0.0));
        }
    }
}

fn recovery(made: &mut Made, experiment: &str, component: &str, since: &str, ended: f64, seconds: f64) {
    let labels = [("experiment", experiment), ("component", component), ("since", since)];
    let width = if seconds > 0.0 { 0.08 } else { 0.0 };
    made.add("ordeal_recovery_seconds", &labels, from(ended, seconds));
    made.add("ordeal_recovery_lower_seconds", &labels, from(ended, seconds - width));
    made.add("ordeal_recovery_upper_seconds", &labels, from(ended, seconds + width));
}

fn ledger(made: &mut Made) {
    for store in ["postgres", "redis"] {
        let acked = |t: f64| ((t - RAMP).clamp(0.0, 550.0) * 20.0).floor();
        made.add("ordeal_ledger_writes_total", &[("store", store), ("outcome", "acked")], move |t| {
            Some(acked(t))
        });
        made.add("ordeal_ledger_writes_total", &[("store", store), ("outcome", "refused")], always(12.0));
        made.add(
            "ordeal_ledger_writes_total",
            &[("store", store), ("outcome", "indeterminate")],
            always(4.0),
        );
        let present = move |t: f64| Some(if t < 200.0 { 0.0 } else { acked(t) });
        made.add("ordeal_ledger_audit", &[("store", store), ("class", "present")], present);
        for class in ["lost", "recovered", "resurrected", "unexpected", "duplicate", "corrupt"] {
            made.add("ordeal_ledger_audit", &[("store", store), ("class", class)], always(0.0));
        }
        let audits = steps(&[(0.0, 0.0), (216.0, 1.0), (346.0, 2.0), (595.0, 3.0)]);
        made.add("ordeal_ledger_audits_total", &[("store", store), ("result", "complete")], audits);
        made.add("ordeal_ledger_audits_total", &[("store", store), ("result", "incomplete")], always(0.0));
    }
}

fn cluster(made: &mut Made) {
    let up = [(0.0, 3.0), (50.0, 4.0), (60.0, 8.0), (75.0, 10.0), (520.0, 6.0), (540.0, 3.0)];
    let ahead = [(0.0, 3.0), (45.0, 4.0), (55.0, 8.0), (70.0, 10.0), (515.0, 6.0), (535.0, 3.0)];
    made.add("ordeal_workload_replicas", &[("workload", "shop"), ("state", "ready")], steps(&up));
    made.add("ordeal_workload_replicas", &[("workload", "shop"), ("state", "desired")], steps(&ahead));
    let autoscaler = [("min", always(3.0)), ("max", always(10.0))];
    for (state, value) in autoscaler {
        made.add("ordeal_autoscaler_replicas", &[("autoscaler", "shop"), ("state", state)], value);
    }
    made.add("ordeal_autoscaler_replicas", &[("autoscaler", "shop"), ("state", "current")], steps(&ahead));
    made.add("ordeal_autoscaler_replicas", &[("autoscaler", "shop"), ("state", "desired")], steps(&ahead));
    let busy = steps(&[(0.0, 0.1), (30.0, 1.6), (60.0, 0.8), (85.0, 0.5), (480.0, 0.05)]);
    made.add("ordeal_autoscaler_utilization_ratio", &[("autoscaler", "shop"), ("state", "current")], busy);
    made.add(
        "ordeal_autoscaler_utilization_ratio",
        &[("autoscaler", "shop"), ("state", "target")],
        always(0.5),
    );
    made.add("ordeal_interventions_total", &[("kind", "command")], always(0.0));
    made.add("ordeal_interventions_watched_seconds_total", &[], |t| Some(t.max(0.0) + 7.0));
}

/// `postgres_exporter`'s archiver series of two servers, pg1 the primary until it is killed.
fn others(made: &mut Made) {
    let killed = EXPERIMENTS[0].injected;
    for (server, primary) in [("pg1", true), ("pg2", false)] {
        let label = [("server", server)];
        let leads = move |t: f64| (t < killed) == primary;
        let replica = move |t: f64| Some(f64::from(u8::from(!leads(t))));
        made.add("pg_replication_is_replica", &label, replica);
        let age = move |t: f64| Some(if leads(t) { (t + 5.0) % 30.0 } else { t + 500.0 });
        made.add("pg_stat_archiver_last_archive_age", &label, age);
        let count = move |t: f64| Some(if leads(t) { 2.0 + ((t + 5.0) / 30.0).floor() } else { 0.0 });
        made.add("pg_stat_archiver_archived_count", &label, count);
        made.add("pg_stat_archiver_failed_count", &label, always(0.0));
    }
}
