//! The process that is killed, seen from inside and from outside.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, ChildStdin, Command, Stdio};

use exporter::chaos::STEPS;
use exporter::chaos::driver::{Driver, Setup};
use exporter::chaos::journal::Journal;
use exporter::chaos::metrics::Metrics;
use exporter::chaos::putback::{Retry, recover};
use exporter::clock::Clock;
use exporter::trial::{Name, Secrets};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::system::{System, experiment};

const ROLE: &str = "CHAOS_CRASH_ROLE";
const FOLDER: &str = "CHAOS_CRASH_FOLDER";
/// Begins the lines that the child speaks to its parent; all others are noise.
const STEP: &str = "STEP ";

/// What the child does.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    Run,
    Recover,
}

/// A child, stopped at its first step.
pub(crate) struct Child<'a> {
    process: std::process::Child,
    stdin: ChildStdin,
    lines: std::io::Lines<BufReader<ChildStderr>>,
    system: &'a System,
    seen: Seen,
}

/// The steps that a child came to, each with the journal's length in whole lines.
#[derive(Default)]
pub(crate) struct Seen(Vec<(String, usize)>);

impl Seen {
    pub(crate) fn steps(&self) -> Vec<&str> {
        self.0.iter().map(|(step, _)| step.as_str()).collect()
    }

    pub(crate) fn last(&self) -> &str {
        self.0.last().map_or("nothing", |(step, _)| step)
    }

    /// Bytes of the journal that are on disk.
    pub(crate) fn synced(&self) -> usize {
        let synced = self.0.iter().rev().find(|(step, _)| step == "journal_synced");
        synced.map_or(0, |(_, length)| *length)
    }
}

impl<'a> Child<'a> {
    pub(crate) fn start(system: &'a System, role: Role) -> Self {
        let role = match role {
            Role::Run => "run",
            Role::Recover => {
                system.let_go("revert");
                "recover"
            }
        };
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["child_process", "--exact", "--nocapture"]).env(ROLE, role).env(FOLDER, system.path());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("a child");
        let stdin = process.stdin.take().expect("piped");
        let lines = BufReader::new(process.stderr.take().expect("piped")).lines();
        Self { process, stdin, lines, system, seen: Seen::default() }
    }

    /// Lets the child do all it has to do.
    pub(crate) fn until_the_end(mut self) -> Seen {
        while self.next_step() {
            self.go_on();
        }
        let status = self.process.wait().expect("the child ends");
        assert!(status.success(), "the child failed after {}", self.seen.last());
        self.seen
    }

    /// Kills the child at its step number `kill_at`; `None` when it ended before.
    pub(crate) fn kill_at(mut self, kill_at: usize) -> Option<Seen> {
        while self.next_step() {
            if self.seen.0.len() <= kill_at {
                self.go_on();
                continue;
            }
            // A command that was let go is caught in its first half.
            match self.seen.last() {
                "inject_started" => self.system.await_command("inject"),
                "revert_started" => self.system.await_command("revert"),
                _ => {}
            }
            self.process.kill().expect("SIGKILL");
            self.process.wait().expect("dead");
            return Some(self.seen);
        }
        let status = self.process.wait().expect("the child ends");
        assert!(status.success(), "the child failed after {}", self.seen.last());
        None
    }

    fn next_step(&mut self) -> bool {
        for line in self.lines.by_ref() {
            let line = line.expect("text");
            if let Some((step, length)) = line.strip_prefix(STEP).and_then(|rest| rest.split_once(' ')) {
                self.seen.0.push((step.to_owned(), length.parse().expect("a number")));
                return true;
            }
        }
        false
    }

    fn go_on(&mut self) {
        match self.seen.last() {
            "inject_started" => self.system.let_go("inject"),
            "revert_started" => self.system.let_go("revert"),
            _ => {}
        }
        self.stdin.write_all(b"\n").expect("the child listens");
    }
}

/// In a child: does its part. Elsewhere: nothing.
pub(crate) fn main_if_child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("a folder"));
    let subscriber = tracing_subscriber::registry().with(StopAtSteps);
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if role == "run" {
        runtime.block_on(run(&folder));
    } else {
        let recovered = runtime.block_on(recover(&folder, &Clock::start(), Retry::default()));
        recovered.expect("recovered");
    }
}

async fn run(folder: &Path) {
    let experiments = [experiment(folder)];
    let metrics =
        Metrics::register(&prometheus::Registry::new(), &experiments, &[]).expect("the families fit");
    let setup = Setup {
        clock: Clock::start(),
        journal: Journal::open(folder).await.expect("a journal"),
        run: "r1",
        token: folder.to_str().expect("a plain path"),
        experiments: &experiments,
        stores: Vec::new(),
        components: vec![Name::new("it").expect("a name")],
        secrets: Secrets::default(),
        cluster: None,
        metrics,
        retry: Retry::default(),
    };
    let mut driver = Driver::open(setup).await.expect("a driver");
    driver.begin().await.expect("begun");
    let plan = driver.prepare(&experiments[0], None).await.expect("a plan");
    let permit = driver.check(&plan.experiment, &[]).expect("its turn").expect("nothing speaks against it");
    driver.inject(&plan, permit, &mut |_| ()).await.expect("injected");
    driver.bit(&plan).await.expect("it bit");
    driver.revert(&plan).await.expect("put back");
}

/// Tells the parent of every step and waits for its word.
struct StopAtSteps;

impl<S: tracing::Subscriber> Layer<S> for StopAtSteps {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        if event.metadata().target() != STEPS {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        eprintln!("{STEP}{} {}", fields.step, fields.length);
        let mut word = String::new();
        std::io::stdin().read_line(&mut word).expect("the parent's word");
    }
}

#[derive(Default)]
struct Fields {
    step: String,
    length: u64,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "step" {
            value.clone_into(&mut self.step);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "length" {
            self.length = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
