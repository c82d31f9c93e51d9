//! Finds what an experiment would hit, and looks it up where it is to be replaced.

use std::time::Duration;

use super::Conductor;
use super::stranger::stranger;
use crate::chaos::driver::FaultError;
use crate::chaos::guard::Refusal;
use crate::chaos::plan::Plan;
use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::{Document, Target};
use crate::errors::chain;
use crate::health;
use crate::trial::{ComponentKind, Experiment, Name, Trial};

/// How long a document that was asked for after the targets were found may take.
const DOCUMENT_LIMIT: Duration = Duration::from_secs(3);

/// The instance that takes writes at this moment, by its own word, where `experiment` hits a store's primary.
pub async fn primary_for(
    trial: &Trial,
    experiment: &Experiment,
    cluster: Option<&Kubernetes>,
) -> Result<Option<Name>, Refusal> {
    let Some(store) = experiment.fault.primary_of() else { return Ok(None) };
    let unknown = |error| Refusal::TargetUnknown { reason: chain(&error) };
    health::primary(trial.store(store), cluster).await.map(Some).map_err(unknown)
}

impl Conductor {
    /// Finds the targets of `experiment`. Where they are to be replaced, one that the status document does not know
    /// would never be missed, and `replicas` would seem to recover at once: such an experiment is refused.
    pub(super) async fn targets(&mut self, experiment: &Experiment) -> Result<Plan, FaultError> {
        let primary = match primary_for(&self.trial, experiment, self.cluster.kubernetes.as_ref()).await {
            Ok(primary) => primary,
            Err(refusal) => return Err(self.driver.refuse(experiment.name.as_str(), refusal)),
        };
        let plan = self.driver.prepare(experiment, primary.as_ref()).await?;
        if !experiment.replaced {
            return Ok(plan);
        }
        let refusal = match self.document_from_now_on().await {
            Some(document) => stranger(&plan, &self.workloads(experiment), &document),
            None => Some(Refusal::NoDocument),
        };
        match refusal {
            None => Ok(plan),
            Some(refusal) => Err(self.driver.refuse(experiment.name.as_str(), refusal)),
        }
    }

    /// Whether what `experiment` is to hit may be hit still.
    pub(super) async fn survey(&mut self, experiment: &Experiment, plan: &Plan) -> Result<(), FaultError> {
        self.driver.survey(plan).await?;
        self.ensure_still_primary(experiment, plan).await
    }

    /// Refuses `experiment` where the pod that it is to hit is not the store's primary any more: to hit another one
    /// breaks little, and would be called a recovery.
    async fn ensure_still_primary(&mut self, experiment: &Experiment, plan: &Plan) -> Result<(), FaultError> {
        let refusal = match primary_for(&self.trial, experiment, self.cluster.kubernetes.as_ref()).await {
            Ok(primary) => primary.and_then(|primary| moved(&plan.targets, &primary)),
            Err(refusal) => Some(refusal),
        };
        refusal.map_or(Ok(()), |refusal| Err(self.driver.refuse(experiment.name.as_str(), refusal)))
    }

    /// The workloads whose replicas `experiment` awaits.
    fn workloads(&self, experiment: &Experiment) -> Vec<&str> {
        let components =
            experiment.components.iter().filter_map(|index| self.trial.components.get(index.get()));
        let workload = components.filter_map(|component| match &component.kind {
            ComponentKind::Replicas { workload, .. } => Some(workload.as_str()),
            _ => None,
        });
        workload.collect()
    }

    async fn document_from_now_on(&self) -> Option<std::sync::Arc<Document>> {
        let (now, mut feed) = (self.clock.now(), self.cluster.feed.clone());
        let asked = feed.wait_for(|status| {
            status.as_ref().is_some_and(|status| status.start >= now && status.document.is_ok())
        });
        let status = tokio::time::timeout(DOCUMENT_LIMIT, asked).await.ok()?.ok()?;
        status.as_ref().and_then(|status| status.document.as_ref().ok().cloned())
    }
}

/// Why `targets`, found as a store's primary, are not to be hit while that is `primary`.
fn moved(targets: &[Target], primary: &Name) -> Option<Refusal> {
    if targets.iter().any(|target| target.name() == primary.as_str()) {
        return None;
    }
    let was: Vec<&str> = targets.iter().map(Target::name).collect();
    let reason = format!("the primary was {}, and is {primary} by now", was.join(", "));
    Some(Refusal::TargetUnknown { reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_that_moved_is_not_hit_under_its_old_name() {
        let targets = [Target::named("postgres-0")];
        let moved_to =
            |name| moved(&targets, &Name::new(name).expect("a valid name")).map(|it| it.to_string());
        assert_eq!(moved_to("postgres-0"), None);
        let refusal = "the targets are not known: the primary was postgres-0, and is postgres-1 by now";
        assert_eq!(moved_to("postgres-1").as_deref(), Some(refusal));
    }
}
