//! Starts the load, watches it, and ends it.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use prometheus::Registry;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::choice::TaskChoice;
use super::client::{Dialer, TlsError, TlsSetup};
use super::metrics::Metrics;
use super::plan::{Plan, PlanError};
use super::record::Recorder;
use super::report::LoadReport;
use super::saturation::{Lack, Saturation};
use super::schedule::Schedule;
use super::slots::Slots;
use super::stats::{Percentiles, Times};
use super::user::{Desk, Habits};
use super::worker::{Order, Worker, threads};
use crate::clock::{Clock, Moment};
use crate::trial::Trial;

/// Time between two looks at the generator's own state.
const WATCH_EVERY: Duration = Duration::from_millis(250);

/// The rate of requests is that of so many looks: 5 s.
const RECENT_LOOKS: usize = 20;

/// The load cannot be set up or started.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The trial's requests cannot be made.
    #[error("prepare the requests of the load")]
    Plan(#[from] PlanError),
    /// TLS to the target cannot be set up.
    #[error("prepare TLS to the target")]
    Tls(#[from] TlsError),
    /// The metrics cannot be registered.
    #[error("register the metrics of the load")]
    Metrics(#[from] prometheus::Error),
    /// A thread for users cannot be started.
    #[error("start a thread for users")]
    Thread(#[source] io::Error),
}

/// A load that is ready: its series are registered, its requests made ready, nothing is sent yet.
pub struct Load {
    trial: Arc<Trial>,
    plan: Arc<Plan>,
    schedule: Arc<Schedule>,
    tls: Option<TlsSetup>,
    recorder: Arc<Recorder>,
}

impl Load {
    /// Makes the load of `trial` ready and registers its metrics.
    pub fn new(trial: Arc<Trial>, clock: Clock, registry: &Registry) -> Result<Self, LoadError> {
        let plan = Plan::new(&trial)?;
        let origin = &plan.origin;
        let tls = origin.https.then(|| TlsSetup::new(&trial.target, &origin.server_name)).transpose()?;
        let schedule = Schedule::new(&trial.load.stages, trial.load.spawn_rate);
        let slots = Arc::new(Slots::new(schedule.largest()));
        let metrics = Metrics::register(registry, &trial.load, Arc::clone(&slots), clock)?;
        let recorder = Arc::new(Recorder::new(clock, metrics, slots));
        Ok(Self { trial, plan: Arc::new(plan), schedule: Arc::new(schedule), tls, recorder })
    }

    /// Starts the users. They stop at once, their open requests counted as drained, when `cancel` is
    /// cancelled or the handle is dropped.
    pub async fn start(self, cancel: CancellationToken) -> Result<LoadHandle, LoadError> {
        let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let count = threads(self.schedule.largest(), self.trial.load.think, processors);
        let started = self.recorder.clock.now();
        let (orders, orders_seen) = watch::channel(Order::Run);
        let cancel = cancel.child_token();
        let ended = CancellationToken::new();
        // The last thread that drops its share says that the load has ended, however it ended.
        let last = Arc::new(ended.clone().drop_guard());
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
                count,
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
        let recent = Arc::new(Mutex::new(VecDeque::with_capacity(RECENT_LOOKS + 1)));
        let watcher = Watcher {
            recorder: Arc::clone(&self.recorder),
            schedule: Arc::clone(&self.schedule),
            started,
            recent: Arc::clone(&recent),
            is_ramped,
        };
        tokio::spawn(watcher.run(ended.clone()));
        Ok(LoadHandle {
            trial: self.trial,
            schedule: self.schedule,
            recorder: self.recorder,
            started,
            orders,
            ended,
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
    tls: Option<TlsSetup>,
    habits: Habits,
    started: Moment,
    index: usize,
    count: usize,
    orders: watch::Receiver<Order>,
    cancel: CancellationToken,
}

impl Seat {
    /// Starts the thread, which says when it is ready and drops `last` when it has ended.
    fn start(self, last: Arc<DropGuard>) -> io::Result<oneshot::Receiver<io::Result<()>>> {
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
        let worker = Worker::new(Rc::new(desk), self.schedule, self.started, self.index, self.count);
        worker.run(self.orders, self.cancel).await;
    }
}

/// Requests ended so far, at some moments.
type Recent = Arc<Mutex<VecDeque<(Moment, u64)>>>;

/// Looks at the generator's own state while users run.
struct Watcher {
    recorder: Arc<Recorder>,
    schedule: Arc<Schedule>,
    started: Moment,
    recent: Recent,
    is_ramped: watch::Sender<bool>,
}

impl Watcher {
    async fn run(self, ended: CancellationToken) {
        let clock = self.recorder.clock;
        let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get) as f64;
        let mut saturation = Saturation::new(self.started);
        let (mut before, mut cpu_before) = (self.started, cpu_time());
        let mut next = self.started;
        loop {
            next = next.later_by(WATCH_EVERY).max(clock.now());
            tokio::select! {
                () = ended.cancelled() => return,
                () = tokio::time::sleep_until(clock.instant(next)) => {}
            }
            let (now, cpu) = (clock.now(), cpu_time());
            let mut seen = self.recorder.strain.take();
            let possible = now.secs_since(before).max(f64::EPSILON) * processors;
            seen.cpu_share = cpu.saturating_sub(cpu_before).as_secs_f64() / possible;
            (before, cpu_before) = (now, cpu);
            for (lack, time) in Lack::ALL.into_iter().zip(saturation.look(now, &seen)) {
                self.recorder.metrics.saturated[lack as usize].inc_by(time.as_secs_f64());
            }
            self.note(now);
        }
    }

    fn note(&self, now: Moment) {
        let (ok, error) = totals(&self.recorder);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_back((now, ok + error));
        if recent.len() > RECENT_LOOKS {
            recent.pop_front();
        }
        drop(recent);
        let elapsed = now.since(self.started);
        let running = self.recorder.metrics.live.settle(now).running;
        let full =
            elapsed >= self.schedule.fully_ramped_at() && running >= self.schedule.users_wanted(elapsed);
        if full || elapsed >= self.schedule.duration() {
            self.is_ramped.send_if_modified(|ramped| !std::mem::replace(ramped, true));
        }
    }
}

/// A load that runs.
pub struct LoadHandle {
    trial: Arc<Trial>,
    schedule: Arc<Schedule>,
    recorder: Arc<Recorder>,
    started: Moment,
    orders: watch::Sender<Order>,
    ended: CancellationToken,
    ramped: watch::Receiver<bool>,
    recent: Recent,
    _cancel: DropGuard,
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
        let (ok, error) = totals(&self.recorder);
        let wanted = match *self.orders.borrow() {
            Order::Run => self.schedule.users_wanted(now.since(self.started)),
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
            largest: self.schedule.largest(),
            ok,
            error,
            per_second: if seconds > 0.0 { (ok + error - before) as f64 / seconds } else { 0.0 },
            in_flight: time.in_flight,
            response_time: Percentiles::of(&times.all()),
        }
    }

    /// Returns once as many users run as the largest stage asks for, or as the stages allow.
    pub async fn ramped(&self) {
        // The watcher only goes when the load has ended, which is as ramped as it gets.
        let _ = self.ramped.clone().wait_for(|ramped| *ramped).await;
    }

    /// Whether the time of the stages is over. The last stage's users stay until [`Self::finish`].
    pub fn stages_over(&self) -> bool {
        self.recorder.clock.now().since(self.started) >= self.schedule.duration()
    }

    /// Returns once the time of the stages is over.
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

    /// The statistics so far.
    pub fn report(&self) -> LoadReport {
        let now = self.recorder.clock.now();
        let time = self.recorder.metrics.live.settle(now);
        let lasted = now.since(self.started);
        LoadReport::new(&self.trial.load, self.schedule.largest(), &self.recorder, &time, lasted)
    }
}

fn totals(recorder: &Recorder) -> (u64, u64) {
    let tasks = recorder.metrics.tasks.iter();
    tasks.fold((0, 0), |(ok, error), task| (ok + task.ok.get(), error + task.error.get()))
}

/// Processor time of this process so far.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}
