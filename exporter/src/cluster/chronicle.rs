//! What was seen of a cluster so far, between those who see and those who tell.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::seen::{Incident, Intervention, Seen};
use crate::clock::{Clock, Moment};

/// Keeps what was seen. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub struct Chronicle {
    clock: Clock,
    seen: Arc<Mutex<Seen>>,
    /// Whether something was seen of which it is not known yet what it was.
    undecided: watch::Sender<bool>,
}

impl Chronicle {
    pub(in crate::cluster) fn begin(clock: Clock) -> Self {
        Self { clock, seen: Arc::default(), undecided: watch::Sender::new(false) }
    }

    /// From now on `experiment` is on; `None`: none is.
    pub fn during(&self, experiment: Option<&str>) {
        self.lock().during(experiment, self.clock.now());
    }

    /// Whether something was seen of which it is not known yet what it was.
    pub fn is_undecided(&self) -> bool {
        *self.undecided.borrow()
    }

    pub(super) fn undecided(&self, is_it: bool) {
        self.undecided.send_replace(is_it);
    }

    /// Returns once it is known of all that was seen what it was.
    pub async fn decided(&self) {
        // The sender is ours, so it stays.
        let _ = self.undecided.subscribe().wait_for(|undecided| !undecided).await;
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
