//! Makes the role and the database that shop, probes and ledgers use.

use std::sync::Arc;
use std::time::Duration;

use super::Lab;
use crate::ask;
use crate::layout::{DATABASE, ROLE};

/// Tries until it is done.
pub(super) async fn prepare(lab: Arc<Lab>) {
    loop {
        match make().await {
            Ok(true) => break,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot make the database yet");
            }
        }
        // A moment between two attempts, so that a store that comes up is not kept busy with being asked.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tracing::info!(database = DATABASE, role = ROLE, "database is there");
    lab.database_ready.send_replace(true);
}

async fn make() -> Result<bool, tokio_postgres::Error> {
    let Ok(primary) = ask::postgres_primary().await else { return Ok(false) };
    let Some(client) = ask::postgres(primary, "postgres").await else { return Ok(false) };
    // pg_monitor lets checks of replication see all of it.
    let role = format!(
        "DO $$ BEGIN CREATE ROLE {ROLE} LOGIN IN ROLE pg_monitor; EXCEPTION WHEN duplicate_object THEN END $$"
    );
    client.batch_execute(&role).await?;
    let there = client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&DATABASE]).await?;
    if there.is_none() {
        client.batch_execute(&format!("CREATE DATABASE {DATABASE} OWNER {ROLE}")).await?;
    }
    Ok(true)
}
