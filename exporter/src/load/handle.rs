//! The load as the conductor holds it: looked at, waited for, ended.

use std::sync::{Arc, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::account::Account;
use super::end::Ended;
use super::record::Recorder;
use super::report::LoadReport;
use super::schedule::Schedule;
use super::share::Share;
use super::slots::UserTime;
use super::stats::{Percentiles, Times};
use super::watch::Recent;
use super::worker::Order;
use crate::clock::Moment;
use crate::trial::Trial;

/// A load that runs.
pub struct LoadHandle {
    pub(super) trial: Arc<Trial>,
    pub(super) schedule: Arc<Schedule>,
    pub(super) share: Share,
    pub(super) recorder: Arc<Recorder>,
    pub(super) started: Moment,
    pub(super) orders: watch::Sender<Order>,
    pub(super) ended: CancellationToken,
    pub(super) ended_at: Ended,
    pub(super) ramped: watch::Receiver<bool>,
    pub(super) recent: Recent,
    /// Cuts the load when the handle goes.
    pub(super) _cancel: DropGuard,
}

/// The load at a glance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot {
    /// Users that run.
    pub running: usize,
    /// Users that the schedule wants at this moment.
    pub wanted: usize,
    /// The largest number of users in the stages.
    pub largest: usize,
    /// Requests that went well so far.
    pub ok: u64,
    /// Requests that did not.
    pub error: u64,
    /// Requests a second in the last 5 s.
    pub per_second: f64,
    /// Requests that are open.
    pub in_flight: usize,
    /// Response times of all requests so far, if there were any.
    pub response_time: Option<Percentiles>,
}

impl LoadHandle {
    /// The load now.
    pub fn snapshot(&self) -> Snapshot {
        let now = self.recorder.clock.now();
        let time = self.recorder.metrics.live.settle(now);
        let (ok, error) = self.recorder.totals();
        let wanted = match *self.orders.borrow() {
            Order::Run => self.share.of_users(self.schedule.users_wanted(now.since(self.started))),
            Order::Finish { .. } => 0,
        };
        let oldest = self.recent.lock().unwrap_or_else(PoisonError::into_inner).front().copied();
        let (since, before) = oldest.unwrap_or((self.started, 0));
        let seconds = now.secs_since(since);
        let mut times = Times::new();
        for task in &self.recorder.tasks {
            task.times.add_to(&mut times);
        }
        Snapshot {
            running: time.running,
            wanted,
            largest: self.share.of_users(self.schedule.largest()),
            ok,
            error,
            per_second: if seconds > 0.0 && !self.ended.is_cancelled() {
                (ok + error - before) as f64 / seconds
            } else {
                0.0
            },
            in_flight: time.in_flight,
            response_time: Percentiles::of(&times.all()),
        }
    }

    /// Returns once as many users run as the largest stage asks for, or as the stages allow.
    pub async fn ramped(&self) {
        // The watcher only goes when the load has ended, which is as ramped as it gets.
        let _ = self.ramped.clone().wait_for(|ramped| *ramped).await;
    }

    /// Returns once the time of the stages is over. The last stage's users stay until [`Self::finish`].
    pub async fn stages_done(&self) {
        let over = self.started.later_by(self.schedule.duration());
        tokio::time::sleep_until(self.recorder.clock.instant(over)).await;
    }

    /// Ends the load: no request begins any more, open ones may end for one time-out, and what is then still
    /// open counts as drained. Called again, it waits for the same end.
    pub async fn finish(&self) -> LoadReport {
        let by = self.recorder.clock.now().later_by(self.trial.load.timeout);
        self.orders.send_if_modified(|order| {
            let first = *order == Order::Run;
            if first {
                *order = Order::Finish { by };
            }
            first
        });
        self.ended.cancelled().await;
        self.report()
    }

    /// Requests that ended so far: well, and not.
    pub fn counts(&self) -> (u64, u64) {
        self.recorder.totals()
    }

    /// The statistics so far; after the load's end, those of its end.
    pub fn report(&self) -> LoadReport {
        let (account, _) = self.account(true);
        LoadReport::new(&self.trial.load, self.share.of_users(self.schedule.largest()), &account)
    }

    /// What users did so far, on request with their response times, and what they do.
    pub(super) fn account(&self, with_times: bool) -> (Account, UserTime) {
        let now = self.ended_at.get().copied().unwrap_or_else(|| self.recorder.clock.now());
        let time = self.recorder.metrics.live.settle(now);
        (self.recorder.account(now.since(self.started), &time, with_times), time)
    }
}
