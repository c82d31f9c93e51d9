//! `kill -9` of the conductor around every change that it asks for: `load-exporter recover` leaves nothing broken,
//! from the run's folder and from the cluster alone, and touches nothing else.

use futures_util::{StreamExt, stream};

use crate::api::When;
use crate::faults::{DRAIN, Fault, KILL_BY_SELECTOR, KILL_PRIMARY, PARTITION, held};
use crate::shop::Shop;

/// Trials of these tests that go on at once: they wait more than they work.
const AT_ONCE: usize = 4;

/// Kills a run at the change with this number, and recovers; answers what the change was, or `None` where the run
/// came to its end.
async fn killed_at(fault: &Fault, number: usize, when: When) -> Option<String> {
    let shop = Shop::start().await;
    let Some(change) = shop.killed_at(number, when, || shop.run(fault.text)).await else {
        shop.assert_as_before(fault.may_go, "not killed");
        return None;
    };
    let place = format!("killed {when:?} change {number}, {change}");
    let broken = shop.objects();
    for recover in [Shop::recover_dir, Shop::recover_namespace] {
        shop.restore(&broken);
        let ended = shop.ends(recover(&shop)).await;
        assert_eq!(ended.code, Some(0), "{place}: {}", ended.said);
        shop.assert_as_before(fault.may_go, &place);
    }
    for change in shop.changes() {
        assert!(fault.touches.iter().any(|may| change.starts_with(may)), "{place}: {change}");
    }
    Some(change)
}

/// A run that nobody kills asks for the changes `expected`, told by their beginnings; killed around any of them it
/// leaves nothing broken.
async fn assert_survives(fault: &Fault, expected: &[&str]) {
    for when in [When::Before, When::After] {
        let trials = (0..=expected.len()).map(|number| killed_at(fault, number, when));
        let reached: Vec<_> = stream::iter(trials).buffered(AT_ONCE).collect().await;
        for (number, reached) in reached.iter().enumerate() {
            match (reached, expected.get(number)) {
                (Some(reached), Some(expected)) => assert!(reached.starts_with(expected), "{reached}"),
                (reached, expected) => assert_eq!((reached, expected), (&None, None), "{when:?} {number}"),
            }
        }
    }
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
async fn a_node_that_is_drained() {
    let (cordon, evict) = ("patch nodes n1", "create pods/eviction shop-");
    assert_survives(&DRAIN, &[OPENED, NOTED, cordon, evict, evict, cordon, NOTED]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_is_cut_off() {
    let (cut, lift) = ("create networkpolicies ordeal-", "delete networkpolicies ordeal-");
    let (kv, metrics) = ("patch networkpolicies kv", "patch networkpolicies metrics");
    assert_survives(&PARTITION, &[OPENED, NOTED, cut, kv, metrics, kv, metrics, lift, NOTED]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_killed_at_any_change_is_finished_by_the_next() {
    for (fault, changes) in [(&DRAIN, 2), (&PARTITION, 4)] {
        let shop = Shop::start().await;
        let mut run = shop.run(&held(fault));
        run.says("the fault took effect").await;
        run.kill().await;
        shop.lease_runs_out();
        let broken = shop.objects();
        for when in [When::Before, When::After] {
            let mut reached = 0;
            for number in 0.. {
                shop.restore(&broken);
                let killed = shop.killed_at(number, when, || shop.recover_namespace()).await;
                let Some(change) = killed else { break };
                let ended = shop.ends(shop.recover_namespace()).await;
                assert_eq!(ended.code, Some(0), "killed at {change}: {}", ended.said);
                shop.assert_as_before(fault.may_go, &format!("recovery killed {when:?} {change}"));
                reached += 1;
            }
            assert_eq!(reached, changes, "{when:?}");
        }
    }
}
