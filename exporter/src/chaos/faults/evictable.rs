//! Which pods leave a node that is drained, and which node that is, as `kubectl drain` has it. Pure.

use k8s_openapi::api::core::v1::{Node, Pod};

use super::quorum::{Servers, kept};
use crate::chaos::guard::Obstacle;
use crate::cluster::kubernetes::is_ready;
use crate::trial::{NodeDrain, Others};

/// Marks a pod that the node itself runs from a file.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// The label by which every common installation marks its Prometheus.
const PROMETHEUS: (&str, &str) = ("app.kubernetes.io/name", "prometheus");

/// A pod that is to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaving {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
}

/// Those of `pods`, which are all of one node, that are to leave it; `namespace` is the service's.
pub(super) fn leaving(pods: &[Pod], fault: &NodeDrain, namespace: &str) -> Result<Vec<Leaving>, Obstacle> {
    let mut leave = Vec::new();
    for pod in pods.iter().filter(|pod| !stays(pod)) {
        let metadata = &pod.metadata;
        let (Some(name), Some(uid)) = (metadata.name.clone(), metadata.uid.clone()) else { continue };
        let theirs = metadata.namespace.clone().unwrap_or_default();
        if theirs != namespace {
            match fault.others {
                Others::Leave => continue,
                Others::Refuse => return Err(Obstacle::Stranger { pod: name, namespace: theirs }),
                Others::Evict => {}
            }
        }
        if !has_ended(pod) {
            if !fault.allow_empty_dir && has_empty_dir(pod) {
                return Err(Obstacle::EmptyDir { pod: name });
            }
            if !fault.allow_bare && controller(pod).is_none() {
                return Err(Obstacle::Ownerless { pod: name });
            }
        }
        leave.push(Leaving { namespace: theirs, name, uid });
    }
    Ok(leave)
}

/// Pods of the node itself and of a DaemonSet, which would come straight back.
fn stays(pod: &Pod) -> bool {
    let mirror = pod.metadata.annotations.iter().flatten().any(|(key, _)| key == MIRROR);
    mirror || (!has_ended(pod) && controller(pod) == Some("DaemonSet"))
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn has_empty_dir(pod: &Pod) -> bool {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.into_iter().any(|volume| volume.empty_dir.is_some())
}

/// The kind of its controller.
fn controller(pod: &Pod) -> Option<&str> {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    owners.find(|owner| owner.controller == Some(true)).map(|owner| owner.kind.as_str())
}

/// What a node is chosen by.
pub(super) struct Choice<'a> {
    /// The pods of which it is to hold most.
    pub(super) held: &'a [Pod],
    /// All pods of the service's namespace.
    pub(super) ours: &'a [Pod],
    /// The pods that may be a Prometheus.
    pub(super) monitors: &'a [Pod],
    /// The servers of which a majority must be left.
    pub(super) servers: &'a [Servers],
    /// The node of this program.
    pub(super) own: Option<&'a str>,
    /// What tells `held`.
    pub(super) selector: &'a str,
}

/// The node that has the most of the pods ready, by its name where several have as many. Not our own, nor one with
/// a Prometheus: without them nobody would see the rest of the run; nor one that a store cannot do without. Another
/// must be left to run what leaves.
pub(super) fn choose(nodes: &[Node], choice: &Choice<'_>) -> Result<Node, Obstacle> {
    let Choice { held, ours, monitors, servers, own, selector } = *choice;
    let on =
        |pod: &Pod, node: &str| pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == Some(node);
    let open: Vec<&Node> = nodes.iter().filter(|node| is_open(node)).collect();
    let living = living(ours);
    let mut passed_over = Vec::new();
    let mut best: Option<(usize, &Node)> = None;
    for node in &open {
        let Some(name) = node.metadata.name.as_deref() else { continue };
        let count = held.iter().filter(|pod| on(pod, name) && is_ready(pod)).count();
        if count == 0 {
            continue;
        }
        let here: Vec<&str> =
            ours.iter().filter(|pod| on(pod, name)).filter_map(|pod| pod.metadata.name.as_deref()).collect();
        if own == Some(name) {
            passed_over.push(format!("{name} runs this exporter"));
        } else if monitors.iter().any(|pod| on(pod, name) && is_prometheus(pod)) {
            passed_over.push(format!("{name} runs Prometheus"));
        } else if let Err(obstacle) = kept(servers, &here, &living) {
            passed_over.push(format!("{name}: {obstacle}"));
        } else if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, node));
        }
    }
    match best {
        Some((_, node)) if open.len() > 1 => Ok(node.clone()),
        Some((_, node)) => Err(Obstacle::LastNode { node: node.metadata.name.clone().unwrap_or_default() }),
        None => Err(Obstacle::NoNode { selector: selector.to_owned(), passed_over }),
    }
}

/// The names of those of `pods` that serve.
pub(super) fn living(pods: &[Pod]) -> Vec<&str> {
    pods.iter().filter(|pod| is_ready(pod)).filter_map(|pod| pod.metadata.name.as_deref()).collect()
}

/// Takes pods: ready and not cordoned.
fn is_open(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let ready = conditions.into_iter().any(|it| it.type_ == "Ready" && it.status == "True");
    ready && !is_cordoned(node)
}

/// Whether pods are kept off it.
pub(super) fn is_cordoned(node: &Node) -> bool {
    node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true))
}

fn is_prometheus(pod: &Pod) -> bool {
    let (key, value) = PROMETHEUS;
    pod.metadata.labels.iter().flatten().any(|(found, its)| found == key && its == value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::trial::Selector;

    fn fault() -> NodeDrain {
        NodeDrain {
            holding: Selector::new("app=shop").expect("a selector"),
            others: Others::Refuse,
            allow_empty_dir: false,
            allow_bare: false,
            timeout: Duration::from_mins(2),
        }
    }

    fn pod(name: &str, change: impl FnOnce(&mut Value)) -> Pod {
        let mut value = json!({
            "metadata": {"name": name, "namespace": "shop", "uid": format!("u-{name}"), "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "r", "controller": true}]},
            "spec": {"nodeName": "n1", "containers": []},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        });
        change(&mut value);
        serde_json::from_value(value).expect("a pod")
    }

    fn owner(kind: &'static str) -> impl FnOnce(&mut Value) {
        move |pod| pod["metadata"]["ownerReferences"][0]["kind"] = json!(kind)
    }

    fn names(found: Result<Vec<Leaving>, Obstacle>) -> Result<Vec<String>, Obstacle> {
        found.map(|leaving| leaving.into_iter().map(|it| it.name).collect())
    }

    #[test]
    fn pods_of_the_node_and_of_daemon_sets_stay() {
        let pods = [
            pod("shop-1", |_| {}),
            pod("log", owner("DaemonSet")),
            pod("etcd", |pod| pod["metadata"]["annotations"] = json!({MIRROR: "x"})),
            // One of a DaemonSet that has ended comes not back by itself.
            pod("old", |pod| {
                owner("DaemonSet")(pod);
                pod["status"]["phase"] = json!("Failed");
            }),
        ];
        assert_eq!(names(leaving(&pods, &fault(), "shop")), Ok(vec!["shop-1".to_owned(), "old".to_owned()]));
    }

    #[test]
    fn what_would_be_lost_for_good_is_an_obstacle_unless_allowed() {
        let disk = pod("disk", |pod| pod["spec"]["volumes"] = json!([{"name": "d", "emptyDir": {}}]));
        let bare = pod("bare", |pod| pod["metadata"]["ownerReferences"] = json!([]));
        let done = pod("done", |pod| {
            pod["metadata"]["ownerReferences"] = json!([]);
            pod["status"]["phase"] = json!("Succeeded");
        });
        let of = |pod: &Pod, fault: &NodeDrain| names(leaving(std::slice::from_ref(pod), fault, "shop"));
        let one = |name: &str| Ok(vec![name.to_owned()]);
        assert_eq!(of(&disk, &fault()), Err(Obstacle::EmptyDir { pod: "disk".to_owned() }));
        assert_eq!(of(&disk, &NodeDrain { allow_empty_dir: true, ..fault() }), one("disk"));
        assert_eq!(of(&bare, &fault()), Err(Obstacle::Ownerless { pod: "bare".to_owned() }));
        assert_eq!(of(&bare, &NodeDrain { allow_bare: true, ..fault() }), one("bare"));
        assert_eq!(of(&done, &fault()), one("done"));
    }

    #[test]
    fn pods_of_other_namespaces_are_an_obstacle_unless_said_otherwise() {
        let dns = [pod("dns", |pod| pod["metadata"]["namespace"] = json!("kube-system"))];
        let with = |others| names(leaving(&dns, &NodeDrain { others, ..fault() }, "shop"));
        let stranger = Obstacle::Stranger { pod: "dns".to_owned(), namespace: "kube-system".to_owned() };
        assert_eq!(with(Others::Refuse), Err(stranger));
        assert_eq!(with(Others::Leave), Ok(vec![]));
        assert_eq!(with(Others::Evict), Ok(vec!["dns".to_owned()]));
    }

    fn node(name: &str, ready: &str, cordoned: bool) -> Node {
        let value = json!({"metadata": {"name": name, "uid": name}, "spec": {"unschedulable": cordoned},
            "status": {"conditions": [{"type": "Ready", "status": ready}]}});
        serde_json::from_value(value).expect("a node")
    }

    fn on(node: &'static str) -> impl FnOnce(&mut Value) {
        move |pod| pod["spec"]["nodeName"] = json!(node)
    }

    #[test]
    fn the_node_with_most_of_the_pods_is_drained_unless_the_rest_of_the_run_needs_it() {
        let nodes = ["n1", "n2", "n3"].map(|name| node(name, "True", false));
        let pods = [pod("a", on("n1")), pod("b", on("n2")), pod("c", on("n2")), pod("d", on("n3"))];
        let prometheus = pod("p", |pod| {
            on("n2")(pod);
            pod["metadata"]["labels"] = json!({"app.kubernetes.io/name": "prometheus"});
        });
        let choose_by = |nodes: &[Node], monitors: &[Pod], own, servers: &[Servers]| {
            let (held, ours, selector) = (&pods, &pods, "app=shop");
            let choice = Choice { held, ours, monitors, servers, own, selector };
            choose(nodes, &choice).map(|node| node.metadata.name.expect("a name"))
        };
        let chosen = |nodes: &[Node], monitors: &[Pod], own| choose_by(nodes, monitors, own, &[]);
        assert_eq!(chosen(&nodes, &[], None).as_deref(), Ok("n2"));
        let servers = [Servers::named("store", &["b", "c", "d"])];
        assert_eq!(choose_by(&nodes, &[], None, &servers).as_deref(), Ok("n1"), "n2 holds two of three");
        assert_eq!(chosen(&nodes, &[], Some("n2")).as_deref(), Ok("n1"));
        assert_eq!(chosen(&nodes, std::slice::from_ref(&prometheus), Some("n1")).as_deref(), Ok("n3"));
        let closed = [node("n1", "True", true), node("n2", "True", false), node("n3", "Unknown", false)];
        assert_eq!(chosen(&closed, &[], None), Err(Obstacle::LastNode { node: "n2".to_owned() }));
        let passed_over = vec!["n2 runs Prometheus".to_owned()];
        let none = Obstacle::NoNode { selector: "app=shop".to_owned(), passed_over };
        assert_eq!(chosen(&closed, &[prometheus], None), Err(none));
    }
}
