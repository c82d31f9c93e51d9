//! Redis: one multiplexed connection behind a gate. Carts live in it and wait for a failover like any other
//! work; cached answers never wait, without them the database is asked.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, Pipeline, RedisError};
use tokio::time::timeout;

use super::deadline::Deadline;
use super::gate::Gate;
use super::retry::{self, CONNECT_LIMIT, Class};
use super::{Classified, StoreError, ride_out};
use crate::metrics::StoreMetrics;

/// A command that has no answer after this long has failed.
const COMMAND_LIMIT: Duration = Duration::from_secs(1);

/// A cache that does not answer within this is worth less than the database.
const CACHE_LIMIT: Duration = Duration::from_millis(250);

/// Carts that nobody touched for so long are forgotten.
const CART_SECONDS: i64 = 3600;

/// A failed attempt.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttemptError {
    /// The server refused, or the connection broke.
    #[error("run a command")]
    Command(#[source] RedisError),
    /// No answer in time.
    #[error("no answer within {0:?}")]
    Slow(Duration),
    /// No connection at all.
    #[error("not connected")]
    NotConnected,
    /// The address leads to a replica.
    #[error("server is a replica")]
    Replica,
}

impl Classified for AttemptError {
    fn class(&self) -> Class {
        match self {
            Self::Command(error) => class(error),
            Self::Slow(_) => Class::TimedOut,
            Self::NotConnected => Class::Unreachable,
            Self::Replica => Class::NotPrimary,
        }
    }
}

fn class(error: &RedisError) -> Class {
    match error.kind() {
        ErrorKind::Io | ErrorKind::Parse => Class::Unreachable,
        ErrorKind::Server(_) | ErrorKind::Extension => {
            let errors = error.clone().into_server_errors();
            let first = errors.as_deref().and_then(|errors| errors.first());
            first.map_or(Class::Permanent, |(_, error)| retry::of_redis_code(error.code()))
        }
        _ => Class::Permanent,
    }
}

/// The URL is none.
#[derive(Debug, thiserror::Error)]
#[error("read the Redis URL")]
pub(crate) struct SetupError(#[source] RedisError);

/// The shop's Redis.
pub(crate) struct KeyValue {
    client: Client,
    connection: Mutex<Option<MultiplexedConnection>>,
    gate: Gate,
    metrics: StoreMetrics,
}

impl KeyValue {
    /// Prepares a client; connects not yet.
    pub(crate) fn new(url: &str, metrics: StoreMetrics) -> Result<Self, SetupError> {
        let client = Client::open(url).map_err(SetupError)?;
        Ok(Self { client, connection: Mutex::new(None), gate: Gate::new("redis"), metrics })
    }

    /// Keeps the gate; never returns.
    pub(crate) async fn keep(&self) {
        self.gate.keep(|| self.connect()).await;
    }

    /// Sets the quantity of a product in a cart (0 takes it out) and returns the cart.
    pub(crate) async fn set_in_cart(
        &self,
        deadline: Deadline,
        cart: &str,
        sku: &str,
        quantity: u32,
    ) -> Result<HashMap<String, u32>, StoreError> {
        let mut commands = redis::pipe();
        if quantity == 0 {
            commands.hdel(cart, sku).ignore();
        } else {
            commands.hset(cart, sku, quantity).ignore();
        }
        commands.expire(cart, CART_SECONDS).ignore().hgetall(cart);
        let (items,) = self.run(deadline, &commands).await?;
        Ok(items)
    }

    /// A cart's quantities by SKU; empty when there is no such cart.
    pub(crate) async fn cart(
        &self,
        deadline: Deadline,
        cart: &str,
    ) -> Result<HashMap<String, u32>, StoreError> {
        let mut commands = redis::pipe();
        commands.hgetall(cart);
        let (items,) = self.run(deadline, &commands).await?;
        Ok(items)
    }

    /// A cached answer, if there is one and Redis says so at once.
    pub(crate) async fn cached(&self, key: &str) -> Option<String> {
        let mut commands = redis::pipe();
        commands.get(key);
        let (answer,): (Option<String>,) = self.at_once(&commands).await?;
        answer
    }

    /// Caches an answer, if Redis takes it at once.
    pub(crate) async fn cache(&self, key: &str, answer: &str, lifetime: Duration) {
        let mut commands = redis::pipe();
        let milliseconds = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        commands.pset_ex(key, answer, milliseconds).ignore();
        let _: Option<()> = self.at_once(&commands).await;
    }

    async fn run<T: FromRedisValue>(&self, deadline: Deadline, commands: &Pipeline) -> Result<T, StoreError> {
        let attempt = || self.attempt(commands, deadline.cut(COMMAND_LIMIT));
        ride_out(&self.gate, &self.metrics, deadline, attempt).await
    }

    async fn at_once<T: FromRedisValue>(&self, commands: &Pipeline) -> Option<T> {
        let pass = self.gate.try_pass()?;
        match self.attempt(commands, CACHE_LIMIT).await {
            Ok(value) => Some(value),
            Err(failure) => {
                self.metrics.failed(failure.class());
                if failure.class().is_suspicious() {
                    self.gate.suspect(pass);
                }
                None
            }
        }
    }

    async fn attempt<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
        limit: Duration,
    ) -> Result<T, AttemptError> {
        let held = self.slot().clone();
        let mut connection = held.ok_or(AttemptError::NotConnected)?;
        let answer = timeout(limit, commands.query_async(&mut connection)).await;
        answer.map_err(|_| AttemptError::Slow(limit))?.map_err(AttemptError::Command)
    }

    /// Connects anew and keeps the connection if it leads to a master.
    async fn connect(&self) -> Result<(), AttemptError> {
        // Time-outs are ours, around whole attempts.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(None);
        let whole = async {
            let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
            let role: Vec<redis::Value> = redis::cmd("ROLE").query_async(&mut connection).await?;
            let is_master = role
                .first()
                .is_some_and(|role| String::from_redis_value_ref(role).is_ok_and(|role| role == "master"));
            Ok((connection, is_master))
        };
        let answer = timeout(CONNECT_LIMIT, whole).await.map_err(|_| AttemptError::Slow(CONNECT_LIMIT))?;
        let (connection, is_master) = answer.map_err(AttemptError::Command)?;
        if !is_master {
            return Err(AttemptError::Replica);
        }
        *self.slot() = Some(connection);
        Ok(())
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<MultiplexedConnection>> {
        self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
