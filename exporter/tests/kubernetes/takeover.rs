//! Two programs and one cluster: one at a time breaks something there, and each goes on from what it knows.

use serde_json::json;

use crate::api::objects::Objects;
use crate::api::rules::Fate;
use crate::api::{When, status};
use crate::faults::{DRAIN, KILL_PRIMARY, held};
use crate::shop::Shop;

const JOURNAL: &str = "ordeal-journal";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_conductor_is_refused_by_the_lease_and_touches_nothing() {
    let shop = Shop::start().await;
    let mut first = shop.run(&held(&DRAIN));
    first.says("the fault took effect").await;
    let changes = shop.api.changes();
    let (second, recover) = tokio::join!(
        shop.ends(shop.run_in("elsewhere", "r2", KILL_PRIMARY.text)),
        shop.ends(shop.recover_namespace())
    );
    for refused in [second, recover] {
        assert_eq!(refused.code, Some(1), "{}", refused.said);
        refused.assert_said(&["Lease ordeal in namespace shop is held by run r1 on "]);
    }
    assert_eq!(shop.api.changes(), changes);
    first.interrupt();
    let ended = shop.ends(first).await;
    ended.assert_said(&["nothing is left broken"]);
    shop.assert_as_before(DRAIN.may_go, "put back");
}

/// With the machine goes the folder, but not the journal's copy in the cluster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conductor_that_takes_anothers_place_elsewhere_puts_back_and_ends_the_run() {
    let shop = Shop::start().await;
    let mut first = shop.run(&held(&DRAIN));
    first.says("the fault took effect").await;
    first.kill().await;
    shop.lease_runs_out();
    assert_eq!(unfinished(&shop), "break-it of run r1", "for whoever has kubectl only");
    let ended = shop.ends(shop.run_in("elsewhere", "r1", &held(&DRAIN))).await;
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    ended.assert_said(&["an earlier process of this run ended before its time"]);
    shop.assert_as_before(DRAIN.may_go, "put back");
    let evicted = shop.changes().iter().filter(|change| change.contains("eviction")).count();
    assert_eq!(evicted, 2, "nothing is broken again: {:?}", shop.changes());
    assert_eq!(unfinished(&shop), "none");
}

/// Else a node that an operator has cordoned since would be opened by whoever looks at the copy next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_back_by_the_folder_is_not_put_back_again_by_the_cluster() {
    let shop = Shop::start().await;
    let mut run = shop.run(&held(&DRAIN));
    run.says("the fault took effect").await;
    run.kill().await;
    shop.lease_runs_out();
    let ended = shop.ends(shop.recover_dir()).await;
    ended.assert_said(&["put back: break-it of run r1"]);
    shop.assert_as_before(DRAIN.may_go, "by the folder");
    let cordon = |node: &mut serde_json::Value| node["spec"]["unschedulable"] = json!(true);
    shop.api.lock().objects.edit("nodes", "n1", cordon);
    let ended = shop.ends(shop.recover_namespace()).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_said(&["nothing to put back"]);
    assert_eq!(shop.find("nodes", "n1").expect("it is there")["spec"]["unschedulable"], true);
}

fn kept(shop: &Shop, key: &str) -> String {
    let kept = shop.find("configmaps", JOURNAL).expect("it is there");
    kept["data"][key].as_str().expect("a text").to_owned()
}

fn journal(shop: &Shop) -> String {
    kept(shop, "journal.jsonl")
}

fn unfinished(shop: &Shop) -> String {
    kept(shop, "unfinished")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_the_journal_that_was_lost_or_refused_once_is_made_up_for() {
    for is_lost in [true, false] {
        let shop = Shop::start().await;
        let fate = if is_lost { Fate::Lost } else { Fate::refused(status::conflict) };
        shop.api.rule("update", "configmaps", 1, fate);
        let ended = shop.ends(shop.run(KILL_PRIMARY.text)).await;
        if is_lost {
            // Nobody waits for ever: without the copy nothing is begun.
            ended.assert_said(&["break-it ended as refused: it could not be begun", "no answer within 5s"]);
            assert_eq!(shop.changes(), [""; 0]);
        } else {
            ended.assert_said(&["the fault took effect", "the run is finished"]);
            let kept = journal(&shop);
            assert_eq!(kept, std::fs::read_to_string(shop.path("run/journal.jsonl")).expect("a journal"));
        }
        let ended = shop.ends(shop.recover_namespace()).await;
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        shop.assert_as_before(KILL_PRIMARY.may_go, "the end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_somebody_else_has_written_is_not_written_over() {
    let shop = Shop::start().await;
    let write = |objects: &mut Objects| {
        objects.edit("configmaps", JOURNAL, |it| it["data"]["journal.jsonl"] = json!("theirs\n"));
    };
    shop.api.rule("update", "configmaps", 1, Fate::before(write));
    let ended = shop.ends(shop.run(KILL_PRIMARY.text)).await;
    ended.assert_said(&[
        "break-it ended as refused: it could not be begun",
        "write ConfigMap ordeal-journal in namespace shop: somebody else has changed it meanwhile",
    ]);
    assert_eq!(journal(&shop), "theirs\n");
    assert_eq!(shop.changes(), [""; 0]);
}

/// A ConfigMap holds 1 MiB, and runs follow each other for years.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_begins_anew_with_a_run_that_finds_all_put_back() {
    let shop = Shop::start().await;
    for run in ["r1", "r2"] {
        let ended = shop.ends(shop.run_in("run", run, KILL_PRIMARY.text)).await;
        ended.assert_said(&["the fault took effect", "the run is finished"]);
        let kept = journal(&shop);
        assert_eq!(kept, std::fs::read_to_string(shop.path("run/journal.jsonl")).expect("a journal"));
        assert!(
            kept.lines().all(|line| !line.contains("\"run\"") || line.contains(&format!("\"{run}\""))),
            "{kept}"
        );
    }
}

/// Between the file and its copy there is a moment, and a run may be killed in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_killed_as_it_begins_the_journal_anew_is_in_nobodys_way() {
    for (number, when) in [(0, When::Before), (0, When::After), (1, When::Before), (1, When::After)] {
        let shop = Shop::start().await;
        let first = shop.ends(shop.run_in("run", "r1", KILL_PRIMARY.text)).await;
        first.assert_said(&["the run is finished"]);
        let change = shop.killed_at(number, when, || shop.run_in("run", "r2", KILL_PRIMARY.text)).await;
        assert_eq!(change.as_deref(), Some("update configmaps ordeal-journal"), "{when:?} {number}");
        let third = shop.ends(shop.run_in("run", "r3", KILL_PRIMARY.text)).await;
        third.assert_said(&["the fault took effect", "the run is finished"]);
    }
}

/// Whoever comes next need not wait until the lease has run out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_refused_gives_the_lease_back() {
    let shop = Shop::start().await;
    shop.ends(shop.run(KILL_PRIMARY.text)).await.assert_said(&["the run is finished"]);
    let again = shop.ends(shop.run(KILL_PRIMARY.text)).await;
    again.assert_said(&["run r1 has come to its end before"]);
    let lease = shop.find("leases", "ordeal").expect("it is there");
    assert_eq!(lease["spec"]["holderIdentity"], "", "{lease}");
}
