//! What others do to the cluster during a run is counted and named, and what we do is not.

use serde_json::{Value, json};

use crate::api::rules::Fate;
use crate::api::status;
use crate::faults::{DRAIN, KILL_PRIMARY, held};
use crate::shop::Shop;

const CONTROLLER: &str = "kube-controller-manager";

/// A `ReplicaSet` of two pods.
fn set(replicas: u32, by: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"namespace": "shop", "name": "web", "uid": "u-web", "managedFields": signed(by, "replicas")},
        "spec": {"replicas": replicas, "selector": {}}})
}

fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "shop", "name": name, "uid": format!("u-{name}"), "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u-web", "controller": true}]},
        "spec": {"nodeName": "n2", "containers": []}, "status": {"phase": "Running"}})
}

/// A Deployment or a StatefulSet whose number of replicas nobody signs.
fn workload(kind: &str, name: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": kind,
        "metadata": {"namespace": "shop", "name": name, "uid": format!("u-{name}")},
        "spec": {"replicas": 1, "template": {}, "selector": {"matchLabels": {"app": name}}}})
}

fn signed(by: &str, field: &str) -> Value {
    let field = format!("f:{field}");
    json!([{"manager": by, "operation": "Update", "fieldsV1": {"f:spec": {field: {}}}}])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_else_cordons_or_opens_a_node_is_named_and_we_are_not() {
    let shop = Shop::start().await;
    let mut run = shop.run(&held(&DRAIN));
    run.says("the fault took effect").await;
    shop.api.lock().objects.edit("nodes", "n2", |node| {
        node["spec"]["unschedulable"] = json!(true);
        node["metadata"]["managedFields"] = signed("kubectl-cordon", "unschedulable");
    });
    run.says("Node n2 Update of unschedulable by kubectl-cordon\n").await;
    // The API server notes nobody with a field that is taken away.
    shop.api.lock().objects.edit("nodes", "n2", |node| {
        node["spec"] = json!({});
        node["metadata"]["managedFields"] = json!([]);
    });
    run.says("Node n2 Update of unschedulable\n").await;
    run.interrupt();
    let ended = shop.ends(run).await;
    assert!(!ended.said.contains("Node n1 Update"), "that was we: {}", ended.said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_that_is_scaled_or_deleted_by_hand_is_named_and_its_pods_go_with_it() {
    let shop = Shop::start().await;
    shop.api.lock().objects.add("replicasets", set(3, CONTROLLER));
    for name in ["web-1", "web-2", "web-3"] {
        shop.api.lock().objects.add("pods", pod(name));
    }
    let mut run = shop.run(&held(&DRAIN));
    run.says("the fault took effect").await;
    shop.api.lock().objects.edit("replicasets", "web", |it| *it = set(2, "kubectl"));
    run.says("ReplicaSet web Update by kubectl\n").await;
    // No controller says that it deleted this one.
    shop.api.lock().objects.remove("pods", "web-3");
    run.says("Pod web-3 Delete\n").await;
    for (resource, name) in [("replicasets", "web"), ("pods", "web-1"), ("pods", "web-2")] {
        shop.api.lock().objects.remove(resource, name);
    }
    run.says("ReplicaSet web Delete\n").await;
    run.interrupt();
    let ended = shop.ends(run).await;
    for pod in ["web-1", "web-2"] {
        assert!(!ended.said.contains(&format!("Pod {pod} Delete")), "it went with its set: {}", ended.said);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_whose_deletion_is_under_way_is_named_once_and_before_it_is_gone() {
    let shop = Shop::start().await;
    let mut set = workload("StatefulSet", "web");
    set["metadata"]["finalizers"] = json!(["foregroundDeletion"]);
    let mut old = workload("StatefulSet", "old");
    old["metadata"]["deletionTimestamp"] = json!("2026-11-24T10:30:00Z");
    for it in [set, old, workload("StatefulSet", "other")] {
        shop.api.lock().objects.add("statefulsets", it);
    }
    let mut pod = pod("web-0");
    pod["metadata"]["ownerReferences"][0]["kind"] = json!("StatefulSet");
    shop.api.lock().objects.add("pods", pod);
    let mut run = shop.run(&held(&DRAIN));
    run.says("the fault took effect").await;
    shop.api.lock().objects.edit("statefulsets", "web", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-11-24T11:00:00Z");
        it["metadata"]["generation"] = json!(2);
    });
    run.says("StatefulSet web Delete\n").await;
    for (resource, name) in [("pods", "web-0"), ("statefulsets", "web"), ("statefulsets", "old")] {
        shop.api.lock().objects.remove(resource, name);
    }
    // What is told of one that is watched with them comes after them.
    shop.api.lock().objects.edit("statefulsets", "other", |it| {
        it["metadata"]["managedFields"] = signed("kubectl-edit", "template");
    });
    run.says("StatefulSet other Update by kubectl-edit\n").await;
    run.interrupt();
    let ended = shop.ends(run).await;
    let lines = ended.said.lines().filter(|line| line.contains("somebody interfered"));
    let told: Vec<_> = lines.filter(|line| !line.contains("StatefulSet other")).collect();
    assert!(matches!(told[..], [one] if one.ends_with("StatefulSet web Delete")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_is_scaled_to_zero_is_told_though_nobody_had_signed_its_number() {
    let shop = Shop::start().await;
    shop.api.lock().objects.add("deployments", workload("Deployment", "web"));
    let mut run = shop.run(&held(&DRAIN));
    run.says("the fault took effect").await;
    // One that comes at once is not told from a second change by whoever made the Deployment.
    for generation in 2.. {
        shop.api.lock().objects.edit("deployments", "web", |it| {
            it["spec"]["replicas"] = json!(0);
            it["metadata"]["generation"] = json!(generation);
        });
        if run.said().contains("Deployment web Update of scale\n") {
            break;
        }
        assert!(generation < 600, "it is not told: {}", run.said());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    run.interrupt();
    shop.ends(run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_somebody_deletes_while_its_eviction_is_refused_is_not_ours() {
    let shop = Shop::start().await;
    shop.api.rule("create", "pods/eviction", u32::MAX, Fate::refused(status::over_budget));
    // The first look at a pod comes after the first no.
    shop.api.rule("get", "pods", 1, Fate::before(|objects| objects.remove("pods", "shop-a")));
    let ended =
        shop.ends(shop.run("    node_drain: {holding: app=shop, others: refuse, timeout: 2s}\n")).await;
    ended.assert_said(&["somebody interfered", "Pod shop-a Delete"]);
    assert!(!ended.said.contains("Pod shop-b Delete"), "it is still there: {}", ended.said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_whose_answer_is_lost_is_still_ours() {
    let shop = Shop::start().await;
    shop.api.rule("delete", "pods", 1, Fate::Lost);
    let before = shop.find("pods", "kv-0").expect("it is there");
    let ended = shop.ends(shop.run(KILL_PRIMARY.text)).await;
    let now = shop.find("pods", "kv-0").expect("it is there");
    assert_ne!(now["metadata"]["uid"], before["metadata"]["uid"], "it was carried out");
    assert!(!ended.said.contains("somebody interfered"), "{}", ended.said);
}
