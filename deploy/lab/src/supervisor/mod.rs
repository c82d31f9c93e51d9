//! The supervisor: a process of its own that starts everything, brings back what dies, and answers commands.

mod autoscale;
mod balancer;
mod control;
mod database;
mod health;
mod machines;
mod shop;
mod status;
mod unit;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::autoscaler::Settings;
use crate::interventions::Interventions;
use crate::layout::Layout;
use crate::replicas::{Id, Replicas};
use crate::state::Options;
use crate::units;

/// What the supervisor's tasks share.
pub(crate) struct Lab {
    layout: Layout,
    options: Options,
    started: Instant,
    stop: CancellationToken,
    autoscaler: Settings,
    replicas: Mutex<Replicas>,
    /// Requests that each replica works on, as `HAProxy` counts them.
    in_flight: Mutex<BTreeMap<Id, u32>>,
    /// Replicas that `HAProxy` sends requests to and finds healthy.
    balanced: Mutex<usize>,
    utilization: Mutex<Option<f64>>,
    interventions: Mutex<Interventions>,
    restarts: BTreeMap<String, Arc<Notify>>,
    database_ready: watch::Sender<bool>,
}

impl Lab {
    /// Time since the supervisor's start: the time of all decisions.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn replicas(&self) -> MutexGuard<'_, Replicas> {
        lock(&self.replicas)
    }
}

/// A panic elsewhere does not make the data wrong: every change under a lock is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why the supervisor could not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("leave the starter's session")]
    Session(#[source] std::io::Error),
    #[error("listen for commands")]
    Control(#[source] std::io::Error),
    #[error("serve the status document")]
    Status(#[source] std::io::Error),
    #[error("note the supervisor's process")]
    PidFile(#[source] std::io::Error),
}

/// Name of the supervisor's pid file and log.
pub(crate) const NAME: &str = "supervisor";

/// Runs until a command or a signal ends it. The processes live on: whoever ends the supervision stops them.
pub(crate) async fn run(layout: Layout, options: Options) -> Result<(), Error> {
    rustix::process::setsid().map_err(|error| Error::Session(error.into()))?;
    let this = crate::procs::Process::now(rustix::process::getpid().as_raw_nonzero().get());
    if let Some(this) = this {
        this.write(&layout.pid_file(NAME)).map_err(Error::PidFile)?;
    }
    let units = units::all(&layout);
    let autoscaler = Settings::lab();
    let lab = Arc::new(Lab {
        layout,
        options,
        started: Instant::now(),
        stop: CancellationToken::new(),
        autoscaler,
        replicas: Mutex::new(Replicas::new(autoscaler.min)),
        in_flight: Mutex::default(),
        balanced: Mutex::default(),
        utilization: Mutex::default(),
        interventions: Mutex::default(),
        restarts: units.iter().map(|unit| (unit.program.name.clone(), Arc::default())).collect(),
        database_ready: watch::Sender::new(false),
    });
    control::listen(&lab).map_err(Error::Control)?;
    status::serve(&lab).await.map_err(Error::Status)?;
    for unit in units {
        tokio::spawn(unit::keep(lab.clone(), unit));
    }
    tokio::spawn(database::prepare(lab.clone()));
    tokio::spawn(machines::watch(lab.clone()));
    tokio::spawn(balancer::keep(lab.clone()));
    tokio::spawn(autoscale::keep(lab.clone()));
    tokio::spawn(shop::keep(lab.clone()));
    stopped(&lab.stop).await;
    tracing::info!("supervision ends");
    Ok(())
}

async fn stopped(stop: &CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return stop.cancelled().await;
    };
    tokio::select! {
        () = stop.cancelled() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
