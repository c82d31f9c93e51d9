//! A drain that is held up: budgets, pods that stay or come back, and nodes that somebody else cordons.

use std::time::Duration;

use serde_json::{Value, json};

use crate::api::objects::Objects;
use crate::api::rules::Fate;
use crate::api::status;
use crate::faults::{DRAIN, held};
use crate::shop::Shop;

/// What holds a drain up.
type Hold = fn(&Shop);

const QUICK: &str = "    node_drain: {holding: app=shop, others: refuse, timeout: 2s}\n";
const INEFFECTIVE: &str = "experiment break-it ended as ineffective";

fn is_cordoned(shop: &Shop, node: &str) -> bool {
    shop.find("nodes", node).expect("it is there")["spec"]["unschedulable"] == true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_cordoned_emptied_of_what_may_leave_and_takes_pods_again() {
    let shop = Shop::start().await;
    let uid = |name: &str| shop.find("pods", name).expect("it is there")["metadata"]["uid"].clone();
    let before = ["shop-a", "shop-b"].map(|name| (name, uid(name)));
    let mut run = shop.run(&held(&DRAIN));
    run.says("the fault took effect").await;
    assert!(is_cordoned(&shop, "n1"));
    run.interrupt();
    let ended = shop.ends(run).await;
    ended.assert_said(&["nothing is left broken"]);
    assert!(!ended.said.contains("somebody interfered"), "it was we: {}", ended.said);
    shop.assert_as_before(DRAIN.may_go, "uncordoned");
    for (name, uid) in before {
        let asked = shop.api.bodies(&format!("create pods/eviction {name}"));
        assert_eq!(asked.len(), 1, "{name}");
        assert_eq!(asked[0]["deleteOptions"]["preconditions"], json!({"uid": uid}));
    }
    let managers = |asked: &crate::api::asked::Asked| asked.query.get("fieldManager").cloned();
    let world = shop.api.lock();
    let changes = world.asked.iter().filter(|asked| asked.is_change());
    assert!(changes.map(managers).all(|manager| manager.as_deref() == Some("ordeal")), "each change is ours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budgets_no_is_asked_again_when_the_api_server_says() {
    let shop = Shop::start().await;
    shop.api.lock().objects.edit("pods", "shop-b", |pod| pod["spec"]["nodeName"] = json!("n2"));
    shop.api.lock().objects.edit("pods", "shop-c", |pod| pod["spec"]["nodeName"] = json!("n3"));
    shop.api.rule("create", "pods/eviction", 1, Fate::refused(status::busy(2)));
    shop.api.rule("create", "pods/eviction", 1, Fate::refused(status::over_budget));
    let ended = shop.ends(shop.run("    node_drain: {holding: \"app=shop\", timeout: 20s}\n")).await;
    ended.assert_said(&["the fault took effect"]);
    let world = shop.api.lock();
    let evictions = world.asked.iter().filter(|asked| asked.sub.as_deref() == Some("eviction"));
    let at: Vec<_> = evictions.map(|asked| asked.at).collect();
    assert_eq!(at.len(), 3, "two refused and one granted");
    assert!(at[1] - at[0] >= Duration::from_secs(2), "as the API server said: {:?}", at[1] - at[0]);
    assert!(at[2] - at[1] >= Duration::from_secs(1), "it did not say: {:?}", at[2] - at[1]);
}

/// Evictions that fail for ever, or that nothing comes of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_that_comes_to_no_end_is_given_up_told_and_taken_back() {
    let budget = |shop: &Shop| {
        shop.api.rule("create", "pods/eviction", u32::MAX, Fate::refused(status::over_budget));
    };
    let finalizer = |shop: &Shop| {
        let keep = |pod: &mut Value| pod["metadata"]["finalizers"] = json!(["example.org/keep"]);
        shop.api.lock().objects.edit("pods", "shop-a", keep);
    };
    let cases: [(Hold, &str); 2] = [
        (budget, "pod shop-a: Cannot evict pod as it would violate the pod's disruption budget."),
        (finalizer, "not drained within 2s: pod shop-a: it is still there"),
    ];
    for (hold_up, told) in cases {
        let shop = Shop::start().await;
        hold_up(&shop);
        let ended = shop.ends(shop.run(QUICK)).await;
        ended.assert_said(&[INEFFECTIVE, "not drained within 2s", told]);
        assert_eq!(ended.code, Some(0), "it goes on: {}", ended.said);
        shop.assert_as_before(DRAIN.may_go, told);
    }
}

/// Between the list of pods and its eviction a StatefulSet's pod may go to another node by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_has_left_by_itself_needs_no_eviction() {
    let shop = Shop::start().await;
    let moves = |objects: &mut Objects| {
        objects.edit("pods", "shop-a", |pod| {
            pod["metadata"]["uid"] = json!("another");
            pod["spec"]["nodeName"] = json!("n2");
        });
    };
    shop.api.rule("create", "pods/eviction", 2, Fate::before(moves));
    let ended = shop.ends(shop.run(DRAIN.text)).await;
    ended.assert_said(&["the fault took effect", "the run is finished"]);
    let there = shop.find("pods", "shop-a").expect("it is there");
    assert_eq!(there["metadata"]["uid"], "another", "nobody touched it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_somebody_else_cordons_after_the_choice_stays_cordoned() {
    let shop = Shop::start().await;
    let mut looks = 0;
    // The first two looks are before the choice.
    let cordon = move |objects: &mut Objects| {
        looks += 1;
        if looks == 3 {
            objects.edit("nodes", "n1", |it| it["spec"]["unschedulable"] = json!(true));
        }
    };
    shop.api.rule("get", "namespaces", 3, Fate::after(cordon));
    let ended = shop.ends(shop.run(DRAIN.text)).await;
    ended.assert_said(&["break-it ended as refused: node n1 has been cordoned by somebody else"]);
    assert!(is_cordoned(&shop, "n1"), "it is theirs to open");
    assert_eq!(shop.changes(), [""; 0]);
}

/// As beside the only worker of a cluster whose control plane runs nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_pods_no_other_takes_by_its_taints_is_not_drained() {
    let shop = Shop::start().await;
    let taint = json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]);
    shop.api.lock().objects.edit("nodes", "n2", |node| node["spec"]["taints"].clone_from(&taint));
    let ended = shop.ends(shop.run(DRAIN.text)).await;
    let no_taker = "n1: no other node takes pod shop-a of node n1: n2 has taint \
                    node-role.kubernetes.io/control-plane:NoSchedule";
    ended.assert_said(&["break-it ended as refused", no_taker]);
    assert_eq!(shop.changes(), [""; 0]);
    for pod in ["shop-a", "shop-b"] {
        let any = json!([{"operator": "Exists"}]);
        shop.api.lock().objects.edit("pods", pod, |pod| pod["spec"]["tolerations"].clone_from(&any));
    }
    let ended = shop.ends(shop.run_in("tolerated", "r2", DRAIN.text)).await;
    ended.assert_said(&["the fault took effect", "the run is finished"]);
}

/// A taint that comes after the choice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_the_last_one_by_then_is_not_drained() {
    let shop = Shop::start().await;
    let mut looks = 0;
    // The first two looks are before the choice.
    let taint = move |objects: &mut Objects| {
        looks += 1;
        if looks == 3 {
            let taint = json!([{"key": "full", "effect": "NoExecute"}]);
            objects.edit("nodes", "n2", |node| node["spec"]["taints"].clone_from(&taint));
        }
    };
    shop.api.rule("get", "namespaces", 3, Fate::after(taint));
    let ended = shop.ends(shop.run(DRAIN.text)).await;
    ended.assert_said(&[
        "break-it ended as refused: no other node takes pod shop-a of node n1: n2 has taint full",
    ]);
    assert_eq!(shop.changes(), [""; 0]);
}

/// A connection that breaks says nothing of the pod.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_goes_on_when_the_api_server_was_away_for_a_moment() {
    let shop = Shop::start().await;
    shop.api.catch(3, crate::api::When::Before);
    let run = shop.run("    node_drain: {holding: \"app=shop\", timeout: 30s}\n");
    shop.api.caught().await;
    shop.api.go_away().await;
    shop.api.come_back().await;
    let ended = shop.ends(run).await;
    ended.assert_said(&["the fault took effect", "the run is finished"]);
    shop.assert_as_before(DRAIN.may_go, "put back");
}

/// Pods of another namespace leave only where that lets itself be broken too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_evicted_only_from_a_namespace_that_has_opted_in_too() {
    const EVICT: &str = "    node_drain: {holding: app=shop, others: evict, timeout: 5s}\n";
    let stranger = || {
        json!({"apiVersion": "v1", "kind": "Pod", "status": {},
            "metadata": {"name": "stranger", "namespace": "elsewhere", "labels": {}, "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "it", "uid": "u", "controller": true}]},
            "spec": {"nodeName": "n1", "containers": []}})
    };
    for (labels, said, goes) in [
        (json!({}), "namespace elsewhere has not opted in", false),
        (json!({"ordeal/chaos": "enabled"}), "the fault took effect", true),
    ] {
        let shop = Shop::start().await;
        let elsewhere = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere", "labels": labels}});
        shop.api.lock().objects.add("namespaces", elsewhere);
        shop.api.lock().objects.add("pods", stranger());
        let ended = shop.ends(shop.run(EVICT)).await;
        ended.assert_said(&[said]);
        let asked = shop.changes().iter().any(|change| change.starts_with("create pods/eviction stranger"));
        assert_eq!(asked, goes, "{labels}: {}", ended.said);
    }
}
