//! Finds out what an experiment would hit. Reads only: `load-exporter plan` does this and nothing else.

use super::faults::exec::{self, Spec};
use super::guard::Refusal;
use super::plan::{Plan, TargetsError, targets};
use crate::clock::Clock;
use crate::errors::chain;
use crate::trial::{Experiment, Fault, Name};

/// The longest list of targets, in bytes: it must fit in an environment variable.
const TARGETS: usize = 64 << 10;

/// Resolves the targets of `experiment`; `components` are the names of the trial's components.
pub async fn resolve(experiment: &Experiment, components: &[Name], clock: &Clock) -> Result<Plan, Refusal> {
    let Fault::Exec(fault) = &experiment.fault;
    let unknown = |reason: String| Refusal::TargetUnknown { reason };
    let spec = Spec {
        command: fault.target.clone(),
        directory: None,
        identity: None,
        timeout: fault.timeout,
        keep: TARGETS,
    };
    let outcome = exec::run(&spec, clock).await.map_err(|error| unknown(chain(&error)))?;
    if !outcome.succeeded() {
        return Err(unknown(outcome.to_string()));
    }
    if outcome.stdout.overflowed {
        return Err(unknown(format!("it printed more than {TARGETS} bytes")));
    }
    let output = String::from_utf8(outcome.stdout.bytes).map_err(|error| unknown(error.to_string()))?;
    match targets(&output) {
        Ok(targets) => Ok(Plan::new(experiment, components, targets)),
        Err(TargetsError::Empty) => Err(Refusal::NoTarget),
        Err(error) => Err(unknown(error.to_string())),
    }
}
