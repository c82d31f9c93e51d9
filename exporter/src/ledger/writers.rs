//! The writers: a steady stream of writes to each store, for as long as the run lasts.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::record::log::Broken;
use super::record::{Outcome, WriteId};
use super::stores::{Answer, Session};
use crate::errors::chain;

/// The pause after a connection that failed: a server that is down is not helped by a storm of attempts.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

/// Keys of the data set written at once.
const DATASET_BATCH: u32 = 500;

/// Attempts at writing the data set before giving up.
const DATASET_ATTEMPTS: u32 = 20;

/// Writes until cancelled, or until the record cannot be written. Times that pass while a write hangs are skipped:
/// a writer makes one write at a time, and none is made up for.
pub(super) async fn write(account: Arc<Account>, worker: u32, cancel: CancellationToken) {
    let period =
        Duration::try_from_secs_f64(f64::from(account.writers) / account.rate).unwrap_or(Duration::MAX);
    let period = period.clamp(Duration::from_micros(100), Duration::from_hours(24));
    // Writers take turns, so that the store's writes are evenly spread.
    let turn = period.mul_f64(f64::from(worker) / f64::from(account.writers));
    let mut ticks = interval_at(Instant::now() + turn, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut writer = Writer { account, worker, session: None, failing: false };
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = ticks.tick() => {}
        }
        if writer.write_one().await.is_err() {
            break;
        }
    }
}

struct Writer {
    account: Arc<Account>,
    worker: u32,
    session: Option<Session>,
    failing: bool,
}

impl Writer {
    async fn write_one(&mut self) -> Result<(), Broken> {
        let account = Arc::clone(&self.account);
        let id = account.begin(self.worker).await?;
        let answer = match connected(&account, &mut self.session).await {
            Ok(session) => session.write(&account.run, id).await,
            Err(refused) => refused,
        };
        account.end(id, answer.outcome).await?;
        if answer.outcome != Outcome::Acked && self.session.take().is_none() {
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
        self.tell(&answer);
        Ok(())
    }

    /// Logs the turn for the worse and the turn for the better, not each write.
    fn tell(&mut self, answer: &Answer) {
        let failing = answer.outcome != Outcome::Acked;
        if failing == self.failing {
            return;
        }
        self.failing = failing;
        let (store, worker, outcome) = (&self.account.name, self.worker, answer.outcome.label());
        if failing {
            let reason = answer.reason.as_deref();
            tracing::info!(store, worker, outcome, reason, "ledger writes fail");
        } else {
            tracing::info!(store, worker, "ledger writes are acknowledged again");
        }
    }
}

/// The open session, or a fresh one; a write that never had a connection was never sent.
async fn connected<'a>(
    account: &Account,
    session: &'a mut Option<Session>,
) -> Result<&'a mut Session, Answer> {
    if !session.as_ref().is_some_and(Session::is_open) {
        *session = None;
        let fresh = account.store.connect().await;
        let fresh =
            fresh.map_err(|error| Answer { outcome: Outcome::Refused, reason: Some(chain(&error)) })?;
        return Ok(session.insert(fresh));
    }
    session.as_mut().ok_or(Answer { outcome: Outcome::Refused, reason: None })
}

/// Writes the data set: as many acknowledged keys as the trial wants. A batch that was not acknowledged is not
/// repeated; others are written in its place.
pub(super) async fn write_dataset(account: &Account) -> Result<(), String> {
    let mut missing = account.dataset;
    let mut session = None;
    let mut last = String::new();
    for _ in 0..DATASET_ATTEMPTS {
        while missing > 0 {
            let ids = begin_batch(account, missing.min(DATASET_BATCH))
                .await
                .map_err(|broken| broken.to_string())?;
            let answer = match connected(account, &mut session).await {
                Ok(session) => session.write_dataset(&account.run, &ids).await,
                Err(refused) => refused,
            };
            for &id in &ids {
                account.end(id, answer.outcome).await.map_err(|broken| broken.to_string())?;
            }
            if answer.outcome != Outcome::Acked {
                last = answer.reason.unwrap_or_default();
                session = None;
                break;
            }
            missing = missing.saturating_sub(DATASET_BATCH);
        }
        if missing == 0 {
            return Ok(());
        }
        tokio::time::sleep(RECONNECT_PAUSE).await;
    }
    Err(last)
}

async fn begin_batch(account: &Account, count: u32) -> Result<Vec<WriteId>, Broken> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(account.begin(account.dataset_worker()).await?);
    }
    Ok(ids)
}
