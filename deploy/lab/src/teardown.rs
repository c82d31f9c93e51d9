//! Ends everything that a lab runs and takes back everything that it made, whether its supervisor lives or not.

use std::time::Duration;

use rustix::process::Signal;

use crate::layout::{Layout, Machine};
use crate::procs::{self, Process};
use crate::{control, exec, netns, state, supervisor};

/// Why something of a lab is left.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("remove the lab's network")]
    Network(#[source] exec::Error),
    #[error("remove the lab's folder")]
    Folder(#[from] state::Error),
    #[error("these processes do not end: {0}")]
    Alive(String),
}

/// Ends the lab with this folder, or one whose folder is unknown; `keep` keeps the folder.
pub(crate) async fn tear_down(layout: Option<&Layout>, keep: bool) -> Result<(), Error> {
    if let Some(layout) = layout {
        end_supervision(layout).await;
    }
    let segments = layout.map(shared_memory).unwrap_or_default();
    end_processes(layout).await?;
    remove_shared_memory(&segments);
    netns::remove().map_err(Error::Network)?;
    state::unlink()?;
    if let Some(layout) = layout.filter(|layout| layout.marker().exists()) {
        if keep {
            state::remove_transient(layout)?;
        } else {
            state::remove(layout)?;
        }
    }
    Ok(())
}

async fn end_supervision(layout: &Layout) {
    // Asked first, so that nothing is started again; killed if it does not listen.
    let _ = control::ask(&layout.control_socket(), control::Action::Stop).await;
    if let Some(supervisor) = Process::read(&layout.pid_file(supervisor::NAME))
        && !gone(&[supervisor], Duration::from_secs(2)).await
    {
        supervisor.signal(Signal::KILL);
        gone(&[supervisor], Duration::from_secs(2)).await;
    }
}

async fn end_processes(layout: Option<&Layout>) -> Result<(), Error> {
    let list = || {
        let mut all: Vec<Process> = Machine::ALL.into_iter().flat_map(procs::on_machine).collect();
        let noted = layout.map(noted).unwrap_or_default();
        all.extend(noted.into_iter().filter(|process| process.is_alive()));
        all
    };
    for process in list() {
        process.signal(first_signal(process));
    }
    for _ in 0..20 {
        let left = list();
        if gone(&left, Duration::from_secs(3)).await && list().is_empty() {
            return Ok(());
        }
        for process in list() {
            process.signal(Signal::KILL);
        }
    }
    let left: Vec<String> = list().iter().map(|left| procs::command_line(left.pid)).collect();
    if left.is_empty() { Ok(()) } else { Err(Error::Alive(left.join(", "))) }
}

/// The server, told to quit, takes its children and its shared memory with it at once, and Prometheus closes its
/// data for whoever keeps it. All else has nothing to finish: Patroni would wait for its standby, the shop for
/// its clients.
fn first_signal(process: Process) -> Signal {
    match process.stat().map(|stat| stat.name).as_deref() {
        Some("postgres") => Signal::QUIT,
        Some("prometheus") => Signal::TERM,
        _ => Signal::KILL,
    }
}

fn noted(layout: &Layout) -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir(layout.pids()) else { return Vec::new() };
    entries.flatten().filter_map(|entry| Process::read(&entry.path())).collect()
}

/// Waits until all of them are gone; false when some are left.
async fn gone(processes: &[Process], within: Duration) -> bool {
    let waiting = async {
        while processes.iter().any(|process| process.is_alive()) {
            // The kernel tells nobody of the end of processes that are not children of this one.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(within, waiting).await.is_ok()
}

/// Ids of the small System V segments by which the servers guard their data directories: a server killed by a
/// fault leaves its own behind.
fn shared_memory(layout: &Layout) -> Vec<String> {
    let id = |machine: Machine| {
        let text = std::fs::read_to_string(layout.postgres_data(machine).join("postmaster.pid")).ok()?;
        text.lines().nth(6)?.split_whitespace().nth(1).map(str::to_owned)
    };
    Machine::WITH_POSTGRES.into_iter().filter_map(id).collect()
}

fn remove_shared_memory(ids: &[String]) {
    let table = std::fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    for id in ids.iter().filter(|id| is_unattached(&table, id)) {
        let _ = exec::run("ipcrm", &["--shmem-id", id]);
    }
}

fn is_unattached(table: &str, id: &str) -> bool {
    let fields = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let is =
        |fields: &Vec<String>, at: usize, value: &str| fields.get(at).is_some_and(|field| field == value);
    table.lines().skip(1).map(fields).any(|fields| is(&fields, 1, id) && is(&fields, 6, "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_segment_that_nobody_uses_is_removed() {
        let table = "       key      shmid perms                  size  cpid  lpid nattch   uid
         1          7   600                    56  100   100      0   101
         2          8   600                    56  101   101      6   101
";
        assert!(is_unattached(table, "7"));
        assert!(!is_unattached(table, "8"));
        assert!(!is_unattached(table, "9"));
    }
}
