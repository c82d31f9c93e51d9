//! A service that a file breaks, and the exporter as a process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_mins(3);
const LOOK: Duration = Duration::from_millis(10);
/// Refusals in a row after which the service says so with a file.
const SEEN: u64 = 10;

/// What runs, as the service tells.
const STATUS: &str = r#"{"workloads":[{"name":"shop","desired":1,
    "instances":[{"id":"shop-1","node":"n1","ready":true}]}]}"#;

/// A folder with a service beside it, which also tells its status: `/healthz` answers 503 as long as the file `broken` is there. When it has
/// answered so a few times in a row, it makes the file `seen`.
pub(crate) struct System {
    folder: TempDir,
    pub(crate) address: SocketAddr,
    visits: Arc<AtomicU64>,
}

impl System {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let visits = Arc::new(AtomicU64::new(0));
        let (broken, seen) = (folder.path().join("broken"), folder.path().join("seen"));
        let (visited, refused) = (Arc::clone(&visits), AtomicU64::new(0));
        let home = move || {
            visited.fetch_add(1, Ordering::Relaxed);
            async { "welcome" }
        };
        let refused = Arc::new(refused);
        let healthz = move || {
            let is_broken = broken.exists();
            if !is_broken {
                refused.store(0, Ordering::Relaxed);
            } else if refused.fetch_add(1, Ordering::Relaxed) + 1 == SEEN {
                std::fs::write(&seen, "").expect("writable");
            }
            async move { if is_broken { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK } }
        };
        let routes = Router::new()
            .route("/", get(home))
            .route("/healthz", get(healthz))
            .route("/status", get(|| async { STATUS }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { folder, address, visits }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn visits(&self) -> u64 {
        self.visits.load(Ordering::Relaxed)
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.path("broken").exists()
    }

    pub(crate) fn break_it(&self) {
        std::fs::write(self.path("broken"), "").expect("writable");
    }

    /// A trial of five users who stay for `duration`; `rest` is added to the file.
    pub(crate) fn trial(&self, duration: &str, rest: &str) -> PathBuf {
        let path = self.path("trial.yaml");
        let target = self.address;
        let text = format!(
            "target: http://{target}\nload:\n  users: 5\n  spawn_rate: 50\n  duration: {duration}\n  \
             think: 50ms\n  tasks:\n    - {{name: home, weight: 1, journey: [GET /]}}\n{rest}"
        );
        std::fs::write(&path, text).expect("writable");
        path
    }

    /// `load-exporter ARGUMENTS` in the folder, not started yet; it keeps its runs in `run` there.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        // These tests may themselves run where SIGHUP is ignored (`nohup`), which a program inherits.
        let mut command = Command::new("env");
        command
            .args(["--default-signal=HUP", env!("CARGO_BIN_EXE_load-exporter")])
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs `load-exporter ARGUMENTS` to its end: its exit code and what it said on stderr.
    pub(crate) async fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = self.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
        let output = output.expect("the binary starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    pub(crate) fn result(&self, name: &str) -> serde_json::Value {
        let text = std::fs::read_to_string(self.path("run/latest").join(name)).expect("written");
        serde_json::from_str(&text).expect("JSON")
    }
}

/// A run that goes on, and where its metrics are.
pub(crate) struct Exporter {
    child: Child,
    metrics: String,
    client: reqwest::Client,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Exporter {
    pub(crate) fn start(system: &System, trial: &Path) -> Self {
        Self::of(system.command(&["run"]), trial)
    }

    /// `command` with `trial`.
    pub(crate) fn of(mut command: Command, trial: &Path) -> Self {
        command.args(["--web.listen-address", "127.0.0.1:0"]).arg(trial);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let metrics = lines.by_ref().find_map(|line| {
            let (_, rest) = line.split_once("metrics on ")?;
            Some(rest.split([',', ';']).next()?.to_owned())
        });
        let said = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&said);
        // Also keeps the pipe from filling up.
        let reader = std::thread::spawn(move || {
            lines.for_each(|line| kept.lock().expect("no panic").push_str(&(line + "\n")));
        });
        let metrics = metrics.expect("it says where its metrics are");
        let client = exporter::tls::http_client(Duration::from_secs(5)).expect("a client");
        Self { child, metrics, client, said, reader: Some(reader) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// What it has said on stderr since it told where its metrics are.
    pub(crate) fn said(&self) -> String {
        self.said.lock().expect("no panic").clone()
    }

    /// Waits until it has said `part`.
    pub(crate) async fn says(&self, part: &str) {
        let wait = async {
            while !self.said().contains(part) {
                tokio::time::sleep(LOOK).await;
            }
        };
        let came = tokio::time::timeout(LIMIT, wait).await;
        assert!(came.is_ok(), "it does not say {part:?}\n{}", self.said());
    }

    async fn scrape(&self) -> Option<String> {
        self.client.get(&self.metrics).send().await.ok()?.text().await.ok()
    }

    /// Scrapes until the exposition has all of `lines`, and returns it.
    pub(crate) async fn until(&mut self, lines: &[&str]) -> String {
        let mut last = String::new();
        let wait = async {
            loop {
                last = self.scrape().await.unwrap_or(last.clone());
                if lines.iter().all(|line| shows(&last, line)) {
                    return true;
                }
                if self.child.try_wait().expect("a child").is_some() {
                    return false;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let came = tokio::time::timeout(LIMIT, wait).await;
        assert_eq!(came, Ok(true), "{lines:?} did not come\n{}\n{last}", self.said());
        last
    }

    /// Scrapes on until it has ended: it waits for two scrapes of its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let wait = async {
            loop {
                if let Some(status) = self.child.try_wait().expect("a child") {
                    return status;
                }
                self.scrape().await;
                tokio::time::sleep(LOOK).await;
            }
        };
        let ended = tokio::time::timeout(LIMIT, wait).await;
        let status = ended.unwrap_or_else(|_| panic!("it does not end\n{}", self.said()));
        self.reader.take().expect("waited for once").join().expect("no panic");
        status
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether `exposition` has exactly this line.
pub(crate) fn shows(exposition: &str, line: &str) -> bool {
    exposition.lines().any(|found| found == line)
}

pub(crate) fn value(exposition: &str, series: &str) -> f64 {
    let line = exposition.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} is missing\n{exposition}")).parse().expect("a number")
}
