//! Connections over TCP or a unix socket, made by ourselves: whether a connect was refused or timed out decides
//! whether a server was observed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout};

use super::super::dial::dial;
use super::super::silence::{Whose, within};
use super::{CONNECT_WITHIN, Trouble};
use crate::cluster::kubernetes::{ForwardError, Kubernetes};
use crate::errors::OwnLack;

/// What hangs is held up on the way where no other way to whoever was asked is found within this time. A node that kills a
/// pod is slow to answer.
const CUT_AFTER: Duration = Duration::from_secs(3);

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

    /// The cluster through whose API server it is reached, if it is.
    pub(in crate::health) fn through(&self) -> Option<&Kubernetes> {
        match self {
            Self::Pod { cluster, .. } => Some(cluster),
            Self::Tcp(..) | Self::Unix(_) => None,
        }
    }

    /// Whether whoever was asked at `asked`, and has not answered, can be reached still, and if not, why.
    pub(in crate::health) async fn is_reached(&self, asked: Instant) -> Result<(), Trouble> {
        let Self::Pod { cluster, pod, port } = self else { return Ok(()) };
        if !Box::pin(cluster.is_open_since(asked)).await {
            return Err(Trouble::Away("what was asked hangs".to_owned()));
        }
        still_reached(forwarded(cluster, pod, *port, CUT_AFTER).await.map(drop))
    }

    /// What it means that a new connection to it, asked for at `asked`, broke for `reason`: whoever goes away breaks those
    /// through it.
    pub(super) async fn broken(&self, asked: Instant, reason: String) -> Trouble {
        match self.through() {
            Some(cluster) if !Box::pin(cluster.answers_since(asked)).await => Trouble::Away(reason),
            _ => Trouble::Refused(reason),
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
    let connecting = match address {
        Address::Pod { cluster, pod, port } => {
            return forwarded(cluster, pod, *port, CONNECT_WITHIN).await.map_err(not_forwarded);
        }
        Address::Unix(path) => timeout(CONNECT_WITHIN, unix(path)).await,
        Address::Tcp(host, port) => timeout(CONNECT_WITHIN, tcp(host, *port)).await,
    };
    let Ok(connected) = connecting else { return Err(Trouble::NoPath(silent(CONNECT_WITHIN))) };
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

fn silent(limit: Duration) -> String {
    format!("no connection within {limit:?}")
}

async fn unix(path: &Path) -> io::Result<Socket> {
    Ok(Box::new(UnixStream::connect(path).await?))
}

async fn tcp(host: &str, port: u16) -> io::Result<Socket> {
    let stream = dial(host, port).await?;
    watch_path(&stream)?;
    Ok(Box::new(stream))
}

/// A machine that is dead keeps the API server waiting, and us with it; one that is silent itself says nothing of it.
async fn forwarded(
    cluster: &Kubernetes,
    pod: &str,
    port: u16,
    limit: Duration,
) -> Result<Socket, ForwardError> {
    let open = Box::pin(cluster.is_open_since(Instant::now()));
    match within(limit, Box::pin(cluster.forward(pod, port)), open).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(error),
        Err(silence) => Err(match silence.of {
            Whose::Asked => ForwardError::Unreachable(silent(limit)),
            Whose::Way => ForwardError::Unseen(silent(limit)),
        }),
    }
}

fn not_forwarded(error: ForwardError) -> Trouble {
    match error {
        ForwardError::Unseen(reason) => Trouble::Away(reason),
        ForwardError::Absent(reason) => Trouble::Gone(reason),
        ForwardError::Predecessor(reason) => Trouble::Predecessor(reason),
        ForwardError::Unreachable(reason) => Trouble::NoPath(reason),
    }
}

/// What another way to a pod that has not answered tells of the first: it may be the predecessor that was asked.
fn still_reached(found: Result<(), ForwardError>) -> Result<(), Trouble> {
    match found {
        Ok(()) | Err(ForwardError::Predecessor(_)) => Ok(()),
        Err(error) => Err(not_forwarded(error)),
    }
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use axum::routing::get;
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::time::sleep;

    use super::*;

    const GONE: &str = r#"pods \"kv-0\" not found"#;
    const PORT_FORWARD: &str = "/api/v1/namespaces/shop/pods/kv-0/portforward";

    /// What an API server says to whoever asks for a port of the pod, and how it answers for its version.
    struct Api {
        forward: (u16, String),
        after: Duration,
        version: u16,
        takes: Duration,
    }

    impl Api {
        /// Says nothing of the pod.
        const SILENT: u16 = 0;

        async fn start(self) -> SocketAddr {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let address = listener.local_addr().expect("bound");
            self.serve(listener);
            address
        }

        fn serve(self, listener: TcpListener) {
            let code = |code: u16| axum::http::StatusCode::from_u16(code.max(200)).expect("a code");
            let Self { forward: (said, body), after, version, takes } = self;
            let forward = move || async move {
                sleep(after).await;
                if said == Self::SILENT {
                    sleep(CONNECT_WITHIN * 10).await;
                }
                (code(said), body)
            };
            let told = match version {
                200 => {
                    r#"{"major": "1", "minor": "34", "gitVersion": "v1.34.0", "gitCommit": "",
                    "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": ""}"#
                }
                _ => "Too many requests, please try again later.",
            };
            let version = move || async move {
                sleep(takes).await;
                (code(version), told)
            };
            let routes = Router::new().route(PORT_FORWARD, get(forward)).route("/version", get(version));
            tokio::spawn(async move { axum::serve(listener, routes).await });
        }
    }

    /// An API server that answers at once, and says this of the pod in its own form.
    fn saying(code: u16, message: &str) -> Api {
        let body = format!(r#"{{"kind": "Status", "message": "{message}", "code": {code}}}"#);
        Api { forward: (code, body), after: Duration::ZERO, version: 200, takes: Duration::ZERO }
    }

    /// One that hands on what the pod's node says, in plain text.
    fn by_node(code: u16, text: &str) -> Api {
        Api { forward: (code, text.to_owned()), ..saying(code, text) }
    }

    /// One that says nothing of it.
    fn silent_of_it(version: u16, takes: Duration) -> Api {
        Api { forward: (Api::SILENT, String::new()), after: Duration::ZERO, version, takes }
    }

    /// Nobody listens there.
    async fn nobody() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        listener.local_addr().expect("bound")
    }

    /// Whoever connects hears nothing.
    async fn silence() -> (SocketAddr, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        (listener.local_addr().expect("bound"), listener)
    }

    fn inside(api: SocketAddr) -> Address {
        Address::Pod { cluster: Kubernetes::at(api), pod: "kv-0".to_owned(), port: 6379 }
    }

    /// What the connect to a pod comes to.
    async fn trouble(api: SocketAddr) -> Trouble {
        connect(&inside(api)).await.map(drop).expect_err("nobody forwards")
    }

    #[tokio::test]
    async fn an_api_server_that_answers_tells_of_the_pod_and_one_that_does_not_tells_nothing() {
        let dead = saying(500, "error dialing backend: no route to host");
        let told = [
            trouble(saying(404, GONE).start().await).await,
            trouble(by_node(500, "pod not found (\"kv-0_shop\")").start().await).await,
            trouble(dead.start().await).await,
            trouble(by_node(404, "pod does not exist").start().await).await,
        ];
        assert!(
            matches!(told, [Trouble::Gone(_), Trouble::Gone(_), Trouble::NoPath(_), Trouble::NoPath(_)]),
            "{told:?}"
        );
        let told =
            trouble(by_node(500, "failed to find sandboxID for pod kv-0_shop(u-1)").start().await).await;
        assert!(matches!(told, Trouble::Predecessor(_)), "{told:?}");
        for (code, message) in
            [(503, "no healthy upstream"), (403, "forbidden"), (500, "etcdserver: no leader")]
        {
            let told = trouble(saying(code, message).start().await).await;
            assert!(matches!(told, Trouble::Away(_)), "{told:?}");
        }
        let told = trouble(nobody().await).await;
        assert!(matches!(told, Trouble::Away(_)), "{told:?}");
    }

    /// As the tunnels of k3s, by which alone it reaches its nodes, come back some seconds after it.
    #[tokio::test]
    async fn an_api_server_that_has_just_come_back_tells_nothing_of_a_node_that_it_does_not_reach() {
        let no_tunnel =
            "error dialing backend: proxy error from 127.0.0.1:6443 while dialing 10.0.0.3:10250, code 502";
        // Nobody listens yet, or nobody hears who connects.
        for heard in [false, true] {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
            let api = socket.local_addr().expect("bound");
            let mut unheard = Some(socket);
            let mut listen = || unheard.take().map(|socket| socket.listen(16).expect("a listener"));
            let silent = if heard { listen() } else { None };
            let known = inside(api);
            let told = connect(&known).await.map(drop).expect_err("nobody forwards");
            assert!(matches!(told, Trouble::Away(_)), "{told:?}");
            saying(500, no_tunnel).serve(silent.or_else(listen).expect("a listener"));
            let told = connect(&known).await.map(drop).expect_err("nobody forwards");
            assert!(matches!(told, Trouble::Away(_)), "{told:?}");
            // Whoever has not seen it away takes its word.
            let told = trouble(api).await;
            assert!(matches!(told, Trouble::NoPath(_)), "{told:?}");
        }
    }

    #[tokio::test]
    async fn silence_of_an_api_server_that_was_away_just_before_is_not_its_nodes() {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let api = socket.local_addr().expect("bound");
        let known = inside(api);
        let told = connect(&known).await.map(drop).expect_err("nobody listens");
        assert!(matches!(told, Trouble::Away(_)), "{told:?}");
        silent_of_it(200, Duration::ZERO).serve(socket.listen(16).expect("a listener"));
        let told = connect(&known).await.map(drop).expect_err("nobody forwards");
        assert!(matches!(told, Trouble::Away(_)), "{told:?}");
        let told = trouble(api).await;
        assert!(matches!(told, Trouble::NoPath(_)), "{told:?}");
    }

    #[tokio::test]
    async fn a_dead_machine_is_told_from_a_silent_api_server() {
        // One that is only slow, or busy, is there.
        let slow = CONNECT_WITHIN * 6 / 10;
        for (version, takes) in [(200, Duration::ZERO), (200, slow), (429, Duration::ZERO)] {
            let told = trouble(silent_of_it(version, takes).start().await).await;
            assert!(matches!(told, Trouble::NoPath(_)), "{version} {takes:?}: {told:?}");
        }
        let (address, _listener) = silence().await;
        let told = trouble(address).await;
        assert!(matches!(told, Trouble::Away(_)), "{told:?}");
    }

    #[tokio::test]
    async fn what_was_asked_before_the_api_server_was_back_is_in_doubt() {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let known = inside(socket.local_addr().expect("bound"));
        let asked = Instant::now();
        let told = known.broken(asked, "closed".to_owned()).await;
        assert!(matches!(told, Trouble::Away(_)), "{told:?}");
        saying(404, GONE).serve(socket.listen(16).expect("a listener"));
        let told = known.broken(asked, "closed".to_owned()).await;
        assert!(matches!(told, Trouble::Away(_)), "{told:?}");
        let later = Instant::now() + 2 * CONNECT_WITHIN;
        let told = known.broken(later, "closed".to_owned()).await;
        assert!(matches!(told, Trouble::Refused(_)), "{told:?}");
    }

    #[tokio::test]
    async fn what_hangs_is_held_up_on_the_way_where_no_other_way_is_found() {
        let reached = async |api: SocketAddr| inside(api).is_reached(Instant::now()).await;
        let (another, starting) =
            ("failed to find sandboxID for pod kv-0_shop(u-1)", "pod not found (\"kv-0_shop\")");
        assert!(still_reached(Ok(())).is_ok());
        assert!(reached(by_node(500, another).start().await).await.is_ok(), "it is killed just now");
        let slow = Api { after: CONNECT_WITHIN * 2, ..by_node(500, another) };
        assert!(reached(slow.start().await).await.is_ok(), "its node is busy with that");
        let told = [
            reached(by_node(500, starting).start().await).await,
            reached(saying(500, "error dialing backend: no route to host").start().await).await,
            reached(silent_of_it(200, Duration::ZERO).start().await).await,
            reached(nobody().await).await,
        ]
        .map(|told| told.expect_err("it is not reached"));
        assert!(
            matches!(told, [Trouble::Gone(_), Trouble::NoPath(_), Trouble::NoPath(_), Trouble::Away(_)]),
            "{told:?}"
        );
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let (known, asked) = (inside(socket.local_addr().expect("bound")), Instant::now());
        let away = known.is_reached(asked).await.expect_err("nobody listens");
        by_node(500, another).serve(socket.listen(16).expect("a listener"));
        let back = known.is_reached(asked).await.expect_err("it was asked before");
        assert!(matches!((&away, &back), (Trouble::Away(_), Trouble::Away(_))), "{away:?} {back:?}");
        let direct = Address::Tcp("127.0.0.1".to_owned(), 1).is_reached(Instant::now()).await;
        assert!(direct.is_ok(), "its own connection breaks where the way is cut");
    }

    #[tokio::test]
    async fn a_connection_that_broke_is_the_servers_doing_only_where_the_api_server_answers() {
        let told = inside(saying(404, GONE).start().await).broken(Instant::now(), "closed".to_owned()).await;
        assert!(matches!(told, Trouble::Refused(_)), "{told:?}");
        let told = inside(nobody().await).broken(Instant::now(), "closed".to_owned()).await;
        assert!(matches!(told, Trouble::Away(_)), "{told:?}");
        let told = Address::Tcp("127.0.0.1".to_owned(), 1).broken(Instant::now(), "closed".to_owned()).await;
        assert!(matches!(told, Trouble::Refused(_)), "{told:?}");
    }
}
