//! Families that say which run a process belongs to, what it is in it, and what its clock says.

use prometheus::core::{AtomicF64, Collector, Desc, GenericGauge};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, GaugeVec, Opts, Registry};

use crate::clock::{Clock, Moment};
use crate::trial::Trial;

/// What a process is in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It leads the run; there is one.
    Conductor,
    /// It has a share of the users.
    Load,
}

impl Role {
    /// The value of the label `role`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conductor => "conductor",
            Self::Load => "load",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Conductor => "The run that this process conducts.",
            Self::Load => "The run that this process has users of.",
        }
    }
}

/// Registers the families. `revision` is the source's, empty when unknown.
pub fn identify(
    registry: &Registry,
    clock: Clock,
    run: &str,
    trial: &Trial,
    role: Role,
    revision: &str,
) -> Result<(), prometheus::Error> {
    let version = env!("CARGO_PKG_VERSION");
    constant(
        registry,
        "ordeal_run_info",
        role.help(),
        &[("run", run), ("trial", trial.name.as_str()), ("role", role.as_str()), ("version", version)],
        1.0,
    )?;
    constant(
        registry,
        "ordeal_build_info",
        "Version and source revision of this program.",
        &[("version", version), ("revision", revision)],
        1.0,
    )?;
    constant(
        registry,
        "process_start_time_seconds",
        "Start time of the process, in Unix time.",
        &[],
        clock.unix_seconds(Moment::default()),
    )?;
    registry.register(Box::new(TimeSeconds::new(clock)?))
}

/// Registers a gauge that stays as it is.
pub(super) fn constant(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[(&str, &str)],
    value: f64,
) -> Result<(), prometheus::Error> {
    let names: Vec<&str> = labels.iter().map(|(name, _)| *name).collect();
    let values: Vec<&str> = labels.iter().map(|(_, value)| *value).collect();
    let gauge = GaugeVec::new(Opts::new(name, help), &names)?;
    gauge.with_label_values(&values).set(value);
    registry.register(Box::new(gauge))
}

/// `time_seconds`: our clock at the moment of the scrape, from which Prometheus' skew to us can be told.
struct TimeSeconds {
    clock: Clock,
    gauge: GenericGauge<AtomicF64>,
}

impl TimeSeconds {
    fn new(clock: Clock) -> Result<Self, prometheus::Error> {
        let gauge = Gauge::new("ordeal_time_seconds", "This process's clock at the scrape, in Unix time.")?;
        Ok(Self { clock, gauge })
    }
}

impl Collector for TimeSeconds {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.gauge.set(self.clock.unix_seconds(self.clock.now()));
        self.gauge.collect()
    }
}
