//! A system of files that can be broken and mended.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use exporter::chaos::journal;
use exporter::chaos::putback::{Retry, recover};
use exporter::clock::Clock;
use exporter::trial::{ComponentIndex, ExecFault, Experiment, Fault, Name, NonEmpty};
use tempfile::TempDir;

use crate::lives::lives;

/// Breaks in two halves, so that it can be caught in between.
const INJECT: &str = "echo $$ >>@/pids; echo inject >>@/log; touch @/broken; \
    while [ ! -e @/go-inject ]; do sleep 0.005; done; touch @/broken";
const BIT: &str = "echo bit >>@/log; test -e @/broken";
/// Mends in two halves; what runs before the mending must not be enough.
const REVERT: &str = "echo $$ >>@/pids; echo revert >>@/log; \
    while [ ! -e @/go-revert ]; do sleep 0.005; done; rm -f @/broken";

/// The system, in a folder that is also the run's.
pub(crate) struct System {
    folder: TempDir,
}

impl System {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Lets a command go on from its first half to its second.
    pub(crate) fn let_go(&self, command: &str) {
        fs::write(self.file(&format!("go-{command}")), "").expect("a file");
    }

    pub(crate) fn broken(&self) -> bool {
        self.file("broken").exists()
    }

    /// The commands that ran, in order.
    pub(crate) fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.file("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// Waits until `command` is in its first half.
    pub(crate) fn await_command(&self, command: &str) {
        while !self.log().iter().any(|line| line == command) {
            std::thread::yield_now();
        }
        // Its log line comes before its damage.
        while command == "inject" && !self.broken() {
            std::thread::yield_now();
        }
    }

    pub(crate) fn journal(&self) -> Vec<u8> {
        fs::read(self.file(journal::FILE)).expect("a journal")
    }

    /// The system as it was, with a journal of these bytes.
    pub(crate) fn restore(&self, journal: &[u8], broken: bool) {
        fs::write(self.file(journal::FILE), journal).expect("a journal");
        if broken {
            fs::write(self.file("broken"), "").expect("broken again");
        }
    }

    /// Recovers in this process.
    pub(crate) fn recover(&self) {
        self.let_go("revert");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let recovered = runtime.block_on(recover(self.path(), &Clock::start(), Retry::default()));
        recovered.expect("recovered");
    }

    /// Kills the commands that still run, as a power cut would.
    pub(crate) fn end_commands(&self) {
        for pid in self.running() {
            let group = rustix::process::Pid::from_raw(pid).expect("a process id");
            // It may have ended meanwhile.
            let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        while !self.running().is_empty() {
            std::thread::yield_now();
        }
    }

    /// Commands that are alive. A number may meanwhile be another's, who does not name this folder.
    fn running(&self) -> Vec<i32> {
        let pids = fs::read_to_string(self.file("pids")).unwrap_or_default();
        let alive = |pid: &i32| {
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let folder = self.folder.path().to_string_lossy();
            line.contains(&*folder) && lives(&pid.to_string())
        };
        pids.lines().filter_map(|line| line.parse().ok()).filter(alive).collect()
    }

    /// Nothing is broken, and nothing runs that might still break it.
    pub(crate) fn assert_mended(&self, place: &str) {
        assert_eq!(self.running(), [0; 0], "{place}: a command still runs; log {:?}", self.log());
        assert!(!self.broken(), "{place}: left broken; log {:?}", self.log());
    }
}

/// The experiment on the system in `folder`.
pub(crate) fn experiment(folder: &Path) -> Experiment {
    let command = |text: &str| text.replace('@', folder.to_str().expect("a plain path"));
    Experiment {
        name: Name::new("break-it").expect("a name"),
        fault: Fault::Exec(ExecFault {
            target: "echo it".into(),
            inject: command(INJECT),
            bit: Some(command(BIT)),
            revert: Some(command(REVERT)),
            timeout: Duration::from_mins(2),
        }),
        components: NonEmpty::one(ComponentIndex::new(0, 1).expect("one component")),
        deadline: Duration::from_mins(1),
        hold: Duration::ZERO,
        replaced: false,
    }
}
