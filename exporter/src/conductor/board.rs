//! What the conductor knows at this moment, for those who only look: progress, `/readyz`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::{Metrics, Phase};
use crate::clock::Clock;
use crate::web::Readiness;

/// The run's present state. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Board {
    clock: Clock,
    metrics: Arc<Metrics>,
    readiness: Arc<watch::Sender<Readiness>>,
    shown: Arc<Mutex<Shown>>,
}

/// What a look at the board shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The phase the run is in.
    pub phase: Phase,
    /// The experiment under way.
    pub experiment: Option<String>,
}

impl Board {
    /// A board for a run that begins now, in preflight. `readiness` learns when preflight is over.
    pub fn new(clock: Clock, metrics: Metrics, readiness: watch::Sender<Readiness>) -> Self {
        let shown = Shown { phase: Phase::Preflight, experiment: None };
        let board = Self {
            clock,
            metrics: Arc::new(metrics),
            readiness: Arc::new(readiness),
            shown: Arc::new(Mutex::new(shown)),
        };
        board.enter(Phase::Preflight);
        board
    }

    /// The run enters `phase` now.
    pub fn enter(&self, phase: Phase) {
        let now = self.clock.now();
        self.lock().phase = phase;
        self.readiness.send_replace(match phase {
            Phase::Preflight => Readiness::NotReady("in preflight".to_owned()),
            _ => Readiness::Ready,
        });
        self.metrics.entered(phase, self.clock.unix_seconds(now));
        tracing::info!(phase = phase.as_str(), "the run enters a phase");
    }

    /// The run is over: says so as `phase`, and when.
    pub fn end(&self, phase: Phase) {
        // The end before the phase: whoever sees the phase finished finds the end.
        self.metrics.ended(self.clock.unix_seconds(self.clock.now()));
        self.enter(phase);
    }

    /// An experiment begins or, with `None`, is over.
    pub fn experiment(&self, name: Option<&str>) {
        self.lock().experiment = name.map(str::to_owned);
    }

    /// A look.
    pub fn shown(&self) -> Shown {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
