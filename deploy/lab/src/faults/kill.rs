//! kill -9 of a store member's processes, or of replicas. The rest of the machine lives.

use std::time::Duration;

use rustix::process::Signal;

use super::{Error, Kind, record};
use crate::layout::{Layout, Machine};
use crate::procs::{self, Process};

/// Notes and kills the targets' processes.
pub(super) async fn inject(layout: &Layout, kind: Kind, targets: &[String]) -> Result<(), Error> {
    let mut victims = Vec::new();
    for target in targets {
        victims.extend(processes(layout, kind, target)?);
    }
    record::write(layout, &kind.name(), targets, &victims)?;
    procs::signal_all(&victims, Signal::KILL);
    if kind == Kind::KillPostgres {
        for target in targets {
            sweep(postgres_machine(target)?).await?;
        }
    }
    Ok(())
}

fn processes(layout: &Layout, kind: Kind, target: &str) -> Result<Vec<Process>, Error> {
    if kind == Kind::KillPostgres {
        let found = postgres_processes(postgres_machine(target)?);
        return if found.is_empty() { Err(Error::NotRunning(target.to_owned())) } else { Ok(found) };
    }
    let known = match kind {
        Kind::KillRedis => Machine::of_member("redis", target).is_some(),
        _ => target.strip_prefix("shop-").is_some_and(|id| id.parse::<u64>().is_ok()),
    };
    if !known {
        return Err(Error::Unknown(target.to_owned()));
    }
    let process = Process::read(&layout.pid_file(target)).filter(|process| process.is_alive());
    process.map(|process| vec![process]).ok_or_else(|| Error::NotRunning(target.to_owned()))
}

/// The machine of a `PostgreSQL` member.
pub(super) fn postgres_machine(target: &str) -> Result<Machine, Error> {
    Machine::WITH_POSTGRES
        .into_iter()
        .find(|machine| machine.postgres() == target)
        .ok_or_else(|| Error::Unknown(target.to_owned()))
}

/// Patroni and all of `PostgreSQL` on a machine. Patroni first, so that it starts nothing, then the server's
/// oldest process, so that it starts nothing either.
pub(super) fn postgres_processes(machine: Machine) -> Vec<Process> {
    let name = |process: &Process| process.stat().map(|stat| stat.name).unwrap_or_default();
    let mut found: Vec<(bool, u64, Process)> = procs::on_machine(machine)
        .into_iter()
        .map(|process| (name(&process), process))
        .filter(|(name, _)| name == "patroni" || name == "postgres")
        .map(|(name, process)| (name != "patroni", process.start, process))
        .collect();
    found.sort_by_key(|(server, start, _)| (*server, *start));
    found.into_iter().map(|(_, _, process)| process).collect()
}

/// Kills what was started between the look and the kill, until nothing is left.
pub(super) async fn sweep(machine: Machine) -> Result<(), Error> {
    const PAUSE: Duration = Duration::from_millis(10);
    for _ in 0..300 {
        let left = postgres_processes(machine);
        if left.is_empty() {
            return Ok(());
        }
        procs::signal_all(&left, Signal::KILL);
        // The kernel needs a moment to end them, and tells nobody who is not their parent.
        tokio::time::sleep(PAUSE).await;
    }
    Err(Error::Survived(machine.postgres()))
}
