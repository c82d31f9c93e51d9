//! What the tests of the load share: trials made in code, servers that misbehave, a running load to look at.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use exporter::clock::Clock;
use exporter::load::{Load, LoadHandle};
use exporter::trial::{
    self, Body, Buckets, HeaderText, Name, NonEmpty, Part, Rate, Redirects, Stage, Step, Target, Task,
    Template, Think, Trial,
};
use http::{HeaderValue, Method, StatusCode};
use prometheus::Registry;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn text(literal: &str) -> Template {
    Template { parts: vec![Part::Literal(literal.to_owned())] }
}

pub(crate) fn extracted(name: &str) -> Template {
    Template { parts: vec![Part::Extracted(name.to_owned())] }
}

pub(crate) fn step(method: Method, path: &str) -> Step {
    Step {
        method,
        path: text(path),
        headers: Vec::new(),
        body: None,
        expect: Vec::new(),
        asserts: Vec::new(),
        extracts: Vec::new(),
    }
}

pub(crate) fn get(path: &str) -> Step {
    step(Method::GET, path)
}

pub(crate) fn form(path: &str, fields: &[(&str, Template)]) -> Step {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Step { body: Some(Body::Form(fields)), ..step(Method::POST, path) }
}

pub(crate) fn header(name: &'static str, value: &'static str) -> (http::HeaderName, HeaderText) {
    (http::HeaderName::from_static(name), HeaderText::Fixed(HeaderValue::from_static(value)))
}

pub(crate) fn expecting(status: u16, step: Step) -> Step {
    Step { expect: vec![StatusCode::from_u16(status).unwrap()], ..step }
}

pub(crate) fn task(name: &str, weight: u32, journey: Vec<Step>) -> Task {
    let weight = weight.try_into().unwrap();
    let journey = NonEmpty::new(journey).unwrap();
    Task { name: Name::new(name).unwrap(), weight, patience: Duration::from_millis(100), journey }
}

/// So many users for a minute.
pub(crate) fn a_minute_of(users: usize) -> Stage {
    Stage::new(users, Duration::from_mins(1)).unwrap()
}

/// One user who hardly thinks and does `journey` over and over.
pub(crate) fn trial(url: &str, journey: Vec<Step>) -> Trial {
    Trial {
        name: Name::new("test").unwrap(),
        target: Target {
            url: url.parse().unwrap(),
            ca: None,
            client_identity: None,
            host: None,
            headers: Vec::new(),
        },
        load: trial::Load {
            stages: NonEmpty::one(a_minute_of(1)),
            spawn_rate: Rate::new(1000.0).unwrap(),
            think: Think::constant(Duration::from_millis(20)),
            seed: 1,
            timeout: Duration::from_secs(5),
            patience: Duration::from_millis(100),
            redirects: Redirects::Answer,
            buckets: Buckets::new(vec![0.1, 1.0]).unwrap(),
            abort_when: None,
            login: None,
            tasks: NonEmpty::one(task("only", 1, journey)),
        },
        status: None,
        stores: Vec::new(),
        components: Vec::new(),
        ledgers: Vec::new(),
        experiments: Vec::new(),
        after: Duration::ZERO,
        settle: Duration::ZERO,
        cooldown: Duration::ZERO,
        secrets: trial::Secrets::default(),
    }
}

/// A load that runs.
pub(crate) struct Rig {
    pub(crate) handle: LoadHandle,
    pub(crate) registry: Registry,
    pub(crate) cancel: CancellationToken,
}

impl Rig {
    pub(crate) async fn start(trial: Trial) -> Self {
        let (registry, cancel) = (Registry::new(), CancellationToken::new());
        let load = Load::new(Arc::new(trial), Clock::start(), &registry).unwrap();
        let handle = load.start(cancel.clone()).await.unwrap();
        Self { handle, registry, cancel }
    }

    /// The sum of all series of a family that have these labels.
    pub(crate) fn value(&self, family: &str, labels: &[(&str, &str)]) -> f64 {
        value(&self.registry, family, labels)
    }

    pub(crate) fn errors(&self, reason: &str) -> f64 {
        self.value("ordeal_request_errors_total", &[("reason", reason)])
    }

    pub(crate) fn ok(&self) -> f64 {
        self.value("ordeal_requests_total", &[("outcome", "ok")])
    }

    pub(crate) fn failed(&self) -> f64 {
        self.value("ordeal_requests_total", &[("outcome", "error")])
    }

    /// Waits until `condition` holds.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !condition(self) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        assert!(waited.await.is_ok(), "waited in vain for {what}: {:?}", self.handle.report());
    }

    /// Waits for three failures and checks that all of them have this reason, and that nothing went well.
    pub(crate) async fn expect_only(self, reason: &str) {
        self.until(reason, |rig| rig.failed() >= 3.0).await;
        let report = self.handle.finish().await;
        let reasons: Vec<_> = report.reasons.keys().copied().collect();
        assert_eq!((reasons, report.requests.ok), (vec![reason], 0));
        assert_eq!(report.reasons[reason], report.requests.error);
    }
}

pub(crate) fn value(registry: &Registry, family: &str, labels: &[(&str, &str)]) -> f64 {
    let families = registry.gather();
    let family = families.iter().find(|known| known.name() == family);
    let series = family.unwrap_or_else(|| panic!("no family")).get_metric().iter();
    let wanted = series.filter(|metric| {
        labels.iter().all(|(name, value)| {
            metric.get_label().iter().any(|pair| pair.name() == *name && pair.value() == *value)
        })
    });
    wanted.map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value()).sum()
}

/// A server that hands each connection, with its number, to `serve`.
pub(crate) async fn raw_server<F, S>(serve: S) -> SocketAddr
where
    S: Fn(TcpStream, u64) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let number = AtomicU64::new(0);
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, number.fetch_add(1, Ordering::Relaxed)));
        }
    });
    address
}

/// An axum server.
pub(crate) async fn server(router: axum::Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

pub(crate) const FINE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";

/// Reads one request without a body; `false` when the connection ended instead.
pub(crate) async fn read_request<R: tokio::io::AsyncRead + Unpin>(stream: &mut R) -> bool {
    let mut seen = Vec::new();
    let mut buffer = [0; 1024];
    while !seen.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => seen.extend_from_slice(&buffer[..count]),
            _ => return false,
        }
    }
    true
}

pub(crate) async fn answer<W: tokio::io::AsyncWrite + Unpin>(stream: &mut W, bytes: &[u8]) {
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
}
