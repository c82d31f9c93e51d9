//! What is probed.

use std::time::Duration;

use http::StatusCode;

use super::nonsense::lasting;
use super::{Name, Nonsense, StoreIndex};

/// A whole outage may hide in a longer time than so many probes take, if none of them tells anything.
pub const BLIND_PROBES: u32 = 3;

/// Something whose health is followed on its own.
#[derive(Debug, Clone)]
pub struct Component {
    /// Exported as the label `component`.
    pub name: Name,
    /// What is probed.
    pub kind: ComponentKind,
    interval: Duration,
    timeout: Duration,
}

impl Component {
    /// A component probed every `interval`, which is not zero, each probe with `timeout` to be answered in.
    pub fn new(
        name: Name,
        kind: ComponentKind,
        interval: Duration,
        timeout: Duration,
    ) -> Result<Self, Nonsense> {
        Ok(Self { name, kind, interval: lasting(interval)?, timeout: lasting(timeout)? })
    }

    /// Time between two probes (default 50 ms; 250 ms for `members` and `replicas`).
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// A probe without an answer after this long has failed (default 1 s).
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// What a component's probe does.
#[derive(Debug, Clone)]
pub enum ComponentKind {
    /// GET of a path of the target, on a fresh connection; healthy on the expected status (default any 2xx).
    Http {
        /// Path and query.
        path: String,
        /// Accepted status; `None` means any 2xx.
        expect: Option<StatusCode>,
    },
    /// A write and its read back through the address that the store's clients use.
    Store {
        /// Which store.
        store: StoreIndex,
    },
    /// All instances of a store up and replicating, exactly one taking writes.
    Members {
        /// Which store; it has instances.
        store: StoreIndex,
    },
    /// Ready replicas of a workload in the status document.
    Replicas {
        /// The workload's name there.
        workload: String,
        /// Replicas that the workload should have when no autoscaler says so.
        declared: Option<u32>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_without_time_is_refused() {
        let made = |interval, timeout| {
            let kind = ComponentKind::Replicas { workload: "shop".to_owned(), declared: None };
            let (interval, timeout) = (Duration::from_millis(interval), Duration::from_millis(timeout));
            Component::new(Name::new("shop").expect("a name"), kind, interval, timeout).map(drop)
        };
        assert_eq!(made(0, 1), Err(Nonsense::NoTime));
        assert_eq!(made(1, 0), Err(Nonsense::NoTime));
        assert_eq!(made(1, 1), Ok(()));
    }
}
