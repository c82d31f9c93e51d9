//! The whole exporter on the smallest trial: a plain HTTP service, no stores, no experiments.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::routing::get;
use rustix::process::{Pid, Signal, kill_process};

/// A service that counts its visits.
async fn service() -> (SocketAddr, Arc<AtomicU64>) {
    let visits = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&visits);
    let home = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { "welcome" }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(home))).await });
    (address, visits)
}

fn trial(folder: &Path, target: SocketAddr, duration: &str) -> std::path::PathBuf {
    let path = folder.join("smallest.yaml");
    let text = format!(
        "target: http://{target}\nload:\n  users: 5\n  spawn_rate: 50\n  duration: {duration}\n  \
         think: 50ms\n  tasks:\n    - {{name: home, weight: 1, journey: [GET /]}}\n"
    );
    std::fs::write(&path, text).expect("writable");
    path
}

/// A started exporter, and where its metrics are.
struct Exporter {
    child: Child,
    metrics: String,
}

impl Exporter {
    fn start(trial: &Path, dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_load-exporter"))
            .args(["--web.listen-address", "127.0.0.1:0", "run"])
            .arg(trial)
            .arg("--dir")
            .arg(dir)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let metrics = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("metrics on ")?;
                Some(rest.split(',').next()?.to_owned())
            })
            .expect("it says where its metrics are");
        // Keeps the pipe from filling up.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, metrics }
    }

    async fn scrape(&self) -> Option<String> {
        // An error says that another test was first.
        drop(rustls::crypto::ring::default_provider().install_default());
        reqwest::get(&self.metrics).await.ok()?.text().await.ok()
    }

    /// Scrapes until the exposition satisfies `wanted`, and returns it.
    async fn scrape_until(&self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            if let Some(text) = self.scrape().await
                && wanted(&text)
            {
                return text;
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A count or flag of the exposition.
fn count(exposition: &str, series: &str) -> u64 {
    let value = value(exposition, series);
    assert!(value >= 0.0 && value.fract() < f64::EPSILON, "{series} is {value}");
    format!("{value:.0}").parse().expect("a whole number")
}

fn value(exposition: &str, series: &str) -> f64 {
    let line = exposition.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} is missing")).parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smallest_trial_runs_through_its_phases_and_ends_with_zero() {
    let (address, visits) = service().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trial = trial(folder.path(), address, "1500ms");
    let mut exporter = Exporter::start(&trial, folder.path());

    let first = exporter.scrape_until(|_| true).await;
    assert_eq!(count(&first, r#"ordeal_requests_total{outcome="error",task="home"}"#), 0);
    assert_eq!(count(&first, r#"ordeal_run_phase{phase="finished"}"#), 0);

    let finished = r#"ordeal_run_phase{phase="finished"} 1"#;
    let last = exporter.scrape_until(|text| text.contains(finished)).await;
    exporter.scrape_until(|_| true).await;
    exporter.scrape_until(|_| true).await;
    let status = exporter.child.wait().expect("it ends");
    assert!(status.success(), "{status}");
    let ok = count(&last, r#"ordeal_requests_total{outcome="ok",task="home"}"#);
    assert_eq!(ok, visits.load(Ordering::Relaxed), "every visit is counted, once");
    assert!(ok >= 20, "five users visit for more than a second: {ok}");
    assert!(
        value(&last, "ordeal_run_end_timestamp_seconds") > value(&last, "ordeal_run_start_timestamp_seconds")
    );
    let load = std::fs::read_to_string(folder.path().join("latest/load.json")).expect("written");
    assert!(load.contains("\"home\""), "{load}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_says_so() {
    let (address, _) = service().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trial = trial(folder.path(), address, "10m");
    let mut exporter = Exporter::start(&trial, folder.path());
    exporter.scrape_until(|text| text.contains(r#"ordeal_run_phase{phase="steady"} 1"#)).await;

    let pid = Pid::from_child(&exporter.child);
    kill_process(pid, Signal::INT).expect("it runs");

    let last = exporter.scrape_until(|text| text.contains(r#"ordeal_run_phase{phase="aborted"} 1"#)).await;
    assert_eq!(count(&last, r#"ordeal_run_phase{phase="finished"}"#), 0);
    exporter.scrape_until(|_| true).await;
    exporter.scrape_until(|_| true).await;
    let status = exporter.child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    assert!(folder.path().join("latest/load.json").exists(), "what was measured is kept");
}
