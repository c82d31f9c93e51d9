//! `load-exporter` as a process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

/// Longer than anything here takes on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(10);

/// A process that goes on; killed with the value that holds it.
pub(crate) struct Program {
    child: Child,
    output: PathBuf,
}

impl Program {
    /// Starts it with `arguments` in `folder`, which has the kubeconfig; the file `name` takes what it says.
    pub(crate) fn start(folder: &Path, name: &str, arguments: &[&str]) -> Self {
        let output = folder.join(name);
        let said = std::fs::File::create(&output).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_load-exporter"));
        command.args(arguments).current_dir(folder).kill_on_drop(true).stdin(Stdio::null());
        // Neither a proxy nor another cluster.
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("KUBECONFIG", folder.join("kubeconfig"));
        command.stdout(said.try_clone().expect("the file")).stderr(said);
        Self { child: command.spawn().expect("the binary starts"), output }
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.output).expect("what it said")
    }

    /// Waits until it has said `part`.
    pub(crate) async fn says(&mut self, part: &str) {
        let wait = async {
            while !self.said().contains(part) {
                let ended = self.child.try_wait().expect("a child");
                assert!(ended.is_none() || self.said().contains(part), "no {part:?}: {}", self.said());
                tokio::time::sleep(LOOK).await;
            }
        };
        let came = tokio::time::timeout(LIMIT, wait).await;
        assert!(came.is_ok(), "no {part:?}: {}", self.said());
    }

    /// Its exit code, once it has one.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(LIMIT, self.child.wait()).await;
        let status = ended.unwrap_or_else(|_| panic!("it does not end: {}", self.said()));
        status.expect("a child").code()
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(id.expect("it runs"), Signal::INT).expect("it runs");
    }

    /// `kill -9`, awaited.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("a process");
    }
}
