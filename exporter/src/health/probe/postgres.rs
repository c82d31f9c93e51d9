//! A row written and read back through the address that the store's clients use, on a fresh connection.
//! Connections are not encrypted.
//!
//! A commit that waits for a synchronous standby goes on waiting on the server after we have gone, twenty a
//! second of them would use up its connections: the query of a probe that timed out is cancelled.

use std::io;
use std::net::SocketAddr;

use rand::RngExt;
use tokio::net::{TcpStream, lookup_host};
use tokio_postgres::config::{Host, LoadBalanceHosts, TargetSessionAttrs};
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Config, Connection, NoTls};

use super::driven;
use crate::health::dial::dial_at;
use crate::health::prober::{Check, Tidy};
use crate::health::server::postgres::{APPLICATION, rows};
use crate::trial::PostgresAddress;

/// Rows of one component: more than it can have probes outstanding, so that they never wait for each other.
const ROWS: u64 = 1024;

/// Why a probe failed.
#[derive(Debug, thiserror::Error)]
pub(in crate::health) enum Error {
    #[error("connect to PostgreSQL")]
    Dial(#[source] io::Error),
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
    /// Its one host; among several, and where it asks for more, the driver finds the one that serves.
    host: Option<(String, u16)>,
    component: String,
    /// Tells the rows of this run from those of others.
    run: u32,
}

impl Postgres {
    pub(in crate::health) fn new(component: &str, address: &PostgresAddress) -> Self {
        let config = address.config(APPLICATION);
        let host = only_host(&config);
        Self { config, host, component: component.to_owned(), run: rand::rng().random() }
    }
}

/// Where there is but one, and all that the driver would do about it is to connect.
fn only_host(config: &Config) -> Option<(String, u16)> {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let is_any = config.get_target_session_attrs() == TargetSessionAttrs::Any;
    let in_turn = config.get_load_balance_hosts() == LoadBalanceHosts::Disable;
    let is_plain = is_any && in_turn && config.get_connect_timeout().is_none();
    match (config.get_hosts(), config.get_hostaddrs()) {
        ([Host::Tcp(host)], []) if is_plain => Some((host.clone(), port)),
        _ => None,
    }
}

impl Check for Postgres {
    type Error = Error;

    // A server that cannot be reached has nothing of ours to cancel that we could do anything about.
    async fn check(&self, slot: u64, tidy: &mut Option<Tidy>) -> Result<(), Error> {
        let Some((host, port)) = &self.host else {
            let (client, connection) = self.config.connect(NoTls).await.map_err(Error::Connect)?;
            let cancel = client.cancel_token();
            *tidy = Some(Box::pin(async move { drop(cancel.cancel_query(NoTls).await) }));
            return self.exchange(slot, client, connection).await;
        };
        let mut last = Error::Dial(io::ErrorKind::NotFound.into());
        for address in lookup_host((host.as_str(), *port)).await.map_err(Error::Dial)? {
            match self.connect(address).await {
                Ok((client, connection)) => {
                    let cancel = client.cancel_token();
                    *tidy = Some(Box::pin(async move {
                        if let Ok(stream) = dial_at(address).await {
                            drop(cancel.cancel_query_raw(stream, NoTls).await);
                        }
                    }));
                    return self.exchange(slot, client, connection).await;
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl Postgres {
    async fn connect(
        &self,
        address: SocketAddr,
    ) -> Result<(Client, Connection<TcpStream, NoTlsStream>), Error> {
        let stream = dial_at(address).await.map_err(Error::Dial)?;
        self.config.connect_raw(stream, NoTls).await.map_err(Error::Connect)
    }

    async fn exchange(&self, slot: u64, client: Client, connection: impl Future) -> Result<(), Error> {
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
