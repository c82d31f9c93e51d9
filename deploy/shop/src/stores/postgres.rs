//! `PostgreSQL`: a small pool behind a gate. Every operation is one statement, so each is atomic and may be
//! repeated as a whole.
//!
//! A commit that an isolated synchronous primary can neither confirm nor refuse is abandoned after
//! [`STATEMENT_LIMIT`] and repeated, by then usually on the new primary. It is not cancelled: a cancelled
//! wait would make the row visible here before any other server has it.

use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
    Timeouts,
};
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls, Row};

use super::deadline::Deadline;
use super::gate::Gate;
use super::retry::{self, CONNECT_LIMIT, Class, STATEMENT_LIMIT};
use super::{Classified, StoreError, ride_out};
use crate::metrics::StoreMetrics;

/// Values for a statement's parameters.
pub(crate) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A failed attempt.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttemptError {
    /// No connection.
    #[error("get a connection")]
    Pool(#[source] PoolError),
    /// The server refused, or the connection broke.
    #[error("run a statement")]
    Statement(#[source] tokio_postgres::Error),
    /// No answer in time.
    #[error("no answer within {0:?}")]
    Slow(Duration),
    /// The address leads to a server in recovery.
    #[error("server is a replica")]
    Replica,
}

impl Classified for AttemptError {
    fn class(&self) -> Class {
        match self {
            // The pool is busy with requests that find out themselves what is wrong.
            Self::Pool(PoolError::Timeout(TimeoutType::Wait)) => Class::NotYet,
            Self::Pool(PoolError::Backend(error)) | Self::Statement(error) => class(error),
            Self::Pool(_) => Class::Unreachable,
            Self::Slow(_) => Class::TimedOut,
            Self::Replica => Class::NotPrimary,
        }
    }
}

fn class(error: &tokio_postgres::Error) -> Class {
    if let Some(code) = error.code() {
        return retry::of_sqlstate(code.code());
    }
    let source = std::error::Error::source(error);
    let broken = source.is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
    if broken || error.is_closed() { Class::Unreachable } else { Class::Permanent }
}

/// A connection string that is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// It does not parse.
    #[error("read the PostgreSQL connection string")]
    Url(#[source] tokio_postgres::Error),
    /// The pool cannot be built.
    #[error("build the PostgreSQL pool")]
    Pool(#[source] deadpool_postgres::BuildError),
}

/// The shop's database.
pub(crate) struct Database {
    config: Config,
    pool: Pool,
    gate: std::sync::Arc<Gate>,
    metrics: StoreMetrics,
}

impl Database {
    /// Prepares a pool of `size` connections; opens none yet.
    pub(crate) fn new(
        url: &str,
        instance: &str,
        size: u16,
        metrics: StoreMetrics,
    ) -> Result<Self, SetupError> {
        let mut config: Config = url.parse().map_err(SetupError::Url)?;
        // The server ends what we abandoned (a wait for a lock), shortly after us.
        let options = format!("{} -c statement_timeout=2500", config.get_options().unwrap_or_default());
        config.application_name(format!("shop/{instance}")).connect_timeout(CONNECT_LIMIT).options(options);

        let gate = std::sync::Arc::new(Gate::new("postgres"));
        let manager = Manager::from_config(
            config.clone(),
            NoTls,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let trust = std::sync::Arc::clone(&gate);
        let pool = Pool::builder(manager)
            .max_size(usize::from(size))
            .runtime(Runtime::Tokio1)
            .pre_recycle(Hook::sync_fn(move |_, connection| {
                if trust.distrusts(connection.created) {
                    return Err(HookError::message("made before the last suspicion"));
                }
                Ok(())
            }))
            .build()
            .map_err(SetupError::Pool)?;
        Ok(Self { config, pool, gate, metrics })
    }

    /// The rows of one statement, through failovers.
    pub(crate) async fn query(
        &self,
        deadline: Deadline,
        statement: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        ride_out(&self.gate, &self.metrics, deadline, || self.attempt(deadline, statement, parameters)).await
    }

    /// Keeps the gate; never returns.
    pub(crate) async fn keep(&self) {
        self.gate.keep(|| self.probe()).await;
    }

    /// Runs a whole script in one transaction, waiting up to `limit` for it, on a connection of its own.
    pub(crate) async fn script(&self, script: &str, limit: Duration) -> Result<(), AttemptError> {
        let mut config = self.config.clone();
        config.options(format!("-c statement_timeout={}", limit.as_millis()));
        on_own_connection(&config, limit, async |client| client.batch_execute(script).await).await
    }

    /// Asks whether the address leads to a server that takes writes.
    async fn probe(&self) -> Result<(), AttemptError> {
        let ask =
            async |client: &tokio_postgres::Client| client.query_one("SELECT pg_is_in_recovery()", &[]).await;
        let row = on_own_connection(&self.config, CONNECT_LIMIT, ask).await?;
        if row.get(0) { Err(AttemptError::Replica) } else { Ok(()) }
    }

    async fn attempt(
        &self,
        deadline: Deadline,
        statement: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, AttemptError> {
        let timeouts = Timeouts {
            wait: Some(deadline.cut(STATEMENT_LIMIT)),
            create: Some(deadline.cut(CONNECT_LIMIT)),
            recycle: Some(CONNECT_LIMIT),
        };
        let lease = Lease(Some(self.pool.timeout_get(&timeouts).await.map_err(AttemptError::Pool)?));
        let limit = deadline.cut(STATEMENT_LIMIT);
        let run = async {
            let connection = lease.connection();
            let prepared = connection.prepare_cached(statement).await?;
            connection.query(&prepared, parameters).await
        };
        let answer = timeout(limit, run).await.map_err(|_| AttemptError::Slow(limit))?;
        match answer {
            Err(error) if class(&error) != Class::Permanent => Err(AttemptError::Statement(error)),
            answer => {
                lease.give_back();
                answer.map_err(AttemptError::Statement)
            }
        }
    }
}

/// A pooled connection that goes back only after its answer was read whole. Dropped before that (time-out,
/// broken connection, a client that went away), it is closed: the next user would wait for our answer.
struct Lease(Option<Object>);

impl Lease {
    fn connection(&self) -> &Object {
        self.0.as_ref().expect("a lease holds its connection until it is given back")
    }

    fn give_back(mut self) {
        self.0 = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection));
        }
    }
}

async fn on_own_connection<T>(
    config: &Config,
    limit: Duration,
    work: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, tokio_postgres::Error>,
) -> Result<T, AttemptError> {
    let whole = async {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::select! {
            result = work(&client) => result,
            // The connection's end also ends the work, with the reason.
            Err(error) = connection => Err(error),
        }
    };
    timeout(limit, whole).await.map_err(|_| AttemptError::Slow(limit))?.map_err(AttemptError::Statement)
}
