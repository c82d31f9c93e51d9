//! What was seen of a cluster so far, between those who see and those who tell.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::seen::{Incident, Intervention, Seen};
use crate::clock::{Clock, Moment};

/// Keeps what was seen. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub struct Chronicle {
    clock: Clock,
    seen: Arc<Mutex<Seen>>,
}

impl Chronicle {
    pub(super) fn begin(clock: Clock) -> Self {
        Self { clock, seen: Arc::default() }
    }

    /// From now on `experiment` is on; `None`: none is.
    pub fn during(&self, experiment: Option<&str>) {
        self.lock().during(experiment);
    }

    /// All that was seen so far.
    pub fn seen(&self) -> Seen {
        self.lock().clone()
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// `incident` came `count` times more; 0 where it only goes on.
    pub(super) fn incident(&self, incident: Incident, count: u64) {
        self.lock().incident(incident, count, self.clock.now());
    }

    pub(super) fn intervention(&self, intervention: Intervention) {
        self.lock().intervention(intervention);
    }

    /// Since `from` something may be missed; says whether that is news.
    pub(super) fn gap(&self, of: &str, from: Moment, reason: &str) -> bool {
        self.lock().gap(of, from, reason)
    }

    /// From now on nothing is missed any more.
    pub(super) fn mend(&self, of: &str) {
        self.lock().mend(of, self.clock.now());
    }

    /// Something cannot be looked at.
    pub(super) fn unseen(&self, what: String) {
        self.lock().unseen.insert(what);
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
