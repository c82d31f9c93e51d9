//! The fault `network_partition`: a `NetworkPolicy` lets nothing in or out of a pod.
//!
//! Policies only add up, so those that would let its traffic through are made narrower meanwhile, where the trial
//! allows that. Whether the network enforces policies at all, and on open connections too, nobody tells: the
//! canaries do ([`super::canary`]).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use super::api::{self, Asked, Failure, Place};
use super::canary::Canary;
use super::policies::{Narrowed, POD_NAME, cut, letting_through, narrowed, widened};
use super::{Ending, Means, Outcome, Scene};
use crate::chaos::guard::{Obstacle, Refusal};
use crate::chaos::journal::Intent;
use crate::chaos::step;
use crate::clock::Moment;
use crate::cluster::Target;
use crate::cluster::kubernetes::{Kubernetes, MANAGER, is_absent};
use crate::trial::NetworkPartition;

/// A pod is cut off.
#[derive(Debug, Clone)]
pub struct Partition {
    cluster: Kubernetes,
    place: Place,
    pod: String,
    /// Where the canaries go.
    address: SocketAddr,
    narrowed: Vec<Narrowed>,
    /// The longest wait for an answer of the API server, and for the cut to take effect.
    pub(super) timeout: Duration,
    /// Open since before the cut.
    canary: Arc<Mutex<Option<Canary>>>,
}

/// What lets traffic through again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heal {
    /// Where.
    pub place: Place,
    /// The pod that was cut off.
    pub pod: String,
    /// Policies that were made narrower.
    pub narrowed: Vec<Narrowed>,
    /// Time limit of an attempt, in milliseconds.
    pub timeout_ms: u64,
}

/// Finds the pod, and whether it can be cut off and seen to be.
pub(super) async fn resolve(
    fault: &NetworkPartition,
    means: Means<'_>,
) -> Result<(Vec<Target>, Partition), Refusal> {
    let cluster = api::cluster(means)?;
    let name = api::primary(means)?.to_string();
    let asked = Asked { timeout: fault.timeout };
    let place = api::opted_in(&cluster, asked).await?;
    let pod = asked.of("read a pod", cluster.here::<Pod>().get_opt(&name)).await?;
    let missing = || Refusal::Obstacle(Obstacle::NoPod { pod: name.clone() });
    let pod = pod.ok_or_else(missing)?;
    let uid = pod.metadata.uid.clone().ok_or_else(missing)?;
    let labels = pod.metadata.labels.clone().unwrap_or_default();
    if labels.get(POD_NAME) != Some(&name) {
        return Err(Refusal::Obstacle(Obstacle::Unlabelled { pod: name, label: POD_NAME.to_owned() }));
    }
    let address = address(&pod).ok_or_else(missing)?;
    let policies = cluster.here::<NetworkPolicy>();
    let all = asked.of("list the network policies", policies.list(&ListParams::default())).await?;
    let open = letting_through(all.items, &labels);
    if !open.is_empty() && !fault.replace_policies {
        let policies = open.iter().filter_map(|policy| policy.metadata.name.clone()).collect();
        return Err(Refusal::Obstacle(Obstacle::LetThrough { pod: name, policies }));
    }
    let narrowed = open.iter().filter_map(|policy| narrowed(policy, &name)).collect();
    let target = Target::Pod { name: name.clone(), uid };
    let canary = Arc::default();
    let partition =
        Partition { cluster, place, pod: name, address, narrowed, timeout: fault.timeout, canary };
    partition.send_canary().await?;
    Ok((vec![target], partition))
}

/// Where a pod listens, by its first port.
fn address(pod: &Pod) -> Option<SocketAddr> {
    let ip: IpAddr = pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()?;
    let ports = pod.spec.as_ref()?.containers.iter().flat_map(|container| container.ports.iter().flatten());
    let tcp = ports.into_iter().find(|port| port.protocol.as_deref().unwrap_or("TCP") == "TCP")?;
    Some(SocketAddr::new(ip, u16::try_from(tcp.container_port).ok()?))
}

impl Partition {
    pub(super) fn undo(&self) -> Heal {
        Heal {
            place: self.place.clone(),
            pod: self.pod.clone(),
            narrowed: self.narrowed.clone(),
            timeout_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
        }
    }

    pub(super) fn check(&self) -> String {
        format!("no new connection to {}, and nothing through one that was open", self.address)
    }

    /// Whether it is still allowed, the pod the same, and its traffic seen from here: an open connection from
    /// before the cut is what shows it later.
    pub(super) async fn survey(&self, targets: &[Target]) -> Result<(), Refusal> {
        let asked = Asked { timeout: self.timeout };
        api::opted_in(&self.cluster, asked).await?;
        let pods = self.cluster.here::<Pod>();
        let found = asked.of("read a pod", pods.get_metadata_opt(&self.pod)).await?;
        let uid = found.and_then(|found| found.metadata.uid);
        let same =
            |target: &Target| matches!(target, Target::Pod { uid: ours, .. } if uid.as_ref() == Some(ours));
        if !targets.iter().all(same) {
            return Err(Refusal::Obstacle(Obstacle::NoPod { pod: self.pod.clone() }));
        }
        self.send_canary().await
    }

    async fn send_canary(&self) -> Result<(), Refusal> {
        match Canary::open(self.address).await {
            Ok(canary) => {
                self.canary.lock().await.replace(canary);
                Ok(())
            }
            Err(error) => {
                let (pod, address) = (self.pod.clone(), self.address.to_string());
                let reason = error.to_string();
                Err(Refusal::Obstacle(Obstacle::Unseen { pod, address, reason }))
            }
        }
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
        let name = policy_name(scene.intent);
        let policy = cut(&name, &scene.intent.run, &self.pod);
        let by = PostParams { field_manager: Some(MANAGER.to_owned()), dry_run: false };
        let made = policies.create(&by, &policy).await;
        made.map_err(|error| Failure::of(&format!("make NetworkPolicy {name}"), &error))?;
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
        let mut canary = self.canary.lock().await;
        let canary = canary.as_mut().ok_or("no connection was open before the cut")?;
        let ending = match tokio::time::timeout(limit, canary.look()).await {
            Ok(seen) if seen.new_cut && seen.open_cut => Ending::Done,
            Ok(seen) if seen.new_cut => Ending::Failed(
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

/// The name of the policy of one experiment: whoever puts it back knows it without having seen it made.
fn policy_name(intent: &Intent) -> String {
    format!("{MANAGER}-{}-{}", intent.token, intent.id)
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

impl Heal {
    /// One attempt to let traffic through again.
    pub(super) async fn attempt(&self, scene: Scene<'_>) -> Outcome {
        let limit = Duration::from_millis(self.timeout_ms);
        let start = scene.clock.now();
        step!("revert_started");
        let done = tokio::time::timeout(limit, self.apply(scene)).await;
        let told = vec![("request", self.to_string())];
        Outcome { start, end: scene.clock.now(), ending: ending(done, limit), told }
    }

    /// Others first: our policy holds everything back until they stand as they stood.
    async fn apply(&self, scene: Scene<'_>) -> Result<(), Failure> {
        let policies = self.place.reach().await?.here::<NetworkPolicy>();
        for narrowed in &self.narrowed {
            widen(&policies, narrowed).await?;
        }
        let name = policy_name(scene.intent);
        match policies.delete(&name, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(Failure::of(&format!("delete NetworkPolicy {name}"), &error)),
        }
    }
}

/// Gives a policy back whom it was about; what somebody else has made of it meanwhile stays.
async fn widen(policies: &Api<NetworkPolicy>, narrowed: &Narrowed) -> Result<(), Failure> {
    let name = &narrowed.name;
    let found = policies.get_opt(name).await;
    let found = found.map_err(|error| Failure::of(&format!("read NetworkPolicy {name}"), &error))?;
    // Gone, or another one by now: whoever did that wanted it so.
    let Some(found) = found.filter(|found| found.metadata.uid.as_ref() == Some(&narrowed.uid)) else {
        return Ok(());
    };
    let about = found.spec.as_ref().and_then(|spec| spec.pod_selector.clone());
    let Some(wide) = widened(about, narrowed) else { return Ok(()) };
    // In a merge, what is left out stays; null takes it away.
    let selector = json!({"matchLabels": wide.match_labels, "matchExpressions": wide.match_expressions});
    let change = json!({
        "metadata": {"resourceVersion": found.metadata.resource_version, "uid": narrowed.uid},
        "spec": {"podSelector": selector},
    });
    patch(policies, name, &change).await
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cut pod {} off by a NetworkPolicy", self.pod)?;
        about(f, ", meanwhile without it", &self.narrowed)
    }
}

impl fmt::Display for Heal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delete the NetworkPolicy that cuts off pod {}", self.pod)?;
        about(f, ", after it is back in", &self.narrowed)
    }
}

fn about(f: &mut fmt::Formatter<'_>, what: &str, narrowed: &[Narrowed]) -> fmt::Result {
    if narrowed.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = narrowed.iter().map(|policy| policy.name.as_str()).collect();
    write!(f, "{what}: {}", names.join(", "))
}
