//! Processes as `/proc` shows them.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::layout::Machine;

/// Clock ticks a second in `/proc/PID/stat`, fixed in the kernel's interface on every Linux port that Debian has.
pub(crate) const TICKS_PER_SECOND: f64 = 100.0;

/// One process, told apart from a later one with the same number by its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// Ticks from boot to its start.
    pub(crate) start: u64,
}

/// What `/proc/PID/stat` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) name: String,
    pub(crate) state: char,
    pub(crate) parent: i32,
    /// User and system time in ticks.
    pub(crate) cpu: u64,
    pub(crate) start: u64,
}

/// Parses a line of `/proc/PID/stat`; the name may hold spaces and brackets.
pub(crate) fn parse_stat(line: &str) -> Option<Stat> {
    let (open, close) = (line.find('(')?, line.rfind(')')?);
    let name = line.get(open + 1..close)?.to_owned();
    let fields: Vec<&str> = line.get(close + 1..)?.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        name,
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        cpu: number(11)? + number(12)?,
        start: number(19)?,
    })
}

/// The state of a process, `None` when there is no such process.
pub(crate) fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

impl Process {
    /// The process that has this number now.
    pub(crate) fn now(pid: i32) -> Option<Self> {
        stat(pid).map(|stat| Self { pid, start: stat.start })
    }

    /// Reads a file written by [`Process::write`].
    pub(crate) fn read(file: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(file).ok()?;
        let (pid, start) = text.trim().split_once(' ')?;
        Some(Self { pid: pid.parse().ok()?, start: start.parse().ok()? })
    }

    /// Notes the process in a file.
    pub(crate) fn write(self, file: &Path) -> std::io::Result<()> {
        std::fs::write(file, format!("{} {}\n", self.pid, self.start))
    }

    /// Its state, `None` when it is gone; a zombie is gone.
    pub(crate) fn stat(self) -> Option<Stat> {
        stat(self.pid).filter(|stat| stat.start == self.start && !matches!(stat.state, 'Z' | 'X'))
    }

    pub(crate) fn is_alive(self) -> bool {
        self.stat().is_some()
    }

    /// Sends a signal; a process that is gone already is no error.
    pub(crate) fn signal(self, signal: Signal) {
        if self.is_alive()
            && let Some(pid) = Pid::from_raw(self.pid)
        {
            let _ = kill_process(pid, signal);
        }
    }
}

/// Sends a signal to each, in order.
pub(crate) fn signal_all(processes: &[Process], signal: Signal) {
    for process in processes {
        process.signal(signal);
    }
}

/// Every process number.
pub(crate) fn all() -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn identity(path: &str) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|namespace| (namespace.dev(), namespace.ino()))
}

fn network_of(pid: i32) -> Option<(u64, u64)> {
    identity(&format!("/proc/{pid}/ns/net"))
}

/// The machine that a process is on; `None` when it is outside all of them.
pub(crate) fn machine_of(pid: i32) -> Option<Machine> {
    let network = network_of(pid)?;
    Machine::ALL.into_iter().find(|machine| identity(&machine.namespace_path()) == Some(network))
}

/// The processes on a machine.
pub(crate) fn on_machine(machine: Machine) -> Vec<Process> {
    let Some(network) = identity(&machine.namespace_path()) else { return Vec::new() };
    let inside = |pid: &i32| network_of(*pid) == Some(network);
    all().into_iter().filter(inside).filter_map(Process::now).filter(|process| process.is_alive()).collect()
}

/// The command line, arguments separated by spaces.
pub(crate) fn command_line(pid: i32) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_is_read_whole() {
        let line = "42 (a (b) c) S 7 1 1 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 1 0 9876 1 2";
        let expected = Stat { name: "a (b) c".to_owned(), state: 'S', parent: 7, cpu: 200, start: 9876 };
        assert_eq!(parse_stat(line), Some(expected));
    }

    #[test]
    fn a_number_used_again_is_another_process() {
        let pid = i32::try_from(std::process::id()).expect("process numbers fit");
        let this = Process::now(pid).expect("this process is there");
        assert!(this.is_alive());
        assert!(!Process { start: this.start + 1, ..this }.is_alive());
    }
}
