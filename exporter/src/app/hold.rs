//! What a run holds from before anything is touched until nothing is left broken: the working folder's journal and,
//! on Kubernetes, the lease by which one at a time breaks something in a namespace.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::permitted::{self, Permitted};
use super::rights;
use crate::chaos::journal::Journal;
use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::kubernetes::lease::{Held, LeaseError, Observed};
use crate::cluster::kubernetes::rights::Need;
use crate::plain::plain;
use crate::progress::Progress;
use crate::trial::Trial;

/// The lease's name.
pub(super) const LEASE: &str = "ordeal";
/// A lease whose holder was killed is seen to have run out within this time.
const LEASE_LIMIT: Duration = Duration::from_secs(50);

/// What is held.
pub(super) struct Hold {
    pub(super) journal: Journal,
    pub(super) cluster: Option<Kubernetes>,
    pub(super) lease: Option<Held>,
}

impl Hold {
    /// Takes what a run of `trial` needs; `lost` is cancelled where the lease is not ours any more.
    pub(super) async fn take(
        trial: &Trial,
        directory: &Path,
        run: &str,
        lost: &CancellationToken,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let Some(place) = trial.kubernetes() else {
            let journal = Journal::open(directory).await.context("take the working folder for this run")?;
            return Ok(Self { journal, cluster: None, lease: None });
        };
        let cluster = Kubernetes::connect(place).await?;
        ensure_permitted(&rights::needs(trial), &cluster, progress).await?;
        Self::of_cluster(cluster, directory, run, lost, progress).await
    }

    /// Takes what `holder` needs to put back what was broken in a namespace of a cluster.
    pub(super) async fn of_cluster(
        cluster: Kubernetes,
        directory: &Path,
        holder: &str,
        lost: &CancellationToken,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let lease = take_lease(&cluster, &holder_here(holder), lost, progress).await?;
        match Journal::open_kept(directory, cluster.clone()).await.context("take the journal") {
            Ok(journal) => Ok(Self { journal, cluster: Some(cluster), lease: Some(lease) }),
            Err(error) => {
                lease.release().await;
                Err(error)
            }
        }
    }

    /// Gives it up: whoever comes next has not to wait until the lease has run out.
    pub(super) async fn give_up(self) {
        if let Some(lease) = self.lease {
            lease.release().await;
        }
    }
}

/// Refuses to go on where something that is needed is not permitted.
pub(super) async fn ensure_permitted(
    needs: &[Need],
    cluster: &Kubernetes,
    progress: &Progress,
) -> anyhow::Result<()> {
    match permitted::ask(needs, cluster).await? {
        Permitted::All => {}
        Permitted::Not(missing) => return Err(missing.into()),
        Permitted::Unknown(error) => {
            progress.say(&format!("warning: it is not known whether all is permitted: {error}"));
        }
    }
    Ok(())
}

/// A program that takes another's place must not pass for it while that may still be at work: not elsewhere, and not
/// as another process of the same machine either.
pub(super) fn holder_here(run: &str) -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    format!("run {run} on {} ({})", host.trim(), Uuid::new_v4())
}

pub(super) async fn take_lease(
    cluster: &Kubernetes,
    holder: &str,
    lost: &CancellationToken,
    progress: &Progress,
) -> Result<Held, LeaseError> {
    let limit = Instant::now() + LEASE_LIMIT;
    let (mut told, mut observed) = (false, Observed::default());
    loop {
        match Held::take(cluster.clone(), LEASE, holder, lost.clone(), &mut observed).await {
            Err(error @ LeaseError::Held { .. }) if Instant::now() < limit => {
                if !told {
                    progress.say(&plain(&format!("waiting: {error}")));
                    told = true;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_on_one_machine_are_two_holders() {
        let [one, other] = [holder_here("recover"), holder_here("recover")];
        assert_ne!(one, other);
        assert!([one, other].iter().all(|it| it.starts_with("run recover on ")));
    }
}
