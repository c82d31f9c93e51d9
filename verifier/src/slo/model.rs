//! The checked objectives (pure): an enum per kind, each with its own fields only.

use std::time::Duration;

use super::kind::Kind;
use super::values::Share;
use crate::evidence::PhaseName;

/// One promise and its limit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Objective {
    /// Unique within the file.
    pub(crate) name: String,
    /// Which line of somebody's acceptance list this proves.
    pub(crate) proves: Option<String>,
    /// What is promised.
    pub(crate) promise: Promise,
}

/// A share of a service's events is good over 30 days.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServiceObjective {
    /// Unique among the service's objectives.
    pub(crate) name: String,
    pub(crate) service: String,
    pub(crate) at_least: Share,
    /// Selectors of counters: all events, and those that were errors.
    pub(crate) total: String,
    pub(crate) errors: String,
}

impl ServiceObjective {
    /// What rules call it; unique within the file.
    pub(crate) fn id(&self) -> String {
        format!("{}-{}", self.service, self.name)
    }
}

/// What is promised.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Promise {
    Recovery(Recovery),
    Leader(Leader),
    SplitBrain(SplitBrain),
    DataLoss(DataLoss),
    /// The span of lost writes.
    WrittenPoint(WrittenPoint),
    /// The age of the archive.
    ArchivePoint(ArchivePoint),
    Availability(Availability),
    Latency(Latency),
    LoadHeld(Share),
    Scaling(Scaling),
    Health(Health),
    Intervention(Share),
    Alerting(Alerting),
    Promql(Promql),
}

impl Promise {
    /// Of what kind it is.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Recovery(_) => Kind::Recovery,
            Self::Leader(_) => Kind::Leader,
            Self::SplitBrain(_) => Kind::SplitBrain,
            Self::DataLoss(_) => Kind::DataLoss,
            Self::WrittenPoint(_) => Kind::WrittenPoint,
            Self::ArchivePoint(_) => Kind::ArchivePoint,
            Self::Availability(_) => Kind::Availability,
            Self::Latency(_) => Kind::Latency,
            Self::LoadHeld(_) => Kind::LoadHeld,
            Self::Scaling(_) => Kind::Scaling,
            Self::Health(_) => Kind::Health,
            Self::Intervention(_) => Kind::Intervention,
            Self::Alerting(_) => Kind::Alerting,
            Self::Promql(_) => Kind::Promql,
        }
    }
}

/// A component serves lastingly again within a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recovery {
    pub(crate) experiment: String,
    pub(crate) component: String,
    pub(crate) since: Since,
    pub(crate) within: Duration,
}

/// Where a recovery's time counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    Injected,
    Reverted,
}

impl Since {
    /// The value of the label `since`.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Reverted => "reverted",
        }
    }
}

/// A store has a leader again within a time of an experiment's injection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Leader {
    pub(crate) component: String,
    pub(crate) experiment: String,
    pub(crate) expect: Expect,
    pub(crate) within: Duration,
}

/// Which leader is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Another instance than before takes writes.
    New,
    /// Exactly one instance takes writes.
    One,
}

/// No two instances of a store take writes at once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SplitBrain {
    pub(crate) component: String,
    /// Only while this experiment lasts; else the whole run.
    pub(crate) experiment: Option<String>,
    pub(crate) at_most: Duration,
}

/// No acknowledged write is lost, and none is damaged, doubled or invented.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DataLoss {
    pub(crate) store: String,
    pub(crate) experiment: Option<String>,
}

/// The writes that a fault took with it span at most a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WrittenPoint {
    pub(crate) store: String,
    pub(crate) experiment: Option<String>,
    pub(crate) within: Duration,
}

/// The newest archived write-ahead log is at most so old.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ArchivePoint {
    /// Label matchers for `postgres_exporter`'s families, braces included.
    pub(crate) selector: String,
    pub(crate) within: Duration,
}

/// A share of requests, probes or users' time is good.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Availability {
    pub(crate) at_least: Share,
    pub(crate) by: By,
    pub(crate) during: During,
    pub(crate) task: Option<String>,
}

/// What availability is counted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum By {
    Requests,
    UserTime,
    /// Probes of this component.
    Probes(String),
}

/// The part of the run that counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum During {
    Run,
    /// From its injection until it is final.
    Experiment(String),
    Phase {
        name: PhaseName,
        /// Only the end of the phase.
        last: Option<Duration>,
    },
}

/// A share of all requests is answered well and in time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Latency {
    pub(crate) within: Duration,
    pub(crate) at_least: Share,
    pub(crate) task: Option<String>,
    pub(crate) during: During,
}

/// The replicas follow the load.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scaling {
    pub(crate) workload: String,
    pub(crate) autoscaler: String,
    pub(crate) shape: Shape,
    /// Other series than the exporter's own.
    pub(crate) other: OtherSeries,
}

/// Selectors of somebody else's series, such as kube-state-metrics'.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OtherSeries {
    pub(crate) ready: Option<String>,
    pub(crate) current: Option<String>,
}

/// A movement of the number of replicas.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// From few to many while the load lasts.
    Up { from: u32, to: u32, within: Option<Duration> },
    /// Back to few after the load.
    Down { to: u32, within: Duration },
    /// With many the work is lighter than it was with few, and answers are in time.
    Relief { from: u32, to: u32, last: Duration, within: Duration, at_least: Share },
}

/// Components are up before and after, and down only where an experiment explains it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Health {
    /// Empty: every component of the run.
    pub(crate) components: Vec<String>,
    /// The longest outage that needs no explanation.
    pub(crate) longest: Duration,
}

/// An alert of the user's own fires within a time of an experiment's injection, and is resolved after it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alerting {
    /// Its name.
    pub(crate) alert: String,
    /// Label matchers for it, braces included.
    pub(crate) labels: String,
    pub(crate) experiment: String,
    pub(crate) within: Duration,
    /// Since the experiment was final.
    pub(crate) resolved_within: Option<Duration>,
}

impl Alerting {
    /// The selector of its series while it fires.
    pub(crate) fn selector(&self) -> String {
        self.series("ALERTS", ",alertstate=\"firing\"")
    }

    /// The selector of the series that tell since when it has been active, pending included.
    pub(crate) fn active_selector(&self) -> String {
        self.series("ALERTS_FOR_STATE", "")
    }

    fn series(&self, family: &str, state: &str) -> String {
        let own =
            self.labels.trim().trim_start_matches('{').trim_end_matches('}').trim().trim_end_matches(',');
        let comma = if own.is_empty() { "" } else { "," };
        format!("{family}{{alertname={:?}{state}{comma}{own}}}", self.alert)
    }
}

/// One expression of the user's own, evaluated at the end of the run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Promql {
    /// May hold `$start`, `$end` (Unix seconds) and `$window` (a duration).
    pub(crate) expr: String,
    pub(crate) compare: Compare,
}

/// A limit of a bare number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Compare {
    AtMost(f64),
    AtLeast(f64),
    Equals(f64),
}
