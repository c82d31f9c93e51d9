//! The tables that probes and ledgers write to.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::progress::{Progress, Waiting};
use crate::trial::{Endpoint, Trial};
use crate::{health, ledger};

/// Makes the tables that probes and ledgers write to. A store that has just failed over gets a little time.
pub(super) async fn ensure_tables(
    trial: &Trial,
    abort: &CancellationToken,
    progress: &Progress,
) -> anyhow::Result<()> {
    let last = RefCell::new(None);
    let tries = async {
        loop {
            let result = ensure_tables_once(trial).await;
            match result {
                Ok(()) => return,
                Err(error) => {
                    tracing::info!(error = format!("{error:#}"), "the tables are not there yet");
                    last.replace(Some(format!(": {error:#}")));
                }
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let hint = format!(
        "are they up, and their addresses in the trial right? {} prints what a role needs",
        sql_commands(trial)
    );
    let waiting = Waiting {
        for_what: &|| format!("the stores to be prepared{}", last.borrow().as_deref().unwrap_or_default()),
        limit: Duration::from_secs(30),
        hint: &hint,
        came: "the stores are prepared",
    };
    tokio::select! {
        () = abort.cancelled() => anyhow::bail!("interrupted before the run began"),
        done = progress.await_aloud(&waiting, tries) => match done {
            Ok(()) => Ok(()),
            Err(_) => ensure_tables_once(trial).await.with_context(|| {
                let commands = sql_commands(trial);
                format!("make the tables of probes and ledgers ({commands} prints what a role needs for that)")
            }),
        },
    }
}

/// The commands that print what the roles of the trial's PostgreSQL addresses need.
fn sql_commands(trial: &Trial) -> String {
    let roles: BTreeSet<String> = trial
        .stores
        .iter()
        .filter_map(|store| match &store.endpoint {
            Endpoint::Postgres(address) => address.config("").get_user().map(str::to_owned),
            Endpoint::Redis(_) => None,
        })
        .collect();
    let commands: Vec<String> =
        roles.iter().map(|role| format!("`load-exporter sql --role {role}`")).collect();
    if commands.is_empty() { "`load-exporter sql`".to_owned() } else { commands.join(", ") }
}

async fn ensure_tables_once(trial: &Trial) -> anyhow::Result<()> {
    health::ensure(trial).await?;
    ledger::ensure_schema(trial).await?;
    Ok(())
}
