//! The load as whoever leads a run holds it, wherever its users are.

use tokio_util::sync::CancellationToken;

use super::driver::{Load, LoadError};
use super::handle::{LoadHandle, Snapshot};
use super::report::LoadReport;

/// A load that is ready to begin.
pub enum Prepared {
    /// Its users are of this process.
    Here(Box<Load>),
}

/// A load that runs.
pub enum Running {
    /// Its users are of this process.
    Here(LoadHandle),
}

impl Prepared {
    /// Starts the users, who stop at once when `cancel` is cancelled or what is returned is dropped.
    pub async fn start(self, cancel: CancellationToken) -> Result<Running, LoadError> {
        match self {
            Self::Here(load) => load.start(cancel).await.map(Running::Here),
        }
    }
}

impl Running {
    /// Returns once as many users run as the largest stage asks for, or as the stages allow.
    pub async fn ramped(&self) {
        match self {
            Self::Here(load) => load.ramped().await,
        }
    }

    /// Returns once the time of the stages is over. The last stage's users stay until [`Self::finish`].
    pub async fn stages_done(&self) {
        match self {
            Self::Here(load) => load.stages_done().await,
        }
    }

    /// Ends the load: no request begins any more, open ones may end for one time-out, and what is then still
    /// open counts as drained. Called again, it waits for the same end.
    pub async fn finish(&self) -> LoadReport {
        match self {
            Self::Here(load) => load.finish().await,
        }
    }

    /// The load now.
    pub fn snapshot(&self) -> Snapshot {
        match self {
            Self::Here(load) => load.snapshot(),
        }
    }

    /// The statistics so far; after the load's end, those of its end.
    pub fn report(&self) -> LoadReport {
        match self {
            Self::Here(load) => load.report(),
        }
    }
}
