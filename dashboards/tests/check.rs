//! `dashboards check` against a server that has no samples of one family.

use std::process::{Command, Output};

use axum::Router;
use axum::routing::post;
use serde_json::json;

/// Answers every question with one series, but those about the family.
fn server(runtime: &tokio::runtime::Runtime, without: &'static str) -> String {
    let answer = move |kind: &'static str, sample: &'static str| {
        post(move |asked: String| async move {
            let one = format!(r#"{{"metric":{{"component":"shop"}},{sample}}}"#);
            let result = if asked.contains(without) { "" } else { one.as_str() };
            let data = format!(r#"{{"resultType":"{kind}","result":[{result}]}}"#);
            ([("content-type", "application/json")], format!(r#"{{"status":"success","data":{data}}}"#))
        })
    };
    let app = Router::new()
        .route("/api/v1/query", answer("vector", r#""value":[100,"7"]"#))
        .route("/api/v1/query_range", answer("matrix", r#""values":[[99,"6"],[100,"7"],[101,"NaN"]]"#));
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    runtime.spawn(async move { axum::serve(listener, app).await });
    url
}

fn check(without: &'static str, arguments: &[&str]) -> Output {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let url = server(&runtime, without);
    let mut command = Command::new(env!("CARGO_BIN_EXE_dashboards"));
    let output = command.args(["check", "--prometheus", &url]).args(arguments).output().expect("it runs");
    runtime.shutdown_background();
    output
}

const TIMES: [&str; 4] = ["--from", "100", "--to", "200"];

#[test]
fn panels_with_data_are_told_with_their_last_number() {
    let output = check("nothing_that_is_asked", &TIMES);
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(0), "{text}");
    for (dashboard, panel) in [("ordeal-run", "Users "), ("ordeal-scaling", "Up after")] {
        let line =
            text.lines().find(|line| line.contains(dashboard) && line.contains(panel)).expect("its line");
        assert!(line.contains("shop 7"), "{line}");
    }
}

#[test]
fn panels_without_data_are_told_and_counted() {
    let output = check("ordeal_interventions_total", &TIMES);
    let text = String::from_utf8(output.stdout).expect("text");
    let nothing: Vec<_> = text.lines().filter(|line| line.starts_with("NOTHING")).collect();
    assert_eq!(nothing.len(), 1, "{text}");
    assert!(nothing[0].contains("Interventions"), "{}", nothing[0]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "1 panels would show nothing\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn metrics_of_others_and_rules_are_needed_only_where_they_are_asked_for() {
    let all: Vec<_> = TIMES.into_iter().chain(["--all"]).collect();
    for (without, panel, needs) in [
        ("kube_deployment", "Deployments", "kube-state-metrics"),
        ("archive_age_spent", "Promises", "rules of the objectives"),
        ("archive_age_spent", "Nearest to its limit", "rules of the objectives"),
    ] {
        let output = check(without, &TIMES);
        assert_eq!(output.status.code(), Some(0), "{without}");
        let text = String::from_utf8(output.stdout).expect("text");
        let line = text.lines().find(|line| line.contains(panel)).expect("its line");
        assert!(line.starts_with("NOTHING") && line.ends_with(&format!("(needs {needs})")), "{line}");
        assert_eq!(check(without, &all).status.code(), Some(1), "{without}");
    }
}

#[test]
fn queries_without_data_are_told_though_others_of_the_panel_have_some() {
    let arguments: Vec<_> = TIMES.into_iter().chain(["--all", "--output", "json"]).collect();
    let output = check("cnpg_pg_stat_archiver", &arguments);
    assert_eq!(output.status.code(), Some(0), "the panel shows something");
    let all: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let silent: Vec<_> =
        all.as_array().expect("panels").iter().filter(|it| it["silent"] != json!([])).collect();
    assert_eq!(silent.len(), 1, "{silent:?}");
    assert_eq!((&silent[0]["panel"], &silent[0]["silent"]), (&json!("Age of the archive"), &json!(["B"])));
}

#[test]
fn a_run_that_was_never_seen_is_no_time_range() {
    let output = check("ordeal_run_info", &["--run", "7f3a91"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("has no run 7f3a91"), "{told}");
}

#[test]
fn series_are_told_to_programs() {
    let arguments: Vec<_> = TIMES.into_iter().chain(["--output", "json"]).collect();
    let output = check("nothing_that_is_asked", &arguments);
    let all: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let requests = all.as_array().expect("panels").iter().find(|panel| panel["panel"] == "By requests");
    let series = &requests.expect("the panel")["series"][0];
    assert_eq!((&series["last"], &series["labels"]["component"]), (&"7".into(), &"shop".into()));
}
