//! Pure: the audit. What the record says must be in the store, against what was read from it.

mod history;
#[cfg(test)]
mod model;

pub use history::{History, RecoveryPoint};

use super::record::{Book, Outcome, Stamp, WriteCounts, WriteId};

/// What became of writes. A closed set: the values of the label `class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Acknowledged and there, intact.
    Present,
    /// Acknowledged and not there.
    Lost,
    /// Indeterminate and there: neither good nor bad.
    Recovered,
    /// Refused and there all the same.
    Resurrected,
    /// There, and never attempted by this run.
    Unexpected,
    /// There more than once.
    Duplicate,
    /// There, but not what was written.
    Corrupt,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 7] = [
        Self::Present,
        Self::Lost,
        Self::Recovered,
        Self::Resurrected,
        Self::Unexpected,
        Self::Duplicate,
        Self::Corrupt,
    ];

    /// The value of the label `class`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Lost => "lost",
            Self::Recovered => "recovered",
            Self::Resurrected => "resurrected",
            Self::Unexpected => "unexpected",
            Self::Duplicate => "duplicate",
            Self::Corrupt => "corrupt",
        }
    }
}

/// A write found in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: WriteId,
    /// Whether payload and checksum are those of the id.
    pub intact: bool,
}

/// How many writes are of each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    /// [`Class::Present`]
    pub present: u64,
    /// [`Class::Lost`]
    pub lost: u64,
    /// [`Class::Recovered`]
    pub recovered: u64,
    /// [`Class::Resurrected`]
    pub resurrected: u64,
    /// [`Class::Unexpected`]
    pub unexpected: u64,
    /// [`Class::Duplicate`]
    pub duplicate: u64,
    /// [`Class::Corrupt`]
    pub corrupt: u64,
}

impl Counts {
    /// The count of one class.
    pub fn of(&self, class: Class) -> u64 {
        match class {
            Class::Present => self.present,
            Class::Lost => self.lost,
            Class::Recovered => self.recovered,
            Class::Resurrected => self.resurrected,
            Class::Unexpected => self.unexpected,
            Class::Duplicate => self.duplicate,
            Class::Corrupt => self.corrupt,
        }
    }
}

/// The result of one audit. Each list is sorted and names a write once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// Writes that had ended by then were judged.
    pub until: Stamp,
    /// The writes that were judged, by outcome.
    pub writes: WriteCounts,
    /// Acknowledged and there, intact.
    pub present: u64,
    /// Acknowledged and not there.
    pub lost: Vec<WriteId>,
    /// Indeterminate and there.
    pub recovered: Vec<WriteId>,
    /// Refused and there.
    pub resurrected: Vec<WriteId>,
    /// There and never attempted.
    pub unexpected: Vec<WriteId>,
    /// There more than once.
    pub duplicate: Vec<WriteId>,
    /// There and damaged.
    pub corrupt: Vec<WriteId>,
}

impl Audit {
    /// The sizes of the classes.
    pub fn counts(&self) -> Counts {
        Counts {
            present: self.present,
            lost: self.lost.len() as u64,
            recovered: self.recovered.len() as u64,
            resurrected: self.resurrected.len() as u64,
            unexpected: self.unexpected.len() as u64,
            duplicate: self.duplicate.len() as u64,
            corrupt: self.corrupt.len() as u64,
        }
    }
}

const FOUND: u8 = 1;
const FOUND_AGAIN: u8 = 2;
const DAMAGED: u8 = 4;

/// Judges every write that had ended by `until`, a moment before the reading of `rows` began.
///
/// `book` is as of a moment after the reading, so that no row is of a write it does not know. Writes that ended
/// later, or are under way, may be among the rows or not; only damage and duplicates are held against them.
pub fn audit(book: &Book, until: Stamp, rows: &[Row]) -> Audit {
    let mut audit = Audit { until, ..Audit::default() };
    let mut seen: Vec<Vec<u8>> = book.lengths().map(|length| vec![0; length]).collect();
    let mut strangers = Vec::new();
    for row in rows {
        match mark_of(&mut seen, row.id) {
            None => strangers.push(row.id),
            Some(mark) => {
                *mark |= if *mark & FOUND == 0 { FOUND } else { FOUND_AGAIN };
                *mark |= if row.intact { 0 } else { DAMAGED };
            }
        }
    }
    strangers.sort_unstable();
    audit.duplicate = repeated(&strangers);
    strangers.dedup();
    audit.unexpected = strangers;
    classify(book, until, &seen, &mut audit);
    audit.duplicate.sort_unstable();
    audit
}

fn classify(book: &Book, until: Stamp, seen: &[Vec<u8>], audit: &mut Audit) {
    for (worker, marks) in (0u32..).zip(seen) {
        for (seq, mark) in (0u64..).zip(marks) {
            let id = WriteId { worker, seq };
            if mark & FOUND_AGAIN != 0 {
                audit.duplicate.push(id);
            }
            if mark & DAMAGED != 0 {
                audit.corrupt.push(id);
            }
            let Some(end) = book.ended(id).filter(|end| end.at <= until) else { continue };
            audit.writes.count(end.outcome);
            match (end.outcome, mark & FOUND != 0) {
                (Outcome::Acked, true) if mark & DAMAGED == 0 => audit.present += 1,
                (Outcome::Acked, false) => audit.lost.push(id),
                (Outcome::Indeterminate, true) => audit.recovered.push(id),
                (Outcome::Refused, true) => audit.resurrected.push(id),
                (Outcome::Acked, true) | (Outcome::Indeterminate | Outcome::Refused, false) => {}
            }
        }
    }
}

fn mark_of(seen: &mut [Vec<u8>], id: WriteId) -> Option<&mut u8> {
    seen.get_mut(id.worker as usize)?.get_mut(usize::try_from(id.seq).ok()?)
}

/// Those that occur more than once in `sorted`, once each.
fn repeated(sorted: &[WriteId]) -> Vec<WriteId> {
    let mut twice: Vec<WriteId> =
        sorted.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    twice.dedup();
    twice
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A book of one worker: each write ended as said, at the time said.
    pub(super) fn book(writes: &[(Outcome, u64)]) -> Book {
        let mut book = Book::default();
        for &(outcome, at) in writes {
            let id = book.begin(0, Stamp(at));
            book.end(id, outcome, Stamp(at));
        }
        book
    }

    pub(super) fn id(seq: u64) -> WriteId {
        WriteId { worker: 0, seq }
    }

    fn rows(seqs: &[u64]) -> Vec<Row> {
        seqs.iter().map(|&seq| Row { id: id(seq), intact: true }).collect()
    }

    #[test]
    fn each_class_is_told_from_the_others() {
        use Outcome::{Acked, Indeterminate, Refused};
        let book = book(&[
            (Acked, 1),
            (Acked, 2),
            (Indeterminate, 3),
            (Indeterminate, 4),
            (Refused, 5),
            (Refused, 6),
            (Acked, 7),
            (Acked, 8),
        ]);
        let mut rows = rows(&[0, 2, 4, 6, 6, 99, 99]);
        rows.push(Row { id: id(7), intact: false });
        let audit = audit(&book, Stamp(8), &rows);
        assert_eq!(audit.writes, WriteCounts { acked: 4, refused: 2, indeterminate: 2 });
        assert_eq!(audit.present, 2);
        assert_eq!(audit.lost, [id(1)]);
        assert_eq!(audit.recovered, [id(2)]);
        assert_eq!(audit.resurrected, [id(4)]);
        assert_eq!(audit.unexpected, [id(99)]);
        assert_eq!(audit.duplicate, [id(6), id(99)]);
        assert_eq!(audit.corrupt, [id(7)]);
    }

    #[test]
    fn a_write_that_ended_after_the_cut_is_not_judged_yet() {
        let mut book = book(&[(Outcome::Acked, 1), (Outcome::Acked, 10), (Outcome::Refused, 11)]);
        book.begin(0, Stamp(12));
        let found = audit(&book, Stamp(5), &rows(&[0, 2, 3]));
        assert_eq!(found.counts(), Counts { present: 1, ..Counts::default() });
        let found = audit(&book, Stamp(20), &rows(&[0, 2, 3]));
        assert_eq!((found.lost, found.resurrected), (vec![id(1)], vec![id(2)]));
    }
}
