//! Where users' time goes, and how a load begins, changes and ends.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]
#![expect(clippy::float_cmp, reason = "counts are whole numbers, exact in f64")]

mod load_support;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get as on_get;
use exporter::clock::Clock;
use exporter::load::{Load, Reason};
use exporter::trial::{NonEmpty, Stage, Think, Trial};
use load_support::{
    FINE, Rig, a_minute_of, answer, get, raw_server, read_request, server, task, trial, value,
};
use prometheus::Registry;
use tokio::sync::watch;

/// A server whose answers wait while `gate` is shut.
async fn gated() -> (String, watch::Sender<bool>) {
    let (gate, open) = watch::channel(true);
    let address = raw_server(move |mut stream, _| {
        let mut open = open.clone();
        async move {
            while read_request(&mut stream).await && open.wait_for(|open| *open).await.is_ok() {
                answer(&mut stream, FINE).await;
            }
        }
    });
    (format!("http://{}", address.await), gate)
}

fn users(trial: &mut Trial, users: usize) {
    trial.load.stages = NonEmpty::one(a_minute_of(users));
}

fn seconds(rig: &Rig, state: &str) -> f64 {
    rig.value("ordeal_user_seconds_total", &[("state", state)])
}

#[tokio::test]
async fn a_hang_shows_while_it_lasts() {
    let (url, gate) = gated().await;
    let mut trial = trial(&url, vec![get("/")]);
    users(&mut trial, 3);
    let rig = Rig::start(trial).await;
    rig.until("answers", |rig| rig.ok() >= 10.0).await;
    assert!(seconds(&rig, "overdue") < 0.1, "no hang yet");
    gate.send_replace(false);
    rig.until("a hang", |rig| rig.value("ordeal_requests_in_flight", &[]) == 3.0).await;
    let answered = rig.ok();
    // Patience is 0.1 s: of three users' time all but that is overdue.
    rig.until("overdue seconds", |rig| seconds(rig, "overdue") >= 1.5).await;
    let age = rig.value("ordeal_oldest_request_age_seconds", &[]);
    assert!(age >= 0.6, "{age}");
    assert_eq!((rig.ok(), rig.failed()), (answered, 0.0));
    gate.send_replace(true);
    rig.until("answers again", |rig| rig.ok() >= answered + 10.0).await;
    assert!(rig.value("ordeal_oldest_request_age_seconds", &[]) < 0.5);
    let report = rig.handle.finish().await;
    assert_eq!(report.requests.error, 0);
    assert!(report.response_time.ok.unwrap().max >= 0.6, "{report:?}");
    let whole = report.user_seconds.thinking + report.user_seconds.waiting + report.user_seconds.overdue;
    assert!(whole <= 3.0 * report.seconds && whole >= 3.0 * (report.seconds - 0.5), "{report:?}");
}

#[tokio::test]
async fn every_series_is_there_at_zero_before_the_first_request() {
    let mut trial = trial("http://127.0.0.1:1", vec![get("/")]);
    trial.load.tasks =
        NonEmpty::new(vec![task("a", 1, vec![get("/")]), task("b", 2, vec![get("/")])]).unwrap();
    let registry = Registry::new();
    let _load = Load::new(Arc::new(trial), Clock::start(), &registry).unwrap();
    let families = registry.gather();
    let series = |name: &str| {
        let family = families.iter().find(|family| family.name() == name).unwrap();
        assert_eq!(value(&registry, name, &[]), 0.0, "{name}");
        family.get_metric().len()
    };
    assert_eq!(series("ordeal_requests_total"), 2 * 2);
    assert_eq!(series("ordeal_request_errors_total"), 2 * Reason::ALL.len());
    assert_eq!(series("ordeal_response_time_seconds"), 2 * 2);
    assert_eq!(series("ordeal_user_seconds_total"), 3);
    assert_eq!(series("ordeal_saturated_seconds_total"), 4);
    assert_eq!(series("ordeal_users"), 2);
    for single in ["requests_in_flight", "oldest_request_age_seconds", "schedule_lag_seconds"] {
        assert_eq!(series(&format!("ordeal_{single}")), 1);
    }
    assert_eq!(value(&registry, "ordeal_think_time_seconds", &[]), 0.02);
    assert_eq!(families.len(), 11);
}

#[tokio::test]
async fn users_come_and_go_with_the_stages_and_the_last_stay_until_the_finish() {
    let url = server(Router::new().route("/", on_get(|| async { "fine" }))).await;
    let mut trial = trial(&url, vec![get("/")]);
    let stage = |users, millis| Stage::new(users, Duration::from_millis(millis)).unwrap();
    trial.load.stages = NonEmpty::new(vec![stage(40, 400), stage(5, 300)]).unwrap();
    // A thinking user is not waited for.
    trial.load.think = Think::uniform(Duration::from_millis(10), Duration::from_mins(10)).unwrap();
    let rig = Rig::start(trial).await;
    let running = |rig: &Rig| rig.value("ordeal_users", &[("state", "running")]);
    tokio::time::timeout(Duration::from_mins(1), rig.handle.ramped()).await.unwrap();
    rig.until("fewer users", |rig| running(rig) == 5.0).await;
    tokio::time::timeout(Duration::from_mins(1), rig.handle.stages_done()).await.unwrap();
    let before = rig.handle.snapshot();
    assert_eq!((before.running, before.wanted, before.largest), (5, 5, 40));
    assert_eq!(rig.value("ordeal_users", &[("state", "target")]), 5.0);
    let report = tokio::time::timeout(Duration::from_mins(1), rig.handle.finish()).await.unwrap();
    assert_eq!((running(&rig), report.requests.error), (0.0, 0));
    assert_eq!(rig.value("ordeal_users", &[("state", "target")]), 0.0);
    assert!(report.requests.ok >= 40, "every user made a request: {report:?}");
    assert_eq!(rig.handle.report(), report, "what came after the load's end is no part of it");
}

#[tokio::test]
async fn open_requests_may_end_after_the_finish() {
    let (url, gate) = gated().await;
    let mut trial = trial(&url, vec![get("/")]);
    users(&mut trial, 3);
    let rig = Rig::start(trial).await;
    rig.until("answers", |rig| rig.ok() >= 6.0).await;
    gate.send_replace(false);
    rig.until("open requests", |rig| rig.value("ordeal_requests_in_flight", &[]) == 3.0).await;
    let before = rig.ok();
    let ends = async {
        rig.until("the order to end", |rig| rig.handle.snapshot().wanted == 0).await;
        gate.send_replace(true);
    };
    let (report, ()) = tokio::join!(rig.handle.finish(), ends);
    assert_eq!((report.requests.ok as f64, report.requests.error), (before + 3.0, 0));
}

#[tokio::test]
async fn a_hang_at_the_finish_ends_with_the_requests_time_out() {
    let (url, gate) = gated().await;
    let mut trial = trial(&url, vec![get("/")]);
    trial.load.timeout = Duration::from_millis(400);
    users(&mut trial, 3);
    let rig = Rig::start(trial).await;
    rig.until("answers", |rig| rig.ok() >= 6.0).await;
    gate.send_replace(false);
    rig.until("open requests", |rig| rig.value("ordeal_requests_in_flight", &[]) == 3.0).await;
    let report = tokio::time::timeout(Duration::from_mins(1), rig.handle.finish()).await.unwrap();
    let ends = ["request_timeout", "drained"].map(|reason| report.reasons.get(reason).copied().unwrap_or(0));
    assert_eq!(ends.iter().sum::<u64>(), report.requests.error);
    assert!(report.requests.error >= 3, "{report:?}");
}

#[tokio::test]
async fn a_dropped_handle_ends_the_load() {
    let url = server(Router::new().route("/", on_get(|| async { "fine" }))).await;
    let Rig { handle, registry, cancel: _cancel } = Rig::start(trial(&url, vec![get("/")])).await;
    handle.ramped().await;
    drop(handle);
    let gone = async {
        while value(&registry, "ordeal_users", &[]) > 0.0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), gone).await.unwrap();
}
