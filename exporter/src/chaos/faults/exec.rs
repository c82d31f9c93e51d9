//! Runs one command of a fault: `sh -c`, in a process group of its own, with a time limit.
//!
//! A command is spawned in two steps. [`Gated::spawn`] starts a shell that waits at a gate (it reads its
//! standard input), so that its process group can be written down before it does anything;
//! [`Gated::open`] lets it go on. Should this process die in between, the shell sees the end of its input and
//! exits without having run the command.
//!
//! Whenever the command is given up (time limit, dropped future), its whole process group is killed. What left
//! the group is found by its environment when the fault is put back ([`strays`](super::strays)).

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};

use super::outcome::{Ending, Outcome};
use super::output::{Capture, Captured, told};
use crate::chaos::journal::Step;
use crate::clock::{Clock, Moment};
use crate::trial::Secrets;

/// Bytes kept of each stream of a command whose output only explains a failure.
pub(super) const TAIL: usize = 4 << 10;

/// The variables that tell a command what it is part of.
pub const VARIABLES: [&str; 5] =
    ["ORDEAL_RUN", "ORDEAL_EXPERIMENT", "ORDEAL_TOKEN", "ORDEAL_STEP", "ORDEAL_TARGETS"];

/// `exec` makes the command's own shell the leader of the group, whose life is that of the command.
const GATE: &str = r#"read -r ORDEAL_GATE || exit 125; exec sh -c "$1" </dev/null"#;

/// What is run.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    /// The command, as `sh -c` takes it.
    pub command: String,
    /// Where it runs; `None`: here.
    pub directory: Option<PathBuf>,
    /// Values of [`VARIABLES`], in that order; `None`: they are absent.
    pub identity: Option<Identity>,
    /// Its time limit.
    pub timeout: Duration,
    /// Bytes kept of its standard output.
    pub keep: usize,
}

/// What a command is told about the experiment it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// The run's id.
    pub run: String,
    /// The experiment's name.
    pub experiment: String,
    /// Shows that the command is part of the run, and not a person's.
    pub token: String,
    /// Which of the experiment's commands it is.
    pub step: Step,
    /// What is broken.
    pub targets: Vec<String>,
}

impl Identity {
    fn values(&self) -> [OsString; 5] {
        let [run, experiment, token] = [&self.run, &self.experiment, &self.token].map(OsString::from);
        [run, experiment, token, self.step.name().into(), self.targets.join("\n").into()]
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// It exited with this status.
    Status(i32),
    /// It was killed by this signal.
    Signal(i32),
    /// It was killed at its time limit.
    TimedOut,
}

impl Exit {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Status(code),
            (None, signal) => Self::Signal(signal.unwrap_or_default()),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "exit status {code}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
            Self::TimedOut => f.write_str("killed at its time limit"),
        }
    }
}

/// A command that has ended.
#[derive(Debug, Clone)]
pub(super) struct Ran {
    /// When it was let go.
    pub start: Moment,
    /// When it had ended.
    pub end: Moment,
    /// How it ended.
    pub exit: Exit,
    /// What it printed.
    pub stdout: Captured,
    /// What it printed on standard error.
    pub stderr: Captured,
}

impl Ran {
    /// What became of it, for those who know of no commands; none of `secrets` is in it.
    pub(super) fn outcome(&self, secrets: &Secrets) -> Outcome {
        let (reason, told) = told(&self.exit, &self.stdout, &self.stderr, secrets);
        let ending = match self.exit {
            Exit::Status(0) => Ending::Done,
            Exit::Status(_) | Exit::Signal(_) => Ending::Failed(reason),
            Exit::TimedOut => Ending::OutOfTime(reason),
        };
        Outcome { start: self.start, end: self.end, ending, told }
    }
}

/// Where a command was to run, and what to do where that is no more.
fn there(directory: Option<&Path>) -> String {
    match directory {
        Some(directory) if !directory.is_dir() => {
            format!(" in {}, which is no folder any more: make it again", directory.display())
        }
        Some(directory) => format!(" in {}", directory.display()),
        None => String::new(),
    }
}

/// Why a command could not be run at all.
#[derive(Debug, Error)]
pub(super) enum ExecError {
    /// The shell did not start.
    #[error("start a shell for `{command}`{}", there(directory.as_deref()))]
    Spawn {
        /// The command.
        command: String,
        /// Where it was to run, if not here.
        directory: Option<PathBuf>,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The shell was gone before it was let go.
    #[error("let `{command}` go")]
    Open {
        /// The command.
        command: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Its end could not be awaited.
    #[error("await the end of `{command}`")]
    Wait {
        /// The command.
        command: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// Kills a process group when it goes out of scope, unless the group's leader was seen to end.
#[derive(Debug)]
struct Group {
    id: i32,
    armed: bool,
}

impl Group {
    fn kill(&mut self) {
        // The leader has not been waited for while the guard is armed, so its id cannot be another's yet.
        if std::mem::take(&mut self.armed)
            && let Some(id) = Pid::from_raw(self.id)
            && let Err(error) = kill_process_group(id, Signal::KILL)
        {
            tracing::warn!(group = self.id, %error, "kill the process group of a command");
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A command that waits to be let go. Dropping it kills its shell; the command never ran.
#[derive(Debug)]
pub(super) struct Gated {
    // Dropped before the child, which may be reaped when it is dropped.
    group: Group,
    child: Child,
    gate: ChildStdin,
    stdout: Capture,
    stderr: Capture,
    command: String,
    timeout: Duration,
}

impl Gated {
    /// Starts the shell; the command does not run yet.
    pub(super) fn spawn(spec: &Spec) -> Result<Self, ExecError> {
        let error = |source| ExecError::Spawn {
            command: spec.command.clone(),
            directory: spec.directory.clone(),
            source,
        };
        let mut shell = Command::new("sh");
        shell.args(["-c", GATE, "sh", &spec.command]).process_group(0);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(directory) = &spec.directory {
            shell.current_dir(directory);
        }
        match &spec.identity {
            None => VARIABLES.iter().for_each(|name| {
                shell.env_remove(name);
            }),
            Some(identity) => {
                shell.envs(VARIABLES.iter().zip(identity.values()));
            }
        }
        let mut child = shell.spawn().map_err(error)?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(id), (Some(gate), Some(stdout), Some(stderr))) = (id, pipes) else {
            return Err(error(io::Error::other("it has no process id or no pipes")));
        };
        Ok(Self {
            group: Group { id, armed: true },
            child,
            gate,
            stdout: Capture::start(stdout, spec.keep),
            stderr: Capture::start(stderr, TAIL),
            command: spec.command.clone(),
            timeout: spec.timeout,
        })
    }

    /// The process group of the command, which is also the process id of its leader.
    pub(super) fn group(&self) -> i32 {
        self.group.id
    }

    /// Lets the command go.
    pub(super) async fn open(mut self, clock: &Clock) -> Result<Running, ExecError> {
        let start = clock.now();
        match self.gate.write_all(b"go\n").await {
            Ok(()) => Ok(Running { gated: self, clock: *clock, start }),
            Err(source) => Err(ExecError::Open { command: self.command.clone(), source }),
        }
    }
}

/// A command that runs. Dropping it kills its process group.
#[derive(Debug)]
pub(super) struct Running {
    gated: Gated,
    clock: Clock,
    start: Moment,
}

impl Running {
    /// Awaits the command's end; at the time limit its whole process group is killed.
    pub(super) async fn finish(self) -> Result<Ran, ExecError> {
        let Gated { mut child, mut group, stdout, stderr, command, timeout, gate } = self.gated;
        drop(gate);
        let error = |source| ExecError::Wait { command: command.clone(), source };
        let limit = self.clock.instant(self.start.later_by(timeout));
        let exit = match tokio::time::timeout_at(limit, child.wait()).await {
            Ok(status) => {
                group.armed = false;
                Exit::of(status.map_err(error)?)
            }
            Err(_elapsed) => {
                group.kill();
                child.wait().await.map_err(error)?;
                Exit::TimedOut
            }
        };
        let end = self.clock.now();
        let (stdout, stderr) = tokio::join!(stdout.finish(), stderr.finish());
        Ok(Ran { start: self.start, end, exit, stdout, stderr })
    }
}

/// Runs a command from its start to its end, where nobody needs to know its process group.
pub(super) async fn run(spec: &Spec, clock: &Clock) -> Result<Ran, ExecError> {
    Gated::spawn(spec)?.open(clock).await?.finish().await
}

#[cfg(test)]
mod tests;
