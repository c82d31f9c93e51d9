//! Who closes nodes for pods, or opens them: cordons and taints. Pure.
//!
//! A node is written to all the time, so only these two fields of its specification count, and only where their values
//! change. Whoever takes a field away is not noted with it: an uncordon, or the last taint gone, is signed by nobody.

use std::collections::{BTreeSet, HashMap, HashSet};

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

#[derive(Debug, Default)]
struct State {
    closed: bool,
    mark: Option<String>,
    taints: BTreeSet<Taint>,
    /// Those of `taints` that came by a stranger's hand, and send pods away.
    strange: BTreeSet<Taint>,
}

/// The nodes that are there, by their UIDs, as they were seen last.
#[derive(Debug, Default)]
pub(super) struct Nodes(HashMap<String, State>);

impl Nodes {
    /// Notes the state of a node; answers what of those not `allowed` closed or opened it. How it comes is nobody's doing.
    pub(super) fn see(&mut self, node: &Node, allowed: &Allowed) -> Vec<Change> {
        let Some(uid) = node.metadata.uid.clone() else { return Vec::new() };
        let mut after = state(node);
        let mut changes = Vec::new();
        if let Some(before) = self.0.get(&uid) {
            if before.closed != after.closed && before.mark == after.mark {
                changes.extend(by_stranger(&node.metadata, "unschedulable", allowed));
            }
            let by =
                tainted(before, &after).then(|| by_stranger(&node.metadata, "taints", allowed)).flatten();
            let is_strange = |taint: &&Taint| {
                let is_new = by.is_some() && taint.2 == EVICTS && !before.taints.contains(*taint);
                is_new || before.strange.contains(*taint)
            };
            after.strange = after.taints.iter().filter(is_strange).cloned().collect();
            changes.extend(by);
        }
        self.0.insert(uid, after);
        changes
    }

    /// Whether a stranger sends pods away from the node of this UID.
    pub(super) fn is_emptied_by_stranger(&self, uid: &str) -> bool {
        self.0.get(uid).is_some_and(|state| !state.strange.is_empty())
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

fn state(node: &Node) -> State {
    let spec = node.spec.as_ref();
    let taints = spec.and_then(|spec| spec.taints.as_ref()).into_iter().flatten();
    let taints = taints.map(|taint| (taint.key.clone(), taint.value.clone(), taint.effect.clone())).collect();
    let closed = spec.is_some_and(|spec| spec.unschedulable == Some(true));
    let mark = node.metadata.annotations.as_ref().and_then(|all| all.get(OUR_CORDON)).cloned();
    State { closed, mark, taints, strange: BTreeSet::new() }
}

/// Whether taints came or went, other than that Kubernetes took its own away.
fn tainted(before: &State, after: &State) -> bool {
    let gone = before.taints.difference(&after.taints);
    let is_its_own = |taint: &Taint| ITS_OWN.iter().any(|prefix| taint.0.starts_with(prefix));
    !after.taints.is_subset(&before.taints) || gone.into_iter().any(|taint| !is_its_own(taint))
}

/// The change of a field that none of those allowed made.
fn by_stranger(node: &ObjectMeta, field: &str, allowed: &Allowed) -> Option<Change> {
    let setters = setters(node, field);
    if setters.iter().any(|it| it.manager.as_deref().is_some_and(|manager| allowed.has(manager))) {
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
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const CONTROLLER: &str = "kube-controller-manager";

    /// A node whose fields have been set by these.
    fn node(mark: Option<&str>, spec: &Value, setters: &[(&str, &str)]) -> Node {
        let entry = |(manager, field): &(&str, &str)| {
            let field = format!("f:{field}");
            json!({"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {field: {}}}})
        };
        let entries: Vec<_> = setters.iter().map(entry).collect();
        let annotations = mark.map(|mark| json!({OUR_CORDON: mark}));
        let metadata =
            json!({"name": "n1", "uid": "u", "annotations": annotations, "managedFields": entries});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec})).expect("a node")
    }

    fn taint(key: &str, effect: &str) -> Value {
        json!({"key": key, "effect": effect})
    }

    type Told = Vec<(String, Option<String>)>;
    type Seen = (Option<&'static str>, Value, &'static [(&'static str, &'static str)]);

    /// Who is told of each state, and which part it was.
    fn told(states: &[Seen]) -> Vec<Told> {
        let (mut nodes, allowed) = (Nodes::default(), Allowed::with(&["cluster-autoscaler".to_owned()]));
        let mut see = |(mark, spec, setters): &Seen| {
            let changes = nodes.see(&node(*mark, spec, setters), &allowed);
            changes.into_iter().map(|change| (change.manager, change.subresource)).collect()
        };
        states.iter().map(&mut see).collect()
    }

    #[test]
    fn a_cordon_and_an_uncordon_by_another_are_told_and_ours_are_not() {
        let open = || json!({"podCIDR": "10.0.0.0/24"});
        let closed = || json!({"unschedulable": true});
        let hand: &[(&str, &str)] = &[("kubectl-cordon", "unschedulable")];
        let ours: &[(&str, &str)] = &[("ordeal", "unschedulable")];
        let part = || Some("unschedulable".to_owned());
        let is = |manager: &str| vec![(manager.to_owned(), part())];
        let none = Vec::new;
        let table: [(Vec<Seen>, Vec<Told>); 6] = [
            // An older cordon is none of this run, whatever else is written.
            (
                vec![(None, closed(), hand), (None, closed(), hand), (None, open(), &[])],
                vec![none(), none(), is("")],
            ),
            (
                vec![
                    (None, open(), &[]),
                    (None, closed(), hand),
                    (None, closed(), hand),
                    (None, open(), &[]),
                ],
                vec![none(), is("kubectl-cordon"), none(), is("")],
            ),
            (
                vec![(None, open(), &[]), (Some("t-0"), closed(), ours), (None, open(), &[])],
                vec![none(), none(), none()],
            ),
            // It is opened by hand under our feet; then our mark is taken away.
            (
                vec![
                    (None, open(), &[]),
                    (Some("t-0"), closed(), ours),
                    (Some("t-0"), open(), &[]),
                    (None, open(), &[]),
                ],
                vec![none(), none(), is(""), none()],
            ),
            // A node of ours that is found by another run, whose field nobody signs any more.
            (vec![(Some("t-0"), closed(), ours), (None, open(), &[])], vec![none(), none()]),
            (
                vec![(None, open(), &[]), (None, closed(), &[("cluster-autoscaler", "unschedulable")])],
                vec![none(), none()],
            ),
        ];
        for (states, expected) in table {
            assert_eq!(told(&states), expected, "{states:?}");
        }
    }

    #[test]
    fn a_taint_by_another_is_told_and_kubernetes_own_are_not() {
        let spec = |taints: &[Value]| json!({"taints": taints});
        let hand: &[(&str, &str)] = &[("kubectl-taint", "taints")];
        let its: &[(&str, &str)] = &[(CONTROLLER, "taints")];
        let not_ready = || taint("node.kubernetes.io/not-ready", EVICTS);
        let mine = || taint("mine", "NoSchedule");
        let is = |manager: &str| vec![(manager.to_owned(), Some("taints".to_owned()))];
        let none = Vec::new;
        let table: [(Vec<Seen>, Vec<Told>); 3] = [
            (
                vec![(None, spec(&[]), &[]), (None, spec(&[not_ready()]), its), (None, json!({}), &[])],
                vec![none(), none(), none()],
            ),
            (
                vec![
                    (None, spec(&[]), &[]),
                    (None, spec(&[mine()]), hand),
                    (None, spec(&[mine(), not_ready()]), its),
                ],
                vec![none(), is("kubectl-taint"), none()],
            ),
            // The last one goes: nobody signs that.
            (vec![(None, spec(&[mine()]), hand), (None, json!({}), &[])], vec![none(), is("")]),
        ];
        for (states, expected) in table {
            assert_eq!(told(&states), expected, "{states:?}");
        }
    }

    #[test]
    fn a_node_is_emptied_by_a_stranger_as_long_as_such_a_taint_stands() {
        let (mut nodes, allowed) = (Nodes::default(), Allowed::with(&[]));
        let out = || taint("mine", EVICTS);
        let table: [(Vec<Value>, &str, bool); 6] = [
            (vec![taint("old", EVICTS)], "kubeadm", false),
            (vec![taint("old", EVICTS), taint("mine", "NoSchedule")], "kubectl-taint", false),
            (vec![out()], "kubectl-taint", true),
            // Another's change beside it.
            (vec![out(), taint("node.kubernetes.io/unreachable", EVICTS)], CONTROLLER, true),
            (vec![taint("node.kubernetes.io/unreachable", EVICTS)], CONTROLLER, false),
            (vec![out()], "kubectl-taint", true),
        ];
        for (taints, by, expected) in table {
            nodes.see(&node(None, &json!({"taints": taints}), &[(by, "taints")]), &allowed);
            assert_eq!(nodes.is_emptied_by_stranger("u"), expected, "{taints:?} by {by}");
        }
        assert_eq!(nodes.missing(&[node(None, &json!({}), &[])]), [""; 0]);
        assert_eq!(nodes.missing(&[]), ["u"]);
        nodes.forget("u");
        assert!(!nodes.is_emptied_by_stranger("u"));
    }
}
