//! The conductor's side of a fleet: gathers the load processes, says when they begin and end, adds up what they did.

mod claim;
mod helm;
mod leftover;

use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;

pub use self::helm::Helm;
pub use self::leftover::{Leftover, remove_leftover};
use super::super::account::Account;
use super::super::driver::LoadError;
use super::super::handle::Snapshot;
use super::super::report::{FleetReport, LoadReport};
use super::super::schedule::Schedule;
use super::super::share::Share;
use super::metrics::Aim;
use super::signal::Order;
use super::{STALE, fingerprint};
use crate::clock::{Clock, Moment};
use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::kubernetes::shared::SharedError;
use crate::progress::{Progress, Waiting};
use crate::trial::Trial;

/// How long load processes may take to be there: pods are to be scheduled, and images pulled.
const GATHER_LIMIT: Duration = Duration::from_mins(2);
/// The common start is so far ahead when it is said.
const AHEAD: Duration = Duration::from_secs(5);
/// Time between two looks at the load processes.
const LOOK: Duration = Duration::from_millis(250);
/// Beyond the time-out of requests, the ends of all load processes are awaited for as long as a lost one takes to be
/// noticed, and this.
const GRACE: Duration = Duration::from_secs(10);

/// Why load processes cannot be led.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The ConfigMap cannot be used.
    #[error("agree with the load processes")]
    Shared(#[from] SharedError),
    /// Another run has it.
    #[error("lead the load processes: the conductor of run {run} leads others by the same ConfigMap")]
    Taken {
        /// That run.
        run: String,
    },
    /// Not all are there.
    #[error("not ready after {} s: {}", GATHER_LIMIT.as_secs(), .missing.join(", "))]
    Missing {
        /// Those that are not, each with why.
        missing: Vec<String>,
    },
    /// The common start did not reach the API server in time.
    #[error("tell the load processes when to begin: the API server did not take it in time")]
    Start,
}

/// Load processes that are to be led.
pub struct Fleet {
    trial: Arc<Trial>,
    schedule: Arc<Schedule>,
    aim: Aim,
    helm: Arc<Helm>,
}

impl Fleet {
    /// The `of` load processes of run `run`; registers what the conductor exposes of their load.
    pub fn new(
        trial: Arc<Trial>,
        clock: Clock,
        registry: &Registry,
        run: &str,
        of: usize,
        cluster: Kubernetes,
    ) -> Result<Self, LoadError> {
        let schedule = Schedule::new(&trial.load.stages, trial.load.spawn_rate.per_second());
        let schedule = Arc::new(schedule);
        let aim = Aim::register(registry, &trial.load, of, Arc::clone(&schedule), clock)?;
        let helm = Helm::new(clock, cluster, run, &fingerprint(&trial), trial.load.tasks.len(), of);
        Ok(Self { trial, schedule, aim, helm: Arc::new(helm) })
    }

    /// What the end of the run must be told by, whatever becomes of the load.
    pub fn helm(&self) -> Arc<Helm> {
        Arc::clone(&self.helm)
    }

    /// Calls the load processes and waits until all are ready.
    pub async fn gather(&self, progress: &Progress) -> Result<(), FleetError> {
        self.helm.take(progress).await?;
        let not_ready = || self.helm.roster().not_ready(self.helm.clock().now());
        let all_ready = async {
            while !not_ready().is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        };
        let waiting = Waiting {
            for_what: &|| {
                format!("every load process to be ready, which is not yet: {}", not_ready().join(", "))
            },
            limit: GATHER_LIMIT,
            hint: "is the load Job there, of as many pods, with the same trial and run id?",
            came: "every load process is ready",
        };
        let in_time = progress.await_aloud(&waiting, all_ready).await;
        in_time.map_err(|_| FleetError::Missing { missing: not_ready() })?;
        for (index, ahead) in self.helm.roster().clocks().into_iter().enumerate() {
            let (least, most) = (ahead.least, ahead.most);
            tracing::info!(
                process = index,
                least,
                most,
                "a load process is ready; its clock is so far ahead, in s"
            );
        }
        Ok(())
    }

    /// Says when users begin.
    pub async fn start(self) -> Result<FleetHandle, FleetError> {
        let started = self.helm.clock().now().later_by(AHEAD);
        let at = self.helm.clock().unix_seconds(started);
        self.helm.say(Order::Start { at });
        if tokio::time::timeout(AHEAD, self.helm.said(Order::Start { at })).await.is_err() {
            return Err(FleetError::Start);
        }
        self.aim.wanted_since(Some(started));
        Ok(FleetHandle {
            trial: self.trial,
            schedule: self.schedule,
            aim: self.aim,
            helm: self.helm,
            started,
        })
    }
}

/// Load processes whose users run.
pub struct FleetHandle {
    trial: Arc<Trial>,
    schedule: Arc<Schedule>,
    aim: Aim,
    helm: Arc<Helm>,
    started: Moment,
}

impl FleetHandle {
    /// Returns once as many users run as the largest stage asks for, or as the stages allow. Users of lost processes
    /// are not waited for.
    pub async fn ramped(&self) {
        while !self.is_ramped() {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn is_ramped(&self) -> bool {
        let elapsed = self.helm.clock().now().since(self.started);
        if elapsed < self.schedule.fully_ramped_at() {
            return false;
        }
        let wanted = self.schedule.users_wanted(elapsed);
        let roster = self.helm.roster();
        let shares = roster.present().filter_map(|index| Share::new(index, self.helm.of()));
        let due: usize = shares.map(|share| share.of_users(wanted)).sum();
        roster.sums().running >= due || elapsed >= self.schedule.duration()
    }

    /// Returns once the time of the stages is over.
    pub async fn stages_done(&self) {
        let over = self.started.later_by(self.schedule.duration());
        tokio::time::sleep_until(self.helm.clock().instant(over)).await;
    }

    /// Ends the load in all processes, as [`super::super::Running::finish`] has it.
    pub async fn finish(&self) -> LoadReport {
        self.aim.wanted_since(None);
        self.helm.finish();
        let limit = self.trial.load.timeout + STALE + GRACE;
        let ended = async {
            while !self.helm.roster().have_ended() {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!("not every load process has told of its end");
        }
        self.report()
    }

    /// Requests that ended so far, as told: well, and not.
    pub fn counts(&self) -> (u64, u64) {
        let sums = self.helm.roster().sums();
        (sums.ok, sums.error)
    }

    /// The load as it was told last.
    pub fn snapshot(&self) -> Snapshot {
        let roster = self.helm.roster();
        let sums = roster.sums();
        Snapshot {
            running: sums.running,
            wanted: self.aim.wanted(),
            largest: self.schedule.largest(),
            ok: sums.ok,
            error: sums.error,
            per_second: if roster.have_ended() { 0.0 } else { roster.per_second() },
            in_flight: sums.in_flight,
            response_time: None,
        }
    }

    /// The statistics as they were told last, added up.
    pub fn report(&self) -> LoadReport {
        let load = &self.trial.load;
        let roster = self.helm.roster();
        let account = roster.account().unwrap_or_else(|| Account::none(load.tasks.len()));
        let fleet = FleetReport::new(self.helm.of(), roster.lost(), account.times.is_some());
        LoadReport { fleet: Some(fleet), ..LoadReport::new(load, self.schedule.largest(), &account) }
    }
}
