use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use exporter::cluster::Target;
use exporter::health::Window;
use exporter::trial::{ComponentKind, StatusSource};
use tokio::net::TcpListener;
use url::Url;

use crate::support::{Run, trial};

/// What the document says now: ready instances; `None` fails the request.
type Ready = Arc<Mutex<Option<Vec<&'static str>>>>;

async fn document(State(ready): State<Ready>) -> Result<String, StatusCode> {
    let ready = ready.lock().expect("no panic").clone().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    let instances: Vec<String> =
        ready.iter().map(|id| format!(r#"{{"id":"{id}","node":"n1","ready":true}}"#)).collect();
    Ok(format!(
        r#"{{"workloads":[{{"name":"shop","desired":3,"instances":[{}]}}],"autoscalers":[],
        "interventions":{{"watched_seconds":1.5,"kinds":{{"command":0}}}}}}"#,
        instances.join(",")
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_follow_the_document() {
    let ready: Ready = Arc::new(Mutex::new(Some(vec!["a", "b", "c"])));
    let say = |ids: Option<Vec<&'static str>>| *ready.lock().expect("no panic") = ids;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let app = Router::new().route("/status", get(document)).with_state(Arc::clone(&ready));
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let replicas = ComponentKind::Replicas { workload: "shop".to_owned(), declared: None };
    let mut trial = trial("http://127.0.0.1:1", vec![], vec![("it", replicas)]);
    let url = Url::parse(&format!("http://127.0.0.1:{port}/status")).expect("an address");
    trial.status = Some(StatusSource::Document(url));
    let run = Run::start(&trial).await;

    run.until("three replicas", |run| run.health.up(0)).await;
    assert!(
        (run.value("ordeal_workload_replicas{state=\"ready\",workload=\"shop\"}") - 3.0).abs() < f64::EPSILON
    );
    assert!(run.value("ordeal_interventions_total{kind=\"command\"}") == 0.0);
    let targets = vec![Target::named("a"), Target::named("b")];
    run.health.begin_experiment(Window { begins: run.clock.now(), targets, replaced: true });
    run.health.hit_targets(run.clock.now());
    run.until("the hit ones do not count", |run| !run.health.up(0)).await;
    say(Some(vec!["c", "d", "e"]));
    run.until("they are replaced", |run| run.health.up(0)).await;
    let outage = run.lasting().await;
    run.health.end_experiment(run.clock.now());
    assert!(outage.over);
    let missed = "ordeal_probes_total{component=\"it\",outcome=\"missed\"}";
    let before = run.value(missed);
    say(None);
    run.until("polls that say nothing", |run| run.value(missed) >= before + 4.0).await;
    assert_eq!(run.health.outages(0).len(), 1, "an unreadable document is no outage");
    run.until("no evidence is no health", |run| !run.health.up(0)).await;
    run.stop().await;
    server.abort();
}
