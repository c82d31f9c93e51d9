//! Opens connections: name, TCP, TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use url::Host;

use super::wire::Wire;
use super::{Connection, Deadline, io_cause};
use crate::load::outcome::{At, Cause, Failure};
use crate::load::plan::Origin;
use crate::tls::Tls;

/// How long an answer about the target's name is good, a bad one too: long enough that a thousand users do
/// not ask one by one, short enough that a failover by name is followed.
const NAME_GOOD_FOR: Duration = Duration::from_secs(1);

/// The longest wait for TCP to connect: SYNs to a dead address are never answered.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A dead peer behind a silent network is noticed after this long without an answer.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// Opens connections to the target for the users of one thread.
pub(in crate::load) struct Dialer {
    addresses: Addresses,
    tls: Option<Tls>,
    connect_timeout: Duration,
    unacknowledged: Duration,
}

impl Dialer {
    /// Connects to `origin`, in TLS if `tls` is there. `request_timeout` is a request's whole time.
    pub(in crate::load) fn new(origin: &Origin, tls: Option<Tls>, request_timeout: Duration) -> Self {
        Self {
            addresses: Addresses::new(origin),
            tls,
            connect_timeout: request_timeout.min(CONNECT_TIMEOUT),
            unacknowledged: request_timeout,
        }
    }

    /// Opens a connection for user number `user` before `deadline`.
    pub(in crate::load) async fn connect(
        &self,
        user: usize,
        deadline: &mut Deadline,
    ) -> Result<Connection, Failure> {
        let resolved = deadline.bound(self.addresses.get()).await.ok_or(Cause::TimedOut).flatten();
        let addresses = resolved.map_err(failed(At::Resolve))?;
        let opened = deadline.bound(self.open(&addresses, user)).await.ok_or(Cause::TimedOut).flatten();
        let stream = opened.map_err(failed(At::Connect))?;
        let Some(tls) = &self.tls else { return Connection::new(Wire::plain(stream)).await };
        // A server that accepts and then is silent has a hanging request, with TLS as without: the request's
        // whole time is the limit.
        let secured = deadline.bound(tls.connect(stream)).await.ok_or(Cause::TimedOut);
        let secured = secured.and_then(|done| done.map_err(|error| tls_cause(&error)));
        Connection::new(Wire::secure(secured.map_err(failed(At::Secure))?)).await
    }

    /// Tries the addresses in turn, beginning with another for each user, in one connect time-out.
    async fn open(&self, addresses: &[SocketAddr], user: usize) -> Result<TcpStream, Cause> {
        let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let mut last = Cause::Closed;
        for index in 0..addresses.len() {
            let address = addresses[(user + index) % addresses.len()];
            last = match timeout(self.connect_timeout / count, TcpStream::connect(address)).await {
                Err(_) => Cause::TimedOut,
                Ok(Err(error)) => io_cause(&error),
                Ok(Ok(stream)) => {
                    self.tune(&stream);
                    return Ok(stream);
                }
            };
        }
        Err(last)
    }

    /// Best effort: a connection without these options is still a connection.
    fn tune(&self, stream: &TcpStream) {
        let _ = stream.set_nodelay(true);
        let socket = SockRef::from(stream);
        let _ = socket.set_tcp_user_timeout(Some(self.unacknowledged));
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE).with_retries(3);
        let _ = socket.set_tcp_keepalive(&keepalive);
    }
}

fn failed(at: At) -> impl FnOnce(Cause) -> Failure {
    move |cause| Failure { at, cause, reused: false, answered: false }
}

/// A handshake's failure: whatever is not the connection's is TLS's.
fn tls_cause(error: &io::Error) -> Cause {
    match io_cause(error) {
        Cause::Io { kind: io::ErrorKind::InvalidData | io::ErrorKind::Other, .. } => Cause::Tls,
        cause => cause,
    }
}

/// The target's addresses.
enum Addresses {
    Known(Rc<[SocketAddr]>),
    Named { host: String, port: u16, known: Mutex<Option<Known>> },
}

struct Known {
    asked: Instant,
    answer: Result<Rc<[SocketAddr]>, Cause>,
}

impl Addresses {
    fn new(origin: &Origin) -> Self {
        let known = |ip: IpAddr| Self::Known(Rc::new([SocketAddr::new(ip, origin.port)]));
        match &origin.host {
            Host::Ipv4(ip) => known((*ip).into()),
            Host::Ipv6(ip) => known((*ip).into()),
            Host::Domain(host) => {
                Self::Named { host: host.clone(), port: origin.port, known: Mutex::default() }
            }
        }
    }

    /// The addresses. Who comes while another asks waits for the same answer.
    async fn get(&self) -> Result<Rc<[SocketAddr]>, Cause> {
        let (host, port, known) = match self {
            Self::Known(addresses) => return Ok(Rc::clone(addresses)),
            Self::Named { host, port, known } => (host, *port, known),
        };
        let mut known = known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.asked.elapsed() < NAME_GOOD_FOR) {
            return known.answer.clone();
        }
        let answer = match lookup_host((host.as_str(), port)).await {
            Ok(found) => {
                let found: Rc<[SocketAddr]> = found.collect();
                if found.is_empty() { Err(Cause::Closed) } else { Ok(found) }
            }
            Err(error) => Err(io_cause(&error)),
        };
        *known = Some(Known { asked: Instant::now(), answer: answer.clone() });
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_about_a_name_is_good_for_a_second() {
        let asked = Instant::now();
        let answer: Rc<[SocketAddr]> = Rc::new([([127, 0, 0, 1], 80).into()]);
        let known = Known { asked, answer: Ok(Rc::clone(&answer)) };
        // No resolver knows a label of more than 63 letters, and none is asked for it.
        let host = "x".repeat(64);
        let addresses = Addresses::Named { host, port: 80, known: Mutex::new(Some(known)) };
        assert_eq!(addresses.get().await, Ok(answer));
        tokio::time::advance(NAME_GOOD_FOR).await;
        assert!(addresses.get().await.is_err());
    }
}
