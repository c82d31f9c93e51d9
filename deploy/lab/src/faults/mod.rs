//! The four commands of each fault: target, inject, bit, revert.
//!
//! Targets are what the system says now. Inject acts and returns at once, so that the moment of the fault is
//! known well; bit waits for its effect. Kills need no revert: what was killed comes back by itself.

mod drain;
mod kill;
mod lose_writes;
mod partition;
mod record;
mod target;

use std::time::Duration;

use clap::ValueEnum;

use crate::cli::Fault;
use crate::control::{self, Action};
use crate::layout::Layout;
use crate::{ask, exec, say};

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// kill -9 of Patroni and all of PostgreSQL on a member's machine; targets: pg1 …
    KillPostgres,
    /// kill -9 of a Redis server; targets: redis1 …
    KillRedis,
    /// kill -9 of shop replicas; targets: shop-1 …
    KillReplicas,
    /// No new shop replicas on a machine, those there moved with a surge; targets: n1 …
    Drain,
    /// A machine's link down, cut off from peers and clients; targets: n1 …
    Partition,
    /// The WAL senders of a primary stopped, then it is killed and its data directory copied aside; targets: pg1 …
    LoseWrites,
}

impl Kind {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Whom a target command looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wanted {
    PostgresPrimary,
    RedisMaster,
    /// Random ready shop replicas.
    Replicas,
    /// The machine with the most shop replicas, the last of several.
    Node,
    /// The machine of the PostgreSQL primary.
    PrimaryMachine,
}

/// Why a fault's command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("find the target")]
    Ask(#[from] ask::Error),
    #[error("find the target: {0}")]
    Status(String),
    #[error("only {ready} replicas are ready, {wanted} are wanted")]
    TooFew { ready: usize, wanted: usize },
    #[error("ORDEAL_TARGETS names no target")]
    NoTarget,
    #[error("{0} is not a target of this fault")]
    Unknown(String),
    #[error("{0} does not run")]
    NotRunning(String),
    #[error(transparent)]
    Control(#[from] control::Error),
    #[error("set the link")]
    Link(#[source] exec::Error),
    #[error("copy the dead data directory")]
    Copy(#[source] exec::Error),
    #[error("the member was back before its data directory was copied")]
    BackTooSoon,
    #[error("note the fault")]
    Record(#[source] std::io::Error),
    #[error("the fault did not take effect within {0:?}")]
    NoEffect(Duration),
    #[error("processes of {0} survive kill -9")]
    Survived(String),
}

/// Runs one of the commands.
pub(crate) async fn run(layout: &Layout, fault: Fault) -> Result<(), Error> {
    match fault {
        Fault::Target { wanted, count, seed } => {
            target::find(wanted, count, seed).await?.iter().for_each(|target| say(target));
            Ok(())
        }
        Fault::Inject { kind } => inject(layout, kind, &targets()?).await,
        Fault::Bit { kind, within } => {
            let within = Duration::from_secs(within);
            let waiting = until_bitten(layout, kind, targets()?);
            tokio::time::timeout(within, waiting).await.map_err(|_| Error::NoEffect(within))?
        }
        Fault::Revert { kind } => revert(layout, kind, &targets()?).await,
    }
}

fn targets() -> Result<Vec<String>, Error> {
    let targets = std::env::var("ORDEAL_TARGETS").unwrap_or_default();
    let targets: Vec<String> =
        targets.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if targets.is_empty() { Err(Error::NoTarget) } else { Ok(targets) }
}

async fn announce(layout: &Layout) -> Result<(), Error> {
    control::ask(&layout.control_socket(), Action::Announce).await?;
    Ok(())
}

async fn inject(layout: &Layout, kind: Kind, targets: &[String]) -> Result<(), Error> {
    match kind {
        Kind::KillPostgres | Kind::KillRedis | Kind::KillReplicas => {
            announce(layout).await?;
            kill::inject(layout, kind, targets).await
        }
        Kind::LoseWrites => {
            announce(layout).await?;
            lose_writes::inject(layout, targets).await
        }
        Kind::Partition => {
            announce(layout).await?;
            partition::set(targets, false)
        }
        Kind::Drain => drain::inject(layout, targets).await,
    }
}

async fn until_bitten(layout: &Layout, kind: Kind, targets: Vec<String>) -> Result<(), Error> {
    const PAUSE: Duration = Duration::from_millis(100);
    while !bitten(layout, kind, &targets).await? {
        // A moment between two looks.
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

async fn bitten(layout: &Layout, kind: Kind, targets: &[String]) -> Result<bool, Error> {
    match kind {
        Kind::KillPostgres | Kind::KillRedis | Kind::KillReplicas | Kind::LoseWrites => {
            record::all_gone(layout, &kind.name(), targets)
        }
        Kind::Partition => partition::is_cut_off(targets).await,
        Kind::Drain => drain::is_empty(layout, targets).await,
    }
}

async fn revert(layout: &Layout, kind: Kind, targets: &[String]) -> Result<(), Error> {
    match kind {
        Kind::KillPostgres | Kind::KillRedis | Kind::KillReplicas => Ok(()),
        Kind::LoseWrites => lose_writes::revert(targets),
        Kind::Partition => {
            announce(layout).await?;
            partition::set(targets, true)
        }
        Kind::Drain => drain::revert(layout, targets).await,
    }
}
