//! The metrics of the load, every series at zero from the start.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    Counter, CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    Opts, Registry,
};

use super::outcome::Reason;
use super::saturation::Lack;
use super::share::Share;
use super::slots::{Slots, UserTime};
use crate::clock::{Clock, Moment};
use crate::trial;

/// Bounds of `schedule_lag_seconds`: a timer fires up to a millisecond late.
const LAG_BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Whose series a process has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope {
    /// All that is said of a run's load.
    Run,
    /// What is said of the users that are its own.
    Share(Share),
}

impl Scope {
    /// Which users are its own.
    pub(super) fn share(self) -> Share {
        match self {
            Self::Run => Share::WHOLE,
            Self::Share(share) => share,
        }
    }
}

/// Handles of all series of the load.
#[derive(Debug)]
pub(super) struct Metrics {
    /// By task.
    pub(super) tasks: Vec<TaskMetrics>,
    /// How late users began their requests.
    pub(super) schedule_lag: Histogram,
    /// By [`Lack`].
    pub(super) saturated: [Counter; 4],
    /// Users' states, brought up to date at each scrape.
    pub(super) live: Live,
}

/// Handles of one task's series.
#[derive(Debug)]
pub(super) struct TaskMetrics {
    /// Requests that went well.
    pub(super) ok: IntCounter,
    /// Requests that did not.
    pub(super) error: IntCounter,
    /// The latter by [`Reason`].
    pub(super) reasons: [IntCounter; Reason::ALL.len()],
    /// Response times of the former.
    pub(super) ok_time: Histogram,
    /// Response times of the latter.
    pub(super) error_time: Histogram,
}

impl Metrics {
    /// Creates the families and registers them.
    pub(super) fn register(
        registry: &Registry,
        load: &trial::Load,
        slots: Arc<Slots>,
        clock: Clock,
        scope: Scope,
    ) -> Result<Self, prometheus::Error> {
        let requests = IntCounterVec::new(
            Opts::new("ordeal_requests_total", "HTTP requests that users made, by how they ended."),
            &["task", "outcome"],
        )?;
        let errors = IntCounterVec::new(
            Opts::new("ordeal_request_errors_total", "Requests that failed, by reason."),
            &["task", "reason"],
        )?;
        let times = HistogramVec::new(
            HistogramOpts::new(
                "ordeal_response_time_seconds",
                "Time from the intended start of a request to the end of its answer.",
            )
            .buckets(load.buckets.to_vec()),
            &["task", "outcome"],
        )?;
        let schedule_lag = Histogram::with_opts(
            HistogramOpts::new("ordeal_schedule_lag_seconds", "How late the generator began requests.")
                .buckets(LAG_BUCKETS.to_vec()),
        )?;
        let saturated = CounterVec::new(
            Opts::new(
                "ordeal_saturated_seconds_total",
                "Time in which the generator itself could not keep up, by cause.",
            ),
            &["cause"],
        )?;
        let is_whole = matches!(scope, Scope::Run);
        if is_whole {
            register_of_conductor(registry, load, 0)?;
        }
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(errors.clone()))?;
        registry.register(Box::new(times.clone()))?;
        registry.register(Box::new(schedule_lag.clone()))?;
        registry.register(Box::new(saturated.clone()))?;
        let live = Live::new(slots, clock, is_whole)?;
        registry.register(Box::new(live.clone()))?;

        let tasks = load.tasks.iter().map(|task| {
            let task = task.name.as_str();
            TaskMetrics {
                ok: requests.with_label_values(&[task, "ok"]),
                error: requests.with_label_values(&[task, "error"]),
                reasons: Reason::ALL.map(|reason| errors.with_label_values(&[task, reason.as_str()])),
                ok_time: times.with_label_values(&[task, "ok"]),
                error_time: times.with_label_values(&[task, "error"]),
            }
        });
        Ok(Self {
            tasks: tasks.collect(),
            schedule_lag,
            saturated: Lack::ALL.map(|lack| saturated.with_label_values(&[lack.as_str()])),
            live,
        })
    }
}

/// Creates the family of users.
pub(super) fn users_family() -> Result<GaugeVec, prometheus::Error> {
    let opts = Opts::new("ordeal_users", "Users that the schedule wants at this moment, and users that run.");
    GaugeVec::new(opts, &["state"])
}

/// Registers what only the conductor says of the load and never changes: how long users think, and how many load
/// processes have them.
pub(super) fn register_of_conductor(
    registry: &Registry,
    load: &trial::Load,
    processes: usize,
) -> Result<(), prometheus::Error> {
    let think = Gauge::new("ordeal_think_time_seconds", "Mean pause of a user after a request.")?;
    think.set(load.think.mean().as_secs_f64());
    registry.register(Box::new(think))?;
    let count = Gauge::new(
        "ordeal_load_processes",
        "Load processes that have the users, 0 if the conductor has them; one that is not scraped shows by it.",
    )?;
    count.set(processes as f64);
    registry.register(Box::new(count))
}

/// The families that follow from the users' slots. A scrape brings them up to date first, so that what hangs
/// shows in the very scrape.
#[derive(Debug, Clone)]
pub(super) struct Live(Arc<LiveInner>);

#[derive(Debug)]
struct LiveInner {
    slots: Arc<Slots>,
    clock: Clock,
    users: GaugeVec,
    /// Only where the whole run's users are known.
    target: Option<Gauge>,
    running: Gauge,
    seconds: CounterVec,
    split: [Counter; 3],
    in_flight: Gauge,
    oldest: Gauge,
    /// What the counters say; also keeps two scrapes apart.
    last: Mutex<UserTime>,
}

impl Live {
    fn new(slots: Arc<Slots>, clock: Clock, is_whole: bool) -> Result<Self, prometheus::Error> {
        let users = users_family()?;
        let seconds = CounterVec::new(
            Opts::new(
                "ordeal_user_seconds_total",
                "Where users' time went; overdue is waiting beyond the task's patience.",
            ),
            &["state"],
        )?;
        Ok(Self(Arc::new(LiveInner {
            slots,
            clock,
            target: is_whole.then(|| users.with_label_values(&["target"])),
            running: users.with_label_values(&["running"]),
            split: ["thinking", "waiting", "overdue"].map(|state| seconds.with_label_values(&[state])),
            users,
            seconds,
            in_flight: Gauge::new("ordeal_requests_in_flight", "Requests that are open.")?,
            oldest: Gauge::new(
                "ordeal_oldest_request_age_seconds",
                "Age of the oldest open request, 0 if none.",
            )?,
            last: Mutex::default(),
        })))
    }

    /// Sets how many users the schedule wants.
    pub(super) fn want(&self, users: usize) {
        if let Some(target) = &self.0.target {
            target.set(users as f64);
        }
    }

    /// Charges users' time up to `now`, in the metrics too.
    pub(super) fn settle(&self, now: Moment) -> UserTime {
        let inner = &*self.0;
        let mut last = inner.last.lock().unwrap_or_else(PoisonError::into_inner);
        let time = inner.slots.settle(now);
        let parts = |time: &UserTime| [time.thinking, time.waiting, time.overdue];
        for ((counter, new), old) in inner.split.iter().zip(parts(&time)).zip(parts(&last)) {
            counter.inc_by(new.saturating_sub(old).as_secs_f64());
        }
        inner.running.set(time.running as f64);
        inner.in_flight.set(time.in_flight as f64);
        inner.oldest.set(time.oldest.as_secs_f64());
        *last = time;
        time
    }
}

impl Collector for Live {
    fn desc(&self) -> Vec<&Desc> {
        let inner = &*self.0;
        let families: [&dyn Collector; 4] = [&inner.users, &inner.seconds, &inner.in_flight, &inner.oldest];
        families.into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.settle(self.0.clock.now());
        let inner = &*self.0;
        let families: [&dyn Collector; 4] = [&inner.users, &inner.seconds, &inner.in_flight, &inner.oldest];
        families.into_iter().flat_map(Collector::collect).collect()
    }
}
