//! Loses acknowledged writes on an asynchronous lab: the primary acknowledges while nothing reaches its standby,
//! then dies. Its data directory is copied aside: what is in the copy and not in the survivor is lost.

use std::time::Duration;

use rustix::process::Signal;

use super::kill::{postgres_machine, postgres_processes, sweep};
use super::{Error, Kind, record};
use crate::layout::{Layout, Machine};
use crate::procs::{self, Process};
use crate::{exec, say};

/// How long the primary goes on acknowledging alone.
const ALONE: Duration = Duration::from_millis(800);

/// Stops the WAL senders, waits, kills, copies.
pub(super) async fn inject(layout: &Layout, targets: &[String]) -> Result<(), Error> {
    for target in targets {
        let machine = postgres_machine(target)?;
        let senders = senders(machine);
        if senders.is_empty() {
            return Err(Error::NotRunning(format!("a WAL sender of {target}")));
        }
        let victims = postgres_processes(machine);
        record::write(layout, &Kind::LoseWrites.name(), targets, &victims)?;
        procs::signal_all(&senders, Signal::STOP);
        // Writes that are acknowledged meanwhile are those that get lost: the time is the fault.
        tokio::time::sleep(ALONE).await;
        sweep(machine).await?;
        copy(layout, machine)?;
        if !postgres_processes(machine).is_empty() {
            return Err(Error::BackTooSoon);
        }
    }
    Ok(())
}

fn senders(machine: Machine) -> Vec<Process> {
    let is_sender = |process: &Process| procs::command_line(process.pid).contains("walsender");
    postgres_processes(machine).into_iter().filter(is_sender).collect()
}

fn copy(layout: &Layout, machine: Machine) -> Result<(), Error> {
    let name = machine.postgres();
    let (from, to) = (layout.postgres_data(machine), layout.dead().join(&name));
    let (from, to) = (from.display().to_string(), to.display().to_string());
    exec::run("rm", &["-rf", &to]).map_err(Error::Copy)?;
    exec::run("cp", &["--archive", "--reflink=auto", &from, &to]).map_err(Error::Copy)?;
    say(&format!("copied {name} to {to}"));
    Ok(())
}

/// An interrupted injection may have left senders stopped and the primary alive.
pub(super) fn revert(targets: &[String]) -> Result<(), Error> {
    for target in targets {
        procs::signal_all(&senders(postgres_machine(target)?), Signal::CONT);
    }
    Ok(())
}
