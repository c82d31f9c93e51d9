//! Pure: what people are told of what speaks against a fault.

use std::fmt;

use super::{OPT_IN, Obstacle};

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
                write!(f, "ready pods with {selector}: {ready}, but {wanted} to be hit")
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
            Self::NoAddress { pod } => write!(
                f,
                "pod {pod} has no IP address, so that nobody would see it cut off: wait until it runs, or select \
                 only pods that do"
            ),
            Self::NoPort { pod } => write!(
                f,
                "pod {pod} declares no TCP port, so that nobody would see it cut off: `port` of the experiment's \
                 `network_partition` says where it listens"
            ),
            Self::NoNode { selector, passed_over } => {
                write!(f, "no node with ready pods with {selector} can be drained")?;
                if passed_over.is_empty() { Ok(()) } else { write!(f, ": {}", passed_over.join(", ")) }
            }
            Self::LastNode { node } => write!(f, "node {node} is the last one that takes pods"),
            Self::NoTaker { node, pod, kept_off } => {
                write!(f, "no other node takes pod {pod} of node {node}: {}", kept_off.join(", "))
            }
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
