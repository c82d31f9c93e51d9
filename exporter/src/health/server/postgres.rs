//! SQL to one PostgreSQL server. Connections are not encrypted.

use std::path::{Path, PathBuf};

use tokio::time::Instant;
use tokio_postgres::config::Host;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

use super::Trouble;
use super::command::Client;
use super::kept::Kept;
use super::socket::{self, Address, Socket};

use crate::cluster::kubernetes::Kubernetes;
use crate::errors::chain;
use crate::health::probe::driven;
use crate::trial::PostgresAddress;

/// Rows of text; NULL is `None`.
pub(in crate::health) type Rows = Vec<Vec<Option<String>>>;

/// The name that the server shows for our connections.
pub(in crate::health) const APPLICATION: &str = "ordeal";

/// One server.
#[derive(Debug)]
pub(in crate::health) enum Server {
    Direct { address: Address, config: Box<Config>, kept: Option<Kept<tokio_postgres::Client>> },
    Command(Client),
}

impl Server {
    /// Asked directly.
    pub(in crate::health) fn direct(address: &PostgresAddress) -> Self {
        let config = address.config(APPLICATION);
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let address = match (config.get_hosts().first(), config.get_hostaddrs().first()) {
            (Some(Host::Unix(folder)), _) => Address::Unix(socket_file(folder, port)),
            (_, Some(ip)) => Address::Tcp(ip.to_string(), port),
            (Some(Host::Tcp(host)), None) => Address::Tcp(host.clone(), port),
            // An address has a host; were it without, asking it would fail.
            (None, None) => Address::Tcp(String::new(), port),
        };
        Self::Direct { address, config: Box::new(config), kept: None }
    }

    /// The same server, asked inside `pod` of `cluster`, whatever its host is called.
    pub(in crate::health) fn inside(self, cluster: &Kubernetes, pod: &str) -> Self {
        match self {
            Self::Direct { address, config, .. } => {
                Self::Direct { address: address.inside(cluster, pod), config, kept: Some(Kept::new()) }
            }
            Self::Command(client) => Self::Command(client),
        }
    }

    /// Opens a path to the server. A command prefix shows only later whether it is one.
    pub(in crate::health) async fn open(&self) -> Result<Open<'_>, Trouble> {
        Ok(match self {
            Self::Direct { address, config, kept } => {
                let way = Way { address, config, kept: kept.as_ref(), asked: Instant::now() };
                let still = way.kept.and_then(Kept::take).filter(|client| !client.is_closed());
                match still {
                    Some(client) => Open::Kept(client, way),
                    None => Open::Direct(socket::connect(address).await?, way),
                }
            }
            Self::Command(client) => Open::Command(client),
        })
    }
}

/// How a server is reached.
#[derive(Clone, Copy)]
pub(in crate::health) struct Way<'a> {
    address: &'a Address,
    config: &'a Config,
    /// Where connections are kept, if they are.
    kept: Option<&'a Kept<tokio_postgres::Client>>,
    asked: Instant,
}

/// A path to a server.
pub(in crate::health) enum Open<'a> {
    /// A connection stands.
    Direct(Socket, Way<'a>),
    /// One stands from an earlier question, for all that is known.
    Kept(tokio_postgres::Client, Way<'a>),
    /// Not known before the command has run.
    Command(&'a Client),
}

impl Open<'_> {
    /// Whether the path is known to be open.
    pub(in crate::health) fn known(&self) -> bool {
        matches!(self, Self::Direct(..) | Self::Kept(..))
    }

    /// Runs `sql` and gives back the rows of all its statements.
    pub(in crate::health) async fn query(self, sql: &str) -> Result<Rows, Trouble> {
        match self {
            Self::Command(client) => psql(client, sql).await,
            Self::Direct(socket, way) => way.query(socket, sql).await,
            Self::Kept(client, way) => match ask(client, sql, way.kept).await {
                // Whether the server went away, or what it is asked through, only another connection tells.
                Err(error) if error.as_db_error().is_none() => {
                    way.query(socket::connect(way.address).await?, sql).await
                }
                answer => answer.map_err(|error| Trouble::Refused(chain(&error))),
            },
        }
    }
}

impl Way<'_> {
    /// Runs `sql` on a connection of its own over `socket`.
    async fn query(self, socket: Socket, sql: &str) -> Result<Rows, Trouble> {
        match self.converse(socket, sql).await {
            Ok(rows) => Ok(rows),
            Err(error) if error.as_db_error().is_some() => Err(Trouble::Refused(chain(&error))),
            Err(error) => Err(self.address.broken(self.asked, chain(&error)).await),
        }
    }

    async fn converse(self, socket: Socket, sql: &str) -> Result<Rows, tokio_postgres::Error> {
        let (client, connection) = self.config.connect_raw(socket, NoTls).await?;
        if self.kept.is_none() {
            return driven(connection, async { client.simple_query(sql).await.map(rows) }).await;
        }
        // Ends with the client.
        tokio::spawn(connection);
        ask(client, sql, self.kept).await
    }
}

/// Asks, and keeps the connection unless it is what failed.
async fn ask(
    client: tokio_postgres::Client,
    sql: &str,
    kept: Option<&Kept<tokio_postgres::Client>>,
) -> Result<Rows, tokio_postgres::Error> {
    let answer = client.simple_query(sql).await;
    let usable = match &answer {
        Ok(_) => true,
        // What was said no to may have left a transaction open.
        Err(error) => error.as_db_error().is_some() && client.simple_query("ROLLBACK").await.is_ok(),
    };
    if let Some(kept) = kept.filter(|_| usable) {
        kept.put(client);
    }
    answer.map(rows)
}

/// The rows of an answer.
pub(in crate::health) fn rows(messages: Vec<SimpleQueryMessage>) -> Rows {
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|n| row.get(n).map(str::to_owned)).collect()),
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}

fn socket_file(folder: &Path, port: u16) -> PathBuf {
    folder.join(format!(".s.PGSQL.{port}"))
}

/// psql's exit codes: 2 no connection, 3 a statement failed.
async fn psql(client: &Client, sql: &str) -> Result<Rows, Trouble> {
    let arguments = ["-X", "-q", "-A", "-t", "-F", "|", "-v", "ON_ERROR_STOP=1"];
    let answer = client.run(&arguments, sql).await?;
    match answer.code {
        Some(0) => Ok(answer.stdout.lines().map(fields).collect()),
        Some(2) => Err(Trouble::Down(answer.stderr)),
        Some(3) => Err(Trouble::Refused(answer.stderr)),
        _ => Err(Trouble::NoPath(answer.stderr)),
    }
}

fn fields(line: &str) -> Vec<Option<String>> {
    line.split('|').map(|field| (!field.is_empty()).then(|| field.to_owned())).collect()
}
