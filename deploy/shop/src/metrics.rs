//! The shop's own metrics, prefix `shop_`. Labels are from closed sets, handles are resolved once.

use prometheus::{
    Histogram, HistogramOpts, HistogramTimer, HistogramVec, IntCounter, IntCounterVec, Opts, Registry,
    TextEncoder,
};

use crate::stores::retry::Class;

/// Response times: finer where a healthy shop answers, then the seconds of a failover up to the budget.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 12.5];

/// Status codes with a counter of their own; the others share one.
const CODES: [u16; 6] = [200, 201, 400, 404, 500, 503];

/// Everything that is exposed.
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    /// Of `PostgreSQL`.
    pub(crate) postgres: StoreMetrics,
    /// Of Redis.
    pub(crate) redis: StoreMetrics,
}

impl Metrics {
    /// Registers all families.
    pub(crate) fn register() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new("shop_requests_total", "HTTP requests answered, by route and status code."),
            &["route", "code"],
        )?;
        let durations = HistogramVec::new(
            HistogramOpts::new("shop_request_duration_seconds", "Time from a request's head to its answer.")
                .buckets(BUCKETS.to_vec()),
            &["route"],
        )?;
        let waits = HistogramVec::new(
            HistogramOpts::new(
                "shop_store_wait_seconds",
                "Time that a piece of work waited for a store: pool, attempts and pauses together.",
            )
            .buckets(BUCKETS.to_vec()),
            &["store"],
        )?;
        let failures = IntCounterVec::new(
            Opts::new("shop_store_failures_total", "Failed attempts at a store; most are repeated."),
            &["store", "class"],
        )?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(durations.clone()))?;
        registry.register(Box::new(waits.clone()))?;
        registry.register(Box::new(failures.clone()))?;
        let postgres = StoreMetrics::resolve("postgres", &waits, &failures)?;
        let redis = StoreMetrics::resolve("redis", &waits, &failures)?;
        Ok(Self { registry, requests, durations, postgres, redis })
    }

    /// The handles of one route, its series created at zero.
    pub(crate) fn route(&self, route: &'static str) -> Result<RouteMetrics, prometheus::Error> {
        let counter = |code: &str| self.requests.get_metric_with_label_values(&[route, code]);
        Ok(RouteMetrics {
            known: CODES.into_iter().map(|code| counter(&code.to_string())).collect::<Result<_, _>>()?,
            other: counter("other")?,
            duration: self.durations.get_metric_with_label_values(&[route])?,
        })
    }

    /// The exposition, text format 0.0.4.
    pub(crate) fn expose(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// The handles of one route.
pub(crate) struct RouteMetrics {
    known: Vec<IntCounter>,
    other: IntCounter,
    /// Its response times.
    pub(crate) duration: Histogram,
}

impl RouteMetrics {
    /// Counts an answer.
    pub(crate) fn answered(&self, code: u16) {
        let position = CODES.iter().position(|known| *known == code);
        position.map_or(&self.other, |position| &self.known[position]).inc();
    }
}

/// The handles of one store.
#[derive(Clone)]
pub(crate) struct StoreMetrics {
    store: &'static str,
    wait: Histogram,
    failures: Vec<IntCounter>,
}

impl StoreMetrics {
    fn resolve(
        store: &'static str,
        waits: &HistogramVec,
        failures: &IntCounterVec,
    ) -> Result<Self, prometheus::Error> {
        let failures =
            Class::ALL.iter().map(|class| failures.get_metric_with_label_values(&[store, class.label()]));
        Ok(Self {
            store,
            wait: waits.get_metric_with_label_values(&[store])?,
            failures: failures.collect::<Result<_, _>>()?,
        })
    }

    /// The store's name.
    pub(crate) fn store(&self) -> &'static str {
        self.store
    }

    /// Starts measuring a wait; ended by `observe_duration`, or by being dropped with its request.
    pub(crate) fn waiting(&self) -> HistogramTimer {
        self.wait.start_timer()
    }

    /// Counts a failed attempt.
    pub(crate) fn failed(&self, class: Class) {
        self.failures[class.index()].inc();
    }
}
