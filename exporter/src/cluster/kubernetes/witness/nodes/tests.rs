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
    let metadata = json!({"name": "n1", "uid": "u", "annotations": annotations, "managedFields": entries});
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
    let autoscaler: &[(&str, &str)] = &[("cluster-autoscaler", "unschedulable")];
    let table: [(Vec<Seen>, Vec<Told>); 7] = [
        // An older cordon is none of this run, whatever else is written.
        (
            vec![(None, closed(), hand), (None, closed(), hand), (None, open(), &[])],
            vec![none(), none(), is("")],
        ),
        (
            vec![(None, open(), &[]), (None, closed(), hand), (None, closed(), hand), (None, open(), &[])],
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
        // What a manager closed, it opens; what a hand closed, a hand does.
        (
            vec![(None, open(), &[]), (None, closed(), autoscaler), (None, open(), &[])],
            vec![none(), none(), none()],
        ),
        (
            vec![
                (None, closed(), autoscaler),
                (None, open(), &[]),
                (None, closed(), hand),
                (None, open(), &[]),
            ],
            vec![none(), none(), is("kubectl-cordon"), is("")],
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
fn the_last_taint_that_goes_is_taken_away_by_the_manager_that_brought_it() {
    let spec = |taints: &[Value]| json!({"taints": taints});
    let autoscaler: &[(&str, &str)] = &[("cluster-autoscaler", "taints")];
    let hand: &[(&str, &str)] = &[("kubectl-taint", "taints")];
    let its: &[(&str, &str)] = &[(CONTROLLER, "taints")];
    let idle = || taint("DeletionCandidateOfClusterAutoscaler", "PreferNoSchedule");
    let not_ready = || taint("node.kubernetes.io/not-ready", EVICTS);
    let mine = || taint("mine", "NoSchedule");
    let is = |manager: &str| vec![(manager.to_owned(), Some("taints".to_owned()))];
    let none = Vec::new;
    let gone = || -> Seen { (None, json!({}), &[]) };
    let table: [(Vec<Seen>, Vec<Told>); 5] = [
        (vec![gone(), (None, spec(&[idle()]), autoscaler), gone()], vec![none(), none(), none()]),
        // It was there before anybody watched; another's, and Kubernetes' own, come and go beside it.
        (
            vec![(None, spec(&[idle()]), autoscaler), (None, spec(&[idle(), not_ready()]), its), gone()],
            vec![none(), none(), none()],
        ),
        (
            vec![
                (None, spec(&[idle()]), autoscaler),
                (None, spec(&[idle(), mine()]), hand),
                (None, spec(&[idle()]), hand),
                gone(),
            ],
            vec![none(), is("kubectl-taint"), is("kubectl-taint"), none()],
        ),
        // Who signed the field last need not have brought the taint.
        (
            vec![
                (None, spec(&[idle()]), autoscaler),
                (None, spec(&[idle(), mine()]), hand),
                (None, spec(&[mine()]), autoscaler),
                gone(),
            ],
            vec![none(), is("kubectl-taint"), none(), is("")],
        ),
        (
            vec![
                (None, spec(&[mine()]), hand),
                (None, spec(&[mine(), not_ready()]), its),
                (None, spec(&[mine()]), its),
                gone(),
            ],
            vec![none(), none(), none(), is("")],
        ),
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
