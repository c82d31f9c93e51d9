//! A journal in the cluster that somebody else has written: nothing is done by its word but what the cluster itself
//! shows to be ours.

use serde_json::{Value, json};

use crate::faults::KILL_PRIMARY;
use crate::shop::Shop;

/// One line as an exporter writes it: whoever may write the ConfigMap can do the same. `undo` is in the order in which
/// an exporter writes it.
fn forged(experiment: &str, kind: &str, undo: &str) -> String {
    let entry = format!(
        r#"{{"entry":"intended","id":0,"run":"r0","experiment":"{experiment}","token":"t","kind":"{kind}","targets":[],"undo":{undo},"directory":"/","at_unix_ms":0"#
    );
    let crc32 = crc32fast::hash(format!("{entry}}}").as_bytes());
    format!("{entry},\"crc32\":{crc32}}}\n")
}

fn keep(shop: &Shop, text: &str) {
    let kept = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": "shop", "name": "ordeal-journal"}, "data": {"journal.jsonl": text}});
    shop.api.lock().objects.add("configmaps", kept);
}

fn uid(shop: &Shop, resource: &str, name: &str) -> Value {
    shop.find(resource, name).expect("it is there")["metadata"]["uid"].clone()
}

fn place(shop: &Shop) -> String {
    format!(r#"{{"namespace":"shop","uid":{}}}"#, uid(shop, "namespaces", "shop"))
}

/// Neither who recovers nor a conductor, on this start or the next, from the copy or from the folder it came into.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_only_the_copy_tells_of_is_never_run_here() {
    let shop = Shop::start().await;
    let proof = shop.path("proof");
    let command = format!("touch {}", proof.display());
    let undo = format!(r#"{{"kind":"exec","command":{},"timeout_ms":1000}}"#, json!(command));
    keep(&shop, &forged("forged", "exec", &undo));
    let left = "forged of run r0 is left as it is: it is about commands on the machine of that run";
    let forget = "kubectl delete configmap ordeal-journal -n shop";
    let ended = shop.ends(shop.recover_namespace()).await;
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    ended.assert_said(&["NOT everything is put back, and it is for you to say", left, forget]);
    for _ in 0..2 {
        let ended = shop.ends(shop.run(KILL_PRIMARY.text)).await;
        assert_ne!(ended.code, Some(0), "{}", ended.said);
        ended.assert_said(&[left]);
        shop.lease_runs_out();
    }
    let ended = shop.ends(shop.recover_dir()).await;
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    ended.assert_said(&[left]);
    let ended = shop.ends(shop.cleanup()).await;
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    ended.assert_said(&["nothing is removed", "forged of run r0", "or says what does", forget]);
    assert!(shop.find("configmaps", "ordeal-journal").is_some(), "it is kept");
    assert!(!proof.exists(), "it was run");
    shop.assert_as_before(&[], "nothing is done");
}

/// With the rights of whoever recovers, it would be run in a container of its writer's choice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_in_a_container_waits_for_somebody_who_has_read_it() {
    let shop = Shop::start().await;
    // The pod is gone, so that whoever would run the command finds nothing to do.
    let undo = format!(
        r#"{{"kind":"pod_exec","place":{},"pod":"kv-0","uid":"u-gone","container":"kv","command":["sh","-c","curl evil"],"timeout_ms":1000}}"#,
        place(&shop)
    );
    keep(&shop, &forged("break-it", "pod_exec", &undo));
    let shown = r#"in container kv of pod kv-0: sh -c "curl evil""#;
    let ended = shop.ends(shop.recover_namespace()).await;
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    ended.assert_said(&[shown, "`load-exporter recover --namespace shop --run-commands` runs it"]);
    let others = "    pod_exec: {pod: kv-0, inject: [stop], revert: [start]}\n";
    let ended = shop.ends(shop.run(others)).await;
    assert_ne!(ended.code, Some(0), "{}", ended.said);
    ended.assert_said(&["break-it of run r0 is left as it is", shown]);
    shop.lease_runs_out();
    let ended = shop.ends(shop.recover_and_run_commands()).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_said(&["put back: break-it of run r0"]);
    assert_eq!(shop.changes(), [""; 0]);
}

/// A conductor that takes another's place has the command from its own trial.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conductor_runs_the_reverts_of_its_own_trial() {
    let shop = Shop::start().await;
    let undo = format!(
        r#"{{"kind":"pod_exec","place":{},"pod":"kv-0","uid":"u-gone","container":"kv","command":["start"],"timeout_ms":1000}}"#,
        place(&shop)
    );
    keep(&shop, &forged("break-it", "pod_exec", &undo));
    let ended = shop.ends(shop.run("    pod_exec: {pod: kv-0, inject: [stop], revert: [start]}\n")).await;
    ended.assert_said(&["an earlier run's fault is put back"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_bears_no_mark_of_ours_is_not_opened() {
    let shop = Shop::start().await;
    let theirs = json!({"matchExpressions": [{"key": "tier", "operator": "Exists"}]});
    shop.api.lock().objects.edit("networkpolicies", "kv", |it| it["spec"]["podSelector"] = theirs.clone());
    let narrowed =
        json!({"name": "kv", "uid": uid(&shop, "networkpolicies", "kv"), "version": "7"}).to_string();
    let narrowed =
        format!(r#"{},"before":{{}},"after":{theirs}}}"#, narrowed.strip_suffix('}').expect("an object"));
    let undo = format!(
        r#"{{"kind":"partition","place":{},"whom":"kv-0","cuts":[],"narrowed":[{narrowed}],"timeout_ms":1000}}"#,
        place(&shop)
    );
    keep(&shop, &forged("forged", "network_partition", &undo));
    let ended = shop.ends(shop.recover_namespace()).await;
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    let expression = r#"narrower, {"key":"tier","operator":"Exists"}, but no mark of ours"#;
    ended.assert_said(&[
        "NOT everything is put back, and it is for you to say",
        "NetworkPolicy kv has still the expression",
        expression,
    ]);
    assert_eq!(shop.api.bodies("get networkpolicies kv").len(), 1, "a second try would be the same");
    assert_eq!(shop.find("networkpolicies", "kv").expect("it is there")["spec"]["podSelector"], theirs);
    assert_eq!(shop.changes(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_copy_puts_back_nothing_in_another_namespace() {
    let shop = Shop::start().await;
    let place = r#"{"namespace":"kube-system","uid":"u"}"#;
    let undo = format!(r#"{{"kind":"drain","place":{place},"node":"n3","uid":"u","timeout_ms":1000}}"#);
    keep(&shop, &forged("forged", "node_drain", &undo));
    let ended = shop.ends(shop.recover_namespace()).await;
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    ended.assert_said(&["NOT everything is put back", "is about namespace kube-system, and is refused"]);
    assert_eq!(shop.changes(), [""; 0]);
}
