//! The whole chain on the real lab: load, faults, recovery, Prometheus, verdict; then an interrupted run, and
//! nothing left behind. Needs root and the lab's Debian packages, and fails where it lacks them.

mod panels;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use panels::{Panel, Panels};

const PROMETHEUS: &str = "http://198.18.79.1:9090";

/// Longer than anything here may take on a slow machine.
const PATIENCE: Duration = Duration::from_mins(10);

/// The folder of the workspace's binaries; `cargo test --workspace` builds them all.
fn binaries() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_lab")).parent().expect("a binary lies in a folder")
}

fn command(binary: &str) -> Command {
    let path = binaries().join(binary);
    assert!(
        path.exists(),
        "{binary} is not built; run `cargo test --workspace`, or `cargo build --workspace` first"
    );
    let mut command = Command::new(path);
    let search = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{search}", binaries().display()));
    command
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().expect("the program starts")
}

fn told(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A lab that is up; taken down whatever happens.
struct Lab {
    dir: PathBuf,
}

impl Lab {
    fn up(dir: &Path, rules: &[PathBuf]) -> Self {
        let lab = Self { dir: dir.to_owned() };
        let up = output(command("lab").arg("--dir").arg(dir).args(["up", "--rules"]).args(rules));
        assert!(up.status.success(), "{}", told(&up));
        lab
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let down = output(command("lab").arg("--dir").arg(&self.dir).arg("down"));
        if !down.status.success() {
            eprintln!("{}", told(&down));
        }
    }
}

struct Exporter(Child);

impl Exporter {
    fn start(trial: &str, dir: &Path) -> Self {
        let log = std::fs::File::create(dir.join("stderr.log")).expect("writable");
        let child =
            command("load-exporter").arg("run").arg(file(trial)).arg("--dir").arg(dir).stderr(log).spawn();
        Self(child.expect("the exporter starts"))
    }

    fn end(mut self) -> Option<i32> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait().expect("a child") {
                return status.code();
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        panic!("the exporter has not ended");
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// Whether the exporter's log of its newest run holds `text`.
fn logged(dir: &Path, text: &str) -> bool {
    std::fs::read_to_string(dir.join("latest/exporter.log")).is_ok_and(|log| log.contains(text))
}

/// The id of the newest run in a folder.
fn newest(dir: &Path) -> String {
    let run = std::fs::read_link(dir.join("latest")).expect("a newest run");
    run.file_name().expect("its id").to_string_lossy().into_owned()
}

/// The rules on what is promised of the short trial, which the dashboards' promises are made of.
fn write_rules(folder: &Path) -> PathBuf {
    let rules =
        output(command("slo-verifier").arg("rules").arg(file("short-slos.yaml")).args(["--trial", "short"]));
    assert!(rules.status.success(), "{}", told(&rules));
    let path = folder.join("promises.yml");
    std::fs::write(&path, rules.stdout).expect("writable");
    path
}

/// Judges the newest run, with reports of every form beside its results.
fn verify(dir: &Path) -> Output {
    let latest = dir.join("latest");
    let mut verify = command("slo-verifier");
    verify.arg("verify").arg(file("short-slos.yaml")).args(["--prometheus", PROMETHEUS, "--wait", "60s"]);
    verify.arg("--report-dir").arg(&latest).arg("--run-dir").arg(&latest);
    output(verify.args(["--run", &newest(dir)]))
}

/// Every panel of the dashboards shows something of the newest run, but for what it cannot have, and some show the
/// report's very numbers.
fn assert_shown(dir: &Path) {
    let mut check = command("dashboards");
    check.args(["check", "--all", "--prometheus", PROMETHEUS, "--output", "json", "--run", &newest(dir)]);
    let told = output(&mut check);
    // Some show nothing, and all are told.
    assert_eq!(told.status.code(), Some(1), "{}", self::told(&told));
    let panels = Panels::new(&told.stdout);
    panels.assert_complete();
    let report = std::fs::read(dir.join("latest/report.json")).expect("the report is there");
    let report = serde_json::from_slice(&report).expect("JSON");
    let answered = Panel { dashboard: "ordeal-run", title: "By requests", query: "A", labels: &[] };
    panels.assert_equals(&answered, &report, "the shop answers", "value");
    let lost = Panel {
        dashboard: "ordeal-recovery",
        title: "Writes lost",
        query: "A",
        labels: &[("store", "postgres")],
    };
    panels.assert_equals(&lost, &report, "nothing lost", "value");
    let kill = [("experiment", "kill-postgres-primary"), ("component", "postgres"), ("since", "injected")];
    let drain = [("experiment", "drain-node"), ("component", "replicas"), ("since", "injected")];
    for (labels, objective) in [(&kill, "PostgreSQL recovers"), (&drain, "replicas ready elsewhere")] {
        for (query, of) in [("A", "lower"), ("B", "value"), ("C", "upper")] {
            let time = Panel { dashboard: "ordeal-recovery", title: "Recovery times", query, labels };
            panels.assert_equals(&time, &report, objective, of);
        }
    }
    panels.assert_spent(&report, "most answers come soon", 0.5);
}

/// The alerts that PostgreSQL is down: the trial's own page, and that of the rules on what is promised.
const PAGES: [&str; 2] = ["alertname=PostgresDown", "alertname=OrdealComponentDown component=postgres"];

/// Whether Alertmanager has an alert with such labels.
fn paged(labels: &str) -> bool {
    let mut query = Command::new("amtool");
    query.args(["--alertmanager.url=http://198.18.79.1:9093", "--output=json", "alert", "query"]);
    let told = output(query.args(labels.split(' ')));
    assert!(told.status.success(), "{}", self::told(&told));
    String::from_utf8_lossy(&told.stdout).contains("alertname")
}

fn namespaces() -> String {
    let list = output(Command::new("ip").args(["netns", "list"]));
    String::from_utf8_lossy(&list.stdout).into_owned()
}

#[test]
fn a_run_is_judged_and_an_interrupted_one_leaves_nothing_broken() {
    assert!(
        rustix::process::geteuid().is_root(),
        "the lab makes network namespaces: run this test as root, or leave it out by \
         `cargo test --workspace --exclude lab`"
    );
    // PostgreSQL's own user must be able to enter it.
    let open = std::fs::Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new().permissions(open).tempdir().expect("a temporary folder");
    let run_dir = folder.path().join("run");
    let cut_dir = folder.path().join("cut");
    for dir in [&run_dir, &cut_dir] {
        std::fs::create_dir(dir).expect("writable");
    }
    let rules = [file("short-rules.yml"), write_rules(folder.path())];
    let lab = Lab::up(&folder.path().join("lab"), &rules);

    let exporter = Exporter::start("short.yaml", &run_dir);
    let mut awaited = Vec::from(PAGES);
    wait_until("Alertmanager has every page", || {
        awaited.retain(|page| !paged(page));
        awaited.is_empty()
    });
    wait_until("Alertmanager has their ends", || !PAGES.iter().any(|page| paged(page)));
    let code = exporter.end();
    let log = std::fs::read_to_string(run_dir.join("latest/exporter.log")).unwrap_or_default();
    assert_eq!(code, Some(0), "{log}");
    let verdict = verify(&run_dir);
    assert!(verdict.status.success(), "{}\n{log}", told(&verdict));
    let text = String::from_utf8_lossy(&verdict.stdout);
    let listed = |line: &str| line.contains("PostgresDown{") && line.contains("kill-postgres-primary");
    assert!(text.lines().any(listed), "the alert is not listed: {text}");
    assert_shown(&run_dir);

    let exporter = Exporter::start("cut-off.yaml", &cut_dir);
    wait_until("the fault took effect", || logged(&cut_dir, "the fault took effect"));
    kill_process(Pid::from_child(&exporter.0), Signal::INT).expect("it runs");
    assert_eq!(exporter.end(), Some(130));
    wait_until("the lab is whole again", || output(command("lab").arg("status")).status.success());

    drop(lab);
    assert!(!namespaces().contains("ordeal-lab"), "namespaces are left: {}", namespaces());
    let processes = output(Command::new("pgrep").args(["-f", &folder.path().display().to_string()]));
    assert!(processes.stdout.is_empty(), "processes are left: {}", told(&processes));
}
