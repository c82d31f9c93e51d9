//! What the load costs, side by side with a bare hyper loop, against one nginx worker on loopback.
//!
//! `cargo bench --bench load_driver` runs both at once, five times (50 users who never think), then 10 000
//! thinking users, then two crowds at once of which one is scraped ten times a second, and says whether the
//! limits hold: processor time per request at most 1.25 times the bare loop's, 99 % of the ideal rate, 300 MB,
//! 5 ms for a scrape, no step in the scraped crowd's p99. Each measurement is a process of its own.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and fails where it cannot measure"
)]

mod bare_loop;
mod nginx;

use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use exporter::clock::Clock;
use exporter::health::Health;
use exporter::ledger::Ledgers;
use exporter::load::{Load, raise_descriptor_limit};
use exporter::trial::{self, ProcessEnvironment, Trial};
use exporter::{chaos, cluster, conductor};
use nginx::Nginx;
use prometheus::{Encoder as _, Registry, TextEncoder};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 5;
const ROUND_SECONDS: u64 = 6;
const CROWD: usize = 10_000;
const CROWD_SECONDS: u64 = 40;
/// Each of the two crowds that are compared, of which one is scraped.
const HALF: usize = 2_500;

/// What one process is to do.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Work {
    driver: Driver,
    port: u16,
    users: usize,
    seconds: u64,
    /// Whether users think 1 to 3 s, or not at all.
    think: bool,
    /// Scrapes a second.
    scrapes: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Driver {
    Ours,
    Bare,
}

/// What one process measured.
#[derive(Debug, Serialize, Deserialize)]
struct Measured {
    requests: u64,
    errors: u64,
    seconds: f64,
    cpu: f64,
    peak_mb: f64,
    p99_ms: f64,
    ramp_seconds: f64,
    scrape_ms: f64,
    lag_seconds: f64,
}

impl Measured {
    fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    fn micros_per_request(&self) -> f64 {
        self.cpu * 1e6 / self.requests as f64
    }
}

fn main() -> ExitCode {
    // `cargo bench` itself passes `--bench`.
    let work = std::env::args().find_map(|argument| serde_json::from_str::<Work>(&argument).ok());
    let Some(work) = work else { return compare() };
    raise_descriptor_limit().unwrap();
    let measured = match work.driver {
        Driver::Ours => drive(work),
        Driver::Bare => bare_loop::run(work.port, work.users, work.seconds, work.think),
    };
    println!("{}", serde_json::to_string(&measured).unwrap());
    ExitCode::SUCCESS
}

/// Runs all measurements and says what holds.
fn compare() -> ExitCode {
    let nginx = Nginx::start();
    let mut ratios: Vec<f64> = (0..ROUNDS).map(|_| round(&nginx)).collect();
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios[ROUNDS / 2];
    let thinking = |driver, users, scrapes| {
        start(Work { driver, port: nginx.port, users, seconds: CROWD_SECONDS, think: true, scrapes })
    };
    let bare = result(thinking(Driver::Bare, CROWD, 0));
    let crowd = result(thinking(Driver::Ours, CROWD, 1));
    let halves = [0, 10].map(|scrapes| thinking(Driver::Ours, HALF, scrapes));
    let [alone, scraped] = halves.map(result);
    for (name, seen) in [("Bare", &bare), ("Ours", &crowd)] {
        println!(
            "{name:7} {CROWD} users thinking 1 to 3 s: {:.0}/s, {:.1} µs a request, {:.0} MB at most, p99 {:.1} ms, {} errors",
            seen.rate(),
            seen.micros_per_request(),
            seen.peak_mb,
            seen.p99_ms,
            seen.errors,
        );
    }
    println!(
        "        ramp {:.1} s, scrape {:.2} ms, lag {:.1} s",
        crowd.ramp_seconds, crowd.scrape_ms, crowd.lag_seconds
    );
    println!(
        "        {HALF} users at once with {HALF} others: p99 {:.2} ms, {:.2} ms scraped 10 times a second",
        alone.p99_ms, scraped.p99_ms
    );
    let ideal = CROWD as f64 / 2.0;
    let holds = [
        verdict("processor time per request, driver / bare", ratio, "<=", 1.25),
        verdict("share of the ideal rate", crowd.rate() / ideal, ">=", 0.99),
        verdict("memory at most, MB", crowd.peak_mb, "<=", 300.0),
        // The end of the ramp is seen up to 250 ms late.
        verdict("ramp beyond the spawn rate, s", crowd.ramp_seconds - 10.0, "<=", 0.75),
        verdict("slowest scrape, ms", crowd.scrape_ms, "<=", 5.0),
        verdict("p99 scraped / not scraped", scraped.p99_ms / alone.p99_ms, "<=", 1.25),
    ];
    if holds.into_iter().all(|holds| holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verdict(what: &str, value: f64, how: &str, limit: f64) -> bool {
    let holds = if how == "<=" { value <= limit } else { value >= limit };
    println!("{} {what}: {value:.3} {how} {limit}", if holds { "pass" } else { "fail" });
    holds
}

/// Bare loop and driver at the same time, so that both meet the same machine: how many times as dear the
/// driver is.
fn round(nginx: &Nginx) -> f64 {
    let work = Work {
        driver: Driver::Bare,
        port: nginx.port,
        users: 50,
        seconds: ROUND_SECONDS,
        think: false,
        scrapes: 1,
    };
    let running = [Driver::Bare, Driver::Ours].map(|driver| (driver, start(Work { driver, ..work })));
    let [bare, driver] = running.map(|(driver, process)| {
        let seen = result(process);
        println!(
            "{driver:7?} 50 users not thinking: {:.0}/s, {:.2} µs a request, {} errors",
            seen.rate(),
            seen.micros_per_request(),
            seen.errors
        );
        seen.micros_per_request()
    });
    driver / bare
}

/// Measures in a process of its own, so that memory and processor time are its alone.
fn start(work: Work) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(serde_json::to_string(&work).unwrap()).stdout(Stdio::piped()).spawn().unwrap()
}

fn result(process: Child) -> Measured {
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "the measuring process failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The load as the exporter runs it.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn drive(work: Work) -> Measured {
    let (clock, registry, cancel) = (Clock::start(), Registry::new(), CancellationToken::new());
    let folder = TempDir::new().unwrap();
    let _rooms = everything_else(clock, &registry, folder.path(), &cancel);
    let trial = Arc::new(trial(work.port, work.users, work.think));
    let load = Load::new(trial, clock, &registry).unwrap();
    let began = Instant::now();
    let load = load.start(cancel).await.unwrap();
    load.ramped().await;
    let ramp_seconds = began.elapsed().as_secs_f64();
    let (before, cpu_before, steady) = (load.snapshot(), cpu_seconds(), Instant::now());
    let mut scrape_ms: f64 = 0.0;
    let mut text = Vec::new();
    let end = steady + Duration::from_secs(work.seconds);
    if work.scrapes > 0 {
        let pause = Duration::from_secs(1) / work.scrapes;
        let mut due = steady + pause;
        while due <= end {
            tokio::time::sleep_until(due.into()).await;
            let scrape = Instant::now();
            text.clear();
            TextEncoder::new().encode(&registry.gather(), &mut text).unwrap();
            scrape_ms = scrape_ms.max(scrape.elapsed().as_secs_f64() * 1e3);
            due += pause;
        }
    }
    tokio::time::sleep_until(end.into()).await;
    let (after, cpu, lasted) = (load.snapshot(), cpu_seconds(), steady.elapsed().as_secs_f64());
    let report = load.report();
    Measured {
        requests: after.ok + after.error - before.ok - before.error,
        errors: after.error - before.error,
        seconds: lasted,
        cpu: cpu - cpu_before,
        peak_mb: peak_mb(),
        p99_ms: after.response_time.map_or(0.0, |times| times.p99 * 1e3),
        ramp_seconds,
        scrape_ms,
        lag_seconds: report.saturated_seconds["lag"],
    }
}

/// All that the lab's trial has beside its load, so that a scrape costs what it costs in a run. Its addresses are
/// made loopback's, where nobody answers the probes.
fn everything_else(
    clock: Clock,
    registry: &Registry,
    folder: &Path,
    cancel: &CancellationToken,
) -> (Ledgers, Health) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lab/trial.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("198.18.79.", "127.0.0.");
    let trial = trial::parse(&text, &file, &ProcessEnvironment).expect("a trial without faults");
    let stores: Vec<_> = trial.ledgers.iter().map(|ledger| &trial.store(ledger.store).name).collect();
    conductor::Metrics::register(registry, clock, "bench", &trial, "").unwrap();
    chaos::metrics::Metrics::register(registry, &trial.experiments, &stores).unwrap();
    let feed = cluster::start(None, clock, registry, cancel.clone()).unwrap();
    let ledgers = Ledgers::open(&trial, "bench", clock, registry, folder).unwrap();
    (ledgers, Health::start(&trial, clock, registry, feed, cancel).unwrap())
}

/// Six tasks, as the lab's trial has them, each asking for the one page.
fn trial(port: u16, users: usize, think: bool) -> Trial {
    let think = if think { "1s..3s" } else { "0s" };
    let tasks = [
        ("dashboard", 10),
        ("inventory", 30),
        ("sale", 25),
        ("customers", 20),
        ("reports", 10),
        ("health", 5),
    ];
    let tasks =
        tasks.map(|(name, weight)| format!("    - {{name: {name}, weight: {weight}, journey: [GET /]}}\n"));
    let text = format!(
        "target: http://127.0.0.1:{port}\nload:\n  users: {users}\n  spawn_rate: 1000\n  duration: 1h\n  \
         think: {think}\n  seed: 1\n  tasks:\n{}",
        tasks.concat()
    );
    trial::parse(&text, Path::new("bench.yaml"), &ProcessEnvironment).expect("a trial without faults")
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The most memory this process ever had.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
