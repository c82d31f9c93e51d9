//! Commands to one Redis server. Connections are not encrypted.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ConnectionAddr, ConnectionInfo, RedisError, Value};

use super::Trouble;
use super::command::Client;
use super::kept::Kept;
use super::socket::{self, Address, Socket};
use crate::cluster::kubernetes::Kubernetes;
use crate::errors::chain;
use crate::health::probe::driven;
use crate::trial::RedisAddress;

/// The socket of an address.
pub(in crate::health) fn socket_of(address: &RedisAddress) -> Address {
    match address.info().addr() {
        ConnectionAddr::Unix(path) => Address::Unix(path.clone()),
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            Address::Tcp(host.clone(), *port)
        }
        // The trial takes no other kinds; were there one, connecting would fail.
        _ => Address::Tcp(String::new(), 0),
    }
}

/// Runs `commands` one after the other on a fresh connection over `socket`; an error reply ends them.
pub(in crate::health) async fn converse(
    socket: Socket,
    info: &ConnectionInfo,
    commands: &[&[&str]],
) -> Result<Vec<Value>, RedisError> {
    // The one time limit is the caller's.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let (mut connection, driver) =
        MultiplexedConnection::new_with_config(info.redis_settings(), socket, config).await?;
    driven(driver, async {
        let mut replies = Vec::with_capacity(commands.len());
        for command in commands {
            replies.push(connection.send_packed_command(&packed(command)).await?.extract_error()?);
        }
        Ok(replies)
    })
    .await
}

fn packed(words: &[&str]) -> Cmd {
    let mut command = Cmd::new();
    for word in words {
        command.arg(*word);
    }
    command
}

/// One server.
#[derive(Debug)]
pub(in crate::health) enum Server {
    Direct { address: Address, info: Box<ConnectionInfo>, kept: Option<Kept<MultiplexedConnection>> },
    Command(Client),
}

impl Server {
    /// Asked directly.
    pub(in crate::health) fn direct(address: &RedisAddress) -> Self {
        Self::Direct { address: socket_of(address), info: Box::new(address.info().clone()), kept: None }
    }

    /// The same server, asked inside `pod` of `cluster`, whatever its host is called.
    pub(in crate::health) fn inside(self, cluster: &Kubernetes, pod: &str) -> Self {
        match self {
            Self::Direct { address, info, .. } => {
                Self::Direct { address: address.inside(cluster, pod), info, kept: Some(Kept::new()) }
            }
            Self::Command(client) => Self::Command(client),
        }
    }

    /// Opens a path to the server. A command prefix shows only later whether it is one.
    pub(in crate::health) async fn open(&self) -> Result<Open<'_>, Trouble> {
        Ok(match self {
            Self::Direct { address, info, kept } => match (kept.as_ref().and_then(Kept::take), kept) {
                (Some(connection), Some(kept)) => Open::Kept(connection, kept),
                _ => Open::Direct(socket::connect(address).await?, info, kept.as_ref()),
            },
            Self::Command(client) => Open::Command(client),
        })
    }
}

/// A path to a server.
pub(in crate::health) enum Open<'a> {
    /// A connection stands, which may be kept.
    Direct(Socket, &'a ConnectionInfo, Option<&'a Kept<MultiplexedConnection>>),
    /// One stands from an earlier question.
    Kept(MultiplexedConnection, &'a Kept<MultiplexedConnection>),
    /// Not known before the command has run.
    Command(&'a Client),
}

impl Open<'_> {
    /// Whether the path is known to be open.
    pub(in crate::health) fn known(&self) -> bool {
        matches!(self, Self::Direct(..) | Self::Kept(..))
    }

    /// Runs one command and gives back its reply, nested ones flattened.
    pub(in crate::health) async fn command(self, words: &[&str]) -> Result<Vec<String>, Trouble> {
        match self {
            Self::Command(client) => redis_cli(client, words).await,
            Self::Direct(socket, info, None) => {
                let replies = converse(socket, info, &[words]).await.map_err(|error| refused(&error))?;
                let mut flat = Vec::new();
                for reply in replies {
                    flatten(reply, &mut flat);
                }
                Ok(flat)
            }
            Self::Direct(socket, info, Some(kept)) => {
                let config = AsyncConnectionConfig::new().set_response_timeout(None);
                let made =
                    MultiplexedConnection::new_with_config(info.redis_settings(), socket, config).await;
                let (connection, driver) = made.map_err(|error| refused(&error))?;
                // Ends with the connection.
                tokio::spawn(driver);
                ask(connection, words, kept).await
            }
            Self::Kept(connection, kept) => ask(connection, words, kept).await,
        }
    }
}

fn refused(error: &RedisError) -> Trouble {
    Trouble::Refused(chain(error))
}

/// Asks, and keeps the connection unless it is what failed.
async fn ask(
    mut connection: MultiplexedConnection,
    words: &[&str],
    kept: &Kept<MultiplexedConnection>,
) -> Result<Vec<String>, Trouble> {
    let answer = connection.send_packed_command(&packed(words)).await;
    if answer.as_ref().err().is_none_or(|error| !error.is_unrecoverable_error()) {
        kept.put(connection);
    }
    let mut flat = Vec::new();
    flatten(answer.and_then(Value::extract_error).map_err(|error| refused(&error))?, &mut flat);
    Ok(flat)
}

pub(in crate::health) fn flatten(value: Value, into: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.into_iter().for_each(|value| flatten(value, into)),
        Value::BulkString(bytes) => into.push(String::from_utf8_lossy(&bytes).into_owned()),
        Value::SimpleString(text) => into.push(text),
        Value::Int(number) => into.push(number.to_string()),
        Value::Okay => into.push("OK".to_owned()),
        other => into.push(format!("{other:?}")),
    }
}

/// redis-cli prints error replies among the others and ends with 0; without a connection it ends with 1 and
/// says so.
async fn redis_cli(client: &Client, words: &[&str]) -> Result<Vec<String>, Trouble> {
    let answer = client.run(&[], &words.join(" ")).await?;
    let lines: Vec<String> =
        answer.stdout.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect();
    let unconnected = |text: &str| text.contains("Could not connect to Redis");
    if unconnected(&answer.stderr) || unconnected(&answer.stdout) {
        return Err(Trouble::Down(answer.stderr));
    }
    if answer.code != Some(0) {
        return Err(Trouble::NoPath(answer.stderr));
    }
    match lines.first() {
        None => Err(Trouble::Refused("no reply".to_owned())),
        Some(line) if is_error(line) => Err(Trouble::Refused(line.clone())),
        Some(_) => Ok(lines),
    }
}

/// Error replies begin with an upper-case word; of our commands no other reply has a second word.
fn is_error(line: &str) -> bool {
    let first = line.split(' ').next().unwrap_or_default();
    line.starts_with("(error)") || (line.contains(' ') && first.chars().all(|c| c.is_ascii_uppercase()))
}
