//! How faults are carried out.
//!
//! A kind of fault is one file of this folder, registered here: a branch of [`resolve`], a variant of [`Action`]
//! and, where there is something to put back, one of [`Undo`]; where its steps leave something at work when they
//! are interrupted, also one of [`Trace`]. What became of a step is told as an [`Outcome`]. Nobody else tells
//! kinds apart. The only kind so far is `exec`: commands of the user's own ([`commands`]).

pub mod commands;
mod exec;
mod leftover;
mod outcome;
mod output;
pub(super) mod process;
mod strays;
mod trace;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::commands::{Commands, Mend};
pub use self::exec::VARIABLES;
pub use self::leftover::Leader;
pub use self::outcome::{Ending, Outcome};
pub use self::trace::{EndError, Trace};
pub(super) use self::trace::{end_interrupted, end_left};
use super::guard::Refusal;
use super::journal::{Intent, Journal};
use crate::clock::{Clock, Moment};
use crate::trial::{Fault, Secrets};

/// What a fault does, its choices made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Commands of the user's own.
    Exec(Commands),
}

/// All that puts a fault back, as the journal keeps it. Idempotent: one time too many does no harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Undo {
    /// A command of the user's own.
    Exec(Mend),
}

/// Where a fault is carried out: an experiment whose intent is in the journal.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// Anything that outlives this process is noted here before it is let go.
    pub journal: &'a Journal,
    /// What is intended there.
    pub intent: &'a Intent,
    /// The run's clock.
    pub clock: &'a Clock,
    /// What no outcome may show.
    pub secrets: &'a Secrets,
}

/// Why a fault is not injected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InjectError {
    /// It was not begun: nothing is done.
    NotBegun(String),
    /// It was begun: nobody knows what is done.
    Failed(String),
}

/// Finds the targets of `fault`. Reads only; a refusal shows none of `secrets`.
pub async fn resolve(
    fault: &Fault,
    clock: &Clock,
    secrets: &Secrets,
) -> Result<(Vec<String>, Action), Refusal> {
    match fault {
        Fault::Exec(fault) => {
            let (targets, commands) = commands::resolve(fault, clock, secrets).await?;
            Ok((targets, Action::Exec(commands)))
        }
    }
}

impl Action {
    /// What puts it back; `None`: there is nothing to put back.
    pub fn undo(&self) -> Option<Undo> {
        match self {
            Self::Exec(commands) => commands.mend().map(Undo::Exec),
        }
    }

    /// What is done to the targets.
    pub fn told(&self) -> &str {
        match self {
            Self::Exec(commands) => &commands.inject,
        }
    }

    /// What shows that it took effect; `None`: only failed probes can tell.
    pub fn check(&self) -> Option<&str> {
        match self {
            Self::Exec(commands) => commands.bit.as_deref(),
        }
    }

    /// The time limit of each of its steps.
    pub fn timeout(&self) -> Duration {
        match self {
            Self::Exec(commands) => commands.timeout,
        }
    }

    /// Does it. `begun` learns the moment from which on something may be broken.
    pub(super) async fn inject(
        &self,
        scene: Scene<'_>,
        begun: &mut (dyn FnMut(Moment) + Send),
    ) -> Result<Outcome, InjectError> {
        match self {
            Self::Exec(commands) => commands.inject(scene, begun).await,
        }
    }

    /// One look whether it took effect, of `limit` at most.
    pub(super) async fn look(&self, scene: Scene<'_>, limit: Duration) -> Result<Outcome, String> {
        match self {
            Self::Exec(commands) => commands.look(scene, limit).await,
        }
    }
}

impl Undo {
    /// One attempt to put it back.
    pub(super) async fn attempt(&self, scene: Scene<'_>) -> Result<Outcome, Box<dyn Error + Send + Sync>> {
        match self {
            Self::Exec(mend) => Ok(mend.attempt(scene).await?),
        }
    }
}

impl fmt::Display for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exec(mend) => f.write_str(&mend.command),
        }
    }
}
