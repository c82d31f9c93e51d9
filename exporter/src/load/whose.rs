//! The load as whoever leads a run holds it, wherever its users are.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::driver::{Load, LoadError};
use super::fleet::{Fleet, FleetError, FleetHandle, Helm};
use super::handle::{LoadHandle, Snapshot};
use super::report::LoadReport;
use crate::progress::Progress;

/// A load that is ready to begin.
pub enum Prepared {
    /// Its users are of this process.
    Here(Box<Load>),
    /// Its users are of load processes.
    Fleet(Fleet),
}

/// A load that runs.
pub enum Running {
    /// Its users are of this process.
    Here(LoadHandle),
    /// Its users are of load processes.
    Fleet(FleetHandle),
}

impl Prepared {
    /// Whether this process has users of its own.
    pub fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }

    /// What the end of the run must be told by, whatever becomes of the load.
    pub fn helm(&self) -> Option<Arc<Helm>> {
        match self {
            Self::Here(_) => None,
            Self::Fleet(fleet) => Some(fleet.helm()),
        }
    }

    /// Waits until all that the load needs is there.
    pub async fn gather(&self, progress: &Progress) -> Result<(), FleetError> {
        match self {
            Self::Here(_) => Ok(()),
            Self::Fleet(fleet) => fleet.gather(progress).await,
        }
    }

    /// Starts the users, who stop at once when `cancel` is cancelled or what is returned is dropped; those of
    /// load processes also once [`Helm::leave`] has said so.
    pub async fn start(self, cancel: CancellationToken) -> Result<Running, LoadError> {
        match self {
            Self::Here(load) => load.start(cancel).await.map(Running::Here),
            Self::Fleet(fleet) => Ok(Running::Fleet(fleet.start().await?)),
        }
    }
}

impl Running {
    /// Returns once as many users run as the largest stage asks for, or as the stages allow.
    pub async fn ramped(&self) {
        match self {
            Self::Here(load) => load.ramped().await,
            Self::Fleet(fleet) => fleet.ramped().await,
        }
    }

    /// Returns once the time of the stages is over. The last stage's users stay until [`Self::finish`].
    pub async fn stages_done(&self) {
        match self {
            Self::Here(load) => load.stages_done().await,
            Self::Fleet(fleet) => fleet.stages_done().await,
        }
    }

    /// Ends the load: no request begins any more, open ones may end for one time-out, and what is then still
    /// open counts as drained. Called again, it waits for the same end.
    pub async fn finish(&self) -> LoadReport {
        match self {
            Self::Here(load) => load.finish().await,
            Self::Fleet(fleet) => fleet.finish().await,
        }
    }

    /// Requests that ended so far: well, and not.
    pub fn counts(&self) -> (u64, u64) {
        match self {
            Self::Here(load) => load.counts(),
            Self::Fleet(fleet) => fleet.counts(),
        }
    }

    /// The load now.
    pub fn snapshot(&self) -> Snapshot {
        match self {
            Self::Here(load) => load.snapshot(),
            Self::Fleet(fleet) => fleet.snapshot(),
        }
    }

    /// The statistics so far; after the load's end, those of its end.
    pub fn report(&self) -> LoadReport {
        match self {
            Self::Here(load) => load.report(),
            Self::Fleet(fleet) => fleet.report(),
        }
    }
}
