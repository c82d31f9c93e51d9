//! Finds out what an experiment would hit. Reads only: `load-exporter plan` does this and nothing else.

use super::faults;
use super::faults::Means;
use super::guard::Refusal;
use super::plan::Plan;
use crate::trial::{Experiment, Name};

/// Resolves the targets of `experiment`; `components` are the names of the trial's components. What is shown of
/// the plan or the refusal has none of the secrets.
pub async fn resolve(
    experiment: &Experiment,
    components: &[Name],
    means: Means<'_>,
) -> Result<Plan, Refusal> {
    let (targets, action) = faults::resolve(&experiment.fault, means).await?;
    Ok(Plan::new(experiment, components, targets, action, means.secrets))
}
