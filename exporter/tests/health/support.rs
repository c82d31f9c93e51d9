//! A trial with one component, the run around it, and the truth of an outage.

use std::num::NonZeroU32;
use std::time::Duration;

use exporter::clock::{Clock, Moment};
use exporter::cluster;
use exporter::health::Health;
use exporter::health::tracker::Outage;
use exporter::trial::{
    Component, ComponentKind, Load, Name, Redirects, Stage, Store, Target, Task, Think, Trial,
};
use prometheus::{Registry, TextEncoder};
use tokio_util::sync::CancellationToken;
use url::Url;

pub(crate) const INTERVAL: Duration = Duration::from_millis(50);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a good name")
}

/// A trial that probes `components` of `target` and `stores`.
pub(crate) fn trial(target: &str, stores: Vec<Store>, components: Vec<(&str, ComponentKind)>) -> Trial {
    let second = Duration::from_secs(1);
    let component = |(text, kind): (&str, ComponentKind)| {
        let slow = matches!(kind, ComponentKind::Members { .. } | ComponentKind::Replicas { .. });
        let interval = if slow { INTERVAL * 5 } else { INTERVAL };
        Component { name: name(text), kind, interval, timeout: second }
    };
    Trial {
        name: name("test"),
        target: Target {
            url: Url::parse(target).expect("a good address"),
            ca: None,
            client_identity: None,
            host: None,
            headers: vec![],
        },
        load: Load {
            stages: vec![Stage { users: 1, lasts: second }],
            spawn_rate: 1.0,
            think: Think::Constant(second),
            seed: 0,
            timeout: second,
            patience: second,
            redirects: Redirects::Answer,
            buckets: vec![1.0],
            login: None,
            tasks: vec![Task {
                name: name("none"),
                weight: NonZeroU32::MIN,
                patience: second,
                journey: vec![],
            }],
        },
        status: None,
        stores,
        components: components.into_iter().map(component).collect(),
        ledgers: vec![],
        experiments: vec![],
        after: second,
        settle: second,
        cooldown: second,
    }
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
        let feed = cluster::start(trial.status.clone(), clock, &registry, cancel.clone()).expect("a poller");
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
