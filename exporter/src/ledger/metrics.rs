//! The ledger's families.

use prometheus::{Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use super::audit::{Class, Counts, RecoveryPoint};
use super::record::Outcome;

/// The families of all stores.
#[derive(Debug)]
pub struct Metrics {
    writes: IntCounterVec,
    audit: IntGaugeVec,
    audits: IntCounterVec,
    recovery_point: GaugeVec,
}

/// The series of one store.
#[derive(Debug)]
pub struct StoreMetrics {
    writes: [IntCounter; Outcome::ALL.len()],
    audit: [IntGauge; Class::ALL.len()],
    complete: IntCounter,
    incomplete: IntCounter,
    experiments: Vec<ExperimentMetrics>,
}

#[derive(Debug)]
struct ExperimentMetrics {
    experiment: String,
    recovery_point: Gauge,
}

impl Metrics {
    /// Registers the families.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            writes: IntCounterVec::new(
                Opts::new(
                    "ordeal_ledger_writes_total",
                    "Writes of the ledger that ended, by how they ended.",
                ),
                &["store", "outcome"],
            )?,
            audit: IntGaugeVec::new(
                Opts::new(
                    "ordeal_ledger_audit",
                    "Writes by what became of them: the worst over all audits of the run.",
                ),
                &["store", "class"],
            )?,
            audits: IntCounterVec::new(
                Opts::new(
                    "ordeal_ledger_audits_total",
                    "Audits of the ledger, by whether all could be read back.",
                ),
                &["store", "result"],
            )?,
            recovery_point: GaugeVec::new(
                Opts::new(
                    "ordeal_recovery_point_seconds",
                    "From the newest surviving acknowledgement before the oldest lost write to the newest lost one.",
                ),
                &["experiment", "store"],
            )?,
        };
        registry.register(Box::new(metrics.writes.clone()))?;
        registry.register(Box::new(metrics.audit.clone()))?;
        registry.register(Box::new(metrics.audits.clone()))?;
        registry.register(Box::new(metrics.recovery_point.clone()))?;
        Ok(metrics)
    }

    /// The series of `store`, all at zero.
    pub fn store<'a>(&self, store: &str, experiments: impl Iterator<Item = &'a str>) -> StoreMetrics {
        let experiment = |experiment: &str| ExperimentMetrics {
            experiment: experiment.to_owned(),
            recovery_point: self.recovery_point.with_label_values(&[experiment, store]),
        };
        StoreMetrics {
            writes: Outcome::ALL.map(|outcome| self.writes.with_label_values(&[store, outcome.label()])),
            audit: Class::ALL.map(|class| self.audit.with_label_values(&[store, class.label()])),
            complete: self.audits.with_label_values(&[store, "complete"]),
            incomplete: self.audits.with_label_values(&[store, "incomplete"]),
            experiments: experiments.map(experiment).collect(),
        }
    }
}

impl StoreMetrics {
    /// A write ended.
    pub fn write_ended(&self, outcome: Outcome) {
        if let Some(index) = Outcome::ALL.iter().position(|&one| one == outcome) {
            self.writes[index].inc();
        }
    }

    /// An audit read everything back.
    pub fn audit_complete(&self, worst: &Counts, points: &[RecoveryPoint]) {
        for (class, gauge) in Class::ALL.into_iter().zip(&self.audit) {
            gauge.set(worst.of(class).cast_signed());
        }
        for point in points {
            let own = self.experiments.iter().filter(|own| own.experiment == point.experiment);
            own.for_each(|own| own.recovery_point.set(point.seconds));
        }
        self.complete.inc();
    }

    /// An audit could not read everything back, or the record itself is incomplete.
    pub fn audit_incomplete(&self) {
        self.incomplete.inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_stands_at_zero_from_the_start() {
        let registry = Registry::new();
        let metrics = Metrics::register(&registry).expect("registers");
        let _store = metrics.store("postgres", ["kill", "drain"].into_iter());
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).expect("encodes");
        let series: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(series.len(), 3 + 7 + 2 + 2, "{text}");
        assert!(series.iter().all(|line| line.ends_with(" 0")), "{text}");
    }
}
