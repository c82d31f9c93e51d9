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

fn tainted(node: Node) -> Node {
    let mut value = serde_json::to_value(node).expect("a node");
    value["spec"]["taints"] = json!([{"key": "dedicated", "value": "mail", "effect": "NoSchedule"}]);
    serde_json::from_value(value).expect("a node")
}

#[test]
fn a_node_whose_pods_no_other_takes_is_passed_over() {
    let pods = [pod("a", on("n1")), pod("b", on("n2")), pod("c", on("n2"))];
    let chosen = |nodes: &[Node], own| {
        let (held, ours, selector) = (&pods, &pods, "app=shop");
        let choice = Choice { held, ours, monitors: &[], servers: &[], own, selector };
        choose(nodes, &choice).map(|node| node.metadata.name.expect("a name"))
    };
    let no_taker = |node: &str, pod: &str, other: &str| Obstacle::NoTaker {
        node: node.to_owned(),
        pod: pod.to_owned(),
        kept_off: vec![format!("{other} has taint dedicated=mail:NoSchedule")],
    };
    // One worker, and another node that takes nothing of the service.
    let one = [tainted(node("n0", "True", false)), node("n2", "True", false)];
    assert_eq!(chosen(&one, None), Err(no_taker("n2", "b", "n0")));
    // What has come onto a node before its taint may leave it, where the other takes it.
    let two = [tainted(node("n2", "True", false)), node("n1", "True", false)];
    assert_eq!(chosen(&two, None).as_deref(), Ok("n2"));
    let passed_over = vec!["n2 runs this exporter".to_owned(), format!("n1: {}", no_taker("n1", "a", "n2"))];
    let none = Obstacle::NoNode { selector: "app=shop".to_owned(), passed_over };
    assert_eq!(chosen(&two, Some("n2")), Err(none));
}
