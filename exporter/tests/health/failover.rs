//! Warnings before a run, from real stores, a real Sentinel and a made Patroni.

use std::num::NonZeroUsize;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use exporter::health::failover::warnings;
use exporter::trial::{Endpoint, Failover, Ledger, Manager, Rate, RedisAddress, Store};
use tokio::net::TcpListener;

use crate::postgres::served as postgres_served;
use crate::process::free_port;
use crate::redis::{says, served as redis_served};
use crate::servers::Server;
use crate::support::{first_store, name, postgres_at, redis_at, trial};

const WITHIN: Duration = Duration::from_secs(30);

/// What a run of these stores, each with a ledger that waits for `wait` replicas, is warned of.
async fn warned(stores: Vec<Store>, wait: u32) -> Vec<String> {
    let mut trial = trial("http://127.0.0.1:1", stores, vec![]);
    trial.ledgers = vec![Ledger {
        store: first_store(),
        writers: NonZeroUsize::MIN,
        rate: Rate::new(1.0).expect("a rate"),
        wait_replicas: wait,
        dataset: 0,
    }];
    warnings(&trial).await
}

fn store(endpoint: Endpoint, manager: Option<Manager>) -> Store {
    let failover = manager.map(|manager| Failover { manager, within: WITHIN });
    Store { name: name("it"), endpoint, instances: vec![], failover }
}

fn assert_warned(found: &[String], expected: &[&str]) {
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with("store it: ") && found.contains(expected), "{found} lacks {expected}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sentinel_and_its_redis_are_asked() {
    let redis = Server::redis(None);
    redis_served(&redis).await;
    let address = || redis_at(&redis.redis_address());
    let manager = |sentinel: &Server, master: &str| {
        let address = RedisAddress::parse(&sentinel.redis_address()).expect("an address");
        Some(Manager::Sentinel { address, master: master.to_owned() })
    };
    let quick = Server::sentinel(redis.port, 2000, 6000);
    let slow = Server::sentinel(redis.port, 30_000, 180_000);
    redis_served(&quick).await;
    redis_served(&slow).await;

    assert_warned(&warned(vec![store(address(), manager(&quick, "shop"))], 1).await, &[]);
    let found = warned(vec![store(address(), manager(&slow, "shop"))], 0).await;
    assert_warned(&found, &["down-after-milliseconds is 30000", "`wait` is 0"]);
    let found = warned(vec![store(address(), manager(&quick, "another"))], 1).await;
    assert_warned(&found, &["Sentinel did not tell its settings (run SENTINEL MASTER: "]);

    assert!(says(redis.port, "CONFIG SET maxmemory-policy allkeys-lru", b"+OK\r\n").await);
    let found = warned(vec![store(address(), None)], 1).await;
    assert_warned(&found, &["maxmemory-policy is allkeys-lru"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patroni_and_its_postgresql_are_asked() {
    let postgres = Server::postgres(None);
    postgres_served(&postgres.postgres_address()).await;
    let endpoint = |options: &str| postgres_at(&format!("{}{options}", postgres.postgres_address()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let json = |text: &'static str| get(move || async move { text });
    let quick = r#"{"ttl":5,"loop_wait":1,"retry_timeout":1,"master_start_timeout":0}"#;
    let routes = Router::new().route("/quick/config", json(quick)).route("/default/config", json("{}"));
    let server = tokio::spawn(async move { axum::serve(listener, routes).await });
    let manager = |port: u16, path: &str| {
        Some(Manager::Patroni(format!("http://127.0.0.1:{port}{path}").parse().expect("a URL")))
    };

    let found = warned(vec![store(endpoint(""), manager(port, "/quick/"))], 0).await;
    assert_warned(&found, &["synchronous_standby_names is empty"]);
    let off = " options='-c synchronous_commit=off'";
    let found = warned(vec![store(endpoint(off), manager(port, "/default"))], 0).await;
    assert_warned(&found, &["ttl is 30 s", "primary_start_timeout", "synchronous_commit is off"]);
    let nobody = free_port();
    let dead = postgres_at(&format!("host=127.0.0.1 port={nobody} user=ordeal"));
    let found = warned(vec![store(dead, manager(nobody, ""))], 0).await;
    assert_warned(
        &found,
        &["Patroni did not tell its settings (GET /config: ", "PostgreSQL did not tell its settings"],
    );
    server.abort();
}
