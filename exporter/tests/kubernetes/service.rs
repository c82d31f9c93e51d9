//! What users and canaries reach: a service that always answers, and the port of a pod, which policies close.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

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

/// The network in front of the pod that takes writes: as long as a policy of `api` cuts the pod off, nobody
/// listens, and no connection lives.
pub(crate) async fn guard_port(listener: TcpListener, api: Arc<Api>) {
    const LOOK: Duration = Duration::from_millis(10);
    let address = listener.local_addr().expect("bound");
    let mut open = Some((listener, Vec::new()));
    loop {
        let cut = is_cut_off(&api.lock().objects);
        if cut {
            open = None;
        } else if open.is_none() {
            open = TcpListener::bind(address).await.ok().map(|listener| (listener, Vec::new()));
        }
        match &mut open {
            Some((listener, connections)) => {
                if let Ok(Ok((connection, _))) = tokio::time::timeout(LOOK, listener.accept()).await {
                    connections.push(connection);
                }
            }
            None => tokio::time::sleep(LOOK).await,
        }
    }
}
