//! Finds out what an experiment would hit. Reads only: `load-exporter plan` does this and nothing else.

use super::faults;
use super::guard::Refusal;
use super::plan::Plan;
use crate::clock::Clock;
use crate::trial::{Experiment, Name};

/// Resolves the targets of `experiment`; `components` are the names of the trial's components.
pub async fn resolve(experiment: &Experiment, components: &[Name], clock: &Clock) -> Result<Plan, Refusal> {
    let (targets, action) = faults::resolve(&experiment.fault, clock).await?;
    Ok(Plan::new(experiment, components, targets, action))
}
