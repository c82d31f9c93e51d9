//! `load-exporter cleanup`: removes what a run, or all runs, left.

use std::process::ExitCode;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::hold::{LEASE, holder_here, take_lease};
use crate::chaos::journal::{CONFIG_MAP, FILE, copy};
use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::kubernetes::kept::Kept;
use crate::conductor::Stopped;
use crate::load::{self, FLEET_CONFIG_MAP, Leftover};
use crate::plain::plain;
use crate::progress::Progress;
use crate::trial::{Kubernetes as Place, Trial};
use crate::{health, ledger};

/// Removes what one run wrote to the ledgers of `trial`, or with `None` all that any run left in its stores and in
/// its namespace on Kubernetes. Whether a run elsewhere still goes on is known of a namespace only; otherwise its
/// ledger would be missing writes.
pub async fn cleanup(trial: &Trial, run: Option<&str>, progress: &Progress) -> anyhow::Result<ExitCode> {
    match (run, trial.kubernetes()) {
        (Some(run), place) => of_run(trial, run, place, progress).await?,
        (None, Some(place)) => of_all_runs_on(place, trial, progress).await?,
        (None, None) => {
            let emptied = empty_stores(trial).await?;
            tell(&places(trial), &emptied, progress);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn of_run(trial: &Trial, run: &str, place: Option<&Place>, progress: &Progress) -> anyhow::Result<()> {
    let stores = places(trial);
    if stores.is_empty() {
        progress.say("nothing to remove: the trial has no stores");
    } else {
        ledger::cleanup(trial, ledger::Scope::Run(run))
            .await
            .context("remove what the run's ledgers left")?;
        progress.say(&format!("removed what run {run} wrote to the ledgers in: {}", stores.join(", ")));
    }
    let of_all: Vec<&str> = [
        (!stores.is_empty()).then_some("what probes use"),
        place.is_some().then_some("what is in the namespace"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !of_all.is_empty() {
        let of_all = of_all.join(" and ");
        progress.say(&format!("{of_all} is of all runs: --all-runs removes it, when no run goes on"));
    }
    Ok(())
}

/// As long as the lease is ours, no run begins there.
async fn of_all_runs_on(place: &Place, trial: &Trial, progress: &Progress) -> anyhow::Result<()> {
    let cluster = Kubernetes::connect(place).await?;
    let lost = CancellationToken::new();
    let lease = take_lease(&cluster, &holder_here("cleanup"), &lost, progress).await?;
    let removed = tokio::select! {
        removed = remove(&cluster, trial) => removed,
        () = lost.cancelled() => Err(Stopped::LeaseLost.into()),
    };
    let emptied = match removed {
        Ok(emptied) => emptied,
        Err(error) => {
            lease.release().await;
            return Err(error);
        }
    };
    lease.remove().await.context("remove the lease")?;
    remove_leftover_of_fleet(progress).await;
    let here = format!("namespace {} (ConfigMap {CONFIG_MAP}, Lease {LEASE})", place.namespace);
    tell(&[places(trial), vec![here]].concat(), &emptied, progress);
    Ok(())
}

/// Removes by what a conductor led load processes that was killed, which is where this program itself is. Whoever cleans
/// up may be somewhere else, and may not look there.
async fn remove_leftover_of_fleet(progress: &Progress) {
    let removed = async {
        let home = Kubernetes::connect_home().await?;
        let namespace = home.namespace().to_owned();
        anyhow::Ok((load::remove_leftover(home).await?, namespace))
    };
    match removed.await {
        Ok((Leftover::None, _)) => {}
        Ok((Leftover::Removed, namespace)) => {
            progress.say(&format!("removed ConfigMap {FLEET_CONFIG_MAP} of namespace {namespace}"));
        }
        Ok((Leftover::Led(run), namespace)) => progress.say(&plain(&format!(
            "ConfigMap {FLEET_CONFIG_MAP} of namespace {namespace} stays: run {run} leads load processes by it"
        ))),
        Err(error) => progress.say(&plain(&format!(
            "warning: ConfigMap {FLEET_CONFIG_MAP} stays, if there is one: {error:#}"
        ))),
    }
}

/// Removes everything but the lease; answers the tables that could only be emptied.
async fn remove(cluster: &Kubernetes, trial: &Trial) -> anyhow::Result<Vec<String>> {
    let (kept, text) = Kept::open(cluster.clone(), CONFIG_MAP, FILE).await.context("read the journal")?;
    let left = copy::unfinished(text.as_deref().unwrap_or_default());
    let namespace = cluster.namespace();
    anyhow::ensure!(
        left.is_empty(),
        "nothing is removed: the journal, ConfigMap {CONFIG_MAP} of namespace {namespace}, tells of what may still \
         be broken ({}); `load-exporter recover --namespace {namespace}` puts it back, or says what does. Where nothing \
         does any more, as the folder of that run is gone for ever: look that all is whole, then forget it by `kubectl \
         delete configmap {CONFIG_MAP} -n {namespace}`",
        plain(&left.join(", "))
    );
    let emptied = empty_stores(trial).await?;
    kept.remove().await.context("remove the journal")?;
    Ok(emptied)
}

async fn empty_stores(trial: &Trial) -> anyhow::Result<Vec<String>> {
    let mut emptied = health::remove(trial).await.context("remove what probes left")?;
    emptied.extend(ledger::cleanup(trial, ledger::Scope::All).await.context("remove what ledgers left")?);
    Ok(emptied)
}

fn places(trial: &Trial) -> Vec<String> {
    trial.stores.iter().map(|store| store.name.to_string()).collect()
}

fn tell(places: &[String], emptied: &[String], progress: &Progress) {
    if places.is_empty() {
        return progress.say("nothing to remove: the trial has neither stores nor a namespace on Kubernetes");
    }
    progress.say(&format!("removed what runs left in: {}", places.join(", ")));
    if !emptied.is_empty() {
        let tables = emptied.join(", ");
        progress.say(&format!("these tables belong to another role: they are empty now and stay ({tables})"));
    }
}
