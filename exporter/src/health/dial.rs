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
/// Those of them that it does not give away.
const RESERVED_PORTS: &str = "/proc/sys/net/ipv4/ip_local_reserved_ports";
/// Linux's own choice of them.
const USUAL: RangeInclusive<u16> = 32768..=60999;
/// So many ports in a row that others have are passed over before the choice is left to the machine.
const TRIES: usize = 64;

/// One round for the whole process, for what meets on the way comes from one machine.
static PORTS: LazyLock<Ports> = LazyLock::new(|| {
    let range = std::fs::read_to_string(LOCAL_PORTS).ok().and_then(|text| range(&text)).unwrap_or(USUAL);
    let reserved = std::fs::read_to_string(RESERVED_PORTS).map(|text| reserved(&text)).unwrap_or_default();
    Ports { range, reserved, next: AtomicU64::new(rand::rng().random::<u32>().into()) }
});

/// Connects to the first address of `host` that takes a connection.
pub(super) async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = None;
    for address in lookup_host((host, port)).await? {
        match dial_at(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address")))
}

/// Connects to `address`. Without waiting for an acknowledgement small requests go out at once.
pub(super) async fn dial_at(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = PORTS.socket(address)?.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Every other local port, taken in turn: those that Linux gives to connections only once it is out of the others
/// (`__inet_hash_connect`), so that none of our rounds meets what other connections left.
#[derive(Debug)]
struct Ports {
    range: RangeInclusive<u16>,
    reserved: Vec<RangeInclusive<u16>>,
    next: AtomicU64,
}

impl Ports {
    fn take(&self) -> u16 {
        let (first, last) = (*self.range.start(), *self.range.end());
        let half = u64::from(last - first).div_ceil(2);
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % half.max(1);
        u16::try_from(u64::from(first) + 2 * turn + 1).unwrap_or(first)
    }

    /// A socket for a connection to `to`. One of its own port would connect to itself where nobody listens.
    fn socket(&self, to: SocketAddr) -> io::Result<TcpSocket> {
        let (any, open): (IpAddr, fn() -> io::Result<TcpSocket>) = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED.into(), TcpSocket::new_v4),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED.into(), TcpSocket::new_v6),
        };
        for _ in 0..TRIES {
            let (port, socket) = (self.take(), open()?);
            let is_free = port != to.port() && !self.reserved.iter().any(|range| range.contains(&port));
            if is_free && socket.bind(SocketAddr::new(any, port)).is_ok() {
                // Now that it is ours alone: a server that is started again at this port may have it all the same.
                socket.set_reuseaddr(true)?;
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

/// Ports and ranges of them, as Linux shows them.
fn reserved(text: &str) -> Vec<RangeInclusive<u16>> {
    let one = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    text.trim().split(',').filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn ports(range: RangeInclusive<u16>) -> Ports {
        Ports { range, reserved: Vec::new(), next: AtomicU64::new(0) }
    }

    #[test]
    fn every_other_port_has_its_turn_before_any_comes_again() {
        let taken = |ports: &Ports| (0..4).map(|_| ports.take()).collect::<Vec<u16>>();
        assert_eq!(taken(&ports(40_000..=40_005)), [40_001, 40_003, 40_005, 40_001]);
        assert_eq!(taken(&ports(40_001..=40_005)), [40_002, 40_004, 40_002, 40_004]);
        assert_eq!(taken(&ports(65_534..=65_535)), [65_535; 4]);
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

    #[test]
    fn reserved_ports_are_read_as_linux_shows_them() {
        assert_eq!(reserved("\n"), []);
        assert_eq!(reserved("8080,9148-9150\n"), [8080..=8080, 9148..=9150]);
    }

    #[tokio::test]
    async fn a_connection_comes_from_the_next_port_that_nobody_else_has() {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        // Three ports in a row that are free below those that this machine gives away.
        let (first, listener) = 'found: {
            for first in (20_000..32_000).step_by(8) {
                let free = [3, 5].iter().all(|it| std::net::TcpListener::bind(local(first + it)).is_ok());
                if let (true, Ok(listener)) = (free, TcpListener::bind(local(first + 1)).await) {
                    break 'found (first, listener);
                }
            }
            panic!("no ports are free");
        };
        let ports = ports(first..=first + 5);
        let mut from = Vec::new();
        for _ in 0..2 {
            let socket = ports.socket(local(first + 1)).expect("a socket");
            from.push(socket.connect(local(first + 1)).await.expect("connected"));
        }
        let own: Vec<u16> = from.iter().map(|it| it.local_addr().expect("connected").port()).collect();
        assert_eq!(own, [first + 3, first + 5], "the first is the server's own");
        let server = TcpSocket::new_v4().expect("a socket");
        server.set_reuseaddr(true).expect("it is not bound yet");
        server.bind(local(first + 3)).expect("a server may be started there");
        let other = ports.socket(local(first + 1)).expect("a socket");
        let other =
            other.connect(local(first + 1)).await.expect("connected").local_addr().expect("connected");
        assert!(!(first..=first + 5).contains(&other.port()), "all are taken: the machine chooses");
        drop(listener);
    }

    #[tokio::test]
    async fn a_name_is_dialled_at_its_addresses() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let to = listener.local_addr().expect("bound");
        let stream = dial("localhost", to.port()).await.expect("connected");
        assert_eq!(stream.peer_addr().expect("connected"), to);
        drop((stream, listener));
        let error = dial("localhost", to.port()).await.expect_err("nobody listens");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
