//! How a node is closed for pods and opened again, and how anybody sees that it was we who closed it.
//!
//! The mark comes with the cordon, in one change of the state that was looked at, and only a node that has it is opened
//! again: one that somebody else has cordoned is theirs.

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::chaos::faults::api::{Failure, Place};
use crate::chaos::faults::evictable::is_cordoned;
use crate::chaos::faults::{Ending, Outcome, Scene};
use crate::chaos::journal::Intent;
use crate::chaos::step;
use crate::cluster::kubernetes::{Kubernetes, MANAGER};

/// The annotation that holds the mark of whoever cordoned a node.
const CORDONED: &str = "ordeal/cordoned";
/// An annotation that comes and goes, by which a node is in another state than before.
const PUT_BACK: &str = "ordeal/put-back";
/// A node's state changes with each word of its kubelet; then it is looked at again.
const AGAIN: Duration = Duration::from_millis(100);

/// What lets pods onto the node again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uncordon {
    /// The namespace of the service, whose cluster it is.
    pub place: Place,
    /// The node.
    pub node: String,
    /// Its UID.
    pub uid: String,
    /// Time limit of an attempt, in milliseconds.
    pub timeout_ms: u64,
}

/// What is to become of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// It takes pods: it is closed.
    Close,
    /// It is closed, by us.
    Done,
    /// It is closed, by somebody else.
    Theirs,
}

/// The mark of one experiment.
fn mark(intent: &Intent) -> String {
    format!("{}-{}", intent.token, intent.id)
}

fn is_marked(node: &Node, mark: &str) -> bool {
    node.metadata.annotations.iter().flatten().any(|(key, value)| key == CORDONED && value == mark)
}

fn closing(node: &Node, mark: &str) -> Closing {
    match (is_cordoned(node), is_marked(node, mark)) {
        (false, _) => Closing::Close,
        (true, true) => Closing::Done,
        (true, false) => Closing::Theirs,
    }
}

/// Keeps pods off the node.
pub(super) async fn close(
    cluster: &Kubernetes,
    name: &str,
    uid: &str,
    intent: &Intent,
) -> Result<(), Ending> {
    let mark = mark(intent);
    loop {
        let Some(node) = find(cluster, name, uid).await.map_err(Failure::into_ending)? else {
            return Err(Ending::Failed(format!("node {name} is gone")));
        };
        match closing(&node, &mark) {
            Closing::Done => return Ok(()),
            Closing::Theirs => {
                return Err(Ending::Failed(format!("node {name} has been cordoned by somebody else")));
            }
            Closing::Close => {}
        }
        let (annotations, spec) = (json!({CORDONED: mark}), json!({"unschedulable": true}));
        match patch(cluster, "cordon", &node, annotations, Some(spec)).await {
            Ok(true) => return Ok(()),
            Ok(false) => tokio::time::sleep(AGAIN).await,
            Err(failure) => return Err(failure.into_ending()),
        }
    }
}

async fn find(cluster: &Kubernetes, name: &str, uid: &str) -> Result<Option<Node>, Failure> {
    let found = cluster.everywhere::<Node>().get_opt(name).await;
    let found = found.map_err(|error| Failure::of(&format!("read node {name}"), &error))?;
    Ok(found.filter(|found| found.metadata.uid.as_deref() == Some(uid)))
}

/// Changes `node` as it was looked at; `false`: it is in another state by now.
async fn patch(
    cluster: &Kubernetes,
    verb: &str,
    node: &Node,
    annotations: Value,
    spec: Option<Value>,
) -> Result<bool, Failure> {
    let metadata = &node.metadata;
    let name = metadata.name.as_deref().unwrap_or_default();
    let mut change = json!({"metadata": {
        "uid": metadata.uid, "resourceVersion": metadata.resource_version, "annotations": annotations,
    }});
    if let Some(spec) = spec {
        change["spec"] = spec;
    }
    let by = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    match cluster.everywhere::<Node>().patch(name, &by, &Patch::Merge(change)).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(Failure::of(&format!("{verb} node {name}"), &error)),
    }
}

impl Uncordon {
    /// One attempt to let pods onto the node again.
    pub(in crate::chaos::faults) async fn attempt(&self, scene: Scene<'_>) -> Outcome {
        let limit = Duration::from_millis(self.timeout_ms);
        let start = scene.clock.now();
        step!("revert_started");
        let ending = match tokio::time::timeout(limit, self.apply(scene.intent)).await {
            Ok(Ok(())) => Ending::Done,
            Ok(Err(failure)) => failure.into_ending(),
            Err(_) => Ending::Unanswered(format!("no answer within {}", humantime::format_duration(limit))),
        };
        Outcome { start, end: scene.clock.now(), ending, told: vec![("request", self.to_string())] }
    }

    /// A node that is gone, another one of its name, or one that we have not closed, needs nothing.
    async fn apply(&self, intent: &Intent) -> Result<(), Failure> {
        let (cluster, mark) = (&self.place.reach().await?, mark(intent));
        loop {
            let Some(node) = find(cluster, &self.node, &self.uid).await? else { return Ok(()) };
            let done = if is_marked(&node, &mark) {
                let (annotations, spec) = (json!({CORDONED: null}), json!({"unschedulable": null}));
                patch(cluster, "uncordon", &node, annotations, Some(spec)).await?
            } else {
                match self.outdate(cluster, &node, &mark).await {
                    // It has no mark of ours, so that nothing of ours is on it; and no cordon of ours is on its way to
                    // a node that we may not change.
                    Err(failure) if failure.is_denied() => return Ok(()),
                    outdated => outdated?,
                }
            };
            if done {
                return Ok(());
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// A cordon that was asked for and never answered may still be on its way. It is one of a state that is over then.
    async fn outdate(&self, cluster: &Kubernetes, node: &Node, mark: &str) -> Result<bool, Failure> {
        let verb = "change the state of";
        if !patch(cluster, verb, node, json!({PUT_BACK: mark}), None).await? {
            return Ok(false);
        }
        match find(cluster, &self.node, &self.uid).await? {
            Some(node) => patch(cluster, verb, &node, json!({PUT_BACK: null}), None).await,
            None => Ok(true),
        }
    }
}

impl fmt::Display for Uncordon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uncordon node {}", self.node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_somebody_else_has_cordoned_is_theirs() {
        let table = [
            (false, json!({}), Closing::Close),
            (false, json!({CORDONED: "t1-0"}), Closing::Close),
            (true, json!({}), Closing::Theirs),
            (true, json!({CORDONED: "t1-1"}), Closing::Theirs),
            (true, json!({CORDONED: "t1-0"}), Closing::Done),
        ];
        for (cordoned, annotations, expected) in table {
            let value = json!({"metadata": {"name": "n1", "annotations": annotations},
                "spec": {"unschedulable": cordoned}});
            let node: Node = serde_json::from_value(value.clone()).expect("a node");
            assert_eq!(closing(&node, "t1-0"), expected, "{value}");
        }
    }
}
