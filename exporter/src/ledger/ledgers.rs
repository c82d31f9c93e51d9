//! All ledgers of a run: what the conductor calls.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::Registry;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::metrics::Metrics;
use super::record::Stamp;
use super::record::log::{Broken, OpenError};
use super::stores::StoreError;
use super::summary::AuditSummary;
use super::{auditor, writers};
use crate::clock::{Clock, Moment};
use crate::trial::Trial;

/// What stops a ledger from working.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The record on disk cannot be used.
    #[error("opening the ledger of {store}")]
    Record {
        /// The store.
        store: String,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// The record on disk cannot be written any more.
    #[error("keeping the ledger of {store}")]
    Broken {
        /// The store.
        store: String,
        /// Why.
        #[source]
        source: Broken,
    },
    /// The store cannot be used.
    #[error("preparing the ledger in {store}")]
    Store {
        /// The store.
        store: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The data set could not be written.
    #[error("writing the data set to {store}: {reason}")]
    Dataset {
        /// The store.
        store: String,
        /// The last answer.
        reason: String,
    },
    /// A family could not be registered.
    #[error("registering the ledger's metrics")]
    Metrics(#[source] prometheus::Error),
}

/// The ledgers of a run, one a store.
#[derive(Debug)]
pub struct Ledgers {
    accounts: Vec<Arc<Account>>,
    writers: Mutex<JoinSet<()>>,
    stop: CancellationToken,
}

impl Ledgers {
    /// Opens the records in `dir`, and registers every series at zero; no writer starts yet.
    pub fn open(
        trial: &Trial,
        run: &str,
        clock: Clock,
        registry: &Registry,
        dir: &Path,
    ) -> Result<Self, LedgerError> {
        let metrics = Metrics::register(registry).map_err(LedgerError::Metrics)?;
        let open = |ledger| Account::open(trial, ledger, run, clock, &metrics, dir).map(Arc::new);
        let accounts = trial.ledgers.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { accounts, writers: Mutex::default(), stop: CancellationToken::new() })
    }

    /// Starts the writers. They stop at [`Self::stop_writers`].
    pub fn start_writers(&self) {
        let mut tasks = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        for account in &self.accounts {
            for worker in 0..account.writers {
                tasks.spawn(writers::write(Arc::clone(account), worker, self.stop.clone()));
            }
        }
    }

    /// Writes the data set of each store that has one. To be awaited before the first fault.
    pub async fn prepare_dataset(&self) -> Result<(), LedgerError> {
        for account in self.accounts.iter().filter(|account| account.dataset > 0) {
            let failed = |reason| LedgerError::Dataset { store: account.name.clone(), reason };
            writers::write_dataset(account).await.map_err(failed)?;
        }
        Ok(())
    }

    /// The stores' names.
    pub fn stores(&self) -> impl Iterator<Item = &str> {
        self.accounts.iter().map(|account| account.name.as_str())
    }

    /// Writes that `store` acknowledged after `from`, up to and including `to`.
    pub fn acked_between(&self, store: &str, from: Moment, to: Moment) -> u64 {
        let own = self.accounts.iter().filter(|account| account.name == store);
        own.map(|account| account.book().acked_between(account.stamp_of(from), account.stamp_of(to))).sum()
    }

    /// Audits every store after `experiment` became final at `at`: the writes that had ended by then. Writers go on.
    pub async fn audit_after(&self, experiment: &str, at: Moment) -> Vec<AuditSummary> {
        self.audit(Some(experiment), |account| account.stamp_of(at)).await
    }

    /// Stops the writers and waits for their writes to end, a few seconds at most.
    pub async fn stop_writers(&self) {
        self.stop.cancel();
        let mut tasks = std::mem::take(&mut *self.writers.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }

    /// Stops the writers and audits everything.
    pub async fn final_audit(&self) -> Vec<AuditSummary> {
        self.stop_writers().await;
        self.audit(None, Account::stamp).await
    }

    /// Makes the records so far survive the machine: called at the ends of phases.
    pub async fn sync(&self) -> Result<(), LedgerError> {
        for account in &self.accounts {
            let failed = |source| LedgerError::Broken { store: account.name.clone(), source };
            account.sync().await.map_err(failed)?;
        }
        Ok(())
    }

    async fn audit(&self, experiment: Option<&str>, until: impl Fn(&Account) -> Stamp) -> Vec<AuditSummary> {
        let audit = |account: &Arc<Account>| {
            let (account, until) = (Arc::clone(account), until(account));
            let running = auditor::run(Arc::clone(&account), experiment.map(str::to_owned), until);
            (account, until, tokio::spawn(running))
        };
        let running: Vec<_> = self.accounts.iter().map(audit).collect();
        let mut summaries = Vec::new();
        for (account, until, audit) in running {
            let summary = audit.await.unwrap_or_else(|error| {
                let reason = format!("the audit ended without a result: {error}");
                auditor::without_result(&account, experiment.map(str::to_owned), until, reason)
            });
            summaries.push(summary);
        }
        summaries
    }
}
