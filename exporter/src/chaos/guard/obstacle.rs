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
    /// The pod is already on its way out.
    Leaving {
        /// Its name.
        pod: String,
    },
    /// Nothing would put another pod in its place.
    Ownerless {
        /// Its name.
        pod: String,
    },
    /// No label tells the pod apart from all others.
    Unlabelled {
        /// Its name.
        pod: String,
        /// The label that would.
        label: String,
    },
    /// Network policies let its traffic through, whatever another one says.
    LetThrough {
        /// The pod.
        pod: String,
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
            Self::TooFewPods { .. } | Self::NoPod { .. } | Self::NoNode { .. } | Self::NodeGone { .. } => {
                "no_target"
            }
            Self::Leaving { .. } => "leaving",
            Self::Ownerless { .. } => "ownerless",
            Self::Unlabelled { .. } => "unlabelled",
            Self::LetThrough { .. } => "let_through",
            Self::Unseen { .. } => "unseen",
            Self::LastNode { .. } => "last_node",
            Self::Cordoned { .. } => "cordoned",
            Self::Empty { .. } => "empty_node",
            Self::Stranger { .. } => "stranger",
            Self::EmptyDir { .. } => "empty_dir",
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
            Self::Leaving { pod } => write!(f, "pod {pod} is on its way out already"),
            Self::Ownerless { pod } => {
                write!(f, "pod {pod} belongs to no controller: nothing would put another in its place")
            }
            Self::Unlabelled { pod, label } => {
                write!(f, "pod {pod} has no label {label}, so that no policy can be about it alone")
            }
            Self::LetThrough { pod, policies } => write!(
                f,
                "policies only add up, and these let traffic of pod {pod} through: {} (with \
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
