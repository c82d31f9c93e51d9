//! Which bytes of a journal's file came from the copy in a cluster: whoever may write there may have written them.
//!
//! They are noted beside the file before they are put into it, so that they never pass for what this machine wrote.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::copy::compare;
use super::{JournalError, content, copy, held};

/// The name of the note in the journal's directory.
pub(super) const FILE: &str = "journal.copied";

/// Bytes that came from the copy in one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// The first of them.
    pub(super) from: usize,
    /// The first behind them.
    pub(super) to: usize,
    /// Where the copy was.
    pub(super) namespace: String,
}

/// The namespace from whose copy the byte `at` came.
pub(super) fn source(parts: &[Part], at: usize) -> Option<&str> {
    parts.iter().find(|part| (part.from..part.to).contains(&at)).map(|part| part.namespace.as_str())
}

/// What is noted beside the journal at `path`. A note that cannot be read is about every byte, and of no namespace.
pub(super) fn noted(path: &Path) -> io::Result<Vec<Part>> {
    match fs::read(beside(path)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_else(|_| vec![of_all()])),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Puts the copy in the place of a file that knows less. Whenever this is killed, the one or the other is there whole.
pub(super) fn go_on_from(path: &Path, copy: &str, namespace: &str) -> Result<(), JournalError> {
    let failed = |action| move |source| JournalError::Io { action, path: path.to_owned(), source };
    // Nobody else writes to what is replaced: it is held until then.
    let mut file = held(path)?;
    let bytes = content(&mut file, path)?;
    match compare(&bytes, copy) {
        copy::From::File => Ok(()),
        copy::From::Neither => Err(JournalError::Diverged { path: path.to_owned() }),
        copy::From::Copy(text) => {
            let from = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
            let part = Part { from, to: text.len(), namespace: namespace.to_owned() };
            note(path, part).map_err(failed("note what is copied into"))?;
            replace(path, text.as_bytes()).map_err(failed("write"))
        }
    }
}

/// Notes `part`, on disk, besides what is noted already.
fn note(path: &Path, part: Part) -> io::Result<()> {
    let mut parts = noted(path)?;
    parts.push(part);
    replace(&beside(path), &serde_json::to_vec(&parts)?)
}

/// Writes a file anew: the old one stays until the new one is on disk.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Forgets what was noted beside a journal that is empty.
pub(super) fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(beside(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn beside(path: &Path) -> PathBuf {
    path.with_file_name(FILE)
}

fn of_all() -> Part {
    Part { from: 0, to: usize::MAX, namespace: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(from: usize, to: usize) -> Part {
        Part { from, to, namespace: "shop".to_owned() }
    }

    #[test]
    fn a_byte_came_from_the_copy_if_a_part_has_it() {
        let parts = [part(10, 20), part(30, 31)];
        let table = [(0, false), (9, false), (10, true), (19, true), (20, false), (30, true), (31, false)];
        for (at, expected) in table {
            assert_eq!(source(&parts, at), expected.then_some("shop"), "{at}");
        }
    }

    #[test]
    fn parts_add_up_and_a_broken_note_is_about_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("journal.jsonl");
        assert_eq!(noted(&journal).expect("readable"), []);
        note(&journal, part(0, 7)).expect("noted");
        note(&journal, part(9, 12)).expect("noted");
        assert_eq!(noted(&journal).expect("readable"), [part(0, 7), part(9, 12)]);
        fs::write(beside(&journal), "[").expect("a file");
        assert_eq!(source(&noted(&journal).expect("readable"), 1 << 20), Some(""));
        forget(&journal).expect("forgotten");
        forget(&journal).expect("nothing to forget");
        assert_eq!(noted(&journal).expect("readable"), []);
    }
}
