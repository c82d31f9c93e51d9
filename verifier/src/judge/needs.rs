//! What has to be fetched before an objective can be judged.

use std::collections::BTreeSet;

use super::archive;
use super::names::{COMPONENTS, STORES, WATCHED};
use crate::slo::{Objective, Promise};

/// What a set of objectives needs from Prometheus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Families of the exporter.
    pub(crate) families: BTreeSet<&'static str>,
    /// Range selectors of somebody else's series.
    pub(crate) others: BTreeSet<String>,
    /// Expressions of the user's own, placeholders not yet filled.
    pub(crate) expressions: BTreeSet<String>,
}

/// What every run is read from.
const ALWAYS: [&str; 11] = [
    "ordeal_run_phase",
    "ordeal_run_phase_start_timestamp_seconds",
    "ordeal_run_start_timestamp_seconds",
    "ordeal_run_end_timestamp_seconds",
    "ordeal_time_seconds",
    "process_start_time_seconds",
    "ordeal_requests_total",
    "ordeal_experiment_info",
    "ordeal_experiment_state",
    "ordeal_experiment_injected_timestamp_seconds",
    "ordeal_experiment_reverted_timestamp_seconds",
];

/// What these objectives need.
pub(crate) fn needs(objectives: &[Objective]) -> Needs {
    let mut needs = Needs { families: ALWAYS.into(), ..Needs::default() };
    for objective in objectives {
        add(&mut needs, &objective.promise);
    }
    needs
}

const LOAD: [&str; 5] = [
    "ordeal_request_errors_total",
    "ordeal_user_seconds_total",
    "ordeal_saturated_seconds_total",
    "ordeal_schedule_lag_seconds_count",
    "ordeal_response_time_seconds_bucket",
];

fn add(needs: &mut Needs, promise: &Promise) {
    let families: &[&'static str] = match promise {
        Promise::Availability(_) => {
            needs.families.extend(LOAD);
            COMPONENTS.families
        }
        Promise::Latency(_) => &LOAD,
        Promise::Recovery(_) => COMPONENTS.families,
        Promise::DataLoss(_) | Promise::WrittenPoint(_) => STORES.families,
        Promise::Leader(_) | Promise::SplitBrain(_) => WATCHED.families,
        Promise::ArchivePoint(point) => {
            needs.others.extend(archive::selectors(&point.selector));
            &[]
        }
        Promise::LoadHeld(_) => &["ordeal_users", "ordeal_think_time_seconds", "ordeal_user_seconds_total"],
        Promise::Scaling(scaling) => {
            let others = [&scaling.other.ready, &scaling.other.current];
            needs.others.extend(others.into_iter().flatten().cloned());
            needs.families.extend(LOAD);
            &["ordeal_workload_replicas", "ordeal_autoscaler_replicas", "ordeal_autoscaler_utilization_ratio"]
        }
        Promise::Health(_) => {
            needs.families.insert("ordeal_components");
            COMPONENTS.families
        }
        Promise::Intervention(_) => {
            &["ordeal_interventions_total", "ordeal_interventions_watched_seconds_total"]
        }
        Promise::Promql(promql) => {
            needs.expressions.insert(promql.expr.clone());
            &[]
        }
    };
    needs.families.extend(families);
}
