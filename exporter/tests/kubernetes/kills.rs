//! What a kill asks for, and what becomes of it where the pod is another, stays, or is not to be hit.

use serde_json::json;

use crate::api::objects::Objects;
use crate::api::rules::Fate;
use crate::api::status;
use crate::faults::{DRAIN, Fault, KILL_PRIMARY, held};
use crate::shop::Shop;

const DELETE: &str = "    pod_kill: {primary_of: kv, grace: 7s, timeout: 3s}\n";
const EVICT: &str = "    pod_kill: {primary_of: kv, by: evict, grace: 7s, timeout: 3s}\n";
const KV: [&str; 2] = ["kv-0", "kv-1"];
const INEFFECTIVE: &str = "experiment break-it ended as ineffective";

fn uid(shop: &Shop) -> String {
    shop.find("pods", "kv-0").expect("it is there")["metadata"]["uid"].as_str().expect("a UID").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_is_deleted_by_its_uid_with_its_grace_and_asked_once() {
    let shop = Shop::start().await;
    let before = uid(&shop);
    let ended = shop.ends(shop.run(DELETE)).await;
    ended.assert_said(&["the fault took effect", "the run is finished"]);
    assert_eq!(shop.changes(), ["delete pods kv-0"]);
    let asked = &shop.api.bodies("delete pods kv-0")[0];
    assert_eq!(asked["gracePeriodSeconds"], 7);
    assert_eq!(asked["preconditions"], json!({"uid": before}));
    assert_ne!(uid(&shop), before, "another has taken its place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_is_evicted_by_its_uid_with_its_grace_and_a_budgets_no_is_taken_for_one() {
    let shop = Shop::start().await;
    let before = uid(&shop);
    shop.api.rule("create", "pods/eviction", 1, Fate::refused(status::over_budget));
    let ended = shop.ends(shop.run(EVICT)).await;
    ended.assert_said(&[INEFFECTIVE, "Cannot evict pod as it would violate the pod's disruption budget"]);
    assert_eq!(shop.changes(), ["create pods/eviction kv-0"], "asked once");
    let asked = &shop.api.bodies("create pods/eviction kv-0")[0];
    assert_eq!((&asked["apiVersion"], &asked["kind"]), (&json!("policy/v1"), &json!("Eviction")));
    assert_eq!(asked["metadata"]["name"], "kv-0");
    let options = json!({"gracePeriodSeconds": 7, "preconditions": {"uid": before}});
    for (key, value) in options.as_object().expect("an object") {
        assert_eq!(asked["deleteOptions"][key], *value, "{key}");
    }
    shop.assert_as_before(&[], "not evicted");
}

/// Between the choice of a pod and its end its controller puts another of its name there, or nobody does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_is_another_by_then_is_not_hit_and_one_that_is_gone_was_not_killed() {
    let cases = [(DELETE, "delete", "pods"), (EVICT, "create", "pods/eviction")];
    let cases = cases.into_iter().flat_map(|case| [(case, true), (case, false)]);
    let runs = cases.map(|((fault, verb, resource), comes_back)| async move {
        let shop = Shop::start().await;
        let hand = move |objects: &mut crate::api::objects::Objects| {
            if comes_back {
                objects.edit("pods", "kv-0", |pod| pod["metadata"]["uid"] = json!("another"));
            } else {
                objects.all.retain(|key, _| key.3 != "kv-0");
            }
        };
        shop.api.rule(verb, resource, 1, Fate::before(hand));
        let ended = shop.ends(shop.run(fault)).await;
        ended.assert_said(&[INEFFECTIVE]);
        assert_eq!(shop.changes(), [format!("{verb} {resource} kv-0")], "asked once");
        let there = shop.find("pods", "kv-0").map(|pod| pod["metadata"]["uid"].clone());
        assert_eq!(there, comes_back.then(|| json!("another")), "nobody touched it");
    });
    futures_util::future::join_all(runs).await;
}

/// An operator's pods have no StatefulSet between: they are its own object's, of a kind that the API server has not by
/// itself, and have none of a StatefulSet's labels.
fn give_to_cloud_native_pg(shop: &Shop) {
    let owner = json!([{"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "name": "kv", "uid": "u-kv",
        "controller": true, "blockOwnerDeletion": true}]);
    for name in KV {
        shop.api.lock().objects.edit("pods", name, |pod| {
            pod["metadata"]["ownerReferences"].clone_from(&owner);
            pod["metadata"]["labels"] =
                json!({"app": "kv", "cnpg.io/cluster": "kv", "cnpg.io/instanceName": name});
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_of_cloud_native_pg_are_killed_by_role_and_by_selector_as_those_of_a_statefulset() {
    let by_selector = Fault {
        text: "    pod_kill: {selector: app=kv, by: evict, seed: 1, timeout: 3s}\n",
        may_go: &KV,
        touches: &["create pods/eviction kv-"],
    };
    for fault in [&KILL_PRIMARY, &by_selector] {
        let shop = Shop::start().await;
        give_to_cloud_native_pg(&shop);
        let uids = || KV.map(|pod| shop.find("pods", pod).expect("it is there")["metadata"]["uid"].clone());
        let before = uids();
        let ended = shop.ends(shop.run(fault.text)).await;
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        ended.assert_said(&["the fault took effect", "the run is finished"]);
        assert!(!ended.said.contains("somebody interfered"), "it was we: {}", ended.said);
        let (asked, after) = (shop.changes(), uids());
        assert_eq!(asked.len(), 1, "asked once: {asked:?}");
        assert!(asked[0].starts_with(fault.touches[0]), "{asked:?}");
        for (pod, (before, after)) in KV.iter().zip(before.iter().zip(&after)) {
            assert_eq!(
                before != after,
                asked[0].ends_with(pod),
                "{pod}: another has taken its place, or none has"
            );
        }
        shop.assert_as_before(fault.may_go, fault.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_never_terminates_is_told_at_the_time_limit() {
    let shop = Shop::start().await;
    let keep = |pod: &mut serde_json::Value| pod["metadata"]["finalizers"] = json!(["example.org/keep"]);
    shop.api.lock().objects.edit("pods", "kv-0", keep);
    let ended = shop.ends(shop.run(KILL_PRIMARY.text)).await;
    ended.assert_said(&[INEFFECTIVE, "it was not seen to take effect within 3s: still there: pod kv-0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_on_a_namespace_that_has_not_opted_in_is_refused_before_its_load() {
    let shop = Shop::start().await;
    let faults = [
        "    pod_kill: {selector: app=shop}\n",
        "    node_drain: {holding: app=shop}\n",
        "    network_partition: {primary_of: kv, replace_policies: true}\n",
    ];
    for (number, fault) in faults.iter().enumerate() {
        label(&shop, "no");
        let ended = shop.ends(shop.run_in(&format!("run{number}"), &format!("r{number}"), fault)).await;
        assert_eq!(ended.code, Some(1), "{}", ended.said);
        ended.assert_said(&[NOT_OPTED_IN, "`kubectl label namespace shop ordeal/chaos=enabled`"]);
        for later in ["break-it ended", "waiting: Lease"] {
            assert!(!ended.said.contains(later), "{later}: {}", ended.said);
        }
    }
    assert_eq!(shop.changes(), [""; 0]);
}

fn label(shop: &Shop, value: &str) {
    let labels = json!({"ordeal/chaos": value});
    shop.api.lock().objects.edit("namespaces", "shop", |it| it["metadata"]["labels"] = labels);
}

const NOT_OPTED_IN: &str = "load-exporter: namespace shop has not opted in";
const RESUMED: &str = "an earlier process of this run ended before its time";

/// The same command goes through once its owner has let the namespace be broken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_refused_has_not_used_up_its_name() {
    let shop = Shop::start().await;
    label(&shop, "no");
    for _ in 0..2 {
        let ended = shop.ends(shop.run(KILL_PRIMARY.text)).await;
        assert_eq!(ended.code, Some(1), "{}", ended.said);
        ended.assert_said(&[NOT_OPTED_IN]);
        assert!(shop.find("configmaps", "ordeal-journal").is_none(), "it leaves no trace");
    }
    label(&shop, "enabled");
    let ended = shop.ends(shop.run(KILL_PRIMARY.text)).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_said(&["the fault took effect", "the run is finished"]);
}

/// Whoever takes the label away wants that all the more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_run_left_is_put_back_without_the_label() {
    let shop = Shop::start().await;
    let mut run = shop.run(&held(&DRAIN));
    run.says("the fault took effect").await;
    run.kill().await;
    shop.lease_runs_out();
    let broken = shop.objects();
    // Another run is refused; the killed one's replacement only ends it, also after a run that was refused.
    let table: [&[(&str, &str, &str)]; 2] =
        [&[("next", "r2", NOT_OPTED_IN), ("late", "r1", RESUMED)], &[("at-once", "r1", RESUMED)]];
    for runs in table {
        shop.restore(&broken);
        for &(folder, id, end) in runs {
            label(&shop, "no");
            let ended = shop.ends(shop.run_in(folder, id, &held(&DRAIN))).await;
            assert_eq!(ended.code, Some(1), "{}", ended.said);
            ended.assert_said(&[end]);
            label(&shop, "enabled");
            shop.assert_as_before(DRAIN.may_go, folder);
        }
    }
}

/// It may opt out until the last moment: once the run has begun, and once the pod is chosen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_opts_out_after_the_run_began_is_left_alone() {
    for look in [1, 2] {
        let shop = Shop::start().await;
        let mut looks = 0;
        let out = move |objects: &mut crate::api::objects::Objects| {
            looks += 1;
            if looks == look {
                objects.edit("namespaces", "shop", |it| it["metadata"]["labels"] = json!({}));
            }
        };
        shop.api.rule("get", "namespaces", 2, Fate::after(out));
        let ended = shop.ends(shop.run(KILL_PRIMARY.text)).await;
        ended.assert_said(&["break-it ended as refused: namespace shop has not opted in"]);
        assert_eq!(shop.changes(), [""; 0], "after look {look}");
    }
}

/// Another one is the master once its pod is chosen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_has_moved_is_not_killed_under_its_old_name() {
    let shop = Shop::start().await;
    let moved = shop.path("moved");
    let fail_over = move |_: &mut Objects| std::fs::write(&moved, "").expect("a file");
    shop.api.rule("get", "pods", 1, Fate::before(fail_over));
    let ended = shop.ends(shop.run(KILL_PRIMARY.text)).await;
    ended.assert_said(&["break-it ended as refused", "the primary was kv-0, and is kv-1 by now"]);
    assert_eq!(shop.changes(), [""; 0]);
}
