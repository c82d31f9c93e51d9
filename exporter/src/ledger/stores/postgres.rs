//! The ledger in PostgreSQL: a table, one INSERT a write, each its own transaction.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket, tls::NoTlsStream};
use tokio_util::task::AbortOnDropHandle;

use super::{Answer, PAGE, PAGE_LIMIT, StoreError, classify, within};
use crate::errors::chain;
use crate::ledger::audit::Row;
use crate::ledger::record::{Outcome, Payload, WriteId};
use crate::trial::PostgresAddress;

/// The table of all runs' writes.
pub const TABLE: &str = "\
CREATE TABLE IF NOT EXISTS ordeal_ledger (
    run text NOT NULL,
    worker integer NOT NULL,
    seq bigint NOT NULL,
    payload text NOT NULL,
    crc bigint NOT NULL,
    PRIMARY KEY (run, worker, seq)
);
";

/// PostgreSQL at the address that clients use.
#[derive(Debug, Clone)]
pub struct Postgres {
    config: Config,
}

/// What a cleanup came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// Nothing of what was to go is left.
    Gone,
    /// The table is another role's and stays, without a row.
    Emptied,
}

/// A connection, and the task that drives it.
#[derive(Debug)]
pub struct Session {
    client: Client,
    warning: Arc<Mutex<Option<String>>>,
    _driver: AbortOnDropHandle<()>,
}

impl Postgres {
    /// At this address.
    pub fn new(address: &PostgresAddress) -> Self {
        Self { config: address.config("ordeal-ledger") }
    }

    pub(super) async fn connect(&self) -> Result<Session, StoreError> {
        let (client, connection) = self.config.connect(NoTls).await.map_err(failed("connecting"))?;
        let warning = Arc::default();
        let driver = AbortOnDropHandle::new(tokio::spawn(drive(connection, Arc::clone(&warning))));
        let session = Session { client, warning, _driver: driver };
        // A role may have silenced warnings, and with them the one that takes an acknowledgement back.
        session.run("SET client_min_messages TO warning", "preparing the session").await?;
        Ok(session)
    }

    /// Makes the table, if it is not there: creating needs more privileges than using.
    pub async fn ensure_schema(&self) -> Result<(), StoreError> {
        let session = within(PAGE_LIMIT, "connecting", self.connect()).await?;
        let doing = "looking for the ledger's table";
        let there = session.client.query_one("SELECT to_regclass('ordeal_ledger') IS NOT NULL", &[]);
        let row = within(PAGE_LIMIT, doing, async { there.await.map_err(failed(doing)) }).await?;
        if row.get(0) {
            return Ok(());
        }
        let doing = "creating the ledger's table";
        within(PAGE_LIMIT, doing, session.run(TABLE, doing)).await
    }

    /// Deletes the writes of one run; the table with `None`.
    pub async fn cleanup(&self, run: Option<&str>) -> Result<Removed, StoreError> {
        let doing = "removing the ledger";
        let session = within(PAGE_LIMIT, "connecting", self.connect()).await?;
        let removed = async {
            match run {
                Some(run) => session.delete(run).await.map(|()| Removed::Gone),
                None => session.drop_table().await,
            }
        };
        within(PAGE_LIMIT * 6, doing, async { removed.await.map_err(failed(doing)) }).await
    }
}

impl Session {
    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// One INSERT by the simple protocol: there the server says that it is done after the commit and its warnings.
    /// By the extended protocol it says so before, and the commit only follows at the next `Sync`.
    pub(super) async fn write(&mut self, run: &str, id: WriteId) -> Answer {
        let Payload { text, crc } = Payload::of(run, id);
        // Run ids hold no quotes (the record refuses them), payloads are hexadecimal.
        let insert = format!(
            "INSERT INTO ordeal_ledger (run, worker, seq, payload, crc) \
             VALUES ('{run}', {}, {}, '{text}', {crc})",
            id.worker, id.seq
        );
        self.warned();
        match self.client.batch_execute(&insert).await {
            Ok(()) => {
                self.warned().map_or_else(Answer::acked, |text| Answer::other(Outcome::Indeterminate, text))
            }
            Err(error) => {
                let outcome = error.as_db_error().map_or(Outcome::Indeterminate, |said| {
                    let ends_session = said.parsed_severity() != Some(Severity::Error);
                    classify::postgres_error(said.code().code(), ends_session)
                });
                Answer::other(outcome, chain(&error))
            }
        }
    }

    pub(super) async fn read_all(&mut self, run: &str) -> Result<Vec<Row>, StoreError> {
        let doing = "reading the ledger";
        within(PAGE_LIMIT, doing, self.confirm_primary()).await?;
        let mut rows: Vec<Row> = Vec::new();
        let mut after = (i32::MIN, i64::MIN);
        loop {
            let page = within(PAGE_LIMIT, doing, self.page(run, after)).await?;
            let full = page.len() == PAGE as usize;
            if let Some(&(worker, seq, _)) = page.last() {
                after = (worker, seq);
            }
            rows.extend(page.into_iter().map(|(worker, seq, intact)| Row { id: id_of(worker, seq), intact }));
            if !full {
                break;
            }
        }
        within(PAGE_LIMIT, doing, self.confirm_primary()).await?;
        Ok(rows)
    }

    async fn page(&self, run: &str, after: (i32, i64)) -> Result<Vec<(i32, i64, bool)>, StoreError> {
        let statement = "SELECT worker, seq, payload, crc FROM ordeal_ledger \
            WHERE run = $1 AND (worker, seq) > ($2, $3) ORDER BY worker, seq LIMIT $4";
        let limit = i64::from(PAGE);
        let rows = self
            .client
            .query_typed(
                statement,
                &[(&run, Type::TEXT), (&after.0, Type::INT4), (&after.1, Type::INT8), (&limit, Type::INT8)],
            )
            .await
            .map_err(failed("reading the ledger"))?;
        let intact = |worker: i32, seq: i64, text: &str, crc: i64| {
            u32::try_from(crc).is_ok_and(|crc| Payload::is_intact(run, id_of(worker, seq), text, crc))
        };
        let row = |row: &tokio_postgres::Row| {
            let (worker, seq) = (row.get(0), row.get(1));
            (worker, seq, intact(worker, seq, row.get(2), row.get(3)))
        };
        Ok(rows.iter().map(row).collect())
    }

    async fn confirm_primary(&self) -> Result<(), StoreError> {
        let doing = "asking whether it is the primary";
        let row = self.client.query_typed("SELECT pg_is_in_recovery()", &[]).await.map_err(failed(doing))?;
        let in_recovery = row.first().is_none_or(|row| row.get(0));
        if in_recovery { Err(StoreError::NotPrimary) } else { Ok(()) }
    }

    async fn delete(&self, run: &str) -> Result<(), tokio_postgres::Error> {
        let statement = "DELETE FROM ordeal_ledger WHERE run = $1";
        match self.client.execute_typed(statement, &[(&run, Type::TEXT)]).await {
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Whoever only has the grants and does not own the table empties it.
    async fn drop_table(&self) -> Result<Removed, tokio_postgres::Error> {
        match self.client.batch_execute("DROP TABLE IF EXISTS ordeal_ledger").await {
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                self.client.batch_execute("DELETE FROM ordeal_ledger").await.map(|()| Removed::Emptied)
            }
            dropped => dropped.map(|()| Removed::Gone),
        }
    }

    async fn run(&self, statement: &str, doing: &'static str) -> Result<(), StoreError> {
        self.client.batch_execute(statement).await.map_err(failed(doing))
    }

    /// Takes the warning that came since the last call.
    fn warned(&self) -> Option<String> {
        self.warning.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Drives the connection and keeps the last warning. The server sends a warning before its statement's end, and
/// the client hands messages on in their order, so it is kept by the time the statement returns.
async fn drive(mut connection: Connection<Socket, NoTlsStream>, warning: Arc<Mutex<Option<String>>>) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message
            && classify::postgres_notice(severity(&notice))
        {
            *warning.lock().unwrap_or_else(PoisonError::into_inner) = Some(notice.to_string());
        }
    }
}

/// The severity in English, which the server's locale does not change.
fn severity(notice: &DbError) -> &'static str {
    match notice.parsed_severity() {
        Some(Severity::Notice) => "NOTICE",
        Some(Severity::Info) => "INFO",
        Some(Severity::Log) => "LOG",
        Some(Severity::Debug) => "DEBUG",
        _ => "WARNING",
    }
}

/// Ids made by hand may be negative: they become ids that no writer has.
fn id_of(worker: i32, seq: i64) -> WriteId {
    WriteId { worker: worker.cast_unsigned(), seq: seq.cast_unsigned() }
}

fn failed(doing: &'static str) -> impl FnOnce(tokio_postgres::Error) -> StoreError {
    move |source| StoreError::Postgres { doing, source }
}
