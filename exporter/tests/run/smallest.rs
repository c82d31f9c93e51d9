//! The smallest trial: a plain HTTP service, no stores, no experiments.

use rustix::process::Signal;

use crate::support::{Exporter, System, shows, value};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_smallest_trial_runs_through_its_phases_and_ends_with_zero() {
    let system = System::start().await;
    let mut exporter = Exporter::start(&system, &system.trial("1500ms", ""));
    exporter
        .until(&[
            r#"ordeal_requests_total{outcome="error",task="home"} 0"#,
            r#"ordeal_run_phase{phase="finished"} 0"#,
        ])
        .await;
    let last = exporter.until(&[r#"ordeal_run_phase{phase="finished"} 1"#]).await;
    let status = exporter.ended().await;
    assert!(status.success(), "{status}\n{}", exporter.said());
    let visits = system.visits();
    let ok = format!(r#"ordeal_requests_total{{outcome="ok",task="home"}} {visits}"#);
    assert!(shows(&last, &ok), "every visit is counted, once: {ok}\n{last}");
    assert!(visits >= 20, "five users visit for more than a second: {visits}");
    assert!(
        value(&last, "ordeal_run_end_timestamp_seconds") > value(&last, "ordeal_run_start_timestamp_seconds")
    );
    let (load, chaos) = (system.result("load.json"), system.result("chaos.json"));
    assert_eq!(load["tasks"][0]["name"], "home");
    assert!(load["run"].is_string() && load["run"] == chaos["run"], "{} {}", load["run"], chaos["run"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_fails_is_named_once_in_the_log_and_at_the_end() {
    let system = System::start().await;
    let index = "    - {name: index, weight: 1, journey: [{GET /: {assert: [{contains: nginx}]}}]}\n";
    let mut exporter = Exporter::start(&system, &system.trial("1500ms", index));
    exporter.until(&[r#"ordeal_run_phase{phase="finished"} 1"#]).await;
    assert_eq!(exporter.ended().await.code(), Some(0), "{}", exporter.said());
    let (said, load) = (exporter.said(), system.result("load.json"));
    let failed = load["requests"]["error"].as_u64().expect("a count");
    assert!(failed >= 2, "{load:#}");
    let warned: Vec<&str> = said.lines().filter(|line| line.contains("a request failed; ")).collect();
    let [warning] = warned[..] else { panic!("one warning is due\n{said}") };
    let due = r#"task="index" request="GET /" reason="assertion" why="the answer does not fulfil {contains: nginx}""#;
    assert!(warning.contains(due), "{warning}");
    assert!(said.contains(&format!(" requests failed: assertion {failed} (index)\n")), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_run_says_so() {
    let system = System::start().await;
    let mut exporter = Exporter::start(&system, &system.trial("10m", ""));
    exporter.until(&[r#"ordeal_run_phase{phase="steady"} 1"#]).await;
    exporter.signal(Signal::INT);
    exporter
        .until(&[r#"ordeal_run_phase{phase="aborted"} 1"#, r#"ordeal_run_phase{phase="finished"} 0"#])
        .await;
    assert_eq!(exporter.ended().await.code(), Some(130), "{}", exporter.said());
    assert!(exporter.said().contains("the run was aborted: interrupted"), "{}", exporter.said());
    assert!(system.path("run/latest/load.json").exists(), "what was measured is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interruption_after_the_end_leaves_the_run_finished_and_tells_what_may_be_missing() {
    let system = System::start().await;
    let mut exporter = Exporter::start(&system, &system.trial("1s", ""));
    // Whoever has scraped regularly is waited for.
    exporter.until(&[r#"ordeal_run_phase{phase="finished"} 1"#]).await;
    exporter.says("for Prometheus to scrape the end").await;
    exporter.signal(Signal::INT);
    exporter
        .says("the run has ended, and what it wrote is kept; the wait for Prometheus, which may lack its")
        .await;
    assert_eq!(exporter.ended().await.code(), Some(0), "{}", exporter.said());
    for untrue in ["aborted", "put back"] {
        assert!(!exporter.said().contains(untrue), "{untrue}: {}", exporter.said());
    }
}
