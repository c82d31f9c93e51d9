//! The rooms of a run, opened in the order in which one needs another.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

use super::{rights, tables, volume};
use crate::chaos;
use crate::chaos::driver::{Driver, Setup};
use crate::chaos::faults;
use crate::chaos::journal::Journal;
use crate::chaos::putback::Retry;
use crate::clock::Clock;
use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::{self, Cluster};
use crate::conductor;
use crate::errors::chain;
use crate::health::Health;
use crate::ledger::Ledgers;
use crate::load::{Fleet, Load, Prepared};
use crate::plain::plain;
use crate::progress::Progress;
use crate::trial::{ComponentKind, Name, StatusSource, Trial};

/// What all rooms are opened for.
pub(super) struct Purpose<'r> {
    pub(super) trial: &'r Arc<Trial>,
    pub(super) clock: Clock,
    pub(super) run: &'r str,
    /// The run's folder.
    pub(super) folder: &'r Path,
    pub(super) load_processes: usize,
    pub(super) registry: &'r Registry,
    pub(super) abort: &'r CancellationToken,
    pub(super) stop: &'r CancellationToken,
    pub(super) progress: &'r Progress,
}

/// The rooms of one run.
pub(super) struct Rooms {
    pub(super) metrics: conductor::Metrics,
    pub(super) driver: Driver,
    pub(super) cluster: Cluster,
    pub(super) health: Health,
    pub(super) ledgers: Ledgers,
    pub(super) load: Prepared,
}

impl Rooms {
    /// Opens them. What an earlier run left broken is put back first.
    pub(super) async fn open(
        purpose: &Purpose<'_>,
        journal: Journal,
        cluster: Option<Kubernetes>,
    ) -> anyhow::Result<Self> {
        let Purpose { trial, clock, run, registry, .. } = *purpose;
        let metrics = conductor::Metrics::register(registry, clock, run, trial, revision())?;
        let driver = open_driver(purpose, journal, cluster.clone()).await?;
        // Not before what was broken is put back: whoever takes the label away wants that all the more.
        if !driver.resumed() {
            Box::pin(ensure_opted_in(trial, cluster.as_ref())).await?;
        }
        Box::pin(tables::ensure_tables(trial, purpose.abort, purpose.progress)).await?;
        let cluster = cluster::start(watched(trial, cluster), clock, registry, purpose.stop.clone())?;
        let health = Health::start(trial, clock, registry, cluster.clone(), purpose.stop)?;
        let ledgers = Ledgers::open(trial, run, clock, registry, purpose.folder)?;
        if !trial.ledgers.is_empty() {
            warn_of_ledgers_that_go(purpose.folder);
        }
        let load = open_load(purpose).await?;
        // Last of all: a run that is refused before this has not used up its name.
        driver.begin().await?;
        Ok(Self { metrics, driver, cluster, health, ledgers, load })
    }
}

/// Ledgers that go with this pod are not there to be audited by when it is lost.
fn warn_of_ledgers_that_go(folder: &Path) {
    match volume::going_with_pod(folder) {
        Ok(Some(volume)) => tracing::warn!(
            volume,
            "the ledgers go with this pod: if it is lost, nothing is audited; a PersistentVolumeClaim for that volume \
             keeps them"
        ),
        Ok(None) => {}
        Err(error) => tracing::debug!(%error, "it is not known whether the ledgers go with this pod"),
    }
}

/// Refuses to go on where every fault would be refused, after all the load, for want of the namespace's label.
async fn ensure_opted_in(trial: &Trial, cluster: Option<&Kubernetes>) -> anyhow::Result<()> {
    match cluster.filter(|_| rights::needs_opt_in(trial)) {
        Some(cluster) => {
            let consent = faults::ensure_opted_in(cluster).await;
            consent.map_err(|refusal| anyhow::anyhow!("{refusal}"))
        }
        None => Ok(()),
    }
}

async fn open_load(purpose: &Purpose<'_>) -> anyhow::Result<Prepared> {
    let Purpose { trial, clock, run, registry, load_processes: of, .. } = *purpose;
    if of == 0 {
        return Ok(Prepared::Here(Box::new(Load::new(Arc::clone(trial), clock, registry)?)));
    }
    let home = Kubernetes::connect_home().await.context("find the load processes")?;
    Ok(Prepared::Fleet(Fleet::new(Arc::clone(trial), clock, registry, run, of, home)?))
}

/// The source revision given at build time, empty when unknown.
pub(super) fn revision() -> &'static str {
    option_env!("ORDEAL_REVISION").unwrap_or_default()
}

/// Who tells what runs.
fn watched(trial: &Trial, cluster: Option<Kubernetes>) -> Option<cluster::Source> {
    match (&trial.status, cluster) {
        (Some(StatusSource::Document(url)), _) => Some(cluster::Source::Document(url.clone())),
        (Some(StatusSource::Kubernetes(place)), Some(cluster)) => Some(cluster::Source::Kubernetes {
            cluster,
            workloads: workloads(trial).into_iter().collect(),
            managers: place.managers.clone(),
            nodes: rights::watches_nodes(trial),
        }),
        _ => None,
    }
}

/// The workloads whose replicas are followed.
pub(super) fn workloads(trial: &Trial) -> BTreeSet<String> {
    let workloads = trial.components.iter().filter_map(|component| match &component.kind {
        ComponentKind::Replicas { workload, .. } => Some(workload.clone()),
        _ => None,
    });
    workloads.collect()
}

async fn open_driver(
    purpose: &Purpose<'_>,
    journal: Journal,
    cluster: Option<Kubernetes>,
) -> anyhow::Result<Driver> {
    let Purpose { trial, clock, run, registry, .. } = *purpose;
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
    // Others may have written the names and commands that are told of.
    let put_back = driver.put_back_unfinished().await.map_err(|error| anyhow::anyhow!(plain(&chain(&error))));
    for fault in put_back.context("a run begins on a whole system")? {
        tracing::warn!(run = fault.run, experiment = fault.experiment, "an earlier run's fault is put back");
    }
    Ok(driver)
}
