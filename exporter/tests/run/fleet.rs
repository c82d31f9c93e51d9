//! A run whose users are in processes of their own.

use std::collections::BTreeSet;
use std::process::Command;

use rustix::process::Signal;

use crate::board::Board;
use crate::support::{Exporter, System, value};

const RUNNING: &str = r#"ordeal_users{state="running"}"#;

/// What a load process exposes, and nothing else.
const OF_LOAD: [&str; 13] = [
    "ordeal_build_info",
    "ordeal_oldest_request_age_seconds",
    "ordeal_request_errors_total",
    "ordeal_requests_in_flight",
    "ordeal_requests_total",
    "ordeal_response_time_seconds",
    "ordeal_run_info",
    "ordeal_saturated_seconds_total",
    "ordeal_schedule_lag_seconds",
    "ordeal_time_seconds",
    "ordeal_user_seconds_total",
    "ordeal_users",
    "process_start_time_seconds",
];

/// Those of them that only whoever has the users exposes.
const OF_USERS: [&str; 8] = [
    "ordeal_oldest_request_age_seconds",
    "ordeal_request_errors_total",
    "ordeal_requests_in_flight",
    "ordeal_requests_total",
    "ordeal_response_time_seconds",
    "ordeal_saturated_seconds_total",
    "ordeal_schedule_lag_seconds",
    "ordeal_user_seconds_total",
];

fn families(exposition: &str) -> BTreeSet<&str> {
    let types = exposition.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).collect()
}

fn conductor(system: &System, board: &Board) -> Command {
    let mut command = system.command(&["run", "--run-id", "r", "--load-processes", "2"]);
    command.env("KUBECONFIG", board.kubeconfig());
    command
}

fn load(system: &System, board: &Board, index: &str) -> Command {
    // As an Indexed Job says it.
    let mut command = system.command(&["load", "--run-id", "r", "--of", "2"]);
    command.env("KUBECONFIG", board.kubeconfig()).env("JOB_COMPLETION_INDEX", index);
    command
}

/// A run of five users in two processes, all of whom run.
async fn running(system: &System, board: &Board, duration: &str) -> (Exporter, [Exporter; 2]) {
    running_with(system, board, duration, &[]).await
}

/// The same with flags of the load processes.
async fn running_with(
    system: &System,
    board: &Board,
    duration: &str,
    flags: &[&str],
) -> (Exporter, [Exporter; 2]) {
    let trial = system.trial(duration, "");
    let mut loads = ["0", "1"].map(|index| {
        let mut command = load(system, board, index);
        command.args(flags);
        Exporter::of(command, &trial)
    });
    let mut conductor = Exporter::of(conductor(system, board), &trial);
    for (load, users) in loads.iter_mut().zip([3, 2]) {
        load.until(&[&format!("{RUNNING} {users}")]).await;
    }
    conductor.until(&[r#"ordeal_run_phase{phase="steady"} 1"#, r#"ordeal_users{state="target"} 5"#]).await;
    (conductor, loads)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_have_the_users_of_a_run_between_them() {
    let (system, board) = (System::start().await, Board::start().await);
    let (mut conductor, [mut first, mut second]) = running(&system, &board, "6s").await;
    let exposed = first.until(&[r#"ordeal_requests_total{outcome="error",task="home"} 0"#]).await;
    assert_eq!(families(&exposed), OF_LOAD.into());
    assert!(!exposed.contains(r#"state="target""#), "that is the conductor's to say");
    assert!(
        exposed.lines().any(|line| line.starts_with("ordeal_run_info{role=\"load\",run=\"r\"")),
        "{exposed}"
    );
    let exposed = conductor.until(&[r#"ordeal_users{state="target"} 5"#]).await;
    let of_users: BTreeSet<&str> = OF_USERS.into();
    assert!(families(&exposed).is_disjoint(&of_users), "{exposed}");
    assert!(!exposed.contains(RUNNING) && exposed.contains("ordeal_think_time_seconds"), "{exposed}");
    assert_eq!(value(&exposed, "ordeal_load_processes").to_string(), "2");

    let ended = tokio::join!(conductor.ended(), first.ended(), second.ended());
    for (status, exporter) in [(ended.0, &conductor), (ended.1, &first), (ended.2, &second)] {
        assert!(status.success(), "{status}\n{}", exporter.said());
    }
    let report = system.result("load.json");
    assert!(report["run"].is_string() && report["run"] == system.result("chaos.json")["run"], "{report:#}");
    assert_eq!((&report["users"], &report["fleet"]["processes"]), (&5.into(), &2.into()));
    assert_eq!(
        (&report["requests"]["ok"], &report["requests"]["error"]),
        (&system.visits().into(), &0.into())
    );
    assert_eq!(report["response_time"]["all"]["count"], report["requests"]["ok"], "{report:#}");
    assert_eq!(report["fleet"]["lost"].as_array().map(Vec::len), Some(0), "{report:#}");
    assert_eq!(board.names(), [""; 0], "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_load_process_is_told_and_the_run_goes_on() {
    let (system, board) = (System::start().await, Board::start().await);
    let (mut conductor, [mut first, mut second]) = running(&system, &board, "8s").await;
    second.signal(Signal::TERM);
    assert_eq!(second.ended().await.code(), Some(130), "{}", second.said());
    conductor.says("warning: load process 1 is lost (interrupted); the run goes on without its users").await;
    let exposed = conductor.until(&[r#"ordeal_users{state="target"} 5"#]).await;
    assert!(exposed.contains(r#"ordeal_run_phase{phase="steady"} 1"#), "{exposed}");
    assert_eq!(value(&first.until(&[]).await, RUNNING).to_string(), "3");
    let (led, ended) = tokio::join!(conductor.ended(), first.ended());
    assert!(led.success() && ended.success(), "{led} {ended}\n{}\n{}", conductor.said(), first.said());
    let report = system.result("load.json");
    assert_eq!(report["fleet"]["lost"], serde_json::json!(["load-1: interrupted"]));
    assert_eq!(report["requests"]["ok"], system.visits(), "it told what it did before it went");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_load_process_is_missed_and_what_it_told_stays_counted() {
    let (system, board) = (System::start().await, Board::start().await);
    let (mut conductor, [mut first, second]) = running(&system, &board, "40s").await;
    let before = system.visits();
    second.signal(Signal::KILL);
    let why = "warning: load process 1 is lost (not heard of for 30 s); the run goes on without its users";
    conductor.says(why).await;
    let (led, ended) = tokio::join!(conductor.ended(), first.ended());
    assert!(led.success() && ended.success(), "{led} {ended}\n{}\n{}", conductor.said(), first.said());
    let report = system.result("load.json");
    assert_eq!(report["fleet"]["lost"], serde_json::json!(["load-1: not heard of for 30 s"]));
    let (told, visits) = (report["requests"]["ok"].as_u64().expect("a count"), system.visits());
    // What it did after it told last is not known.
    assert!(before < told && told <= visits, "{before} < {told} <= {visits}");
    assert_eq!(board.names(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_in_one_process_that_are_too_many_for_the_run_end_it_everywhere() {
    let (system, board) = (System::start().await, Board::start().await);
    let trial = system.trial("10m", "");
    let text = std::fs::read_to_string(&trial).expect("written");
    let limited = text
        .replace("  tasks:\n", "  abort_when: {errors: 30%, for: 5s}\n  tasks:\n")
        .replace("[GET /]", r#"["GET /${PAGE}"]"#);
    std::fs::write(&trial, limited).expect("writable");
    // Two of five users ask for what is broken.
    system.break_it();
    let asks = |mut command: Command, page| {
        command.env("PAGE", page);
        Exporter::of(command, &trial)
    };
    let mut first = asks(load(&system, &board, "0"), "status");
    let mut second = asks(load(&system, &board, "1"), "healthz");
    let mut conductor = asks(conductor(&system, &board), "status");
    let ended = tokio::join!(conductor.ended(), first.ended(), second.ended());
    assert_eq!(ended.0.code(), Some(1), "{}", conductor.said());
    assert!(ended.1.success() && ended.2.success(), "{}\n{}", first.said(), second.said());
    let why = "requests failed within 5 s, which the trial's `abort_when` does not allow";
    assert!(conductor.said().contains(why), "{}", conductor.said());
    let requests = &system.result("load.json")["requests"];
    let [ok, error] = ["ok", "error"].map(|outcome| requests[outcome].as_u64().expect("a count"));
    assert!(error > 0 && ok > error, "{requests}");
    assert_eq!(board.names(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_conductor_ends_the_load_everywhere() {
    let (system, board) = (System::start().await, Board::start().await);
    let (mut conductor, [mut first, mut second]) = running(&system, &board, "10m").await;
    conductor.signal(Signal::INT);
    let ended = tokio::join!(conductor.ended(), first.ended(), second.ended());
    assert_eq!(ended.0.code(), Some(130), "{}", conductor.said());
    assert!(ended.1.success() && ended.2.success(), "{}\n{}", first.said(), second.said());
    assert_eq!(system.result("load.json")["requests"]["ok"], system.visits());
    assert_eq!(board.names(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_end_soon_after_their_conductor_has_vanished() {
    let (system, board) = (System::start().await, Board::start().await);
    // Nobody else scrapes them.
    let brief = ["--linger", "1s"];
    let (conductor, [mut first, mut second]) = running_with(&system, &board, "10m", &brief).await;
    conductor.signal(Signal::KILL);
    let (one, other) = tokio::join!(first.ended(), second.ended());
    assert_eq!((one.code(), other.code()), (Some(1), Some(1)));
    let why = "the load has ended by itself: the conductor was not heard for 30 s";
    assert!(first.said().contains(why) && second.said().contains(why), "{}\n{}", first.said(), second.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_process_with_another_trial_does_not_begin() {
    let (system, board) = (System::start().await, Board::start().await);
    let trial = system.trial("10m", "");
    let mut odd = {
        let mut command =
            system.command(&["load", "--run-id", "r", "--of", "2", "--index", "1", "--seed", "9"]);
        command.env("KUBECONFIG", board.kubeconfig());
        Exporter::of(command, &trial)
    };
    let mut conductor = Exporter::of(conductor(&system, &board), &trial);
    assert_eq!(odd.ended().await.code(), Some(1));
    assert!(odd.said().contains("the load has not begun: the conductor has another trial"), "{}", odd.said());
    conductor.says("every load process to be ready, which is not yet: load-0 (not there), load-1 (").await;
    conductor.signal(Signal::INT);
    assert_eq!(conductor.ended().await.code(), Some(130), "{}", conductor.said());
    assert_eq!((system.visits(), board.names().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_process_beyond_the_last_is_refused() {
    let system = System::start().await;
    system.trial("1s", "");
    let (code, said) =
        system.run(&["load", "trial.yaml", "--run-id", "r", "--index", "2", "--of", "2"]).await;
    assert_eq!((code, said.contains("--index counts from 0")), (Some(2), true), "{said}");
}
