//! Ends of containers, by what pods say of them. Pure.
//!
//! A pod counts the restarts of each of its containers, and tells how the last run of each ended. So an end is never
//! missed while the pod is there; of several between two states only how the last one came is known.

use std::collections::{HashMap, HashSet};

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};

use super::super::objects::object_of;
use crate::cluster::seen::{Incident, IncidentKind};

/// How often each container has ended, by the pod's UID and its own name.
#[derive(Debug, Default)]
pub(super) struct Ends(HashMap<String, HashMap<String, u64>>);

impl Ends {
    /// Notes how often containers had ended before anything was watched.
    pub(super) fn begin(&mut self, pod: &Pod) {
        let known = self.0.entry(pod.metadata.uid.clone().unwrap_or_default()).or_default();
        known.extend(statuses(pod).map(|(_, status)| (status.name.clone(), ends(status))));
    }

    /// Notes the state of a pod; answers what has ended since the last one, and how often.
    pub(super) fn see(&mut self, pod: &Pod) -> Vec<(Incident, u64)> {
        let known = self.0.entry(pod.metadata.uid.clone().unwrap_or_default()).or_default();
        let mut seen = Vec::new();
        for (lasting, status) in statuses(pod) {
            let known = known.entry(status.name.clone()).or_default();
            let (before, now) = (*known, ends(status).max(*known));
            *known = now;
            if let Some(end) = last_end(status).filter(|_| now > before) {
                seen.extend(incident(pod, lasting, status, end).map(|incident| (incident, now - before)));
            }
        }
        seen
    }

    /// Forgets a pod that is gone.
    pub(super) fn forget(&mut self, pod: &Pod) {
        self.0.remove(pod.metadata.uid.as_deref().unwrap_or_default());
    }

    /// Forgets all but `pods`.
    pub(super) fn keep(&mut self, pods: &[Pod]) {
        let here: HashSet<&str> = pods.iter().filter_map(|pod| pod.metadata.uid.as_deref()).collect();
        self.0.retain(|uid, _| here.contains(uid.as_str()));
    }
}

/// The containers of a pod, each with whether it is to run for ever.
fn statuses(pod: &Pod) -> impl Iterator<Item = (bool, &ContainerStatus)> {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    let all = pod.status.iter();
    let first = all.clone().flat_map(|it| it.init_container_statuses.iter().flatten());
    let others = all.flat_map(|it| it.container_statuses.iter().flatten());
    let lasting = policy == "Always";
    first.map(|status| (false, status)).chain(others.map(move |status| (lasting, status)))
}

/// How often a container has ended. One that does not run has ended once more than it was started again.
fn ends(status: &ContainerStatus) -> u64 {
    let restarts = u64::try_from(status.restart_count).unwrap_or_default();
    let runs = status.state.as_ref().is_some_and(|state| state.running.is_some());
    restarts + u64::from(!runs && last_end(status).is_some())
}

/// How its last run ended.
fn last_end(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    let now_and_before = [status.state.as_ref(), status.last_state.as_ref()];
    now_and_before.into_iter().flatten().find_map(|state| state.terminated.as_ref())
}

/// What an end is told as; `None`: it was to end.
fn incident(
    pod: &Pod,
    lasting: bool,
    status: &ContainerStatus,
    end: &ContainerStateTerminated,
) -> Option<Incident> {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref());
    let out_of_memory = end.reason.as_deref() == Some("OOMKilled");
    let leaving = pod.metadata.deletion_timestamp.is_some();
    let kind = match (end.exit_code, policy) {
        _ if out_of_memory => IncidentKind::OomKill,
        _ if leaving => return None,
        (0, _) if !lasting => return None,
        (_, Some("Never")) => IncidentKind::ContainerFailed,
        _ => IncidentKind::Restart,
    };
    let said = [end.reason.as_deref(), end.message.as_deref().map(str::trim)];
    Some(Incident {
        kind,
        object: object_of("Pod", &pod.metadata),
        container: Some(status.name.clone()),
        what: format!("exit code {}", end.exit_code),
        said: said.into_iter().flatten().collect::<Vec<_>>().join(": "),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn running() -> Value {
        json!({"running": {}})
    }

    fn terminated(code: i32, reason: &str) -> Value {
        json!({"terminated": {"exitCode": code, "reason": reason}})
    }

    fn waiting() -> Value {
        json!({"waiting": {"reason": "CrashLoopBackOff"}})
    }

    fn pod_with(policy: &str, statuses: &Value, deleted: Option<&str>) -> Pod {
        let value = json!({
            "metadata": {"name": "shop-1", "uid": "u-1", "deletionTimestamp": deleted},
            "spec": {"containers": [], "restartPolicy": policy},
            "status": statuses,
        });
        serde_json::from_value(value).expect("a pod")
    }

    fn status(restarts: i32, now: &Value, last: &Value) -> Value {
        json!({"name": "shop", "image": "", "imageID": "", "ready": true, "restartCount": restarts,
            "state": now, "lastState": last})
    }

    #[expect(clippy::needless_pass_by_value, reason = "made where they are passed")]
    fn pod(restarts: i32, now: Value, last: Value) -> Pod {
        pod_with("Always", &json!({"containerStatuses": [status(restarts, &now, &last)]}), None)
    }

    fn told(seen: Vec<(Incident, u64)>) -> Vec<String> {
        let one = |(it, count): (Incident, u64)| {
            let container = it.container.unwrap_or_default();
            format!("{:?} {container} {} ({}) x{count}", it.kind, it.what, it.said)
        };
        seen.into_iter().map(one).collect()
    }

    #[test]
    fn each_end_counts_once_whatever_states_it_goes_through() {
        let (error, oom) = (|| terminated(1, "Error"), || terminated(137, "OOMKilled"));
        let table: Vec<(Pod, &[&str])> = vec![
            (pod(2, running(), error()), &[]),
            (pod(2, error(), error()), &["Restart shop exit code 1 (Error) x1"]),
            (pod(2, waiting(), error()), &[]),
            // For a moment it knows of no last run.
            (pod(2, waiting(), json!({})), &[]),
            (pod(3, running(), error()), &[]),
            (pod(4, running(), oom()), &["OomKill shop exit code 137 (OOMKilled) x1"]),
            (pod(4, running(), oom()), &[]),
            // Of those that came between two states, how the last one ended.
            (pod(9, running(), terminated(0, "Completed")), &["Restart shop exit code 0 (Completed) x5"]),
            (pod(9, waiting(), terminated(0, "Completed")), &["Restart shop exit code 0 (Completed) x1"]),
        ];
        let mut ends = Ends::default();
        ends.begin(&pod(2, running(), error()));
        for (pod, expected) in table {
            assert_eq!(told(ends.see(&pod)), expected, "{:?}", pod.status);
        }
    }

    #[test]
    fn a_pod_that_is_new_had_no_ends_before_and_one_that_is_forgotten_is_new() {
        let once = || pod(1, running(), terminated(1, "Error"));
        let mut ends = Ends::default();
        let expected = ["Restart shop exit code 1 (Error) x1"];
        assert_eq!(told(ends.see(&once())), expected);
        assert_eq!(told(ends.see(&once())), [""; 0]);
        ends.keep(&[once()]);
        assert_eq!(told(ends.see(&once())), [""; 0]);
        ends.keep(&[]);
        assert_eq!(told(ends.see(&once())), expected);
        ends.forget(&once());
        assert_eq!(told(ends.see(&once())), expected);
    }

    #[test]
    fn what_was_to_end_is_no_incident() {
        let leaving = Some("2026-11-24T10:00:00Z");
        let main = |end: &Value| json!({"containerStatuses": [status(0, end, &json!({}))]});
        let first = |end: &Value| json!({"initContainerStatuses": [status(0, end, &json!({}))]});
        let (done, error) = (terminated(0, "Completed"), terminated(2, "Error"));
        let table: Vec<(Pod, &[&str])> = vec![
            (pod_with("Never", &main(&done), None), &[]),
            (pod_with("Never", &main(&error), None), &["ContainerFailed shop exit code 2 (Error) x1"]),
            (pod_with("OnFailure", &main(&done), None), &[]),
            (pod_with("OnFailure", &main(&error), None), &["Restart shop exit code 2 (Error) x1"]),
            (pod_with("Always", &first(&done), None), &[]),
            (pod_with("Always", &first(&error), None), &["Restart shop exit code 2 (Error) x1"]),
            (pod_with("Always", &main(&error), leaving), &[]),
            (
                pod_with("Always", &main(&terminated(137, "OOMKilled")), leaving),
                &["OomKill shop exit code 137 (OOMKilled) x1"],
            ),
        ];
        for (pod, expected) in table {
            assert_eq!(told(Ends::default().see(&pod)), expected, "{pod:?}");
        }
    }
}
