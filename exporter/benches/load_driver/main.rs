//! What the load costs, side by side with a bare hyper loop, against one nginx worker on loopback.
//!
//! `cargo bench --bench load_driver` runs both at once, five times (50 users who never think), then
//! 10 000 thinking users, and says whether the limits hold: processor time per request at most 1.25 times the
//! bare loop's, 99 % of the ideal rate, 300 MB, 5 ms for a scrape. Each measurement is a process of its own.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and fails where it cannot measure"
)]

mod bare_loop;
mod nginx;

use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use exporter::clock::Clock;
use exporter::load::{Load, raise_descriptor_limit};
use exporter::trial::{
    self, Buckets, Name, NonEmpty, Part, Rate, Redirects, Stage, Step, Target, Task, Template, Think, Trial,
};
use nginx::Nginx;
use prometheus::{Encoder as _, Registry, TextEncoder};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 5;
const ROUND_SECONDS: u64 = 6;
const CROWD: usize = 10_000;
const CROWD_SECONDS: u64 = 40;

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
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments[1..] {
        [role, port, users, seconds, think] if role == "driver" || role == "bare" => {
            let (port, users) = (port.parse().unwrap(), users.parse().unwrap());
            let (seconds, think) = (seconds.parse().unwrap(), think == "think");
            raise_descriptor_limit().unwrap();
            let measured = match role.as_str() {
                "driver" => drive(port, users, seconds, think),
                _ => bare_loop::run(port, users, seconds, think),
            };
            println!("{}", serde_json::to_string(&measured).unwrap());
            ExitCode::SUCCESS
        }
        _ => compare(),
    }
}

/// Runs all measurements and says what holds.
fn compare() -> ExitCode {
    let nginx = Nginx::start();
    let mut ratios: Vec<f64> = (0..ROUNDS).map(|_| round(&nginx)).collect();
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios[ROUNDS / 2];
    let bare = result(start("bare", &nginx, CROWD, CROWD_SECONDS, true));
    let crowd = result(start("driver", &nginx, CROWD, CROWD_SECONDS, true));
    for (name, seen) in [("bare", &bare), ("driver", &crowd)] {
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
    let ideal = CROWD as f64 / 2.0;
    let holds = [
        verdict("processor time per request, driver / bare", ratio, "<=", 1.25),
        verdict("share of the ideal rate", crowd.rate() / ideal, ">=", 0.99),
        verdict("memory at most, MB", crowd.peak_mb, "<=", 300.0),
        // The end of the ramp is seen up to 250 ms late.
        verdict("ramp beyond the spawn rate, s", crowd.ramp_seconds - 10.0, "<=", 0.75),
        verdict("slowest scrape, ms", crowd.scrape_ms, "<=", 5.0),
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
    let running = ["bare", "driver"].map(|role| (role, start(role, nginx, 50, ROUND_SECONDS, false)));
    let [bare, driver] = running.map(|(role, process)| {
        let seen = result(process);
        println!(
            "{role:7} 50 users not thinking: {:.0}/s, {:.2} µs a request, {} errors",
            seen.rate(),
            seen.micros_per_request(),
            seen.errors
        );
        seen.micros_per_request()
    });
    driver / bare
}

/// Measures in a process of its own, so that memory and processor time are its alone.
fn start(role: &str, nginx: &Nginx, users: usize, seconds: u64, think: bool) -> Child {
    let think = if think { "think" } else { "closed" };
    let arguments = [role, &nginx.port.to_string(), &users.to_string(), &seconds.to_string(), think];
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments).stdout(Stdio::piped()).spawn().unwrap()
}

fn result(process: Child) -> Measured {
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "the measuring process failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The load as the exporter runs it, scraped every second.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn drive(port: u16, users: usize, seconds: u64, think: bool) -> Measured {
    let (registry, cancel) = (Registry::new(), CancellationToken::new());
    let load = Load::new(Arc::new(trial(port, users, think)), Clock::start(), &registry).unwrap();
    let began = Instant::now();
    let load = load.start(cancel).await.unwrap();
    load.ramped().await;
    let ramp_seconds = began.elapsed().as_secs_f64();
    let (before, cpu_before, steady) = (load.snapshot(), cpu_seconds(), Instant::now());
    let mut scrape_ms: f64 = 0.0;
    let mut text = Vec::new();
    for second in 1..=seconds {
        tokio::time::sleep_until((steady + Duration::from_secs(second)).into()).await;
        let scrape = Instant::now();
        text.clear();
        TextEncoder::new().encode(&registry.gather(), &mut text).unwrap();
        scrape_ms = scrape_ms.max(scrape.elapsed().as_secs_f64() * 1e3);
    }
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

fn trial(port: u16, users: usize, think: bool) -> Trial {
    let step = Step {
        method: http::Method::GET,
        path: Template { parts: vec![Part::Literal("/".to_owned())] },
        headers: Vec::new(),
        body: None,
        expect: Vec::new(),
        asserts: Vec::new(),
        extracts: Vec::new(),
    };
    let task = |name: &str, weight: u32| Task {
        name: Name::new(name).unwrap(),
        weight: weight.try_into().unwrap(),
        patience: Duration::from_secs(2),
        journey: NonEmpty::one(step.clone()),
    };
    let second = Duration::from_secs(1);
    let tasks = [
        ("dashboard", 10),
        ("inventory", 30),
        ("sale", 25),
        ("customers", 20),
        ("reports", 10),
        ("health", 5),
    ];
    Trial {
        name: Name::new("bench").unwrap(),
        target: Target {
            url: format!("http://127.0.0.1:{port}").parse().unwrap(),
            ca: None,
            client_identity: None,
            host: None,
            headers: Vec::new(),
        },
        load: trial::Load {
            stages: NonEmpty::one(Stage::new(users, 1000 * second).unwrap()),
            spawn_rate: Rate::new(1000.0).unwrap(),
            think: if think {
                Think::uniform(second, 3 * second).unwrap()
            } else {
                Think::constant(Duration::ZERO)
            },
            seed: 1,
            timeout: 15 * second,
            patience: 2 * second,
            redirects: Redirects::Answer,
            buckets: Buckets::default(),
            login: None,
            tasks: NonEmpty::new(tasks.map(|(name, weight)| task(name, weight)).into()).unwrap(),
        },
        status: None,
        stores: Vec::new(),
        components: Vec::new(),
        ledgers: Vec::new(),
        experiments: Vec::new(),
        after: second,
        settle: second,
        cooldown: second,
    }
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
