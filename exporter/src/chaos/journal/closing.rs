//! Closing what was put back, where the API server that has the journal's copy may be away.

use std::fs;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Durability, Entry, Journal, JournalError, blocking, write_copy};

/// Pause before the copy is tried again.
const PAUSE: Duration = Duration::from_secs(1);

impl Journal {
    /// Closes an experiment that was put back. Where nobody answers for the copy, it is tried again for so long: without
    /// it whoever goes on from the copy would put back once more what is somebody else's doing by then.
    pub async fn close(&self, id: u64, away: Duration) -> Result<(), JournalError> {
        let begun = Instant::now();
        let mut closed = self.append(Entry::Closed { id }, Durability::Disk).await;
        while closed.as_ref().is_err_and(JournalError::is_away) && begun.elapsed() < away {
            tracing::warn!("the copy of the journal is not written, as the API server is away; trying again");
            sleep(PAUSE).await;
            // The file has the entry.
            closed = self.copy_again().await;
        }
        closed
    }

    async fn copy_again(&self) -> Result<(), JournalError> {
        let Some(copy) = &self.copy else { return Ok(()) };
        let (path, file) = (self.path.clone(), self.path.clone());
        let text = blocking(move || fs::read_to_string(file)).await;
        let text = text.map_err(|source| JournalError::Io { action: "read", path: path.clone(), source })?;
        write_copy(copy, path, &text).await
    }
}
