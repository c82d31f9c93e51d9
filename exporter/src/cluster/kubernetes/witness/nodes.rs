//! Who closes nodes for pods, or opens them: cordons and taints. Pure.
//!
//! A node is written to all the time, so only these two fields of its specification count, and only where their values
//! change. Whoever takes a field away is not noted with it: an uncordon, or the last taint gone, is signed by nobody.
//! What one of the trial's managers had set counts as taken away by it: nothing tells it from another.

use std::collections::{BTreeMap, HashMap, HashSet};

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::changes::{Allowed, Change};
use super::fields::setters;

/// The annotation by which a node tells that this program has cordoned it; it comes and goes with the cordon.
const OUR_CORDON: &str = "ordeal/cordoned";
/// Kubernetes' own taints, which it takes away again.
const ITS_OWN: [&str; 2] = ["node.kubernetes.io/", "node.cloudprovider.kubernetes.io/"];
/// What sends pods away.
const EVICTS: &str = "NoExecute";

/// Key, value and effect.
type Taint = (String, Option<String>, String);

/// By whose hand a taint came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hand {
    /// That of one of the trial's managers.
    Manager,
    /// That of one who may not, while somebody watched.
    Stranger,
    /// Kubernetes', or nobody knows whose.
    Other,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    /// One of the trial's managers signs for that.
    closed_by_manager: bool,
    mark: Option<String>,
    taints: BTreeMap<Taint, Hand>,
}

/// The nodes that are there, by their UIDs, as they were seen last.
#[derive(Debug, Default)]
pub(super) struct Nodes(HashMap<String, State>);

impl Nodes {
    /// Notes the state of a node; answers what of those not `allowed` closed or opened it. How it comes is nobody's
    /// doing.
    pub(super) fn see(&mut self, node: &Node, allowed: &Allowed) -> Vec<Change> {
        let Some(uid) = node.metadata.uid.clone() else { return Vec::new() };
        let mut after = state(node, allowed);
        let mut changes = Vec::new();
        if let Some(before) = self.0.get(&uid) {
            if before.closed != after.closed && before.mark == after.mark {
                let is_managers = before.closed_by_manager;
                changes.extend(by_stranger(&node.metadata, "unschedulable", is_managers, allowed));
            }
            let tainted = tainted(before, &after);
            let by = tainted.and_then(|managers| by_stranger(&node.metadata, "taints", managers, allowed));
            for (taint, hand) in &mut after.taints {
                *hand = match before.taints.get(taint) {
                    Some(known) => *known,
                    None if by.is_some() => Hand::Stranger,
                    None => *hand,
                };
            }
            changes.extend(by);
        }
        self.0.insert(uid, after);
        changes
    }

    /// Whether a stranger sends pods away from the node of this UID.
    pub(super) fn is_emptied_by_stranger(&self, uid: &str) -> bool {
        let strange = |(taint, hand): (&Taint, &Hand)| *hand == Hand::Stranger && taint.2 == EVICTS;
        self.0.get(uid).is_some_and(|state| state.taints.iter().any(strange))
    }

    /// Forgets a node that is gone.
    pub(super) fn forget(&mut self, uid: &str) {
        self.0.remove(uid);
    }

    /// UIDs of those that are not among `nodes`.
    pub(super) fn missing(&self, nodes: &[Node]) -> Vec<String> {
        let here: HashSet<&str> = nodes.iter().filter_map(|node| node.metadata.uid.as_deref()).collect();
        self.0.keys().filter(|uid| !here.contains(uid.as_str())).cloned().collect()
    }
}

fn state(node: &Node, allowed: &Allowed) -> State {
    let spec = node.spec.as_ref();
    let by_manager = |field: &str| {
        let setters = setters(&node.metadata, field);
        setters.iter().any(|it| it.manager.as_deref().is_some_and(|manager| allowed.names(manager)))
    };
    let hand = if by_manager("taints") { Hand::Manager } else { Hand::Other };
    let taints = spec.and_then(|spec| spec.taints.as_ref()).into_iter().flatten();
    let taints = taints.map(|taint| (taint.key.clone(), taint.value.clone(), taint.effect.clone()));
    State {
        closed: spec.is_some_and(|spec| spec.unschedulable == Some(true)),
        closed_by_manager: by_manager("unschedulable"),
        mark: node.metadata.annotations.as_ref().and_then(|all| all.get(OUR_CORDON)).cloned(),
        taints: taints.map(|taint| (taint, hand)).collect(),
    }
}

/// Whether taints came or went, other than that Kubernetes took its own away; and if so, whether none came, and all
/// that went had been set by the trial's managers.
fn tainted(before: &State, after: &State) -> Option<bool> {
    let is_its_own = |taint: &Taint| ITS_OWN.iter().any(|prefix| taint.0.starts_with(prefix));
    let came = after.taints.keys().any(|taint| !before.taints.contains_key(taint));
    let gone = before.taints.iter().filter(|(taint, _)| !after.taints.contains_key(*taint));
    let gone: Vec<Hand> = gone.filter(|(taint, _)| !is_its_own(taint)).map(|(_, hand)| *hand).collect();
    (came || !gone.is_empty()).then(|| !came && gone.iter().all(|hand| *hand == Hand::Manager))
}

/// The change of a field that none of those allowed made; `managers` says whether what changed had been set by the
/// trial's managers, who then took it away where nobody signs the field any more.
fn by_stranger(node: &ObjectMeta, field: &str, managers: bool, allowed: &Allowed) -> Option<Change> {
    let setters = setters(node, field);
    let by_allowed = setters.iter().any(|it| it.manager.as_deref().is_some_and(|name| allowed.has(name)));
    if by_allowed || (managers && setters.is_empty()) {
        return None;
    }
    let first = setters.first();
    Some(Change {
        manager: first.and_then(|it| it.manager.clone()).unwrap_or_default(),
        operation: first.and_then(|it| it.operation.clone()).unwrap_or_else(|| "Update".to_owned()),
        subresource: Some(field.to_owned()),
    })
}

#[cfg(test)]
mod tests;
