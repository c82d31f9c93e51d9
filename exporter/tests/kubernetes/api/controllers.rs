//! What controllers do where a pod of theirs is gone, and at once: there is another.

use serde_json::{Value, json};

use super::objects::Objects;

/// The pod in the place of `gone`; `None` for what no controller replaces. One of a StatefulSet or of
/// a `Cluster` of `CloudNativePG` has the same name.
pub(crate) fn another(gone: &Value, objects: &Objects) -> Option<Value> {
    let owner = gone["metadata"]["ownerReferences"].as_array()?.first()?["kind"].as_str()?;
    let mut pod = gone.clone();
    let metadata = pod["metadata"].as_object_mut()?;
    metadata.remove("uid");
    let version = metadata.remove("resourceVersion")?;
    match owner {
        "ReplicaSet" => metadata.insert("name".to_owned(), json!(format!("shop-{}", version.as_str()?))),
        "StatefulSet" | "Cluster" => None,
        _ => return None,
    };
    let open = |node: &&Value| node["spec"]["unschedulable"] != true;
    let nodes = objects.all.iter().filter(|(key, _)| key.1 == "nodes").map(|(_, node)| node);
    pod["spec"]["nodeName"] = nodes.rev().find(open)?["metadata"]["name"].clone();
    Some(pod)
}
