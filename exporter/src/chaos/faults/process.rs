//! Processes as `/proc` shows them.

use std::fs;
use std::io::{self, ErrorKind};

/// What is of interest in `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    state: char,
    /// Its process group.
    pub(crate) group: i32,
    flags: u32,
    /// When it began, in clock ticks since the machine's start.
    pub(crate) start_ticks: u64,
}

impl Stat {
    /// Whether the process can still do anything.
    pub(crate) fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }

    /// Whether it is a thread of the kernel, and no program.
    pub(crate) fn is_of_kernel(&self) -> bool {
        const KERNEL_THREAD: u32 = 0x0020_0000;
        self.flags & KERNEL_THREAD != 0
    }
}

/// The numbers of all processes.
pub(crate) fn all() -> io::Result<impl Iterator<Item = i32>> {
    let entries = fs::read_dir("/proc")?.flatten();
    Ok(entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()))
}

/// The process with the number `id`, dead ones included that nobody has waited for yet.
pub(crate) fn stat(id: i32) -> io::Result<Stat> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    parse(&stat).ok_or_else(|| ErrorKind::InvalidData.into())
}

/// The name before the other fields may hold anything, also spaces and parentheses.
fn parse(stat: &str) -> Option<Stat> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        group: fields.get(2)?.parse().ok()?,
        flags: fields.get(6)?.parse().ok()?,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_stat_line_of_an_odd_name() {
        let rest = "1 77 12 0 -1 4194304 102 0 0 0 1 2 3 4 20 0 1 0 522037 3000";
        let stat = |state| Some(Stat { state, group: 77, flags: 4_194_304, start_ticks: 522_037 });
        assert_eq!(parse(&format!("12 (a ) (b) S {rest}")), stat('S'));
        assert_eq!(parse(&format!("12 (sh) Z {rest}")), stat('Z'));
        assert_eq!(parse(""), None);
        assert_eq!(parse("12 (sh) S 1 77"), None);
    }

    #[test]
    fn the_living_are_told_from_the_dead_and_programs_from_the_kernel() {
        let of = |state, flags| Stat { state, group: 77, flags, start_ticks: 0 };
        let program = 0x0040_0000;
        let alive = ['S', 'R', 'D', 'T', 'Z', 'X'].map(|state| of(state, program).is_alive());
        assert_eq!(alive, [true, true, true, true, false, false]);
        let of_kernel = [program, 0x0020_8040].map(|flags| of('S', flags).is_of_kernel());
        assert_eq!(of_kernel, [false, true]);
    }
}
