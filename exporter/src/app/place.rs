//! What a run has to itself before anything is touched: its id and folder, the hold on what it may break, the
//! address of its metrics.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Request;
use super::hold::{Hold, ensure_permitted};
use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::kubernetes::rights::own;
use crate::load::{self, FLEET_CONFIG_MAP};
use crate::logging::Log;
use crate::progress::Progress;
use crate::rundir::RunDir;

/// The place of one run.
pub(super) struct Place {
    pub(super) id: String,
    pub(super) dir: RunDir,
    pub(super) hold: Hold,
    pub(super) listener: TcpListener,
}

impl Place {
    /// Takes the place of the run that `request` asks for, from where on its log is kept there. `lost` is cancelled
    /// where it is not this run's alone any more.
    pub(super) async fn take(
        request: &Request,
        lost: &CancellationToken,
        log: &Log,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(
            !request.dir.exists() || request.dir.is_dir(),
            "{} is no folder: --dir takes the folder that runs are kept in",
            request.dir.display()
        );
        let id = request.run.clone().unwrap_or_else(new_run_id);
        let dir = RunDir::of(&request.dir, &id).with_context(|| {
            format!("make a folder for the run in {} (--dir chooses another place)", request.dir.display())
        })?;
        if request.load_processes > 0 {
            Box::pin(ensure_may_lead(progress)).await?;
        }
        // Before anything of a run is touched, for it may be another process's.
        let hold = Box::pin(Hold::take(&request.trial, dir.root(), &id, lost, progress)).await?;
        match enter(&dir, &id, request, log).await {
            Ok(listener) => Ok(Self { id, dir, hold, listener }),
            Err(error) => {
                hold.give_up().await;
                Err(error)
            }
        }
    }
}

/// Takes the folder of the run, and the address of its metrics.
async fn enter(dir: &RunDir, id: &str, request: &Request, log: &Log) -> anyhow::Result<TcpListener> {
    anyhow::ensure!(
        !dir.has_ended(),
        "run {id} has come to its end before, what it wrote is in {}: give this one another --run-id",
        dir.path().display()
    );
    load::raise_descriptor_limit().context("raise the limit of open files")?;
    let listener = listen(&request.listen).await?;
    dir.enter()?;
    log.keep_in(dir.path()).with_context(|| format!("keep the log in {}", dir.path().display()))?;
    Ok(listener)
}

/// Refuses to go on where load processes could not be led.
async fn ensure_may_lead(progress: &Progress) -> anyhow::Result<()> {
    let home = Kubernetes::connect_home().await.context("find the load processes")?;
    ensure_permitted(&own::to_lead(FLEET_CONFIG_MAP), &home, progress).await
}

/// Listens at the first of `addresses` that it can be done at.
pub(super) async fn listen(addresses: &[SocketAddr]) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addresses).await.with_context(|| {
        let address = addresses.last().map(ToString::to_string).unwrap_or_default();
        format!("listen on {address} (--web.listen-address chooses another)")
    })
}

/// A short random id: 12 hexadecimal digits.
fn new_run_id() -> String {
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(12);
    id
}
