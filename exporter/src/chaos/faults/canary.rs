//! Connections that show whether traffic to a pod is cut: a new one, and one that was open before.
//!
//! An open connection sends one byte a look, which no server answers before it has a whole line or packet. On a
//! path that is whole the peer's kernel acknowledges it at once; where it stays in the socket's queue, or the
//! connection breaks, the path is cut. The queue is read from `/proc/net/tcp` (proc(5), column `tx_queue`).

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// On a path that is whole, a connection stands and a byte is acknowledged well within this time.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// A connection that was open before the fault.
#[derive(Debug)]
pub(super) struct Canary {
    address: SocketAddr,
    stream: TcpStream,
}

/// What a look at a pod's traffic shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// A new connection was not to be had.
    pub(super) new_cut: bool,
    /// Nothing went through the open one.
    pub(super) open_cut: bool,
}

impl Canary {
    /// A connection to `address`, which has to be there.
    pub(super) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream })
    }

    /// Whether traffic goes through.
    pub(super) async fn look(&mut self) -> Seen {
        let new = connect(self.address);
        let (new, open_cut) = tokio::join!(new, open_is_cut(&mut self.stream));
        Seen { new_cut: new.is_err(), open_cut }
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let connected = tokio::time::timeout(ANSWER_WITHIN, TcpStream::connect(address)).await;
    connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn open_is_cut(stream: &mut TcpStream) -> bool {
    if stream.write_all(b" ").await.is_err() {
        return true;
    }
    tokio::time::sleep(ANSWER_WITHIN).await;
    match (stream.local_addr(), stream.peer_addr()) {
        (Ok(local), Ok(peer)) => match tables().await {
            // A socket that is in no table any more is closed.
            Ok(tables) => unacknowledged(&tables, local, peer).is_none_or(|bytes| bytes > 0),
            Err(_) => false,
        },
        _ => true,
    }
}

async fn tables() -> io::Result<String> {
    let mut text = tokio::fs::read_to_string("/proc/net/tcp").await?;
    // A kernel without IPv6 has no such table.
    text.push_str(&tokio::fs::read_to_string("/proc/net/tcp6").await.unwrap_or_default());
    Ok(text)
}

/// Bytes of an established connection that its peer has not acknowledged; `None`: there is no such connection.
fn unacknowledged(tables: &str, local: SocketAddr, peer: SocketAddr) -> Option<u64> {
    const ESTABLISHED: &str = "01";
    let (local, peer) = (in_table(local), in_table(peer));
    tables.lines().find_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let is_it = columns.next()? == local && columns.next()? == peer && columns.next()? == ESTABLISHED;
        let (queue, _) = columns.next()?.split_once(':')?;
        is_it.then(|| u64::from_str_radix(queue, 16).ok()).flatten()
    })
}

/// An address as the kernel's tables have it: words in the machine's byte order, in hexadecimal digits.
fn in_table(address: SocketAddr) -> String {
    let bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let mut text = String::new();
    for word in bytes.chunks_exact(4) {
        let word = u32::from_ne_bytes([word[0], word[1], word[2], word[3]]);
        // Writing to a String cannot fail.
        let _ = write!(text, "{word:08X}");
    }
    let _ = write!(text, ":{:04X}", address.port());
    text
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn the_kernels_table_tells_what_is_not_acknowledged() {
        let tables = "  sl  local_address rem_address   st tx_queue:rx_queue tr tm->when retrnsmt uid\n   \
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0\n   \
             1: 0100007F:C350 0200007F:1538 01 0000000A:00000000 01:00000014 00000000 0\n   \
             2: 0100007F:C351 0200007F:1538 01 00000000:00000003 00:00000000 00000000 0\n   \
             3: 0100007F:C352 0200007F:1538 08 00000001:00000000 00:00000000 00000000 0\n";
        let peer = SocketAddr::from(([127, 0, 0, 2], 5432));
        let table = [(50_000, Some(10)), (50_001, Some(0)), (50_002, None), (50_003, None)];
        for (port, expected) in table {
            let local = SocketAddr::from(([127, 0, 0, 1], port));
            assert_eq!(unacknowledged(tables, local, peer), expected, "{port}");
        }
    }

    #[test]
    fn addresses_are_written_as_in_the_table() {
        let v6: SocketAddr = "[::1]:80".parse().expect("an address");
        assert_eq!(in_table(v6), "00000000000000000000000001000000:0050");
        assert_eq!(in_table(SocketAddr::from(([127, 0, 0, 1], 8080))), "0100007F:1F90");
    }

    #[tokio::test]
    async fn a_path_that_is_whole_takes_bytes_and_connections_and_a_closed_port_takes_neither() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut canary = Canary::open(address).await.expect("it listens");
        assert_eq!(canary.look().await, Seen { new_cut: false, open_cut: false });
        let (peer, _) = listener.accept().await.expect("the canary's connection");
        drop((peer, listener));
        // The first byte after the end of the peer brings the reset, at the latest.
        let seen = canary.look().await;
        assert!(seen.new_cut && seen.open_cut, "{seen:?}");
        assert!(Canary::open(address).await.is_err());
    }
}
