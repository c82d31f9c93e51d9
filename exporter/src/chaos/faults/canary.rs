//! Connections that show whether traffic to a pod is cut: a new one, and one that was open before.
//!
//! Nothing is sent on the open connection that its server could read: many answer a byte that they do not understand
//! by an end. The kernel asks after the peer instead (`SO_KEEPALIVE`), each second, and the peer's kernel answers,
//! whatever the server does. Where nobody answers, the connection is reset, or somebody on the way says that nothing
//! goes through, the path is cut. Whatever arrives, an orderly end too, has come through.
//!
//! A new connection that is refused tells less: a pod refuses where nobody listens, and a network may answer for it
//! (`REJECT` instead of `DROP`). So it is told apart, with what the port did just before the cut.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::io::Errno;
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
    /// Whether the last try before the cut came through.
    listened: bool,
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
    /// What became of a new connection.
    pub(super) new: New,
    /// What became of the open one.
    pub(super) open: Path,
}

/// What a new connection tells of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum New {
    /// It came through.
    Through,
    /// The network lets none through.
    Cut,
    /// Somebody refused it, the network or the pod.
    Refused {
        /// Whether the port took one just before the cut.
        listened: bool,
    },
    /// This machine could not try.
    Untried,
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
        Ok(Self { address, open: Open::Lives(connect(address).await?), listened: true })
    }

    /// Tries whether the port still takes connections, and opens the canary's anew if it has ended meanwhile; before a
    /// cut only, for after it would prove nothing.
    pub(super) async fn renew(&mut self) -> io::Result<()> {
        let ended = match &mut self.open {
            Open::Lives(stream) => has_ended(stream),
            Open::Ended | Open::Lost => true,
        };
        if ended {
            self.open = Open::Ended;
        }
        self.listened = false;
        let tried = connect(self.address).await?;
        self.listened = true;
        if ended {
            self.open = Open::Lives(tried);
        }
        Ok(())
    }

    /// Whether traffic goes through.
    pub(super) async fn look(&mut self) -> Seen {
        let Self { address, open, listened } = self;
        let (new, open) = tokio::join!(connect(*address), open.look());
        let new = new.map_or_else(|error| New::of(&error, *listened), |_| New::Through);
        Seen { new, open }
    }
}

impl New {
    /// What the failure of a new connection tells. What this machine lacks, as descriptors or ports, says nothing of
    /// the pod. A reset is told as a refusal by the kernel until the connection stands, so that one told as a reset
    /// had come through: a server that stops resets those that wait in its queue.
    fn of(error: &io::Error, listened: bool) -> Self {
        if error.kind() == io::ErrorKind::ConnectionReset {
            Self::Through
        } else if is_cut(error) {
            Self::Cut
        } else if is_refusal(error) {
            Self::Refused { listened }
        } else {
            Self::Untried
        }
    }
}

impl Path {
    /// What the failure of an open connection tells. A pod ends one or resets it: only the network calls its port
    /// unreachable, which the kernel takes for a refusal.
    fn of(error: &io::Error) -> Self {
        if is_cut(error) || is_refusal(error) { Self::Cut } else { Self::Unknown }
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
            Ok(Err(error)) => {
                let path = Path::of(&error);
                *self = if path == Path::Cut { Self::Lost } else { Self::Ended };
                path
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

/// Whether nobody answered, a connection was reset, or somebody on the way said that nothing goes through: `ACCESS`
/// stands for what an administrator forbids (IPv6), `NOPROTOOPT` for a machine without TCP.
fn is_cut(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionReset, HostUnreachable, NetworkUnreachable, TimedOut};
    let said = [Errno::HOSTDOWN, Errno::ACCESS, Errno::NOPROTOOPT];
    let is_said = Errno::from_io_error(error).is_some_and(|errno| said.contains(&errno));
    is_said || matches!(error.kind(), TimedOut | ConnectionReset | HostUnreachable | NetworkUnreachable)
}

fn is_refusal(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionRefused
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[test]
    fn only_what_the_network_does_is_a_cut() {
        let refused = New::Refused { listened: true };
        let table = [
            (Errno::TIMEDOUT, New::Cut, Path::Cut),
            (Errno::HOSTUNREACH, New::Cut, Path::Cut),
            (Errno::NETUNREACH, New::Cut, Path::Cut),
            (Errno::HOSTDOWN, New::Cut, Path::Cut),
            (Errno::ACCESS, New::Cut, Path::Cut),
            (Errno::NOPROTOOPT, New::Cut, Path::Cut),
            (Errno::CONNRESET, New::Through, Path::Cut),
            // A pod refuses new connections only.
            (Errno::CONNREFUSED, refused, Path::Cut),
            (Errno::MFILE, New::Untried, Path::Unknown),
            (Errno::NFILE, New::Untried, Path::Unknown),
            (Errno::ADDRNOTAVAIL, New::Untried, Path::Unknown),
            (Errno::PERM, New::Untried, Path::Unknown),
        ];
        for (errno, new, open) in table {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            assert_eq!((New::of(&error, true), Path::of(&error)), (new, open), "{error}");
        }
        let error = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(New::of(&error, false), New::Refused { listened: false });
    }

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    const WHOLE: Seen = Seen { new: New::Through, open: Path::Whole };

    #[tokio::test]
    async fn a_server_that_says_something_or_ends_is_reached() {
        let (listener, address) = listener().await;
        let mut canary = Canary::open(address).await.expect("it listens");
        assert_eq!(canary.look().await, WHOLE);
        let (mut peer, _) = listener.accept().await.expect("the canary's connection");
        peer.write_all(b"220 hello\r\n").await.expect("sent");
        peer.shutdown().await.expect("closed");
        drop((peer, listener));
        // First what it said, then its end; by then nobody listens.
        let refused = New::Refused { listened: true };
        let reached = Seen { new: refused, open: Path::Whole };
        assert_eq!([canary.look().await, canary.look().await], [reached; 2]);
        // From then on it proves nothing, also where the network would be cut.
        assert_eq!(canary.look().await, Seen { new: refused, open: Path::Unknown });
        assert!(canary.renew().await.is_err(), "nobody listens");
    }

    #[tokio::test]
    async fn a_refusal_is_told_with_what_the_port_did_before_the_cut() {
        let (listener, address) = listener().await;
        let mut canary = Canary::open(address).await.expect("it listens");
        let _peer = listener.accept().await.expect("the canary's connection");
        canary.renew().await.expect("it listens");
        drop(listener);
        let refused = |listened| Seen { new: New::Refused { listened }, open: Path::Whole };
        assert_eq!(canary.look().await, refused(true));
        assert!(canary.renew().await.is_err(), "nobody listens");
        assert_eq!(canary.look().await, refused(false), "the open one lives on");
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
        let cut = Seen { new: New::Cut, open: Path::Cut };
        assert_eq!([canary.look().await, canary.look().await], [cut; 2]);
    }
}
