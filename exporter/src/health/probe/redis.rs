//! A key written and read back through the address that the store's clients use, on a fresh connection.
//! Connections are not encrypted.

use rand::RngExt;
use redis::{ConnectionInfo, RedisError, Value};

use crate::health::prober::{Check, Tidy};
use crate::health::server::Trouble;
use crate::health::server::redis::{converse, socket_of};
use crate::health::server::socket::{self, Address};
use crate::trial::RedisAddress;

/// Keys of one component: more than it can have probes outstanding.
pub(in crate::health) const KEYS: u64 = 1024;

/// Why a probe failed.
#[derive(Debug, thiserror::Error)]
pub(in crate::health) enum Error {
    #[error("connect to Redis")]
    Connect(#[source] Trouble),
    #[error("write a key and read it back")]
    Exchange(#[source] RedisError),
    #[error("read the key back: it is not the one written")]
    Other,
}

/// The probe of one component.
pub(in crate::health) struct Redis {
    address: Address,
    info: ConnectionInfo,
    component: String,
    /// Tells the values of this run from those of others.
    run: u32,
}

impl Redis {
    pub(in crate::health) fn new(component: &str, address: &RedisAddress) -> Self {
        let info = address.info().clone();
        Self { address: socket_of(address), info, component: component.to_owned(), run: rand::rng().random() }
    }
}

/// The key of a component's slot.
pub(in crate::health) fn key(component: &str, slot: u64) -> String {
    format!("ordeal:probe:{component}:{}", slot % KEYS)
}

impl Check for Redis {
    type Error = Error;

    async fn check(&self, slot: u64, _tidy: &mut Option<Tidy>) -> Result<(), Error> {
        let socket = socket::connect(&self.address).await.map_err(Error::Connect)?;
        let (key, value) = (key(&self.component, slot), format!("{}-{slot}", self.run));
        let commands: [&[&str]; 2] = [&["SET", &key, &value], &["GET", &key]];
        let replies = converse(socket, &self.info, &commands).await.map_err(Error::Exchange)?;
        if replies == [Value::Okay, Value::BulkString(value.into_bytes())] {
            Ok(())
        } else {
            Err(Error::Other)
        }
    }
}
