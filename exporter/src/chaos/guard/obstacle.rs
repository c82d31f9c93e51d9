//! Pure: what of a cluster speaks against breaking something there.

use std::collections::BTreeMap;
use std::fmt;

/// The label, and its value, by which a namespace lets its workloads be broken.
pub const OPT_IN: (&str, &str) = ("ordeal/chaos", "enabled");

/// What speaks against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Nobody has said that this namespace may be broken.
    NotOptedIn {
        /// The namespace.
        namespace: String,
    },
    /// There are fewer ready pods than are to be hit.
    TooFewPods {
        /// Where they were looked for.
        selector: String,
        /// How many there are.
        ready: usize,
        /// How many are to be hit.
        wanted: usize,
    },
    /// The pod is not there, or not any more.
    NoPod {
        /// Its name.
        pod: String,
    },
    /// No pod is what the fault is about.
    NoneMeet {
        /// What tells such pods.
        selector: String,
    },
    /// The pods that the fault is about are no longer those that were found.
    Others {
        /// What tells such pods.
        selector: String,
    },
    /// The policies about them, or their addresses, are no longer those that were found.
    Changed {
        /// The pods.
        pods: String,
    },
    /// The pod is already on its way out.
    Leaving {
        /// Its name.
        pod: String,
    },
    /// The pod has no such container, or several where none is named.
    NoContainer {
        /// The pod.
        pod: String,
        /// The container that was named.
        wanted: Option<String>,
        /// Those that it has.
        has: Vec<String>,
    },
    /// The container does not run.
    Stopped {
        /// The pod.
        pod: String,
        /// The container.
        container: String,
    },
    /// Nothing would put another pod in its place.
    Ownerless {
        /// Its name.
        pod: String,
    },
    /// Network policies let its traffic through, whatever another one says.
    LetThrough {
        /// The pods.
        pods: String,
        /// Their names.
        policies: Vec<String>,
    },
    /// Policies say at both ends what goes between two groups of pods, so that one more would let more through.
    Said {
        /// The groups.
        pods: String,
        /// Their names.
        policies: Vec<String>,
    },
    /// Its traffic cannot be seen from here, so that nobody would know whether it was cut.
    Unseen {
        /// The pod.
        pod: String,
        /// Where a connection was tried.
        address: String,
        /// Why there was none.
        reason: String,
    },
    /// No node has such pods and may be drained.
    NoNode {
        /// What pods it was to have.
        selector: String,
        /// Nodes that have some, each with why it is none.
        passed_over: Vec<String>,
    },
    /// No other node would take what leaves this one.
    LastNode {
        /// The node.
        node: String,
    },
    /// Somebody else has cordoned it meanwhile.
    Cordoned {
        /// The node.
        node: String,
    },
    /// The node is not there any more.
    NodeGone {
        /// The node.
        node: String,
    },
    /// Nothing would leave it.
    Empty {
        /// The node.
        node: String,
    },
    /// Draining the node would hit somebody else.
    Stranger {
        /// The pod.
        pod: String,
        /// Its namespace.
        namespace: String,
    },
    /// The pod's files would be lost.
    EmptyDir {
        /// The pod.
        pod: String,
    },
    /// Too few servers of a store would be left to make decisions.
    Quorum {
        /// The store.
        store: String,
        /// Servers that would go.
        hit: usize,
        /// Servers that it has.
        all: usize,
        /// Servers that are away already.
        away: usize,
    },
    /// A budget allows no such loss.
    Budget {
        /// The `PodDisruptionBudget`.
        budget: String,
        /// Pods that it would let go at this moment.
        allowed: usize,
        /// Pods of it that are to be hit.
        hit: usize,
    },
}

impl Obstacle {
    /// A word for the kind of obstacle, from a closed set.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotOptedIn { .. } => "not_opted_in",
            Self::TooFewPods { .. }
            | Self::NoPod { .. }
            | Self::NoneMeet { .. }
            | Self::Others { .. }
            | Self::NodeGone { .. }
            | Self::NoNode { .. } => "no_target",
            Self::NoContainer { .. } => "no_container",
            Self::Stopped { .. } => "stopped",
            Self::Leaving { .. } => "leaving",
            Self::Ownerless { .. } => "ownerless",
            Self::LetThrough { .. } | Self::Said { .. } | Self::Changed { .. } => "let_through",
            Self::Unseen { .. } => "unseen",
            Self::LastNode { .. } => "last_node",
            Self::Cordoned { .. } => "cordoned",
            Self::Empty { .. } => "empty_node",
            Self::Stranger { .. } => "stranger",
            Self::EmptyDir { .. } => "empty_dir",
            Self::Quorum { .. } => "quorum",
            Self::Budget { .. } => "budget",
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, value) = OPT_IN;
        match self {
            Self::NotOptedIn { namespace } => write!(
                f,
                "namespace {namespace} has not opted in; whoever owns it does so by \
                 `kubectl label namespace {namespace} {key}={value}`"
            ),
            Self::TooFewPods { selector, ready, wanted } => {
                write!(f, "ready pods with {selector}: {ready}, of which {wanted} are to be hit")
            }
            Self::NoPod { pod } => write!(f, "there is no pod {pod}"),
            Self::NoneMeet { selector } => write!(f, "no pod has {selector}"),
            Self::Others { selector } => {
                write!(f, "the pods with {selector} are no longer those that were found")
            }
            Self::Changed { pods } => {
                write!(
                    f,
                    "the network policies about {pods}, or their addresses, are no longer those that were found"
                )
            }
            Self::Leaving { pod } => write!(f, "pod {pod} is on its way out already"),
            Self::NoContainer { pod, wanted: Some(wanted), has } => {
                write!(f, "pod {pod} has no container {wanted}; it has {}", has.join(" and "))
            }
            Self::NoContainer { pod, wanted: None, has } => {
                write!(f, "pod {pod} has several containers, {}: `container` says which", has.join(" and "))
            }
            Self::Stopped { pod, container } => {
                write!(f, "container {container} of pod {pod} does not run")
            }
            Self::Ownerless { pod } => {
                write!(f, "pod {pod} belongs to no controller: nothing would put another in its place")
            }
            Self::Said { pods, policies } => write!(
                f,
                "policies say already what goes in or out of {pods}, and one more would let more through: {}",
                policies.join(", ")
            ),
            Self::LetThrough { pods, policies } => write!(
                f,
                "policies only add up, and these let traffic of {pods} through: {} (with \
                 `replace_policies: true` they are made narrower meanwhile)",
                policies.join(", ")
            ),
            Self::Unseen { pod, address, reason } => write!(
                f,
                "no connection to pod {pod} at {address} from here, so that nobody would see it cut off: {reason}"
            ),
            Self::NoNode { selector, passed_over } => {
                write!(f, "no node with ready pods with {selector} can be drained")?;
                if passed_over.is_empty() { Ok(()) } else { write!(f, ": {}", passed_over.join(", ")) }
            }
            Self::LastNode { node } => write!(f, "node {node} is the last one that takes pods"),
            Self::Cordoned { node } => {
                write!(f, "node {node} has been cordoned by somebody else, and is not ours to open again")
            }
            Self::NodeGone { node } => write!(f, "there is no node {node} any more"),
            Self::Empty { node } => write!(f, "no pod would leave node {node}"),
            Self::Stranger { pod, namespace } => write!(
                f,
                "pod {pod} of namespace {namespace} is on the node (`others: leave` or `others: evict` says what \
                 becomes of such)"
            ),
            Self::EmptyDir { pod } => {
                write!(
                    f,
                    "pod {pod} has an emptyDir, which would be lost (`allow_empty_dir: true` allows that)"
                )
            }
            Self::Quorum { store, hit, all, away } => {
                write!(f, "{hit} of {all} servers of {store} would go at once")?;
                if *away > 0 {
                    write!(f, " while {away} of the others do not serve")?;
                }
                f.write_str(", and leave it no majority")
            }
            Self::Budget { budget, allowed, hit } => write!(
                f,
                "PodDisruptionBudget {budget} allows {allowed} of its pods to go, {hit} are to be hit \
                 (`ignore_budgets: true` goes past it)"
            ),
        }
    }
}

/// Whether a namespace with these labels lets its workloads be broken.
pub fn opted_in(namespace: &str, labels: &BTreeMap<String, String>) -> Result<(), Obstacle> {
    let (key, value) = OPT_IN;
    if labels.get(key).is_some_and(|found| found == value) {
        Ok(())
    } else {
        Err(Obstacle::NotOptedIn { namespace: namespace.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_opts_in_by_one_label_with_one_value() {
        let table: [(&[(&str, &str)], bool); 4] = [
            (&[], false),
            (&[("ordeal/chaos", "enabled"), ("team", "shop")], true),
            (&[("ordeal/chaos", "disabled")], false),
            (&[("chaos", "enabled")], false),
        ];
        for (labels, expected) in table {
            let labels = labels.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
            assert_eq!(opted_in("shop", &labels).is_ok(), expected, "{labels:?}");
        }
    }
}
