//! Where this replica is in its life, and what `/readyz` says of it.

use tokio::sync::watch;

/// The stages of a replica's life, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The tables are not known to exist yet.
    Starting,
    /// Takes work.
    Serving,
    /// Told to stop: finishes what it has, wants no more.
    Draining,
}

/// The present stage.
#[derive(Debug)]
pub(crate) struct Lifecycle(watch::Sender<Stage>);

impl Lifecycle {
    /// A replica that has just begun.
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Stage::Starting))
    }

    /// The present stage.
    pub(crate) fn stage(&self) -> Stage {
        *self.0.borrow()
    }

    /// The tables exist. A replica that is already draining stays so.
    pub(crate) fn started(&self) {
        self.0.send_if_modified(|stage| {
            let starting = *stage == Stage::Starting;
            if starting {
                *stage = Stage::Serving;
            }
            starting
        });
    }

    /// The replica is to stop.
    pub(crate) fn drain(&self) {
        self.0.send_replace(Stage::Draining);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_told_to_stop_before_it_has_started_never_serves() {
        let lifecycle = Lifecycle::new();
        assert_eq!(lifecycle.stage(), Stage::Starting);
        lifecycle.drain();
        lifecycle.started();
        assert_eq!(lifecycle.stage(), Stage::Draining);
    }
}
