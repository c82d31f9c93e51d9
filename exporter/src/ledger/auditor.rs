//! Audits a store: reads everything back, compares it with the record, and says what came of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::account::Account;
use super::audit::{Audit, Row, audit};
use super::record::{Book, Stamp};
use super::stores::StoreError;
use super::summary::{AuditResult, AuditSummary, Completed};
use crate::errors::chain;

/// Reading back may take this long, retries and all.
const LIMIT: Duration = Duration::from_mins(1);

/// The pause before reading is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Audits the writes that had ended by `until`. `experiment` is the one that just became final.
pub(super) async fn run(account: Arc<Account>, experiment: Option<String>, until: Stamp) -> AuditSummary {
    let begun = account.stamp();
    // A write is only owed to this reading if it was acknowledged before the reading began.
    let until = until.min(begun);
    if let Some(experiment) = &experiment {
        account.history().became_final(experiment, until);
    }
    let judged = read_and_judge(&account, until).await;
    let summary = AuditSummary::new(&account.name, experiment, until, begun, account.stamp(), judged);
    tell(&account, &summary);
    summary
}

async fn read_and_judge(account: &Arc<Account>, until: Stamp) -> Result<Completed, String> {
    whole(account)?;
    let rows = read_back(account).await.map_err(|error| chain(&error))?;
    judge(account, until, rows).await
}

/// A record with holes shows nothing.
fn whole(account: &Account) -> Result<(), String> {
    account.broken().map_or(Ok(()), |reason| Err(format!("the ledger's record is incomplete: {reason}")))
}

/// An audit that could not even be made.
pub(super) fn without_result(
    account: &Account,
    experiment: Option<String>,
    until: Stamp,
    reason: String,
) -> AuditSummary {
    let now = account.stamp();
    let summary = AuditSummary::new(&account.name, experiment, until, now, now, Err(reason));
    tell(account, &summary);
    summary
}

async fn read_back(account: &Account) -> Result<Vec<Row>, StoreError> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let attempt = timeout_at(deadline, async {
            let dataset = account.dataset_attempted();
            account.store.connect().await?.read_all(&account.run, dataset).await
        });
        let error = match attempt.await {
            Ok(Ok(rows)) => return Ok(rows),
            Ok(Err(error)) => error,
            Err(_) => StoreError::TimedOut { doing: "reading the ledger back", limit: LIMIT },
        };
        if Instant::now() + RETRY_PAUSE >= deadline {
            return Err(error);
        }
        tracing::debug!(
            store = account.name,
            reason = chain(&error),
            "reading the ledger back failed, trying again"
        );
        sleep(RETRY_PAUSE).await;
    }
}

/// Compares on a thread of its own: a long run's record takes a moment. The record is taken after the reading, so
/// that whatever was read is found in it.
pub(super) async fn judge(account: &Arc<Account>, until: Stamp, rows: Vec<Row>) -> Result<Completed, String> {
    // It may have broken during the reading.
    whole(account)?;
    let book = account.book().clone();
    let account = Arc::clone(account);
    let judged = tokio::task::spawn_blocking(move || {
        let found = audit(&book, until, &rows);
        conclude(&account, &book, &found, rows.len())
    });
    judged.await.map_err(|error| format!("comparing failed: {error}"))
}

fn conclude(account: &Account, book: &Book, found: &Audit, rows: usize) -> Completed {
    let mut history = account.history();
    history.absorb(found);
    let completed = Completed::new(&history, book, found, rows, account.dataset_attempted());
    account.metrics.audit_complete(&completed.worst, &completed.recovery_points);
    completed
}

fn tell(account: &Account, summary: &AuditSummary) {
    let (store, experiment) = (&account.name, summary.experiment.as_deref());
    match &summary.result {
        AuditResult::Complete { audit: done } => tracing::info!(
            store,
            experiment,
            acked = done.writes.acked,
            present = done.found.present,
            lost = done.found.lost,
            "audit complete"
        ),
        AuditResult::Incomplete { reason } => {
            account.metrics.audit_incomplete();
            tracing::warn!(store, experiment, reason, "audit incomplete");
        }
    }
}
