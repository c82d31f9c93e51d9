//! A row written and read back through the address that the store's clients use, on a fresh connection.
//! Connections are not encrypted.
//!
//! A commit that waits for a synchronous standby goes on waiting on the server after we have gone, twenty a
//! second of them would use up its connections: the query of a probe that timed out is cancelled.

use rand::RngExt;
use tokio_postgres::{Config, NoTls};

use super::driven;
use crate::health::prober::{Check, Tidy};
use crate::health::server::postgres::{APPLICATION, rows};
use crate::trial::PostgresAddress;

/// Rows of one component: more than it can have probes outstanding, so that they never wait for each other.
const ROWS: u64 = 1024;

/// Why a probe failed.
#[derive(Debug, thiserror::Error)]
pub(in crate::health) enum Error {
    #[error("connect to PostgreSQL")]
    Connect(#[source] tokio_postgres::Error),
    #[error("write a row")]
    Write(#[source] tokio_postgres::Error),
    #[error("read the row back")]
    Read(#[source] tokio_postgres::Error),
    #[error("read the row back: it is not the one written")]
    Other,
}

/// The probe of one component.
pub(in crate::health) struct Postgres {
    config: Config,
    component: String,
    /// Tells the rows of this run from those of others.
    run: u32,
}

impl Postgres {
    pub(in crate::health) fn new(component: &str, address: &PostgresAddress) -> Self {
        let config = address.config(APPLICATION);
        Self { config, component: component.to_owned(), run: rand::rng().random() }
    }
}

impl Check for Postgres {
    type Error = Error;

    async fn check(&self, slot: u64, tidy: &mut Option<Tidy>) -> Result<(), Error> {
        let (client, connection) = self.config.connect(NoTls).await.map_err(Error::Connect)?;
        let cancel = client.cancel_token();
        *tidy = Some(Box::pin(async move {
            // A server that cannot be reached has nothing of ours to cancel that we could do anything about.
            let _ = cancel.cancel_query(NoTls).await;
        }));
        let (component, row) = (&self.component, slot % ROWS);
        let token = ((u64::from(self.run) << 31) | (slot % (1 << 31))).to_string();
        let write = format!(
            "INSERT INTO ordeal_probe (component, slot, token) VALUES ('{component}', {row}, {token}) \
             ON CONFLICT (component, slot) DO UPDATE SET token = excluded.token, at = now()"
        );
        let read = format!("SELECT token FROM ordeal_probe WHERE component = '{component}' AND slot = {row}");
        driven(connection, async {
            client.simple_query(&write).await.map_err(Error::Write)?;
            let answer = rows(client.simple_query(&read).await.map_err(Error::Read)?);
            if answer == [[Some(token)]] { Ok(()) } else { Err(Error::Other) }
        })
        .await
    }
}
