//! The checked form of a trial: types that cannot hold nonsense. Where a field has a rule, its type has it too,
//! and only a constructor that keeps the rule makes one.

mod address;
mod components;
mod experiments;
mod index;
mod kubernetes;
mod ledgers;
mod limit;
mod load;
mod name;
mod non_empty;
mod nonsense;
mod pod_exec;
mod rate;
mod secret;
mod step;
mod stores;
mod target;
mod template;

use std::time::Duration;

use url::Url;

pub use address::{AddressError, PostgresAddress, RedisAddress};
pub use components::{BLIND_PROBES, Component, ComponentKind};
pub use experiments::{
    ExecFault, Experiment, Fault, FaultKind, KilledBy, NetworkPartition, NodeDrain, Others, PodKill, Pods,
    Whom,
};
pub use index::{ComponentIndex, StoreIndex};
pub use kubernetes::{Kubernetes, Namespace, PodName, Required, Requirement, Selector};
pub use ledgers::Ledger;
pub use limit::ErrorLimit;
pub use load::{Buckets, Load, Redirects, Stage, Task, Think};
pub use name::Name;
pub use non_empty::NonEmpty;
pub use nonsense::Nonsense;
pub use pod_exec::{OnePod, PodExec};
pub use rate::Rate;
pub use secret::{Secret, Secrets};
pub use step::{Assertion, Body, Extract, ExtractFrom, JsonTemplate, Step};
pub use stores::{Access, Endpoint, Failover, Instance, Manager, Store};
pub use target::{ClientIdentity, HeaderText, Target};
pub use template::{Part, SecretText, Template, WholeRange};

/// Everything a run does, from one file. Its `Debug` shows no secret (`redact.rs`).
#[derive(Clone)]
pub struct Trial {
    /// Name of the trial: the file's `name`, else its file stem. Exported as the label `trial`.
    pub name: Name,
    /// The HTTP service that users visit.
    pub target: Target,
    /// The users and what they do.
    pub load: Load,
    /// What tells which workloads and autoscalers there are.
    pub status: Option<StatusSource>,
    /// Data stores that components probe, ledgers write to and instances are watched in.
    pub stores: Vec<Store>,
    /// What is probed, and followed through its outages.
    pub components: Vec<Component>,
    /// Writers whose every acknowledged write is audited.
    pub ledgers: Vec<Ledger>,
    /// The faults, in order.
    pub experiments: Vec<Experiment>,
    /// How long `steady` lasts before the first experiment (default 30 s).
    pub after: Duration,
    /// How long health must hold after recovery and revert before a recovery is final (default 60 s).
    pub settle: Duration,
    /// The longest wait in `cooldown` for autoscalers to be back at their minimum (default 300 s).
    pub cooldown: Duration,
    /// Every secret that the file refers to, and the password of every address in it.
    pub secrets: Secrets,
}

/// What tells which workloads and autoscalers there are, and who interferes.
#[derive(Clone)]
pub enum StatusSource {
    /// A JSON document that is served there.
    Document(Url),
    /// A Kubernetes cluster's API server.
    Kubernetes(Kubernetes),
}

impl Trial {
    /// The cluster that the service runs on, if it is one of Kubernetes.
    pub fn kubernetes(&self) -> Option<&Kubernetes> {
        match &self.status {
            Some(StatusSource::Kubernetes(cluster)) => Some(cluster),
            Some(StatusSource::Document(_)) | None => None,
        }
    }

    /// The store that something refers to.
    pub fn store(&self, index: StoreIndex) -> &Store {
        &self.stores[index.get()]
    }
}
