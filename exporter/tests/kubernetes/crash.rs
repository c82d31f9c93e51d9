//! `kill -9` of the conductor around every change that it asks for: `load-exporter recover` leaves nothing broken,
//! from the run's folder and from the cluster alone, and touches nothing else.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use crate::api::When;
use crate::faults::{
    APART, COMMANDS, DRAIN, Fault, KILL_BY_EVICTION, KILL_BY_SELECTOR, KILL_PRIMARY, PARTITION, held,
};
use crate::program::Program;
use crate::shop::Shop;

/// Trials of these tests that go on at once: they wait more than they work.
const AT_ONCE: usize = 8;

/// One of the ways to recover.
type Recover = fn(&Shop) -> Program;

/// Kills a run at the change with this number; answers where that left the cluster, and what the change was, or `None`
/// where the run came to its end.
async fn killed(fault: &Fault, number: usize, when: When) -> Option<(Shop, String)> {
    let shop = Shop::start().await;
    let Some(change) = shop.killed_at(number, when, || shop.run(fault.text)).await else {
        shop.assert_as_before(fault.may_go, "not killed");
        return None;
    };
    Some((shop, change))
}

fn place(number: usize, when: When, change: &str) -> String {
    format!("killed {when:?} change {number}, {change}")
}

fn assert_touched_no_more(shop: &Shop, fault: &Fault, place: &str) {
    for change in shop.changes() {
        assert!(fault.touches.iter().any(|may| change.starts_with(may)), "{place}: {change}");
    }
}

/// Kills a run at the change with this number, and recovers; answers what the change was, or `None` where the run
/// came to its end.
async fn killed_at(fault: &Fault, number: usize, when: When) -> Option<String> {
    let (shop, change) = killed(fault, number, when).await?;
    let place = place(number, when, &change);
    let broken = shop.objects();
    for recover in [Shop::recover_dir, Shop::recover_namespace] {
        shop.restore(&broken);
        let ended = shop.ends(recover(&shop)).await;
        assert_eq!(ended.code, Some(0), "{place}: {}", ended.said);
        shop.assert_as_before(fault.may_go, &place);
    }
    assert_touched_no_more(&shop, fault, &place);
    Some(change)
}

/// A run that nobody kills asks for the changes `expected`, told by their beginnings; `trial` kills one around each of
/// them.
async fn assert_reaches<F: Future<Output = Option<String>>>(
    expected: &[&str],
    trial: impl Fn(usize, When) -> F,
) {
    for when in [When::Before, When::After] {
        let trials = (0..=expected.len()).map(|number| trial(number, when));
        let reached: Vec<_> = stream::iter(trials).buffered(AT_ONCE).collect().await;
        for (number, reached) in reached.iter().enumerate() {
            match (reached, expected.get(number)) {
                (Some(reached), Some(expected)) => assert!(reached.starts_with(expected), "{reached}"),
                (reached, expected) => assert_eq!((reached, expected), (&None, None), "{when:?} {number}"),
            }
        }
    }
}

/// A run that nobody kills asks for the changes `expected`; killed around any of them it leaves nothing broken.
async fn assert_survives(fault: &Fault, expected: &[&str]) {
    assert_reaches(expected, |number, when| killed_at(fault, number, when)).await;
}

const OPENED: &str = "create configmaps ordeal-journal";
const NOTED: &str = "update configmaps ordeal-journal";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_killed_by_lot() {
    assert_survives(&KILL_BY_SELECTOR, &[OPENED, NOTED, "delete pods shop-", NOTED]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pod_of_a_primary() {
    assert_survives(&KILL_PRIMARY, &[OPENED, NOTED, "delete pods kv-0", NOTED]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_is_evicted() {
    assert_survives(&KILL_BY_EVICTION, &[OPENED, NOTED, "create pods/eviction kv-0", NOTED]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_drained() {
    let (cordon, evict) = ("patch nodes n1", "create pods/eviction shop-");
    assert_survives(&DRAIN, &[OPENED, NOTED, cordon, evict, evict, cordon, NOTED]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_is_cut_off() {
    let (cut, lift) = ("create networkpolicies ordeal-", "delete networkpolicies ordeal-");
    let (kv, metrics) = ("patch networkpolicies kv", "patch networkpolicies metrics");
    assert_survives(&PARTITION, &[OPENED, NOTED, cut, kv, metrics, NOTED, kv, metrics, lift, NOTED]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_groups_that_are_kept_apart() {
    let (cut, lift) = ("create networkpolicies ordeal-", "delete networkpolicies ordeal-");
    assert_survives(&APART, &[OPENED, NOTED, cut, cut, NOTED, lift, lift, NOTED]).await;
}

/// What the run had asked for when it was killed is made only once nobody waits for it any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_that_comes_late() {
    let recoveries: [(_, Recover); 2] = [("dir", Shop::recover_dir), ("namespace", Shop::recover_namespace)];
    for (place, recover) in recoveries {
        let (shop, change) = killed(&PARTITION, 2, When::After).await.expect("it comes so far");
        let cut = change.strip_prefix("create networkpolicies ").expect("it cuts").to_owned();
        let made = shop.objects();
        shop.api.lock().objects.remove("networkpolicies", &cut);
        let recovery = recover(&shop);
        let lifted = format!("delete networkpolicies {cut}");
        let lift = async {
            while !shop.changes().contains(&lifted) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), lift).await.expect("it is lifted");
        shop.restore(&made);
        let ended = shop.ends(recovery).await;
        assert_eq!(ended.code, Some(0), "{place}: {}", ended.said);
        shop.assert_as_before(PARTITION.may_go, place);
    }
}

/// What a journal tells of commands in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Nothing that is to be put back.
    Nothing,
    /// What puts it back.
    Revert,
    /// The same of an injection whose end was not seen: it may go on, and nobody can end it from outside.
    AtWork,
}

/// What a run asks for, and what is in its folder's journal by then.
const IN_A_CONTAINER: [(&str, Told); 8] = [
    (OPENED, Told::Nothing),
    (NOTED, Told::Revert),
    // That it begins.
    (NOTED, Told::AtWork),
    ("get pods/exec kv-0 stop", Told::AtWork),
    // That it has ended.
    (NOTED, Told::Revert),
    ("get pods/exec kv-0 look", Told::Revert),
    ("get pods/exec kv-0 start", Told::Revert),
    (NOTED, Told::Nothing),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_in_a_container() {
    assert_reaches(&IN_A_CONTAINER.map(|(change, _)| change), commands_killed_at).await;
}

/// As [`killed_at`]. The folder vouches for what it tells; by the copy alone no command runs unless somebody says so.
async fn commands_killed_at(number: usize, when: When) -> Option<String> {
    let (shop, change) = killed(&COMMANDS, number, when).await?;
    let place = place(number, when, &change);
    let told = |number: usize| IN_A_CONTAINER.get(number).map_or(Told::Nothing, |(_, told)| *told);
    // The folder's journal is written first, and then its copy.
    let (folder, copy) = match when {
        When::Before => (told(number), number.checked_sub(1).map_or(Told::Nothing, told)),
        When::After => (told(number), told(number)),
    };
    let broken = shop.objects();
    assert_recovers(&shop, Shop::recover_dir, folder, &place).await;
    shop.restore(&broken);
    if copy != Told::Nothing {
        let before = shop.changes();
        let ended = shop.ends(shop.recover_namespace()).await;
        assert_eq!(ended.code, Some(3), "{place}: {}", ended.said);
        ended.assert_said(&["`load-exporter recover --namespace shop --run-commands` runs it"]);
        assert_eq!(shop.changes(), before, "{place}: nobody vouches for it");
    }
    assert_recovers(&shop, Shop::recover_and_run_commands, copy, &place).await;
    assert_touched_no_more(&shop, &COMMANDS, &place);
    Some(change)
}

/// Whoever recovers runs the revert, and is done; with what may be at work once that has gone with its pod.
async fn assert_recovers(shop: &Shop, recover: Recover, told: Told, place: &str) {
    let is_at_work = told == Told::AtWork;
    let ended = shop.ends(recover(shop)).await;
    assert_eq!(ended.code, Some(i32::from(is_at_work)), "{place}: {}", ended.said);
    shop.assert_as_before(&[], place);
    if is_at_work {
        ended.assert_said(&["it may go on there: `kubectl delete pod kv-0 -n shop` ends it"]);
        shop.api.lock().objects.remove("pods", "kv-0");
        let ended = shop.ends(recover(shop)).await;
        assert_eq!(ended.code, Some(0), "{place}, without the pod: {}", ended.said);
        ended.assert_said(&["put back: break-it of run r1"]);
    }
}

/// A conductor that takes another's place has the command from its own trial.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_in_a_container_are_put_back_by_whoever_has_the_trial() {
    let shop = Shop::start().await;
    let mut run = shop.run(&held(&COMMANDS));
    run.says("the fault took effect").await;
    run.kill().await;
    shop.lease_runs_out();
    assert!(shop.objects().stopped.contains("kv-0"), "nobody was there to put it back");
    let ended = shop.ends(shop.run_in("elsewhere", "r1", &held(&COMMANDS))).await;
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    ended.assert_said(&["an earlier process of this run ended before its time"]);
    shop.assert_as_before(COMMANDS.may_go, "by its replacement");
    let words = ["stop", "look", "start"].map(|word| format!("get pods/exec kv-0 {word}"));
    assert_eq!(shop.changes(), words, "nothing is broken again");
}

/// What a recovery asks for, and how a run is known to have broken something.
struct Recovery {
    fault: &'static Fault,
    broken_by: &'static str,
    recover: Recover,
    changes: usize,
}

const SEEN: &str = "the fault took effect";
// Nothing but failed probes shows that two groups are apart.
const INJECTED: &str = "the fault is injected";

const RECOVERIES: [Recovery; 4] = [
    Recovery { fault: &DRAIN, broken_by: SEEN, recover: Shop::recover_namespace, changes: 2 },
    Recovery { fault: &PARTITION, broken_by: SEEN, recover: Shop::recover_namespace, changes: 4 },
    Recovery { fault: &APART, broken_by: INJECTED, recover: Shop::recover_namespace, changes: 3 },
    Recovery { fault: &COMMANDS, broken_by: SEEN, recover: Shop::recover_and_run_commands, changes: 2 },
];

/// Kills a recovery around each change that it asks for; the next one comes to the end.
async fn assert_is_finished_by_the_next(recovery: &Recovery, when: When) {
    let Recovery { fault, broken_by, recover, changes } = recovery;
    let shop = Shop::start().await;
    let mut run = shop.run(&held(fault));
    run.says(broken_by).await;
    run.kill().await;
    shop.lease_runs_out();
    let broken = shop.objects();
    let mut reached = 0;
    while let Some(change) = shop.killed_at(reached, when, || recover(&shop)).await {
        let ended = shop.ends(recover(&shop)).await;
        assert_eq!(ended.code, Some(0), "killed at {change}: {}", ended.said);
        shop.assert_as_before(fault.may_go, &format!("recovery killed {when:?} {change}"));
        shop.restore(&broken);
        reached += 1;
    }
    assert_eq!(reached, *changes, "{when:?} {}", fault.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_killed_at_any_change_is_finished_by_the_next() {
    let both =
        |recovery| [When::Before, When::After].map(|when| assert_is_finished_by_the_next(recovery, when));
    join_all(RECOVERIES.iter().flat_map(both)).await;
}
