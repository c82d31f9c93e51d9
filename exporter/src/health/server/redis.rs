//! Commands to one Redis server. Connections are not encrypted.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, Value};
use tokio::time::Instant;

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
            Self::Direct { address, info, kept } => {
                let way = Way { address, info, kept: kept.as_ref(), asked: Instant::now() };
                match way.kept.and_then(Kept::take) {
                    Some(connection) => Open::Kept(connection, way),
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
    info: &'a ConnectionInfo,
    /// Where connections are kept, if they are.
    kept: Option<&'a Kept<MultiplexedConnection>>,
    asked: Instant,
}

/// A path to a server.
pub(in crate::health) enum Open<'a> {
    /// A connection stands.
    Direct(Socket, Way<'a>),
    /// One stands from an earlier question, for all that is known.
    Kept(MultiplexedConnection, Way<'a>),
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
            Self::Direct(socket, way) => way.command(socket, words).await,
            Self::Kept(connection, way) => match ask(connection, words, way.kept).await {
                // Whether the server went away, or what it is asked through, only another connection tells.
                Err(error) if is_broken(&error) => {
                    way.command(socket::connect(way.address).await?, words).await
                }
                answer => answer.map_err(|error| Trouble::Refused(chain(&error))),
            },
        }
    }
}

impl Way<'_> {
    /// Runs one command on a connection of its own over `socket`.
    async fn command(self, socket: Socket, words: &[&str]) -> Result<Vec<String>, Trouble> {
        match self.converse(socket, words).await {
            Ok(reply) => Ok(reply),
            Err(error) if is_broken(&error) => Err(self.address.broken(self.asked, chain(&error)).await),
            Err(error) => Err(Trouble::Refused(chain(&error))),
        }
    }

    async fn converse(self, socket: Socket, words: &[&str]) -> Result<Vec<String>, RedisError> {
        if self.kept.is_none() {
            return converse(socket, self.info, &[words]).await.map(flat);
        }
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let (connection, driver) =
            MultiplexedConnection::new_with_config(self.info.redis_settings(), socket, config).await?;
        // Ends with the connection.
        tokio::spawn(driver);
        ask(connection, words, self.kept).await
    }
}

/// Whether the connection is what failed. A server's own word of an error may call for another one too.
fn is_broken(error: &RedisError) -> bool {
    error.is_unrecoverable_error() && !matches!(error.kind(), ErrorKind::Server(_))
}

/// Asks, and keeps the connection unless it is what failed.
async fn ask(
    mut connection: MultiplexedConnection,
    words: &[&str],
    kept: Option<&Kept<MultiplexedConnection>>,
) -> Result<Vec<String>, RedisError> {
    let answer = connection.send_packed_command(&packed(words)).await;
    let usable = answer.as_ref().err().is_none_or(|error| !error.is_unrecoverable_error());
    if let Some(kept) = kept.filter(|_| usable) {
        kept.put(connection);
    }
    answer.and_then(Value::extract_error).map(|reply| flat(vec![reply]))
}

fn flat(replies: Vec<Value>) -> Vec<String> {
    let mut flat = Vec::new();
    for reply in replies {
        flatten(reply, &mut flat);
    }
    flat
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Says `OK` to each of so many commands of one connection, and closes it.
    async fn served(listener: &TcpListener, commands: usize) {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut left = commands;
        let mut bytes = [0; 1024];
        while left > 0 {
            let read = stream.read(&mut bytes).await.expect("a command");
            assert!(read > 0, "it is closed by the other side");
            let begun = String::from_utf8_lossy(&bytes[..read]).matches('*').count();
            let ours = bytes[..read].windows(4).any(|part| part == b"ROLE");
            stream.write_all("+OK\r\n".repeat(begun).as_bytes()).await.expect("an answer");
            left -= usize::from(ours);
        }
    }

    async fn asked(server: &Server) -> Result<Vec<String>, Trouble> {
        server.open().await?.command(&["ROLE"]).await
    }

    /// Somebody who serves at a port of his own, as many connections, a question each, and then goes.
    async fn serving(connections: usize) -> (Server, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let address = RedisAddress::parse(&format!("redis://127.0.0.1:{port}")).expect("an address");
        let server = Server::Direct {
            address: socket_of(&address),
            info: Box::new(address.info().clone()),
            kept: Some(Kept::new()),
        };
        let serving = tokio::spawn(async move {
            for _ in 0..connections {
                served(&listener, 1).await;
            }
        });
        (server, serving)
    }

    #[tokio::test]
    async fn a_kept_connection_that_broke_is_made_anew_before_the_server_is_told_to_be_down() {
        let (server, serving) = serving(2).await;
        assert_eq!(asked(&server).await.expect("it serves"), ["OK"]);
        assert_eq!(asked(&server).await.expect("it serves again"), ["OK"]);
        serving.await.expect("no panic");
        let told = asked(&server).await.expect_err("it is gone");
        assert!(matches!(told, Trouble::Down(_)), "{told:?}");
    }

    #[tokio::test]
    async fn a_kept_connection_that_broke_says_nothing_of_the_server_where_the_api_server_is_away() {
        let (server, serving) = serving(1).await;
        assert_eq!(asked(&server).await.expect("it serves"), ["OK"]);
        serving.await.expect("no panic");
        let Server::Direct { info, kept, .. } = server else { panic!("it is asked directly") };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let cluster = Kubernetes::at(listener.local_addr().expect("bound"));
        drop(listener);
        let address = Address::Pod { cluster, pod: "kv-0".to_owned(), port: 6379 };
        let told = asked(&Server::Direct { address, info, kept }).await.expect_err("nobody forwards");
        assert!(matches!(told, Trouble::Away(_)), "{told:?}");
    }
}
