//! The fault `pod_kill`: pods are deleted or evicted, each by its UID, so that another of its name is never hit.

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{DeleteParams, ListParams, Preconditions};
use tokio::task::JoinSet;

use super::api::{self, Asked, Evicted};
use super::pods::{Candidate, draw, obstacle, sought};
use super::quorum::{Servers, concerned, kept};
use super::{Ending, Means, Outcome, Scene};
use crate::chaos::guard::{Obstacle, Refusal};
use crate::chaos::step;
use crate::clock::Moment;
use crate::cluster::Target;
use crate::cluster::kubernetes::{Kubernetes, is_absent, reason};
use crate::trial::{KilledBy, PodKill, Pods};

/// Pods go.
#[derive(Debug, Clone)]
pub struct Kill {
    cluster: Kubernetes,
    by: KilledBy,
    /// Seconds between the signal to end and the kill.
    grace: u32,
    ignore_budgets: bool,
    /// The lot by which they were drawn, if they were.
    seed: Option<u64>,
    /// The servers of which a majority must be left.
    servers: Vec<Servers>,
    /// The longest wait for an answer of the API server, and for the pods to be gone.
    pub(super) timeout: Duration,
}

/// Why a pod was not let go.
struct Refused {
    reason: String,
    /// Whether the API server said no: else it may have carried the request out.
    answered: bool,
}

/// Finds the pods, and whether anything speaks against hitting them.
pub(super) async fn resolve(fault: &PodKill, means: Means<'_>) -> Result<(Vec<Target>, Kill), Refusal> {
    let kill = Kill {
        cluster: api::cluster(means)?,
        by: fault.by,
        grace: u32::try_from(fault.grace.as_secs()).unwrap_or(u32::MAX),
        ignore_budgets: fault.ignore_budgets,
        seed: match &fault.pods {
            Pods::Random { seed, .. } => Some(*seed),
            Pods::Primary(_) => None,
        },
        servers: Servers::of_several(means.stores),
        timeout: fault.timeout,
    };
    api::searched(means, &kill.cluster, kill.asked()).await?;
    let targets = match &fault.pods {
        Pods::Primary(_) => {
            let name = api::primary(means)?.as_str();
            let pod = kill.pod(name).await?;
            let pod = pod.ok_or_else(|| Refusal::Obstacle(Obstacle::NoPod { pod: name.to_owned() }))?;
            vec![pod.target()]
        }
        Pods::Random { selector, count, seed } => {
            let found = kill.list(ListParams::default().labels(selector.as_str())).await?;
            let sought = sought(selector.as_str(), &kill.cluster);
            let drawn = draw(found, *count, *seed, &sought).map_err(Refusal::Obstacle)?;
            drawn.iter().map(Candidate::target).collect()
        }
    };
    kill.unhindered(&targets).await?;
    Ok((targets, kill))
}

impl Kill {
    /// What shows that it took effect: a pod that was given time is there until its node says that its containers
    /// are gone. One that was not is gone at once for the API server, whatever becomes of its containers.
    pub(super) fn check(&self) -> Option<&str> {
        (self.grace > 0).then_some("the pods are gone")
    }

    /// Whether anything of the cluster speaks against hitting `targets` now.
    pub(super) async fn survey(&self, targets: &[Target]) -> Result<(), Refusal> {
        api::opted_in(&self.cluster, self.asked()).await?;
        self.unhindered(targets).await
    }

    /// Whether anything does but the namespace itself.
    async fn unhindered(&self, targets: &[Target]) -> Result<(), Refusal> {
        let mut present = Vec::with_capacity(targets.len());
        for target in targets {
            present.extend(self.pod(target.name()).await?);
        }
        let budgets = if self.ignore_budgets {
            Vec::new()
        } else {
            let budgets = self.cluster.here::<PodDisruptionBudget>();
            let all = ListParams::default();
            self.asked().of("list the disruption budgets", budgets.list(&all)).await?.items
        };
        obstacle(targets, &present, &budgets).map_or(Ok(()), |obstacle| Err(Refusal::Obstacle(obstacle)))?;
        self.leave_a_majority(targets).await
    }

    async fn leave_a_majority(&self, targets: &[Target]) -> Result<(), Refusal> {
        let gone: Vec<&str> = targets.iter().map(Target::name).collect();
        let mut living = Vec::new();
        for name in concerned(&self.servers, &gone) {
            living.extend(self.pod(name).await?.filter(|pod| pod.ready).map(|_| name));
        }
        kept(&self.servers, &gone, &living).map_err(Refusal::Obstacle)
    }

    async fn pod(&self, name: &str) -> Result<Option<Candidate>, Refusal> {
        let pods = self.cluster.here::<Pod>();
        let found = self.asked().of("read a pod", pods.get_opt(name)).await?;
        Ok(found.as_ref().and_then(Candidate::of))
    }

    async fn list(&self, which: ListParams) -> Result<Vec<Candidate>, Refusal> {
        let pods = self.cluster.here::<Pod>();
        let found = self.asked().of("list the pods", pods.list(&which)).await?;
        Ok(found.items.iter().filter_map(Candidate::of).collect())
    }

    fn asked(&self) -> Asked {
        Asked { timeout: self.timeout }
    }

    pub(super) async fn inject(&self, scene: Scene<'_>, begun: &mut (dyn FnMut(Moment) + Send)) -> Outcome {
        let start = scene.clock.now();
        begun(start);
        step!("inject_started");
        let mut requests = JoinSet::new();
        for target in scene.intent.targets.clone() {
            let kill = self.clone();
            requests
                .spawn(async move { kill.one(&target).await.map_err(|said| format!("{target}: {said}")) });
        }
        let answers = requests.join_all().await;
        step!("inject_ended");
        let refused: Vec<String> = answers.into_iter().filter_map(Result::err).collect();
        let ending = if refused.is_empty() { Ending::Done } else { Ending::Failed(refused.join("; ")) };
        Outcome { start, end: scene.clock.now(), ending, told: vec![("request", self.to_string())] }
    }

    /// One request to let a pod go. It is ours once the API server agrees, or where nobody answered.
    async fn one(&self, target: &Target) -> Result<(), String> {
        let Target::Pod { name, uid } = target else { return Err("no pod".to_owned()) };
        let asking = self.cluster.ours().ask(uid);
        match tokio::time::timeout(self.timeout, self.request(name, uid)).await {
            Ok(Ok(())) => {
                asking.granted();
                Ok(())
            }
            Ok(Err(Refused { reason, answered })) => {
                if answered {
                    asking.refused();
                }
                Err(reason)
            }
            Err(_) => Err(format!("no answer within {}", humantime::format_duration(self.timeout))),
        }
    }

    async fn request(&self, name: &str, uid: &str) -> Result<(), Refused> {
        let pods = self.cluster.here::<Pod>();
        match self.by {
            KilledBy::Delete => {
                let only = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
                let how = DeleteParams { preconditions: Some(only), ..DeleteParams::default() };
                let refused =
                    |error| Refused { reason: reason(&error), answered: !api::is_unanswered(&error) };
                pods.delete(name, &how.grace_period(self.grace)).await.map(drop).map_err(refused)
            }
            KilledBy::Evict => match api::evict(&pods, name, uid, Some(self.grace)).await {
                Evicted::Going => Ok(()),
                Evicted::NotNow { reason, answered, .. } => Err(Refused { reason, answered }),
                Evicted::Gone(reason) | Evicted::Failed(reason) => Err(Refused { reason, answered: true }),
            },
        }
    }

    /// One look whether the pods are gone, of `limit` at most.
    pub(super) async fn look(&self, scene: Scene<'_>, limit: Duration) -> Result<Outcome, String> {
        let start = scene.clock.now();
        let looked = tokio::time::timeout(limit, self.left(&scene.intent.targets)).await;
        let ending = match looked {
            Ok(Ok(left)) if left.is_empty() => Ending::Done,
            Ok(Ok(left)) => Ending::Failed(format!("still there: {}", left.join(", "))),
            Ok(Err(error)) => Ending::Failed(format!("read a pod: {}", reason(&error))),
            Err(_) => Ending::OutOfTime("read a pod: no answer".to_owned()),
        };
        Ok(Outcome { start, end: scene.clock.now(), ending, told: Vec::new() })
    }

    /// Those of `targets` that are still there.
    async fn left(&self, targets: &[Target]) -> kube::Result<Vec<String>> {
        let pods = self.cluster.here::<Pod>();
        let mut left = Vec::new();
        for target in targets {
            match pods.get_metadata(target.name()).await {
                Ok(found) if Candidate::is(&found.metadata, target) => left.push(target.to_string()),
                Ok(_) => {}
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(left)
    }
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            KilledBy::Delete => "delete",
            KilledBy::Evict => "evict",
        };
        write!(f, "{by}, {} s of grace", self.grace)?;
        if let Some(seed) = self.seed {
            write!(f, ", drawn by lot with seed {seed}")?;
        }
        if self.ignore_budgets { f.write_str(", whatever budgets allow") } else { Ok(()) }
    }
}
