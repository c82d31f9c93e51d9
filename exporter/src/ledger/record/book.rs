//! Pure: all writes of a run to one store, in memory. 16 bytes each, so that 1000 a second for an hour fit.

use super::{Outcome, Stamp, WriteId};

/// The writes of a run to one store.
#[derive(Debug, Clone, Default)]
pub struct Book {
    workers: Vec<Vec<Entry>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    begun: Stamp,
    /// Microseconds from `begun` to the end.
    took: u32,
    /// `None` while the write is under way.
    outcome: Option<Outcome>,
}

/// How and when a write ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// When its answer was known.
    pub at: Stamp,
}

/// Writes by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct WriteCounts {
    /// Acknowledged.
    pub acked: u64,
    /// Definitely not written.
    pub refused: u64,
    /// Unknown.
    pub indeterminate: u64,
}

impl WriteCounts {
    /// Counts one write.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Acked => self.acked += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Indeterminate => self.indeterminate += 1,
        }
    }
}

impl Book {
    /// Notes the beginning of `worker`'s next write and gives it its id.
    pub fn begin(&mut self, worker: u32, at: Stamp) -> WriteId {
        let index = worker as usize;
        if self.workers.len() <= index {
            self.workers.resize_with(index + 1, Vec::new);
        }
        let writes = &mut self.workers[index];
        writes.push(Entry { begun: at, took: 0, outcome: None });
        WriteId { worker, seq: writes.len() as u64 - 1 }
    }

    /// Notes the end of a write; `false` when no such write is under way.
    pub fn end(&mut self, id: WriteId, outcome: Outcome, at: Stamp) -> bool {
        let Some(entry) = self.entry_mut(id).filter(|entry| entry.outcome.is_none()) else { return false };
        entry.took = u32::try_from(at.0.saturating_sub(entry.begun.0)).unwrap_or(u32::MAX);
        entry.outcome = Some(outcome);
        true
    }

    /// Ends what is under way as indeterminate: nobody waits for those answers any more.
    pub fn abandon(&mut self, at: Stamp) {
        for worker in 0..self.workers.len() {
            for seq in 0..self.workers[worker].len() {
                #[expect(clippy::cast_possible_truncation, reason = "workers are numbered by u32")]
                self.end(WriteId { worker: worker as u32, seq: seq as u64 }, Outcome::Indeterminate, at);
            }
        }
    }

    /// Whether the run ever attempted this write.
    pub fn attempted(&self, id: WriteId) -> bool {
        self.entry(id).is_some()
    }

    /// How the write ended; `None` while it is under way or when there is no such write.
    pub fn ended(&self, id: WriteId) -> Option<Ended> {
        self.entry(id).and_then(Entry::ended)
    }

    /// Every write that has ended, worker by worker.
    pub fn all_ended(&self) -> impl Iterator<Item = (WriteId, Ended)> + '_ {
        (0u32..).zip(&self.workers).flat_map(|(worker, writes)| {
            (0u64..)
                .zip(writes)
                .filter_map(move |(seq, entry)| entry.ended().map(|end| (WriteId { worker, seq }, end)))
        })
    }

    /// The beginning of the first write.
    pub fn first_begun(&self) -> Option<Stamp> {
        self.workers.iter().flatten().map(|entry| entry.begun).min()
    }

    /// Acknowledgements in `(after, until]`.
    pub fn acked_between(&self, after: Stamp, until: Stamp) -> u64 {
        let acked = |end: &Ended| end.outcome == Outcome::Acked && end.at > after && end.at <= until;
        self.all_ended().filter(|(_, end)| acked(end)).count() as u64
    }

    /// How many writes each worker began.
    pub fn lengths(&self) -> impl Iterator<Item = usize> + '_ {
        self.workers.iter().map(Vec::len)
    }

    fn entry(&self, id: WriteId) -> Option<&Entry> {
        self.workers.get(id.worker as usize)?.get(usize::try_from(id.seq).ok()?)
    }

    fn entry_mut(&mut self, id: WriteId) -> Option<&mut Entry> {
        self.workers.get_mut(id.worker as usize)?.get_mut(usize::try_from(id.seq).ok()?)
    }
}

impl Entry {
    fn ended(&self) -> Option<Ended> {
        let at = Stamp(self.begun.0 + u64::from(self.took));
        self.outcome.map(|outcome| Ended { outcome, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_takes_16_bytes() {
        assert_eq!(size_of::<Entry>(), 16);
    }

    #[test]
    fn a_write_ends_once() {
        let mut book = Book::default();
        let id = book.begin(1, Stamp(10));
        assert!(book.end(id, Outcome::Acked, Stamp(15)));
        assert!(!book.end(id, Outcome::Refused, Stamp(16)), "a late answer changes nothing");
        assert_eq!(book.ended(id), Some(Ended { outcome: Outcome::Acked, at: Stamp(15) }));
        assert!(!book.end(WriteId { worker: 7, seq: 0 }, Outcome::Acked, Stamp(20)));
    }

    #[test]
    fn acknowledgements_are_counted_in_a_window_open_at_its_beginning() {
        let mut book = Book::default();
        for (at, outcome) in
            [(10, Outcome::Acked), (20, Outcome::Acked), (20, Outcome::Refused), (30, Outcome::Acked)]
        {
            let id = book.begin(0, Stamp(at));
            book.end(id, outcome, Stamp(at));
        }
        assert_eq!(book.acked_between(Stamp(10), Stamp(30)), 2);
        assert_eq!(book.acked_between(Stamp(9), Stamp(29)), 2);
    }

    #[test]
    fn abandoning_ends_only_what_is_under_way() {
        let mut book = Book::default();
        let done = book.begin(0, Stamp(1));
        book.end(done, Outcome::Refused, Stamp(2));
        let open = book.begin(0, Stamp(3));
        assert_eq!(book.ended(open), None);
        book.abandon(Stamp(9));
        assert_eq!(book.ended(done).map(|end| end.outcome), Some(Outcome::Refused));
        assert_eq!(book.ended(open), Some(Ended { outcome: Outcome::Indeterminate, at: Stamp(9) }));
    }
}
