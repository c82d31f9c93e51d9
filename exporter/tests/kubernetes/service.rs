//! What users and canaries reach: a service that always answers, and the port of a pod, which policies close.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::api::Api;
use crate::objects::is_cut_off;

/// Where the service listens.
pub(crate) async fn web() -> SocketAddr {
    let routes =
        Router::new().route("/", get(|| async { "welcome" })).route("/healthz", get(|| async { "ok" }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

/// What a network does with connections to a pod that is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// It is silent.
    Drops,
    /// It refuses them for the pod.
    Refuses,
}

/// The network in front of the pod that takes writes: as long as a policy of `api` cuts the pod off, nobody gets a
/// connection, and none lives.
pub(crate) async fn guard_port(listener: TcpListener, api: Arc<Api>, network: Network) {
    const LOOK: Duration = Duration::from_millis(10);
    let address = listener.local_addr().expect("bound");
    let mut port = Port::Open(listener, Vec::new());
    loop {
        let cut = is_cut_off(&api.lock().objects);
        port = match port {
            Port::Open(listener, connections) if cut => {
                connections.iter().for_each(reset);
                drop((listener, connections));
                match network {
                    Network::Drops => Port::silent(address).await,
                    Network::Refuses => Port::Refusing { _bound: bound(address) },
                }
            }
            Port::Silent { .. } | Port::Refusing { .. } if !cut => {
                drop(port);
                Port::Open(listen(address, 1024), Vec::new())
            }
            same => same,
        };
        match &mut port {
            Port::Open(listener, connections) => {
                if let Ok(Ok((connection, _))) = tokio::time::timeout(LOOK, listener.accept()).await {
                    connections.push(connection);
                }
            }
            Port::Silent { .. } | Port::Refusing { .. } => tokio::time::sleep(LOOK).await,
        }
    }
}

/// A place in a queue that has one is taken at once.
const FILLED_WITHIN: Duration = Duration::from_millis(200);

enum Port {
    Open(TcpListener, Vec<TcpStream>),
    /// Its queue is full: the kernel answers no more, as a network that drops packets.
    Silent {
        _held: (TcpListener, Option<TcpStream>),
    },
    /// Nobody listens, and nobody else takes the port: the kernel refuses.
    Refusing {
        _bound: TcpSocket,
    },
}

impl Port {
    async fn silent(address: SocketAddr) -> Self {
        let listener = listen(address, 0);
        // Whoever has come before has taken its only place, and it is full just the same.
        let only = tokio::time::timeout(FILLED_WITHIN, TcpStream::connect(address)).await;
        Self::Silent { _held: (listener, only.ok().and_then(Result::ok)) }
    }
}

fn listen(address: SocketAddr, backlog: u32) -> TcpListener {
    bound(address).listen(backlog).expect("it listens")
}

fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a socket");
    socket.bind(address).expect("nobody else listens");
    socket
}

/// Its end is a reset, and nothing of it is left at the port.
fn reset(connection: &TcpStream) {
    SockRef::from(connection).set_linger(Some(Duration::ZERO)).expect("a socket");
}
