//! Pure: what all audits of a run say together. The worst of each class, and the span of what was lost.
//!
//! A lost write belongs to the first experiment that can have lost it: it became final at or after the write's
//! acknowledgement, and after the last audit that still found the write. With one complete audit after each
//! experiment that is the experiment whose audit missed it first. Where an audit could not be completed, the
//! experiment before it is among those that can have lost the write, and the first of them is charged. A write
//! that no experiment can have lost in this sense (acknowledged after the last of them, or found by the audit
//! of the last and missing at the end) belongs to the last, since no span must go untold.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, Counts};
use crate::ledger::record::{Book, Ended, Outcome, Stamp, WriteCounts, WriteId};

/// The audits of one run and one store. A write once lost stays lost, even if it is back in a later audit.
#[derive(Debug, Clone, Default)]
pub struct History {
    acked: u64,
    /// With the number of complete audits before the one that missed it first.
    lost: BTreeMap<WriteId, usize>,
    recovered: BTreeSet<WriteId>,
    resurrected: BTreeSet<WriteId>,
    unexpected: BTreeSet<WriteId>,
    duplicate: BTreeSet<WriteId>,
    corrupt: BTreeSet<WriteId>,
    /// Experiments in the order in which they became final.
    finals: Vec<(String, Stamp)>,
    /// The complete audits in order: what they judged ended by when, and how many experiments were final.
    audits: Vec<(Stamp, usize)>,
}

/// The span of acknowledged writes that an experiment cost.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RecoveryPoint {
    /// The experiment.
    pub experiment: String,
    /// From the newest surviving acknowledgement before the oldest lost write to the newest lost one; 0 when
    /// nothing was lost.
    pub seconds: f64,
}

impl History {
    /// Notes that `experiment` became final: what was lost before, and belongs to none yet, is its. Only the first
    /// time counts.
    pub fn became_final(&mut self, experiment: &str, at: Stamp) {
        if self.finals.iter().all(|(known, _)| known != experiment) {
            self.finals.push((experiment.to_owned(), at));
        }
    }

    /// Adds a complete audit.
    pub fn absorb(&mut self, audit: &Audit) {
        let WriteCounts { acked, .. } = audit.writes;
        self.acked = self.acked.max(acked);
        for &id in &audit.lost {
            self.lost.entry(id).or_insert(self.audits.len());
        }
        self.audits.push((audit.until, self.finals.len()));
        self.recovered.extend(&audit.recovered);
        self.resurrected.extend(&audit.resurrected);
        self.unexpected.extend(&audit.unexpected);
        self.duplicate.extend(&audit.duplicate);
        self.corrupt.extend(&audit.corrupt);
    }

    /// The worst of each class over all audits. Present are the acknowledged ones never found lost or damaged.
    pub fn counts(&self, book: &Book) -> Counts {
        let acked = |id: &&WriteId| book.ended(**id).is_some_and(|end| end.outcome == Outcome::Acked);
        let damaged = self.corrupt.iter().filter(acked).filter(|id| !self.lost.contains_key(id)).count();
        Counts {
            present: self.acked.saturating_sub((self.lost.len() + damaged) as u64),
            lost: self.lost.len() as u64,
            recovered: self.recovered.len() as u64,
            resurrected: self.resurrected.len() as u64,
            unexpected: self.unexpected.len() as u64,
            duplicate: self.duplicate.len() as u64,
            corrupt: self.corrupt.len() as u64,
        }
    }

    /// The lost writes with their acknowledgements' times, oldest first.
    pub fn lost(&self, book: &Book) -> Vec<(WriteId, Stamp)> {
        let mut lost: Vec<_> =
            self.lost.keys().filter_map(|&id| book.ended(id).map(|end| (id, end.at))).collect();
        lost.sort_unstable_by_key(|&(id, at)| (at, id));
        lost
    }

    /// The recovery point of each experiment that became final.
    pub fn recovery_points(&self, book: &Book) -> Vec<RecoveryPoint> {
        let lost = self.lost(book);
        let owned: Vec<_> = lost.iter().map(|&(id, at)| (self.owner(id, at), at)).collect();
        let point = |(index, (experiment, _)): (usize, &(String, Stamp))| {
            let mut own = owned.iter().filter(|(owner, _)| *owner == Some(index)).map(|&(_, at)| at);
            let oldest = own.next();
            let newest = own.next_back().or(oldest);
            let span = oldest.zip(newest);
            let seconds = span.map_or(0.0, |(oldest, newest)| newest.seconds_since(self.floor(book, oldest)));
            RecoveryPoint { experiment: experiment.clone(), seconds }
        };
        self.finals.iter().enumerate().map(point).collect()
    }

    /// The index of the experiment that the lost write `id`, acknowledged at `at`, belongs to.
    fn owner(&self, id: WriteId, at: Stamp) -> Option<usize> {
        let before = self.lost.get(&id).copied().unwrap_or_default();
        let found = self.audits.iter().take(before).filter(|(until, _)| *until >= at);
        let not_before = found.map(|&(_, finals)| finals).max().unwrap_or_default();
        let ended = |&index: &usize| self.finals[index].1 >= at;
        (not_before..self.finals.len()).find(ended).or(self.finals.len().checked_sub(1))
    }

    /// The newest surviving acknowledgement before `oldest`; the beginning of the first write where none survived.
    fn floor(&self, book: &Book, oldest: Stamp) -> Stamp {
        let survives = |(id, end): &(WriteId, Ended)| {
            end.outcome == Outcome::Acked
                && end.at < oldest
                && !self.lost.contains_key(id)
                && !self.corrupt.contains(id)
        };
        let newest = book.all_ended().filter(survives).map(|(_, end)| end.at).max();
        newest.or(book.first_begun()).unwrap_or(oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{book, id};
    use super::super::{Row, audit};
    use super::*;

    const SECOND: u64 = 1_000_000;

    /// Acknowledged once a second, from second 1.
    fn acked(count: u64) -> Book {
        let writes: Vec<_> = (1..=count).map(|second| (Outcome::Acked, second * SECOND)).collect();
        book(&writes)
    }

    fn all_but(count: u64, missing: &[u64]) -> Vec<Row> {
        let there = (0..count).filter(|seq| !missing.contains(seq));
        there.map(|seq| Row { id: id(seq), intact: true }).collect()
    }

    fn seconds(history: &History, book: &Book) -> Vec<f64> {
        history.recovery_points(book).iter().map(|point| point.seconds).collect()
    }

    #[test]
    fn a_write_lost_once_and_back_later_stays_lost() {
        let book = acked(10);
        let mut history = History::default();
        history.absorb(&audit(&book, Stamp(5 * SECOND), &all_but(10, &[3])));
        history.absorb(&audit(&book, Stamp(10 * SECOND), &all_but(10, &[])));
        let counts = history.counts(&book);
        assert_eq!((counts.present, counts.lost), (9, 1));
    }

    #[test]
    fn a_damaged_write_is_not_present_and_counted_once() {
        let book = acked(4);
        let mut history = History::default();
        let mut rows = all_but(4, &[1, 2]);
        rows.push(Row { id: id(1), intact: false });
        history.absorb(&audit(&book, Stamp(9 * SECOND), &rows));
        history.absorb(&audit(&book, Stamp(9 * SECOND), &all_but(4, &[1])));
        let counts = history.counts(&book);
        assert_eq!((counts.present, counts.lost, counts.corrupt), (2, 2, 1));
    }

    #[test]
    fn the_recovery_point_spans_from_the_newest_survivor_before_the_oldest_loss_to_the_newest_loss() {
        let book = acked(20);
        let mut history = History::default();
        history.became_final("kill", Stamp(30 * SECOND));
        history.absorb(&audit(&book, Stamp(30 * SECOND), &all_but(20, &[9, 12])));
        // Writes 9 and 12 were acknowledged at 10 s and 13 s; write 8 at 9 s survived.
        assert_eq!(seconds(&history, &book), [4.0]);
    }

    #[test]
    fn a_loss_belongs_to_the_first_experiment_that_became_final_after_it() {
        let book = acked(30);
        let mut history = History::default();
        history.became_final("first", Stamp(10 * SECOND));
        history.became_final("second", Stamp(20 * SECOND));
        history.absorb(&audit(&book, Stamp(25 * SECOND), &all_but(30, &[9, 14, 15, 24])));
        // Acknowledged at 10 s: first, the newest survivor being 9 s. At 15 s and 16 s: second. At 25 s, after
        // every experiment: the last one's as well, which stretches its span.
        assert_eq!(seconds(&history, &book), [1.0, 11.0]);
    }

    #[test]
    fn a_loss_belongs_to_the_first_experiment_whose_audit_missed_it() {
        // Write 4 was acknowledged at 5 s. Each row: the audits in order (the experiment that became final at
        // 10 s, 20 s, 30 s before it, or none; whether the audit was completed; whether it found the write) and
        // the experiment that is charged.
        type Audits = &'static [(Option<&'static str>, bool, bool)];
        let cases: [(Audits, &str); 7] = [
            (&[(Some("a"), true, false), (Some("b"), true, false)], "a"),
            (&[(Some("a"), true, true), (Some("b"), true, false)], "b"),
            (&[(Some("a"), true, true), (Some("b"), true, true), (Some("c"), true, false)], "c"),
            (&[(Some("a"), true, true), (Some("b"), true, true), (None, true, false)], "b"),
            (&[(Some("a"), false, true), (Some("b"), true, false)], "a"),
            (&[(Some("a"), true, true), (Some("b"), false, true), (None, true, false)], "b"),
            (&[(Some("a"), true, true), (Some("b"), true, false), (Some("c"), true, true)], "b"),
        ];
        let book = acked(40);
        for (audits, charged) in cases {
            let mut history = History::default();
            for (&(experiment, completed, found), at) in audits.iter().zip([10, 20, 30]) {
                if let Some(experiment) = experiment {
                    history.became_final(experiment, Stamp(at * SECOND));
                }
                if completed {
                    let missing: &[u64] = if found { &[] } else { &[4] };
                    history.absorb(&audit(&book, Stamp(at * SECOND), &all_but(40, missing)));
                }
            }
            let hit: Vec<_> =
                history.recovery_points(&book).into_iter().filter(|point| point.seconds > 0.0).collect();
            let expected = [RecoveryPoint { experiment: charged.to_owned(), seconds: 1.0 }];
            assert_eq!(hit, expected, "{audits:?}");
        }
    }

    #[test]
    fn the_span_counts_from_the_first_write_when_nothing_before_survived() {
        let book = acked(3);
        let mut history = History::default();
        history.became_final("kill", Stamp(9 * SECOND));
        history.absorb(&audit(&book, Stamp(9 * SECOND), &all_but(3, &[0, 1])));
        assert_eq!(seconds(&history, &book), [1.0]);
    }

    #[test]
    fn an_experiment_audited_twice_keeps_what_it_cost() {
        let book = acked(30);
        let mut history = History::default();
        history.became_final("kill", Stamp(10 * SECOND));
        history.absorb(&audit(&book, Stamp(10 * SECOND), &all_but(30, &[4])));
        history.became_final("kill", Stamp(20 * SECOND));
        assert_eq!(seconds(&history, &book), [1.0]);
    }

    #[test]
    fn no_loss_is_a_recovery_point_of_zero() {
        let book = acked(3);
        let mut history = History::default();
        history.became_final("kill", Stamp(2 * SECOND));
        history.absorb(&audit(&book, Stamp(9 * SECOND), &all_but(3, &[])));
        assert_eq!(seconds(&history, &book), [0.0]);
    }
}
