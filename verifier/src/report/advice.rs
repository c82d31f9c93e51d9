//! What to do where a promise was broken, or where its limit lies between the bounds of what was observed (pure): where
//! to look first, by kind of objective.

use crate::judge::Finding;
use crate::slo::Kind;

/// Where to look first.
pub(super) fn advice(kind: Kind) -> &'static str {
    match kind {
        Kind::Availability => {
            "See the samples and experiments for when, and for what: by requests, ordeal_request_errors_total by task and reason; by users' time, ordeal_oldest_request_age_seconds; by probes, ordeal_component_up."
        }
        Kind::Latency => {
            "See the quantiles of ordeal_response_time_seconds_bucket by task for what was slow, and ordeal_request_errors_total for what failed, which is not in time either; set both beside the experiments and the replicas."
        }
        Kind::LoadHeld => {
            "See whether the service answered too slowly for its users to go on, or the generator could not keep up (ordeal_saturated_seconds_total)."
        }
        Kind::Recovery => {
            "See ordeal_component_up and the exporter's log from the injection on: was it back and fell again within `settle`, or did it not come back? Then at the time-outs of fail-over (leases, health checks, connection pools)."
        }
        Kind::Leader => {
            "See the log of the store's fail-over manager from the injection on, and its time-outs."
        }
        Kind::SplitBrain => {
            "See which instances took writes (ordeal_writable_instances); the store must fence the old primary or demand a quorum for writes."
        }
        Kind::DataLoss => {
            "The run's ledger file names every write; set the lost ones beside the experiments. Writes are kept by synchronous replication (PostgreSQL) or WAIT and min-replicas-to-write (Redis)."
        }
        Kind::WrittenPoint => {
            "See how far replication lagged at the fault. Writes are kept by synchronous replication (PostgreSQL) or WAIT and min-replicas-to-write (Redis)."
        }
        Kind::ArchivePoint => {
            "See how far archiving lagged at the fault, and whether the archive command succeeds everywhere."
        }
        Kind::Scaling => {
            "See ordeal_autoscaler_utilization_ratio beside ordeal_autoscaler_replicas: whether it did not want to scale, was not allowed to (its minimum, its maximum, its stabilisation window), or the replicas did not become ready."
        }
        Kind::Health => {
            "See ordeal_component_up for when it was down, and that component's log and the exporter's then: before the load and after it, and outside every experiment, it has to be up."
        }
        Kind::Intervention => {
            "Find out who changed what, and why the system needed it; then run the trial again."
        }
        Kind::Alerting => {
            "See ALERTS and ALERTS_FOR_STATE of that name from the injection on, what the rule's expression gave then, and its `for` and `keep_firing_for`: whether it did not see the outage, waited too long, or saw what had recovered as broken still."
        }
        Kind::Promql => "See what the expression reads, at the time of the query.",
    }
}

/// Why a value does not decide though nothing is lacking, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecided {
    pub(super) why: &'static str,
    pub(super) remedy: &'static str,
}

/// Why the value of a finding does not decide.
pub(super) fn undecided(finding: &Finding) -> Undecided {
    let endless = finding.judged.observed.as_ref().is_some_and(|observed| observed.upper.is_infinite());
    match endless.then(|| waited_too_briefly(finding.kind)).flatten() {
        Some(remedy) => Undecided { why: "not watched for longer than the limit", remedy },
        None => Undecided { why: "the limit lies between the bounds", remedy: narrower(finding.kind) },
    }
}

/// What was still awaited when nobody looked any more: how to look for longer.
pub(super) fn waited_too_briefly(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Recovery => Some(
            "Give the experiment a `deadline` longer than `within`, and see why probes were missed where they were: nobody looked any longer.",
        ),
        Kind::Leader => Some(
            "Give the experiment a longer `settle`, so that it lasts longer than `within`: nobody looked any longer.",
        ),
        Kind::Alerting => Some(
            "Judge again when the alert is resolved, or `within` and `resolved_within` are over; where the next experiment came before that, give this one a longer `settle`.",
        ),
        Kind::Scaling => Some(
            "Let the load (`up`), or the trial's `cooldown` (`down`), last longer than `within`: nobody looked any longer.",
        ),
        Kind::LoadHeld
        | Kind::Availability
        | Kind::Latency
        | Kind::SplitBrain
        | Kind::DataLoss
        | Kind::WrittenPoint
        | Kind::ArchivePoint
        | Kind::Health
        | Kind::Intervention
        | Kind::Promql => None,
    }
}

/// What narrows the bounds.
pub(super) fn narrower(kind: Kind) -> &'static str {
    match kind {
        Kind::Recovery => {
            "Give the component a shorter `interval` of probes, and the fault an `inject` and `revert` that return at once; then run the trial again."
        }
        Kind::Health => "Give the component a shorter `interval` of probes, and run the trial again.",
        Kind::DataLoss => {
            "No audit tells which experiment did it: see the same objective without `experiment`, and the run's ledger file, which names every write."
        }
        Kind::Intervention => {
            "Let Prometheus scrape the exporter before the load begins: what was counted before its first scrape may be older than the run."
        }
        Kind::Alerting => "Evaluate the rule's group more often (`interval`), and run the trial again.",
        Kind::WrittenPoint => {
            "The exporter tells the span without bounds, so that the limit lies on one side of it."
        }
        Kind::ArchivePoint => "Scrape postgres_exporter more often, and run the trial again.",
        Kind::Scaling => {
            "Scrape more often (for `relief`, or choose a longer `last`, or an autoscaler that waits out the ramp), and run the trial again."
        }
        Kind::LoadHeld
        | Kind::Availability
        | Kind::Latency
        | Kind::Leader
        | Kind::SplitBrain
        | Kind::Promql => "Scrape more often, which narrows the bounds, and run the trial again.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Lack, Shortfall};
    use crate::judge::{Judged, Observed};
    use crate::verdict::Verdict;

    #[test]
    fn what_does_not_decide_is_told_with_what_would() {
        let table = [
            (
                Kind::Recovery,
                f64::INFINITY,
                "not watched for longer than the limit",
                "`deadline` longer than `within`",
            ),
            (Kind::Leader, f64::INFINITY, "not watched for longer than the limit", "longer `settle`"),
            (Kind::Scaling, f64::INFINITY, "not watched for longer than the limit", "`cooldown` (`down`)"),
            (Kind::Recovery, 31.0, "the limit lies between the bounds", "shorter `interval` of probes"),
            (Kind::DataLoss, 2.0, "the limit lies between the bounds", "without `experiment`"),
            (Kind::Intervention, 1.0, "the limit lies between the bounds", "before the load begins"),
            (Kind::SplitBrain, 2.0, "the limit lies between the bounds", "Scrape more often"),
        ];
        for (kind, upper, why, remedy) in table {
            let mut judged = Judged::lacking(Shortfall::new(Lack::Gap, ""));
            judged.observed =
                Some(Observed { text: String::new(), value: upper, lower: 0.0, upper, unit: "" });
            let (name, limit, verdict) = (String::new(), String::new(), Verdict::Inconclusive);
            let told = undecided(&Finding { name, kind, proves: None, limit, verdict, judged });
            assert!(told.why == why && told.remedy.contains(remedy), "{kind:?} {upper}: {told:?}");
        }
    }
}
