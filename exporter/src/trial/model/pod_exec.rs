//! Commands that run in a pod.

use std::time::Duration;

use super::{NonEmpty, PodName, Selector, StoreIndex};

/// A fault made of commands, each a program of the container's image with its arguments: no shell is assumed there.
#[derive(Debug, Clone)]
pub struct PodExec {
    /// Where they run.
    pub pod: OnePod,
    /// In which container; `None`: the only one, or the one that the pod names as its default.
    pub container: Option<String>,
    /// Breaks something.
    pub inject: NonEmpty<String>,
    /// Exits 0 when the fault took effect.
    pub bit: Option<NonEmpty<String>>,
    /// Puts back what `inject` broke; idempotent. `None`: there is nothing to put back.
    pub revert: Option<NonEmpty<String>>,
    /// Time limit of each command (default 30 s).
    pub timeout: Duration,
}

/// Which pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnePod {
    /// The one that is named as the instance of this store that takes writes at that moment.
    Primary(StoreIndex),
    /// One of those that are ready, drawn by lot.
    Drawn {
        /// Labels that it has.
        selector: Selector,
        /// What the lot depends on.
        seed: u64,
    },
    /// The one of this name.
    Named(PodName),
}
