//! Whether pods that leave a node find another that takes them. Pure.
//!
//! Of what a scheduler looks at, these are the taints: by them nodes keep off all pods but those that are meant for
//! them, as a control plane does. What a pod itself asks of its node, or what room there is, is not looked at.

use k8s_openapi::api::core::v1::{Node, Taint, Toleration};

use super::{Leaving, is_open};
use crate::chaos::guard::Obstacle;

/// Whether each of `pods` that another follows finds one of `nodes` for that, other than the one of this `name`.
pub(in crate::chaos::faults) fn taken_elsewhere(
    pods: &[Leaving],
    name: &str,
    nodes: &[Node],
) -> Result<(), Obstacle> {
    let others = nodes.iter().filter(|node| is_open(node) && node.metadata.name.as_deref() != Some(name));
    let others: Vec<&Node> = others.collect();
    let node = || name.to_owned();
    if others.is_empty() {
        return Err(Obstacle::LastNode { node: node() });
    }
    for pod in pods.iter().filter(|pod| pod.replaced) {
        let all: Option<Vec<String>> = others.iter().map(|it| kept_off(it, &pod.tolerations)).collect();
        if let Some(kept_off) = all {
            return Err(Obstacle::NoTaker { node: node(), pod: pod.name.clone(), kept_off });
        }
    }
    Ok(())
}

/// What keeps a pod with `tolerations` off `node`; `None`: it takes the pod.
fn kept_off(node: &Node, tolerations: &[Toleration]) -> Option<String> {
    let mut taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    let taint =
        taints.find(|taint| keeps_off(taint) && !tolerations.iter().any(|it| tolerates(it, taint)))?;
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let value = taint.value.as_deref().filter(|value| !value.is_empty());
    let value = value.map_or_else(String::new, |value| format!("={value}"));
    Some(format!("{name} has taint {}{value}:{}", taint.key, taint.effect))
}

/// A third effect, `PreferNoSchedule`, is a wish.
fn keeps_off(taint: &Taint) -> bool {
    matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute")
}

/// As the scheduler has it: without an effect all effects are meant, and without a key, by `Exists`, all taints.
fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let any_or = |text: Option<&str>, wanted: &str| text.is_none_or(|text| text.is_empty() || text == wanted);
    let key = toleration.key.as_deref();
    if !any_or(toleration.effect.as_deref(), &taint.effect) || !any_or(key, &taint.key) {
        return false;
    }
    let same = toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default();
    match toleration.operator.as_deref() {
        Some("Exists") => true,
        None | Some("" | "Equal") => same && key.is_some_and(|key| !key.is_empty()),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(name: &str, taints: &Value) -> Node {
        let value = json!({"metadata": {"name": name}, "spec": {"taints": taints},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        serde_json::from_value(value).expect("a node")
    }

    fn leaving(name: &str, tolerations: &Value) -> Leaving {
        let value = json!({"metadata": {"name": name, "uid": name, "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "r", "controller": true}]},
            "spec": {"containers": [], "tolerations": tolerations}});
        Leaving::of(&serde_json::from_value(value).expect("a pod")).expect("it has a name")
    }

    #[test]
    fn a_taint_keeps_off_whoever_does_not_tolerate_it() {
        let control = "node-role.kubernetes.io/control-plane";
        let closed = |effect: &str| json!([{"key": control, "effect": effect}]);
        let plane = closed("NoSchedule");
        let mail = || json!([{"key": "for", "value": "mail", "effect": "NoExecute"}]);
        let both = json!([plane[0], mail()[0]]);
        let table = [
            (json!([]), json!([]), true),
            (plane.clone(), json!([]), false),
            (closed("NoExecute"), json!([]), false),
            (closed("PreferNoSchedule"), json!([]), true),
            // Exists: of this key, of any key, of any effect, of another effect.
            (plane.clone(), json!([{"key": control, "operator": "Exists", "effect": "NoSchedule"}]), true),
            (plane.clone(), json!([{"operator": "Exists"}]), true),
            (plane.clone(), json!([{"key": "", "operator": "Exists", "effect": ""}]), true),
            (plane.clone(), json!([{"key": control, "operator": "Exists", "effect": "NoExecute"}]), false),
            (plane.clone(), json!([{"operator": "Exists", "effect": "NoExecute"}]), false),
            (plane.clone(), json!([{"key": "other", "operator": "Exists"}]), false),
            // Equal, which is also meant where nothing is said: a value that is left out is empty.
            (plane.clone(), json!([{"operator": "Equal"}]), false),
            (plane.clone(), json!([{"key": control}]), true),
            (plane.clone(), json!([{"key": control, "operator": "Equal", "value": "x"}]), false),
            (mail(), json!([{"key": "for", "operator": "Equal", "value": "mail"}]), true),
            (mail(), json!([{"key": "for", "value": "mail", "effect": "NoExecute"}]), true),
            (mail(), json!([{"key": "for", "value": "web"}]), false),
            (mail(), json!([{"key": "for"}]), false),
            (mail(), json!([{"value": "mail"}]), false),
            (mail(), json!([{"key": "for", "operator": "Gt", "value": "mail"}]), false),
            // All of them have to be tolerated.
            (both.clone(), json!([{"key": "for", "operator": "Exists"}]), false),
            (
                both,
                json!([{"key": "for", "operator": "Exists"}, {"key": control, "operator": "Exists"}]),
                true,
            ),
        ];
        for (taints, tolerations, expected) in table {
            let taken = taken_elsewhere(
                &[leaving("a", &tolerations)],
                "n1",
                &[node("n1", &json!([])), node("n2", &taints)],
            );
            assert_eq!(taken.is_ok(), expected, "{tolerations} of {taints}");
        }
    }

    #[test]
    fn each_pod_needs_one_node_and_not_the_same() {
        let mail = json!([{"key": "mail", "effect": "NoSchedule"}]);
        let web = json!([{"key": "web", "value": "x", "effect": "NoExecute"}]);
        let nodes = [node("n1", &json!([])), node("n2", &mail), node("n3", &web)];
        let exists = |key: &str| json!([{"key": key, "operator": "Exists"}]);
        let (one, other) = (leaving("a", &exists("mail")), leaving("b", &exists("web")));
        assert_eq!(taken_elsewhere(&[one.clone(), other], "n1", &nodes), Ok(()));
        let plain = leaving("c", &json!([]));
        let kept_off =
            vec!["n2 has taint mail:NoSchedule".to_owned(), "n3 has taint web=x:NoExecute".to_owned()];
        let no_taker = Obstacle::NoTaker { node: "n1".to_owned(), pod: "c".to_owned(), kept_off };
        assert_eq!(taken_elsewhere(&[one, plain.clone()], "n1", &nodes), Err(no_taker));
        let gone = Leaving { replaced: false, ..plain };
        assert_eq!(taken_elsewhere(&[gone], "n1", &nodes), Ok(()), "nothing comes in its place");
        assert_eq!(
            taken_elsewhere(&[], "n1", &nodes[..1]),
            Err(Obstacle::LastNode { node: "n1".to_owned() })
        );
    }
}
