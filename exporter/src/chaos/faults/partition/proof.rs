//! Whether connections show that pods are cut off. Pure.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;

use crate::chaos::faults::canary::{New, Path, Seen};
use crate::cluster::kubernetes::is_ready;

/// What is told of refusals that prove nothing.
pub(super) const REFUSED: &str = "new connections are refused, by the network or by the pod: not known";

/// By what connections show that nothing goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nobody answers, or the network says that nobody is to be reached.
    Silence,
    /// New ones are refused: a proof only where the pods stand as before the cut ([`stand`]).
    Refusal,
}

/// By what all connections show that nothing goes through; else what they show.
pub(super) fn proven(seen: &[Seen]) -> Result<Proof, &'static str> {
    let new = |wanted: New| seen.iter().any(|seen| seen.new == wanted);
    let open = |wanted: Path| seen.iter().any(|seen| seen.open == wanted);
    let unlistened = new(New::Refused { listened: false });
    let refused = unlistened || new(New::Refused { listened: true });
    if new(New::Through) {
        return Err("new connections come through: this network enforces no policies");
    }
    if new(New::Untried) {
        return Err("no new connection could be tried from this machine, so that nobody knows");
    }
    if open(Path::Whole) {
        return Err(if refused {
            "new connections are refused, by the network or by the pod, and those that were open before live on"
        } else {
            "connections that were open before live on: this network cuts only new ones"
        });
    }
    if open(Path::Unknown) {
        return Err("a connection that was open before was ended by its pod, so that nobody knows");
    }
    match (unlistened, refused) {
        (true, _) => Err(REFUSED),
        (false, true) => Ok(Proof::Refusal),
        (false, false) => Ok(Proof::Silence),
    }
}

/// The containers of pods: the pod's UID, the container's name, its id, and how often it has been restarted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing(BTreeSet<(String, String, String, i32)>);

impl Standing {
    /// `None` where a pod has none yet, or one of them was never started.
    pub(super) fn of(pods: &[Pod]) -> Option<Self> {
        let mut containers = BTreeSet::new();
        for pod in pods {
            let uid = pod.metadata.uid.as_ref()?;
            let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
            if statuses.is_empty() {
                return None;
            }
            for status in statuses {
                let id = status.container_id.clone()?;
                containers.insert((uid.clone(), status.name.clone(), id, status.restart_count));
            }
        }
        Some(Self(containers))
    }
}

/// Whether `pods`, read after the cut, are ready and run in the containers that they had `before`: who listened then
/// listens now, so that a refusal is not theirs.
pub(super) fn stand(before: Option<&Standing>, pods: &[Pod]) -> bool {
    before.is_some() && pods.iter().all(is_ready) && Standing::of(pods).as_ref() == before
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_cut_is_proven_by_all_connections_or_told_what_they_show() {
        let seen = |new, open| Seen { new, open };
        let [refused, unlistened] = [true, false].map(|listened| New::Refused { listened });
        let cut = seen(New::Cut, Path::Cut);
        let (whole, both) = (Err("live on"), Err("by the network or by the pod, and those"));
        let table = [
            (seen(New::Cut, Path::Cut), Ok(Proof::Silence)),
            (seen(refused, Path::Cut), Ok(Proof::Refusal)),
            (seen(unlistened, Path::Cut), Err("refused, by the network or by the pod: not known")),
            (seen(New::Through, Path::Cut), Err("come through")),
            (seen(New::Through, Path::Whole), Err("come through")),
            (seen(New::Untried, Path::Cut), Err("from this machine")),
            (seen(New::Cut, Path::Whole), whole),
            (seen(refused, Path::Whole), both),
            (seen(unlistened, Path::Whole), both),
            (seen(New::Cut, Path::Unknown), Err("ended by its pod")),
            (seen(refused, Path::Unknown), Err("ended by its pod")),
            (seen(unlistened, Path::Unknown), Err("ended by its pod")),
        ];
        for (one, expected) in table {
            for all in [[one, cut], [cut, one]] {
                match (proven(&all), expected) {
                    (Err(told), Err(part)) => assert!(told.contains(part), "{one:?}: {told}"),
                    (proof, expected) => assert_eq!(proof, expected, "{one:?}"),
                }
            }
        }
    }

    fn pod(ready: bool, containers: &[(&str, Option<&str>, i32)]) -> Pod {
        let statuses = containers.iter().map(|(name, id, restarts)| {
            json!({"name": name, "containerID": id, "restartCount": restarts, "ready": true, "image": "",
                "imageID": ""})
        });
        let statuses: Vec<Value> = statuses.collect();
        let ready = if ready { "True" } else { "False" };
        let value = json!({"metadata": {"name": "kv-0", "uid": "u-1"}, "status": {
            "conditions": [{"type": "Ready", "status": ready}], "containerStatuses": statuses}});
        serde_json::from_value(value).expect("a pod")
    }

    #[test]
    fn a_refusal_is_the_networks_where_ready_pods_run_in_the_same_containers() {
        let one = || pod(true, &[("kv", Some("c-1"), 0), ("proxy", Some("c-2"), 3)]);
        let changed = |change: fn(&mut Pod)| {
            let mut pod = one();
            change(&mut pod);
            vec![pod]
        };
        let table = [
            (vec![one()], true),
            // A container's order says nothing.
            (vec![pod(true, &[("proxy", Some("c-2"), 3), ("kv", Some("c-1"), 0)])], true),
            (vec![pod(false, &[("kv", Some("c-1"), 0), ("proxy", Some("c-2"), 3)])], false),
            (vec![pod(true, &[("kv", Some("c-9"), 0), ("proxy", Some("c-2"), 3)])], false),
            (vec![pod(true, &[("kv", Some("c-1"), 1), ("proxy", Some("c-2"), 3)])], false),
            (vec![pod(true, &[("kv", None, 0), ("proxy", Some("c-2"), 3)])], false),
            (changed(|pod| pod.metadata.uid = Some("u-2".to_owned())), false),
            (vec![], false),
        ];
        let before = Standing::of(&[one()]).expect("it has been started");
        for (pods, expected) in table {
            assert_eq!(stand(Some(&before), &pods), expected, "{pods:?}");
        }
        assert!(!stand(None, &[one()]), "nobody knows how it stood");
        for unknown in [pod(true, &[]), pod(true, &[("kv", None, 0)])] {
            assert_eq!(Standing::of(&[unknown]), None);
        }
    }
}
