//! From a checked trial to a finished run: wires the rooms, leads the run, shuts down in order.

mod commands;
mod ending;
mod hold;
mod linger;
mod overrides;
mod recover;
mod tables;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::chaos::driver::{Driver, Setup};
use crate::chaos::journal::Journal;
use crate::chaos::putback::Retry;
use crate::clock::Clock;
use crate::cluster::kubernetes::Kubernetes;
use crate::conductor::{self, Board, Conductor, Ended, Findings, Glance, Options};
use crate::health::Health;
use crate::ledger::Ledgers;
use crate::load::{self, Load, LoadHandle};
use crate::logging::Log;
use crate::progress::Progress;
use crate::rundir::RunDir;
use crate::trial::{ComponentKind, Name, StatusSource, Trial};
use crate::web::{About, Readiness, Web};
use crate::{chaos, cluster, signals};
use hold::Hold;

pub use commands::{Planned, cleanup, plan, sql, summary};
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
}

/// Carries out the run. Ends with 0 when it went through all its phases.
pub async fn run(request: Request, log: &Log, progress: &Progress) -> anyhow::Result<ExitCode> {
    let over = CancellationToken::new();
    let abort = signals::abort_on_signal(over.clone()).context("listen for signals")?;
    let clock = Clock::start();
    let trial = Arc::new(request.trial);
    anyhow::ensure!(
        !request.dir.exists() || request.dir.is_dir(),
        "{} is no folder: --dir takes the folder that runs are kept in",
        request.dir.display()
    );
    let id = request.run.clone().unwrap_or_else(new_run_id);
    let dir = RunDir::of(&request.dir, &id).with_context(|| {
        format!("make a folder for the run in {} (--dir chooses another place)", request.dir.display())
    })?;
    // Before anything of a run is touched, for it may be another process's.
    let Hold { journal, cluster, lease } = Hold::take(&trial, dir.root(), &id, &abort, progress).await?;
    anyhow::ensure!(
        !dir.has_ended(),
        "run {id} has come to its end before, what it wrote is in {}: give this one another --run-id",
        dir.path().display()
    );
    load::raise_descriptor_limit().context("raise the limit of open files")?;
    let listener = TcpListener::bind(request.listen.as_slice()).await.with_context(|| {
        let address = request.listen.last().map(ToString::to_string).unwrap_or_default();
        format!("listen on {address} (--web.listen-address chooses another)")
    })?;

    let listening = listener.local_addr().context("ask for the address listened on")?;
    dir.enter()?;
    log.keep_in(dir.path()).with_context(|| format!("keep the log in {}", dir.path().display()))?;

    let registry = Registry::new();
    let stop = CancellationToken::new();
    let metrics = conductor::Metrics::register(&registry, clock, &id, &trial, revision())?;
    let driver = open_driver(&trial, clock, journal, cluster.clone(), &id, &registry).await?;
    Box::pin(tables::ensure_tables(&trial, &abort, progress)).await?;
    let cluster = cluster::start(watched(&trial, cluster), clock, &registry, stop.clone())?;
    let health = Health::start(&trial, clock, &registry, cluster.clone(), &stop)?;
    let ledgers = Ledgers::open(&trial, &id, clock, &registry, dir.path())?;
    let load = Load::new(Arc::clone(&trial), clock, &registry)?;

    let (readiness, ready) = watch::channel(Readiness::NotReady("in preflight".to_owned()));
    let board = Board::new(clock, metrics, readiness);
    let told = About {
        run: id.clone(),
        trial: trial.name.to_string(),
        phase: Box::new({
            let board = board.clone();
            move || board.shown().phase.as_str()
        }),
    };
    let web = Web::new(registry, &request.telemetry_path, ready).about(told);
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

    let running = watch::Sender::<Option<Arc<LoadHandle>>>::new(None);
    let load_seen = running.subscribe();
    let shown = tokio::spawn(show(progress.clone(), clock, board.clone(), running.subscribe(), stop.clone()));
    let conductor = Conductor {
        trial,
        clock,
        options: Options { wait_for_scrape: request.wait_for_scrape },
        dir,
        driver,
        health: health.clone(),
        ledgers,
        findings: Findings::default(),
        cluster,
        scrapers: scrapers.subscribe(),
        progress: progress.clone(),
        board,
        running,
        abort: abort.clone(),
    };
    let end = conductor.lead(load).await;
    over.cancel();
    if let Some(lease) = lease {
        lease.release().await;
    }
    let load = load_seen.borrow().as_ref().map(|load| load.report());
    let failures =
        load.and_then(|load| ending::failures(load.requests.ok + load.requests.error, &load.reasons));
    // Before the wait for Prometheus, that nobody wonders meanwhile what became of the run.
    let finished = matches!(end.ended, Ended::Finished { .. });
    let code = ending::report(end, failures.as_deref().unwrap_or_default(), progress);
    linger::linger(&scrapers, request.linger, &abort, progress).await;
    if finished {
        ending::advise(&id, scrapers.borrow().total(), progress);
    }
    stop.cancel();
    health.stopped().await;
    server.await.context("serve metrics")?;
    shown.await.context("show progress")?;
    Ok(code)
}

/// A short random id: 12 hexadecimal digits.
fn new_run_id() -> String {
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(12);
    id
}

/// The source revision given at build time, empty when unknown.
fn revision() -> &'static str {
    option_env!("ORDEAL_REVISION").unwrap_or_default()
}

/// Who tells what runs.
fn watched(trial: &Trial, cluster: Option<Kubernetes>) -> Option<cluster::Source> {
    match (&trial.status, cluster) {
        (Some(StatusSource::Document(url)), _) => Some(cluster::Source::Document(url.clone())),
        (Some(StatusSource::Kubernetes(place)), Some(cluster)) => {
            let workloads = trial.components.iter().filter_map(|component| match &component.kind {
                ComponentKind::Replicas { workload, .. } => Some(workload.clone()),
                _ => None,
            });
            let workloads: BTreeSet<String> = workloads.collect();
            Some(cluster::Source::Kubernetes {
                cluster,
                workloads: workloads.into_iter().collect(),
                managers: place.managers.clone(),
            })
        }
        _ => None,
    }
}

async fn open_driver(
    trial: &Trial,
    clock: Clock,
    journal: Journal,
    cluster: Option<Kubernetes>,
    run: &str,
    registry: &Registry,
) -> anyhow::Result<Driver> {
    let token = uuid::Uuid::new_v4().simple().to_string();
    let ledgers: Vec<&Name> = trial.ledgers.iter().map(|ledger| &trial.store(ledger.store).name).collect();
    let mut driver = Driver::open(Setup {
        clock,
        journal,
        run,
        token: &token,
        experiments: &trial.experiments,
        components: trial.components.iter().map(|component| component.name.clone()).collect(),
        stores: trial.stores.clone(),
        secrets: trial.secrets.clone(),
        cluster,
        metrics: chaos::metrics::Metrics::register(registry, &trial.experiments, &ledgers)?,
        retry: Retry::default(),
    })
    .await?;
    let put_back = driver.put_back_unfinished().await;
    for fault in put_back.context("a run begins on a whole system")? {
        tracing::warn!(run = fault.run, experiment = fault.experiment, "an earlier run's fault is put back");
    }
    Ok(driver)
}

async fn show(
    progress: Progress,
    clock: Clock,
    board: Board,
    running: watch::Receiver<Option<Arc<LoadHandle>>>,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(progress.interval());
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let shown = board.shown();
        let load = running.borrow().as_ref().map(|load| load.snapshot());
        progress.show(&Glance {
            elapsed: clock.now().0,
            phase: shown.phase,
            users: load.map_or((0, 0), |load| (load.running, load.largest)),
            request_rate: load.map_or(0.0, |load| load.per_second),
            errors: load.map_or(0, |load| load.error),
            p95: load.and_then(|load| load.response_time).map(|times| Duration::from_secs_f64(times.p95)),
            experiment: shown.experiment,
        });
    }
    progress.end();
}

/// Where a browser on this machine finds what listens at `address`.
fn visitable(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}
