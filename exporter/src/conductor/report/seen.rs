//! What was seen of a cluster, as `chaos.json` tells it. Pure.

use serde::Serialize;

use crate::chaos::record::At;
use crate::clock::Moment;
use crate::cluster::seen::{Bounded, Gap, IncidentKind, Intervention, Object, Seen, Tally};

/// What all this rests on, and what it cannot show.
const EVIDENCE: [&str; 8] = [
    "times are when this program saw it; `during` is the experiment that was on then; what has a count of 0 was so \
     before, and went on",
    "ends of containers are counted by their pods; a pod that came and went within a gap is not known",
    "failed probes, back-offs, evictions and pods without a node are events, of which a node sends some 25 of one \
     object at once and then one in five minutes: their counts are lower bounds",
    "a change is known by managedFields, where a client goes by the name that it chooses, and changes by one manager \
     within a second are one; nobody signs a deletion, which is told once it has begun, nor a scale to zero, an \
     uncordon, or the last taint of a node taken away: these count as allowed where one of the trial's managers had \
     cordoned the node, set the taint or sized the workload last, and a hand that did it is not told from that; a scale \
     to zero of a number that nobody had signed is not told where it comes within some three seconds of another change",
    "a pod that went counts as deleted by somebody where no controller's event names it, this program did not let it \
     go, it did not go with its controller, and no controller wanted its ReplicaSet to have fewer pods; of other \
     controllers no more than some 25 events get through at once, so that of more pods that they remove the others are \
     counted, though nobody may have deleted them by hand",
    "a ReplicaSet that went with pods still wanted counts as deleted by somebody unless its Deployment went too, and a \
     Job unless it had ended and has a time to live or a CronJob; an old revision without pods, and such a Job, are not \
     told from those that Kubernetes drops; of nodes only cordons and taints count, not that one comes or goes",
    "looked at are Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs, HorizontalPodAutoscalers, \
     PodDisruptionBudgets, NetworkPolicies, Services and Pods of the namespace: what becomes of any other object, as a \
     ConfigMap, a Secret, Endpoints or a custom resource, is not seen",
    "what is done inside a container leaves no trace here: kubectl exec, cp, attach and port-forward, and changes of \
     files and processes, are not seen",
];

/// The part of the file about the cluster.
#[derive(Debug, Serialize)]
pub(in crate::conductor) struct SeenReport {
    incidents: Vec<TallyReport>,
    incidents_left_out: u64,
    interventions: Vec<InterventionReport>,
    interventions_left_out: u64,
    /// When something may have happened unseen.
    gaps: Vec<GapReport>,
    gaps_left_out: u64,
    /// What could not be looked at.
    unseen: Vec<String>,
    evidence: [&'static str; 8],
}

#[derive(Debug, Serialize)]
struct TallyReport {
    kind: IncidentKind,
    object: Object,
    container: Option<String>,
    what: String,
    said: String,
    first: At,
    last: At,
    count: u64,
    during: Option<String>,
}

#[derive(Debug, Serialize)]
struct InterventionReport {
    at: At,
    kind: &'static str,
    object: Object,
    manager: Option<String>,
    operation: String,
    subresource: Option<String>,
    during: Option<String>,
}

#[derive(Debug, Serialize)]
struct GapReport {
    of: String,
    from: At,
    until: Option<At>,
    reason: String,
}

/// The part of the file about what was `seen`; `hide` takes secrets out of what others said.
pub(in crate::conductor) fn report(
    seen: Seen,
    at: impl Fn(Moment) -> At,
    hide: impl Fn(&str) -> String,
) -> SeenReport {
    let Seen { incidents, interventions, gaps, unseen, .. } = seen;
    let (incidents, incidents_left_out) = told(incidents, |tally: Tally| {
        let Tally { incident, first, last, count, during } = tally;
        let (first, last, said) = (at(first), at(last), hide(&incident.said));
        let (kind, object, container, what) =
            (incident.kind, incident.object, incident.container, incident.what);
        TallyReport { kind, object, container, what, said, first, last, count, during }
    });
    let (interventions, interventions_left_out) = told(interventions, |it: Intervention| {
        let Intervention { at: seen, kind, object, manager, operation, subresource, during } = it;
        InterventionReport { at: at(seen), kind, object, manager, operation, subresource, during }
    });
    let (gaps, gaps_left_out) = told(gaps, |gap: Gap| GapReport {
        of: gap.of,
        from: at(gap.from),
        until: gap.until.map(&at),
        reason: hide(&gap.reason),
    });
    SeenReport {
        incidents,
        incidents_left_out,
        interventions,
        interventions_left_out,
        gaps,
        gaps_left_out,
        unseen: unseen.into_iter().collect(),
        evidence: EVIDENCE,
    }
}

fn told<T, R>(some: Bounded<T>, one: impl Fn(T) -> R) -> (Vec<R>, u64) {
    (some.told.into_iter().map(one).collect(), some.left_out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::seen::Incident;

    #[test]
    fn each_is_told_with_its_time_its_object_and_the_experiment_that_was_on() {
        let moment = Moment::from_secs_f64;
        let pod = Object { kind: "Pod".to_owned(), name: "shop-1".to_owned(), uid: "u-1".to_owned() };
        let incident = Incident {
            kind: IncidentKind::OomKill,
            object: pod.clone(),
            container: Some("shop".to_owned()),
            what: "exit code 137".to_owned(),
            said: "said hunter2".to_owned(),
        };
        let during = Some("kill".to_owned());
        let tally =
            Tally { incident, first: moment(1.0), last: moment(2.0), count: 3, during: during.clone() };
        let intervention = Intervention {
            at: moment(4.0),
            kind: "change",
            object: pod,
            manager: Some("kubectl-edit".to_owned()),
            operation: "Update".to_owned(),
            subresource: None,
            during,
        };
        let gap = Gap { of: "pods".to_owned(), from: moment(5.0), until: None, reason: "hunter2".to_owned() };
        let mut seen = Seen::default();
        seen.incidents = Bounded { told: vec![tally], left_out: 8 };
        seen.interventions = Bounded { told: vec![intervention], left_out: 0 };
        seen.gaps = Bounded { told: vec![gap], left_out: 0 };
        seen.unseen.insert("conditions of nodes: forbidden".to_owned());
        let at = |moment: Moment| {
            let run_seconds = moment.as_secs_f64();
            At { unix_seconds: 1000.0 + run_seconds, run_seconds }
        };
        let report = report(seen, at, |text| text.replace("hunter2", "[redacted]"));
        let mut report = serde_json::to_value(report).expect("JSON");
        let evidence = report["evidence"].take();
        let at = |seconds: f64| json!({"unix_seconds": 1000.0 + seconds, "run_seconds": seconds});
        let object = json!({"kind": "Pod", "name": "shop-1", "uid": "u-1"});
        let expected = json!({
            "incidents": [{"kind": "oom_kill", "object": object, "container": "shop", "what": "exit code 137",
                "said": "said [redacted]", "first": at(1.0), "last": at(2.0), "count": 3, "during": "kill"}],
            "incidents_left_out": 8,
            "interventions": [{"at": at(4.0), "kind": "change", "object": object, "manager": "kubectl-edit",
                "operation": "Update", "subresource": null, "during": "kill"}],
            "interventions_left_out": 0,
            "gaps": [{"of": "pods", "from": at(5.0), "until": null, "reason": "[redacted]"}],
            "gaps_left_out": 0,
            "unseen": ["conditions of nodes: forbidden"],
            "evidence": null,
        });
        assert_eq!(report, expected);
        assert!(evidence.to_string().contains("kubectl exec"), "{evidence}");
    }
}
