//! A machine without shop replicas: no new ones there, those there moved. Stores stay, as `DaemonSet` pods do.

use super::Error;
use crate::control::{self, Action, Reply};
use crate::layout::{Layout, Machine};

fn machine(target: &str) -> Result<Machine, Error> {
    Machine::named(target).ok_or_else(|| Error::Unknown(target.to_owned()))
}

/// Starts the move.
pub(super) async fn inject(layout: &Layout, targets: &[String]) -> Result<(), Error> {
    for target in targets {
        control::ask(&layout.control_socket(), Action::Drain(machine(target)?)).await?;
    }
    Ok(())
}

/// Whether no replica is left on the targets, not even one that ends, and none may come.
pub(super) async fn is_empty(layout: &Layout, targets: &[String]) -> Result<bool, Error> {
    for target in targets {
        match control::ask(&layout.control_socket(), Action::Machine(machine(target)?)).await? {
            Reply::Machine { drained: true, replicas } if replicas.is_empty() => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Lets the targets have replicas again; nothing moves back by itself.
pub(super) async fn revert(layout: &Layout, targets: &[String]) -> Result<(), Error> {
    for target in targets {
        control::ask(&layout.control_socket(), Action::Uncordon(machine(target)?)).await?;
    }
    Ok(())
}
