//! The exporter's families that the verifier reads: the contract, as far as it is used here.

/// A family and the labels that tell its series apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) labels: &'static [&'static str],
    /// Whether every load process has it, rather than the conductor alone.
    pub(crate) of_load: bool,
}

const fn conductor(name: &'static str, labels: &'static [&'static str]) -> Family {
    Family { name, labels, of_load: false }
}

const fn load(name: &'static str, labels: &'static [&'static str]) -> Family {
    Family { name, labels, of_load: true }
}

/// Every family that some judge reads.
pub(crate) const FAMILIES: &[Family] = &[
    conductor("ordeal_run_phase", &["phase"]),
    conductor("ordeal_run_phase_start_timestamp_seconds", &["phase"]),
    conductor("ordeal_run_start_timestamp_seconds", &[]),
    conductor("ordeal_run_end_timestamp_seconds", &[]),
    load("ordeal_time_seconds", &[]),
    load("process_start_time_seconds", &[]),
    load("ordeal_users", &["state"]),
    conductor("ordeal_think_time_seconds", &[]),
    load("ordeal_user_seconds_total", &["state"]),
    load("ordeal_requests_total", &["task", "outcome"]),
    load("ordeal_request_errors_total", &["task", "reason"]),
    load("ordeal_response_time_seconds_bucket", &["task", "outcome", "le"]),
    load("ordeal_saturated_seconds_total", &["cause"]),
    load("ordeal_schedule_lag_seconds_count", &[]),
    conductor("ordeal_components", &[]),
    conductor("ordeal_probe_interval_seconds", &["component"]),
    conductor("ordeal_probes_total", &["component", "outcome"]),
    conductor("ordeal_component_up", &["component"]),
    conductor("ordeal_component_outages_total", &["component", "cause"]),
    conductor("ordeal_component_outage_seconds_total", &["component", "cause"]),
    conductor("ordeal_component_longest_outage_seconds", &["component", "cause", "bound"]),
    conductor("ordeal_writable_instances", &["component"]),
    conductor("ordeal_leader_since_timestamp_seconds", &["component"]),
    conductor("ordeal_leader_changes_total", &["component"]),
    conductor("ordeal_split_brain_seconds_total", &["component"]),
    conductor("ordeal_instances_observed_seconds_total", &["component"]),
    conductor("ordeal_experiment_info", &["experiment", "fault"]),
    conductor("ordeal_experiment_state", &["experiment", "state"]),
    conductor("ordeal_experiment_injected_timestamp_seconds", &["experiment"]),
    conductor("ordeal_experiment_reverted_timestamp_seconds", &["experiment"]),
    conductor("ordeal_recovery_seconds", &["experiment", "component", "since"]),
    conductor("ordeal_recovery_lower_seconds", &["experiment", "component", "since"]),
    conductor("ordeal_recovery_upper_seconds", &["experiment", "component", "since"]),
    conductor("ordeal_ledger_writes_total", &["store", "outcome"]),
    conductor("ordeal_experiment_acked_writes_before", &["experiment", "store"]),
    conductor("ordeal_ledger_audit", &["store", "class"]),
    conductor("ordeal_ledger_audits_total", &["store", "result"]),
    conductor("ordeal_recovery_point_seconds", &["experiment", "store"]),
    conductor("ordeal_workload_replicas", &["workload", "state"]),
    conductor("ordeal_autoscaler_replicas", &["autoscaler", "state"]),
    conductor("ordeal_autoscaler_utilization_ratio", &["autoscaler", "state"]),
    conductor("ordeal_interventions_total", &["kind"]),
    conductor("ordeal_interventions_watched_seconds_total", &[]),
];

impl Family {
    /// The family of that name. Every name that a judge uses is in the table; a test of each judge reads it.
    pub(crate) fn named(name: &str) -> Option<&'static Family> {
        FAMILIES.iter().find(|family| family.name == name)
    }
}
