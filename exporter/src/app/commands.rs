//! The commands that do not run a trial.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::chaos::putback::{ReplayError, Retry};
use crate::clock::Clock;
use crate::conductor::Progress;
use crate::trial::{Name, Trial};
use crate::{chaos, health, ledger};

/// Puts back what unfinished experiments of the journal in `dir` broke.
pub async fn recover(dir: &Path, progress: &Progress) -> anyhow::Result<ExitCode> {
    if !dir.exists() {
        progress.say(&format!(
            "nothing to put back: there is no {}; --dir names the run's folder",
            dir.display()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let result = chaos::putback::recover(dir, &Clock::start(), Retry::default()).await;
    let (done, error) = match result {
        Ok(done) => (done, None),
        Err(ReplayError::NotAll { ref done, .. }) => (done.clone(), result.err()),
        Err(error) => return Err(error.into()),
    };
    for fault in &done {
        progress.say(&format!("put back: {} of run {}", fault.experiment, fault.run));
    }
    let Some(error) = error else {
        if done.is_empty() {
            progress.say(&format!("nothing to put back in {}", dir.display()));
        }
        return Ok(ExitCode::SUCCESS);
    };
    progress.say("NOT everything is put back:");
    for line in error.lines() {
        progress.say(&format!("  {line}"));
    }
    Ok(ExitCode::FAILURE)
}

/// What each experiment of `trial` would do to what, and how it would be put back. Changes nothing.
pub async fn plan(trial: &Trial) -> anyhow::Result<String> {
    let components: Vec<Name> = trial.components.iter().map(|component| component.name.clone()).collect();
    let clock = Clock::start();
    let mut text = String::new();
    for experiment in &trial.experiments {
        match chaos::resolve::resolve(experiment, &components, &clock).await {
            Ok(plan) => writeln!(text, "{plan}")?,
            Err(refusal) => writeln!(text, "{}\n  would be refused: {refusal}", experiment.name)?,
        }
    }
    if trial.experiments.is_empty() {
        text.push_str("no experiments: the trial breaks nothing\n");
    }
    Ok(text)
}

/// Removes what runs left in the stores of `trial`.
pub async fn cleanup(trial: &Trial, progress: &Progress) -> anyhow::Result<ExitCode> {
    health::remove(trial).await.context("remove what probes left")?;
    ledger::cleanup(trial, ledger::Scope::All).await.context("remove what ledgers left")?;
    let stores: Vec<&str> = trial.stores.iter().map(|store| store.name.as_str()).collect();
    progress.say(&match stores.as_slice() {
        [] => "nothing to remove: the trial has no stores".to_owned(),
        stores => format!("removed what runs left in: {}", stores.join(", ")),
    });
    Ok(ExitCode::SUCCESS)
}

/// Role, tables and grants that probes and ledgers need in PostgreSQL.
pub fn sql() -> String {
    format!("{}\n{}", health::sql().trim_end(), ledger::sql())
}

/// A checked trial in one line.
pub fn summary(trial: &Trial) -> String {
    let users = trial.load.stages.iter().map(|stage| stage.users).max().unwrap_or(0);
    format!(
        "ok: {} at {}, {users} users for {}, {} tasks, {} components, {} ledgers, {} experiments",
        trial.name,
        trial.target.url.origin().ascii_serialization(),
        humantime::format_duration(trial.load.duration()),
        trial.load.tasks.len(),
        trial.components.len(),
        trial.ledgers.len(),
        trial.experiments.len()
    )
}
