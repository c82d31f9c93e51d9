//! The audit against a model that follows the definitions word for word, over made records and readings.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Audit, History, Row, audit};
use crate::ledger::record::{Book, Outcome, Stamp, WriteCounts, WriteId};

const WORKERS: u32 = 3;

/// A write as the model knows it: `None` while under way.
type Write = (WriteId, Option<(Outcome, Stamp)>);

fn outcome() -> impl Strategy<Value = Option<Outcome>> {
    prop_oneof![
        4 => Just(Some(Outcome::Acked)),
        1 => Just(Some(Outcome::Refused)),
        1 => Just(Some(Outcome::Indeterminate)),
        1 => Just(None),
    ]
}

fn record() -> impl Strategy<Value = (Book, Vec<Write>)> {
    let write = (0..WORKERS, 0u64..100, 0u64..20, outcome());
    prop::collection::vec(write, 0..60).prop_map(|made| {
        let mut book = Book::default();
        let mut writes = Vec::new();
        for (worker, begun, took, outcome) in made {
            let id = book.begin(worker, Stamp(begun));
            let end = outcome.map(|outcome| (outcome, Stamp(begun + took)));
            if let Some((outcome, at)) = end {
                book.end(id, outcome, at);
            }
            writes.push((id, end));
        }
        (book, writes)
    })
}

fn reading() -> impl Strategy<Value = Vec<Row>> {
    let row = (0..=WORKERS, 0u64..25, prop::bool::weighted(0.9))
        .prop_map(|(worker, seq, intact)| Row { id: WriteId { worker, seq }, intact });
    prop::collection::vec(row, 0..80)
}

fn by_definition(writes: &[Write], until: Stamp, rows: &[Row]) -> Audit {
    let found = |id: WriteId| rows.iter().filter(|row| row.id == id).count();
    let damaged = |id: WriteId| rows.iter().any(|row| row.id == id && !row.intact);
    let attempted = |id: WriteId| writes.iter().any(|write| write.0 == id);
    let ended = |id: WriteId, wanted: Outcome| {
        writes.iter().any(|&(of, end)| of == id && end.is_some_and(|(is, at)| is == wanted && at <= until))
    };
    let ids: BTreeSet<WriteId> =
        writes.iter().map(|write| write.0).chain(rows.iter().map(|row| row.id)).collect();
    let all = |rule: &dyn Fn(WriteId) -> bool| ids.iter().copied().filter(|&id| rule(id)).collect::<Vec<_>>();
    let count = |outcome| all(&|id| ended(id, outcome)).len() as u64;
    Audit {
        until,
        writes: WriteCounts {
            acked: count(Outcome::Acked),
            refused: count(Outcome::Refused),
            indeterminate: count(Outcome::Indeterminate),
        },
        present: all(&|id| ended(id, Outcome::Acked) && found(id) > 0 && !damaged(id)).len() as u64,
        lost: all(&|id| ended(id, Outcome::Acked) && found(id) == 0),
        recovered: all(&|id| ended(id, Outcome::Indeterminate) && found(id) > 0),
        resurrected: all(&|id| ended(id, Outcome::Refused) && found(id) > 0),
        unexpected: all(&|id| !attempted(id) && found(id) > 0),
        duplicate: all(&|id| found(id) > 1),
        corrupt: all(&|id| attempted(id) && damaged(id)),
    }
}

/// The recovery points by their definition: for each experiment the span of the losses it owns.
fn spans_by_definition(
    writes: &[Write],
    first_begun: u64,
    lost: &BTreeSet<WriteId>,
    finals: &[u64],
) -> Vec<u64> {
    let acked_at = |id: &WriteId| {
        writes.iter().find(|write| write.0 == *id).and_then(|write| write.1).map(|end| end.1.0)
    };
    let losses: Vec<u64> = lost.iter().filter_map(acked_at).collect();
    let survivors = writes.iter().filter_map(|&(id, end)| match end {
        Some((Outcome::Acked, at)) if !lost.contains(&id) => Some(at.0),
        _ => None,
    });
    let survivors: Vec<u64> = survivors.collect();
    let owner = |at: u64| finals.iter().position(|&end| end >= at).unwrap_or(finals.len() - 1);
    let span = |index: usize| {
        let own = || losses.iter().copied().filter(|&at| owner(at) == index);
        let (Some(oldest), Some(newest)) = (own().min(), own().max()) else { return 0 };
        let floor = survivors.iter().copied().filter(|&at| at < oldest).max();
        newest - floor.unwrap_or(first_begun)
    };
    (0..finals.len()).map(span).collect()
}

proptest! {
    #[test]
    fn an_audit_is_what_the_definitions_say((book, writes) in record(), rows in reading(), until in 0u64..120) {
        let until = Stamp(until);
        prop_assert_eq!(audit(&book, until, &rows), by_definition(&writes, until, &rows));
    }

    #[test]
    fn the_classes_of_acknowledged_writes_add_up((book, writes) in record(), rows in reading(), until in 0u64..120) {
        let found = audit(&book, Stamp(until), &rows);
        let acked = |id: &&WriteId| writes.iter().any(|&(of, end)| {
            of == **id && matches!(end, Some((Outcome::Acked, at)) if at <= Stamp(until))
        });
        let damaged = found.corrupt.iter().filter(acked).count() as u64;
        prop_assert_eq!(found.present + found.lost.len() as u64 + damaged, found.writes.acked);
    }

    #[test]
    fn later_audits_never_make_anything_better(
        (book, _) in record(),
        readings in prop::collection::vec((reading(), 0u64..120), 1..5),
    ) {
        let mut history = History::default();
        let mut before = history.counts(&book);
        for (rows, until) in readings {
            let one = audit(&book, Stamp(until), &rows);
            history.absorb(&one);
            let (now, one) = (history.counts(&book), one.counts());
            prop_assert!(now.lost >= before.lost.max(one.lost));
            prop_assert!(now.resurrected >= before.resurrected.max(one.resurrected));
            prop_assert!(now.unexpected >= before.unexpected.max(one.unexpected));
            prop_assert!(now.duplicate >= before.duplicate.max(one.duplicate));
            prop_assert!(now.corrupt >= before.corrupt.max(one.corrupt));
            before = now;
        }
    }

    #[test]
    fn recovery_points_are_the_spans_that_the_definition_gives(
        (book, writes) in record(),
        rows in reading(),
        finals in prop::collection::btree_set(0u64..120, 1..4),
    ) {
        let finals: Vec<u64> = finals.into_iter().collect();
        let rows: Vec<Row> = rows.into_iter().map(|row| Row { intact: true, ..row }).collect();
        let found = audit(&book, Stamp(1000), &rows);
        let mut history = History::default();
        for at in &finals {
            history.became_final(&format!("at-{at}"), Stamp(*at));
        }
        history.absorb(&found);
        let lost: BTreeSet<WriteId> = found.lost.iter().copied().collect();
        let first_begun = book.first_begun().unwrap_or_default().0;
        let spans: Vec<f64> = history.recovery_points(&book).iter().map(|point| point.seconds).collect();
        let expected = spans_by_definition(&writes, first_begun, &lost, &finals);
        prop_assert_eq!(spans, expected.iter().map(|&micros| micros as f64 / 1e6).collect::<Vec<_>>());
    }
}
