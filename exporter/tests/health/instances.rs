use std::time::Duration;

use exporter::trial::{Access, ComponentKind, Endpoint, Instance, NonEmpty, Store, Trial};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::postgres::{served, sql};
use crate::servers::Server;
use crate::stores::postgres_program;
use crate::support::{Run, first_store, name, postgres_at, redis_at, trial};

fn direct(text: &str, endpoint: Endpoint) -> Instance {
    Instance { name: name(text), access: Access::Direct(endpoint) }
}

fn watched(endpoint: Endpoint, instances: Vec<Instance>) -> Trial {
    let store = Store { name: name("store"), endpoint, instances, failover: None };
    let components = vec![
        ("it", ComponentKind::Store { store: first_store() }),
        ("members", ComponentKind::Members { store: first_store() }),
    ];
    trial("http://127.0.0.1:1", vec![store], components)
}

fn series(family: &str) -> String {
    format!("ordeal_{family}{{component=\"it\"}}")
}

async fn tell(server: &Server, command: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.expect("a connection");
    stream.write_all(format!("{command}\r\n").as_bytes()).await.expect("a command");
    stream.shutdown().await.expect("an end");
    // The server closes once it has answered.
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

async fn one_leader(run: &Run) {
    run.until("healthy members and one writer", |run| {
        run.health.up(1)
            && (run.value(&series("writable_instances")) - 1.0).abs() < f64::EPSILON
            && run.value(&series("instances_observed_seconds_total")) > 1.0
    })
    .await;
    assert!(run.value(&series("split_brain_seconds_total")) == 0.0);
    assert!(run.value(&series("leader_since_timestamp_seconds")) > 1e9);
}

/// A second writer appears beside the first, which stays.
async fn split(run: &Run) {
    run.until("a split brain", |run| run.value(&series("split_brain_seconds_total")) > 1.0).await;
    run.until("no healthy members", |run| !run.health.up(1)).await;
    assert!((run.value(&series("writable_instances")) - 2.0).abs() < f64::EPSILON);
    assert!(run.value(&series("leader_changes_total")) == 0.0, "both write: nobody took over");
}

async fn taken_over(run: &Run) {
    run.until("another leader", |run| run.value(&series("leader_changes_total")) > 0.0).await;
    let split = run.value(&series("split_brain_seconds_total"));
    run.until("one writer", |run| (run.value(&series("writable_instances")) - 1.0).abs() < f64::EPSILON)
        .await;
    assert!(
        run.value(&series("split_brain_seconds_total")) - split < 1.0,
        "the split brain ended with the first"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_instances_lead_split_and_take_over() {
    let mut master = Server::redis(None);
    let replica = Server::redis(Some(master.port));
    while TcpStream::connect(("127.0.0.1", replica.port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let prefix = ["redis-cli", "-p", &replica.port.to_string()].map(str::to_owned).to_vec();
    let instances = vec![
        direct("a", redis_at(&master.redis_socket())),
        Instance { name: name("b"), access: Access::Command(NonEmpty::new(prefix).expect("words")) },
    ];
    let run = Run::start(&watched(redis_at(&master.redis_address()), instances)).await;
    one_leader(&run).await;
    tell(&replica, "REPLICAOF NO ONE").await;
    split(&run).await;
    master.kill(run.clock);
    taken_over(&run).await;
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_instances_lead_split_and_take_over() {
    let mut primary = Server::postgres(None);
    served(&primary.postgres_address()).await;
    let standby = Server::postgres(Some(&primary));
    served(&standby.postgres_address()).await;
    let psql = postgres_program("psql").display().to_string();
    let port = standby.port.to_string();
    let prefix =
        [&psql, "-h", "127.0.0.1", "-p", &port, "-U", "ordeal", "postgres"].map(str::to_owned).to_vec();
    let instances = vec![
        direct("a", postgres_at(&primary.postgres_socket())),
        Instance { name: name("b"), access: Access::Command(NonEmpty::new(prefix).expect("words")) },
    ];
    let run = Run::start(&watched(postgres_at(&primary.postgres_address()), instances)).await;
    one_leader(&run).await;
    sql(&standby.postgres_address(), "SELECT pg_promote()").await.expect("a promotion");
    split(&run).await;
    primary.shut_down(run.clock);
    taken_over(&run).await;
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_behind_a_prefix_that_cannot_run_is_not_observed() {
    let master = Server::redis(None);
    let prefix = vec!["false".to_owned()];
    let instances = vec![
        direct("a", redis_at(&master.redis_address())),
        Instance { name: name("b"), access: Access::Command(NonEmpty::new(prefix).expect("words")) },
    ];
    let run = Run::start(&watched(redis_at(&master.redis_address()), instances)).await;
    run.until("a writer", |run| run.value(&series("writable_instances")) > 0.0).await;
    run.until("more probes", |run| {
        run.value("ordeal_probes_total{component=\"members\",outcome=\"failed\"}") > 4.0
    })
    .await;
    assert!(run.value(&series("instances_observed_seconds_total")) == 0.0);
    run.stop().await;
}
