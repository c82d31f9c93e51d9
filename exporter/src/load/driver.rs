//! Makes the load ready and starts it.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use prometheus::Registry;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::choice::TaskChoice;
use super::client::Dialer;
use super::end::{Ended, Last};
use super::fleet::FleetError;
use super::handle::LoadHandle;
use super::metrics::{Metrics, Scope};
use super::plan::{Plan, PlanError};
use super::record::Recorder;
use super::schedule::Schedule;
use super::share::Share;
use super::slots::Slots;
use super::user::{Desk, Habits};
use super::watch::{Recent, Watcher};
use super::worker::{Order, Worker, threads};
use crate::clock::{Clock, Moment};
use crate::tls::{self, Tls};
use crate::trial::Trial;

/// The load cannot be set up or started.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The trial's requests cannot be made.
    #[error("prepare the requests of the load")]
    Plan(#[from] PlanError),
    /// TLS to the target cannot be set up.
    #[error("prepare TLS to the target")]
    Tls(#[from] tls::Error),
    /// The metrics cannot be registered.
    #[error("register the metrics of the load")]
    Metrics(#[from] prometheus::Error),
    /// A thread for users cannot be started.
    #[error("start a thread for users")]
    Thread(#[source] io::Error),
    /// Load processes cannot be led.
    #[error("lead the load processes")]
    Fleet(#[from] FleetError),
}

/// A load that is ready: its series are registered, its requests made ready, nothing is sent yet.
pub struct Load {
    trial: Arc<Trial>,
    plan: Arc<Plan>,
    schedule: Arc<Schedule>,
    share: Share,
    tls: Option<Tls>,
    recorder: Arc<Recorder>,
}

impl Load {
    /// Makes the load of `trial` ready and registers its metrics.
    pub fn new(trial: Arc<Trial>, clock: Clock, registry: &Registry) -> Result<Self, LoadError> {
        Self::with_scope(trial, clock, registry, Scope::Run)
    }

    /// [`Self::new`], of this share of the users; metrics of the whole run are the conductor's.
    pub fn of_share(
        trial: Arc<Trial>,
        clock: Clock,
        registry: &Registry,
        share: Share,
    ) -> Result<Self, LoadError> {
        Self::with_scope(trial, clock, registry, Scope::Share(share))
    }

    fn with_scope(
        trial: Arc<Trial>,
        clock: Clock,
        registry: &Registry,
        scope: Scope,
    ) -> Result<Self, LoadError> {
        let plan = Plan::new(&trial)?;
        let tls = plan.origin.https.then(|| Tls::new(&trial.target)).transpose()?;
        let schedule = Schedule::new(&trial.load.stages, trial.load.spawn_rate.per_second());
        let slots = Arc::new(Slots::new(schedule.largest()));
        let metrics = Metrics::register(registry, &trial.load, Arc::clone(&slots), clock, scope)?;
        let recorder = Arc::new(Recorder::new(clock, metrics, slots));
        let share = scope.share();
        Ok(Self { trial, plan: Arc::new(plan), schedule: Arc::new(schedule), share, tls, recorder })
    }

    /// Starts the users. They stop at once, their open requests counted as drained, when `cancel` is
    /// cancelled or the handle is dropped.
    pub async fn start(self, cancel: CancellationToken) -> Result<LoadHandle, LoadError> {
        let now = self.recorder.clock.now();
        self.start_at(now, cancel).await
    }

    /// [`Self::start`], where the schedule counts from a moment that is not in the future.
    pub async fn start_at(self, started: Moment, cancel: CancellationToken) -> Result<LoadHandle, LoadError> {
        let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let users = self.share.of_users(self.schedule.largest());
        let count = threads(users, self.trial.load.think, processors);
        let (orders, orders_seen) = watch::channel(Order::Run);
        let cancel = cancel.child_token();
        let ended = CancellationToken::new();
        let ended_at = Ended::default();
        let last = Arc::new(Last::new(Arc::clone(&ended_at), self.recorder.clock, ended.clone()));
        let choice = Arc::new(TaskChoice::new(&self.trial.load.tasks));
        let mut ready = Vec::with_capacity(count);
        for index in 0..count {
            let seat = Seat {
                plan: Arc::clone(&self.plan),
                choice: Arc::clone(&choice),
                recorder: Arc::clone(&self.recorder),
                schedule: Arc::clone(&self.schedule),
                tls: self.tls.clone(),
                habits: self.habits(),
                started,
                index,
                share: self.share.part(index, count),
                orders: orders_seen.clone(),
                cancel: cancel.clone(),
            };
            ready.push(seat.start(Arc::clone(&last)).map_err(LoadError::Thread)?);
        }
        drop(last);
        for ready in ready {
            let broken = || io::Error::other("the thread ended at once");
            ready.await.map_err(|_| broken()).flatten().map_err(LoadError::Thread)?;
        }
        let (is_ramped, ramped) = watch::channel(false);
        let recent = Recent::default();
        let watcher = Watcher {
            recorder: Arc::clone(&self.recorder),
            schedule: Arc::clone(&self.schedule),
            share: self.share,
            started,
            recent: Arc::clone(&recent),
            is_ramped,
        };
        tokio::spawn(watcher.run(ended.clone()));
        Ok(LoadHandle {
            trial: self.trial,
            schedule: self.schedule,
            share: self.share,
            recorder: self.recorder,
            started,
            orders,
            ended,
            ended_at,
            ramped,
            recent,
            _cancel: cancel.drop_guard(),
        })
    }

    fn habits(&self) -> Habits {
        let load = &self.trial.load;
        Habits { seed: load.seed, think: load.think, timeout: load.timeout, patience: load.patience }
    }
}

/// What a thread needs to begin.
struct Seat {
    plan: Arc<Plan>,
    choice: Arc<TaskChoice>,
    recorder: Arc<Recorder>,
    schedule: Arc<Schedule>,
    tls: Option<Tls>,
    habits: Habits,
    started: Moment,
    index: usize,
    share: Share,
    orders: watch::Receiver<Order>,
    cancel: CancellationToken,
}

impl Seat {
    /// Starts the thread, which says when it is ready and drops `last` when it has ended.
    fn start(self, last: Arc<Last>) -> io::Result<oneshot::Receiver<io::Result<()>>> {
        let (say, ready) = oneshot::channel();
        thread::Builder::new().name(format!("load-{}", self.index)).spawn(move || {
            let _last = last;
            match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
                Err(error) => drop(say.send(Err(error))),
                Ok(runtime) => {
                    let _ = say.send(Ok(()));
                    runtime.block_on(self.run());
                }
            }
        })?;
        Ok(ready)
    }

    async fn run(self) {
        let dialer = Dialer::new(&self.plan.origin, self.tls, self.habits.timeout);
        let desk = Desk {
            plan: self.plan,
            choice: self.choice,
            recorder: self.recorder,
            dialer,
            habits: self.habits,
        };
        let worker = Worker::new(Rc::new(desk), self.schedule, self.started, self.share);
        worker.run(self.orders, self.cancel).await;
    }
}
