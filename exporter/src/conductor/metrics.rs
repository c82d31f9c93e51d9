//! Families that speak of the run as a whole.

use prometheus::{GaugeVec, Opts, Registry};

use super::Phase;
use super::identity::{Role, constant, identify};
use crate::clock::Clock;
use crate::trial::Trial;

/// Identity, phases and clock of a run.
pub struct Metrics {
    phase: GaugeVec,
    phase_start: GaugeVec,
    run_end: GaugeVec,
}

impl Metrics {
    /// Registers the families and says which run this is. `revision` is the source's, empty when unknown.
    pub fn register(
        registry: &Registry,
        clock: Clock,
        run: &str,
        trial: &Trial,
        revision: &str,
    ) -> Result<Self, prometheus::Error> {
        identify(registry, clock, run, trial, Role::Conductor, revision)?;
        constant(
            registry,
            "ordeal_settle_seconds",
            "How long health must hold before a recovery is final, as configured.",
            &[],
            trial.settle.as_secs_f64(),
        )?;
        let began = clock.unix_seconds(clock.now());
        constant(
            registry,
            "ordeal_run_start_timestamp_seconds",
            "When the run began, in Unix time.",
            &[],
            began,
        )?;
        let metrics = Self {
            phase: GaugeVec::new(
                Opts::new("ordeal_run_phase", "1 for the phase that the run is in, 0 for the others."),
                &["phase"],
            )?,
            phase_start: GaugeVec::new(
                Opts::new(
                    "ordeal_run_phase_start_timestamp_seconds",
                    "When each phase began, in Unix time; absent until it has.",
                ),
                &["phase"],
            )?,
            run_end: GaugeVec::new(
                Opts::new(
                    "ordeal_run_end_timestamp_seconds",
                    "When the run ended, in Unix time; absent until the audit is done.",
                ),
                &[],
            )?,
        };
        registry.register(Box::new(metrics.phase.clone()))?;
        registry.register(Box::new(metrics.phase_start.clone()))?;
        registry.register(Box::new(metrics.run_end.clone()))?;
        for phase in Phase::ALL {
            metrics.phase.with_label_values(&[phase.as_str()]).set(0.0);
        }
        Ok(metrics)
    }

    /// The run entered `phase` at `unix_seconds`.
    pub fn entered(&self, phase: Phase, unix_seconds: f64) {
        // The new phase is raised before the others fall, so that no scrape finds none.
        self.phase.with_label_values(&[phase.as_str()]).set(1.0);
        for other in Phase::ALL.into_iter().filter(|other| *other != phase) {
            self.phase.with_label_values(&[other.as_str()]).set(0.0);
        }
        self.phase_start.with_label_values(&[phase.as_str()]).set(unix_seconds);
    }

    /// The run is over, audit included.
    pub fn ended(&self, unix_seconds: f64) {
        self.run_end.with_label_values(&[] as &[&str]).set(unix_seconds);
    }
}
