//! A real Prometheus on made series.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::Made;

/// Runs begin this long ago, and last less.
const AGO: f64 = 1500.0;

/// A Prometheus server with the runs that it was started with; stopped when dropped.
pub(crate) struct Server {
    process: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Server {
    /// Makes blocks of the runs and starts the installed server on them.
    pub(crate) fn with<'a>(runs: impl IntoIterator<Item = &'a Made>) -> Self {
        Self::start("prometheus", runs)
    }

    /// A server of every version that is found: each `prometheus` on the path, one that `go install` built, and
    /// the one that `PROMETHEUS_3` names.
    pub(crate) fn each_version(runs: &[&Made]) -> Vec<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let home = std::env::var_os("HOME").map(|home| Path::new(&home).join("go/bin"));
        let folders = std::env::split_paths(&path).chain(home);
        let named = std::env::var_os("PROMETHEUS_3").map(PathBuf::from);
        let found = folders.map(|folder| folder.join("prometheus")).chain(named);
        let programs: BTreeSet<PathBuf> = found.filter_map(|program| program.canonicalize().ok()).collect();
        assert!(!programs.is_empty(), "prometheus is installed");
        programs.iter().map(|program| Self::start(program, runs.iter().copied())).collect()
    }

    fn start<'a>(program: impl AsRef<OsStr>, runs: impl IntoIterator<Item = &'a Made>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs_f64();
        // A fraction of a second, so that no timestamp is a round number.
        let start = (now - AGO).floor() + 0.125;
        let mut text: String = runs.into_iter().map(|run| run.text(start)).collect();
        text.push_str("# EOF\n");
        let input = folder.path().join("series.om");
        std::fs::write(&input, text).expect("writing the series");
        let data = folder.path().join("data");
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([&input, &data])
            .output()
            .expect("promtool runs");
        assert!(made.status.success(), "promtool: {}", String::from_utf8_lossy(&made.stderr));
        let (process, port) = start_server(program.as_ref(), folder.path(), &data);
        let server = Self { process, folder, port };
        server.await_ready();
        server
    }

    /// The server's address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A folder for a test's own files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn await_ready(&self) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !ready(self.port) {
            assert!(Instant::now() < deadline, "Prometheus is not ready after a minute");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs the verifier on objectives.
    pub(crate) fn verify(&self, objectives: &str, options: &[&str]) -> Output {
        self.verify_at(&self.url(), objectives, options)
    }

    /// Runs the verifier on objectives, through another address.
    pub(crate) fn verify_at(&self, url: &str, objectives: &str, options: &[&str]) -> Output {
        let name = format!("slos-{:?}.yaml", std::thread::current().id());
        let file = self.folder.path().join(name);
        std::fs::write(&file, objectives).expect("writing the objectives");
        Command::new(env!("CARGO_BIN_EXE_slo-verifier"))
            .arg("verify")
            .arg(&file)
            .args(["--prometheus", url])
            .args(options)
            .output()
            .expect("the verifier runs")
    }

    /// Runs the verifier and reads its JSON; the exit code must be the one that it tells.
    pub(crate) fn verdict(&self, objectives: &str, options: &[&str]) -> Value {
        let output = self.verify(objectives, &[options, &["--output", "json"]].concat());
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!(
                "{error}: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )
        });
        assert_eq!(output.status.code().map(i64::from), told["exit_code"].as_i64());
        told
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where the process is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn start_server(program: &OsStr, folder: &Path, data: &Path) -> (Child, u16) {
    let config = folder.join("prometheus.yml");
    std::fs::write(&config, "scrape_configs: []\n").expect("writing the configuration");
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let process = Command::new(program)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", data.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus runs");
    (process, port)
}

fn ready(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = String::new();
    let asked =
        stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n").and_then(|()| stream.read_to_string(&mut answer));
    asked.is_ok() && answer.starts_with("HTTP/1.0 200")
}
