//! What has to be fetched before an objective can be judged. Pure.

use crate::evidence::family;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

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
    /// The same of alerts, and for how long after the run they may still be awaited.
    pub(crate) alerts: BTreeMap<String, Duration>,
    /// Expressions of the user's own, placeholders not yet filled.
    pub(crate) expressions: BTreeSet<String>,
}

/// What every run is read from.
const ALWAYS: [&str; 13] = [
    family::RUN_PHASE,
    family::RUN_PHASE_START_TIMESTAMP_SECONDS,
    family::RUN_START_TIMESTAMP_SECONDS,
    family::RUN_END_TIMESTAMP_SECONDS,
    family::TIME_SECONDS,
    family::PROCESS_START_TIME_SECONDS,
    family::REQUESTS_TOTAL,
    family::COMPONENT_UP,
    family::EXPERIMENTS,
    family::EXPERIMENT_INFO,
    family::EXPERIMENT_STATE,
    family::EXPERIMENT_INJECTED_TIMESTAMP_SECONDS,
    family::EXPERIMENT_REVERTED_TIMESTAMP_SECONDS,
];

/// What these objectives need.
pub(crate) fn needs(objectives: &[Objective]) -> Needs {
    let mut needs = Needs { families: ALWAYS.into(), ..Needs::default() };
    for objective in objectives {
        add(&mut needs, &objective.promise);
    }
    needs
}

const LOAD: [&str; 6] = [
    family::LOAD_PROCESSES,
    family::REQUEST_ERRORS_TOTAL,
    family::USER_SECONDS_TOTAL,
    family::SATURATED_SECONDS_TOTAL,
    family::SCHEDULE_LAG_SECONDS_COUNT,
    family::RESPONSE_TIME_SECONDS_BUCKET,
];

fn add(needs: &mut Needs, promise: &Promise) {
    let families: &[&'static str] = match promise {
        Promise::Availability(_) => {
            needs.families.extend(LOAD);
            needs.families.insert(family::USERS);
            COMPONENTS.families
        }
        Promise::Latency(_) => &LOAD,
        Promise::Recovery(_) => {
            needs.families.insert(family::SETTLE_SECONDS);
            COMPONENTS.families
        }
        Promise::DataLoss(_) | Promise::WrittenPoint(_) => STORES.families,
        Promise::Leader(_) | Promise::SplitBrain(_) => WATCHED.families,
        Promise::ArchivePoint(point) => {
            needs.others.extend(archive::selectors(&point.selector));
            &[]
        }
        Promise::LoadHeld(_) => {
            &[family::LOAD_PROCESSES, family::USERS, family::THINK_TIME_SECONDS, family::USER_SECONDS_TOTAL]
        }
        Promise::Scaling(scaling) => {
            let others = [&scaling.other.ready, &scaling.other.current];
            needs.others.extend(others.into_iter().flatten().cloned());
            needs.families.extend(LOAD);
            needs.families.insert(family::USERS);
            &[family::WORKLOAD_REPLICAS, family::AUTOSCALER_REPLICAS, family::AUTOSCALER_UTILIZATION_RATIO]
        }
        Promise::Health(_) => {
            needs.families.insert(family::COMPONENTS);
            COMPONENTS.families
        }
        Promise::Intervention(_) => {
            &[family::INTERVENTIONS_TOTAL, family::INTERVENTIONS_WATCHED_SECONDS_TOTAL]
        }
        Promise::Alerting(alerting) => {
            let wait = alerting.within.max(alerting.resolved_within.unwrap_or_default());
            for selector in [alerting.selector(), alerting.active_selector()] {
                let longest = needs.alerts.entry(selector).or_default();
                *longest = wait.max(*longest);
            }
            COMPONENTS.families
        }
        Promise::Promql(promql) => {
            needs.expressions.insert(promql.expr.clone());
            &[]
        }
    };
    needs.families.extend(families);
}
