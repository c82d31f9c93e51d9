//! Ends what the commands of an experiment left running outside their process group.
//!
//! Whoever calls `setsid` leaves the group by which a command is killed; but it keeps the environment that it
//! began with, and there stands which experiment of which run it belongs to, and which command it comes from.
//! That is found as well by another process, after the exporter was killed. What `revert` left running is the
//! mended system and is not touched.
//!
//! A process is looked at and killed through a file descriptor of it, so that its number cannot meanwhile be
//! another's.

use std::fs;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::leftover::LeftoverError;
use super::process;
use crate::chaos::journal::{Intent, Step};

/// How long processes may go on appearing while they are killed.
const GONE_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Walks in a row that must find nothing: a walk is no snapshot, and a process may have been born behind it whose
/// parent was gone before it came there.
const EMPTY_WALKS: u32 = 3;
/// Likewise where a process shows no environment. One that is becoming another program has none for a moment;
/// others have none at all.
const UNSURE_WALKS: u32 = 5;

/// What stands in the environment of an experiment's processes.
#[derive(Debug, Clone)]
struct Mark {
    all: [Vec<u8>; 3],
    one_of: [Vec<u8>; 2],
}

impl Mark {
    fn of(intent: &Intent) -> Self {
        let entry = |name: &str, value: &str| format!("{name}={value}").into_bytes();
        Self {
            all: [
                entry("ORDEAL_RUN", &intent.run),
                entry("ORDEAL_EXPERIMENT", &intent.experiment),
                entry("ORDEAL_TOKEN", &intent.token),
            ],
            one_of: [Step::Inject, Step::Bit].map(|step| entry("ORDEAL_STEP", step.name())),
        }
    }

    /// Whether a process with this environment, as `/proc` has it, belongs to the experiment.
    fn is_in(&self, environment: &[u8]) -> bool {
        let has = |wanted: &Vec<u8>| environment.split(|byte| *byte == 0).any(|entry| entry == wanted);
        self.all.iter().all(has) && self.one_of.iter().any(has)
    }
}

/// Kills whatever still runs of what the `inject` and `bit` commands of `intent` started, wherever it went, and
/// waits until it is gone. Answers how many processes it killed.
pub(super) async fn end(intent: &Intent) -> Result<usize, LeftoverError> {
    let mark = Mark::of(intent);
    match tokio::task::spawn_blocking(move || end_all(&mark)).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn end_all(mark: &Mark) -> Result<usize, LeftoverError> {
    let begun = Instant::now();
    let (mut killed, mut empty) = (Vec::new(), 0);
    loop {
        let Round { found, unsure } = round(mark)?;
        empty = if found.is_empty() { empty + 1 } else { 0 };
        if empty >= if unsure { UNSURE_WALKS } else { EMPTY_WALKS } {
            return Ok(killed.len());
        }
        if begun.elapsed() > GONE_WITHIN && !found.is_empty() {
            return Err(LeftoverError::Strays { pids: found });
        }
        killed.extend(found);
        killed.sort_unstable();
        killed.dedup();
        std::thread::sleep(LOOK_EVERY);
    }
}

/// What one walk through all processes came upon.
struct Round {
    /// Those of the experiment; they have been killed and may not be gone yet.
    found: Vec<i32>,
    /// Whether there was a process that may have been one of them.
    unsure: bool,
}

fn round(mark: &Mark) -> Result<Round, LeftoverError> {
    let ourselves = i32::try_from(std::process::id()).ok();
    let ids = process::all().map_err(LeftoverError::List)?;
    let mut round = Round { found: Vec::new(), unsure: false };
    for id in ids.filter(|id| Some(*id) != ourselves) {
        match look(id, mark).map_err(|errno| LeftoverError::KillStray { pid: id, source: errno.into() })? {
            Seen::Killed => round.found.push(id),
            Seen::Unsure => round.unsure = true,
            Seen::Other => {}
        }
    }
    Ok(round)
}

enum Seen {
    Killed,
    Unsure,
    Other,
}

fn look(id: i32, mark: &Mark) -> Result<Seen, Errno> {
    let environment = || fs::read(format!("/proc/{id}/environ"));
    // Most processes are another's, and need no descriptor.
    match environment() {
        Ok(found) if found.is_empty() && is_program(id) => return Ok(Seen::Unsure),
        Ok(found) if mark.is_in(&found) => {}
        // Gone, or of another user, whose processes a command of ours cannot be.
        Ok(_) | Err(_) => return Ok(Seen::Other),
    }
    let gone = |errno| if errno == Errno::SRCH { Ok(Seen::Other) } else { Err(errno) };
    let Some(pid) = Pid::from_raw(id) else { return Ok(Seen::Other) };
    let process = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) => process,
        Err(errno) => return gone(errno),
    };
    // Asked again now that the number is held to this process.
    if !environment().is_ok_and(|found| mark.is_in(&found)) {
        return Ok(Seen::Unsure);
    }
    match pidfd_send_signal(&process, Signal::KILL) {
        Ok(()) => Ok(Seen::Killed),
        Err(errno) => gone(errno),
    }
}

/// Whether it is a living process and no thread of the kernel, which has no environment ever.
fn is_program(id: i32) -> bool {
    process::stat(id).is_ok_and(|stat| stat.is_alive() && !stat.is_of_kernel())
}

#[cfg(test)]
mod tests;
