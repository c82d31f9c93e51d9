//! The audit of a million writes: it must take less than 2 s, so that it never holds up a run.

use criterion::{Criterion, criterion_group, criterion_main};
use exporter::ledger::audit::{History, Row, audit};
use exporter::ledger::record::{Book, Outcome, Stamp, WriteId};

const WORKERS: u32 = 8;
const WRITES: u64 = 1_000_000;

/// One write a millisecond; every 100th ended unknown, every 1000th refused, and the rows of a thousandth are gone.
fn made() -> (Book, Vec<Row>) {
    let mut book = Book::default();
    let mut rows = Vec::new();
    for number in 0..WRITES {
        let worker = u32::try_from(number % u64::from(WORKERS)).unwrap_or_default();
        let id = book.begin(worker, Stamp(number * 1000));
        let outcome = match number {
            _ if number % 1000 == 7 => Outcome::Refused,
            _ if number % 100 == 3 => Outcome::Indeterminate,
            _ => Outcome::Acked,
        };
        book.end(id, outcome, Stamp(number * 1000 + 700));
        if outcome == Outcome::Acked && number % 1000 != 1 {
            rows.push(Row { id, intact: true });
        }
    }
    rows.sort_unstable_by_key(|row: &Row| row.id);
    (book, rows)
}

fn a_million_writes(criterion: &mut Criterion) {
    let (book, rows) = made();
    let until = Stamp(WRITES * 1000);
    let mut group = criterion.benchmark_group("ledger");
    group.sample_size(10);
    group.bench_function("audit of 1 000 000 writes, 1000 of them lost", |bencher| {
        bencher.iter(|| {
            let found = audit(&book, until, &rows);
            let mut history = History::default();
            history.became_final("kill", Stamp(WRITES * 500));
            history.became_final("partition", until);
            history.absorb(&found);
            let points = history.recovery_points(&book);
            assert_eq!((found.lost.len(), points.len()), (1000, 2));
            (history.counts(&book), points)
        });
    });
    let nothing: Vec<Row> = Vec::new();
    group.bench_function("audit of 1 000 000 writes, all of them lost", |bencher| {
        bencher.iter(|| {
            let found = audit(&book, until, &nothing);
            let mut history = History::default();
            history.became_final("kill", until);
            history.absorb(&found);
            assert!(found.lost.contains(&WriteId { worker: 0, seq: 0 }));
            (history.counts(&book), history.recovery_points(&book))
        });
    });
    group.finish();
}

criterion_group!(benches, a_million_writes);
criterion_main!(benches);
