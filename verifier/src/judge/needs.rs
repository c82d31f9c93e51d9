//! What has to be fetched before an objective can be judged.

use std::collections::BTreeSet;

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

const OUTAGES: [&str; 3] =
    ["ordeal_probes_total", "ordeal_component_outages_total", "ordeal_component_outage_seconds_total"];
const LEDGER: [&str; 5] = [
    "ordeal_ledger_writes_total",
    "ordeal_experiment_acked_writes_before",
    "ordeal_ledger_audit",
    "ordeal_ledger_audits_total",
    "ordeal_recovery_point_seconds",
];

/// What these objectives need.
pub(crate) fn needs(objectives: &[Objective]) -> Needs {
    let mut needs = Needs { families: ALWAYS.into(), ..Needs::default() };
    for objective in objectives {
        add(&mut needs, &objective.promise);
    }
    needs
}

fn add(needs: &mut Needs, promise: &Promise) {
    let families: &[&'static str] = match promise {
        Promise::Availability(_) => &[
            "ordeal_request_errors_total",
            "ordeal_user_seconds_total",
            "ordeal_saturated_seconds_total",
            "ordeal_probes_total",
        ],
        Promise::Recovery(_) => {
            needs.families.extend(OUTAGES);
            &["ordeal_recovery_seconds", "ordeal_recovery_lower_seconds", "ordeal_recovery_upper_seconds"]
        }
        Promise::DataLoss(_) | Promise::WrittenPoint(_) => &LEDGER,
        _ => &[],
    };
    needs.families.extend(families);
}
