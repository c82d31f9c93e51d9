//! Pure: the bytes of a journal as entries, as far as they can be read.
//!
//! A line that cannot be read hides no other: what the others tell of must be put back all the same. Where a
//! line feed was damaged, or bytes were added, the entries in between are still found; their checksums say
//! that they are whole.

use std::fmt;

use serde_json::{Deserializer, Map, Value};

use super::copied::{self, Part};
use super::entry::{Account, Entry, EntryError, decode, unseal};
use crate::trial::FaultKind;

/// How every entry begins. Within an entry the quotes would be escaped.
const BEGINNING: &[u8] = br#"{"entry":"#;

/// Bytes of a damaged line that are shown.
const SHOWN: usize = 60;

/// A journal's content as read.
#[derive(Debug)]
pub struct Content {
    /// What its readable lines add up to.
    pub account: Account,
    /// What cannot be read, or does not follow.
    pub damage: Vec<Damage>,
    /// Bytes that are kept; whatever follows was cut short.
    pub whole: usize,
    /// Whether a line feed is due before the next line, to keep an unfinished one as it is.
    pub unterminated: bool,
}

/// A line that is not as an exporter wrote it, or that others are missing before.
#[derive(Debug)]
pub struct Damage {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong.
    pub error: EntryError,
    /// Its length in bytes.
    pub bytes: usize,
    /// How it begins, printable.
    pub begins: String,
}

impl Damage {
    fn of(line: usize, bytes: &[u8], error: EntryError) -> Self {
        let begins = bytes[..bytes.len().min(SHOWN)].escape_ascii().to_string().replace("\\\"", "\"");
        Self { line, error, bytes: bytes.len(), begins }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; it has {} bytes", self.error, self.bytes)?;
        match self.begins.as_str() {
            "" => Ok(()),
            begins => write!(f, " and begins with {begins}"),
        }
    }
}

/// Reads the bytes of a journal.
pub fn read(bytes: &[u8]) -> Content {
    read_parts(bytes, &[])
}

/// Reads the bytes of a journal of which `parts` came from the copy in a cluster.
pub(super) fn read_parts(bytes: &[u8], parts: &[Part]) -> Content {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let (lines, rest) = bytes.split_at(whole);
    let mut content = Content { account: Account::default(), damage: Vec::new(), whole, unterminated: false };
    let (mut number, mut begin) = (0, 0);
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        number += 1;
        let source = copied::source(parts, begin);
        begin += line.len();
        let line = &line[..line.len() - 1];
        let added = match decode(line) {
            Ok(entry) => content.add(entry, source),
            Err(error) => {
                content.add_found(line, source);
                Err(error)
            }
        };
        content.damage.extend(added.err().map(|error| Damage::of(number, line, error)));
    }
    // An unfinished write has no byte behind its entry: there, a line feed was changed.
    let changed = found(rest).last().is_some_and(|(_, end)| *end < rest.len());
    if changed {
        content.add_found(rest, copied::source(parts, begin));
        content.damage.extend(decode(rest).err().map(|error| Damage::of(number + 1, rest, error)));
    }
    if !content.damage.is_empty() && !rest.is_empty() {
        content.whole = bytes.len();
        content.unterminated = true;
    }
    content
}

impl Content {
    /// Adds an entry, which came from the copy in that namespace or was written here.
    fn add(&mut self, entry: Entry, source: Option<&str>) -> Result<(), EntryError> {
        if source.is_some() && self.is_of_this_machine(&entry) {
            return Ok(());
        }
        let id = entry.acted_upon();
        let added = self.account.add(entry);
        if let (Some(id), Some(namespace)) = (id, source) {
            self.account.copied(id, namespace);
        }
        added
    }

    /// Whether it says that commands of this machine have ended, which only this machine can know.
    fn is_of_this_machine(&self, entry: &Entry) -> bool {
        let (Entry::Closed { id } | Entry::Ended { id }) = entry else { return false };
        self.account.records.iter().any(|record| {
            let intent = &record.intent;
            intent.id == *id && intent.kind == FaultKind::Exec && record.copied_from.is_none()
        })
    }

    /// Adds what is whole in a damaged line.
    fn add_found(&mut self, line: &[u8], source: Option<&str>) {
        for (entry, _) in found(line) {
            // The line is damaged anyway.
            let _does_not_follow = self.add(entry, source);
        }
    }
}

/// The whole entries in `line`, each with the place of its end.
fn found(line: &[u8]) -> Vec<(Entry, usize)> {
    let begins = (0..line.len()).filter(|at| line[*at..].starts_with(BEGINNING));
    let entry = |at: usize| {
        let mut objects = Deserializer::from_slice(&line[at..]).into_iter::<Map<String, Value>>();
        let object = objects.next()?.ok()?;
        Some((unseal(object).ok()?, at + objects.byte_offset()))
    };
    begins.filter_map(entry).collect()
}
