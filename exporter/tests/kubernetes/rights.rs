//! Rights that are missing, or are lost in the middle.

use crate::api::asked::Asked;
use crate::api::rules::Fate;
use crate::api::status::{self, Answer};
use crate::faults::{APART, COMMANDS, DRAIN, Fault, KILL_BY_EVICTION, KILL_PRIMARY, PARTITION, held};
use crate::shop::{Ended, Shop};

/// What has no revert needs no right for it.
const COMMAND: Fault =
    Fault { text: "    pod_exec: {pod: kv-0, inject: [stop], timeout: 3s}\n", may_go: &[], touches: &[] };

/// A run of `fault` without the right to `verb` `resource`. A command in a container is asked for by a GET, for which API
/// servers from 1.35 on want `create` besides.
async fn without(fault: &Fault, verb: &'static str, resource: &'static str) -> (Shop, Ended) {
    let shop = Shop::start().await;
    let asked_by = if resource == "pods/exec" { "get" } else { verb };
    let forbidden = move |asked: &Asked| status::forbidden(&Asked { verb, ..asked.clone() });
    shop.api.rule(asked_by, resource, u32::MAX, Fate::refused(forbidden));
    let ended = shop.ends(shop.run(fault.text)).await;
    let missing = format!("cannot {verb} resource");
    assert!(ended.said.contains(&missing), "{verb} {resource}: {}", ended.said);
    (shop, ended)
}

/// The role is made narrower after preflight has seen it whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_right_is_named_and_nothing_is_left_broken() {
    const INEFFECTIVE: &str = "experiment break-it ended as ineffective";
    let table = [
        (&KILL_PRIMARY, "delete", "pods", INEFFECTIVE),
        (&KILL_BY_EVICTION, "create", "pods/eviction", INEFFECTIVE),
        (&COMMAND, "get", "pods/exec", INEFFECTIVE),
        (&COMMAND, "create", "pods/exec", INEFFECTIVE),
        (&DRAIN, "patch", "nodes", INEFFECTIVE),
        (&DRAIN, "create", "pods/eviction", INEFFECTIVE),
        (&PARTITION, "create", "networkpolicies", INEFFECTIVE),
        (&PARTITION, "patch", "networkpolicies", INEFFECTIVE),
        (&APART, "create", "networkpolicies", INEFFECTIVE),
        (&KILL_PRIMARY, "create", "configmaps", "write ConfigMap ordeal-journal in namespace shop"),
        (
            &KILL_PRIMARY,
            "update",
            "configmaps",
            "experiment break-it ended as refused: it could not be begun",
        ),
        (&KILL_PRIMARY, "create", "leases", "take or give up Lease ordeal in namespace shop"),
    ];
    let runs = table.map(|(fault, verb, resource, told)| async move {
        let (shop, ended) = without(fault, verb, resource).await;
        ended.assert_said(&[told]);
        assert!(!ended.said.contains("NOT all"), "{verb} {resource}: {}", ended.said);
        shop.assert_as_before(&[], &format!("without {verb} {resource}"));
    });
    futures_util::future::join_all(runs).await;
}

/// A role allows it, and somebody has said that it is not to be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cordon_that_an_admission_policy_denies_leaves_nothing_to_put_back() {
    let denials: [fn(&Asked) -> Answer; 2] = [status::denied_by_policy, status::denied_by_webhook];
    for denied in denials {
        let shop = Shop::start().await;
        shop.api.rule("patch", "nodes", u32::MAX, Fate::refused(denied));
        let ended = shop.ends(shop.run(DRAIN.text)).await;
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        ended.assert_said(&["experiment break-it ended as ineffective", "cordon node n1", "denied"]);
        shop.assert_as_before(&[], "denied");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_put_back_for_want_of_a_right_is_told_and_put_back_with_it() {
    // Of a fault that was begun a revert is due, also where its command was refused.
    let table = [
        (&PARTITION, "delete", "networkpolicies"),
        (&APART, "delete", "networkpolicies"),
        (&COMMANDS, "create", "pods/exec"),
    ];
    let runs = table.map(|(fault, verb, resource)| async move {
        let (shop, ended) = without(fault, verb, resource).await;
        assert_eq!(ended.code, Some(1), "{verb} {resource}: {}", ended.said);
        ended.assert_said(&[
            "NOT all it broke is put back: `load-exporter recover --namespace shop` tries again",
        ]);
        shop.api.clear_rules();
        let ended = shop.ends(shop.recover_and_run_commands()).await;
        assert_eq!(ended.code, Some(0), "{verb} {resource}: {}", ended.said);
        ended.assert_said(&["put back: break-it of run r1"]);
        shop.assert_as_before(&[], &format!("with {verb} {resource} again"));
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_expires_in_the_middle_is_told_and_another_puts_back() {
    let shop = Shop::start().await;
    let mut run = shop.run(&held(&DRAIN));
    run.says("the fault took effect").await;
    shop.api.rule("*", "*", u32::MAX, Fate::refused(status::unauthorized));
    run.interrupt();
    let ended = shop.ends(run).await;
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    ended.assert_said(&[
        "Unauthorized",
        "NOT all it broke is put back: `load-exporter recover --namespace shop` tries again",
    ]);
    let again = shop.ends(shop.recover_namespace()).await;
    assert_eq!(again.code, Some(1), "{}", again.said);
    again.assert_said(&["Unauthorized"]);
    shop.api.clear_rules();
    shop.lease_runs_out();
    let ended = shop.ends(shop.recover_namespace()).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    shop.assert_as_before(DRAIN.may_go, "recovered");
}
