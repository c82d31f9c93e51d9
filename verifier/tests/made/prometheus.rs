//! A real Prometheus on made series.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::Made;
use super::proxy::{Proxy, Spoil};

/// Runs begin this long ago, unless told otherwise, and last less.
const AGO: f64 = 1500.0;

/// Scrapes nothing, and evaluates the rule whose alerts a healthy run has; here it stays silent.
const CONFIG: &str = "scrape_configs: []\nrule_files: [rules.yml]\n";
/// A rule that objectives name, and one of Ordeal's that is kept to another trial.
const RULES: &str = r#"groups:
- name: made
  interval: 1s
  rules:
  - {alert: ShopDown, expr: vector(0) > 1}
  - {alert: OrdealDataLost, expr: 'ordeal_run_info{trial="another"} > 1'}
"#;

/// A Prometheus server with the runs that it was started with; stopped when dropped.
pub(crate) struct Server {
    process: Child,
    program: OsString,
    flags: Vec<String>,
    folder: tempfile::TempDir,
    port: u16,
    /// In front of a server with made runs, which has had its rules since before them.
    settled: Option<Proxy>,
    /// When the runs began, in Unix seconds.
    pub(crate) start: f64,
}

impl Server {
    /// Makes blocks of the runs and starts the installed server on them.
    pub(crate) fn with<'a>(runs: impl IntoIterator<Item = &'a Made>) -> Self {
        Self::aged(runs.into_iter().map(|run| (run, AGO)), &[])
    }

    /// The same with runs that began so many seconds ago, and with the server's own flags.
    pub(crate) fn aged<'a>(runs: impl IntoIterator<Item = (&'a Made, f64)>, flags: &[&str]) -> Self {
        Self::start("prometheus".as_ref(), CONFIG, runs, flags)
    }

    /// A server that scrapes these targets every fifth of a second and remembers nothing yet.
    pub(crate) fn scraping(targets: &[&str]) -> Self {
        let config = format!(
            "global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs: [{{job_name: ordeal, static_configs: [{{targets: {targets:?}}}]}}]
"
        );
        Self::start("prometheus".as_ref(), &config, [], &[])
    }

    /// A server of every version that is found: each `prometheus` on the path, one that `go install` built, and
    /// the one that `PROMETHEUS_3` names.
    pub(crate) fn each_version(runs: &[&Made]) -> Vec<Self> {
        let aged = || runs.iter().map(|run| (*run, AGO));
        let start = |program: &PathBuf| Self::start(program.as_os_str(), CONFIG, aged(), &[]);
        Self::versions().iter().map(start).collect()
    }

    /// A server of every version that scrapes these targets every second and evaluates these rules as often.
    pub(crate) fn each_ruling(targets: &[&str], rules: &[PathBuf]) -> Vec<Self> {
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: {rules:?}
scrape_configs: [{{job_name: ordeal, static_configs: [{{targets: {targets:?}}}]}}]
"
        );
        let start = |program: &PathBuf| Self::start(program.as_os_str(), &config, [], &[]);
        Self::versions().iter().map(start).collect()
    }

    /// What the server's API answers.
    pub(crate) fn ask(&self, path: &str) -> Value {
        let answer = get(self.port, path).unwrap_or_else(|| panic!("no answer to {path}"));
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }

    fn versions() -> BTreeSet<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let home = std::env::var_os("HOME").map(|home| Path::new(&home).join("go/bin"));
        let folders = std::env::split_paths(&path).chain(home);
        let named = std::env::var_os("PROMETHEUS_3").map(PathBuf::from);
        let found = folders.map(|folder| folder.join("prometheus")).chain(named);
        let programs: BTreeSet<PathBuf> = found.filter_map(|program| program.canonicalize().ok()).collect();
        assert!(!programs.is_empty(), "prometheus is installed");
        programs
    }

    fn start<'a>(
        program: &OsStr,
        config: &str,
        runs: impl IntoIterator<Item = (&'a Made, f64)>,
        flags: &[&str],
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("prometheus.yml"), config).expect("writing the configuration");
        std::fs::write(folder.path().join("rules.yml"), RULES).expect("writing the rules");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs_f64();
        // A fraction of a second, so that no timestamp is a round number.
        let begun = |ago: f64| (now - ago).floor() + 0.125;
        let text: String = runs.into_iter().map(|(run, ago)| run.text(begun(ago))).collect();
        if !text.is_empty() {
            make_blocks(folder.path(), &text);
        }
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let process = start_server(program, folder.path(), port, &flags);
        let address = format!("http://127.0.0.1:{port}");
        let settled = (config == CONFIG).then(|| Proxy::to(&address, "", Spoil::Settled));
        let start = begun(AGO);
        let server = Self { process, program: program.to_owned(), flags, folder, port, settled, start };
        server.await_ready();
        if config == CONFIG {
            server.await_rules();
        }
        server
    }

    /// Waits until the rules were evaluated.
    fn await_rules(&self) {
        let evaluated =
            || get(self.port, "/api/v1/rules").is_some_and(|told| told.contains("\"health\":\"ok\""));
        await_that("an evaluation of the rules", evaluated);
    }

    /// Kills the server.
    pub(crate) fn stop(&mut self) {
        self.process.kill().expect("killing Prometheus");
        self.process.wait().expect("Prometheus ends");
    }

    /// Deletes what the stopped server wrote ahead.
    pub(crate) fn forget(&self) {
        for gone in ["wal", "chunks_head"] {
            std::fs::remove_dir_all(self.folder.path().join("data").join(gone)).expect("forgetting");
        }
    }

    /// Starts the stopped server again.
    pub(crate) fn resume(&mut self) {
        self.process = start_server(&self.program, self.folder.path(), self.port, &self.flags);
        self.await_ready();
    }

    /// Waits until the server has answered a query.
    pub(crate) fn await_query(&self) {
        let asked = |line: &str| {
            line.starts_with("prometheus_http_requests_total{code=\"200\",handler=\"/api/v1/query\"}")
        };
        await_that("a query", || get(self.port, "/metrics").is_some_and(|told| told.lines().any(asked)));
    }

    /// The server's address; one with made runs tells there that it has had its rules since before them.
    pub(crate) fn url(&self) -> String {
        self.settled.as_ref().map_or_else(|| self.direct(), |settled| settled.url.clone())
    }

    /// The server's own address, where it tells that it read its rules when it was started.
    pub(crate) fn direct(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A folder for a test's own files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn await_ready(&self) {
        let ready = || get(self.port, "/-/ready").is_some_and(|answer| answer.starts_with("HTTP/1.0 200"));
        await_that("Prometheus", ready);
    }

    /// Runs the verifier on objectives.
    pub(crate) fn verify(&self, objectives: &str, options: &[&str]) -> Output {
        self.verify_at(&self.url(), objectives, options)
    }

    /// Runs the verifier on objectives, through another address.
    pub(crate) fn verify_at(&self, url: &str, objectives: &str, options: &[&str]) -> Output {
        self.command(url, objectives, options).output().expect("the verifier runs")
    }

    /// Starts the verifier on objectives.
    pub(crate) fn begin(&self, objectives: &str, options: &[&str]) -> Child {
        self.begin_at(&self.url(), objectives, options)
    }

    /// Starts the verifier on objectives, through another address.
    pub(crate) fn begin_at(&self, url: &str, objectives: &str, options: &[&str]) -> Child {
        let mut command = self.command(url, objectives, options);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the verifier runs")
    }

    /// The verifier on objectives, through some address, to be run.
    pub(crate) fn command(&self, url: &str, objectives: &str, options: &[&str]) -> Command {
        let name = format!("slos-{:?}.yaml", std::thread::current().id());
        let file = self.folder.path().join(name);
        std::fs::write(&file, objectives).expect("writing the objectives");
        let mut command = Command::new(env!("CARGO_BIN_EXE_slo-verifier"));
        command.arg("verify").arg(&file).args(["--prometheus", url]).args(options);
        // A CI step's own, which is about something else.
        command.env_remove("GITHUB_STEP_SUMMARY");
        if !options.contains(&"--run") {
            command.args(["--run", "latest"]);
        }
        command
    }

    /// Runs the verifier and reads its JSON; the exit code must be the one that it tells.
    pub(crate) fn verdict(&self, objectives: &str, options: &[&str]) -> Value {
        told(&self.verify(objectives, &[options, &["--output", "json"]].concat()))
    }
}

/// The JSON that the verifier wrote; the exit code must be the one that it tells.
pub(crate) fn told(output: &Output) -> Value {
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        panic!("{error}: {out}{err}")
    });
    assert_eq!(output.status.code().map(i64::from), told["exit_code"].as_i64());
    told
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where the process is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Makes blocks of series.
fn make_blocks(folder: &Path, text: &str) {
    let input = folder.join("series.om");
    std::fs::write(&input, format!("{text}# EOF\n")).expect("writing the series");
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&input, &folder.join("data")])
        .output()
        .expect("promtool runs");
    assert!(made.status.success(), "promtool: {}", String::from_utf8_lossy(&made.stderr));
}

fn start_server(program: &OsStr, folder: &Path, port: u16, flags: &[String]) -> Child {
    Command::new(program)
        .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args(flags)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus runs")
}

/// Waits for a condition, for a minute at most.
pub(crate) fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "waited for {what} for a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The answer to a plain request, its head included.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let mut answer = String::new();
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
