use std::time::Duration;

use exporter::trial::{ComponentKind, Store};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::servers::Server;
use crate::support::{Run, first_store, hold, name, redis_at, trial};

async fn pings(port: u16) -> bool {
    says(port, "PING", b"+PONG\r\n").await
}

/// Whether the server answers `command` like this.
pub(crate) async fn says<const N: usize>(port: u16, command: &str, answer: &[u8; N]) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return false };
    let mut reply = [0; N];
    stream.write_all(format!("{command}\r\n").as_bytes()).await.is_ok()
        && stream.read_exact(&mut reply).await.is_ok()
        && &reply == answer
}

pub(crate) async fn served(server: &Server) {
    while !pings(server.port).await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn probed(server: &Server) -> Run {
    served(server).await;
    let endpoint = redis_at(&server.redis_address());
    let store = Store { name: name("redis"), endpoint, instances: vec![], failover: None };
    Run::start(&trial(
        "http://127.0.0.1:1",
        vec![store],
        vec![("it", ComponentKind::Store { store: first_store() })],
    ))
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_hangs_for_a_known_time() {
    let server = Server::redis(None);
    let run = probed(&server).await;
    run.warm().await;
    let began = server.signal_at(Signal::STOP, run.clock);
    tokio::time::sleep_until(run.clock.instant(began.1.later_by(Duration::from_millis(3100)))).await;
    let ended = server.signal_at(Signal::CONT, run.clock);
    let outage = run.lasting().await;
    hold(&run, &outage, began, ended);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_is_killed_and_restarted() {
    let mut server = Server::redis(None);
    let run = probed(&server).await;
    run.warm().await;
    let began = server.kill(run.clock);
    tokio::time::sleep_until(run.clock.instant(began.1.later_by(Duration::from_millis(1900)))).await;
    let port = server.port;
    let ended = server.restart(run.clock, || pings(port)).await;
    let outage = run.lasting().await;
    hold(&run, &outage, began, ended);
    run.stop().await;
}
