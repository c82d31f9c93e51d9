//! The yardstick: tokio and hyper, one kept connection per user, a histogram, and nothing else.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rand::RngExt as _;
use tokio::net::TcpStream;

use crate::{Measured, cpu_seconds, peak_mb};

struct Seen {
    times: Histogram<u64>,
    errors: u64,
}

/// Makes requests for so many seconds.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(port: u16, users: usize, seconds: u64, think: bool) -> Measured {
    let seen = Rc::new(RefCell::new(Seen {
        times: Histogram::new_with_bounds(1, 600_000_000, 3).unwrap(),
        errors: 0,
    }));
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            for index in 0..users {
                let stagger = Duration::from_secs(10).mul_f64(index as f64 / users as f64);
                let stagger = if think { stagger } else { Duration::ZERO };
                tokio::task::spawn_local(user(port, think, stagger, Rc::clone(&seen)));
            }
            if think {
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
            let (before, cpu_before, steady) = (seen.borrow().times.len(), cpu_seconds(), Instant::now());
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            let seen = seen.borrow();
            Measured {
                requests: seen.times.len() - before,
                errors: seen.errors,
                seconds: steady.elapsed().as_secs_f64(),
                cpu: cpu_seconds() - cpu_before,
                peak_mb: peak_mb(),
                p99_ms: seen.times.value_at_quantile(0.99) as f64 / 1e3,
                ramp_seconds: 10.0,
                scrape_ms: 0.0,
                lag_seconds: 0.0,
            }
        })
        .await
}

async fn user(port: u16, think: bool, stagger: Duration, seen: Rc<RefCell<Seen>>) {
    let mut connection = None;
    tokio::time::sleep(stagger).await;
    loop {
        let began = Instant::now();
        let done = request(&mut connection, port).await;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
        if done.is_ok() {
            seen.borrow_mut().times.saturating_record(micros);
        } else {
            seen.borrow_mut().errors += 1;
            connection = None;
        }
        if think {
            tokio::time::sleep(Duration::from_millis(rand::rng().random_range(1000..=3000))).await;
        }
    }
}

async fn request(
    connection: &mut Option<SendRequest<Empty<Bytes>>>,
    port: u16,
) -> Result<(), Box<dyn std::error::Error>> {
    if connection.as_ref().is_none_or(SendRequest::is_closed) {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = http1::Builder::new().handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            let _ = driver.await;
        });
        *connection = Some(sender);
    }
    let sender = connection.as_mut().ok_or("no connection")?;
    sender.ready().await?;
    let request = http::Request::get("/").header("host", "127.0.0.1").header("user-agent", "bare/0");
    let mut answer = sender.send_request(request.body(Empty::new())?).await?;
    while let Some(frame) = answer.frame().await {
        frame?;
    }
    if answer.status() == 200 { Ok(()) } else { Err("status".into()) }
}
