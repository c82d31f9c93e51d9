//! The cluster of the trials: three nodes, of which somebody has cordoned the third, a service of three pods, a
//! store of two, and what guards them.

use serde_json::{Value, json};

use crate::api::objects::Objects;

/// By this a StatefulSet's pod is told apart.
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
/// What the program keeps for itself, and what comes and goes by itself.
const OWN: [&str; 4] = ["pods", "leases", "configmaps", "events"];

/// All objects; the pod that takes writes listens at `port`.
pub(crate) fn cluster(port: u16) -> Objects {
    let mut objects = Objects::default();
    objects.add("namespaces", namespace("shop", &json!({"ordeal/chaos": "enabled"})));
    for (name, cordoned) in [("n1", false), ("n2", false), ("n3", true)] {
        objects.add("nodes", node(name, cordoned));
    }
    for (name, on) in [("shop-a", "n1"), ("shop-b", "n1"), ("shop-c", "n2")] {
        objects.add("pods", pod("shop", name, on, "ReplicaSet", &json!({"app": "shop"})));
    }
    for name in ["kv-0", "kv-1"] {
        let mut pod = pod("shop", name, "n2", "StatefulSet", &json!({"app": "kv", POD_NAME: name}));
        pod["spec"]["containers"] = json!([{"name": "kv", "ports": [{"containerPort": port}]}]);
        pod["status"]["containerStatuses"] = json!([{"name": "kv", "containerID": format!("containerd://{name}"),
            "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {}}}]);
        objects.add("pods", pod);
    }
    objects.add("pods", pod("kube-system", "agent-1", "n1", "DaemonSet", &json!({"app": "agent"})));
    let mut mirror = pod("kube-system", "proxy-n1", "n1", "Node", &json!({}));
    mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
    objects.add("pods", mirror);
    objects.add("deployments", deployment("shop", 3));
    objects.add("poddisruptionbudgets", budget("shop", &json!({"matchLabels": {"app": "shop"}})));
    objects.add("networkpolicies", policy("kv", &json!({"matchLabels": {"app": "kv"}})));
    objects.add("networkpolicies", policy("metrics", &json!({})));
    objects.add("networkpolicies", policy("shop", &json!({"matchLabels": {"app": "shop"}})));
    objects
}

fn namespace(name: &str, labels: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}

fn node(name: &str, cordoned: bool) -> Value {
    let spec = if cordoned { json!({"unschedulable": true}) } else { json!({}) };
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": "True"}]}})
}

fn pod(namespace: &str, name: &str, node: &str, owner: &str, labels: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": labels, "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": owner, "name": "it", "uid": "u-it", "controller": true}]},
        "spec": {"nodeName": node, "containers": []},
        "status": {"phase": "Running", "podIP": "127.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}})
}

fn deployment(name: &str, replicas: u32) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "shop", "name": name},
        "spec": {"replicas": replicas, "template": {}, "selector": {"matchLabels": {"app": name}}}})
}

fn budget(name: &str, selector: &Value) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"namespace": "shop", "name": name}, "spec": {"selector": selector, "maxUnavailable": 1},
        "status": {"disruptionsAllowed": 1, "currentHealthy": 3, "desiredHealthy": 2, "expectedPods": 3}})
}

fn policy(name: &str, selector: &Value) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": [{}]}})
}

/// Whether a policy lets nothing through to or from the pod that takes writes.
pub(crate) fn is_cut_off(objects: &Objects) -> bool {
    let policies = objects.all.iter().filter(|(key, _)| key.1 == "networkpolicies").map(|(_, policy)| policy);
    let only = json!([{"key": POD_NAME, "operator": "In", "values": ["kv-0"]}]);
    let cuts = |policy: &Value| policy["spec"]["podSelector"]["matchExpressions"] == only;
    policies.into_iter().any(cuts)
}

/// All that a fault has to leave as it was, and its UID with it; and where commands have left something stopped.
pub(crate) fn lasting(objects: &Objects) -> Vec<Value> {
    let kept = objects.all.iter().filter(|(key, _)| !OWN.contains(&key.1.as_str()));
    let kept = kept.map(|(_, object)| {
        json!({"kind": object["kind"], "name": object["metadata"]["name"], "uid": object["metadata"]["uid"],
            "labels": object["metadata"]["labels"], "marks": marks(object), "spec": object["spec"]})
    });
    kept.chain([json!({"stopped": objects.stopped})]).collect()
}

/// What only we write on an object of others.
fn marks(object: &Value) -> Vec<&String> {
    let annotations = object["metadata"]["annotations"].as_object();
    annotations.into_iter().flat_map(|it| it.keys()).filter(|key| key.starts_with("ordeal/")).collect()
}

/// The pods' UIDs by their names.
pub(crate) fn pods(objects: &Objects) -> std::collections::BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pods = objects.all.iter().filter(|(key, _)| key.1 == "pods");
    pods.map(|(key, pod)| (key.3.clone(), text(&pod["metadata"]["uid"]))).collect()
}
