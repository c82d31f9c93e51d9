//! Policies that cut a pod off, and others' policies, which are theirs.

use serde_json::json;

use crate::api::objects::Objects;
use crate::api::rules::Fate;
use crate::faults::{PARTITION, held};
use crate::objects::is_cut_off;
use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_policies_are_narrowed_and_are_afterwards_as_they_were() {
    let shop = Shop::start().await;
    let mut run = shop.run(&held(&PARTITION));
    run.says("the fault took effect").await;
    assert!(is_cut_off(&shop.objects()));
    let but = json!([{"key": "statefulset.kubernetes.io/pod-name", "operator": "NotIn", "values": ["kv-0"]}]);
    for (policy, narrowed) in [("kv", true), ("metrics", true), ("shop", false)] {
        let spec = shop.find("networkpolicies", policy).expect("it is there")["spec"].clone();
        assert_eq!(spec["podSelector"]["matchExpressions"] == but, narrowed, "{policy}: {spec}");
    }
    run.interrupt();
    let ended = shop.ends(run).await;
    ended.assert_said(&["nothing is left broken"]);
    assert!(!is_cut_off(&shop.objects()));
    shop.assert_as_before(&[], "put back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_that_let_traffic_through_are_left_alone_unless_the_trial_says_otherwise() {
    let shop = Shop::start().await;
    let ended = shop.ends(shop.run("    network_partition: {primary_of: kv}\n")).await;
    ended.assert_said(&["break-it ended as refused: policies only add up", "kv-0 through: kv, metrics"]);
    assert_eq!(shop.changes(), [""; 0]);
}

/// Somebody turns a policy to other pods between the choice and the injection: what they wrote stays, and the pod is
/// not left cut off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_somebody_else_changes_meanwhile_stays_as_they_want_it() {
    let shop = Shop::start().await;
    let theirs = json!({"matchLabels": {"app": "kv", "tier": "db"}});
    let turn = {
        let theirs = theirs.clone();
        move |objects: &mut Objects| {
            objects.edit("networkpolicies", "metrics", |it| it["spec"]["podSelector"].clone_from(&theirs));
        }
    };
    shop.api.rule("patch", "networkpolicies", 1, Fate::before(turn));
    let ended = shop.ends(shop.run(PARTITION.text)).await;
    ended.assert_said(&["experiment break-it ended as ineffective", "the object has been modified"]);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let spec = &shop.find("networkpolicies", "metrics").expect("it is there")["spec"];
    assert_eq!(spec["podSelector"], theirs);
    assert!(!is_cut_off(&shop.objects()));
}
