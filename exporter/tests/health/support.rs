//! A trial with one component, the run around it, and the truth of an outage.

use std::time::Duration;

use exporter::clock::{Clock, Moment};
use exporter::cluster;
use exporter::health::Health;
use exporter::health::tracker::Outage;
use exporter::trial::{
    Component, ComponentKind, Endpoint, Name, PostgresAddress, ProcessEnvironment, RedisAddress,
    StatusSource, Store, StoreIndex, Trial,
};
use prometheus::{Registry, TextEncoder};
use tokio_util::sync::CancellationToken;

pub(crate) const INTERVAL: Duration = Duration::from_millis(50);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a good name")
}

/// A trial that probes `components` of `target` and `stores`.
pub(crate) fn trial(target: &str, stores: Vec<Store>, components: Vec<(&str, ComponentKind)>) -> Trial {
    let component = |(text, kind): (&str, ComponentKind)| {
        let slow = matches!(kind, ComponentKind::Members { .. } | ComponentKind::Replicas { .. });
        let interval = if slow { INTERVAL * 5 } else { INTERVAL };
        Component::new(name(text), kind, interval, Duration::from_secs(1)).expect("a component")
    };
    let text = format!("target: {target}\n{LOAD}");
    Trial {
        stores,
        components: components.into_iter().map(component).collect(),
        ..exporter::trial::parse(&text, "test.yaml".as_ref(), &ProcessEnvironment).expect("a trial")
    }
}

const LOAD: &str = "load: {users: 1, spawn_rate: 1, duration: 1m, tasks: [{name: none, journey: [GET /]}]}\n";

/// The first store of a trial.
pub(crate) fn first_store() -> StoreIndex {
    StoreIndex::new(0, 1).expect("one store")
}

pub(crate) fn postgres_at(address: &str) -> Endpoint {
    Endpoint::Postgres(PostgresAddress::parse(address).expect("an address"))
}

pub(crate) fn redis_at(address: &str) -> Endpoint {
    Endpoint::Redis(RedisAddress::parse(address).expect("an address"))
}

/// Health under test.
pub(crate) struct Run {
    pub(crate) clock: Clock,
    pub(crate) health: Health,
    pub(crate) registry: Registry,
    cancel: CancellationToken,
}

impl Run {
    pub(crate) async fn start(trial: &Trial) -> Self {
        let (clock, registry, cancel) = (Clock::start(), Registry::new(), CancellationToken::new());
        exporter::health::ensure(trial).await.expect("tables");
        let source = trial.status.clone().map(|status| match status {
            StatusSource::Document(url) => cluster::Source::Document(url),
            StatusSource::Kubernetes(_) => panic!("no cluster here"),
        });
        let feed = cluster::start(source, clock, &registry, cancel.clone()).expect("a poller");
        let health = Health::start(trial, clock, &registry, feed, &cancel).expect("probes");
        Self { clock, health, registry, cancel }
    }

    /// Waits until `condition` holds, looking at every probe; a minute at most.
    pub(crate) async fn until(&self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let mut changes = self.health.changes();
        let wait = async {
            while !condition(self) {
                changes.changed().await.expect("health goes on");
            }
        };
        let waited = tokio::time::timeout(Duration::from_mins(1), wait).await;
        assert!(waited.is_ok(), "{what}: not within a minute\n{}", self.exposition());
    }

    /// Waits until the first component has been up for long enough to know how fast it answers.
    pub(crate) async fn warm(&self) {
        self.until("a hundred good probes", |run| {
            run.health.up(0) && run.value("ordeal_probes_total{component=\"it\",outcome=\"ok\"}") >= 100.0
        })
        .await;
    }

    pub(crate) async fn lasting(&self) -> Outage {
        self.until("the outage is over", |run| {
            run.health.outages(0).last().is_some_and(|outage| outage.over)
        })
        .await;
        let outages = self.health.outages(0);
        assert_eq!(outages.len(), 1, "{outages:?}");
        outages[0]
    }

    pub(crate) fn exposition(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).expect("an exposition")
    }

    /// The value of one series; NaN if it is not there.
    pub(crate) fn value(&self, series: &str) -> f64 {
        let text = self.exposition();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
        value.unwrap_or(f64::NAN)
    }

    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        self.health.stopped().await;
    }
}

/// An event that happened between two moments of our own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Between(pub(crate) Moment, pub(crate) Moment);

/// Holds `outage` against the truth, and its width against what was measured.
pub(crate) fn hold(run: &Run, outage: &Outage, began: Between, ended: Between) {
    let bounds = outage.ended.expect("the outage is over");
    assert!(
        outage.began.lower <= began.1 && began.0 <= outage.began.upper,
        "began outside: {outage:?} {began:?}"
    );
    assert!(bounds.lower <= ended.1 && ended.0 <= bounds.upper, "ended outside: {outage:?} {ended:?}");
    let width = outage.began.upper.since(outage.began.lower) + bounds.upper.since(bounds.lower);
    // Slots may start late by almost an interval before they count as missed.
    let missed = run.value("ordeal_probes_total{component=\"it\",outcome=\"missed\"}");
    let late = INTERVAL + INTERVAL.mul_f64(missed);
    let allowed = (INTERVAL + outage.answers_within) * 2 + late;
    assert!(width <= allowed, "{width:?} is wider than {allowed:?}");
}
