//! Every reason of a failed request, produced by its real cause.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]
#![expect(clippy::float_cmp, reason = "counts are whole numbers, exact in f64")]

mod load_support;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get as on_get;
use exporter::trial::{Assertion, Extract, ExtractFrom, NonEmpty, Redirects, Step, Trial};
use load_support::{
    FINE, Rig, a_minute_of, answer, expecting, extracted, get, raw_server, read_request, server, trial,
};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpListener;

async fn run(trial: Trial) -> Rig {
    Rig::start(trial).await
}

fn url(address: std::net::SocketAddr) -> String {
    format!("http://{address}")
}

#[tokio::test]
async fn nobody_listening_is_connect_refused_and_does_not_spin() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut trial = trial(&url(address), vec![get("/")]);
    trial.load.think = exporter::trial::Think::constant(Duration::ZERO);
    let rig = run(trial).await;
    rig.until("refusals", |rig| rig.failed() >= 20.0).await;
    // 10 ms of thinking stand behind every refusal but the last.
    let time = rig.value("ordeal_user_seconds_total", &[("state", "thinking")]);
    let refusals = rig.failed();
    assert!(time >= 0.01 * (refusals - 2.0), "{refusals} refusals in {time} s of thinking");
    rig.expect_only("connect_refused").await;
}

#[tokio::test]
async fn a_full_backlog_is_connect_timeout() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    // Nobody accepts: the kernel answers the first, and drops the SYNs of those after.
    let mut fillers = Vec::new();
    while let Ok(Ok(filler)) =
        tokio::time::timeout(Duration::from_millis(200), tokio::net::TcpStream::connect(address)).await
    {
        fillers.push(filler);
    }
    let mut trial = trial(&url(address), vec![get("/")]);
    trial.load.timeout = Duration::from_millis(300);
    run(trial).await.expect_only("connect_timeout").await;
}

#[tokio::test]
async fn a_broadcast_address_is_unreachable() {
    // TCP refuses loopback's broadcast address before a packet is sent.
    run(trial("http://127.255.255.255:9", vec![get("/")])).await.expect_only("unreachable").await;
}

#[tokio::test]
async fn a_name_that_cannot_be_one_is_dns() {
    // A label of more than 63 letters fails in the resolver, without a question to anyone.
    let url = format!("http://{}.invalid", "x".repeat(64));
    run(trial(&url, vec![get("/")])).await.expect_only("dns").await;
}

#[tokio::test]
async fn a_fresh_connection_closed_without_an_answer_is_reset() {
    let address = raw_server(|mut stream, number| async move {
        read_request(&mut stream).await;
        if number % 2 == 0 {
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
    })
    .await;
    run(trial(&url(address), vec![get("/")])).await.expect_only("reset").await;
}

/// A server that answers `good` requests of a connection and closes on the next, read or unread.
async fn closing_server(good: u64, read_it: bool, requests: Arc<AtomicU64>) -> String {
    let address = raw_server(move |mut stream, _| {
        let requests = Arc::clone(&requests);
        async move {
            for _ in 0..good {
                if !read_request(&mut stream).await {
                    return;
                }
                requests.fetch_add(1, Ordering::Relaxed);
                answer(&mut stream, FINE).await;
            }
            // Unread bytes make the kernel send a reset instead of an end.
            let arrived = if read_it {
                read_request(&mut stream).await
            } else {
                stream.peek(&mut [0]).await.unwrap_or(0) > 0
            };
            requests.fetch_add(u64::from(arrived), Ordering::Relaxed);
        }
    });
    url(address.await)
}

#[tokio::test]
async fn a_kept_connection_closed_as_the_request_arrives_is_a_reuse_race_and_nothing_is_sent_again() {
    for read_it in [true, false] {
        let requests = Arc::new(AtomicU64::new(0));
        let url = closing_server(1, read_it, Arc::clone(&requests)).await;
        let rig = run(trial(&url, vec![get("/")])).await;
        rig.until("races", |rig| rig.errors("reuse_race") >= 5.0).await;
        let report = rig.handle.finish().await;
        assert_eq!(report.reasons.keys().copied().collect::<Vec<_>>(), ["reuse_race"]);
        assert_eq!(report.requests.ok + report.requests.error, requests.load(Ordering::Relaxed));
        assert!(report.requests.ok.abs_diff(report.requests.error) <= 1, "{report:?}");
    }
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_no_error() {
    let connections = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&connections);
    let address = raw_server(move |mut stream, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            read_request(&mut stream).await;
            answer(&mut stream, FINE).await;
        }
    });
    let rig = run(trial(&url(address.await), vec![get("/")])).await;
    rig.until("requests", |rig| rig.ok() >= 5.0).await;
    let report = rig.handle.finish().await;
    assert_eq!(report.requests.error, 0, "{report:?}");
    assert_eq!(report.requests.ok, connections.load(Ordering::Relaxed));
}

#[tokio::test]
async fn silence_is_request_timeout_before_and_within_the_answer() {
    let address = raw_server(|mut stream, number| async move {
        read_request(&mut stream).await;
        if number % 2 == 0 {
            answer(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nso far").await;
        }
        read_request(&mut stream).await;
    });
    let mut trial = trial(&url(address.await), vec![get("/")]);
    trial.load.timeout = Duration::from_millis(100);
    run(trial).await.expect_only("request_timeout").await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_is_not_http_is_body() {
    let address = raw_server(|mut stream, number| async move {
        read_request(&mut stream).await;
        let bytes: &[u8] = match number % 3 {
            0 => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nso far",
            1 => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
            _ => b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
        };
        answer(&mut stream, bytes).await;
    });
    run(trial(&url(address.await), vec![get("/")])).await.expect_only("body").await;
}

fn shop() -> Router {
    Router::new()
        .route("/", on_get(|| async { r#"{"stock": 7, "name": "ring"}"# }))
        .route("/busy", on_get(|| async { StatusCode::SERVICE_UNAVAILABLE }))
        .route("/loop", on_get(|| async { Redirect::temporary("/loop") }))
        .route("/away", on_get(|| async { Redirect::temporary("http://198.51.100.1/") }))
        .route("/once", on_get(|| async { Redirect::to("/") }))
}

#[tokio::test]
async fn statuses_that_are_not_expected_are_errors_by_class() {
    let url = server(shop()).await;
    for (path, expect, reason) in [
        ("/nothing", None, "http_4xx"),
        ("/busy", None, "http_5xx"),
        ("/", Some(201), "assertion"),
        ("/once", Some(200), "assertion"),
    ] {
        let step = match expect {
            Some(status) => expecting(status, get(path)),
            None => get(path),
        };
        run(trial(&url, vec![step])).await.expect_only(reason).await;
    }
    let rig = run(trial(&url, vec![expecting(404, get("/nothing")), get("/once")])).await;
    rig.until("answers", |rig| rig.ok() >= 4.0).await;
    assert_eq!(rig.handle.finish().await.requests.error, 0);
}

#[tokio::test]
async fn bodies_that_are_not_as_asserted_are_errors() {
    let url = server(shop()).await;
    let assertions = [
        Assertion::Contains("gold".into()),
        Assertion::Matches(regex::Regex::new(r#""stock": \d{2}"#).unwrap()),
        Assertion::JsonEquals("/stock".into(), 8.into()),
        Assertion::JsonPresent("/price".into()),
    ];
    for assertion in assertions {
        let step = Step { asserts: vec![assertion], ..get("/") };
        run(trial(&url, vec![step])).await.expect_only("assertion").await;
    }
    let missing = Extract { name: "x".into(), from: ExtractFrom::Json("/price".into()) };
    let step = Step { extracts: vec![missing], ..get("/") };
    run(trial(&url, vec![step])).await.expect_only("assertion").await;
}

#[tokio::test]
async fn redirects_without_end_or_away_from_the_target_are_redirect() {
    let url = server(shop()).await;
    for path in ["/loop", "/away"] {
        let mut trial = trial(&url, vec![get(path)]);
        trial.load.redirects = Redirects::Follow(NonZeroU32::new(10).unwrap());
        run(trial).await.expect_only("redirect").await;
    }
    let mut trial = trial(&url, vec![expecting(200, get("/once"))]);
    trial.load.redirects = Redirects::Follow(NonZeroU32::MIN);
    let rig = run(trial).await;
    rig.until("answers", |rig| rig.ok() >= 3.0).await;
    assert_eq!(rig.handle.finish().await.requests.error, 0);
}

#[tokio::test]
async fn no_login_is_session_and_is_tried_again() {
    let tries = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&tries);
    let router = shop().route(
        "/login",
        on_get(move || async move {
            let bad = seen.fetch_add(1, Ordering::Relaxed) < 3;
            if bad { StatusCode::FORBIDDEN } else { StatusCode::OK }
        }),
    );
    let mut trial = trial(&server(router).await, vec![get("/")]);
    trial.load.login = Some(NonEmpty::one(get("/login")));
    let rig = run(trial).await;
    rig.until("a login", |rig| rig.ok() >= 2.0).await;
    let report = rig.handle.finish().await;
    assert_eq!((report.reasons["session"], report.requests.error), (3, 3));
    assert_eq!(tries.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_value_that_no_answer_gave_is_session() {
    let url = server(shop()).await;
    let step = Step { path: extracted("nothing"), ..get("/") };
    run(trial(&url, vec![step])).await.expect_only("session").await;
}

#[tokio::test]
async fn requests_open_when_the_load_is_cut_are_drained() {
    let address = raw_server(|mut stream, _| async move {
        read_request(&mut stream).await;
        read_request(&mut stream).await;
    });
    let mut trial = trial(&url(address.await), vec![get("/")]);
    trial.load.stages = NonEmpty::one(a_minute_of(5));
    let rig = run(trial).await;
    rig.until("open requests", |rig| rig.value("ordeal_requests_in_flight", &[]) == 5.0).await;
    rig.cancel.cancel();
    let report = rig.handle.finish().await;
    assert_eq!((report.reasons["drained"], report.requests.error), (5, 5));
    assert_eq!(rig.value("ordeal_requests_in_flight", &[]), 0.0);
    assert_eq!(rig.value("ordeal_users", &[]), 0.0);
}
