//! The exporter's families that the verifier reads (pure): the contract, and the only place where they are spelt.

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

macro_rules! families {
    ($($name:ident = $of:ident($text:literal, $labels:expr);)+) => {
        $(pub(crate) const $name: &str = $text;)+

        /// Every family that some judge reads.
        const FAMILIES: &[Family] = &[$($of($text, $labels)),+];
    };
}

families! {
    RUN_PHASE = conductor("ordeal_run_phase", &["phase"]);
    RUN_PHASE_START_TIMESTAMP_SECONDS = conductor("ordeal_run_phase_start_timestamp_seconds", &["phase"]);
    RUN_START_TIMESTAMP_SECONDS = conductor("ordeal_run_start_timestamp_seconds", &[]);
    RUN_END_TIMESTAMP_SECONDS = conductor("ordeal_run_end_timestamp_seconds", &[]);
    TIME_SECONDS = load("ordeal_time_seconds", &[]);
    PROCESS_START_TIME_SECONDS = load("process_start_time_seconds", &[]);
    LOAD_PROCESSES = conductor("ordeal_load_processes", &[]);
    USERS = load("ordeal_users", &["state"]);
    THINK_TIME_SECONDS = conductor("ordeal_think_time_seconds", &[]);
    USER_SECONDS_TOTAL = load("ordeal_user_seconds_total", &["state"]);
    REQUESTS_TOTAL = load("ordeal_requests_total", &["task", "outcome"]);
    REQUEST_ERRORS_TOTAL = load("ordeal_request_errors_total", &["task", "reason"]);
    RESPONSE_TIME_SECONDS_BUCKET = load("ordeal_response_time_seconds_bucket", &["task", "outcome", "le"]);
    SATURATED_SECONDS_TOTAL = load("ordeal_saturated_seconds_total", &["cause"]);
    SCHEDULE_LAG_SECONDS_COUNT = load("ordeal_schedule_lag_seconds_count", &[]);
    COMPONENTS = conductor("ordeal_components", &[]);
    PROBE_INTERVAL_SECONDS = conductor("ordeal_probe_interval_seconds", &["component"]);
    PROBES_TOTAL = conductor("ordeal_probes_total", &["component", "outcome"]);
    PROBE_DURATION_SECONDS_SUM = conductor("ordeal_probe_duration_seconds_sum", &["component"]);
    COMPONENT_UNSEEN_SECONDS_BUCKET = conductor("ordeal_component_unseen_seconds_bucket", &["component", "le"]);
    COMPONENT_UNSEEN_SECONDS_SUM = conductor("ordeal_component_unseen_seconds_sum", &["component"]);
    COMPONENT_UNSEEN_SECONDS_COUNT = conductor("ordeal_component_unseen_seconds_count", &["component"]);
    COMPONENT_UP = conductor("ordeal_component_up", &["component"]);
    COMPONENT_OUTAGES_TOTAL = conductor("ordeal_component_outages_total", &["component", "cause"]);
    COMPONENT_OUTAGE_SECONDS_TOTAL = conductor("ordeal_component_outage_seconds_total", &["component", "cause"]);
    COMPONENT_LONGEST_OUTAGE_SECONDS = conductor("ordeal_component_longest_outage_seconds", &["component", "cause", "bound"]);
    WRITABLE_INSTANCES = conductor("ordeal_writable_instances", &["component"]);
    LEADER_SINCE_TIMESTAMP_SECONDS = conductor("ordeal_leader_since_timestamp_seconds", &["component"]);
    LEADER_CHANGES_TOTAL = conductor("ordeal_leader_changes_total", &["component"]);
    SPLIT_BRAIN_SECONDS_TOTAL = conductor("ordeal_split_brain_seconds_total", &["component"]);
    INSTANCES_OBSERVED_SECONDS_TOTAL = conductor("ordeal_instances_observed_seconds_total", &["component"]);
    EXPERIMENTS = conductor("ordeal_experiments", &[]);
    EXPERIMENT_INFO = conductor("ordeal_experiment_info", &["experiment", "fault"]);
    EXPERIMENT_STATE = conductor("ordeal_experiment_state", &["experiment", "state"]);
    EXPERIMENT_INJECTED_TIMESTAMP_SECONDS = conductor("ordeal_experiment_injected_timestamp_seconds", &["experiment"]);
    EXPERIMENT_REVERTED_TIMESTAMP_SECONDS = conductor("ordeal_experiment_reverted_timestamp_seconds", &["experiment"]);
    SETTLE_SECONDS = conductor("ordeal_settle_seconds", &[]);
    RECOVERY_SECONDS = conductor("ordeal_recovery_seconds", &["experiment", "component", "since"]);
    RECOVERY_LOWER_SECONDS = conductor("ordeal_recovery_lower_seconds", &["experiment", "component", "since"]);
    RECOVERY_UPPER_SECONDS = conductor("ordeal_recovery_upper_seconds", &["experiment", "component", "since"]);
    LEDGER_WRITES_TOTAL = conductor("ordeal_ledger_writes_total", &["store", "outcome"]);
    EXPERIMENT_ACKED_WRITES_BEFORE = conductor("ordeal_experiment_acked_writes_before", &["experiment", "store"]);
    LEDGER_AUDIT = conductor("ordeal_ledger_audit", &["store", "class"]);
    LEDGER_AUDITS_TOTAL = conductor("ordeal_ledger_audits_total", &["store", "result"]);
    RECOVERY_POINT_SECONDS = conductor("ordeal_recovery_point_seconds", &["experiment", "store"]);
    WORKLOAD_REPLICAS = conductor("ordeal_workload_replicas", &["workload", "state"]);
    AUTOSCALER_REPLICAS = conductor("ordeal_autoscaler_replicas", &["autoscaler", "state"]);
    AUTOSCALER_UTILIZATION_RATIO = conductor("ordeal_autoscaler_utilization_ratio", &["autoscaler", "state"]);
    INTERVENTIONS_TOTAL = conductor("ordeal_interventions_total", &["kind"]);
    INTERVENTIONS_WATCHED_SECONDS_TOTAL = conductor("ordeal_interventions_watched_seconds_total", &[]);
}

impl Family {
    /// The family of that name. Every name that a judge uses is in the table; a test of each judge reads it.
    pub(crate) fn named(name: &str) -> Option<&'static Family> {
        FAMILIES.iter().find(|family| family.name == name)
    }
}
