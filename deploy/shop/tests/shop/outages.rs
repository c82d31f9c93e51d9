//! Outages of the stores, ridden out without a single bad answer.

use std::time::Duration;

use hyper::Method;
use serde_json::json;
use uuid::Uuid;

use crate::support::client::{Client, Crowd, get_blocking};
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
async fn commits_that_cannot_replicate_are_ridden_out() {
    let stack = Stack::start();
    let crowd = Crowd::enter(stack.address, USERS);
    crowd.proceeds(500).await;
    stack.await_standby("nobody").await;
    lasts(Duration::from_secs(5)).await;
    stack.await_standby("").await;
    crowd.proceeds(500).await;
    nothing_went_wrong(&stack, crowd).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_sale_waits_for_the_standby_like_the_first() {
    let stack = Stack::start();
    let mut client = Client::connect(stack.address).await;
    let order = json!({ "id": Uuid::new_v4(), "sku": "S-1", "quantity": 1 });
    let first = client.expect(201, Method::POST, "/sales", Some(order.clone())).await.expect("sold");
    stack.await_standby("nobody").await;
    let repeat = client.expect(201, Method::POST, "/sales", Some(order));
    tokio::pin!(repeat);
    tokio::select! {
        answer = &mut repeat => panic!("answered without the standby: {answer:?}"),
        () = lasts(Duration::from_secs(3)) => {}
    }
    stack.await_standby("").await;
    assert_eq!(repeat.await, Ok(first));
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
