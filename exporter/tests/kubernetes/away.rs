//! An API server that is away for a while in the middle of an experiment, and a lease that is lost.

use std::time::Duration;

use serde_json::json;

use crate::api::asked::Asked;
use crate::api::rules::Fate;
use crate::api::status::{self, Answer};
use crate::faults::{DRAIN, Fault, PARTITION, held};
use crate::program::Program;
use crate::shop::Shop;

/// A run that is interrupted with its fault in effect while the API server is away, once it has tried to put that back as
/// often as it does where it is told no.
async fn interrupted_while_away(fault: &Fault) -> (Shop, Program) {
    let shop = Shop::start().await;
    let mut run = shop.run(&held(fault));
    run.says("the fault took effect").await;
    shop.api.go_away().await;
    run.interrupt();
    run.says("attempts=3").await;
    (shop, run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_while_it_is_away_is_put_back_when_it_is_there_again() {
    for fault in [&DRAIN, &PARTITION] {
        let (shop, mut run) = interrupted_while_away(fault).await;
        run.says("attempts=4").await;
        shop.api.come_back().await;
        let ended = shop.ends(run).await;
        assert_eq!(ended.code, Some(130), "{}", ended.said);
        ended.assert_said(&["nothing is left broken"]);
        shop.assert_as_before(fault.may_go, "put back");
    }
}

/// It serves before it has read who may do what.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_does_not_let_us_at_first_after_its_return_is_put_back_all_the_same() {
    for fault in [&DRAIN, &PARTITION] {
        let (shop, run) = interrupted_while_away(fault).await;
        // More often than a revert is tried where it was there all along.
        shop.api.rule("get", "namespaces", 5, Fate::refused(status::forbidden));
        shop.api.come_back().await;
        let ended = shop.ends(run).await;
        assert_eq!(ended.code, Some(130), "{}", ended.said);
        ended.assert_said(&["cannot get resource", "nothing is left broken"]);
        shop.assert_as_before(fault.may_go, "put back");
    }
}

/// Commands go through it to a node, which it may reach only later still.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_in_a_container_is_run_once_it_is_let_through_after_its_return() {
    type Case = (&'static str, u32, fn(&Asked) -> Answer, &'static str, usize);
    // The pod is looked at six times at most in each try.
    let table: [Case; 4] = [
        ("pods", 22, status::forbidden, "cannot get resource", 1),
        ("pods/exec", 5, status::forbidden, "cannot get resource", 6),
        ("pods/exec", 5, status::not_dialed, "error dialing backend", 6),
        ("pods/exec", 5, status::not_sent, "error sending request", 6),
    ];
    let runs = table.into_iter().map(|(resource, times, answer, said, starts)| async move {
        let shop = Shop::start().await;
        let running = json!([{"name": "kv", "containerID": "containerd://kv", "image": "", "imageID": "",
            "ready": true, "restartCount": 0, "state": {"running": {}}}]);
        shop.api.lock().objects.edit("pods", "kv-0", |pod| pod["status"]["containerStatuses"] = running);
        let commands = "inject: [stop], bit: [look], revert: [start]";
        let mut run =
            shop.run(&format!("    hold: 1h\n    pod_exec: {{pod: kv-0, {commands}, timeout: 3s}}\n"));
        run.says("the fault took effect").await;
        shop.api.go_away().await;
        run.interrupt();
        run.says("attempts=3").await;
        shop.api.rule("get", resource, times, Fate::refused(answer));
        shop.api.come_back().await;
        let ended = shop.ends(run).await;
        assert_eq!(ended.code, Some(130), "{}", ended.said);
        ended.assert_said(&[said, "nothing is left broken"]);
        shop.assert_as_before(&[], "put back");
        let is_start = |asked: &&Asked| asked.query.get("command").is_some_and(|word| word == "start");
        assert_eq!(shop.api.lock().asked.iter().filter(is_start).count(), starts, "{}", ended.said);
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_on_when_it_was_away_while_a_fault_was_held() {
    let shop = Shop::start().await;
    let mut run = shop.run(&format!("    hold: 8s\n{}", DRAIN.text));
    run.says("the fault took effect").await;
    shop.api.go_away().await;
    run.says("it is not known what runs").await;
    shop.api.come_back().await;
    run.says("it is known again what runs").await;
    // It was back before the revert was due, and yet does not let everybody: more often than a no is asked for.
    shop.api.rule("get", "namespaces", 7, Fate::refused(status::forbidden));
    let ended = shop.ends(run).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_said(&["the fault is put back", "the run is finished"]);
    shop.assert_as_before(DRAIN.may_go, "put back");
}

/// As long as it takes to restart an API server that has no other beside it. Whatever gives up sooner shows only when it
/// is really away for so long: this is what is waited for.
const AWAY: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_outlives_twenty_seconds_without_it() {
    let faults = [&DRAIN, &PARTITION].map(|fault| (fault, "25s"));
    // Also where it comes back only after the fault is due to be put back.
    let runs = faults.into_iter().chain([(&DRAIN, "10s")]).map(|(fault, hold)| async move {
        let shop = Shop::start().await;
        let mut run = shop.run(&format!("    hold: {hold}\n{}", fault.text));
        run.says("the fault took effect").await;
        shop.api.go_away().await;
        tokio::time::sleep(AWAY).await;
        shop.api.come_back().await;
        run.says("it is known again what runs").await;
        let ended = shop.ends(run).await;
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        ended.assert_said(&["the fault is put back", "the run is finished"]);
        assert!(!ended.said.contains("the lease is lost"), "{}", ended.said);
        shop.assert_as_before(fault.may_go, "put back");
    });
    futures_util::future::join_all(runs).await;
}

/// Nothing on the cluster is to be put back then, but the journal's copy there must learn that it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_back_elsewhere_meanwhile_is_noted_when_it_is_there_again() {
    let shop = Shop::start().await;
    let fault = "    hold: 5s\n    exec: {target: echo it, inject: 'true', bit: 'true', revert: 'true'}\n";
    let mut run = shop.run(fault);
    run.says("the fault took effect").await;
    shop.api.go_away().await;
    run.says("the copy of the journal is not written, as the API server is away").await;
    shop.api.come_back().await;
    let ended = shop.ends(run).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let kept = shop.find("configmaps", "ordeal-journal").expect("it is there");
    let file = std::fs::read_to_string(shop.path("run/journal.jsonl")).expect("a journal");
    assert_eq!(kept["data"]["journal.jsonl"], json!(file));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_lease_another_has_taken_puts_back_and_says_why_it_ends() {
    let shop = Shop::start().await;
    let mut run = shop.run(&held(&DRAIN));
    run.says("the fault took effect").await;
    let taken = |lease: &mut serde_json::Value| lease["spec"]["holderIdentity"] = json!("another");
    shop.api.lock().objects.edit("leases", "ordeal", taken);
    let ended = shop.ends(run).await;
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    ended.assert_said(&[
        "the run was aborted: the lease by which one at a time breaks something in the namespace is lost",
    ]);
    shop.assert_as_before(DRAIN.may_go, "put back");
    let holder = shop.find("leases", "ordeal").expect("it is there")["spec"]["holderIdentity"].clone();
    assert_eq!(holder, "another");
}

/// As it may be for two minutes of each experiment where the API server does not decide upon it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_lease_another_has_taken_puts_back_no_more_of_an_earlier_run() {
    let shop = Shop::start().await;
    let mut run = shop.run(&held(&DRAIN));
    run.says("the fault took effect").await;
    run.kill().await;
    shop.lease_runs_out();
    shop.api.rule("patch", "nodes", u32::MAX, Fate::refused(status::busy(1)));
    let mut next = shop.run_in("elsewhere", "r2", DRAIN.text);
    next.says("revert failed, trying again").await;
    let taken = |lease: &mut serde_json::Value| lease["spec"]["holderIdentity"] = json!("another");
    shop.api.lock().objects.edit("leases", "ordeal", taken);
    let ended = shop.ends(next).await;
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    ended.assert_said(&[
        "load-exporter: the lease by which one at a time breaks something in the namespace is lost",
    ]);
}
