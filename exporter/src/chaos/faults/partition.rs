//! The fault `network_partition`: network policies let nothing in or out of pods, or keep two groups of them apart.
//!
//! Policies only add up, so those that would let traffic of pods through that are cut off from everybody are made
//! narrower meanwhile, where the trial allows that. Whether the network enforces policies at all, and on open
//! connections too, nobody tells: the canaries do ([`super::canary`]). What two groups send each other is not seen
//! from here: that they are apart, only failed probes can tell.

mod found;
mod heal;
mod proof;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use self::found::{Found, Wanted, meeting, targets};
pub use self::heal::Heal;
use self::proof::{Proof, REFUSED, Standing, proven, stand};
use super::api::{self, Asked, Failure, Place};
use super::canary::Canary;
use super::policies::{NARROWED, Narrowed, POD_NAME, mark, policy};
use super::quorum::Servers;
use super::{Ending, Means, Outcome, Scene};
use crate::chaos::guard::{Obstacle, Refusal};
use crate::chaos::journal::Intent;
use crate::chaos::step;
use crate::clock::Moment;
use crate::cluster::Target;
use crate::cluster::kubernetes::{Kubernetes, MANAGER};
use crate::trial::{NetworkPartition, Requirement, Whom};

/// How long it may take to look for whoever has come to a group meanwhile.
const LOOK_BACK: Duration = Duration::from_secs(10);

/// Pods are cut off.
#[derive(Debug, Clone)]
pub struct Partition {
    cluster: Kubernetes,
    place: Place,
    wanted: Wanted,
    found: Found,
    /// The longest wait for an answer of the API server, and for the cut to take effect.
    pub(super) timeout: Duration,
    watched: Arc<Mutex<Watched>>,
}

/// What shows later whether pods are cut off.
#[derive(Debug, Default)]
struct Watched {
    /// Open since before the cut.
    canaries: Vec<Canary>,
    /// How the pods stood then.
    standing: Option<Standing>,
}

/// Finds the pods, and whether they can be cut off and seen to be.
pub(super) async fn resolve(
    fault: &NetworkPartition,
    means: Means<'_>,
) -> Result<(Vec<Target>, Partition), Refusal> {
    let cluster = api::cluster(means)?;
    let whom = match &fault.whom {
        Whom::Primary(_) => Requirement::equals(POD_NAME, api::primary(means)?.as_str()),
        Whom::Pods(requirement) => requirement.clone(),
    };
    let asked = Asked { timeout: fault.timeout };
    let place = api::searched(means, &cluster, asked).await?;
    let (from, replace_policies) = (fault.from.clone(), fault.replace_policies);
    let servers = Servers::of_several(means.stores);
    let wanted = Wanted { whom, from, replace_policies, servers, port: fault.port };
    let (found, standing) = wanted.find(&cluster, asked).await?;
    let (timeout, watched, targets) = (fault.timeout, Arc::default(), found.targets.clone());
    let partition = Partition { cluster, place, wanted, found, timeout, watched };
    partition.send_canaries(standing).await?;
    Ok((targets, partition))
}

/// How the pods are told: a pod of a StatefulSet by its name.
fn pods_of(whom: &Requirement) -> String {
    let text = whom.to_string();
    text.strip_prefix(POD_NAME).and_then(|rest| rest.strip_prefix('=')).map_or(text.clone(), str::to_owned)
}

impl Partition {
    pub(super) fn undo(&self) -> Heal {
        Heal {
            place: self.place.clone(),
            whom: pods_of(&self.wanted.whom),
            cuts: self.found.cuts.iter().map(|cut| cut.suffix.to_owned()).collect(),
            narrowed: self.found.narrowed.clone(),
            timeout_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
        }
    }

    pub(super) fn check(&self) -> Option<String> {
        let addresses: Vec<String> = self.found.addresses.iter().map(ToString::to_string).collect();
        let to = addresses.join(", ");
        (!to.is_empty()).then(|| format!("no new connection to {to}, and nothing through one that was open"))
    }

    /// Whether it is still allowed, the pods the same, and their traffic seen from here: an open connection from
    /// before the cut is what shows it later.
    pub(super) async fn survey(&self, targets_then: &[Target]) -> Result<(), Refusal> {
        let asked = Asked { timeout: self.timeout };
        api::opted_in(&self.cluster, asked).await?;
        let (now, standing) = self.wanted.find(&self.cluster, asked).await?;
        let others = |of: &Requirement| Err(Refusal::Obstacle(Obstacle::Others { selector: of.to_string() }));
        if now.targets != targets_then {
            return others(&self.wanted.whom);
        }
        if let Some(from) = self.wanted.from.as_ref().filter(|_| now.others != self.found.others) {
            return others(from);
        }
        if now != self.found {
            return Err(Refusal::Obstacle(Obstacle::Changed { pods: pods_of(&self.wanted.whom) }));
        }
        self.send_canaries(standing).await
    }

    /// Whether nobody has come to the two groups since they were found, where there are two: whoever has is kept apart by
    /// label, but not where a network goes by addresses.
    pub(super) async fn held(&self, targets_then: &[Target]) -> Result<(), String> {
        let Some(from) = &self.wanted.from else { return Ok(()) };
        for (group, then) in [(&self.wanted.whom, targets_then), (from, self.found.others.as_slice())] {
            let here = self.members(group).await.map_err(|refusal| refusal.to_string())?;
            let came: Vec<String> =
                here.iter().filter(|it| !then.contains(it)).map(Target::to_string).collect();
            if !came.is_empty() {
                let came = came.join(", ");
                return Err(format!("{came} came to {group} meanwhile, and may not have been kept apart"));
            }
        }
        Ok(())
    }

    /// The pods of a group, asked for again while nobody answers.
    async fn members(&self, group: &Requirement) -> Result<Vec<Target>, Refusal> {
        let limit = Instant::now() + LOOK_BACK;
        loop {
            match meeting(&self.cluster, Asked { timeout: LOOK_BACK }, group).await {
                Ok(pods) => return Ok(targets(&pods).unwrap_or_default()),
                Err(Refusal::Obstacle(Obstacle::NoneMeet { .. })) => return Ok(Vec::new()),
                Err(refusal) if Instant::now() >= limit => return Err(refusal),
                Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        }
    }

    /// A server may have ended a connection on which nothing was said to it: it would show nothing after the cut. One
    /// that cannot be opened anew is told of by the look.
    async fn renew_canaries(&self) {
        let mut watched = self.watched.lock().await;
        for renewed in join_all(watched.canaries.iter_mut().map(Canary::renew)).await {
            if let Err(error) = renewed {
                tracing::warn!(%error, "open a connection to a pod that is to be cut off");
            }
        }
    }

    async fn send_canaries(&self, standing: Option<Standing>) -> Result<(), Refusal> {
        let sent = join_all(self.found.addresses.iter().map(|address| async move {
            Canary::open(*address).await.map_err(|error| {
                let (pod, address) = (pods_of(&self.wanted.whom), address.to_string());
                Refusal::Obstacle(Obstacle::Unseen { pod, address, reason: error.to_string() })
            })
        }));
        let sent: Result<Vec<Canary>, Refusal> = sent.await.into_iter().collect();
        *self.watched.lock().await = Watched { canaries: sent?, standing };
        Ok(())
    }

    pub(super) async fn inject(&self, scene: Scene<'_>, begun: &mut (dyn FnMut(Moment) + Send)) -> Outcome {
        self.renew_canaries().await;
        let start = scene.clock.now();
        begun(start);
        step!("inject_started");
        let done = tokio::time::timeout(self.timeout, self.apply(scene)).await;
        step!("inject_ended");
        let ending = ending(done, self.timeout);
        Outcome { start, end: scene.clock.now(), ending, told: vec![("request", self.to_string())] }
    }

    async fn apply(&self, scene: Scene<'_>) -> Result<(), Failure> {
        let policies = self.cluster.here::<NetworkPolicy>();
        let by = PostParams { field_manager: Some(MANAGER.to_owned()), dry_run: false };
        for cut in &self.found.cuts {
            let name = policy_name(scene.intent, cut.suffix);
            let made = policies.create(&by, &policy(name.clone(), &scene.intent.run, cut.spec.clone())).await;
            made.map_err(|error| Failure::of(&format!("make NetworkPolicy {name}"), &error))?;
        }
        for narrowed in &self.found.narrowed {
            let mark = mark(&mark_of(scene.intent), narrowed);
            let change = json!({
                "metadata": {"resourceVersion": narrowed.version, "uid": narrowed.uid,
                    "annotations": {NARROWED: mark}},
                "spec": {"podSelector": narrowed.after},
            });
            patch(&policies, &narrowed.name, &change).await?;
        }
        Ok(())
    }

    /// One look at the canaries, of `limit` at most.
    pub(super) async fn look(&self, scene: Scene<'_>, limit: Duration) -> Result<Outcome, String> {
        let start = scene.clock.now();
        let mut watched = self.watched.lock().await;
        let Watched { canaries, standing } = &mut *watched;
        if canaries.is_empty() {
            return Err("no connection was open before the cut".to_owned());
        }
        let look = async {
            let seen = join_all(canaries.iter_mut().map(Canary::look)).await;
            let proof = proven(&seen).map_err(str::to_owned)?;
            self.are_there_still(&scene.intent.targets, proof, standing.as_ref()).await
        };
        let ending = match tokio::time::timeout(limit, look).await {
            Ok(Ok(())) => Ending::Done,
            Ok(Err(reason)) => Ending::Failed(reason),
            Err(_) => Ending::OutOfTime("the canaries were not back yet".to_owned()),
        };
        Ok(Outcome { start, end: scene.clock.now(), ending, told: Vec::new() })
    }

    /// The connections to a pod that has gone are lost without any cut, and one whose server has gone refuses them.
    async fn are_there_still(
        &self,
        targets_then: &[Target],
        proof: Proof,
        standing: Option<&Standing>,
    ) -> Result<(), String> {
        let pods = meeting(&self.cluster, Asked { timeout: self.timeout }, &self.wanted.whom).await;
        let pods = pods.map_err(|refusal| refusal.to_string())?;
        if targets(&pods).is_none_or(|now| now != targets_then) {
            return Err(Obstacle::Others { selector: self.wanted.whom.to_string() }.to_string());
        }
        match proof {
            Proof::Refusal if !stand(standing, &pods) => Err(REFUSED.to_owned()),
            Proof::Refusal | Proof::Silence => Ok(()),
        }
    }
}

/// The name of a policy of one experiment: whoever puts it back knows it without having seen it made.
fn policy_name(intent: &Intent, suffix: &str) -> String {
    format!("{MANAGER}-{}{suffix}", mark_of(intent))
}

/// What tells one experiment from all others.
fn mark_of(intent: &Intent) -> String {
    format!("{}-{}", intent.token, intent.id)
}

async fn patch(policies: &Api<NetworkPolicy>, name: &str, change: &serde_json::Value) -> Result<(), Failure> {
    let by = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    let patched = policies.patch(name, &by, &Patch::Merge(change)).await;
    patched.map(drop).map_err(|error| Failure::of(&format!("change NetworkPolicy {name}"), &error))
}

fn ending(done: Result<Result<(), Failure>, tokio::time::error::Elapsed>, limit: Duration) -> Ending {
    match done {
        Ok(Ok(())) => Ending::Done,
        Ok(Err(failure)) => failure.into_ending(),
        Err(_) => Ending::Unanswered(format!("not done within {}", humantime::format_duration(limit))),
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wanted.from {
            None => write!(f, "cut {} off by a NetworkPolicy", pods_of(&self.wanted.whom))?,
            Some(from) => {
                write!(f, "keep {} and {from} apart by NetworkPolicies", pods_of(&self.wanted.whom))?;
            }
        }
        about(f, ", meanwhile without it", &self.found.narrowed)
    }
}

fn about(f: &mut fmt::Formatter<'_>, what: &str, narrowed: &[Narrowed]) -> fmt::Result {
    if narrowed.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = narrowed.iter().map(|policy| policy.name.as_str()).collect();
    write!(f, "{what}: {}", names.join(", "))
}
