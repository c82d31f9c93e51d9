//! The ledger in Redis: one hash a run, one field a write; the data set is made of keys of their own.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError, cmd};

use super::{Answer, Dataset, PAGE, PAGE_LIMIT, StoreError, classify, within};
use crate::errors::chain;
use crate::ledger::audit::Row;
use crate::ledger::record::{Outcome, Payload, WriteId};
use crate::trial::RedisAddress;

/// Milliseconds that `WAIT` waits: less than a write may take, so that the count of replicas is heard.
const WAIT_MILLIS: u32 = 1000;

/// A write that nobody made: what stands for a field that is no id.
const NOBODY: WriteId = WriteId { worker: u32::MAX, seq: u64::MAX };

/// Name and value in a hash.
type Field = (Vec<u8>, Vec<u8>);

/// Redis at the address that clients use.
#[derive(Debug, Clone)]
pub struct Redis {
    client: Client,
    wait_replicas: u32,
}

/// A connection; used for one command at a time, since `WAIT` speaks of the writes of its own connection.
pub struct Session {
    connection: MultiplexedConnection,
    wait_replicas: u32,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("wait_replicas", &self.wait_replicas).finish_non_exhaustive()
    }
}

impl Redis {
    /// At this address; a write is acknowledged once `wait_replicas` replicas confirmed it.
    pub fn new(address: &RedisAddress, wait_replicas: u32) -> Result<Self, StoreError> {
        let client = Client::open(address.info().clone()).map_err(|_| StoreError::Endpoint)?;
        Ok(Self { client, wait_replicas })
    }

    pub(super) async fn connect(&self) -> Result<Session, StoreError> {
        // The limits are ours, around whole operations.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config);
        let connection = connection.await.map_err(failed("connecting"))?;
        Ok(Session { connection, wait_replicas: self.wait_replicas })
    }

    /// Deletes what one run wrote, or all runs with `None`.
    pub async fn cleanup(&self, run: Option<&str>) -> Result<(), StoreError> {
        let mut session = within(PAGE_LIMIT, "connecting", self.connect()).await?;
        for pattern in [ledger_key(run.unwrap_or("*")), dataset_key(run.unwrap_or("*"), "*")] {
            session.unlink(&pattern).await?;
        }
        Ok(())
    }
}

impl Session {
    pub(super) async fn write(&mut self, run: &str, id: WriteId) -> Answer {
        let field = format!("{}:{}", id.worker, id.seq);
        self.confirmed(cmd("HSET").arg(ledger_key(run)).arg(field).arg(value_of(run, id))).await
    }

    /// MSET: all keys or none, and one answer.
    pub(super) async fn write_dataset(&mut self, run: &str, ids: &[WriteId]) -> Answer {
        let mut set = cmd("MSET");
        for &id in ids {
            set.arg(dataset_key(run, &id.seq.to_string())).arg(value_of(run, id));
        }
        self.confirmed(&set).await
    }

    /// Does `write` and waits for the replicas.
    async fn confirmed(&mut self, write: &Cmd) -> Answer {
        if let Err(error) = write.query_async::<redis::Value>(&mut self.connection).await {
            return Answer::other(classify::redis_error(error.code()), chain(&error));
        }
        if self.wait_replicas == 0 {
            return Answer::acked();
        }
        let mut wait = cmd("WAIT");
        wait.arg(self.wait_replicas).arg(WAIT_MILLIS);
        match wait.query_async::<u32>(&mut self.connection).await {
            // The write is done on the master: whatever WAIT says, it is not refused.
            Err(error) => Answer::other(Outcome::Indeterminate, chain(&error)),
            Ok(confirmed) => match classify::redis_confirmed(self.wait_replicas, confirmed) {
                Outcome::Acked => Answer::acked(),
                outcome => {
                    let wanted = self.wait_replicas;
                    Answer::other(outcome, format!("{confirmed} of {wanted} replicas confirmed"))
                }
            },
        }
    }

    pub(super) async fn read_all(
        &mut self,
        run: &str,
        dataset: Option<Dataset>,
    ) -> Result<Vec<Row>, StoreError> {
        self.confirm_master().await?;
        let mut rows = self.read_ledger(run).await?;
        if let Some(dataset) = dataset {
            self.read_dataset(run, dataset, &mut rows).await?;
        }
        self.confirm_master().await?;
        Ok(rows)
    }

    async fn read_ledger(&mut self, run: &str) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        let mut cursor = 0u64;
        loop {
            let mut scan = cmd("HSCAN");
            scan.arg(ledger_key(run)).arg(cursor).arg("COUNT").arg(PAGE);
            let (next, fields): (u64, Vec<Field>) = self.ask(&scan, "reading the ledger").await?;
            rows.extend(fields.iter().map(|(field, value)| row_of(run, field, value)));
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        // A scan may name a field more than once; a hash cannot hold it more than once.
        rows.sort_unstable_by_key(|row| row.id);
        rows.dedup();
        Ok(rows)
    }

    async fn read_dataset(
        &mut self,
        run: &str,
        dataset: Dataset,
        rows: &mut Vec<Row>,
    ) -> Result<(), StoreError> {
        let ids: Vec<WriteId> =
            (0..dataset.attempted).map(|seq| WriteId { worker: dataset.worker, seq }).collect();
        for page in ids.chunks(PAGE as usize) {
            let mut get = cmd("MGET");
            for id in page {
                get.arg(dataset_key(run, &id.seq.to_string()));
            }
            let values: Vec<Option<Vec<u8>>> = self.ask(&get, "reading the data set").await?;
            let found = page.iter().zip(values).filter_map(|(&id, value)| {
                value.map(|value| Row { id, intact: value == value_of(run, id).as_bytes() })
            });
            rows.extend(found);
        }
        Ok(())
    }

    async fn confirm_master(&mut self) -> Result<(), StoreError> {
        let role: Vec<redis::Value> = self.ask(&cmd("ROLE"), "asking whether it is the master").await?;
        let name = role.into_iter().next().and_then(|name| redis::from_redis_value::<String>(name).ok());
        if name.as_deref() == Some("master") { Ok(()) } else { Err(StoreError::NotPrimary) }
    }

    async fn unlink(&mut self, pattern: &str) -> Result<(), StoreError> {
        let doing = "removing the ledger";
        let mut cursor = 0u64;
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(PAGE);
            let (next, keys): (u64, Vec<String>) = self.ask(&scan, doing).await?;
            if !keys.is_empty() {
                let _: u64 = self.ask(cmd("UNLINK").arg(keys), doing).await?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    async fn ask<T: FromRedisValue>(&mut self, command: &Cmd, doing: &'static str) -> Result<T, StoreError> {
        let answer = command.query_async(&mut self.connection);
        within(PAGE_LIMIT, doing, async { answer.await.map_err(failed(doing)) }).await
    }
}

fn ledger_key(run: &str) -> String {
    format!("ordeal:ledger:{run}")
}

fn dataset_key(run: &str, key: &str) -> String {
    format!("ordeal:dataset:{run}:{key}")
}

fn value_of(run: &str, id: WriteId) -> String {
    let Payload { text, crc } = Payload::of(run, id);
    format!("{text}:{crc:08x}")
}

fn row_of(run: &str, field: &[u8], value: &[u8]) -> Row {
    let field = String::from_utf8_lossy(field);
    let id = field
        .split_once(':')
        .and_then(|(worker, seq)| Some(WriteId { worker: worker.parse().ok()?, seq: seq.parse().ok()? }));
    // A second spelling of an id ("01:7") is not the id.
    let id = id.filter(|id| format!("{}:{}", id.worker, id.seq) == field).unwrap_or(NOBODY);
    Row { id, intact: value == value_of(run, id).as_bytes() }
}

fn failed(doing: &'static str) -> impl FnOnce(RedisError) -> StoreError {
    move |source| StoreError::Redis { doing, source }
}
