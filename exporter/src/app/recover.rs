//! `load-exporter recover`: puts back what a run left broken that did not come to its end.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::hold::Hold;
use crate::chaos::journal::{CONFIG_MAP, FILE};
use crate::chaos::putback::{self, Known, PutBack, ReplayError, Retry};
use crate::clock::Clock;
use crate::cluster::kubernetes::Kubernetes;
use crate::conductor::Stopped;
use crate::plain::plain;
use crate::progress::Progress;
use crate::trial::{Namespace, Secrets};

/// Something is left that is not put back before a person has decided upon it.
const FOR_A_PERSON: u8 = 3;

/// Puts back what unfinished experiments of the journal in `dir` broke.
pub async fn recover(dir: &Path, progress: &Progress) -> anyhow::Result<ExitCode> {
    let journal = dir.join(FILE);
    // Whoever sees a fault in place must not be told that there is none because the folder is another.
    if !journal.try_exists().unwrap_or_else(|error| error.kind() != std::io::ErrorKind::NotADirectory) {
        progress.say(&format!(
            "no {FILE} in {}: give the working folder (--dir of the run, the parent of latest/), or, of a run on \
             Kubernetes, its namespace (--namespace), where a copy is kept",
            dir.display()
        ));
        return Ok(ExitCode::FAILURE);
    }
    let result = putback::recover(dir, &Clock::start(), Retry::default()).await;
    tell(result, &dir.display().to_string(), progress)
}

/// Puts back what unfinished experiments in `namespace` of the cluster broke, whatever machine they ran on; by commands in
/// containers, which whoever may write the journal's copy may have made up, only with `run_commands`.
pub async fn recover_namespace(
    namespace: &Namespace,
    run_commands: bool,
    progress: &Progress,
) -> anyhow::Result<ExitCode> {
    let cluster = Kubernetes::connect_to(namespace.as_str()).await?;
    let folder = PrivateFolder::make()?;
    let lost = CancellationToken::new();
    let Hold { journal, lease, .. } =
        Hold::of_cluster(cluster, &folder.0, "recover", &lost, progress).await?;
    // The trial is not at hand, so neither are its secrets.
    let (clock, secrets) = (Clock::start(), Secrets::default());
    let known = if run_commands { Known::Everything } else { Known::Nothing };
    let result = tokio::select! {
        result = putback::replay(&journal, &clock, Retry::default(), &secrets, &known) => result,
        () = lost.cancelled() => return Err(Stopped::LeaseLost.into()),
    };
    if let Some(lease) = lease {
        lease.release().await;
    }
    tell(result, &format!("ConfigMap {CONFIG_MAP} of namespace {namespace}"), progress)
}

fn tell(
    result: Result<Vec<PutBack>, ReplayError>,
    place: &str,
    progress: &Progress,
) -> anyhow::Result<ExitCode> {
    let (done, error) = match result {
        Ok(done) => (done, None),
        Err(ReplayError::NotAll { ref done, .. }) => (done.clone(), result.err()),
        Err(error) => return Err(error.into()),
    };
    for fault in &done {
        progress.say(&plain(&format!("put back: {} of run {}", fault.experiment, fault.run)));
    }
    let Some(error) = error else {
        if done.is_empty() {
            progress.say(&format!("nothing to put back in {place}"));
        }
        return Ok(ExitCode::SUCCESS);
    };
    let left = error.is_for_a_person();
    progress.say(if left {
        "NOT everything is put back, and it is for you to say what becomes of it:"
    } else {
        "NOT everything is put back:"
    });
    for line in error.lines() {
        progress.say(&plain(&format!("  {line}")));
    }
    Ok(if left { ExitCode::from(FOR_A_PERSON) } else { ExitCode::FAILURE })
}

/// A folder of this program alone, gone with it.
struct PrivateFolder(PathBuf);

impl PrivateFolder {
    fn make() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("ordeal-recover-{}", uuid::Uuid::new_v4().simple()));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("make a folder for the journal, {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "remove the journal's folder");
        }
    }
}
