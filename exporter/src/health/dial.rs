//! Fresh TCP connections, each from another local port than those before it for as long as there are others.
//!
//! A connection given up before its server answered leaves a trace on the way: a machine that leads a service's
//! address to one of its servers, as kube-proxy does, remembers for two minutes which one it was
//! (`nf_conntrack_tcp_timeout_syn_sent`), and whoever comes from the same port again is led to that one, dead or not.
//! A probe asks often enough to meet the traces of its own failures, which no client of the service would.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngExt;
use tokio::net::{TcpSocket, TcpStream, lookup_host};

/// The ports that this machine gives to connections.
const LOCAL_PORTS: &str = "/proc/sys/net/ipv4/ip_local_port_range";
/// Linux's own choice of them.
const USUAL: RangeInclusive<u16> = 32768..=60999;
/// So many ports in a row that others have are passed over before the choice is left to the machine.
const TRIES: usize = 64;

/// One round for the whole process, for what meets on the way comes from one machine.
static PORTS: LazyLock<Ports> = LazyLock::new(|| {
    let range = std::fs::read_to_string(LOCAL_PORTS).ok().and_then(|text| range(&text)).unwrap_or(USUAL);
    Ports { range, next: AtomicU64::new(rand::rng().random::<u32>().into()) }
});

/// Connects to the first address of `host` that takes a connection.
pub(super) async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = None;
    for address in lookup_host((host, port)).await? {
        match PORTS.socket(address)?.connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address")))
}

/// Local ports, taken in turn.
#[derive(Debug)]
struct Ports {
    range: RangeInclusive<u16>,
    next: AtomicU64,
}

impl Ports {
    fn take(&self) -> u16 {
        let (first, last) = (*self.range.start(), *self.range.end());
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % (u64::from(last - first) + 1);
        first + u16::try_from(turn).unwrap_or_default()
    }

    /// A socket for a connection to `to`. One of its own port would connect to itself where nobody listens.
    fn socket(&self, to: SocketAddr) -> io::Result<TcpSocket> {
        let (any, open): (IpAddr, fn() -> io::Result<TcpSocket>) = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED.into(), TcpSocket::new_v4),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED.into(), TcpSocket::new_v6),
        };
        for _ in 0..TRIES {
            let port = self.take();
            let socket = open()?;
            if port != to.port() && socket.bind(SocketAddr::new(any, port)).is_ok() {
                return Ok(socket);
            }
        }
        open()
    }
}

/// Two numbers, as Linux shows them.
fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let mut numbers = text.split_whitespace().map(str::parse);
    let (Some(Ok(first)), Some(Ok(last)), None) = (numbers.next(), numbers.next(), numbers.next()) else {
        return None;
    };
    (0 < first && first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn ports(range: RangeInclusive<u16>) -> Ports {
        Ports { range, next: AtomicU64::new(0) }
    }

    #[test]
    fn each_port_has_its_turn_before_any_comes_again() {
        let ports = ports(40_000..=40_003);
        let taken: Vec<u16> = (0..6).map(|_| ports.take()).collect();
        assert_eq!(taken, [40_000, 40_001, 40_002, 40_003, 40_000, 40_001]);
    }

    #[test]
    fn a_range_is_read_as_linux_shows_it() {
        let table = [
            ("32768\t60999\n", Some(32_768..=60_999)),
            ("7 7", Some(7..=7)),
            ("", None),
            ("1", None),
            ("1 2 3", None),
            ("9 8", None),
            ("0 8", None),
            ("1 65536", None),
        ];
        for (text, expected) in table {
            assert_eq!(range(text), expected, "{text:?}");
        }
    }

    /// A free port below those that this machine gives away, so that nobody else takes it meanwhile.
    async fn listener() -> (TcpListener, SocketAddr) {
        for port in 20_000..32_000 {
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                let address = listener.local_addr().expect("bound");
                return (listener, address);
            }
        }
        panic!("no port is free");
    }

    #[tokio::test]
    async fn a_connection_comes_from_the_next_port_that_nobody_else_has() {
        let (listener, to) = listener().await;
        let (taken, free) = (to.port(), to.port() + 1);
        let ports = ports(taken..=free);
        let socket = ports.socket(to).expect("a socket");
        let (connected, accepted) = tokio::join!(socket.connect(to), listener.accept());
        let (stream, (_, from)) = (connected.expect("connected"), accepted.expect("accepted"));
        assert_eq!(from.port(), free, "the other one is the server's own");
        let other = ports.socket(to).expect("a socket").connect(to).await.expect("connected");
        assert_ne!(
            other.local_addr().expect("connected").port(),
            free,
            "both are taken: the machine chooses"
        );
        drop(stream);
    }

    #[tokio::test]
    async fn a_name_is_dialled_until_one_of_its_addresses_answers() {
        let (listener, to) = listener().await;
        let stream = dial("localhost", to.port()).await.expect("connected");
        assert_eq!(stream.peer_addr().expect("connected"), to);
        drop(listener);
        let error = dial("localhost", to.port()).await.expect_err("nobody listens");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
