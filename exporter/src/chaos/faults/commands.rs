//! The fault `exec`: a command that finds the targets, one that breaks them, and where there are such, one that
//! shows that they are broken and one that puts them back.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::exec::{self, ExecError, Gated, Identity, Spec, TAIL};
use super::leftover::{self, LeftoverError};
use super::output::SHOWN_LINES;
use super::{InjectError, Outcome, Scene, Trace};
use crate::chaos::guard::Refusal;
use crate::chaos::journal::{Durability, Entry, JournalError, Step};
use crate::chaos::plan::{TargetsError, targets};
use crate::chaos::putback::unix_ms;
use crate::chaos::step;
use crate::clock::{Clock, Moment};
use crate::cluster::Target;
use crate::errors::chain;
use crate::trial::{ExecFault, Secrets};

/// The longest list of targets, in bytes: it must fit in an environment variable.
const TARGETS: usize = 64 << 10;

/// The commands of a fault whose targets are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
    /// Breaks the targets.
    pub inject: String,
    /// Shows that the fault took effect, if there is such a command.
    pub bit: Option<String>,
    /// Puts it back; `None`: the system heals on its own.
    pub revert: Option<String>,
    /// Time limit of each command.
    pub timeout: Duration,
}

/// What puts the fault back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mend {
    /// The command.
    pub command: String,
    /// Its time limit, in milliseconds.
    pub timeout_ms: u64,
}

/// Why a command could not be noted before it was let go.
#[derive(Debug, Error)]
enum NoteError {
    /// Its process group could not be told apart from later ones.
    #[error(transparent)]
    Leader(#[from] LeftoverError),
    /// The journal could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Asks the target command of `fault`.
pub(super) async fn resolve(
    fault: &ExecFault,
    clock: &Clock,
    secrets: &Secrets,
) -> Result<(Vec<Target>, Commands), Refusal> {
    let unknown = |reason: String| Refusal::TargetUnknown { reason };
    let spec = Spec {
        command: fault.target.clone(),
        directory: None,
        identity: None,
        timeout: fault.timeout,
        keep: TARGETS,
    };
    let ran = exec::run(&spec, clock).await.map_err(|error| unknown(chain(&error)))?;
    if let Some(reason) = ran.outcome(secrets).failure() {
        return Err(unknown(reason.to_owned()));
    }
    if ran.stdout.overflowed {
        return Err(unknown(format!("it printed more than {TARGETS} bytes")));
    }
    let output = String::from_utf8(ran.stdout.bytes).map_err(|error| unknown(error.to_string()))?;
    match targets(&output) {
        Ok(targets) => Ok((targets.into_iter().map(Target::named).collect(), Commands::of(fault))),
        Err(TargetsError::Empty) => {
            let said = ran.stderr.last_lines(SHOWN_LINES, secrets).replace('\n', " | ");
            Err(Refusal::NoTarget { said })
        }
        Err(error) => Err(unknown(error.to_string())),
    }
}

impl Commands {
    /// Those of `fault` that come after the target command.
    pub fn of(fault: &ExecFault) -> Self {
        let ExecFault { inject, bit, revert, timeout, .. } = fault.clone();
        Self { inject, bit, revert, timeout }
    }

    pub(super) fn mend(&self) -> Option<Mend> {
        let timeout_ms = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        self.revert.clone().map(|command| Mend { command, timeout_ms })
    }

    pub(super) async fn inject(
        &self,
        scene: Scene<'_>,
        begun: &mut (dyn FnMut(Moment) + Send),
    ) -> Result<Outcome, InjectError> {
        let gated = gate(scene, Step::Inject, &self.inject, self.timeout).await;
        let gated = gated.map_err(InjectError::NotBegun)?;
        // Once the gate is open the command may act before we come to say so.
        begun(scene.clock.now());
        let running = gated.open(scene.clock).await;
        let running = running.map_err(|error| InjectError::Failed(chain(&error)))?;
        step!("inject_started");
        let ran = running.finish().await;
        step!("inject_ended");
        ran.map(|ran| ran.outcome(scene.secrets)).map_err(|error| InjectError::Failed(chain(&error)))
    }

    pub(super) async fn look(&self, scene: Scene<'_>, limit: Duration) -> Result<Outcome, String> {
        let command = self.bit.as_ref().ok_or("it has no `bit` command")?;
        let gated = gate(scene, Step::Bit, command, limit).await?;
        let running = gated.open(scene.clock).await.map_err(|error| chain(&error))?;
        step!("bit_started");
        let ran = running.finish().await.map_err(|error| chain(&error))?;
        Ok(ran.outcome(scene.secrets))
    }
}

impl Mend {
    pub(super) async fn attempt(&self, scene: Scene<'_>) -> Result<Outcome, ExecError> {
        let gated = spawn(scene, Step::Revert, &self.command, Duration::from_millis(self.timeout_ms))?;
        // A revert must not be held back by a journal that cannot be written (the disk may be full): its process
        // group is then unknown to whoever comes next, who runs the revert again.
        if let Err(error) = note(scene, Step::Revert, &gated).await {
            let experiment = &scene.intent.experiment;
            tracing::warn!(experiment, error = chain(&error), "note the start of a revert");
        }
        let running = gated.open(scene.clock).await?;
        step!("revert_started");
        Ok(running.finish().await?.outcome(scene.secrets))
    }
}

/// A command of the experiment that waits at its gate, noted in the journal.
async fn gate(scene: Scene<'_>, step: Step, command: &str, timeout: Duration) -> Result<Gated, String> {
    let gated = spawn(scene, step, command, timeout).map_err(|error| chain(&error))?;
    let noted = note(scene, step, &gated).await;
    noted.map_err(|error| chain(&error)).map(|()| gated)
}

fn spawn(scene: Scene<'_>, step: Step, command: &str, timeout: Duration) -> Result<Gated, ExecError> {
    let intent = scene.intent;
    Gated::spawn(&Spec {
        command: command.to_owned(),
        directory: Some(intent.directory.clone()),
        identity: Some(Identity {
            run: intent.run.clone(),
            experiment: intent.experiment.clone(),
            token: intent.token.clone(),
            step,
            targets: intent.targets.iter().map(|target| target.name().to_owned()).collect(),
        }),
        timeout,
        keep: TAIL,
    })
}

/// Notes a command that waits at its gate. A power cut ends the command too, so the kernel's word is enough.
async fn note(scene: Scene<'_>, step: Step, gated: &Gated) -> Result<(), NoteError> {
    let trace = Trace::Process(leftover::identify(gated.group())?);
    let at_unix_ms = unix_ms(scene.clock, scene.clock.now());
    let started = Entry::Started { id: scene.intent.id, step, trace, at_unix_ms };
    Ok(scene.journal.append(started, Durability::Kernel).await?)
}
