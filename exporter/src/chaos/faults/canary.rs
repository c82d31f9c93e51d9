//! Connections that show whether traffic to a pod is cut: a new one, and one that was open before.
//!
//! Nothing is sent on the open connection that its server could read: many answer a byte that they do not understand
//! by an end. The kernel asks after the peer instead (`SO_KEEPALIVE`), each second, and the peer's kernel answers,
//! whatever the server does. Where nobody answers, or the connection is reset, the path is cut. Whatever arrives, an
//! orderly end too, has come through.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// On a path that is whole, a connection stands well within this time, and whatever is on its way arrives.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// Time without traffic before the peer is asked after, and between two questions. The kernel knows whole seconds.
const ASKED_EACH: Duration = Duration::from_secs(1);
/// So many questions in a row without an answer, and the connection is lost.
const UNANSWERED: u32 = 2;

/// A connection that was open before the fault.
#[derive(Debug)]
pub(super) struct Canary {
    address: SocketAddr,
    open: Open,
}

#[derive(Debug)]
enum Open {
    Lives(TcpStream),
    /// By the pod, or for a reason of this machine: it tells nothing any more.
    Ended,
    /// Nobody answered on it, or it was reset.
    Lost,
}

/// What a look at a pod's traffic shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// A new connection was not to be had.
    pub(super) new_cut: bool,
    /// What became of the open one.
    pub(super) open: Path,
}

/// What an open connection tells of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// Nothing goes through.
    Cut,
    /// Something came through, or at least it is not cut yet.
    Whole,
    /// The connection ended in another way.
    Unknown,
}

impl Canary {
    /// A connection to `address`, which has to be there.
    pub(super) async fn open(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { address, open: Open::Lives(connect(address).await?) })
    }

    /// Opens the connection anew if it has ended meanwhile; before a cut only, for after it would prove nothing.
    pub(super) async fn renew(&mut self) -> io::Result<()> {
        let ended = match &mut self.open {
            Open::Lives(stream) => has_ended(stream),
            Open::Ended | Open::Lost => true,
        };
        if ended {
            self.open = Open::Ended;
            *self = Self::open(self.address).await?;
        }
        Ok(())
    }

    /// Whether traffic goes through.
    pub(super) async fn look(&mut self) -> Seen {
        let Self { address, open } = self;
        let (new, open) = tokio::join!(connect(*address), open.look());
        Seen { new_cut: new.is_err_and(|error| is_cut(&error)), open }
    }
}

impl Open {
    async fn look(&mut self) -> Path {
        let stream = match self {
            Self::Lives(stream) => stream,
            Self::Ended => return Path::Unknown,
            Self::Lost => return Path::Cut,
        };
        let mut said = [0; 256];
        match tokio::time::timeout(ANSWER_WITHIN, stream.read(&mut said)).await {
            Err(_) | Ok(Ok(1..)) => Path::Whole,
            Ok(Ok(0)) => {
                *self = Self::Ended;
                Path::Whole
            }
            Ok(Err(error)) if is_cut(&error) => {
                *self = Self::Lost;
                Path::Cut
            }
            Ok(Err(_)) => {
                *self = Self::Ended;
                Path::Unknown
            }
        }
    }
}

/// Whether nothing more will come on `stream`. What has come is taken.
fn has_ended(stream: &mut TcpStream) -> bool {
    let mut said = [0; 4096];
    loop {
        match stream.try_read(&mut said) {
            Ok(1..) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Ok(0) | Err(_) => return true,
        }
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let connected = tokio::time::timeout(ANSWER_WITHIN, TcpStream::connect(address)).await;
    let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let asked = TcpKeepalive::new().with_time(ASKED_EACH).with_interval(ASKED_EACH).with_retries(UNANSWERED);
    SockRef::from(&stream).set_tcp_keepalive(&asked)?;
    Ok(stream)
}

/// Whether an error is the network's. A port where nobody listens is an answer, and what this machine lacks, as
/// descriptors or ports, says nothing of the pod.
fn is_cut(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionReset, HostUnreachable, NetworkUnreachable, TimedOut};
    matches!(error.kind(), TimedOut | ConnectionReset | HostUnreachable | NetworkUnreachable)
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[test]
    fn only_what_the_network_does_is_a_cut() {
        let table = [
            (Errno::TIMEDOUT, true),
            (Errno::HOSTUNREACH, true),
            (Errno::NETUNREACH, true),
            (Errno::CONNRESET, true),
            (Errno::CONNREFUSED, false),
            (Errno::MFILE, false),
            (Errno::NFILE, false),
            (Errno::ADDRNOTAVAIL, false),
            (Errno::PERM, false),
        ];
        for (errno, expected) in table {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            assert_eq!(is_cut(&error), expected, "{error}");
        }
    }

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    const WHOLE: Seen = Seen { new_cut: false, open: Path::Whole };

    #[tokio::test]
    async fn a_server_that_says_something_or_ends_is_reached() {
        let (listener, address) = listener().await;
        let mut canary = Canary::open(address).await.expect("it listens");
        assert_eq!(canary.look().await, WHOLE);
        let (mut peer, _) = listener.accept().await.expect("the canary's connection");
        peer.write_all(b"220 hello\r\n").await.expect("sent");
        peer.shutdown().await.expect("closed");
        drop((peer, listener));
        // First what it said, then its end; nobody listens, which is an answer too.
        assert_eq!([canary.look().await, canary.look().await], [WHOLE; 2]);
        // From then on it proves nothing, also where the network would be cut.
        assert_eq!(canary.look().await, Seen { new_cut: false, open: Path::Unknown });
        assert!(canary.renew().await.is_err(), "nobody listens");
    }

    #[tokio::test]
    async fn what_has_ended_before_the_cut_is_opened_anew() {
        let (listener, address) = listener().await;
        let mut canary = Canary::open(address).await.expect("it listens");
        let (peer, _) = listener.accept().await.expect("the canary's connection");
        canary.renew().await.expect("it lives");
        drop(peer);
        let Open::Lives(stream) = &canary.open else { panic!("{canary:?}") };
        stream.readable().await.expect("its end");
        canary.renew().await.expect("it listens");
        assert_eq!(canary.look().await, WHOLE);
    }

    /// Of a listener whose queue is full the kernel answers no more.
    #[tokio::test]
    async fn a_reset_and_silence_are_a_cut() {
        let (listener, address) = listener().await;
        let mut canary = Canary::open(address).await.expect("it listens");
        let (peer, _) = listener.accept().await.expect("the canary's connection");
        SockRef::from(&peer).set_linger(Some(Duration::ZERO)).expect("a socket");
        drop((peer, listener));
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("a socket");
        socket.bind(address).expect("nobody listens");
        let _silent = socket.listen(0).expect("it listens");
        let _in_the_queue = TcpStream::connect(address).await.expect("the only one");
        let cut = Seen { new_cut: true, open: Path::Cut };
        assert_eq!([canary.look().await, canary.look().await], [cut; 2]);
    }
}
