//! From a checked trial to a finished run: wires the rooms, leads the run, shuts down in order.

mod cleanup;
mod commands;
mod ending;
mod hold;
mod linger;
mod manifests;
mod member;
mod overrides;
mod permitted;
mod place;
mod recover;
mod rights;
mod rooms;
mod show;
mod tables;
mod volume;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use prometheus::Registry;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::cluster::kubernetes::lease::Held;
use crate::conductor::{Board, Conductor, Ended, Findings, Options, Stopped};
use crate::load::Running;
use crate::logging::Log;
use crate::progress::Progress;
use crate::signals;
use crate::trial::Trial;
use crate::web::{About, Readiness, Web};
use hold::Hold;
use place::Place;
use rooms::{Purpose, Rooms};
use show::{show, visitable};

pub use cleanup::cleanup;
pub use commands::{Planned, plan, sql, summary};
pub use manifests::{Account, manifests};
pub use member::{LoadRequest, load};
pub use overrides::Overrides;
pub use recover::{recover, recover_namespace};

/// What `load-exporter run` was asked for.
pub struct Request {
    /// The checked trial, overrides applied.
    pub trial: Trial,
    /// The run's id; made up when not given.
    pub run: Option<String>,
    /// The working folder.
    pub dir: PathBuf,
    /// Where metrics are served: the first of these that can be listened on.
    pub listen: Vec<SocketAddr>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// Whether the ramp waits for a scrape of the system in order.
    pub wait_for_scrape: bool,
    /// How long the end waits at most for two scrapes by everybody who recorded the run.
    pub linger: Duration,
    /// How many load processes have its users; 0: they are of this process.
    pub load_processes: usize,
}

/// Carries out the run. Ends with 0 when it went through all its phases.
pub async fn run(request: Request, log: &Log, progress: &Progress) -> anyhow::Result<ExitCode> {
    let over = CancellationToken::new();
    let abort = signals::abort_on_signal(over.clone()).context("listen for signals")?;
    let clock = Clock::start();
    let lost = CancellationToken::new();
    let Place { id, dir, hold, listener } = Place::take(&request, &lost, log, progress).await?;
    let Hold { journal, cluster, lease } = hold;
    let trial = Arc::new(request.trial);
    let (registry, stop) = (Registry::new(), CancellationToken::new());
    let purpose = Purpose {
        trial: &trial,
        clock,
        run: &id,
        folder: dir.path(),
        load_processes: request.load_processes,
        registry: &registry,
        abort: &abort,
        stop: &stop,
        progress,
    };
    // What an earlier run left is put back first, and must not be beside somebody who has begun to break things.
    let rooms = tokio::select! {
        rooms = Rooms::open(&purpose, journal, cluster) => rooms,
        () = lost.cancelled() => return Err(Stopped::LeaseLost.into()),
    };
    let rooms = match rooms {
        Ok(rooms) => rooms,
        Err(error) => {
            give_up(lease).await;
            return Err(error);
        }
    };

    let (readiness, ready) = watch::channel(Readiness::NotReady("in preflight".to_owned()));
    let board = Board::new(clock, rooms.metrics, readiness);
    let listening = listener.local_addr().context("ask for the address listened on")?;
    let web = Web::new(registry, &request.telemetry_path, ready).about(about(&id, &trial, &board));
    let scrapers = web.scrapers();
    let server = tokio::spawn(web.serve(listener, stop.clone().cancelled_owned()));
    tracing::info!(run = id, trial = trial.name.as_str(), dir = %dir.path().display(), "the run begins");
    progress.say(&format!(
        "run {id} of {}: metrics on http://{}{}, results in {}",
        trial.name,
        visitable(listening),
        request.telemetry_path,
        dir.path().display()
    ));

    let running = watch::Sender::<Option<Arc<Running>>>::new(None);
    let load_seen = running.subscribe();
    let shown = tokio::spawn(show(progress.clone(), clock, board.clone(), running.subscribe(), stop.clone()));
    let conductor = Conductor {
        trial,
        clock,
        options: Options { wait_for_scrape: request.wait_for_scrape },
        dir,
        driver: rooms.driver,
        health: rooms.health.clone(),
        ledgers: rooms.ledgers,
        findings: Findings::default(),
        cluster: rooms.cluster,
        scrapers: scrapers.subscribe(),
        progress: progress.clone(),
        board,
        running,
        abort: abort.clone(),
        lost,
    };
    let helm = rooms.load.helm();
    let end = conductor.lead(rooms.load).await;
    over.cancel();
    if let Some(helm) = helm {
        helm.leave().await;
    }
    give_up(lease).await;
    // Before the wait for Prometheus, that nobody wonders meanwhile what became of the run.
    let finished = matches!(end.ended, Ended::Finished { .. });
    let code = ending::report(end, load_seen.borrow().as_deref(), progress);
    linger::linger(&scrapers, request.linger, &abort, progress).await;
    if finished {
        ending::advise(&id, scrapers.borrow().total(), progress);
    }
    stop.cancel();
    rooms.health.stopped().await;
    server.await.context("serve metrics")?;
    shown.await.context("show progress")?;
    Ok(code)
}

/// Whoever comes next has not to wait until the lease has run out.
async fn give_up(lease: Option<Held>) {
    if let Some(lease) = lease {
        lease.release().await;
    }
}

/// What the landing page tells of the run.
fn about(run: &str, trial: &Trial, board: &Board) -> About {
    let board = board.clone();
    About {
        run: run.to_owned(),
        trial: trial.name.to_string(),
        phase: Box::new(move || board.shown().phase.as_str()),
    }
}
