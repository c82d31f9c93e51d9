//! Pure: what an audit found, in the form in which the run's JSON report holds it.

use serde::Serialize;

use super::audit::{Audit, Counts, History, RecoveryPoint};
use super::record::{Book, Outcome, Stamp, WriteCounts, WriteId};
use super::stores::Dataset;

/// Lost writes named in a summary.
const EXAMPLES: usize = 20;

/// One audit of one store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditSummary {
    /// The store.
    pub store: String,
    /// The experiment after which it was made; `None` for the last audit, in phase `audit`.
    pub experiment: Option<String>,
    /// Writes that had ended by then were judged.
    pub until_timestamp_seconds: f64,
    /// When reading back began.
    pub begun_timestamp_seconds: f64,
    /// How long it took.
    pub took_seconds: f64,
    /// What came of it.
    #[serde(flatten)]
    pub result: AuditResult,
}

/// What came of an audit. The tags are the values of the label `result`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "result")]
pub enum AuditResult {
    /// Everything was read back, and the record is whole.
    Complete {
        /// What was found.
        audit: Box<Completed>,
    },
    /// Not everything was, or the record has holes: it shows nothing.
    Incomplete {
        /// Why.
        reason: String,
    },
}

/// The findings of a complete audit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Completed {
    /// The writes judged, by outcome.
    pub writes: WriteCounts,
    /// Rows read.
    pub rows: u64,
    /// The classes of this audit.
    pub found: Counts,
    /// The worst of each class over the run's audits so far.
    pub worst: Counts,
    /// The data set, where there is one. Its keys are writes like others and counted among them: a missing one is
    /// lost, a damaged one corrupt.
    pub dataset: Option<DatasetSummary>,
    /// The span of what was lost, by experiment.
    pub recovery_points: Vec<RecoveryPoint>,
    /// The oldest lost writes of the run, 20 at most.
    pub lost_examples: Vec<LostWrite>,
}

/// The data set written before the first fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DatasetSummary {
    /// Keys that were acknowledged.
    pub keys: u64,
    /// Those of them that were there and undamaged in this audit.
    pub intact: u64,
}

/// An acknowledged write that was not found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LostWrite {
    /// The writer.
    pub worker: u32,
    /// Its count.
    pub seq: u64,
    /// When it was acknowledged.
    pub acked_timestamp_seconds: f64,
}

impl AuditSummary {
    pub(super) fn new(
        store: &str,
        experiment: Option<String>,
        until: Stamp,
        begun: Stamp,
        done: Stamp,
        judged: Result<Completed, String>,
    ) -> Self {
        let result = match judged {
            Ok(audit) => AuditResult::Complete { audit: Box::new(audit) },
            Err(reason) => AuditResult::Incomplete { reason },
        };
        Self {
            store: store.to_owned(),
            experiment,
            until_timestamp_seconds: until.unix_seconds(),
            begun_timestamp_seconds: begun.unix_seconds(),
            took_seconds: done.seconds_since(begun),
            result,
        }
    }
}

impl Completed {
    pub(super) fn new(
        history: &History,
        book: &Book,
        found: &Audit,
        rows: usize,
        dataset: Option<Dataset>,
    ) -> Self {
        let lost = history.lost(book);
        let example = |&(WriteId { worker, seq }, at): &(WriteId, Stamp)| LostWrite {
            worker,
            seq,
            acked_timestamp_seconds: at.unix_seconds(),
        };
        Self {
            writes: found.writes,
            rows: rows as u64,
            found: found.counts(),
            worst: history.counts(book),
            dataset: dataset.map(|dataset| DatasetSummary::new(book, found, dataset)),
            recovery_points: history.recovery_points(book),
            lost_examples: lost.iter().take(EXAMPLES).map(example).collect(),
        }
    }
}

impl DatasetSummary {
    fn new(book: &Book, found: &Audit, dataset: Dataset) -> Self {
        let id = |seq| WriteId { worker: dataset.worker, seq };
        let acked = |id: &WriteId| book.ended(*id).is_some_and(|end| end.outcome == Outcome::Acked);
        let keys: Vec<WriteId> = (0..dataset.attempted).map(id).filter(acked).collect();
        let hurt =
            |id: &WriteId| found.lost.binary_search(id).is_ok() || found.corrupt.binary_search(id).is_ok();
        let intact = keys.iter().filter(|id| !hurt(id)).count() as u64;
        Self { keys: keys.len() as u64, intact }
    }
}
