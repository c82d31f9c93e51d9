//! Ends commands of a process that is gone.
//!
//! `kill -9` of this program does not end the commands it had running: one of them might break something
//! after it has been put back. So before a fault is put back, commands of its experiment that still run are
//! killed. A process group's number may meanwhile be another's; it is ours only while its leader is the
//! process that began at the noted instant. (Its environment would not tell: a process that is just becoming
//! another program has none.) What left the group is ended by [`strays`](super::strays).

use std::fs;
use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::process;

/// How long killed processes may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The leader of a command's process group, told apart from whichever process has its number later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leader {
    /// Its process id, which is also its group's number.
    pub group: i32,
    /// When it began, in clock ticks since the machine's start.
    pub start_ticks: u64,
    /// Which start of the machine that was.
    pub boot: String,
}

/// Why an interrupted command may still be running.
#[derive(Debug, Error)]
pub(super) enum LeftoverError {
    /// It cannot be told apart from other processes.
    #[error("identify process {group}")]
    Identify {
        /// The process.
        group: i32,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// It could not be killed.
    #[error("kill the interrupted command with process group {group}")]
    Kill {
        /// The process group.
        group: i32,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// It was killed, and is still there.
    #[error("processes of the interrupted command with process group {group} do not end: {pids:?}")]
    Stuck {
        /// The process group.
        group: i32,
        /// Its processes.
        pids: Vec<i32>,
    },
    /// The processes that run cannot be listed.
    #[error("list the processes in /proc")]
    List(#[source] io::Error),
    /// A process that a command left in the background could not be killed.
    #[error("kill process {pid}, which a command left in the background")]
    KillStray {
        /// The process.
        pid: i32,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Processes that a command left in the background were killed, and there are still some.
    #[error("processes that a command left in the background do not end: {pids:?}")]
    Strays {
        /// The processes.
        pids: Vec<i32>,
    },
}

/// The identity of the living process `group`, which leads a group of its own.
pub(super) fn identify(group: i32) -> Result<Leader, LeftoverError> {
    let error = |source| LeftoverError::Identify { group, source };
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").map_err(error)?;
    let stat = process::stat(group).map_err(error)?;
    Ok(Leader { group, start_ticks: stat.start_ticks, boot: boot.trim().to_owned() })
}

/// Kills the command of `leader` if it still runs, and waits until all its processes are gone. Answers whether
/// there was such a command.
pub(super) async fn end(leader: &Leader) -> Result<bool, LeftoverError> {
    let group = leader.group;
    if !is_alive_in(group, group) || identify(group).ok().as_ref() != Some(leader) {
        return Ok(false);
    }
    let error = |source: rustix::io::Errno| LeftoverError::Kill { group, source: source.into() };
    let id = Pid::from_raw(group).ok_or_else(|| error(rustix::io::Errno::SRCH))?;
    match kill_process_group(id, Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(errno) => return Err(error(errno)),
    }
    let gone = async {
        while !members(group).is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(GONE_WITHIN, gone).await {
        Ok(()) => Ok(true),
        Err(_elapsed) => Err(LeftoverError::Stuck { group, pids: members(group) }),
    }
}

/// The living processes of a process group.
fn members(group: i32) -> Vec<i32> {
    let Ok(processes) = process::all() else { return Vec::new() };
    processes.filter(|id| is_alive_in(*id, group)).collect()
}

fn is_alive_in(id: i32, group: i32) -> bool {
    process::stat(id).is_ok_and(|stat| stat.group == group && stat.is_alive())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::faults::exec::{Exit, Gated, Spec};
    use crate::clock::Clock;

    fn spec(command: &str) -> Spec {
        Spec {
            command: command.into(),
            directory: None,
            identity: None,
            timeout: Duration::from_mins(10),
            keep: 64,
        }
    }

    #[tokio::test]
    async fn ends_that_command_and_no_other_of_the_same_number() {
        let gated = Gated::spawn(&spec("sleep 600 & sleep 600; :")).expect("a shell");
        let leader = identify(gated.group()).expect("it waits at its gate");
        let running = gated.open(&Clock::start()).await.expect("let go");
        let command = tokio::spawn(running.finish());
        let later = Leader { start_ticks: leader.start_ticks + 1, ..leader.clone() };
        assert!(!end(&later).await.expect("nothing of ours"));
        let rebooted = Leader { boot: "another".into(), ..leader.clone() };
        assert!(!end(&rebooted).await.expect("nothing of ours"));
        assert!(end(&leader).await.expect("ended"));
        assert!(members(leader.group).is_empty());
        let ran = command.await.expect("no panic").expect("it ran");
        assert_eq!(ran.exit, Exit::Signal(9));
        assert!(!end(&leader).await.expect("already gone"));
    }

    #[tokio::test]
    async fn knows_a_command_that_is_becoming_another_program() {
        let folder = tempfile::tempdir().expect("a folder");
        let restless = folder.path().join("restless");
        let again = format!("exec sh {}", restless.display());
        fs::write(&restless, &again).expect("a script");
        let gated = Gated::spawn(&spec(&again)).expect("a shell");
        let leader = identify(gated.group()).expect("it waits at its gate");
        let running = gated.open(&Clock::start()).await.expect("let go");
        for look in 0..5000 {
            assert_eq!(identify(leader.group).ok().as_ref(), Some(&leader), "look {look}");
        }
        drop(running);
    }
}
