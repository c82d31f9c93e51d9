//! Which pods leave a node that is drained, and which node that is, as `kubectl drain` has it. Pure.

mod takers;

use k8s_openapi::api::core::v1::{Node, Pod, Toleration};

pub(super) use self::takers::taken_elsewhere;
use super::quorum::{Servers, kept};
use crate::chaos::guard::Obstacle;
use crate::cluster::kubernetes::is_ready;
use crate::trial::{NodeDrain, Others};

/// Marks a pod that the node itself runs from a file.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// The label by which every common installation marks its Prometheus.
const PROMETHEUS: (&str, &str) = ("app.kubernetes.io/name", "prometheus");

/// A pod that is to leave.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaving {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    /// Its controller puts another in its place, which needs a node.
    replaced: bool,
    /// The taints of nodes that it puts up with, as the other will.
    tolerations: Vec<Toleration>,
}

impl Leaving {
    /// `None` for a pod without name or UID, which the API server has none of.
    fn of(pod: &Pod) -> Option<Self> {
        let metadata = &pod.metadata;
        let tolerations = pod.spec.iter().flat_map(|spec| spec.tolerations.iter().flatten());
        Some(Self {
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone()?,
            uid: metadata.uid.clone()?,
            replaced: !has_ended(pod) && controller(pod).is_some(),
            tolerations: tolerations.cloned().collect(),
        })
    }
}

/// Those of `pods`, which are all of one node, that are to leave it; `namespace` is the service's.
pub(super) fn leaving(pods: &[Pod], fault: &NodeDrain, namespace: &str) -> Result<Vec<Leaving>, Obstacle> {
    let mut leave = Vec::new();
    for pod in pods.iter().filter(|pod| !stays(pod)) {
        let Some(it) = Leaving::of(pod) else { continue };
        if it.namespace != namespace {
            match fault.others {
                Others::Leave => continue,
                Others::Refuse => return Err(Obstacle::Stranger { pod: it.name, namespace: it.namespace }),
                Others::Evict => {}
            }
        }
        if !has_ended(pod) {
            if !fault.allow_empty_dir && has_empty_dir(pod) {
                return Err(Obstacle::EmptyDir { pod: it.name });
            }
            if !fault.allow_bare && controller(pod).is_none() {
                return Err(Obstacle::Ownerless { pod: it.name });
            }
        }
        leave.push(it);
    }
    Ok(leave)
}

/// Pods of the node itself and of a DaemonSet, which would come straight back.
fn stays(pod: &Pod) -> bool {
    let mirror = pod.metadata.annotations.iter().flatten().any(|(key, _)| key == MIRROR);
    mirror || (!has_ended(pod) && controller(pod) == Some("DaemonSet"))
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn has_empty_dir(pod: &Pod) -> bool {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.into_iter().any(|volume| volume.empty_dir.is_some())
}

/// The kind of its controller.
fn controller(pod: &Pod) -> Option<&str> {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    owners.find(|owner| owner.controller == Some(true)).map(|owner| owner.kind.as_str())
}

/// What a node is chosen by.
pub(super) struct Choice<'a> {
    /// The pods of which it is to hold most.
    pub(super) held: &'a [Pod],
    /// All pods of the service's namespace.
    pub(super) ours: &'a [Pod],
    /// The pods that may be a Prometheus.
    pub(super) monitors: &'a [Pod],
    /// The servers of which a majority must be left.
    pub(super) servers: &'a [Servers],
    /// The node of this program.
    pub(super) own: Option<&'a str>,
    /// What tells `held`.
    pub(super) selector: &'a str,
}

/// The node that has the most of the pods ready, by its name where several have as many. Not our own, nor one with
/// a Prometheus: without them nobody would see the rest of the run; nor one that a store cannot do without, nor one
/// whose pods no other would take.
pub(super) fn choose(nodes: &[Node], choice: &Choice<'_>) -> Result<Node, Obstacle> {
    let Choice { held, ours, monitors, servers, own, selector } = *choice;
    let on =
        |pod: &Pod, node: &str| pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == Some(node);
    let living = living(ours);
    let mut passed_over = Vec::new();
    let mut untaken = None;
    let mut best: Option<(usize, &Node)> = None;
    for node in nodes.iter().filter(|node| is_open(node)) {
        let Some(name) = node.metadata.name.as_deref() else { continue };
        let count = held.iter().filter(|pod| on(pod, name) && is_ready(pod)).count();
        if count == 0 {
            continue;
        }
        let ours_here: Vec<&Pod> = ours.iter().filter(|pod| on(pod, name)).collect();
        let here: Vec<&str> = ours_here.iter().filter_map(|pod| pod.metadata.name.as_deref()).collect();
        let going = ours_here.iter().filter(|pod| !stays(pod)).filter_map(|pod| Leaving::of(pod));
        let going: Vec<Leaving> = going.collect();
        if own == Some(name) {
            passed_over.push(format!("{name} runs this exporter"));
        } else if monitors.iter().any(|pod| on(pod, name) && is_prometheus(pod)) {
            passed_over.push(format!("{name} runs Prometheus"));
        } else if let Err(obstacle) = kept(servers, &here, &living) {
            passed_over.push(format!("{name}: {obstacle}"));
        } else if let Err(obstacle) = taken_elsewhere(&going, name, nodes) {
            passed_over.push(format!("{name}: {obstacle}"));
            untaken = Some(obstacle);
        } else if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, node));
        }
    }
    match (best, untaken) {
        (Some((_, node)), _) => Ok(node.clone()),
        (None, Some(only)) if passed_over.len() == 1 => Err(only),
        (None, _) => Err(Obstacle::NoNode { selector: selector.to_owned(), passed_over }),
    }
}

/// The names of those of `pods` that serve.
pub(super) fn living(pods: &[Pod]) -> Vec<&str> {
    pods.iter().filter(|pod| is_ready(pod)).filter_map(|pod| pod.metadata.name.as_deref()).collect()
}

/// Takes pods, of which its taints may keep some off: ready and not cordoned.
fn is_open(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let ready = conditions.into_iter().any(|it| it.type_ == "Ready" && it.status == "True");
    ready && !is_cordoned(node)
}

/// Whether pods are kept off it.
pub(super) fn is_cordoned(node: &Node) -> bool {
    node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true))
}

fn is_prometheus(pod: &Pod) -> bool {
    let (key, value) = PROMETHEUS;
    pod.metadata.labels.iter().flatten().any(|(found, its)| found == key && its == value)
}

#[cfg(test)]
mod tests;
