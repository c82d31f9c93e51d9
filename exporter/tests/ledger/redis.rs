//! What the ledger says of a real Redis.

use exporter::ledger::audit::Counts;
use exporter::ledger::record::{Outcome, WriteId};
use exporter::ledger::stores::{Store, StoreError};
use exporter::ledger::{self, DatasetSummary, Scope};
use exporter::trial::{Ledger, Trial};
use redis::cmd;
use rustix::process::Signal;

use crate::servers::Redis;
use crate::support::{RUN, Run, completed, four_writers, redis_at, trial};

const ID: WriteId = WriteId { worker: 0, seq: 0 };

fn trial_of(redis: &Redis) -> Trial {
    trial(redis_at(&redis.url()), Ledger { dataset: 700, ..four_writers() })
}

fn store_of(redis: &Redis, wait_replicas: u32) -> Store {
    Store::new(&redis_at(&redis.url()), wait_replicas).expect("endpoint")
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_and_data_set_are_found_and_whatever_is_done_to_them_is_seen() {
    let redis = Redis::start().await;
    let trial = trial_of(&redis);
    let run = Run::start(&trial).await;
    run.ledgers.prepare_dataset().await.expect("data set");
    run.acked_more(20).await;
    let clean = run.audit_after("kill").await;
    assert_eq!(clean.found, Counts { present: clean.writes.acked, ..Counts::default() });
    assert_eq!(clean.dataset, Some(DatasetSummary { keys: 700, intact: 700 }));

    let mut hand = redis.client().await;
    let meddling = [
        cmd("HDEL").arg("ordeal:ledger:run-1").arg("1:2").to_owned(),
        cmd("HSET").arg("ordeal:ledger:run-1").arg(&["2:2", "x", "9:0", "x", "garbage", "x"]).to_owned(),
        cmd("DEL").arg("ordeal:dataset:run-1:650").to_owned(),
        cmd("SET").arg("ordeal:dataset:run-1:3").arg(&[0xffu8, 0]).to_owned(),
        cmd("SET").arg("ordeal:dataset:other:3").arg("another run's").to_owned(),
    ];
    for command in meddling {
        command.exec_async(&mut hand).await.expect("meddled");
    }
    let hurt = completed(run.ledgers.final_audit().await);
    let expected =
        Counts { present: hurt.writes.acked - 4, lost: 2, unexpected: 2, corrupt: 2, ..Counts::default() };
    assert_eq!(hurt.found, expected);
    assert_eq!(hurt.dataset, Some(DatasetSummary { keys: 700, intact: 698 }));
    assert!((run.class("lost") - 2.0).abs() < f64::EPSILON);

    ledger::cleanup(&trial, Scope::Run(RUN)).await.expect("removed");
    let left: Vec<String> = cmd("KEYS").arg("*").query_async(&mut hand).await.expect("keys");
    assert_eq!(left, ["ordeal:dataset:other:3"]);
    ledger::cleanup(&trial, Scope::All).await.expect("removed");
    let left: u64 = cmd("DBSIZE").query_async(&mut hand).await.expect("size");
    assert_eq!(left, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_server_hangs_and_is_then_killed() {
    let mut redis = Redis::start().await;
    let run = Run::start(&trial_of(&redis)).await;
    run.acked_more(20).await;
    redis.signal(Signal::STOP);
    run.ended_as("indeterminate").await;
    redis.signal(Signal::CONT);
    run.acked_more(20).await;
    redis.kill();
    run.ended_as("refused").await;
    redis.restart().await;
    run.acked_more(20).await;
    let found = completed(run.ledgers.final_audit().await);
    assert_eq!((found.found.lost, found.found.resurrected, found.found.unexpected), (0, 0, 0), "{found:?}");
    assert_eq!(found.found.present, found.writes.acked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_no_replica_confirmed_is_indeterminate() {
    let redis = Redis::start().await;
    let mut session = store_of(&redis, 1).connect().await.expect("connected");
    let answer = session.write(RUN, ID).await;
    assert_eq!(answer.outcome, Outcome::Indeterminate);
    assert_eq!(answer.reason.as_deref(), Some("0 of 1 replicas confirmed"));
    let rows = session.read_all(RUN, None).await.expect("read");
    assert!(matches!(rows[..], [row] if row.id == ID && row.intact));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_and_a_master_without_replicas_refuse_writes() {
    let redis = Redis::start().await;
    let mut hand = redis.client().await;
    let mut session = store_of(&redis, 0).connect().await.expect("connected");
    cmd("CONFIG")
        .arg(&["SET", "min-replicas-to-write", "1"])
        .exec_async(&mut hand)
        .await
        .expect("configured");
    let answer = session.write(RUN, ID).await;
    assert_eq!(answer.outcome, Outcome::Refused, "{answer:?}");
    assert!(answer.reason.is_some_and(|reason| reason.contains("NOREPLICAS")));
    cmd("REPLICAOF").arg(&["127.0.0.1", "1"]).exec_async(&mut hand).await.expect("demoted");
    let answer = session.write(RUN, ID).await;
    assert_eq!(answer.outcome, Outcome::Refused, "{answer:?}");
    assert!(matches!(session.read_all(RUN, None).await, Err(StoreError::NotPrimary)));
}
