//! Ends commands of a process that is gone.
//!
//! `kill -9` of this program does not end the commands it had running: one of them might break something
//! after it has been put back. So before a fault is put back, commands of its experiment that still run are
//! killed. A process group's number may meanwhile be another's; it is ours only while its leader carries the
//! run's token in its environment.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use thiserror::Error;

/// How long killed processes may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Why an interrupted command may still be running.
#[derive(Debug, Error)]
pub enum LeftoverError {
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
}

/// Kills the command with this process group if it still runs and carries `token`, and waits until all its
/// processes are gone. Answers whether there was such a command.
pub async fn end(group: i32, token: &str) -> Result<bool, LeftoverError> {
    if !is_running(group, token) {
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

/// Whether the leader of `group` is alive and carries `token`.
fn is_running(group: i32, token: &str) -> bool {
    let wanted = format!("ORDEAL_TOKEN={token}");
    let carries =
        |environment: Vec<u8>| environment.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes());
    alive_in(group, group) && fs::read(format!("/proc/{group}/environ")).is_ok_and(carries)
}

/// The living processes of a process group.
fn members(group: i32) -> Vec<i32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| alive_in(*id, group)).collect()
}

fn alive_in(process: i32, group: i32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| {
        parse_stat(&stat).is_some_and(|(state, of)| of == group && !matches!(state, 'Z' | 'X'))
    })
}

/// State and process group in a line of `/proc/PID/stat`. The name before them may hold anything, also
/// spaces and parentheses.
fn parse_stat(stat: &str) -> Option<(char, i32)> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1)?.parse().ok()?;
    Some((state, group))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::faults::exec::{Gated, Identity, Spec};
    use crate::clock::Clock;

    #[test]
    fn reads_the_stat_line_of_an_odd_name() {
        assert_eq!(parse_stat("12 (a ) (b) S 1 77 12 0"), Some(('S', 77)));
        assert_eq!(parse_stat("12 (sh) Z 1 77"), Some(('Z', 77)));
        assert_eq!(parse_stat(""), None);
        assert_eq!(parse_stat("12 (sh) S"), None);
    }

    #[tokio::test]
    async fn ends_a_running_command_of_the_token_and_no_other() {
        let identity = |token: &str| Identity {
            run: "r".into(),
            experiment: "e".into(),
            token: token.into(),
            targets: vec!["t".into()],
        };
        let spec = Spec {
            command: "sleep 600 & sleep 600; :".into(),
            directory: None,
            identity: Some(identity("right")),
            timeout: Duration::from_mins(10),
            keep: 64,
        };
        let gated = Gated::spawn(&spec).expect("a shell");
        let group = gated.group();
        let running = gated.open(&Clock::start()).await.expect("let go");
        let command = tokio::spawn(running.finish());
        assert!(!end(group, "wrong").await.expect("nothing of ours"));
        assert!(is_running(group, "right"));
        assert!(end(group, "right").await.expect("ended"));
        assert!(members(group).is_empty());
        let outcome = command.await.expect("no panic").expect("an outcome");
        assert_eq!(outcome.exit, crate::chaos::faults::exec::Exit::Signal(9));
        assert!(!end(group, "right").await.expect("already gone"));
    }
}
