use std::time::Duration;

use exporter::trial::{ComponentKind, Store, Trial};
use tokio_postgres::NoTls;

use crate::servers::Server;
use crate::support::{Run, first_store, hold, name, postgres_at, trial};

/// Runs `sql` as the server's owner; the first column of its first row.
pub(crate) async fn sql(address: &str, sql: &str) -> Result<Option<String>, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await?;
    let driver = tokio::spawn(connection);
    let answer = client.simple_query(sql).await;
    driver.abort();
    Ok(answer?.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    }))
}

/// Waits until the server at `address` answers.
pub(crate) async fn served(address: &str) {
    while sql(address, "SELECT 1").await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn probing(server: &Server) -> Trial {
    let endpoint = postgres_at(&server.postgres_address());
    let store = Store { name: name("postgres"), endpoint, instances: vec![], failover: None };
    trial("http://127.0.0.1:1", vec![store], vec![("it", ComponentKind::Store { store: first_store() })])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_that_is_shut_down_and_restarted() {
    let mut server = Server::postgres(None);
    let address = server.postgres_address();
    served(&address).await;
    let run = Run::start(&probing(&server)).await;
    run.warm().await;
    let began = server.shut_down(run.clock);
    tokio::time::sleep_until(run.clock.instant(began.1.later_by(Duration::from_secs(2)))).await;
    let write = "UPDATE ordeal_probe SET at = at WHERE slot < 0";
    let ended = server.restart(run.clock, || async { sql(&address, write).await.is_ok() }).await;
    let outage = run.lasting().await;
    hold(&run, &outage, began, ended);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_waits_for_its_standby_is_a_time_out_and_leaves_no_backend_behind() {
    let server = Server::postgres(None);
    let address = server.postgres_address();
    served(&address).await;
    let trial = probing(&server);
    let run = Run::start(&trial).await;
    run.warm().await;
    sql(&address, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await.expect("a setting");
    sql(&address, "SELECT pg_reload_conf()").await.expect("a reload");
    let failed = "ordeal_probes_total{component=\"it\",outcome=\"failed\"}";
    run.until("commits that wait", |run| run.value(failed) >= 40.0).await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let stuck: usize =
        sql(&address, waiting).await.expect("a count").expect("a row").parse().expect("a number");
    assert!(stuck <= 30, "{stuck} backends wait for a standby: about 20 probes are outstanding");
    sql(&address, "ALTER SYSTEM RESET synchronous_standby_names").await.expect("a setting");
    sql(&address, "SELECT pg_reload_conf()").await.expect("a reload");
    let outage = run.lasting().await;
    assert!(outage.last_failed.since(outage.first_failed) >= Duration::from_secs(1), "{outage:?}");
    run.stop().await;
    exporter::health::remove(&trial).await.expect("no tables");
    let left = sql(&address, "SELECT to_regclass('ordeal_probe')").await.expect("an answer");
    assert_eq!(left, None);
}
