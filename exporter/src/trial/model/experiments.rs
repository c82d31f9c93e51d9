//! What is broken.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ComponentIndex, Name, NonEmpty, OnePod, PodExec, Requirement, Selector, StoreIndex};

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
    /// Commands of the user's own in a pod of a Kubernetes cluster.
    PodExec(PodExec),
    /// Pods of a Kubernetes cluster go.
    PodKill(PodKill),
    /// A pod of a Kubernetes cluster is cut off.
    Partition(NetworkPartition),
    /// A node of a Kubernetes cluster is drained.
    Drain(NodeDrain),
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// [`Fault::Exec`].
    Exec,
    /// [`Fault::PodExec`].
    PodExec,
    /// [`Fault::PodKill`].
    PodKill,
    /// [`Fault::Partition`].
    #[serde(rename = "network_partition")]
    Partition,
    /// [`Fault::Drain`].
    #[serde(rename = "node_drain")]
    Drain,
}

impl FaultKind {
    /// The value of the label `fault`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::PodExec => "pod_exec",
            Self::PodKill => "pod_kill",
            Self::Partition => "network_partition",
            Self::Drain => "node_drain",
        }
    }
}

impl Fault {
    /// Its kind.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Exec(_) => FaultKind::Exec,
            Self::PodExec(_) => FaultKind::PodExec,
            Self::PodKill(_) => FaultKind::PodKill,
            Self::Partition(_) => FaultKind::Partition,
            Self::Drain(_) => FaultKind::Drain,
        }
    }

    /// Whether something of it is put back.
    pub fn is_reverted(&self) -> bool {
        match self {
            Self::Exec(fault) => fault.revert.is_some(),
            Self::PodExec(fault) => fault.revert.is_some(),
            // Their controllers put others in their place.
            Self::PodKill(_) => false,
            Self::Partition(_) | Self::Drain(_) => true,
        }
    }

    /// The store whose primary it hits.
    pub fn primary_of(&self) -> Option<StoreIndex> {
        match self {
            Self::PodKill(PodKill { pods: Pods::Primary(store), .. })
            | Self::PodExec(PodExec { pod: OnePod::Primary(store), .. })
            | Self::Partition(NetworkPartition { whom: Whom::Primary(store), .. }) => Some(*store),
            Self::Exec(_) | Self::PodExec(_) | Self::PodKill(_) | Self::Partition(_) | Self::Drain(_) => None,
        }
    }
}

/// Pods that go.
#[derive(Debug, Clone)]
pub struct PodKill {
    /// Which.
    pub pods: Pods,
    /// How they are told to go.
    pub by: KilledBy,
    /// Time between the signal to end and the kill, in whole seconds (default 1 s). At 0 they are gone for the
    /// API server before their node knows.
    pub grace: Duration,
    /// Whether a `PodDisruptionBudget` that allows no such loss is no obstacle (default: it is).
    pub ignore_budgets: bool,
    /// The longest wait for them to be gone (default 30 s).
    pub timeout: Duration,
}

/// Pods that are cut off.
#[derive(Debug, Clone)]
pub struct NetworkPartition {
    /// Which.
    pub whom: Whom,
    /// From whom; `None`: nothing reaches them, and they reach nothing.
    pub from: Option<Requirement>,
    /// Whether policies that let its traffic through are made narrower meanwhile (default: they are an obstacle).
    pub replace_policies: bool,
    /// Where they listen; `None`: at the first port that each declares.
    pub port: Option<u16>,
    /// The longest wait for the cut to take effect, and for an attempt to put it back (default 30 s).
    pub timeout: Duration,
}

/// Pods that are cut off.
#[derive(Debug, Clone)]
pub enum Whom {
    /// The one that is named as the instance of this store that takes writes at that moment.
    Primary(StoreIndex),
    /// All that meet it.
    Pods(Requirement),
}

/// A node that is cordoned, and whose pods are evicted.
#[derive(Debug, Clone)]
pub struct NodeDrain {
    /// The node is the one with the most ready pods with these labels.
    pub holding: Selector,
    /// What becomes of pods of other namespaces.
    pub others: Others,
    /// Whether pods with an emptyDir may go, whose files are then lost (default: they are an obstacle).
    pub allow_empty_dir: bool,
    /// Whether pods without a controller may go, which nobody starts again (default: they are an obstacle).
    pub allow_bare: bool,
    /// The longest wait for the node to be empty, and for an attempt to put it back (default 2 min).
    pub timeout: Duration,
}

/// What becomes of pods of other namespaces on a node that is drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// The node is not drained.
    Refuse,
    /// They stay on it.
    Leave,
    /// They go too.
    Evict,
}

/// Which pods a fault hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pods {
    /// The one that is named as the instance of this store that takes writes at that moment.
    Primary(StoreIndex),
    /// Some of those that are ready, drawn by lot.
    Random {
        /// Labels that they have.
        selector: Selector,
        /// How many, 1 at least.
        count: usize,
        /// What the lot depends on.
        seed: u64,
    },
}

/// How a pod is told to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KilledBy {
    /// It is deleted.
    Delete,
    /// It is evicted: the API server itself honours budgets.
    Evict,
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
