//! Policies that cut a pod off, and others' policies, which are theirs.

use serde_json::{Value, json};

use crate::api::objects::Objects;
use crate::api::rules::Fate;
use crate::faults::{APART, PARTITION, held};
use crate::objects::is_cut_off;
use crate::service::Network;
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

/// As somebody does who keeps only annotations of his own.
fn strip(shop: &Shop, policy: &str) {
    let strip = |it: &mut Value| it["metadata"]["annotations"] = json!({});
    shop.api.lock().objects.edit("networkpolicies", policy, strip);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_has_lost_its_mark_is_put_back_by_whoever_made_it_narrower() {
    let shop = Shop::start().await;
    let mut run = shop.run(&held(&PARTITION));
    run.says("the fault took effect").await;
    strip(&shop, "kv");
    run.interrupt();
    let ended = shop.ends(run).await;
    ended.assert_said(&["nothing is left broken"]);
    shop.assert_as_before(&[], "put back");
}

/// Whoever wrote the copy of the journal may have meant to open a policy that was never ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_has_lost_its_mark_waits_for_a_person_where_only_the_copy_tells_of_it() {
    let shop = Shop::start().await;
    let mut run = shop.run(&held(&PARTITION));
    run.says("the fault took effect").await;
    run.kill().await;
    shop.lease_runs_out();
    strip(&shop, "kv");
    let ended = shop.ends(shop.recover_namespace()).await;
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    ended.assert_said(&[
        "NOT everything is put back, and it is for you to say",
        "break-it is not put back: NetworkPolicy kv has still the expression",
        "\"kv-0\"",
    ]);
    assert!(is_cut_off(&shop.objects()), "nothing is opened before all of it can be");
    let take_out = |it: &mut Value| it["spec"]["podSelector"]["matchExpressions"].take();
    shop.api.lock().objects.edit("networkpolicies", "kv", |it| drop(take_out(it)));
    let ended = shop.ends(shop.recover_namespace()).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_said(&["put back: break-it of run r1"]);
    assert!(!is_cut_off(&shop.objects()));
}

/// The container of the pod that takes writes, started so often.
fn started(objects: &mut Objects, restarts: u32) {
    let status = json!([{"name": "kv", "containerID": format!("containerd://kv-{restarts}"), "image": "",
        "imageID": "", "ready": true, "restartCount": restarts, "state": {"running": {}}}]);
    objects.edit("pods", "kv-0", |pod| pod["status"]["containerStatuses"].clone_from(&status));
}

/// As `REJECT` does, of which only the connections' ends differ from a server that has gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_refuses_cuts_off_too() {
    let shop = Shop::start_on(Network::Refuses).await;
    started(&mut shop.api.lock().objects, 0);
    let mut run = shop.run(&held(&PARTITION));
    run.says("the fault took effect").await;
    assert!(is_cut_off(&shop.objects()));
    run.interrupt();
    let ended = shop.ends(run).await;
    ended.assert_said(&["nothing is left broken"]);
    shop.assert_as_before(&[], "put back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_may_be_the_pods_own_proves_nothing() {
    let restarted = |objects: &mut Objects| started(objects, 1);
    let unready = |objects: &mut Objects| {
        objects.edit("pods", "kv-0", |pod| pod["status"]["conditions"][0]["status"] = json!("False"));
    };
    let cases: [fn(&mut Objects); 2] = [restarted, unready];
    let runs = cases.map(|befalls| async move {
        let shop = Shop::start_on(Network::Refuses).await;
        started(&mut shop.api.lock().objects, 0);
        shop.api.rule("create", "networkpolicies", 1, Fate::after(befalls));
        let ended = shop.ends(shop.run(PARTITION.text)).await;
        ended.assert_said(&[
            "experiment break-it ended as ineffective",
            "new connections are refused, by the network or by the pod: not known",
        ]);
        assert!(!is_cut_off(&shop.objects()));
    });
    futures_util::future::join_all(runs).await;
}

/// What a pod declares is for people only, so that nothing may rest on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_declares_no_port_is_cut_off_where_the_trial_says_one() {
    let shop = Shop::start().await;
    let mut port = json!(null);
    shop.api.lock().objects.edit("pods", "kv-0", |pod| {
        port = pod["spec"]["containers"][0]["ports"][0]["containerPort"].take();
        pod["spec"]["containers"][0]["ports"] = json!([]);
    });
    let ended = shop.ends(shop.run(PARTITION.text)).await;
    ended.assert_said(&["break-it ended as refused: pod kv-0 declares no TCP port", "`port`"]);
    assert_eq!(shop.changes(), [""; 0]);
    let given = format!("network_partition: {{port: {port}, ");
    let fault = PARTITION.text.replace("network_partition: {", &given);
    let ended = shop.ends(shop.run_in("given", "r2", &fault)).await;
    ended.assert_said(&["the fault took effect", "the run is finished"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_without_an_address_is_named() {
    let shop = Shop::start().await;
    let waits = |pod: &mut Value| pod["status"] = json!({"phase": "Pending"});
    shop.api.lock().objects.edit("pods", "kv-0", waits);
    let ended = shop.ends(shop.run(PARTITION.text)).await;
    ended.assert_said(&["break-it ended as refused: pod kv-0 has no IP address"]);
    assert_eq!(shop.changes(), [""; 0]);
}

/// Not every network goes by labels: whether a pod that has come since is kept apart is not known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_comes_to_one_of_two_groups_leaves_it_open_what_was_cut() {
    const UNKNOWN: &str = "came to app=shop meanwhile, and may not have been kept apart";
    for comes in [false, true] {
        let shop = Shop::start().await;
        let mut run = shop.run(&format!("    hold: 2s\n{}", APART.text));
        run.says("the fault is injected").await;
        if comes {
            let mut pod = shop.find("pods", "shop-a").expect("it is there");
            pod["metadata"]["name"] = json!("shop-x");
            pod["metadata"]["uid"] = json!("u-x");
            shop.api.lock().objects.add("pods", pod);
        }
        let ended = shop.ends(run).await;
        ended.assert_said(&["experiment break-it ended as ineffective"]);
        assert_eq!(ended.said.contains(UNKNOWN), comes, "{}", ended.said);
    }
}
