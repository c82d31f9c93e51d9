//! Finds out what an experiment would hit. Reads only: `load-exporter plan` does this and nothing else.

use super::faults;
use super::guard::Refusal;
use super::plan::Plan;
use crate::clock::Clock;
use crate::trial::{Experiment, Name, Secrets};

/// Resolves the targets of `experiment`; `components` are the names of the trial's components. What is shown of
/// the plan or the refusal has none of `secrets`.
pub async fn resolve(
    experiment: &Experiment,
    components: &[Name],
    clock: &Clock,
    secrets: &Secrets,
) -> Result<Plan, Refusal> {
    let (targets, action) = faults::resolve(&experiment.fault, clock, secrets).await?;
    Ok(Plan::new(experiment, components, targets, action, secrets))
}
