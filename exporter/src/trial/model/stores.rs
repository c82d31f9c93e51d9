//! Data stores and their servers.

use std::time::Duration;

use url::Url;

use super::{Name, NonEmpty, PostgresAddress, RedisAddress};

/// A data store.
#[derive(Debug, Clone)]
pub struct Store {
    /// Exported as the label `store`.
    pub name: Name,
    /// Which store, and the address that its clients use.
    pub endpoint: Endpoint,
    /// Its servers, asked one by one; may be empty (then no leader and no split brain is claimed).
    pub instances: Vec<Instance>,
    /// What fails it over, if its settings are to be looked at before a run.
    pub failover: Option<Failover>,
}

/// What fails a store over, and how soon it must have noticed that the store is gone.
#[derive(Debug, Clone)]
pub struct Failover {
    /// Who is asked for the settings.
    pub manager: Manager,
    /// The longest time until a failover begins (default 30 s).
    pub within: Duration,
}

/// What watches over a store. Its `Debug` shows of a URL the origin only (`redact.rs`).
#[derive(Clone)]
pub enum Manager {
    /// Patroni, by the URL of a member's REST interface.
    Patroni(Url),
    /// Redis Sentinel.
    Sentinel {
        /// One Sentinel.
        address: RedisAddress,
        /// The name by which it knows the master.
        master: String,
    },
}

/// The address of a store, by the kind of store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// PostgreSQL.
    Postgres(PostgresAddress),
    /// Redis.
    Redis(RedisAddress),
}

impl Endpoint {
    /// Whether it is a unix socket.
    pub(in crate::trial) fn is_socket(&self) -> bool {
        match self {
            Self::Postgres(address) => address.is_socket(),
            Self::Redis(address) => address.is_socket(),
        }
    }
}

/// One server of a store.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its name within the store.
    pub name: Name,
    /// How it is asked.
    pub access: Access,
}

/// How an instance is asked, on a path that a partition does not cut.
#[derive(Debug, Clone)]
pub enum Access {
    /// Directly: an address of the store's own kind (TCP or unix socket).
    Direct(Endpoint),
    /// Inside the pod of its name, through the pod's node: the port of an address there (TCP).
    Inside(Endpoint),
    /// Through a command prefix (`ssh db1 psql …`): the program and arguments that run psql or redis-cli there.
    Command(NonEmpty<String>),
}
