//! Outages of the stores, ridden out without a single bad answer.

use std::time::Duration;

use crate::support::client::{Crowd, get_blocking};
use crate::support::{Stack, wait_for};

const USERS: usize = 20;

/// Lets the crowd go on for the length of an outage.
async fn lasts(outage: Duration) {
    tokio::time::sleep(outage).await;
}

async fn nothing_went_wrong(stack: &Stack, crowd: Crowd) {
    let slowest = crowd.slowest();
    let (sales, failures) = crowd.leave().await;
    assert_eq!(failures, Vec::<String>::new());
    assert!(slowest > Duration::from_secs(2), "the outage was felt: slowest answer {slowest:?}");
    let sold = stack.number("SELECT count(*) FROM shop.sales").await;
    assert_eq!(u64::try_from(sold), Ok(sales));
    let counted = stack.number("SELECT coalesce(sum(sales), 0)::bigint FROM shop.sales_daily").await;
    assert_eq!(counted, sold, "every sale was counted once");
    let unbalanced =
        "SELECT count(*) FROM shop.products WHERE tenant = 'acme' AND stock <> 1000 + id * 31 % 500";
    assert_eq!(stack.number(unbalanced).await, 0, "what was sold was put back, each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_postgres_is_ridden_out() {
    let stack = Stack::start();
    let crowd = Crowd::enter(stack.address, USERS);
    crowd.proceeds(500).await;
    stack.postgres.freeze();
    lasts(Duration::from_secs(4)).await;
    assert_eq!(get_blocking(stack.address, "/readyz"), Some(200));
    stack.postgres.thaw();
    crowd.proceeds(500).await;
    nothing_went_wrong(&stack, crowd).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_postgres_is_ridden_out() {
    let mut stack = Stack::start();
    let crowd = Crowd::enter(stack.address, USERS);
    crowd.proceeds(500).await;
    stack.postgres.kill();
    lasts(Duration::from_secs(4)).await;
    assert_eq!(get_blocking(stack.address, "/readyz"), Some(200));
    stack.postgres.restart();
    crowd.proceeds(500).await;
    nothing_went_wrong(&stack, crowd).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_frozen_and_then_killed_is_ridden_out() {
    let mut stack = Stack::start();
    let crowd = Crowd::enter(stack.address, USERS);
    crowd.proceeds(500).await;
    stack.redis.freeze();
    lasts(Duration::from_secs(3)).await;
    stack.redis.thaw();
    crowd.proceeds(500).await;
    stack.redis.kill();
    lasts(Duration::from_secs(3)).await;
    stack.redis.restart();
    crowd.proceeds(500).await;
    nothing_went_wrong(&stack, crowd).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cached_answers_do_not_need_redis() {
    let mut stack = Stack::start();
    stack.redis.kill();
    for path in ["/dashboard", "/reports/daily", "/reports/top-products"] {
        assert_eq!(get_blocking(stack.address, path), Some(200), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_told_to_stop_says_so_and_still_serves_for_its_grace() {
    let mut stack = Stack::start();
    stack.shop.terminate();
    wait_for("the replica is not ready", || get_blocking(stack.address, "/readyz") == Some(503));
    assert_eq!(get_blocking(stack.address, "/products/1"), Some(200));
    let mut status = None;
    wait_for("the replica ends", || {
        status = stack.shop.ended();
        status.is_some()
    });
    assert!(status.is_some_and(|status| status.success()), "{status:?}");
}
