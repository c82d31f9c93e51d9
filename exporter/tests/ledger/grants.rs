//! The SQL that the program prints, carried out by psql, and a role that has nothing but its grants.

use std::io::Write as _;
use std::process::{Command, Stdio};

use exporter::clock::Clock;
use exporter::cluster;
use exporter::health::{self, Health};
use exporter::ledger::{self, Scope};
use exporter::trial::{ProcessEnvironment, Trial};
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

use crate::servers::{Postgres, eventually};
use crate::support::Run;

fn prepare(postgres: &Postgres) -> String {
    let mut psql = Command::new("psql")
        .args(["-X", "-v", "ON_ERROR_STOP=1", &postgres.url()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("psql starts");
    let sql = exporter::app::sql();
    psql.stdin.take().expect("its input").write_all(sql.as_bytes()).expect("written");
    let ended = psql.wait_with_output().expect("psql ends");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{said}");
    said
}

/// A trial whose every use of PostgreSQL is made by the role of the printed SQL.
fn trial_of(postgres: &Postgres) -> Trial {
    let address = postgres.url_of("ordeal");
    let text = format!(
        "target: http://127.0.0.1:1
load: {{users: 1, spawn_rate: 1, duration: 1m, tasks: [{{name: none, journey: [GET /]}}]}}
stores: [{{name: store, postgres: \"{address}\", instances: [{{name: a, at: \"{address}\"}}, {{name: b, command: [false]}}]}}]
components: [{{name: postgres, store: store}}]
ledgers: [{{store: store}}]
"
    );
    exporter::trial::parse(&text, "trial.yaml".as_ref(), &ProcessEnvironment).expect("a trial")
}

async fn rows(postgres: &Postgres, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM {table}");
    postgres.client().await.query_one(&count, &[]).await.expect("the table is there").get(0)
}

const TABLES: [&str; 3] = ["ordeal_probe", "ordeal_instance", "ordeal_ledger"];

#[tokio::test(flavor = "multi_thread")]
async fn the_grants_of_the_printed_sql_are_enough_for_a_run_and_its_cleanup() {
    let postgres = Postgres::start().await;
    prepare(&postgres);
    prepare(&postgres);
    let trial = trial_of(&postgres);
    health::ensure(&trial).await.expect("the tables of the probes are found, not made");

    let run = Run::start(&trial).await;
    let (registry, stop) = (Registry::new(), CancellationToken::new());
    let feed = cluster::start(None, Clock::start(), &registry, stop.clone()).expect("no document");
    let health = Health::start(&trial, run.clock, &registry, feed, &stop).expect("starts");
    run.acked_more(20).await;
    for table in TABLES {
        eventually("rows are written", async || (rows(&postgres, table).await > 0).then_some(())).await;
    }
    stop.cancel();
    health.stopped().await;
    run.ledgers.final_audit().await;

    let kept = ledger::cleanup(&trial, Scope::Run(crate::support::RUN)).await.expect("rows of a run go");
    assert_eq!(kept, Vec::<String>::new());
    let mut emptied = health::remove(&trial).await.expect("emptied");
    emptied.extend(ledger::cleanup(&trial, Scope::All).await.expect("emptied"));
    assert_eq!(emptied, TABLES.map(|table| format!("store: {table}")));
    for table in TABLES {
        assert_eq!(rows(&postgres, table).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_drops_the_tables() {
    let postgres = Postgres::start().await;
    let mut trial = trial_of(&postgres);
    let own = exporter::trial::PostgresAddress::parse(&postgres.url()).expect("an address");
    trial.stores[0].endpoint = exporter::trial::Endpoint::Postgres(own);
    health::ensure(&trial).await.expect("tables");
    ledger::ensure_schema(&trial).await.expect("table");
    assert_eq!(health::remove(&trial).await.expect("dropped"), Vec::<String>::new());
    assert_eq!(ledger::cleanup(&trial, Scope::All).await.expect("dropped"), Vec::<String>::new());
    let left = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'ordeal%'";
    let left: i64 = postgres.client().await.query_one(left, &[]).await.expect("counted").get(0);
    assert_eq!(left, 0);
}
