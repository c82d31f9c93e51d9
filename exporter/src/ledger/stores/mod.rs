//! The stores that a ledger writes to and reads back from, through the address that clients use.

mod classify;
pub mod postgres;
pub mod redis;

use std::future::Future;
use std::time::Duration;

use super::audit::Row;
use super::record::{Outcome, WriteId};
use crate::trial;

/// A connection that takes longer has failed.
const CONNECT_LIMIT: Duration = Duration::from_millis(1500);

/// A write without an answer after this long is indeterminate, and its connection given up: a late answer must
/// not be taken for the next write's.
const WRITE_LIMIT: Duration = Duration::from_secs(2);

/// A page of an audit's reading that takes longer has failed.
const PAGE_LIMIT: Duration = Duration::from_secs(10);

/// Rows read at once.
const PAGE: u32 = 5000;

/// What failed at a store. No text holds a connection string.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The client cannot use the trial's address.
    #[error("using the store's address")]
    Endpoint,
    /// PostgreSQL or the way to it failed.
    #[error("{doing} in PostgreSQL")]
    Postgres {
        /// What was being done.
        doing: &'static str,
        /// What the client said.
        #[source]
        source: tokio_postgres::Error,
    },
    /// Redis or the way to it failed.
    #[error("{doing} in Redis")]
    Redis {
        /// What was being done.
        doing: &'static str,
        /// What the client said.
        #[source]
        source: ::redis::RedisError,
    },
    /// No answer came in time.
    #[error("{doing} took longer than {limit:?}")]
    TimedOut {
        /// What was being done.
        doing: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The clients' address leads to a server that is not the primary.
    #[error("the server that answered is not the primary")]
    NotPrimary,
}

async fn within<T>(
    limit: Duration,
    doing: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(StoreError::TimedOut { doing, limit }))
}

/// How a write was answered.
#[derive(Debug)]
pub struct Answer {
    /// What it means.
    pub outcome: Outcome,
    /// Why it is not an acknowledgement.
    pub reason: Option<String>,
}

impl Answer {
    fn acked() -> Self {
        Self { outcome: Outcome::Acked, reason: None }
    }

    fn other(outcome: Outcome, reason: String) -> Self {
        Self { outcome, reason: Some(reason) }
    }
}

/// Keys written before the first fault, as a range of writes of one worker.
#[derive(Debug, Clone, Copy)]
pub struct Dataset {
    /// The worker that wrote them.
    pub worker: u32,
    /// How many it attempted.
    pub attempted: u64,
}

/// A store of a ledger.
#[derive(Debug, Clone)]
pub enum Store {
    /// PostgreSQL.
    Postgres(postgres::Postgres),
    /// Redis.
    Redis(redis::Redis),
}

impl Store {
    /// The store that `ledger` of a trial writes to.
    pub fn new(endpoint: &trial::Endpoint, wait_replicas: u32) -> Result<Self, StoreError> {
        match endpoint {
            trial::Endpoint::Postgres(address) => Ok(Self::Postgres(postgres::Postgres::new(address))),
            trial::Endpoint::Redis(address) => redis::Redis::new(address, wait_replicas).map(Self::Redis),
        }
    }

    /// A fresh connection.
    pub async fn connect(&self) -> Result<Session, StoreError> {
        let connected = async {
            match self {
                Self::Postgres(store) => store.connect().await.map(Session::Postgres),
                Self::Redis(store) => store.connect().await.map(Session::Redis),
            }
        };
        within(CONNECT_LIMIT, "connecting", connected).await
    }
}

/// A connection to a store. After any answer but an acknowledgement it is to be dropped: the server behind the
/// address may have changed.
#[derive(Debug)]
pub enum Session {
    /// To PostgreSQL.
    Postgres(postgres::Session),
    /// To Redis.
    Redis(redis::Session),
}

impl Session {
    /// Whether a write can still be sent on it.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Postgres(session) => session.is_open(),
            // Its driver tells of a broken connection only by the next answer.
            Self::Redis(_) => true,
        }
    }

    /// Sends one write and waits for its answer.
    pub async fn write(&mut self, run: &str, id: WriteId) -> Answer {
        let answer = async {
            match self {
                Self::Postgres(session) => session.write(run, id).await,
                Self::Redis(session) => session.write(run, id).await,
            }
        };
        answer_within_limit(answer).await
    }

    /// Sends keys of the data set, all or none, and waits for the answer.
    pub async fn write_dataset(&mut self, run: &str, ids: &[WriteId]) -> Answer {
        match self {
            Self::Postgres(_) => Answer::other(Outcome::Refused, "PostgreSQL has no data set".to_owned()),
            Self::Redis(session) => answer_within_limit(session.write_dataset(run, ids)).await,
        }
    }

    /// Reads all writes of the run back, from a server that is the primary before and after.
    pub async fn read_all(&mut self, run: &str, dataset: Option<Dataset>) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Postgres(session) => session.read_all(run).await,
            Self::Redis(session) => session.read_all(run, dataset).await,
        }
    }
}

async fn answer_within_limit(answer: impl Future<Output = Answer>) -> Answer {
    let late = |_| Answer::other(Outcome::Indeterminate, format!("no answer within {WRITE_LIMIT:?}"));
    tokio::time::timeout(WRITE_LIMIT, answer).await.unwrap_or_else(late)
}
