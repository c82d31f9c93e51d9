//! Evidence that does not suffice: nothing of this may pass.

mod made;

use made::{MOMENT, Made, Server, always, healthy, moment, steps};
use serde_json::Value;

/// Objectives of every kind, for a run.
fn slos(run: &str) -> String {
    include_str!("made/slos.yaml").replace("$run", run)
}

/// What a finding says: its verdict and the names of its shortfalls.
fn said(told: &Value, objective: &str) -> String {
    let findings = told["findings"].as_array().expect("findings");
    let finding = findings.iter().find(|finding| finding["name"] == objective).expect("the objective");
    let shortfalls = finding["shortfalls"].as_array().expect("shortfalls");
    let names: Vec<_> = shortfalls.iter().filter_map(|shortfall| shortfall["name"].as_str()).collect();
    format!("{} {}", finding["verdict"].as_str().expect("a verdict"), names.join(" "))
}

/// How a run is bent, which objective is looked at, and what must be said of it.
type Trap = (&'static str, fn(&mut Made), &'static str, &'static str);

fn traps() -> Vec<Trap> {
    vec![
        (
            "the error series renamed",
            |made| made.rename("ordeal_requests_total", &[("outcome", "error")], "ordeal_failures_total"),
            "shop answers",
            "inconclusive family_absent",
        ),
        (
            "the whole family renamed",
            |made| made.rename("ordeal_requests_total", &[], "requests_total"),
            "in time",
            "inconclusive family_absent",
        ),
        (
            "not a number",
            |made| {
                made.bend("ordeal_requests_total", &[("outcome", "error")], |t, value| {
                    if t > 100.0 { Some(f64::NAN) } else { value }
                })
            },
            "shop answers",
            "inconclusive not_finite",
        ),
        (
            "a recovery that is no number",
            |made| made.set("ordeal_recovery_upper_seconds", &[], always(f64::NAN)),
            "PostgreSQL recovers",
            "inconclusive not_finite",
        ),
        (
            "two series where one is due",
            |made| made.duplicate("ordeal_ledger_audit", &[], "replica", "b"),
            "nothing lost",
            "inconclusive duplicate_series",
        ),
        (
            "a counter falls",
            |made| {
                made.bend("ordeal_requests_total", &[("task", "sale"), ("outcome", "ok")], |t, value| {
                    if t > 300.0 { Some(value? - 3000.0) } else { value }
                })
            },
            "shop answers",
            "inconclusive counter_reset",
        ),
        (
            "a gap where the fault was",
            |made| made.gap(100.0, 400.0),
            "shop answers during the kill",
            "inconclusive too_few_events",
        ),
        ("a gap at the end", |made| made.last = 500.0, "shop answers", "inconclusive run_unfinished"),
        (
            "an aborted run",
            |made| {
                made.set("ordeal_run_phase", &[], always(0.0));
                made.set("ordeal_run_phase", &[("phase", "aborted")], always(1.0));
            },
            "nothing lost",
            "inconclusive run_aborted",
        ),
        (
            "a restarted process",
            |made| {
                made.set(
                    "process_start_time_seconds",
                    &[],
                    steps(&[(0.0, MOMENT - 0.5), (350.0, MOMENT + 349.0)]),
                )
            },
            "shop answers",
            "inconclusive process_restarted",
        ),
        ("clocks far apart", |made| made.skew = 30.0, "PostgreSQL recovers", "inconclusive clock_skew"),
        (
            "a fault that did not bite",
            |made| {
                made.set("ordeal_experiment_state", &[("experiment", "kill-postgres-primary")], always(0.0));
                let labels = [("experiment", "kill-postgres-primary"), ("state", "ineffective")];
                made.set("ordeal_experiment_state", &labels, always(1.0));
            },
            "PostgreSQL recovers",
            "inconclusive fault_ineffective",
        ),
        (
            "no writes before the fault",
            |made| made.set("ordeal_experiment_acked_writes_before", &[], always(3.0)),
            "nothing lost in the partition",
            "inconclusive no_writes_before",
        ),
        (
            "the last audit is missing",
            |made| {
                made.set(
                    "ordeal_ledger_audits_total",
                    &[("result", "complete")],
                    steps(&[(0.0, 0.0), (216.0, 1.0)]),
                )
            },
            "nothing lost",
            "inconclusive audit_incomplete",
        ),
        (
            "instances not observed",
            |made| made.bend("ordeal_instances_observed_seconds_total", &[], |_, value| Some(value? * 0.5)),
            "no split brain",
            "inconclusive instances_not_observed",
        ),
        (
            "nobody watched for a while",
            |made| {
                made.bend("ordeal_interventions_watched_seconds_total", &[], |_, value| Some(value? * 0.9))
            },
            "nobody intervened",
            "inconclusive watch_gap",
        ),
        (
            "no probe failed although the service was down",
            |made| {
                made.set(
                    "ordeal_probes_total",
                    &[("component", "postgres"), ("outcome", "failed")],
                    always(0.0),
                )
            },
            "PostgreSQL recovers",
            "inconclusive disagreement",
        ),
        (
            "probes failed for longer than the recovery says",
            |made| {
                let labels = [("component", "postgres"), ("outcome", "failed")];
                made.bend("ordeal_probes_total", &labels, |_, value| Some(value? * 5.0));
            },
            "PostgreSQL recovers",
            "inconclusive disagreement",
        ),
        (
            "an end in the middle of an experiment",
            |made| {
                made.set("ordeal_experiment_state", &[("experiment", "kill-postgres-primary")], always(0.0));
                let labels = [("experiment", "kill-postgres-primary"), ("state", "recovering")];
                made.set("ordeal_experiment_state", &labels, always(1.0));
            },
            "PostgreSQL recovers",
            "inconclusive not_final",
        ),
        (
            "an end that is not told",
            |made| made.set("ordeal_run_end_timestamp_seconds", &[], moment(1e6)),
            "in time",
            "inconclusive run_unfinished",
        ),
    ]
}

#[test]
fn insufficient_evidence_is_inconclusive_by_name() {
    let traps = traps();
    let bent = |(number, trap): (usize, &Trap)| {
        let mut made = healthy(&format!("trap-{number}"), 5.0);
        trap.1(&mut made);
        made
    };
    let runs: Vec<Made> = traps.iter().enumerate().map(bent).collect();
    let server = Server::with(&runs);
    let mut wrong = Vec::new();
    for ((what, _, objective, expected), made) in traps.iter().zip(&runs) {
        let told = server.verdict(&slos(&made.id), &["--run", &made.id]);
        let said = said(&told, objective);
        if !said.starts_with(expected) || told["verdict"] == "pass" {
            wrong.push(format!("{what}: {objective} is {said}, the run {}", told["verdict"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_series_born_late_counts_what_it_shows() {
    let mut made = healthy("born-late", 5.0);
    for (family, label) in [
        ("ordeal_requests_total", ("outcome", "error")),
        ("ordeal_request_errors_total", ("reason", "reset")),
    ] {
        made.set(family, &[("task", "sale"), label], |t| (t >= 300.0).then_some(900.0));
    }
    let server = Server::with([&made]);
    assert_eq!(said(&server.verdict(&slos("born-late"), &[]), "shop answers"), "fail ");
}

#[test]
fn a_second_conductor_and_a_wrong_run_are_noticed() {
    let first = healthy("twice", 5.0);
    let mut second = healthy("twice", 5.0);
    second.instance = "other:10042".to_owned();
    let server = Server::with([&first, &second]);
    let told = server.verdict(&slos("twice"), &["--run", "twice"]);
    assert!(said(&told, "shop answers").contains("two_conductors"), "{}", said(&told, "shop answers"));
    assert_eq!(told["verdict"], "inconclusive");
    let told = server.verdict(&slos("twice"), &["--run", "thrice"]);
    assert_eq!(said(&told, "nothing lost"), "inconclusive run_not_found");
    assert_eq!((&told["run"], &told["exit_code"]), (&Value::Null, &Value::from(3)));
}
