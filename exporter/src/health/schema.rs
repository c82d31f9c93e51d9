//! What the probes and the watch of instances need in the stores: two tables, or a few keys.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use super::probe::{driven, redis as keys};
use super::server::postgres::{APPLICATION, rows};
use super::server::redis::{converse, socket_of};
use super::server::{Trouble, socket};
use crate::trial::{ComponentKind, Endpoint, PostgresAddress, RedisAddress, Store, Trial};

const WITHIN: Duration = Duration::from_secs(10);

const TABLES: [(&str, &str); 2] = [
    (
        "ordeal_probe",
        "CREATE TABLE IF NOT EXISTS ordeal_probe (component text NOT NULL, slot integer NOT NULL, \
         token bigint NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (component, slot))",
    ),
    (
        "ordeal_instance",
        "CREATE TABLE IF NOT EXISTS ordeal_instance (instance text PRIMARY KEY, \
         token bigint NOT NULL, at timestamptz NOT NULL DEFAULT now())",
    ),
];

/// Why a store could not be prepared or cleaned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// PostgreSQL did not do it.
    #[error("prepare or clean the tables of store {0}")]
    Tables(String, #[source] tokio_postgres::Error),
    /// Redis did not do it.
    #[error("remove the keys of store {0}")]
    Keys(String, #[source] redis::RedisError),
    /// Redis could not be reached.
    #[error("connect to store {0}: {1}")]
    Connect(String, String),
    /// No answer in time.
    #[error("prepare or clean store {0} within {1:?}")]
    Slow(String, Duration),
}

/// The SQL that makes `role`, the tables and the grants: for databases where the exporter's role may not
/// create tables.
pub fn sql(role: &str) -> String {
    let tables = TABLES.map(|(_, create)| create).join(";\n");
    let (literal, role) = (quoted(role, '\''), quoted(role, '"'));
    format!(
        "-- Everything here may be run again.\n\
         DO $ordeal$ BEGIN\n    \
         IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal}) THEN CREATE ROLE {role} LOGIN; END IF;\n\
         END $ordeal$;\n\
         -- Probes and the watch of instances. DELETE is for the command cleanup.\n\
         {tables};\n\
         GRANT SELECT, INSERT, UPDATE, DELETE ON ordeal_probe, ordeal_instance TO {role};\n\
         -- Components of kind members read pg_stat_replication and pg_stat_wal_receiver.\n\
         GRANT pg_monitor TO {role};\n"
    )
}

/// `text` between two of `quote`, of which those inside are doubled.
fn quoted(text: &str, quote: char) -> String {
    let doubled = text.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}

/// Creates the tables that are missing.
pub async fn ensure(trial: &Trial) -> Result<(), Error> {
    for store in &trial.stores {
        if let Endpoint::Postgres(address) = &store.endpoint {
            limited(store, in_postgres(store, address, create)).await?;
        }
    }
    Ok(())
}

/// Removes the tables and keys. Tables of another owner are emptied only: those are returned, each as
/// `store: table`.
pub async fn remove(trial: &Trial) -> Result<Vec<String>, Error> {
    let mut emptied = Vec::new();
    for (index, store) in trial.stores.iter().enumerate() {
        match &store.endpoint {
            Endpoint::Postgres(address) => {
                let tables = limited(store, in_postgres(store, address, remove_tables)).await?;
                emptied.extend(tables.into_iter().map(|table| format!("{}: {table}", store.name)));
            }
            Endpoint::Redis(address) => limited(store, remove_keys(trial, index, address)).await?,
        }
    }
    Ok(emptied)
}

async fn limited<T>(store: &Store, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(WITHIN, work).await.unwrap_or_else(|_| Err(Error::Slow(store.name.to_string(), WITHIN)))
}

async fn in_postgres<T>(
    store: &Store,
    address: &PostgresAddress,
    work: impl AsyncFnOnce(Client) -> Result<T, tokio_postgres::Error>,
) -> Result<T, Error> {
    let name = || store.name.to_string();
    let config = address.config(APPLICATION);
    let (client, connection) = config.connect(NoTls).await.map_err(|error| Error::Tables(name(), error))?;
    driven(connection, work(client)).await.map_err(|error| Error::Tables(name(), error))
}

/// Looks first: CREATE TABLE IF NOT EXISTS wants the right to create even where the table is there.
async fn create(client: Client) -> Result<(), tokio_postgres::Error> {
    for (table, create) in TABLES {
        let there = client.simple_query(&format!("SELECT to_regclass('{table}')")).await?;
        if rows(there) == [[None]] {
            client.batch_execute(create).await?;
        }
    }
    Ok(())
}

/// The tables that are another's, who alone may drop them; whoever has the grants of [`sql`] empties those.
async fn remove_tables(client: Client) -> Result<Vec<&'static str>, tokio_postgres::Error> {
    let mut emptied = Vec::new();
    for (table, _) in TABLES {
        match client.batch_execute(&format!("DROP TABLE IF EXISTS {table}")).await {
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                client.batch_execute(&format!("DELETE FROM {table}")).await?;
                emptied.push(table);
            }
            dropped => dropped?,
        }
    }
    Ok(emptied)
}

async fn remove_keys(trial: &Trial, store: usize, address: &RedisAddress) -> Result<(), Error> {
    let name = || trial.stores[store].name.to_string();
    let probed = trial.components.iter().filter(
        |component| matches!(component.kind, ComponentKind::Store { store: probed } if probed.get() == store),
    );
    let mut keys: Vec<String> = probed
        .flat_map(|component| (0..keys::KEYS).map(|slot| keys::key(component.name.as_str(), slot)))
        .collect();
    let store = &trial.stores[store];
    keys.extend(
        store.instances.iter().map(|instance| super::instances::key(&super::instance_id(store, instance))),
    );
    if keys.is_empty() {
        return Ok(());
    }
    let command: Vec<&str> = std::iter::once("DEL").chain(keys.iter().map(String::as_str)).collect();
    let unconnected = |trouble: Trouble| Error::Connect(name(), trouble.to_string());
    let socket = socket::connect(&socket_of(address)).await.map_err(unconnected)?;
    converse(socket, address.info(), &[&command]).await.map(drop).map_err(|error| Error::Keys(name(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sql_makes_the_role_the_tables_and_the_grants() {
        let sql = sql("app");
        for part in [
            "CREATE ROLE \"app\"",
            "= 'app'",
            "ordeal_probe (",
            "ordeal_instance (",
            "GRANT pg_monitor TO \"app\"",
        ] {
            assert!(sql.contains(part), "{part} is not in {sql}");
        }
    }
}
