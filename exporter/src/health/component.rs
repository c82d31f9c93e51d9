//! One component while it is followed: its tracker, its account and its series.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::account::{Account, Length};
use super::metrics::ComponentMetrics;
use super::tracker::{Change, Outage, Outcome, Probe, Question, Recovery, Tracker};
use super::windows::{Cause, Windows};
use crate::clock::{Clock, Moment};

/// Windows shared by all components.
pub(super) type SharedWindows = Arc<Mutex<Windows>>;

/// Locks `mutex`; what it guards stays whole even where a holder panicked.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A component and everything known about it.
pub(super) struct Follower {
    pub(super) name: String,
    interval: Duration,
    timeout: Duration,
    clock: Clock,
    metrics: ComponentMetrics,
    windows: SharedWindows,
    /// Bumped at every probe.
    changed: watch::Sender<u64>,
    state: Mutex<State>,
}

struct State {
    tracker: Tracker,
    account: Account,
    /// Why the last probe failed, or did not come about, if somebody told.
    reason: Option<String>,
}

impl Follower {
    pub(super) fn new(
        name: String,
        (interval, timeout): (Duration, Duration),
        clock: Clock,
        metrics: ComponentMetrics,
        windows: SharedWindows,
        changed: watch::Sender<u64>,
    ) -> Self {
        let tracker = Tracker::new(interval, timeout);
        let state = Mutex::new(State { tracker, account: Account::default(), reason: None });
        Self { name, interval, timeout, clock, metrics, windows, changed, state }
    }

    /// The same, where probes read the state that they judge at any moment until their end.
    pub(super) fn of_polls(mut self) -> Self {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.tracker = Tracker::new(self.interval, self.timeout).of_polls();
        self
    }

    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Takes the next probe, which did not come about; `reason` says why.
    pub(super) fn miss(&self, probe: Probe, reason: String) {
        lock(&self.state).reason = Some(reason);
        self.take(probe, None);
    }

    /// Takes the next probe in order of start; `reason` says why it failed.
    pub(super) fn take(&self, probe: Probe, reason: Option<&str>) {
        self.count(probe);
        let mut state = lock(&self.state);
        if probe.outcome != Outcome::Missed {
            state.reason = reason.map(str::to_owned);
        }
        let State { tracker, account, .. } = &mut *state;
        let change = tracker.record(probe);
        if let Some(stretch) = tracker.ended_stretch() {
            self.metrics.unseen.observe(stretch.as_secs_f64());
        }
        if change == Change::Began {
            let cause = tracker.open().map_or(Cause::None, |outage| lock(&self.windows).cause(outage));
            account.begin(cause);
            let component = &self.name;
            // An outage that the run itself makes is what it is there for.
            match cause {
                Cause::None => warn!(%component, reason, "outage began that no experiment explains"),
                Cause::Experiment => info!(%component, reason, "outage began"),
            }
        }
        if let Some(outage) = tracker.outages().back() {
            account.update(outage);
            if change == Change::Over {
                let Length { lower, estimate, upper } = Length::of(outage);
                let component = &self.name;
                if account.end() == Some(Cause::None) {
                    warn!(%component, ?estimate, ?lower, ?upper, "that outage is over");
                } else {
                    info!(%component, ?estimate, ?lower, ?upper, "outage is over");
                }
            }
            for cause in Cause::ALL {
                self.metrics.outages(cause, account.total(cause));
            }
        }
        self.metrics.up.set(i64::from(tracker.up()));
        drop(state);
        self.changed.send_modify(|version| *version = version.wrapping_add(1));
    }

    fn count(&self, probe: Probe) {
        match probe.outcome {
            Outcome::Missed => return self.metrics.missed.inc(),
            Outcome::Good => {
                self.metrics.good.inc();
                self.metrics.last_success.set(self.clock.unix_seconds(probe.end));
            }
            Outcome::Refused | Outcome::TimedOut => self.metrics.failed.inc(),
        }
        self.metrics.duration.observe(probe.end.since(probe.start).as_secs_f64());
    }

    /// Whether the component serves, as far as recent probes know: no evidence is no health.
    pub(super) fn up(&self, now: Moment) -> bool {
        let state = lock(&self.state);
        let recent = Duration::from_secs(5).max(self.interval * 3 + self.timeout);
        state.tracker.up() && state.tracker.seen().is_some_and(|seen| now.since(seen) <= recent)
    }

    /// Why the last probe failed, or did not come about, if somebody told.
    pub(super) fn reason(&self) -> Option<String> {
        lock(&self.state).reason.clone()
    }

    /// Keeps the probes that an experiment injected at `from` is judged by; `None` lets them go.
    pub(super) fn keep_from(&self, from: Option<Moment>) {
        lock(&self.state).tracker.keep_from(from);
    }

    pub(super) fn outages(&self) -> Vec<Outage> {
        lock(&self.state).tracker.outages().iter().copied().collect()
    }

    pub(super) fn recovery(&self, question: &Question, now: Moment) -> Recovery {
        lock(&self.state).tracker.recovery(question, now)
    }
}
