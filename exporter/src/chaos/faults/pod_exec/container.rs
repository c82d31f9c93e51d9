//! Which container of a pod commands run in, and whether it is still the one. Pure.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::chaos::guard::Obstacle;

/// By this annotation a pod says which of its containers is meant where none is named.
const DEFAULT: &str = "kubectl.kubernetes.io/default-container";

/// What became of a container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// It runs, and goes by this id until it ends.
    Running(String),
    /// Its pod is there, and it does not run.
    Stopped,
    /// Its pod is gone, or another one has its name.
    Gone,
}

impl Found {
    /// Whether it is the container of this id still, with all that runs in it.
    pub(super) fn is_still(&self, id: &str) -> bool {
        matches!(self, Self::Running(now) if now == id)
    }
}

/// The container `wanted`, or the one that is meant where none is named.
pub(super) fn choose(pod: &Pod, wanted: Option<&str>) -> Result<String, Obstacle> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let has: Vec<&str> = containers.map(|container| container.name.as_str()).collect();
    let annotations = pod.metadata.annotations.iter().flatten();
    let default = annotations.filter(|(key, _)| *key == DEFAULT).map(|(_, name)| name.as_str()).next();
    let chosen = match (wanted.or(default), has.as_slice()) {
        (Some(name), _) => has.contains(&name).then_some(name),
        (None, [only]) => Some(*only),
        (None, _) => None,
    };
    chosen.map(str::to_owned).ok_or_else(|| Obstacle::NoContainer {
        pod: pod.metadata.name.clone().unwrap_or_default(),
        wanted: wanted.map(str::to_owned),
        has: has.into_iter().map(str::to_owned).collect(),
    })
}

/// What became of `container` of the pod with this UID, by what the API server has under the pod's name.
pub(super) fn find(pod: Option<&Pod>, uid: &str, container: &str) -> Found {
    let Some(pod) = pod.filter(|pod| pod.metadata.uid.as_deref() == Some(uid)) else { return Found::Gone };
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let running = |status: &ContainerStatus| status.state.as_ref().is_some_and(|it| it.running.is_some());
    let found = statuses.filter(|status| running(status)).find(|status| status.name == container);
    found.and_then(|status| status.container_id.clone()).map_or(Found::Stopped, Found::Running)
}

/// What speaks against breaking something in there.
pub(super) fn obstacle(pod: Option<&Pod>, name: &str, uid: &str, container: &str) -> Option<Obstacle> {
    let leaving = pod.is_some_and(|pod| pod.metadata.deletion_timestamp.is_some());
    match find(pod, uid, container) {
        Found::Gone => Some(Obstacle::NoPod { pod: name.to_owned() }),
        _ if leaving => Some(Obstacle::Leaving { pod: name.to_owned() }),
        Found::Stopped => Some(Obstacle::Stopped { pod: name.to_owned(), container: container.to_owned() }),
        Found::Running(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(containers: &[&str], annotations: &Value) -> Pod {
        let containers: Vec<_> = containers.iter().map(|name| json!({"name": name})).collect();
        let value = json!({"metadata": {"name": "pg-0", "uid": "u-1", "annotations": annotations},
            "spec": {"containers": containers}});
        serde_json::from_value(value).expect("a pod")
    }

    #[test]
    fn the_container_is_the_named_one_the_default_or_the_only_one() {
        let default = || json!({DEFAULT: "pg"});
        let table = [
            (pod(&["pg"], &json!({})), None, Some("pg")),
            (pod(&["pg", "proxy"], &json!({})), None, None),
            (pod(&["pg", "proxy"], &default()), None, Some("pg")),
            (pod(&["pg", "proxy"], &default()), Some("proxy"), Some("proxy")),
            (pod(&["pg"], &json!({})), Some("gp"), None),
            (pod(&["db"], &default()), None, None),
        ];
        for (pod, wanted, expected) in table {
            let chosen = choose(&pod, wanted);
            assert_eq!(chosen.as_deref().ok(), expected, "{wanted:?} of {pod:?}");
        }
        let said = choose(&pod(&["pg", "proxy"], &json!({})), None).expect_err("which").to_string();
        assert_eq!(said, "pod pg-0 has several containers, pg and proxy: `container` says which");
        let said = choose(&pod(&["pg"], &json!({})), Some("gp")).expect_err("none").to_string();
        assert_eq!(said, "pod pg-0 has no container gp; it has pg");
    }

    fn running(uid: &str, id: Option<&str>, deleted: Option<&str>) -> Pod {
        let state = if id.is_some() { json!({"running": {}}) } else { json!({"waiting": {}}) };
        let value = json!({"metadata": {"name": "pg-0", "uid": uid, "deletionTimestamp": deleted},
            "status": {"containerStatuses": [{"name": "pg", "containerID": id.unwrap_or("containerd://old"),
                "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": state}]}});
        serde_json::from_value(value).expect("a pod")
    }

    #[test]
    fn a_pod_of_the_same_name_is_another_one_and_a_container_must_run() {
        let (gone, leaving) = (|| "pg-0".to_owned(), Some("2026-11-24T10:00:00Z"));
        let stopped = Obstacle::Stopped { pod: gone(), container: "pg".to_owned() };
        let table = [
            (Some(running("u-1", Some("c-1"), None)), Found::Running("c-1".to_owned()), None),
            (Some(running("u-1", None, None)), Found::Stopped, Some(stopped)),
            (Some(running("u-2", Some("c-1"), None)), Found::Gone, Some(Obstacle::NoPod { pod: gone() })),
            (None, Found::Gone, Some(Obstacle::NoPod { pod: gone() })),
            (
                Some(running("u-1", Some("c-1"), leaving)),
                Found::Running("c-1".to_owned()),
                Some(Obstacle::Leaving { pod: gone() }),
            ),
        ];
        for (pod, found, expected) in table {
            assert_eq!(find(pod.as_ref(), "u-1", "pg"), found, "{pod:?}");
            assert_eq!(obstacle(pod.as_ref(), "pg-0", "u-1", "pg"), expected, "{pod:?}");
        }
    }

    #[test]
    fn what_ran_in_a_container_ends_with_it() {
        let running = |id: &str| Found::Running(id.to_owned());
        let table =
            [(running("c-1"), true), (running("c-2"), false), (Found::Stopped, false), (Found::Gone, false)];
        for (found, expected) in table {
            assert_eq!(found.is_still("c-1"), expected, "{found:?}");
        }
    }
}
