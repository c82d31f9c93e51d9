//! What is broken.

use std::time::Duration;

use super::{ComponentIndex, Name, NonEmpty};

/// One fault, at one target, at one time.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// Exported as the label `experiment`; unique in the trial.
    pub name: Name,
    /// What is done.
    pub fault: Fault,
    /// Those that must recover.
    pub components: NonEmpty<ComponentIndex>,
    /// The longest wait for all of them, from the injection (default 300 s).
    pub deadline: Duration,
    /// Time from the injection to the revert, where there is a revert (default 0).
    pub hold: Duration,
    /// Whether `replicas` recover only once the targets (instances, or those on target nodes) are replaced.
    pub replaced: bool,
}

/// What is done to break something.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Commands of the user's own.
    Exec(ExecFault),
}

impl Fault {
    /// The value of the label `fault`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Exec(_) => "exec",
        }
    }
}

/// A fault made of commands, each run as `sh -c`.
#[derive(Debug, Clone)]
pub struct ExecFault {
    /// Read-only: prints the targets, one instance a line.
    pub target: String,
    /// Breaks them.
    pub inject: String,
    /// Exits 0 when the fault took effect.
    pub bit: Option<String>,
    /// Puts back what `inject` broke; idempotent. `None`: there is nothing to put back.
    pub revert: Option<String>,
    /// Time limit of each command (default 30 s).
    pub timeout: Duration,
}
