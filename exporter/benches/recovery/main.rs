//! How exact recovery times are: a real server is broken for a known time, again and again, and what the probes
//! made of it is held against the truth.
//!
//! `cargo bench --bench recovery` stops nginx (requests hang) and kills it (connections are refused) in turn, for
//! times of no round length, longer than the probes' time-out, 20 probes a second over loopback. It says whether the limits hold: the
//! estimate within 0.1 s of the truth, bounds no wider than 0.25 s, and the truth inside them every time.
#![expect(clippy::print_stdout, reason = "a bench prints")]
#![allow(dead_code, reason = "what the tests have and this does not need")]

#[path = "../../tests/common/process.rs"]
mod process;
#[path = "../../tests/health/servers.rs"]
mod servers;
#[path = "../../tests/common/stores.rs"]
mod stores;
#[path = "../../tests/health/support.rs"]
mod support;

use std::process::ExitCode;
use std::time::Duration;

use exporter::health::tracker::{Question, Recovery, Revert, Since, Span, Took};
use exporter::trial::ComponentKind;
use rustix::process::Signal;
use servers::Server;
use support::{Between, Run, trial};
use tokio::net::TcpStream;

const ROUNDS: u64 = 12;
const ESTIMATE: f64 = 0.1;
const WIDTH: f64 = 0.25;

/// What one outage showed, in seconds.
struct Shown {
    /// How far the estimate is from the nearest end of what the truth may be.
    off: f64,
    width: f64,
    inside: bool,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let mut server = Server::nginx();
    let http = ComponentKind::Http { path: "/healthz".to_owned(), expect: None };
    let run =
        Run::start(&trial(&format!("http://127.0.0.1:{}", server.port), vec![], vec![("it", http)])).await;
    run.warm().await;
    println!("{:8} {:>17} {:>9} {:>19} {:>7}", "broken", "truth", "estimate", "bounds", "width");
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        let lasting = Duration::from_millis(1211 + 437 * round);
        let (how, began, ended) = if round % 2 == 0 {
            ("hangs", server.signal_at(Signal::STOP, run.clock), hung(&server, &run, lasting).await)
        } else {
            let began = server.kill(run.clock);
            ("refuses", began, restarted(&mut server, &run, lasting).await)
        };
        let took = recovered(&run, Span { start: began.0, end: began.1 }).await;
        all.push(shown(how, &took, began, ended));
    }
    run.stop().await;
    let most = |of: fn(&Shown) -> f64| all.iter().map(of).fold(0.0, f64::max);
    let holds = [
        verdict("estimate off by at most, s", most(|it| it.off), ESTIMATE),
        verdict("bounds as wide as, s", most(|it| it.width), WIDTH),
        verdict("truths outside the bounds", most(|it| f64::from(u8::from(!it.inside))), 0.0),
    ];
    if holds.into_iter().all(|holds| holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verdict(what: &str, value: f64, limit: f64) -> bool {
    let holds = value <= limit;
    println!("{} {what}: {value:.3} <= {limit}", if holds { "pass" } else { "fail" });
    holds
}

/// Lets the stopped server go on after a time.
async fn hung(server: &Server, run: &Run, lasting: Duration) -> Between {
    tokio::time::sleep(lasting).await;
    server.signal_at(Signal::CONT, run.clock)
}

async fn restarted(server: &mut Server, run: &Run, lasting: Duration) -> Between {
    tokio::time::sleep(lasting).await;
    let port = server.port;
    let connects = || async { TcpStream::connect(("127.0.0.1", port)).await.is_ok() };
    server.restart(run.clock, connects).await
}

/// Waits until the recovery is final.
async fn recovered(run: &Run, injected: Span) -> Took {
    let question = Question {
        injected,
        revert: Revert::None,
        since: Since::Injected,
        settle: Duration::from_secs(2),
        deadline: injected.start.later_by(Duration::from_mins(1)),
    };
    let mut took = None;
    run.until("the recovery is final", |run| {
        took = match run.health.recovery(0, &question) {
            Some(Recovery::Recovered { took, .. }) => Some(took),
            _ => None,
        };
        took.is_some()
    })
    .await;
    took.expect("it was waited for")
}

fn shown(how: &str, took: &Took, began: Between, ended: Between) -> Shown {
    // The break lies between the two moments around it, and so does its end: the truth is an interval too.
    let (least, most) = (ended.0.since(began.1).as_secs_f64(), ended.1.since(began.0).as_secs_f64());
    let [estimate, lower, upper] = [took.estimate, took.lower, took.upper].map(|it| it.as_secs_f64());
    let off = (least - estimate).max(estimate - most).max(0.0);
    let inside = lower <= most && least <= upper;
    println!(
        "{how:8} {least:>8.3}..{most:<7.3} {estimate:>9.3} {lower:>9.3}..{upper:<8.3} {:>7.3}{}",
        upper - lower,
        if inside { "" } else { "  outside" }
    );
    Shown { off, width: upper - lower, inside }
}
