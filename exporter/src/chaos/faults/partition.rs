//! The fault `network_partition`: network policies let nothing in or out of pods, or keep two groups of them apart.
//!
//! Policies only add up, so those that would let traffic of pods through that are cut off from everybody are made
//! narrower meanwhile, where the trial allows that. Whether the network enforces policies at all, and on open
//! connections too, nobody tells: the canaries do ([`super::canary`]). What two groups send each other is not seen
//! from here: that they are apart, only failed probes can tell.

mod heal;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::Mutex;

pub use self::heal::Heal;
use super::api::{self, Asked, Failure, Place};
use super::canary::Canary;
use super::policies::{Cut, Narrowed, POD_NAME, Side, apart, cut_off, letting_through, narrowed, policy};
use super::{Ending, Means, Outcome, Scene};
use crate::chaos::guard::{Obstacle, Refusal};
use crate::chaos::journal::Intent;
use crate::chaos::step;
use crate::clock::Moment;
use crate::cluster::Target;
use crate::cluster::kubernetes::{Kubernetes, MANAGER};
use crate::trial::{NetworkPartition, Requirement, Whom};

/// Pods are cut off.
#[derive(Debug, Clone)]
pub struct Partition {
    cluster: Kubernetes,
    place: Place,
    whom: Requirement,
    from: Option<Requirement>,
    /// Where the canaries go; none where the pods are cut off from some only.
    addresses: Vec<SocketAddr>,
    cuts: Vec<Cut>,
    narrowed: Vec<Narrowed>,
    /// The longest wait for an answer of the API server, and for the cut to take effect.
    pub(super) timeout: Duration,
    /// Open since before the cut.
    canaries: Arc<Mutex<Vec<Canary>>>,
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
    let place = api::opted_in(&cluster, asked).await?;
    let pods = meeting(&cluster, asked, &whom).await?;
    let policies = cluster.here::<NetworkPolicy>();
    let policies = asked.of("list the network policies", policies.list(&ListParams::default())).await?.items;
    let (cuts, narrowed, addresses) = if let Some(from) = &fault.from {
        let others = meeting(&cluster, asked, from).await?;
        let cuts = apart(cluster.namespace(), &side(&whom, &pods), &side(from, &others), &policies);
        let told = |policies| Obstacle::Said { pods: format!("{whom} or {from}"), policies };
        (cuts.map_err(|policies| Refusal::Obstacle(told(policies)))?, Vec::new(), Vec::new())
    } else {
        let open = letting_through(policies, &side(&whom, &pods).labels);
        if !open.is_empty() && !fault.replace_policies {
            let policies = open.iter().filter_map(|policy| policy.metadata.name.clone()).collect();
            return Err(Refusal::Obstacle(Obstacle::LetThrough { pods: pods_of(&whom), policies }));
        }
        let addresses: Option<Vec<SocketAddr>> = pods.iter().map(address).collect();
        let narrowed = open.iter().filter_map(|policy| narrowed(policy, &whom)).collect();
        (vec![cut_off(&whom)], narrowed, addresses.ok_or_else(|| none(&whom))?)
    };
    let targets = targets(&pods).ok_or_else(|| none(&whom))?;
    let (from, timeout, canaries) = (fault.from.clone(), fault.timeout, Arc::default());
    let partition = Partition { cluster, place, whom, from, addresses, cuts, narrowed, timeout, canaries };
    partition.send_canaries().await?;
    Ok((targets, partition))
}

/// The pods that meet `requirement`; there must be some.
async fn meeting(cluster: &Kubernetes, asked: Asked, requirement: &Requirement) -> Result<Vec<Pod>, Refusal> {
    let chosen = ListParams::default().labels(&requirement.to_string());
    let pods = asked.of("list the pods", cluster.here::<Pod>().list(&chosen)).await?.items;
    if pods.is_empty() { Err(none(requirement)) } else { Ok(pods) }
}

fn none(whom: &Requirement) -> Refusal {
    Refusal::Obstacle(Obstacle::NoneMeet { selector: whom.to_string() })
}

fn targets(pods: &[Pod]) -> Option<Vec<Target>> {
    let target = |pod: &Pod| {
        let (name, uid) = (pod.metadata.name.clone()?, pod.metadata.uid.clone()?);
        Some(Target::Pod { name, uid })
    };
    pods.iter().map(target).collect()
}

fn side<'a>(whom: &'a Requirement, pods: &[Pod]) -> Side<'a> {
    let labels = pods.iter().map(|pod| pod.metadata.labels.clone().unwrap_or_default());
    let labels: Vec<BTreeMap<String, String>> = labels.collect();
    Side { whom, labels, addresses: pods.iter().filter_map(ip).collect() }
}

/// How the pods are told: a pod of a StatefulSet by its name.
fn pods_of(whom: &Requirement) -> String {
    let text = whom.to_string();
    text.strip_prefix(POD_NAME).and_then(|rest| rest.strip_prefix('=')).map_or(text.clone(), str::to_owned)
}

fn ip(pod: &Pod) -> Option<IpAddr> {
    pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()
}

/// Where a pod listens, by its first port.
fn address(pod: &Pod) -> Option<SocketAddr> {
    let ports = pod.spec.as_ref()?.containers.iter().flat_map(|container| container.ports.iter().flatten());
    let tcp = ports.into_iter().find(|port| port.protocol.as_deref().unwrap_or("TCP") == "TCP")?;
    Some(SocketAddr::new(ip(pod)?, u16::try_from(tcp.container_port).ok()?))
}

impl Partition {
    pub(super) fn undo(&self) -> Heal {
        Heal {
            place: self.place.clone(),
            whom: pods_of(&self.whom),
            cuts: self.cuts.iter().map(|cut| cut.suffix.to_owned()).collect(),
            narrowed: self.narrowed.clone(),
            timeout_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
        }
    }

    pub(super) fn check(&self) -> Option<String> {
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        let to = addresses.join(", ");
        (!to.is_empty()).then(|| format!("no new connection to {to}, and nothing through one that was open"))
    }

    /// Whether it is still allowed, the pods the same, and their traffic seen from here: an open connection from
    /// before the cut is what shows it later.
    pub(super) async fn survey(&self, targets_then: &[Target]) -> Result<(), Refusal> {
        let asked = Asked { timeout: self.timeout };
        api::opted_in(&self.cluster, asked).await?;
        let pods = meeting(&self.cluster, asked, &self.whom).await?;
        if targets(&pods).is_none_or(|now| now != targets_then) {
            return Err(Refusal::Obstacle(Obstacle::Others { selector: self.whom.to_string() }));
        }
        self.send_canaries().await
    }

    async fn send_canaries(&self) -> Result<(), Refusal> {
        let sent = join_all(self.addresses.iter().map(|address| async move {
            Canary::open(*address).await.map_err(|error| {
                let (pod, address) = (pods_of(&self.whom), address.to_string());
                Refusal::Obstacle(Obstacle::Unseen { pod, address, reason: error.to_string() })
            })
        }));
        let sent: Result<Vec<Canary>, Refusal> = sent.await.into_iter().collect();
        *self.canaries.lock().await = sent?;
        Ok(())
    }

    pub(super) async fn inject(&self, scene: Scene<'_>, begun: &mut (dyn FnMut(Moment) + Send)) -> Outcome {
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
        for cut in &self.cuts {
            let name = policy_name(scene.intent, cut.suffix);
            let made = policies.create(&by, &policy(name.clone(), &scene.intent.run, cut.spec.clone())).await;
            made.map_err(|error| Failure::of(&format!("make NetworkPolicy {name}"), &error))?;
        }
        for narrowed in &self.narrowed {
            let change = json!({
                "metadata": {"resourceVersion": narrowed.version, "uid": narrowed.uid},
                "spec": {"podSelector": narrowed.after},
            });
            patch(&policies, &narrowed.name, &change).await?;
        }
        Ok(())
    }

    /// One look at the canaries, of `limit` at most.
    pub(super) async fn look(&self, scene: Scene<'_>, limit: Duration) -> Result<Outcome, String> {
        let start = scene.clock.now();
        let mut canaries = self.canaries.lock().await;
        if canaries.is_empty() {
            return Err("no connection was open before the cut".to_owned());
        }
        let looks = join_all(canaries.iter_mut().map(Canary::look));
        let ending = match tokio::time::timeout(limit, looks).await {
            Ok(seen) if seen.iter().all(|seen| seen.new_cut && seen.open_cut) => Ending::Done,
            Ok(seen) if seen.iter().all(|seen| seen.new_cut) => Ending::Failed(
                "connections that were open before live on: this network cuts only new ones".to_owned(),
            ),
            Ok(_) => {
                Ending::Failed("new connections come through: this network enforces no policies".to_owned())
            }
            Err(_) => Ending::OutOfTime("the canaries were not back yet".to_owned()),
        };
        Ok(Outcome { start, end: scene.clock.now(), ending, told: Vec::new() })
    }
}

/// The name of a policy of one experiment: whoever puts it back knows it without having seen it made.
fn policy_name(intent: &Intent, suffix: &str) -> String {
    format!("{MANAGER}-{}-{}{suffix}", intent.token, intent.id)
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
        match &self.from {
            None => write!(f, "cut {} off by a NetworkPolicy", pods_of(&self.whom))?,
            Some(from) => write!(f, "keep {} and {from} apart by NetworkPolicies", pods_of(&self.whom))?,
        }
        about(f, ", meanwhile without it", &self.narrowed)
    }
}

fn about(f: &mut fmt::Formatter<'_>, what: &str, narrowed: &[Narrowed]) -> fmt::Result {
    if narrowed.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = narrowed.iter().map(|policy| policy.name.as_str()).collect();
    write!(f, "{what}: {}", names.join(", "))
}
