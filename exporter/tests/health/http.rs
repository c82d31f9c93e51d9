use exporter::health::tracker::{Question, Recovery, Revert, Saw, Since, Span};
use exporter::health::{Cause, Window};
use exporter::trial::ComponentKind;
use rustix::process::Signal;
use std::time::Duration;
use tokio::net::TcpStream;

use crate::process::free_port;
use crate::servers::Server;
use crate::support::{Between, Run, hold, trial};

async fn probed(port: u16, path: &str) -> Run {
    started(port).await;
    unstarted(port, path).await
}

async fn started(port: u16) {
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn unstarted(port: u16, path: &str) -> Run {
    let http = ComponentKind::Http { path: path.to_owned(), expect: None };
    Run::start(&trial(&format!("http://127.0.0.1:{port}"), vec![], vec![("it", http)])).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_for_a_known_time() {
    let server = Server::nginx();
    let run = probed(server.port, "/healthz").await;
    run.warm().await;
    let began = server.signal_at(Signal::STOP, run.clock);
    let until = run.clock.instant(began.1.later_by(Duration::from_millis(2700)));
    tokio::time::sleep_until(until).await;
    let ended = server.signal_at(Signal::CONT, run.clock);
    let outage = run.lasting().await;
    hold(&run, &outage, began, ended);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_and_restarted() {
    let mut server = Server::nginx();
    let run = probed(server.port, "/healthz").await;
    run.warm().await;
    let injected = run.clock.now();
    run.health.begin_experiment(Window { begins: injected, targets: vec![], replaced: false });
    run.health.hit_targets(injected);
    let began = server.kill(run.clock);
    let until = run.clock.instant(began.1.later_by(Duration::from_millis(2300)));
    tokio::time::sleep_until(until).await;
    let port = server.port;
    let connects = || async { TcpStream::connect(("127.0.0.1", port)).await.is_ok() };
    let ended = server.restart(run.clock, connects).await;
    let outage = run.lasting().await;
    hold(&run, &outage, began, ended);
    recovered(&run, Span { start: injected, end: began.1 }, ended).await;
    run.stop().await;
}

async fn recovered(run: &Run, injected: Span, ended: Between) {
    let question = Question {
        injected,
        revert: Revert::None,
        since: Since::Injected,
        settle: Duration::from_secs(6),
        deadline: injected.start.later_by(Duration::from_mins(1)),
    };
    let mut answer = None;
    run.until("the recovery is final", |run| {
        answer = run.health.recovery(0, &question);
        matches!(answer, Some(Recovery::Recovered { .. }))
    })
    .await;
    let Some(Recovery::Recovered { took, saw: Saw::Outage, settled }) = answer else { panic!("{answer:?}") };
    assert!(
        took.lower <= ended.1.since(injected.start) && took.upper >= ended.0.since(injected.end),
        "{took:?}"
    );
    run.health.end_experiment(settled);
    let series =
        |family: &str| format!("{family}{{cause=\"{}\",component=\"it\"}}", Cause::Experiment.label());
    assert!((run.value(&series("ordeal_component_outages_total")) - 1.0).abs() < f64::EPSILON);
    let seconds = run.value(&series("ordeal_component_outage_seconds_total"));
    assert!(seconds > 2.0, "{seconds}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusing_port_and_a_wrong_status_are_not_up() {
    let server = Server::nginx();
    let run = unstarted(free_port(), "/healthz").await;
    run.until("failed probes", |run| {
        run.value("ordeal_probes_total{component=\"it\",outcome=\"failed\"}") >= 3.0
    })
    .await;
    assert!(!run.health.up(0));
    run.stop().await;
    let run = probed(server.port, "/sick").await;
    run.until("failed probes", |run| {
        run.value("ordeal_probes_total{component=\"it\",outcome=\"failed\"}") >= 3.0
    })
    .await;
    assert_eq!(run.health.all_up().iter().map(|(_, up)| *up).collect::<Vec<_>>(), [false]);
    run.stop().await;
}
