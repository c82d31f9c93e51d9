//! The metric families of experiments.

use prometheus::{Gauge, GaugeVec, Opts, Registry};

use super::experiment::State;
use crate::trial::{Experiment, Name};

/// Handles of the families. Cheap to clone; clones share their values.
///
/// Timestamps are absent until what they tell of happened, so their series are made only then.
#[derive(Debug, Clone)]
pub struct Metrics {
    state: GaugeVec,
    injected: GaugeVec,
    revert_due: GaugeVec,
    reverted: GaugeVec,
    acked_before: GaugeVec,
}

impl Metrics {
    /// Makes the families; every experiment begins as `planned`. `stores` are those that have a ledger.
    pub fn register(
        registry: &Registry,
        experiments: &[Experiment],
        stores: &[&Name],
    ) -> Result<Self, prometheus::Error> {
        let family = |name: &str, help: &str, labels: &[&str]| {
            let family = GaugeVec::new(Opts::new(format!("ordeal_{name}"), help), labels)?;
            registry.register(Box::new(family.clone()))?;
            Ok::<_, prometheus::Error>(family)
        };
        let how_many =
            Gauge::new("ordeal_experiments", "Experiments of the trial; a lost series of one shows by it.")?;
        how_many.set(experiments.len() as f64);
        registry.register(Box::new(how_many))?;
        let experiment = &["experiment"];
        let info = family(
            "experiment_info",
            "The experiments of the trial and their kind of fault; always 1.",
            &["experiment", "fault"],
        )?;
        let metrics = Self {
            state: family(
                "experiment_state",
                "Whether the experiment is in this state; exactly one of its states is 1.",
                &["experiment", "state"],
            )?,
            injected: family(
                "experiment_injected_timestamp_seconds",
                "When the fault's injection began; absent before.",
                experiment,
            )?,
            revert_due: family(
                "experiment_revert_due_timestamp_seconds",
                "When the fault is to be put back at the latest, or when putting it back began, if that was earlier; absent before the injection and where nothing is to be put back.",
                experiment,
            )?,
            reverted: family(
                "experiment_reverted_timestamp_seconds",
                "When the fault's revert began; absent before it succeeded.",
                experiment,
            )?,
            acked_before: family(
                "experiment_acked_writes_before",
                "Writes that the store acknowledged in the 5 s before the injection.",
                &["experiment", "store"],
            )?,
        };
        for experiment in experiments {
            let name = experiment.name.as_str();
            info.with_label_values(&[name, experiment.fault.kind().label()]).set(1.0);
            metrics.set_state(name, State::Planned);
            for store in stores {
                metrics.set_acked_before(name, store.as_str(), 0);
            }
        }
        Ok(metrics)
    }

    /// The experiment is now in `state`, and in no other.
    pub(super) fn set_state(&self, experiment: &str, state: State) {
        // The new state first: a scrape in between sees two states rather than none.
        self.state.with_label_values(&[experiment, state.label()]).set(1.0);
        for other in State::ALL.into_iter().filter(|other| *other != state) {
            self.state.with_label_values(&[experiment, other.label()]).set(0.0);
        }
    }

    /// The fault's injection began at `unix` seconds.
    pub fn set_injected(&self, experiment: &str, unix: f64) {
        self.injected.with_label_values(&[experiment]).set(unix);
    }

    /// The fault is to be put back at `unix` seconds, or earlier, if that was said before.
    pub fn revert_due_by(&self, experiment: &str, unix: f64) {
        let due = self.revert_due.with_label_values(&[experiment]);
        let absent = due.get() == 0.0;
        if absent || unix < due.get() {
            due.set(unix);
        }
    }

    /// The revert that succeeded began at `unix` seconds.
    pub fn set_reverted(&self, experiment: &str, unix: f64) {
        self.reverted.with_label_values(&[experiment]).set(unix);
    }

    /// So many writes were acknowledged in the 5 s before the injection.
    pub fn set_acked_before(&self, experiment: &str, store: &str, writes: u64) {
        self.acked_before.with_label_values(&[experiment, store]).set(writes as f64);
    }
}
