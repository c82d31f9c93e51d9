//! What the ledger says of a real `PostgreSQL`.

use exporter::ledger::audit::Counts;
use exporter::ledger::record::{Outcome, WriteId};
use exporter::ledger::stores::{Answer, Store, StoreError};
use exporter::ledger::{self, Scope};
use exporter::trial::Trial;

use crate::servers::{Postgres, eventually};
use crate::support::{RUN, Run, completed, four_writers, postgres_at, trial};

const ID: WriteId = WriteId { worker: 0, seq: 0 };

fn trial_of(postgres: &Postgres) -> Trial {
    trial(postgres_at(&postgres.url()), four_writers())
}

fn store_of(postgres: &Postgres) -> Store {
    Store::new(&postgres_at(&postgres.url()), 0).expect("endpoint")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_found_and_whatever_is_done_to_it_is_seen() {
    let postgres = Postgres::start().await;
    let trial = trial_of(&postgres);
    let run = Run::start(&trial).await;
    run.acked_more(50).await;
    let clean = run.audit_after("kill").await;
    assert_eq!(clean.found, Counts { present: clean.writes.acked, ..Counts::default() });
    assert!(clean.writes.acked >= 50 && clean.rows >= clean.writes.acked);

    let hand = postgres.client().await;
    run.acked_more(1).await;
    hand.batch_execute(
        "CREATE TABLE kept AS SELECT * FROM ordeal_ledger WHERE worker = 1 AND seq = 3;
         DELETE FROM ordeal_ledger WHERE worker = 1 AND seq = 3;
         INSERT INTO ordeal_ledger VALUES ('run-1', 77, 5, 'x', 0), ('run-1', -1, -1, 'x', 0), ('other', 0, 0, 'x', 0);
         UPDATE ordeal_ledger SET payload = payload || '0' WHERE run = 'run-1' AND worker = 2 AND seq = 3;
         ALTER TABLE ordeal_ledger DROP CONSTRAINT ordeal_ledger_pkey;
         INSERT INTO ordeal_ledger SELECT * FROM ordeal_ledger WHERE run = 'run-1' AND worker = 0 AND seq = 3;",
    )
    .await
    .expect("meddled");
    let hurt = run.audit_after("kill").await;
    let expected = Counts {
        present: hurt.writes.acked - 2,
        lost: 1,
        unexpected: 2,
        duplicate: 1,
        corrupt: 1,
        ..Counts::default()
    };
    assert_eq!(hurt.found, expected);
    assert_eq!((hurt.lost_examples[0].worker, hurt.lost_examples[0].seq), (1, 3));
    assert!(hurt.recovery_points.iter().any(|point| point.seconds > 0.0));

    hand.batch_execute("INSERT INTO ordeal_ledger SELECT * FROM kept").await.expect("put back");
    run.acked_more(1).await;
    let last = completed(run.ledgers.final_audit().await);
    assert_eq!((last.found.lost, last.worst.lost), (0, 1), "what was lost once stays lost");
    assert!((run.class("lost") - 1.0).abs() < f64::EPSILON);
    assert!((run.class("present") - (last.writes.acked - 2) as f64).abs() < f64::EPSILON);
    assert!(run.series("ordeal_ledger_audits_total{result=\"complete\"") > 2.5);
    assert!(run.series("ordeal_recovery_point_seconds") > 0.0);
    let summary = serde_json::to_value(&last).expect("serializes");
    assert_eq!(summary["lost_examples"][0]["seq"], 3);

    run.ledgers.sync().await.expect("synced");
    let again = completed(run.reopened(&trial).final_audit().await);
    assert_eq!(again.writes, last.writes, "a later process knows every write");

    ledger::cleanup(&trial, Scope::Run(RUN)).await.expect("removed");
    let left: i64 = hand.query_one("SELECT count(*) FROM ordeal_ledger", &[]).await.expect("counted").get(0);
    assert_eq!(left, 1, "another run's row stays");
    ledger::cleanup(&trial, Scope::All).await.expect("removed");
    ledger::cleanup(&trial, Scope::Run(RUN)).await.expect("nothing left to remove");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed_amid_writes() {
    let mut postgres = Postgres::start().await;
    let run = Run::start(&trial_of(&postgres)).await;
    run.acked_more(50).await;
    postgres.kill();
    run.ended_as("refused").await;
    postgres.restart().await;
    run.acked_more(20).await;
    let found = completed(run.ledgers.final_audit().await);
    assert_eq!((found.found.lost, found.found.resurrected, found.found.unexpected), (0, 0, 0), "{found:?}");
    assert_eq!(found.found.present, found.writes.acked);
    assert!(found.writes.refused > 0, "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_wait_for_the_synchronous_standby_is_no_acknowledgement() {
    let postgres = Postgres::start().await;
    ledger::ensure_schema(&trial_of(&postgres)).await.expect("schema");
    let hand = postgres.client().await;
    // The role has warnings silenced: the ledger must hear them all the same.
    hand.batch_execute("ALTER ROLE owner SET client_min_messages = error").await.expect("silenced");
    hand.batch_execute("ALTER SYSTEM SET synchronous_standby_names = 'ghost'").await.expect("configured");
    hand.batch_execute("SELECT pg_reload_conf()").await.expect("reloaded");
    eventually("a standby is waited for", async || {
        let row = hand.query_one("SHOW synchronous_standby_names", &[]).await.ok()?;
        (row.get::<_, String>(0) == "ghost").then_some(())
    })
    .await;

    let (writes, answer) = first_write_that_waits(&postgres, &hand).await;
    assert_eq!(answer.outcome, Outcome::Indeterminate, "{answer:?}");
    assert!(
        answer.reason.is_some_and(|reason| reason.contains("canceling wait for synchronous replication"))
    );
    let there: i64 = hand.query_one("SELECT count(*) FROM ordeal_ledger", &[]).await.expect("counted").get(0);
    assert_eq!(there, writes, "it is committed here, though no standby has it");
}

/// Writes until one waits for the standby, cancels that one, and returns how many were written and its answer.
/// (A session knows the new setting at once; whom to wait for it is told by the checkpointer, some time later.)
async fn first_write_that_waits(postgres: &Postgres, hand: &tokio_postgres::Client) -> (i64, Answer) {
    let mut session = store_of(postgres).connect().await.expect("connected");
    for writes in 1_u64.. {
        let id = WriteId { worker: 0, seq: writes };
        let write = tokio::spawn(async move { (session.write(RUN, id).await, session) });
        eventually("the write ends, cancelled if it waits", async || {
            let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
            hand.query(cancel, &[]).await.ok().filter(|_| write.is_finished())
        })
        .await;
        let answer;
        (answer, session) = write.await.expect("answered");
        if answer.outcome != Outcome::Acked {
            return (i64::try_from(writes).expect("few"), answer);
        }
    }
    unreachable!("the checkpointer tells it in the end")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_refuses_writes_and_is_no_place_to_audit() {
    let mut postgres = Postgres::start().await;
    ledger::ensure_schema(&trial_of(&postgres)).await.expect("schema");
    postgres.kill();
    std::fs::write(postgres.data().join("standby.signal"), "").expect("signal file");
    postgres.restart().await;
    let mut session = store_of(&postgres).connect().await.expect("connected");
    assert_eq!(session.write(RUN, ID).await.outcome, Outcome::Refused);
    assert!(matches!(session.read_all(RUN, None).await, Err(StoreError::NotPrimary)));
}
