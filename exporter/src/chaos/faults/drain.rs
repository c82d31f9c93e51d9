//! The fault `node_drain`: as `kubectl drain` does it, with what it was kept for the return.

mod cordon;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::ListParams;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use self::cordon::Uncordon;
use super::api::{self, Asked, Evicted, Place};
use super::evictable::{Choice, Leaving, choose, is_cordoned, leaving, living, taken_elsewhere};
use super::quorum::{Servers, kept};
use super::{Ending, Means, Outcome, Scene};
use crate::chaos::guard::{Obstacle, Refusal};
use crate::chaos::journal::Intent;
use crate::chaos::step;
use crate::clock::Moment;
use crate::cluster::Target;
use crate::cluster::kubernetes::{Kubernetes, reason};
use crate::trial::NodeDrain;

/// The node that this program runs on, where its pod tells it.
const OWN_NODE: &str = "ORDEAL_NODE";
/// Time between two looks whether a pod is gone.
const GONE_PAUSE: Duration = Duration::from_millis(500);

/// A node is drained.
#[derive(Debug, Clone)]
pub struct Drain {
    cluster: Kubernetes,
    place: Place,
    fault: NodeDrain,
    node: String,
    uid: String,
    servers: Vec<Servers>,
}

/// Finds the node, and whether anything speaks against draining it.
pub(super) async fn resolve(fault: &NodeDrain, means: Means<'_>) -> Result<(Vec<Target>, Drain), Refusal> {
    let cluster = api::cluster(means)?;
    let asked = Asked { timeout: fault.timeout };
    let place = api::searched(means, &cluster, asked).await?;
    let holding = fault.holding.as_str();
    let (here, all) = (cluster.here::<Pod>(), cluster.everywhere::<Pod>());
    let held = asked.of("list the pods", here.list(&ListParams::default().labels(holding))).await?;
    let ours = asked.of("list the pods", here.list(&ListParams::default())).await?;
    let monitors = ListParams::default().labels("app.kubernetes.io/name=prometheus");
    let monitors = asked.of("list the pods of Prometheus", all.list(&monitors)).await?;
    let nodes = cluster.everywhere::<Node>();
    let nodes = asked.of("list the nodes", nodes.list(&ListParams::default())).await?;
    let own = std::env::var(OWN_NODE).ok();
    let servers = Servers::of(means.stores);
    let choice = Choice {
        held: &held.items,
        ours: &ours.items,
        monitors: &monitors.items,
        servers: &servers,
        own: own.as_deref(),
        selector: holding,
    };
    let node = choose(&nodes.items, &choice).map_err(Refusal::Obstacle)?;
    let metadata = node.metadata;
    let (node, uid) = (metadata.name.unwrap_or_default(), metadata.uid.unwrap_or_default());
    let target = Target::Node { name: node.clone(), uid: uid.clone() };
    let drain = Drain { cluster, place, fault: fault.clone(), node, uid, servers };
    let leaving = drain.unhindered().await?;
    if !means.look_only {
        drain.others_opted_in(&leaving).await?;
    }
    Ok((vec![target], drain))
}

impl Drain {
    pub(super) fn undo(&self) -> Uncordon {
        let timeout_ms = u64::try_from(self.fault.timeout.as_millis()).unwrap_or(u64::MAX);
        Uncordon { place: self.place.clone(), node: self.node.clone(), uid: self.uid.clone(), timeout_ms }
    }

    pub(super) fn check(&self) -> String {
        format!("node {} is cordoned, and what was to leave it is gone", self.node)
    }

    pub(super) fn timeout(&self) -> Duration {
        self.fault.timeout
    }

    /// Whether anything speaks against draining it now.
    pub(super) async fn survey(&self) -> Result<(), Refusal> {
        let asked = Asked { timeout: self.fault.timeout };
        api::opted_in(&self.cluster, asked).await?;
        let leaving = self.unhindered().await?;
        self.others_opted_in(&leaving).await
    }

    /// What is to leave it, if nothing but the namespaces themselves speaks against that.
    async fn unhindered(&self) -> Result<Vec<Leaving>, Refusal> {
        let asked = Asked { timeout: self.fault.timeout };
        self.still_open().await?;
        let leaving = self.leaving().await?;
        if leaving.is_empty() {
            return Err(Refusal::Obstacle(Obstacle::Empty { node: self.node.clone() }));
        }
        let here = leaving.iter().filter(|pod| pod.namespace == self.place.namespace);
        let here: Vec<&str> = here.map(|pod| pod.name.as_str()).collect();
        let pods = self.cluster.here::<Pod>();
        let pods = asked.of("list the pods", pods.list(&ListParams::default())).await?.items;
        kept(&self.servers, &here, &living(&pods)).map_err(Refusal::Obstacle)?;
        let nodes = self.cluster.everywhere::<Node>();
        let nodes = asked.of("list the nodes", nodes.list(&ListParams::default())).await?.items;
        taken_elsewhere(&leaving, &self.node, &nodes).map_err(Refusal::Obstacle)?;
        Ok(leaving)
    }

    /// One that somebody else has cordoned meanwhile would take pods again when ours is taken back.
    async fn still_open(&self) -> Result<(), Refusal> {
        let asked = Asked { timeout: self.fault.timeout };
        let found = asked.of("read the node", self.cluster.everywhere::<Node>().get_opt(&self.node)).await?;
        let node = self.node.clone();
        match found.filter(|found| found.metadata.uid.as_ref() == Some(&self.uid)) {
            None => Err(Refusal::Obstacle(Obstacle::NodeGone { node })),
            Some(found) if is_cordoned(&found) => Err(Refusal::Obstacle(Obstacle::Cordoned { node })),
            Some(_) => Ok(()),
        }
    }

    async fn leaving(&self) -> Result<Vec<Leaving>, Refusal> {
        let asked = Asked { timeout: self.fault.timeout };
        let pods = self.cluster.everywhere::<Pod>();
        let on_it = ListParams::default().fields(&format!("spec.nodeName={}", self.node));
        let pods = asked.of("list the pods of the node", pods.list(&on_it)).await?;
        leaving(&pods.items, &self.fault, self.cluster.namespace()).map_err(Refusal::Obstacle)
    }

    /// Whether the namespaces of those of other services let themselves be broken too.
    async fn others_opted_in(&self, leaving: &[Leaving]) -> Result<(), Refusal> {
        let asked = Asked { timeout: self.fault.timeout };
        let others: BTreeSet<&str> = leaving.iter().map(|pod| pod.namespace.as_str()).collect();
        for other in others.into_iter().filter(|it| *it != self.cluster.namespace()) {
            api::other_opted_in(&self.cluster, other, asked).await?;
        }
        Ok(())
    }

    pub(super) async fn inject(&self, scene: Scene<'_>, begun: &mut (dyn FnMut(Moment) + Send)) -> Outcome {
        let start = scene.clock.now();
        begun(start);
        step!("inject_started");
        let until = Instant::now() + self.fault.timeout;
        let done = self.apply(scene.intent, until).await;
        step!("inject_ended");
        let (ending, evicted) = match done {
            Ok(evicted) => (Ending::Done, evicted),
            Err(ending) => (ending, String::new()),
        };
        let told = vec![("request", self.to_string()), ("evicted", evicted)];
        Outcome { start, end: scene.clock.now(), ending, told }
    }

    /// Cordons, evicts, and waits until all that is to leave is gone; says who that was.
    async fn apply(&self, intent: &Intent, until: Instant) -> Result<String, Ending> {
        let close = cordon::close(&self.cluster, &self.node, &self.uid, intent);
        let silent = |_| Ending::OutOfTime(format!("cordon node {}: no answer", self.node));
        tokio::time::timeout_at(until, close).await.map_err(silent)??;
        // Once nobody else comes.
        let silent = |_| Ending::OutOfTime(format!("list the pods of node {}: no answer", self.node));
        let willing = async {
            let leaving = self.leaving().await?;
            self.others_opted_in(&leaving).await.map(|()| leaving)
        };
        let leaving = tokio::time::timeout_at(until, willing).await.map_err(silent)?;
        let leaving = leaving.map_err(|refusal| Ending::Failed(refusal.to_string()))?;
        let mut evictions = JoinSet::new();
        for pod in leaving.clone() {
            evictions.spawn(evict(self.cluster.clone(), pod, until));
        }
        let left: Vec<String> = evictions.join_all().await.into_iter().filter_map(Result::err).collect();
        if !left.is_empty() {
            let left = left.join("; ");
            if Instant::now() < until {
                return Err(Ending::Failed(format!("not drained: {left}")));
            }
            let limit = humantime::format_duration(self.fault.timeout);
            return Err(Ending::OutOfTime(format!("not drained within {limit}: {left}")));
        }
        let names: Vec<String> = leaving.into_iter().map(|pod| pod.name).collect();
        Ok(names.join(", "))
    }

    /// One look whether pods are kept off the node, and those that were to leave are gone.
    pub(super) async fn look(&self, scene: Scene<'_>, limit: Duration) -> Result<Outcome, String> {
        let start = scene.clock.now();
        let looked = tokio::time::timeout(limit, async {
            let node = self.cluster.everywhere::<Node>().get(&self.node).await;
            (node, self.leaving().await)
        });
        let ending = match looked.await {
            Ok((Err(error), _)) => Ending::Failed(format!("read the node: {}", reason(&error))),
            Ok((_, Err(refusal))) => Ending::Failed(refusal.to_string()),
            Ok((Ok(node), _)) if !is_cordoned(&node) => Ending::Failed("the node is not cordoned".to_owned()),
            Ok((_, Ok(left))) if left.is_empty() => Ending::Done,
            Ok((_, Ok(left))) => Ending::Failed(format!("pods on it still: {}", left.len())),
            Err(_) => Ending::OutOfTime("no answer of the API server".to_owned()),
        };
        Ok(Outcome { start, end: scene.clock.now(), ending, told: Vec::new() })
    }
}

/// Evicts `pod`, as often as a budget says "not now", and waits until it is gone; the error tells why it is not.
async fn evict(cluster: Kubernetes, pod: Leaving, until: Instant) -> Result<(), String> {
    let pods = cluster.within::<Pod>(&pod.namespace);
    let told = |what: String| format!("pod {}: {what}", pod.name);
    let mut said = "no answer".to_owned();
    let gone = async {
        let_go(&cluster, &pods, &pod, &mut said).await?;
        "it is still there".clone_into(&mut said);
        loop {
            match presence(&pods, &pod).await {
                Ok(Presence::Gone) => return Ok(()),
                Ok(Presence::There | Presence::Going) => {}
                Err(error) => said = reason(&error),
            }
            tokio::time::sleep(GONE_PAUSE).await;
        }
    };
    match tokio::time::timeout_at(until, gone).await {
        Ok(result) => result.map_err(told),
        Err(_) => Err(told(said)),
    }
}

/// Asks for the eviction of `pod` until it goes, by our word or by another's, and keeps what was `said` of it.
///
/// It is ours only once the API server agrees, or where nobody answered. So it is looked at before it is asked for
/// again: a pod that somebody else lets go meanwhile may be evicted at once, and would pass for ours.
async fn let_go(
    cluster: &Kubernetes,
    pods: &Api<Pod>,
    pod: &Leaving,
    said: &mut String,
) -> Result<(), String> {
    loop {
        let asking = cluster.ours().ask(&pod.uid);
        let pause = match api::evict(pods, &pod.name, &pod.uid, None).await {
            Evicted::Going => {
                asking.granted();
                return Ok(());
            }
            Evicted::Failed(reason) => {
                asking.refused();
                return Err(reason);
            }
            // It may also be the same one, which somebody has changed at that moment.
            Evicted::Gone(reason) => {
                asking.refused();
                *said = reason;
                GONE_PAUSE
            }
            Evicted::NotNow { after, reason, answered } => {
                if answered {
                    asking.refused();
                }
                *said = reason;
                after
            }
        };
        tokio::time::sleep(pause).await;
        if let Ok(Presence::Going | Presence::Gone) = presence(pods, pod).await {
            return Ok(());
        }
    }
}

/// How far a pod has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    There,
    Going,
    /// It may be that another has its name.
    Gone,
}

async fn presence(pods: &Api<Pod>, pod: &Leaving) -> kube::Result<Presence> {
    let found = pods.get_metadata_opt(&pod.name).await?;
    let found = found.filter(|found| found.metadata.uid.as_ref() == Some(&pod.uid));
    Ok(match found.map(|found| found.metadata.deletion_timestamp) {
        None => Presence::Gone,
        Some(None) => Presence::There,
        Some(Some(_)) => Presence::Going,
    })
}

impl fmt::Display for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cordon node {} and evict its pods", self.node)
    }
}
