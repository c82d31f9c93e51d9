//! What a ledger needs in a store, and how it is removed again.

use std::collections::BTreeMap;

use super::LedgerError;
use super::stores::postgres::{self, Removed};
use super::stores::{Store, StoreError};
use crate::trial::Trial;

/// Which runs' writes are removed.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// One run's.
    Run(&'a str),
    /// All runs', and the table itself.
    All,
}

/// SQL for a database whose owner prepares it by hand: the table, and what `role` must be allowed to do.
/// The role itself is made by the SQL of the probes.
pub fn sql(role: &str) -> String {
    let (table, role) = (postgres::TABLE, role.replace('"', "\"\""));
    format!("-- The ledger.\n{table}GRANT SELECT, INSERT, DELETE ON ordeal_ledger TO \"{role}\";\n")
}

/// Makes the table in each PostgreSQL of the trial's ledgers, where it is not there yet.
pub async fn ensure_schema(trial: &Trial) -> Result<(), LedgerError> {
    for (name, store) in stores(trial)? {
        if let Store::Postgres(store) = &store {
            store.ensure_schema().await.map_err(|source| LedgerError::Store { store: name, source })?;
        }
    }
    Ok(())
}

/// Removes what runs wrote, from every store of the trial's ledgers. A table of another owner is emptied only:
/// those are returned, each as `store: table`.
pub async fn cleanup(trial: &Trial, scope: Scope<'_>) -> Result<Vec<String>, LedgerError> {
    let run = match scope {
        Scope::Run(run) => Some(run),
        Scope::All => None,
    };
    let mut emptied = Vec::new();
    for (name, store) in stores(trial)? {
        let removed = match &store {
            Store::Postgres(store) => store.cleanup(run).await,
            Store::Redis(store) => store.cleanup(run).await.map(|()| Removed::Gone),
        };
        match removed {
            Ok(Removed::Gone) => {}
            Ok(Removed::Emptied) => emptied.push(format!("{name}: ordeal_ledger")),
            Err(source) => return Err(LedgerError::Store { store: name, source }),
        }
    }
    Ok(emptied)
}

fn stores(trial: &Trial) -> Result<BTreeMap<String, Store>, LedgerError> {
    let open = |ledger: &crate::trial::Ledger| {
        let store = trial.store(ledger.store);
        let name = store.name.as_str().to_owned();
        let failed = |source: StoreError| LedgerError::Store { store: name.clone(), source };
        let opened = Store::new(&store.endpoint, ledger.wait_replicas).map_err(failed)?;
        Ok((name, opened))
    };
    trial.ledgers.iter().map(open).collect()
}
