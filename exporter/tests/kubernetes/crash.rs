//! `kill -9` of the conductor around every change that it asks for: `load-exporter recover` leaves nothing broken,
//! from the run's folder and from the cluster alone, and touches nothing else.

use crate::api::When;
use crate::faults::{DRAIN, Fault, KILL_BY_SELECTOR, KILL_PRIMARY, PARTITION, held};
use crate::shop::Shop;

/// Kills a run at every change that it asks for; answers these.
async fn killed_at_every_change(fault: &Fault, when: When) -> Vec<String> {
    let mut reached = Vec::new();
    for number in 0.. {
        let shop = Shop::start().await;
        let Some(change) = shop.killed_at(number, when, || shop.run(fault.text)).await else {
            shop.assert_as_before(fault.may_go, "not killed");
            break;
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
        reached.push(change);
    }
    reached
}

/// What a run asks for in `expected`, with the journal's part before and after it.
async fn assert_survives(fault: &Fault, expected: &[&str]) {
    let (before, after) =
        tokio::join!(killed_at_every_change(fault, When::Before), killed_at_every_change(fault, When::After));
    for reached in [before, after] {
        let reached: Vec<&str> = reached.iter().map(String::as_str).collect();
        assert_eq!(reached.len(), expected.len(), "{reached:?}");
        for (reached, expected) in reached.iter().zip(expected) {
            assert!(reached.starts_with(expected), "{reached} where {expected} is due");
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
