//! Users: each with its own keep-alive connection, on which every answer must be a good one.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The time-out of the clients whose budget the shop keeps.
const TIMEOUT: Duration = Duration::from_secs(15);

/// One keep-alive connection.
pub(crate) struct Client(SendRequest<Full<Bytes>>);

impl Client {
    /// Connects.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("connect to the shop");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("speak HTTP");
        tokio::spawn(connection);
        Self(sender)
    }

    /// Sends one request; the status and the JSON of its answer, or what went wrong.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(u16, Value), String> {
        let request = Request::builder().method(method).uri(path).header("host", "shop");
        let request = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(Full::new(Bytes::from(body.to_string()))),
            None => request.body(Full::default()),
        };
        let exchange = async {
            self.0.ready().await?;
            let answer = self.0.send_request(request.expect("a request")).await?;
            let status = answer.status().as_u16();
            Ok((status, answer.into_body().collect().await?.to_bytes()))
        };
        let (status, body) = tokio::time::timeout(TIMEOUT, exchange)
            .await
            .map_err(|_| format!("{path}: no answer in time"))?
            .map_err(|error: hyper::Error| format!("{path}: {error:?}"))?;
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::String(text))))
    }

    /// Like `send`, for an answer that must have `status`.
    pub(crate) async fn expect(
        &mut self,
        status: u16,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, String> {
        match self.send(method, path, body).await? {
            (got, value) if got == status => Ok(value),
            (got, value) => Err(format!("{path}: {got} {value}")),
        }
    }
}

/// Users who shop until told to stop.
pub(crate) struct Crowd {
    users: Vec<JoinHandle<Vec<String>>>,
    counts: Arc<Counts>,
}

/// What a crowd has done so far.
#[derive(Debug, Default)]
struct Counts {
    stop: AtomicBool,
    requests: AtomicU64,
    sales: AtomicU64,
    slowest_millis: AtomicU64,
}

impl Crowd {
    /// Sends `users` users in.
    pub(crate) fn enter(address: SocketAddr, users: usize) -> Self {
        let counts = Arc::new(Counts::default());
        let users = (0..users).map(|_| tokio::spawn(shop(address, Arc::clone(&counts)))).collect();
        Self { users, counts }
    }

    /// Requests answered so far.
    pub(crate) fn requests(&self) -> u64 {
        self.counts.requests.load(Ordering::Relaxed)
    }

    /// The slowest answer so far.
    pub(crate) fn slowest(&self) -> Duration {
        Duration::from_millis(self.counts.slowest_millis.load(Ordering::Relaxed))
    }

    /// Waits until `more` further requests were answered.
    pub(crate) async fn proceeds(&self, more: u64) {
        let wanted = self.requests() + more;
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        let proceeded = async {
            while self.requests() < wanted {
                tick.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), proceeded).await.expect("the crowd proceeds");
    }

    /// Sends everyone home: the number of different sales acknowledged, and everything that went wrong.
    pub(crate) async fn leave(self) -> (u64, Vec<String>) {
        self.counts.stop.store(true, Ordering::Relaxed);
        let mut failures = Vec::new();
        for user in self.users {
            failures.extend(user.await.expect("a user does not panic"));
        }
        (self.counts.sales.load(Ordering::Relaxed), failures)
    }
}

async fn shop(address: SocketAddr, counts: Arc<Counts>) -> Vec<String> {
    let mut client = Client::connect(address).await;
    let mut failures = Vec::new();
    while !counts.stop.load(Ordering::Relaxed) {
        if let Err(failure) = journey(&mut client, &counts).await {
            failures.push(failure);
            client = Client::connect(address).await;
        }
    }
    failures
}

/// One of everything; the sale twice, as a client does that missed the first answer.
async fn journey(client: &mut Client, counts: &Counts) -> Result<(), String> {
    let (id, number) = (Uuid::new_v4(), Uuid::new_v4().as_u128() % 500 + 1);
    let sale = json!({ "id": id, "sku": format!("S-{number}"), "quantity": 2 });
    let steps = [
        (200, Method::GET, "/dashboard".to_owned(), None),
        (200, Method::GET, format!("/products/{number}"), None),
        (200, Method::PUT, format!("/carts/{id}/items/S-{number}"), Some(json!({ "quantity": 2 }))),
        (201, Method::POST, "/sales".to_owned(), Some(sale.clone())),
        (201, Method::POST, "/sales".to_owned(), Some(sale)),
        (200, Method::GET, "/reports/top-products".to_owned(), None),
        (200, Method::POST, format!("/products/{number}/stock"), Some(json!({ "id": id, "delta": 2 }))),
    ];
    for (position, (status, method, path, body)) in steps.into_iter().enumerate() {
        let started = Instant::now();
        client.expect(status, method, &path, body).await?;
        let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        counts.slowest_millis.fetch_max(took, Ordering::Relaxed);
        counts.requests.fetch_add(1, Ordering::Relaxed);
        counts.sales.fetch_add(u64::from(position == 3), Ordering::Relaxed);
    }
    Ok(())
}

/// The status of a GET without a runtime, `None` when there is no answer.
pub(crate) fn get_blocking(address: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_whitespace().nth(1)?.parse().ok()
}
