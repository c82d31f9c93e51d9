//! What panels show of made series, as Prometheus computes it, where a simpler question would show something else.
//! Needs promtool, of Debian's package `prometheus`.

use std::process::Command;

use dashboards::boards;
use dashboards::check::{Span, of_board};
use serde_json::{Value, json};

/// Of every run, in seconds.
const LENGTH: u32 = 400;

/// A value, if any, at a second of the run.
type Course = fn(f64) -> Option<f64>;

/// A run, and the number that a panel shows of it, if any.
struct Case {
    what: &'static str,
    panel: &'static str,
    series: Vec<Value>,
    /// With two digits behind the point.
    due: Option<f64>,
}

/// A series of a process with a sample a second.
fn series(family: &str, instance: &str, labels: &str, at: impl Fn(f64) -> Option<f64>) -> Value {
    let sample =
        |second: u32| at(f64::from(second)).map_or_else(|| "_".to_owned(), |value| value.to_string());
    let values: Vec<_> = (0..=LENGTH).map(sample).collect();
    let series = format!(r#"{family}{{job="ordeal",instance="{instance}"{labels}}}"#);
    json!({ "series": series, "values": values.join(" ") })
}

/// So much from one second until another, and nothing of it before and afterwards.
fn between(from: f64, until: f64, value: f64) -> impl Fn(f64) -> Option<f64> {
    move |second| Some(if (from..until).contains(&second) { value } else { 0.0 })
}

fn watches() -> Vec<Case> {
    let table: [(_, Course, _); 6] = [
        ("nobody watches", |_| None, None),
        ("somebody watches all along", Some, Some(1.0)),
        ("25 s are caught up with", |s| Some(if s < 125.0 { s.min(100.0) } else { s }), Some(1.0)),
        ("66 s are caught up with", |s| Some(if s < 166.0 { s.min(100.0) } else { s }), Some(0.91)),
        ("40 s are lost", |s| Some(if s < 140.0 { s.min(100.0) } else { s - 40.0 }), Some(0.89)),
        ("somebody watches from the middle on", |s| (s >= 200.0).then_some(s - 200.0), Some(0.49)),
    ];
    let phase = |name: &str, from, until| {
        series("ordeal_run_phase", "a", &format!(r#",phase="{name}""#), between(from, until, 1.0))
    };
    let of = |(what, counter, due): (_, Course, _)| Case {
        what,
        panel: "Watched for hands",
        series: vec![
            series("ordeal_time_seconds", "a", "", Some),
            phase("preflight", 0.0, 10.0),
            phase("steady", 10.0, 390.0),
            phase("finished", 390.0, f64::INFINITY),
            series("ordeal_interventions_watched_seconds_total", "a", "", counter),
        ],
        due,
    };
    table.into_iter().map(of).collect()
}

fn users() -> Vec<Case> {
    let info = |instance: &str, role: &str| {
        series("ordeal_run_info", instance, &format!(r#",run="r",role="{role}""#), |_| Some(1.0))
    };
    let users = |instance: &str, state: &str, from, until, users| {
        series("ordeal_users", instance, &format!(r#",state="{state}""#), between(from, until, users))
    };
    let wanted = || vec![info("a", "conductor"), users("a", "target", 10.0, 310.0, 100.0)];
    let of_load = |instance: &str| [info(instance, "load"), users(instance, "running", 10.0, 310.0, 50.0)];
    let case = |what, series: Vec<Value>, due| Case { what, panel: "Users' time held", series, due };
    let late = users("a", "running", 25.0, 330.0, 100.0);
    let both = ["b", "c"].into_iter().flat_map(of_load);
    vec![
        case("users begin late and linger", wanted().into_iter().chain([late]).collect(), Some(0.95)),
        case("two processes have the users", wanted().into_iter().chain(both).collect(), Some(1.0)),
        case("one of two is not seen", wanted().into_iter().chain(of_load("b")).collect(), Some(0.5)),
        case("neither is seen", wanted(), Some(0.0)),
    ]
}

fn returns() -> Vec<Case> {
    let table: [(_, Course, Course, _); 4] = [
        ("many until 40 s after the load", |s| Some(if s < 340.0 { 10.0 } else { 3.0 }), ended, Some(40.0)),
        ("never more than few", |_| Some(3.0), ended, Some(0.0)),
        (
            "one more during a drain",
            |s| Some(if (100.0..110.0).contains(&s) { 4.0 } else { 3.0 }),
            ended,
            Some(0.0),
        ),
        ("many under load", |_| Some(10.0), |_| None, None),
    ];
    let of = |(what, ready, ended, due): (_, Course, Course, _)| Case {
        what,
        panel: "Back after",
        series: vec![
            series("ordeal_workload_replicas", "a", r#",workload="shop",state="ready""#, ready),
            series("ordeal_autoscaler_replicas", "a", r#",autoscaler="shop",state="min""#, |_| Some(3.0)),
            series("ordeal_run_phase_start_timestamp_seconds", "a", r#",phase="cooldown""#, ended),
        ],
        due,
    };
    table.into_iter().map(of).collect()
}

/// When the load ended, once it did.
fn ended(second: f64) -> Option<f64> {
    (second >= 300.0).then_some(300.0)
}

/// What a panel asks of the whole run.
fn asked(panel: &str) -> String {
    let span = Span { from: 0, to: LENGTH.into(), scrape: 1 };
    let boards = boards::all();
    let mut questions = boards.iter().flat_map(|board| of_board(board, span));
    let question = questions.find(|question| question.panel == panel);
    question.unwrap_or_else(|| panic!("no panel {panel}")).asked[0].expr.clone()
}

fn test(Case { what, panel, series, due }: Case) -> Value {
    let samples: Vec<_> = due.iter().map(|value| json!({ "labels": "{}", "value": value })).collect();
    json!({
        "name": format!("{panel}: {what}"),
        "interval": "1s",
        "input_series": series,
        "promql_expr_test": [{
            "expr": format!("round({}, 0.01)", asked(panel)),
            "eval_time": format!("{LENGTH}s"),
            "exp_samples": samples,
        }],
    })
}

#[test]
fn numbers_are_those_of_the_run() {
    let cases = watches().into_iter().chain(users()).chain(returns());
    // Samples are there up to the last evaluation only.
    let tests = json!({ "evaluation_interval": "1s", "tests": cases.map(test).collect::<Vec<_>>() });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("tests.json");
    std::fs::write(&file, tests.to_string()).expect("writable");
    let output = Command::new("promtool").args(["test", "rules"]).arg(&file).output();
    let output = output.expect("promtool is installed (Debian package prometheus)");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
