//! The metric families of the room.

use std::time::Duration;

use prometheus::{
    Counter, CounterVec, Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};

use super::account::Total;
use super::tracker::{Seconds, Since};
use super::windows::Cause;

const PROBE_BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0];
const UNSEEN_BUCKETS: [f64; 8] = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];
const BOUNDS: [&str; 2] = ["lower", "upper"];

/// All families of health.
pub struct Metrics {
    /// How many components there are, told without naming them.
    components: IntGauge,
    probe_interval: GaugeVec,
    probes: IntCounterVec,
    probe_duration: HistogramVec,
    unseen: HistogramVec,
    up: IntGaugeVec,
    outages: IntCounterVec,
    outage_seconds: CounterVec,
    longest_outage: GaugeVec,
    last_success: GaugeVec,
    writable: IntGaugeVec,
    leader_since: GaugeVec,
    leader_changes: IntCounterVec,
    split_brain: CounterVec,
    observed: CounterVec,
    /// Estimate, lower and upper bound; absent until a recovery is final.
    recovery: [GaugeVec; 3],
}

/// The series of one component.
pub(super) struct ComponentMetrics {
    pub(super) good: IntCounter,
    pub(super) failed: IntCounter,
    pub(super) missed: IntCounter,
    pub(super) duration: prometheus::Histogram,
    pub(super) unseen: prometheus::Histogram,
    pub(super) up: IntGauge,
    pub(super) last_success: Gauge,
    causes: [CauseMetrics; 2],
}

struct CauseMetrics {
    outages: IntCounter,
    seconds: Counter,
    longest: [Gauge; 2],
}

/// The series of one store whose instances are watched.
pub struct StoreMetrics {
    pub(super) writable: IntGauge,
    pub(super) leader_changes: IntCounter,
    pub(super) split_brain: Counter,
    pub(super) observed: Counter,
    /// Absent until somebody led: 0 would be a moment.
    leader_since: GaugeVec,
    component: String,
}

impl Metrics {
    /// Registers the families; their series come with components and stores.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let opts = |name: &str, help: &str| Opts::new(format!("ordeal_{name}"), help);
        let duration = HistogramOpts::new(
            "ordeal_probe_duration_seconds",
            "Time from a probe's start to its outcome, missed ones left out.",
        );
        let metrics = Self {
            components: IntGauge::with_opts(opts(
                "components",
                "Components that are followed; a lost series of one shows by it.",
            ))?,
            probe_interval: GaugeVec::new(
                opts("probe_interval_seconds", "Time between the starts of two probes, as configured."),
                &["component"],
            )?,
            probes: IntCounterVec::new(
                opts(
                    "probes_total",
                    "Probes by outcome; missed: we were late ourselves, or it is not known.",
                ),
                &["component", "outcome"],
            )?,
            probe_duration: HistogramVec::new(duration.buckets(PROBE_BUCKETS.to_vec()), &["component"])?,
            unseen: unseen_family()?,
            up: IntGaugeVec::new(
                opts(
                    "component_up",
                    "Whether the component serves: 0 from the first failed probe until health has lasted.",
                ),
                &["component"],
            )?,
            outages: IntCounterVec::new(
                opts("component_outages_total", "Outages, by what explains them."),
                &["component", "cause"],
            )?,
            outage_seconds: CounterVec::new(
                opts(
                    "component_outage_seconds_total",
                    "Estimated length of outages, also of one that lasts.",
                ),
                &["component", "cause"],
            )?,
            longest_outage: GaugeVec::new(
                opts("component_longest_outage_seconds", "Bounds of the longest outage."),
                &["component", "cause", "bound"],
            )?,
            last_success: GaugeVec::new(
                opts(
                    "component_last_success_timestamp_seconds",
                    "Completion of the last good probe, 0 before.",
                ),
                &["component"],
            )?,
            writable: IntGaugeVec::new(
                opts("writable_instances", "Instances that took a write just now, asked one by one."),
                &["component"],
            )?,
            leader_since: GaugeVec::new(
                opts("leader_since_timestamp_seconds", "First write taken by the present sole writer."),
                &["component"],
            )?,
            leader_changes: IntCounterVec::new(
                opts("leader_changes_total", "Times that another instance became the sole writer."),
                &["component"],
            )?,
            split_brain: CounterVec::new(
                opts("split_brain_seconds_total", "Time in which two instances took writes."),
                &["component"],
            )?,
            observed: CounterVec::new(
                opts("instances_observed_seconds_total", "Time in which every instance could be asked."),
                &["component"],
            )?,
            recovery: recovery_families()?,
        };
        metrics.add_to(registry)?;
        Ok(metrics)
    }

    fn add_to(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        registry.register(Box::new(self.components.clone()))?;
        registry.register(Box::new(self.probe_interval.clone()))?;
        registry.register(Box::new(self.probes.clone()))?;
        registry.register(Box::new(self.probe_duration.clone()))?;
        registry.register(Box::new(self.unseen.clone()))?;
        registry.register(Box::new(self.up.clone()))?;
        registry.register(Box::new(self.outages.clone()))?;
        registry.register(Box::new(self.outage_seconds.clone()))?;
        registry.register(Box::new(self.longest_outage.clone()))?;
        registry.register(Box::new(self.last_success.clone()))?;
        registry.register(Box::new(self.writable.clone()))?;
        registry.register(Box::new(self.leader_since.clone()))?;
        registry.register(Box::new(self.leader_changes.clone()))?;
        registry.register(Box::new(self.split_brain.clone()))?;
        registry.register(Box::new(self.observed.clone()))?;
        self.recovery.iter().try_for_each(|family| registry.register(Box::new(family.clone())))
    }

    /// The recovery of `component` from the fault of `experiment` is final.
    pub fn recovered(&self, experiment: &str, component: &str, since: Since, seconds: Seconds) {
        let values = [seconds.estimate, seconds.lower, seconds.upper];
        for (family, value) in self.recovery.iter().zip(values) {
            family.with_label_values(&[experiment, component, since.label()]).set(value);
        }
    }

    /// Counts `component` among those that are followed, and tells how often it is probed.
    pub(super) fn follow(&self, component: &str, interval: Duration) {
        self.components.inc();
        self.probe_interval.with_label_values(&[component]).set(interval.as_secs_f64());
    }

    /// The series of `component`, at zero.
    pub(super) fn component(&self, component: &str) -> ComponentMetrics {
        let probes = |outcome| self.probes.with_label_values(&[component, outcome]);
        ComponentMetrics {
            good: probes("ok"),
            failed: probes("failed"),
            missed: probes("missed"),
            duration: self.probe_duration.with_label_values(&[component]),
            unseen: self.unseen.with_label_values(&[component]),
            up: self.up.with_label_values(&[component]),
            last_success: self.last_success.with_label_values(&[component]),
            causes: Cause::ALL.map(|cause| CauseMetrics {
                outages: self.outages.with_label_values(&[component, cause.label()]),
                seconds: self.outage_seconds.with_label_values(&[component, cause.label()]),
                longest: BOUNDS
                    .map(|bound| self.longest_outage.with_label_values(&[component, cause.label(), bound])),
            }),
        }
    }

    /// The series of a store's instances, at zero.
    pub fn store(&self, component: &str) -> StoreMetrics {
        StoreMetrics {
            writable: self.writable.with_label_values(&[component]),
            leader_changes: self.leader_changes.with_label_values(&[component]),
            split_brain: self.split_brain.with_label_values(&[component]),
            observed: self.observed.with_label_values(&[component]),
            leader_since: self.leader_since.clone(),
            component: component.to_owned(),
        }
    }
}

impl ComponentMetrics {
    /// Brings the outage series of `cause` up to `total`.
    pub(super) fn outages(&self, cause: Cause, total: Total) {
        let series = &self.causes[cause as usize];
        series.outages.inc_by(total.outages.saturating_sub(series.outages.get()));
        raise(&series.seconds, total.seconds.as_secs_f64());
        series.longest[0].set(total.longest_lower.as_secs_f64());
        series.longest[1].set(total.longest_upper.as_secs_f64());
    }
}

impl StoreMetrics {
    /// Sets the moment since which the present leader leads.
    pub fn leader_since(&self, unix_seconds: f64) {
        self.leader_since.with_label_values(&[self.component.as_str()]).set(unix_seconds);
    }
}

fn unseen_family() -> Result<HistogramVec, prometheus::Error> {
    let opts = HistogramOpts::new(
        "ordeal_component_unseen_seconds",
        "Length of each stretch in which no probe told anything, counted when it is over.",
    );
    HistogramVec::new(opts.buckets(UNSEEN_BUCKETS.to_vec()), &["component"])
}

fn recovery_families() -> Result<[GaugeVec; 3], prometheus::Error> {
    let family = |name: &str, help: &str| {
        let opts = Opts::new(format!("ordeal_recovery_{name}"), help);
        GaugeVec::new(opts, &["experiment", "component", "since"])
    };
    Ok([
        family(
            "seconds",
            "Time to lasting health; absent until final, infinite without recovery by the deadline.",
        )?,
        family(
            "lower_seconds",
            "Lower bound of the recovery time; also where no recovery was seen by the deadline.",
        )?,
        family(
            "upper_seconds",
            "Upper bound of the recovery time; infinite without recovery by the deadline.",
        )?,
    ])
}

/// Brings a counter up to `value`, never down.
pub(super) fn raise(counter: &Counter, value: f64) {
    let missing = value - counter.get();
    if missing > 0.0 {
        counter.inc_by(missing);
    }
}
