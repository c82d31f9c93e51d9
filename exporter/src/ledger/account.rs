//! One store's ledger: its record on disk and in memory, its audits so far, its series.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::LedgerError;
use super::audit::History;
use super::metrics::{Metrics, StoreMetrics};
use super::record::log::{Broken, Log};
use super::record::{Book, Outcome, Stamp, WriteId, line};
use super::stores::{Dataset, Store};
use crate::clock::Clock;
use crate::trial::{Ledger, Trial};

/// The ledger of one store.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) run: String,
    pub(super) store: Store,
    pub(super) metrics: StoreMetrics,
    /// Writers; the worker after the last of them writes the data set.
    pub(super) writers: u32,
    /// Writes a second of all writers together.
    pub(super) rate: f64,
    /// Keys of the data set that the trial wants.
    pub(super) dataset: u32,
    pub(super) history: Mutex<History>,
    clock: Clock,
    log: Log,
    book: Mutex<Book>,
    broken: OnceLock<String>,
}

impl Account {
    /// Opens the record of `ledger` in `dir`. What an earlier process of the run left under way is indeterminate.
    pub(super) fn open(
        trial: &Trial,
        ledger: &Ledger,
        run: &str,
        clock: Clock,
        metrics: &Metrics,
        dir: &Path,
    ) -> Result<Self, LedgerError> {
        let (name, endpoint) = {
            let store = trial.store(ledger.store);
            (store.name.as_str().to_owned(), &store.endpoint)
        };
        let store = Store::new(endpoint, ledger.wait_replicas)
            .map_err(|source| LedgerError::Store { store: name.clone(), source })?;
        let (log, mut book) = Log::open(&dir.join(format!("ledger-{name}.log")), run, &name)
            .map_err(|source| LedgerError::Record { store: name.clone(), source })?;
        book.abandon(Stamp::of(&clock, clock.now()));
        let metrics =
            metrics.store(&name, trial.experiments.iter().map(|experiment| experiment.name.as_str()));
        book.all_ended().for_each(|(_, end)| metrics.write_ended(end.outcome));
        Ok(Self {
            run: run.to_owned(),
            store,
            metrics,
            writers: u32::try_from(ledger.writers.get()).unwrap_or(u32::MAX - 1),
            rate: ledger.rate.per_second(),
            dataset: ledger.dataset,
            history: Mutex::default(),
            clock,
            log,
            book: Mutex::new(book),
            broken: OnceLock::new(),
            name,
        })
    }

    /// Puts the beginning of `worker`'s next write on record. Only then may it be sent.
    pub(super) async fn begin(&self, worker: u32) -> Result<WriteId, Broken> {
        let at = self.stamp();
        let id = self.book().begin(worker, at);
        if let Err(broken) = self.log.append(line::begin(id, at)).await {
            // It will not be sent.
            self.book().end(id, Outcome::Refused, at);
            return Err(self.give_up(broken));
        }
        Ok(id)
    }

    /// Puts the end of a write on record.
    pub(super) async fn end(&self, id: WriteId, outcome: Outcome) -> Result<(), Broken> {
        let at = self.stamp();
        let recorded = self.log.append(line::end(id, outcome, at)).await;
        self.book().end(id, outcome, at);
        self.metrics.write_ended(outcome);
        recorded.map_err(|broken| self.give_up(broken))
    }

    /// Makes the record so far survive the machine.
    pub(super) async fn sync(&self) -> Result<(), Broken> {
        self.log.sync().await.map_err(|broken| self.give_up(broken))
    }

    /// Why the record is incomplete, if it is.
    pub(super) fn broken(&self) -> Option<&str> {
        self.broken.get().map(String::as_str)
    }

    pub(super) fn stamp(&self) -> Stamp {
        Stamp::of(&self.clock, self.clock.now())
    }

    pub(super) fn stamp_of(&self, moment: crate::clock::Moment) -> Stamp {
        Stamp::of(&self.clock, moment)
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The worker that writes the data set.
    pub(super) fn dataset_worker(&self) -> u32 {
        self.writers
    }

    /// The data set as far as it was attempted.
    pub(super) fn dataset_attempted(&self) -> Option<Dataset> {
        let worker = self.dataset_worker();
        let attempted = self.book().lengths().nth(worker as usize).unwrap_or_default() as u64;
        (attempted > 0).then_some(Dataset { worker, attempted })
    }

    fn give_up(&self, broken: Broken) -> Broken {
        if self.broken.set(broken.reason.clone()).is_ok() {
            tracing::error!(
                store = self.name,
                reason = broken.reason,
                "the ledger's record cannot be written: its writers stop and its audits are incomplete"
            );
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;
    use std::time::Duration;

    use prometheus::Registry;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::ledger::summary::AuditResult;
    use crate::ledger::{auditor, writers};
    use crate::trial::{Endpoint, RedisAddress};

    fn on_a_full_disk() -> Arc<Account> {
        let endpoint = Endpoint::Redis(RedisAddress::parse("redis://127.0.0.1:1").expect("an address"));
        let metrics = Metrics::register(&Registry::new()).expect("registers");
        Arc::new(Account {
            name: "redis".to_owned(),
            run: "run-1".to_owned(),
            store: Store::new(&endpoint, 0).expect("endpoint"),
            metrics: metrics.store("redis", std::iter::empty()),
            writers: 1,
            rate: 1000.0,
            dataset: 0,
            history: Mutex::default(),
            clock: Clock::start(),
            log: Log::over(File::options().append(true).open("/dev/full").expect("device")),
            book: Mutex::default(),
            broken: OnceLock::new(),
        })
    }

    #[tokio::test]
    async fn a_full_disk_stops_the_writers_and_makes_every_audit_incomplete() {
        let account = on_a_full_disk();
        writers::write(Arc::clone(&account), 0, CancellationToken::new()).await;
        let unsent = account.book().ended(WriteId { worker: 0, seq: 0 }).map(|end| end.outcome);
        assert_eq!(unsent, Some(Outcome::Refused), "what is not on record is not sent");
        let summary = auditor::run(Arc::clone(&account), None, account.stamp()).await;
        let AuditResult::Incomplete { reason } = summary.result else { panic!("{summary:?}") };
        assert!(reason.contains("No space left"), "{reason}");
    }

    #[tokio::test]
    async fn a_record_that_broke_while_the_store_was_read_is_compared_with_nothing() {
        let account = on_a_full_disk();
        writers::write(Arc::clone(&account), 0, CancellationToken::new()).await;
        let judged = auditor::judge(&account, account.stamp(), Vec::new()).await;
        let reason = judged.err().unwrap_or_default();
        assert!(reason.contains("No space left"), "{reason}");
    }

    #[tokio::test]
    async fn an_audit_judges_no_write_that_ended_after_it_began() {
        let account = on_a_full_disk();
        writers::write(Arc::clone(&account), 0, CancellationToken::new()).await;
        let later = account.stamp_of(account.clock.now().later_by(Duration::from_mins(1)));
        let summary = auditor::run(Arc::clone(&account), None, later).await;
        let (until, begun) = (summary.until_timestamp_seconds, summary.begun_timestamp_seconds);
        assert!(until <= begun, "{until} is after {begun}");
    }
}
