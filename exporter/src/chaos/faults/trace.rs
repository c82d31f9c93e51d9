//! What a step of a fault may leave at work, and how that is ended.
//!
//! A step notes its trace in the journal before it acts, so that whoever puts the fault back can end what a
//! killed exporter left, lest it break again what was mended.

use std::error::Error;

use serde::{Deserialize, Serialize};

use super::api::Place;
use super::leftover::{self, Leader};
use super::pod_exec::{self, InContainer};
use super::strays;
use crate::chaos::journal::{Intent, Record};
use crate::trial::FaultKind;

/// What could still be at work of a step that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Trace {
    /// A process group on this machine.
    Process(Leader),
    /// A command in a container, which ends with that and not before.
    Container(InContainer),
}

impl Trace {
    /// Where it is, if that is in a cluster.
    pub(in crate::chaos) fn place(&self) -> Option<&Place> {
        match self {
            Self::Process(_) => None,
            Self::Container(left) => Some(&left.place),
        }
    }
}

/// Why something may still be at work.
pub type EndError = Box<dyn Error + Send + Sync>;

/// Ends what still goes on of the experiment's steps that were interrupted.
pub(crate) async fn end_interrupted(record: &Record) -> Result<(), EndError> {
    let mut result = Ok(());
    for trace in &record.traces {
        let ended = match trace {
            Trace::Process(leader) => end_process(record, leader).await,
            Trace::Container(left) => pod_exec::end(left).await,
        };
        if ended.is_err() {
            result = ended;
        }
    }
    result
}

async fn end_process(record: &Record, leader: &Leader) -> Result<(), EndError> {
    if leftover::end(leader).await? {
        let group = leader.group;
        tracing::warn!(experiment = record.intent.experiment, group, "ended an interrupted command");
    }
    Ok(())
}

/// Ends whatever else the injection and the looks at it left at work; says whether there was anything.
pub(crate) async fn end_left(intent: &Intent) -> Result<bool, EndError> {
    match intent.kind {
        // Their requests to the API server end with the exporter, and a pod's processes with the pod.
        FaultKind::PodExec | FaultKind::PodKill | FaultKind::Partition | FaultKind::Drain => Ok(false),
        FaultKind::Exec => {
            let count = strays::end(intent).await?;
            if count > 0 {
                let experiment = &intent.experiment;
                tracing::warn!(experiment, count, "ended processes that were left in the background");
            }
            Ok(count > 0)
        }
    }
}
