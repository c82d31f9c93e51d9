//! Pure: what of a cluster speaks against breaking something there.

mod told;

use std::collections::BTreeMap;

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
    /// It has no address yet, at which its traffic could be seen.
    NoAddress {
        /// The pod.
        pod: String,
    },
    /// Nobody says where it listens, so that its traffic cannot be seen.
    NoPort {
        /// The pod.
        pod: String,
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
    /// Other nodes take pods, but not one of those that would leave this one.
    NoTaker {
        /// The node.
        node: String,
        /// The pod.
        pod: String,
        /// The other nodes, each with the taint that keeps the pod off it.
        kept_off: Vec<String>,
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
            Self::Unseen { .. } | Self::NoAddress { .. } | Self::NoPort { .. } => "unseen",
            Self::LastNode { .. } | Self::NoTaker { .. } => "last_node",
            Self::Cordoned { .. } => "cordoned",
            Self::Empty { .. } => "empty_node",
            Self::Stranger { .. } => "stranger",
            Self::EmptyDir { .. } => "empty_dir",
            Self::Quorum { .. } => "quorum",
            Self::Budget { .. } => "budget",
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
