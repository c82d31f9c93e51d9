//! Connections over TCP or a unix socket, made by ourselves: whether a connect was refused or timed out decides
//! whether a server was observed.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::{CONNECT_WITHIN, Trouble};
use crate::cluster::kubernetes::Kubernetes;
use crate::errors::OwnLack;

/// Where a server listens.
#[derive(Debug, Clone)]
pub(in crate::health) enum Address {
    Tcp(String, u16),
    Unix(PathBuf),
    /// A port of a pod, reached through its node.
    Pod {
        cluster: Kubernetes,
        pod: String,
        port: u16,
    },
}

impl Address {
    /// The same port inside `pod` of `cluster`.
    pub(in crate::health) fn inside(self, cluster: &Kubernetes, pod: &str) -> Self {
        match self {
            Self::Tcp(_, port) => Self::Pod { cluster: cluster.clone(), pod: pod.to_owned(), port },
            other => other,
        }
    }
}

/// Bytes both ways.
pub(in crate::health) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection of either kind.
pub(in crate::health) type Socket = Box<dyn Duplex>;

/// Connects to `address` within [`CONNECT_WITHIN`].
pub(in crate::health) async fn connect(address: &Address) -> Result<Socket, Trouble> {
    let Ok(connected) = timeout(CONNECT_WITHIN, open(address)).await else {
        return Err(Trouble::NoPath(format!("no connection within {CONNECT_WITHIN:?}")));
    };
    connected.map_err(|error| {
        if let Some(lack) = OwnLack::behind(&error) {
            return Trouble::Own(lack);
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => {
                Trouble::Down(error.to_string())
            }
            // A unix socket that is not there: nobody listens.
            io::ErrorKind::NotFound if matches!(address, Address::Unix(_)) => {
                Trouble::Down(error.to_string())
            }
            _ => Trouble::NoPath(error.to_string()),
        }
    })
}

async fn open(address: &Address) -> io::Result<Socket> {
    Ok(match address {
        Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Address::Pod { cluster, pod, port } => Box::new(cluster.forward(pod, *port).await?),
        Address::Tcp(host, port) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            watch_path(&stream)?;
            Box::new(stream)
        }
    })
}

/// Breaks the connection within some three seconds when the path is cut: otherwise a write that hangs because
/// nothing comes through would pass for one that the server holds back.
fn watch_path(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(1))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(1))?;
    sockopt::set_tcp_keepcnt(stream, 2)?;
    sockopt::set_tcp_user_timeout(stream, 3000)?;
    Ok(())
}
