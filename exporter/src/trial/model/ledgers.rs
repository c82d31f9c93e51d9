//! Writers whose writes are audited.

use std::num::NonZeroUsize;

use super::{Rate, StoreIndex};

/// Writers of a store, and the audit of what it acknowledged.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// Which store.
    pub store: StoreIndex,
    /// Concurrent writers.
    pub writers: NonZeroUsize,
    /// Writes a second, all writers together.
    pub rate: Rate,
    /// Redis: replicas that must confirm (`WAIT n`) before a write counts as acknowledged.
    pub wait_replicas: u32,
    /// Redis: keys of the data set written before the first fault and checked at the end (0: none).
    pub dataset: u32,
}
