//! What to do where a promise was broken (pure): where to look first, by kind of objective.

/// Where to look first.
pub(super) fn advice(kind: &str) -> &'static str {
    match kind {
        "availability" => {
            "See ordeal_request_errors_total by task and reason for what failed, and the samples and experiments for when."
        }
        "latency" => {
            "See ordeal_response_time_seconds by task for what was slow; set it beside the experiments and the replicas."
        }
        "load_held" => {
            "See whether the service answered too slowly for its users to go on, or the generator could not keep up (ordeal_saturated_seconds_total)."
        }
        "recovery" => {
            "See ordeal_component_up and the exporter's log from the injection on: was it back and fell again within `settle`, or did it not come back? Then at the time-outs of fail-over (leases, health checks, connection pools)."
        }
        "leader" => "See the log of the store's fail-over manager from the injection on, and its time-outs.",
        "split_brain" => {
            "See which instances took writes (ordeal_writable_instances); the store must fence the old primary or demand a quorum for writes."
        }
        "data_loss" => {
            "The run's ledger file names every write; set the lost ones beside the experiments. Writes are kept by synchronous replication (PostgreSQL) or WAIT and min-replicas-to-write (Redis)."
        }
        "recovery_point" => {
            "See how far replication or archiving lagged at the fault, and whether the archive command succeeds everywhere."
        }
        "scaling" => {
            "See ordeal_autoscaler_utilization_ratio beside ordeal_autoscaler_replicas: whether it did not want to scale, was not allowed to, or the replicas did not become ready."
        }
        "health" => {
            "See ordeal_component_outages_total{cause=\"none\"} for when it began, and that component's log; no experiment was under way."
        }
        "intervention" => {
            "Find out who changed what, and why the system needed it; then run the trial again."
        }
        _ => "See what the expression reads, at the time of the query.",
    }
}
