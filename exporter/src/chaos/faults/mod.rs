//! How faults are carried out.
//!
//! A kind of fault is one file of this folder, registered here: a branch of [`resolve`], a variant of [`Action`]
//! and, where there is something to put back, one of [`Undo`]; where its steps leave something at work when they
//! are interrupted, also one of [`Trace`]. What became of a step is told as an [`Outcome`]. Nobody else tells
//! kinds apart. There are commands of the user's own ([`commands`]) and, on Kubernetes, such that run in a pod
//! ([`pod_exec`]), pods that go ([`pod_kill`]) or are cut off ([`partition`]), and nodes that are drained ([`drain`]).

mod api;
mod canary;
pub mod commands;
pub mod drain;
mod evictable;
mod exec;
mod leftover;
mod outcome;
mod output;
pub mod partition;
pub mod pod_exec;
pub mod pod_kill;
mod pods;
mod policies;
pub(super) mod process;
mod quorum;
pub mod rights;
mod strays;
mod trace;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::api::{Place, ensure_opted_in};
use self::commands::{Commands, Mend};
use self::drain::{Drain, Uncordon};
pub use self::exec::VARIABLES;
pub use self::leftover::Leader;
pub use self::outcome::{Ending, Outcome};
use self::partition::{Heal, Partition};
use self::pod_exec::{PodExec, Repair};
use self::pod_kill::Kill;
pub use self::trace::{EndError, Trace};
pub(super) use self::trace::{end_interrupted, end_left};
use super::guard::Refusal;
use super::journal::{Intent, Journal};
use crate::clock::{Clock, Moment};
use crate::cluster::Target;
use crate::cluster::kubernetes::Kubernetes;
use crate::trial::{Fault, FaultKind, Name, Secrets, Store};

/// What a fault does, its choices made.
#[derive(Debug, Clone)]
pub enum Action {
    /// Commands of the user's own.
    Exec(Commands),
    /// Commands of the user's own in a pod.
    PodExec(PodExec),
    /// Pods go.
    PodKill(Kill),
    /// A pod is cut off.
    Partition(Box<Partition>),
    /// A node is drained.
    Drain(Drain),
}

/// All that puts a fault back, as the journal keeps it. Idempotent: one time too many does no harm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Undo {
    /// A command of the user's own.
    Exec(Mend),
    /// A command of the user's own in a pod.
    PodExec(Repair),
    /// Traffic of a pod is let through again.
    Partition(Heal),
    /// A node takes pods again.
    Drain(Uncordon),
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

/// What targets are found with.
#[derive(Debug, Clone, Copy)]
pub struct Means<'a> {
    /// The run's clock.
    pub clock: &'a Clock,
    /// What no refusal may show.
    pub secrets: &'a Secrets,
    /// The trial's stores, whose servers are named as their pods.
    pub stores: &'a [Store],
    /// The cluster that the service runs on, if it is one of Kubernetes.
    pub cluster: Option<&'a Kubernetes>,
    /// The instance that takes writes at this moment, by its own word, of the store whose primary is to be hit.
    pub primary: Option<&'a Name>,
    /// Nothing will be done to them: a namespace that has not opted in is looked at, too.
    pub look_only: bool,
}

/// Finds the targets of `fault`. Reads only.
pub async fn resolve(fault: &Fault, means: Means<'_>) -> Result<(Vec<Target>, Action), Refusal> {
    match fault {
        Fault::Exec(fault) => {
            let (targets, commands) = commands::resolve(fault, means.clock, means.secrets).await?;
            Ok((targets, Action::Exec(commands)))
        }
        Fault::PodExec(fault) => {
            let (targets, exec) = pod_exec::resolve(fault, means).await?;
            Ok((targets, Action::PodExec(exec)))
        }
        Fault::PodKill(fault) => {
            let (targets, kill) = pod_kill::resolve(fault, means).await?;
            Ok((targets, Action::PodKill(kill)))
        }
        Fault::Partition(fault) => {
            let (targets, partition) = Box::pin(partition::resolve(fault, means)).await?;
            Ok((targets, Action::Partition(Box::new(partition))))
        }
        Fault::Drain(fault) => {
            let (targets, drain) = Box::pin(drain::resolve(fault, means)).await?;
            Ok((targets, Action::Drain(drain)))
        }
    }
}

impl Action {
    /// What puts it back; `None`: there is nothing to put back.
    pub fn undo(&self) -> Option<Undo> {
        match self {
            Self::Exec(commands) => commands.mend().map(Undo::Exec),
            Self::PodExec(exec) => exec.undo().map(Undo::PodExec),
            Self::PodKill(_) => None,
            Self::Partition(partition) => Some(Undo::Partition(partition.undo())),
            Self::Drain(drain) => Some(Undo::Drain(drain.undo())),
        }
    }

    /// What is done to the targets.
    pub fn told(&self) -> String {
        match self {
            Self::Exec(commands) => commands.inject.clone(),
            Self::PodExec(exec) => exec.to_string(),
            Self::PodKill(kill) => kill.to_string(),
            Self::Partition(partition) => partition.to_string(),
            Self::Drain(drain) => drain.to_string(),
        }
    }

    /// What shows that it took effect; `None`: only failed probes can tell.
    pub fn check(&self) -> Option<String> {
        match self {
            Self::Exec(commands) => commands.bit.clone(),
            Self::PodExec(exec) => exec.check(),
            Self::PodKill(kill) => kill.check().map(str::to_owned),
            Self::Partition(partition) => partition.check(),
            Self::Drain(drain) => Some(drain.check()),
        }
    }

    /// The time limit of each of its steps.
    pub fn timeout(&self) -> Duration {
        match self {
            Self::Exec(commands) => commands.timeout,
            Self::PodExec(exec) => exec.timeout,
            Self::PodKill(kill) => kill.timeout,
            Self::Partition(partition) => partition.timeout,
            Self::Drain(drain) => drain.timeout(),
        }
    }

    /// Whether what allowed it when `targets` were found still does.
    pub(super) async fn still_allowed(&self, targets: &[Target]) -> Result<(), Refusal> {
        match self {
            Self::Exec(_) => Ok(()),
            Self::PodExec(exec) => exec.survey().await,
            Self::PodKill(kill) => Box::pin(kill.survey(targets)).await,
            Self::Partition(partition) => Box::pin(partition.survey(targets)).await,
            Self::Drain(drain) => Box::pin(drain.survey()).await,
        }
    }

    /// Whether it was about the same to its end, which is over, as when its `targets` were found; else why nobody knows
    /// what it did.
    pub async fn held(&self, targets: &[Target]) -> Result<(), String> {
        match self {
            Self::Partition(partition) => Box::pin(partition.held(targets)).await,
            Self::Exec(_) | Self::PodExec(_) | Self::PodKill(_) | Self::Drain(_) => Ok(()),
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
            Self::PodExec(exec) => exec.inject(scene, begun).await,
            Self::PodKill(kill) => Ok(kill.inject(scene, begun).await),
            Self::Partition(partition) => Ok(Box::pin(partition.inject(scene, begun)).await),
            Self::Drain(drain) => Ok(Box::pin(drain.inject(scene, begun)).await),
        }
    }

    /// One look whether it took effect, of `limit` at most.
    pub(super) async fn look(&self, scene: Scene<'_>, limit: Duration) -> Result<Outcome, String> {
        match self {
            Self::Exec(commands) => commands.look(scene, limit).await,
            Self::PodExec(exec) => exec.look(scene, limit).await,
            Self::PodKill(kill) => kill.look(scene, limit).await,
            Self::Partition(partition) => Box::pin(partition.look(scene, limit)).await,
            Self::Drain(drain) => drain.look(scene, limit).await,
        }
    }
}

impl Undo {
    /// Of which kind of fault it is the inverse.
    pub(super) fn kind(&self) -> FaultKind {
        match self {
            Self::Exec(_) => FaultKind::Exec,
            Self::PodExec(_) => FaultKind::PodExec,
            Self::Partition(_) => FaultKind::Partition,
            Self::Drain(_) => FaultKind::Drain,
        }
    }

    /// Where it is put back, if that is in a cluster.
    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Self::Exec(_) => None,
            Self::PodExec(repair) => Some(&repair.place),
            Self::Partition(heal) => Some(&heal.place),
            Self::Drain(uncordon) => Some(&uncordon.place),
        }
    }

    /// What shows that no exporter wrote it, as far as it may do harm in its own place.
    pub(super) fn unlike_ours(&self) -> Option<String> {
        match self {
            Self::Exec(_) | Self::PodExec(_) | Self::Drain(_) => None,
            Self::Partition(heal) => heal.unlike_ours(),
        }
    }

    /// Whether the change may still be made after it was put back, where nobody has seen it made. A cordon may not: it is
    /// one of a state of the node that is over then.
    pub(super) fn may_be_overtaken(&self) -> bool {
        matches!(self, Self::Partition(_))
    }

    /// One attempt to put it back.
    pub(super) async fn attempt(&self, scene: Scene<'_>) -> Result<Outcome, Box<dyn Error + Send + Sync>> {
        match self {
            Self::Exec(mend) => Ok(mend.attempt(scene).await?),
            Self::PodExec(repair) => Ok(repair.attempt(scene).await),
            Self::Partition(heal) => Ok(Box::pin(heal.attempt(scene)).await),
            Self::Drain(uncordon) => Ok(Box::pin(uncordon.attempt(scene)).await),
        }
    }
}

impl fmt::Display for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exec(mend) => f.write_str(&mend.command),
            Self::PodExec(repair) => write!(f, "{repair}"),
            Self::Partition(heal) => write!(f, "{heal}"),
            Self::Drain(uncordon) => write!(f, "{uncordon}"),
        }
    }
}
