//! The server: one task a connection, until told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, USER_AGENT, VARY};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prometheus::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::exposition;
use super::landing::{self, About};
use super::route::{Route, accepts_gzip, route};
use super::scrapers::{Scrapers, Visitor};

/// The pause after a connection could not be accepted: most often no descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long answers under way may take once the server is told to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// Whether the process is ready, for `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It is.
    Ready,
    /// It is not, and why.
    NotReady(String),
}

/// What the server serves.
#[derive(Debug)]
pub struct Web {
    registry: Registry,
    telemetry_path: String,
    readiness: watch::Receiver<Readiness>,
    scrapers: watch::Sender<Scrapers>,
    about: About,
}

impl Web {
    /// Serves `registry` under `telemetry_path`, which begins with `/`.
    pub fn new(registry: Registry, telemetry_path: &str, readiness: watch::Receiver<Readiness>) -> Self {
        Self {
            registry,
            telemetry_path: telemetry_path.to_owned(),
            readiness,
            scrapers: watch::Sender::default(),
            about: About::default(),
        }
    }

    /// The landing page tells of this run.
    #[must_use]
    pub fn about(self, about: About) -> Self {
        Self { about, ..self }
    }

    /// Who has scraped so far. A HEAD is no scrape.
    pub fn scrapers(&self) -> watch::Sender<Scrapers> {
        self.scrapers.clone()
    }

    /// Serves connections of `listener` until `shutdown`, then finishes the answers under way.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let web = Arc::new(self);
        let (stop, connections) = (CancellationToken::new(), TaskTracker::new());
        tokio::pin!(shutdown);
        let mut number = 0;
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        number += 1;
                        let from = Peer { address: peer.ip(), number };
                        connections.spawn(converse(Arc::clone(&web), stream, from, stop.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection to the metrics could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        stop.cancel();
        connections.close();
        if tokio::time::timeout(DRAIN_LIMIT, connections.wait()).await.is_err() {
            tracing::debug!(
                open = connections.len(),
                "clients of the metrics did not take their answers in time"
            );
        }
    }

    async fn answer<B>(&self, request: Request<B>, from: Peer) -> Response<Full<Bytes>> {
        match route(request.method(), request.uri().path(), &self.telemetry_path) {
            Route::Metrics => self.metrics(&request, from).await,
            Route::Landing => page(StatusCode::OK, HTML, landing::page(&self.about, &self.telemetry_path)),
            Route::Health => page(StatusCode::OK, TEXT, "alive\n"),
            Route::Ready => match &*self.readiness.borrow() {
                Readiness::Ready => page(StatusCode::OK, TEXT, "ready\n"),
                Readiness::NotReady(reason) => {
                    page(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("not ready: {reason}\n"))
                }
            },
            Route::NotFound => page(StatusCode::NOT_FOUND, TEXT, "no such page\n"),
            Route::MethodNotAllowed => {
                with(page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n"), ALLOW, "GET, HEAD")
            }
        }
    }

    async fn metrics<B>(&self, request: &Request<B>, from: Peer) -> Response<Full<Bytes>> {
        let begun = Instant::now();
        let gzip = accepts_gzip(request.headers());
        match exposition::render(self.registry.clone(), gzip).await {
            Ok(body) => {
                if *request.method() == Method::GET {
                    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
                    let visitor = Visitor::new(&from.address.to_string(), agent.unwrap_or_default());
                    self.scrapers.send_modify(|scrapers| scrapers.note(visitor, from.number, begun));
                }
                let answer = page(StatusCode::OK, exposition::CONTENT_TYPE, body);
                let answer = with(answer, VARY, "Accept-Encoding");
                if gzip { with(answer, CONTENT_ENCODING, "gzip") } else { answer }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a scrape failed");
                page(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{error} failed\n"))
            }
        }
    }
}

/// A connection's other end.
#[derive(Debug, Clone, Copy)]
struct Peer {
    address: IpAddr,
    /// The connection's own number.
    number: u64,
}

async fn converse(web: Arc<Web>, stream: TcpStream, from: Peer, stop: CancellationToken) {
    let scrapers = web.scrapers.clone();
    let service = service_fn(move |request| {
        let web = Arc::clone(&web);
        async move { Ok::<_, Infallible>(web.answer(request, from).await) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection to the metrics broke");
    }
    scrapers.send_modify(|scrapers| scrapers.closed(from.number));
}

fn page(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    with(answer, CONTENT_TYPE, content_type)
}

fn with(mut answer: Response<Full<Bytes>>, name: HeaderName, value: &'static str) -> Response<Full<Bytes>> {
    answer.headers_mut().insert(name, http::HeaderValue::from_static(value));
    answer
}
