//! `chaos.json`: what chaos, health and ledgers have to tell of the experiments, put together (pure).

pub(super) mod seen;

use serde::Serialize;

use self::seen::SeenReport;
use crate::chaos::record::{ChaosReport, ExperimentReport};
use crate::health::tracker::{Seconds, Since};
use crate::ledger::AuditSummary;
use crate::trial::Name;

/// What was found out about the experiments while they were followed.
#[derive(Debug, Default)]
pub struct Findings {
    recoveries: Vec<RecoveryReport>,
    pub(super) audits: Vec<AuditSummary>,
}

/// A final recovery. An infinite number of seconds is `null`.
#[derive(Debug, Serialize)]
struct RecoveryReport {
    #[serde(skip)]
    experiment: String,
    component: String,
    /// From when it counts.
    since: &'static str,
    seconds: f64,
    lower_seconds: f64,
    upper_seconds: f64,
}

/// The whole file.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    run: &'a str,
    origin_unix_seconds: f64,
    experiments: Vec<Experiment<'a>>,
    put_back_at_start: &'a [String],
    audits: &'a [AuditSummary],
    /// What was seen of the cluster, where it is one of Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<SeenReport>,
}

#[derive(Debug, Serialize)]
struct Experiment<'a> {
    #[serde(flatten)]
    done: &'a ExperimentReport,
    recoveries: Vec<&'a RecoveryReport>,
}

impl Findings {
    /// A recovery is final.
    pub(super) fn recovered(&mut self, experiment: &Name, component: &Name, since: Since, seconds: Seconds) {
        self.recoveries.push(RecoveryReport {
            experiment: experiment.to_string(),
            component: component.to_string(),
            since: since.label(),
            seconds: seconds.estimate,
            lower_seconds: seconds.lower,
            upper_seconds: seconds.upper,
        });
    }

    /// The file of a run that did `chaos`, and what was seen of its cluster.
    pub(super) fn report<'a>(&'a self, chaos: &'a ChaosReport, cluster: Option<SeenReport>) -> Report<'a> {
        let of = |done: &'a ExperimentReport| {
            let recoveries = self.recoveries.iter().filter(|it| it.experiment == done.experiment);
            Experiment { done, recoveries: recoveries.collect() }
        };
        Report {
            run: &chaos.run,
            origin_unix_seconds: chaos.origin_unix_seconds,
            experiments: chaos.experiments.iter().map(of).collect(),
            put_back_at_start: &chaos.put_back_at_start,
            audits: &self.audits,
            cluster,
        }
    }
}
