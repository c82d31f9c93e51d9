//! Who holds a journal: what the kernel says of its locks, and the run that the journal names.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::reading;

/// The holder of `file`, which is at `path`, in words.
pub(super) fn of(file: &File, path: &Path) -> String {
    let inode = file.metadata().map(|data| data.ino()).unwrap_or_default();
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let opened_by = fs::read(path).ok().and_then(|bytes| reading::read(&bytes).account.opened_by);
    told(&holders(&locks, inode), opened_by)
}

/// The processes that hold a lock on the file `inode`. A line is, for example,
/// `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`.
fn holders(locks: &str, inode: u64) -> Vec<u32> {
    let holder = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, pid, file, ..] = words[..] else { return None };
        let (_, found) = file.rsplit_once(':')?;
        // Of a process that this one cannot see, the number is 0.
        (found.parse() == Ok(inode)).then(|| pid.parse().ok())?.filter(|pid| *pid > 0)
    };
    locks.lines().filter_map(holder).collect()
}

/// A process that only puts back names itself nowhere, so the last one that the journal names need not be it.
fn told(holders: &[u32], opened_by: Option<(String, u32)>) -> String {
    match (holders, opened_by) {
        (holders, Some((run, pid))) if holders.is_empty() || holders.contains(&pid) => {
            format!("process {pid} (run {run})")
        }
        ([pid, ..], _) => format!("process {pid}"),
        ([], _) => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKS: &str = "1: POSIX  ADVISORY  WRITE 12 08:01:77 0 EOF\n\
        2: FLOCK  ADVISORY  WRITE 4711 00:2d:77 0 EOF\n\
        2: -> FLOCK  ADVISORY  WRITE 4712 00:2d:77 0 EOF\n\
        3: FLOCK  ADVISORY  WRITE 13 08:01:778 0 EOF\n";

    #[test]
    fn the_kernel_knows_the_holder() {
        assert_eq!(holders(LOCKS, 77), [4711]);
        assert_eq!(holders(LOCKS, 7), [0; 0]);
        assert_eq!(holders("", 77), [0; 0]);
    }

    #[test]
    fn a_holder_is_told_with_its_run_where_the_journal_names_it() {
        let opened_by = || Some(("r1".to_owned(), 4711));
        assert_eq!(told(&[4711], opened_by()), "process 4711 (run r1)");
        assert_eq!(told(&[4713], opened_by()), "process 4713");
        assert_eq!(told(&[], opened_by()), "process 4711 (run r1)");
        assert_eq!(told(&[4713], None), "process 4713");
        assert_eq!(told(&[], None), "another process");
    }
}
