//! The end of a load: the moment at which its last thread went, however it went.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::clock::{Clock, Moment};

/// When the load ended, if it has.
pub(super) type Ended = Arc<OnceLock<Moment>>;

/// Held by every thread of the load; the last one to drop it notes the moment, then tells everyone who waits.
pub(super) struct Last {
    at: Ended,
    clock: Clock,
    _tell: DropGuard,
}

impl Last {
    /// Notes the end in `at`, then cancels `ended`.
    pub(super) fn new(at: Ended, clock: Clock, ended: CancellationToken) -> Self {
        Self { at, clock, _tell: ended.drop_guard() }
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        // Nobody else sets it.
        let _ = self.at.set(self.clock.now());
    }
}
