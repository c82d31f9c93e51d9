//! Keeps one program running.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;

use super::Lab;
use crate::ask;
use crate::configs;
use crate::layout::Machine;
use crate::procs::Process;
use crate::units::{Kind, Unit};

/// Starts the unit, and again whenever it ends, until the supervision ends.
pub(super) async fn keep(lab: Arc<Lab>, unit: Unit) {
    let stop = lab.stop.clone();
    stop.run_until_cancelled(Box::pin(keep_on(&lab, &unit))).await;
}

async fn keep_on(lab: &Lab, unit: &Unit) {
    let name = unit.program.name.as_str();
    if unit.kind == Kind::Sentinel {
        two_replicas().await;
    }
    loop {
        let pause = match run_once(lab, unit).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!(name, error = &error as &dyn std::error::Error, "cannot start");
                Duration::from_secs(1)
            }
        };
        // A program that ends at once is not started over and over.
        tokio::time::sleep(pause).await;
    }
}

/// One life of the program; returns the pause before the next.
async fn run_once(lab: &Lab, unit: &Unit) -> std::io::Result<Duration> {
    let name = unit.program.name.as_str();
    if let Kind::Redis(machine) = unit.kind {
        prepare_redis(lab, machine).await?;
    }
    let mut child = unit.program.spawn(&lab.layout)?;
    let process = note(lab, name, child.id());
    tracing::info!(name, pid = process.map(|process| process.pid), "started");
    let restart = &lab.restarts[name];
    tokio::select! {
        status = child.wait() => {
            tracing::warn!(name, status = %status?, back_in = ?unit.comeback(), "ended");
            return Ok(unit.comeback());
        }
        () = restart.notified() => {}
    }
    tracing::info!(name, "restarting by command");
    end(process, &mut child).await?;
    Ok(Duration::ZERO)
}

async fn end(process: Option<Process>, child: &mut tokio::process::Child) -> std::io::Result<()> {
    const GRACE: Duration = Duration::from_secs(15);
    if let Some(process) = process {
        process.signal(Signal::TERM);
    }
    match tokio::time::timeout(GRACE, child.wait()).await {
        Ok(status) => status.map(drop),
        Err(_) => child.kill().await,
    }
}

/// Writes the pid file that faults, `status` and `down` go by.
pub(super) fn note(lab: &Lab, name: &str, pid: Option<u32>) -> Option<Process> {
    let process = Process::now(i32::try_from(pid?).ok()?)?;
    if let Err(error) = process.write(&lab.layout.pid_file(name)) {
        tracing::error!(name, error = &error as &dyn std::error::Error, "cannot write the pid file");
    }
    Some(process)
}

/// A member that comes back is told who is master now, as an operator's start script would: one that thinks
/// itself master would be asked by clients until a Sentinel corrects it, up to 10 s later.
async fn prepare_redis(lab: &Lab, machine: Machine) -> std::io::Result<()> {
    let master = ask::sentinels_master().await.unwrap_or(Machine::N1);
    let file = lab.layout.data(&machine.redis()).join("redis.conf");
    std::fs::write(file, configs::redis::member(&lab.layout, machine, master))
}

async fn two_replicas() {
    loop {
        if ask::redis_role(Machine::N1).await.is_some_and(|role| role.master && role.replicas == 2) {
            return;
        }
        // A moment between two looks, so that a store that comes up is not kept busy with being asked.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
