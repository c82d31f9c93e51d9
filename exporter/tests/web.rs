//! The exporter's pages, asked by a real client over a real connection.

use std::io::Read as _;
use std::net::SocketAddr;

use exporter::web::{Readiness, Scrapers, Web};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use prometheus::{IntCounter, Registry};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

struct Site {
    address: SocketAddr,
    scrapers: watch::Receiver<Scrapers>,
    readiness: watch::Sender<Readiness>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

async fn site() -> Site {
    let registry = Registry::new();
    let counter = IntCounter::new("ordeal_made_total", "Made by a test.").expect("a counter");
    counter.inc_by(7);
    registry.register(Box::new(counter)).expect("registers");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let (readiness, readiness_seen) = watch::channel(Readiness::NotReady("preflight".to_owned()));
    let web = Web::new(registry, "/metrics", readiness_seen);
    let scrapers = web.scrapers().subscribe();
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(web.serve(listener, async move {
        let _ = stopped.await;
    }));
    Site { address, scrapers, readiness, stop, server }
}

async fn connect(site: &Site) -> http1::SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(site.address).await.expect("connected");
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("handshake");
    tokio::spawn(connection);
    sender
}

async fn ask(site: &Site, method: Method, path: &str, accept_encoding: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "exporter")
        .header("accept-encoding", accept_encoding)
        .body(Empty::new())
        .expect("a request");
    let answer = connect(site).await.send_request(request).await.expect("an answer");
    let (head, body) = answer.into_parts();
    let body = body.collect().await.expect("a body").to_bytes().to_vec();
    Answer { status: head.status, headers: head.headers, body }
}

#[tokio::test]
async fn a_scrape_gets_the_text_format_and_is_counted() {
    let site = site().await;
    let plain = ask(&site, Method::GET, "/metrics", "identity").await;
    assert_eq!(plain.status, StatusCode::OK);
    assert_eq!(plain.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(plain.text().contains("\nordeal_made_total 7\n"), "{}", plain.text());
    assert_eq!(site.scrapers.borrow().total(), 1);

    let zipped = ask(&site, Method::GET, "/metrics", "gzip;q=1.0, *;q=0.1").await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert_eq!(zipped.header("vary"), "Accept-Encoding");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&zipped.body[..]).read_to_string(&mut text).expect("gzip");
    assert_eq!(text, plain.text());
    assert_eq!(site.scrapers.borrow().total(), 2);

    let head = ask(&site, Method::HEAD, "/metrics", "identity").await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), plain.body.len().to_string());
    assert_eq!(site.scrapers.borrow().total(), 2, "a HEAD is no scrape");
}

#[tokio::test]
async fn health_is_told_from_readiness() {
    let site = site().await;
    assert_eq!(ask(&site, Method::GET, "/healthz", "").await.status, StatusCode::OK);
    let not_yet = ask(&site, Method::GET, "/readyz", "").await;
    assert_eq!(not_yet.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(not_yet.text(), "not ready: preflight\n");
    site.readiness.send(Readiness::Ready).expect("watched");
    assert_eq!(ask(&site, Method::GET, "/readyz", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_page_links_the_others_and_nothing_can_be_written() {
    let site = site().await;
    let page = ask(&site, Method::GET, "/", "").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(["/metrics", "/healthz", "/readyz"].iter().all(|path| page.text().contains(path)));
    let refused = ask(&site, Method::POST, "/metrics", "").await;
    assert_eq!((refused.status, refused.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD"));
    assert_eq!(ask(&site, Method::GET, "/nowhere", "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn shutdown_ends_the_server_though_a_client_keeps_its_connection() {
    let site = site().await;
    let mut idle = connect(&site).await;
    let request = Request::builder().uri("/healthz").header("host", "exporter").body(Empty::new());
    let mut used = connect(&site).await;
    let answer = used.send_request(request.expect("a request")).await.expect("an answer");
    drop(answer.into_body().collect().await.expect("a body"));
    site.stop.send(()).expect("the server runs");
    site.server.await.expect("it ended");
    assert!(TcpStream::connect(site.address).await.is_err(), "the port is free again");
    assert!(used.ready().await.is_err() && idle.ready().await.is_err(), "both connections are closed");
}
