//! Pure: the lines of the journal, and what they add up to.
//!
//! A line is a JSON object with an entry and its checksum: a revert command is run by whoever recovers, so a
//! damaged one must not pass for a whole one. The last line counts only with its line feed; what follows the
//! last line feed is a write that was cut short, and nothing was ever done on the strength of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::chaos::faults::{Trace, Undo};
use crate::cluster::Target;
use crate::trial::FaultKind;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "entry", deny_unknown_fields)]
pub enum Entry {
    /// A process took the journal for a run.
    Opened {
        /// The run's id.
        run: String,
        /// The process.
        pid: u32,
        /// Unix time in milliseconds.
        at_unix_ms: u64,
    },
    /// An experiment is about to be injected. Durable before anything is done.
    Intended(Intent),
    /// A step of the experiment is about to act.
    Started {
        /// The intent's number.
        id: u64,
        /// Which step.
        step: Step,
        /// What could still be at work of it later.
        trace: Trace,
        /// Unix time in milliseconds.
        at_unix_ms: u64,
    },
    /// The step that was started last was seen to end: nothing is at work of it.
    Ended {
        /// The intent's number.
        id: u64,
    },
    /// The experiment's fault was injected.
    Injected {
        /// The intent's number.
        id: u64,
    },
    /// Nothing of the experiment is left to put back.
    Closed {
        /// The intent's number.
        id: u64,
    },
}

impl Entry {
    /// The experiment of which it tells something that is acted upon when that is put back.
    pub(super) fn acted_upon(&self) -> Option<u64> {
        match self {
            Self::Intended(intent) => Some(intent.id),
            Self::Started { id, .. } => Some(*id),
            Self::Opened { .. } | Self::Ended { .. } | Self::Injected { .. } | Self::Closed { .. } => None,
        }
    }
}

/// All that is needed to put an experiment back without the trial file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Its number in this journal, from 0.
    pub id: u64,
    /// The run's id.
    pub run: String,
    /// The experiment's name.
    pub experiment: String,
    /// Shows that a step is part of the run.
    pub token: String,
    /// How it is broken.
    pub kind: FaultKind,
    /// What is broken.
    pub targets: Vec<Target>,
    /// What puts it back; `None`: there is nothing to put back.
    pub undo: Option<Undo>,
    /// The directory in which the exporter was started.
    pub directory: PathBuf,
    /// When this was written: Unix time in milliseconds.
    pub at_unix_ms: u64,
}

/// The steps of an experiment that act under the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Breaks the targets.
    Inject,
    /// Looks whether they are broken.
    Bit,
    /// Puts them back.
    Revert,
}

impl Step {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inject => "inject",
            Self::Bit => "bit",
            Self::Revert => "revert",
        }
    }
}

/// All that the journal says of one experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What was intended.
    pub intent: Intent,
    /// When its injection began to act: Unix time in milliseconds.
    pub inject_started_unix_ms: Option<u64>,
    /// What could still be at work of its steps.
    pub traces: Vec<Trace>,
    /// Whether the injection is known to have succeeded.
    pub injected: bool,
    /// Whether nothing is left to put back.
    pub closed: bool,
    /// The namespace whose copy of the journal told of it, or of what it left at work; `None`: this machine did.
    pub copied_from: Option<String>,
}

impl Record {
    /// When its injection began to act, in milliseconds of Unix time; of a request to an API server, of which only the
    /// intent is noted, when it may have at the earliest. `None`: it did not.
    pub fn began_unix_ms(&self) -> Option<u64> {
        let may_have = match self.intent.kind {
            FaultKind::Exec | FaultKind::PodExec => None,
            FaultKind::PodKill | FaultKind::Partition | FaultKind::Drain => Some(self.intent.at_unix_ms),
        };
        // Closed without having been injected, it was not begun, or failed.
        self.inject_started_unix_ms.or(may_have.filter(|_| self.injected || !self.closed))
    }
}

/// Why a line is no part of a journal.
#[derive(Debug, Error)]
pub enum EntryError {
    /// It is not the form of an entry.
    #[error("not a journal entry")]
    Form(#[source] serde_json::Error),
    /// It was changed after it was written.
    #[error("the checksum does not match: the line was changed after it was written")]
    Checksum,
    /// It speaks of an experiment that no earlier line tells of.
    #[error("no earlier line intends the experiment number {0}")]
    Unknown(u64),
    /// It gives an experiment a number that is not the next.
    #[error("experiment number {found} where {expected} is due")]
    Order {
        /// The number that it gives.
        found: u64,
        /// The next number.
        expected: u64,
    },
}

#[derive(Serialize)]
struct Sealed<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    crc32: u32,
}

/// The line of `entry`, with its line feed.
pub fn encode(entry: &Entry) -> Result<Vec<u8>, serde_json::Error> {
    let crc32 = checksum(entry)?;
    let mut line = serde_json::to_vec(&Sealed { entry, crc32 })?;
    line.push(b'\n');
    Ok(line)
}

/// The entry of `line`, without its line feed.
pub fn decode(line: &[u8]) -> Result<Entry, EntryError> {
    unseal(serde_json::from_slice(line).map_err(EntryError::Form)?)
}

/// The entry of a line's object.
pub(super) fn unseal(mut object: serde_json::Map<String, serde_json::Value>) -> Result<Entry, EntryError> {
    let sealed = object.remove("crc32").and_then(|value| value.as_u64());
    let entry = serde_json::from_value(object.into()).map_err(EntryError::Form)?;
    let computed = checksum(&entry).map_err(EntryError::Form)?;
    if sealed == Some(u64::from(computed)) { Ok(entry) } else { Err(EntryError::Checksum) }
}

fn checksum(entry: &Entry) -> Result<u32, serde_json::Error> {
    Ok(crc32fast::hash(&serde_json::to_vec(entry)?))
}

/// What the entries of a journal add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Account {
    /// One record an experiment, in the order in which they were intended.
    pub records: Vec<Record>,
    /// The run and process that took the journal last.
    pub opened_by: Option<(String, u32)>,
    /// Experiments that must have been intended by a line that is not there, and that no line closes.
    pub unknown: BTreeSet<u64>,
    next_id: u64,
}

/// More missing numbers in a row than this were never intended.
const LONGEST_GAP: u64 = 1000;

impl Account {
    /// Adds an entry. One that does not follow from those before it is an error, and counts for what it tells
    /// nevertheless.
    pub fn add(&mut self, entry: Entry) -> Result<(), EntryError> {
        match entry {
            Entry::Opened { run, pid, .. } => {
                self.opened_by = Some((run, pid));
                Ok(())
            }
            Entry::Intended(intent) => self.intend(intent),
            Entry::Started { id, step, trace, at_unix_ms } => self.with(id, |record| {
                record.traces.push(trace);
                if step == Step::Inject {
                    record.inject_started_unix_ms = Some(at_unix_ms);
                }
            }),
            Entry::Ended { id } => self.with(id, |record| drop(record.traces.pop())),
            Entry::Injected { id } => self.with(id, |record| record.injected = true),
            Entry::Closed { id } => {
                let closed = self.with(id, |record| record.closed = true);
                self.unknown.remove(&id);
                closed
            }
        }
    }

    /// Notes that the last line about the experiment `id` came from the copy in `namespace`.
    pub(super) fn copied(&mut self, id: u64, namespace: &str) {
        if let Some(record) = self.records.iter_mut().find(|record| record.intent.id == id) {
            record.copied_from = Some(namespace.to_owned());
        }
    }

    /// The number that the next intent carries.
    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Whether it tells of nothing at all.
    pub fn is_blank(&self) -> bool {
        self.opened_by.is_none() && self.records.is_empty() && self.unknown.is_empty()
    }

    /// Whether nothing of it matters to `run`: all is put back, and the run is none that was begun already.
    pub fn is_over_for(&self, run: &str) -> bool {
        let begun = self.opened_by.iter().map(|(opened, _)| opened.as_str());
        let mut begun = begun.chain(self.records.iter().map(|record| record.intent.run.as_str()));
        self.unknown.is_empty()
            && self.records.iter().all(|record| record.closed)
            && begun.all(|it| it != run)
    }

    /// What is still to be put back, the latest first.
    pub fn unfinished(&self) -> Vec<Record> {
        self.records.iter().rev().filter(|record| !record.closed).cloned().collect()
    }

    fn intend(&mut self, intent: Intent) -> Result<(), EntryError> {
        let (found, expected) = (intent.id, self.next_id);
        let order = EntryError::Order { found, expected };
        if found < expected || found - expected > LONGEST_GAP {
            return Err(order);
        }
        self.miss(found);
        self.next_id = found + 1;
        self.records.push(Record {
            intent,
            inject_started_unix_ms: None,
            traces: Vec::new(),
            injected: false,
            closed: false,
            copied_from: None,
        });
        if found == expected { Ok(()) } else { Err(order) }
    }

    fn with(&mut self, id: u64, change: impl FnOnce(&mut Record)) -> Result<(), EntryError> {
        if let Some(record) = self.records.iter_mut().find(|record| record.intent.id == id) {
            change(record);
            return Ok(());
        }
        if (self.next_id..self.next_id + LONGEST_GAP).contains(&id) {
            self.miss(id + 1);
        }
        Err(EntryError::Unknown(id))
    }

    /// No line intends the numbers from the next one until `end`.
    fn miss(&mut self, end: u64) {
        self.unknown.extend(self.next_id..end);
        self.next_id = self.next_id.max(end);
    }
}
