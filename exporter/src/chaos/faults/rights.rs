//! Pure: what each fault has to be allowed on a cluster, its putting back included.

use crate::cluster::kubernetes::rights::Scope::{Cluster, Namespace};
use crate::cluster::kubernetes::rights::{Need, needs};
use crate::trial::{Fault, KilledBy, NetworkPartition, NodeDrain, OnePod, Others, PodExec, PodKill, Pods};

const NETWORKING: &str = "networking.k8s.io";

/// What `fault` has to be allowed.
pub fn of(fault: &Fault) -> Vec<Need> {
    let own = match fault {
        // Its commands go their own ways.
        Fault::Exec(_) => return Vec::new(),
        Fault::PodExec(fault) => of_pod_exec(fault),
        Fault::PodKill(fault) => of_pod_kill(fault),
        Fault::Partition(fault) => of_partition(fault),
        Fault::Drain(fault) => of_drain(fault),
    };
    let purpose = "faults: whether the namespace lets itself be broken, and is the one to put back in";
    [needs(Namespace, "", &["namespaces"], &["get"], purpose), own].concat()
}

/// The request is a GET; API servers from 1.35 on want `create` for it besides.
fn of_pod_exec(fault: &PodExec) -> Vec<Need> {
    let mut all = needs(Namespace, "", &["pods"], &["get"], "pod_exec: to look at the pod");
    if let OnePod::Drawn { .. } = fault.pod {
        all.extend(needs(Namespace, "", &["pods"], &["list"], "pod_exec: to draw a pod by lot"));
    }
    all.extend(needs(Namespace, "", &["pods/exec"], &["create", "get"], "pod_exec: to run its commands"));
    all
}

fn of_pod_kill(fault: &PodKill) -> Vec<Need> {
    let purpose = "pod_kill: to look at the pods that are to go";
    let mut all = needs(Namespace, "", &["pods"], &["get"], purpose);
    if let Pods::Random { .. } = fault.pods {
        all.extend(needs(Namespace, "", &["pods"], &["list"], "pod_kill: to draw pods by lot"));
    }
    if !fault.ignore_budgets {
        let purpose = "pod_kill: to keep to disruption budgets";
        all.extend(needs(Namespace, "policy", &["poddisruptionbudgets"], &["list"], purpose));
    }
    all.extend(match fault.by {
        KilledBy::Delete => needs(Namespace, "", &["pods"], &["delete"], "pod_kill: to delete pods"),
        KilledBy::Evict => needs(Namespace, "", &["pods/eviction"], &["create"], "pod_kill: to evict pods"),
    });
    all
}

fn of_partition(fault: &NetworkPartition) -> Vec<Need> {
    let policies = |verbs, purpose| needs(Namespace, NETWORKING, &["networkpolicies"], verbs, purpose);
    let mut all = needs(Namespace, "", &["pods"], &["list"], "network_partition: to find the pods");
    all.extend(policies(&["list"], "network_partition: to see which policies let their traffic through"));
    all.extend(policies(&["create", "delete"], "network_partition: to cut them off, and to put that back"));
    if fault.replace_policies {
        let purpose = "network_partition: to make policies narrower, and to put that back";
        all.extend(policies(&["get", "patch"], purpose));
    }
    all
}

fn of_drain(fault: &NodeDrain) -> Vec<Need> {
    let nodes = |verbs, purpose| needs(Cluster, "", &["nodes"], verbs, purpose);
    let mut all = needs(Namespace, "", &["pods"], &["list"], "node_drain: to find the node");
    all.extend(nodes(&["list"], "node_drain: to find the node"));
    all.extend(nodes(&["get", "patch"], "node_drain: to cordon the node, and to put that back"));
    all.extend(needs(Cluster, "", &["pods"], &["list"], "node_drain: to see whose pods are on the node"));
    let evicted = match fault.others {
        Others::Evict => Cluster,
        Others::Refuse | Others::Leave => Namespace,
    };
    if let Others::Evict = fault.others {
        let purpose = "node_drain: whether the namespaces of the others let themselves be broken";
        all.extend(needs(Cluster, "", &["namespaces"], &["get"], purpose));
    }
    all.extend(needs(evicted, "", &["pods/eviction"], &["create"], "node_drain: to evict pods"));
    all.extend(needs(evicted, "", &["pods"], &["get"], "node_drain: to see when they are gone"));
    all
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cluster::kubernetes::rights::rules;
    use crate::trial::{NonEmpty, Selector, StoreIndex, Whom};

    const TIMEOUT: Duration = Duration::from_secs(30);

    fn shown(fault: &Fault) -> Vec<String> {
        let needs = of(fault);
        let of = |scope, place: &'static str| {
            rules(&needs, scope).into_iter().map(move |rule| format!("{place}: {rule}"))
        };
        of(Namespace, "here").chain(of(Cluster, "everywhere")).collect()
    }

    fn selector() -> Selector {
        Selector::new("app=shop").expect("a selector")
    }

    fn kill(pods: Pods, by: KilledBy, ignore_budgets: bool) -> Fault {
        Fault::PodKill(PodKill { pods, by, grace: TIMEOUT, ignore_budgets, timeout: TIMEOUT })
    }

    fn partition(replace_policies: bool) -> Fault {
        let whom = Whom::Primary(StoreIndex::new(0, 1).expect("one store"));
        Fault::Partition(NetworkPartition {
            whom,
            from: None,
            replace_policies,
            port: None,
            timeout: TIMEOUT,
        })
    }

    fn exec(pod: OnePod) -> Fault {
        let inject = NonEmpty::one("true".to_owned());
        Fault::PodExec(PodExec { pod, container: None, inject, bit: None, revert: None, timeout: TIMEOUT })
    }

    fn drain(others: Others) -> Fault {
        let (allow_empty_dir, allow_bare) = (false, false);
        Fault::Drain(NodeDrain { holding: selector(), others, allow_empty_dir, allow_bare, timeout: TIMEOUT })
    }

    #[test]
    fn each_fault_needs_just_this() {
        let random = || Pods::Random { selector: selector(), count: 2, seed: 0 };
        let primary = || Pods::Primary(StoreIndex::new(0, 1).expect("one store"));
        let table: [(Fault, &[&str]); 9] = [
            (
                kill(primary(), KilledBy::Delete, true),
                &["here: get namespaces", "here: get pods", "here: delete pods"],
            ),
            (
                kill(random(), KilledBy::Delete, true),
                &["here: get namespaces", "here: get pods", "here: list pods", "here: delete pods"],
            ),
            (
                kill(primary(), KilledBy::Evict, false),
                &[
                    "here: get namespaces",
                    "here: get pods",
                    "here: list poddisruptionbudgets of policy",
                    "here: create pods/eviction",
                ],
            ),
            (
                exec(OnePod::Primary(StoreIndex::new(0, 1).expect("one store"))),
                &["here: get namespaces", "here: get pods", "here: create, get pods/exec"],
            ),
            (
                exec(OnePod::Drawn { selector: selector(), seed: 0 }),
                &["here: get namespaces", "here: get pods", "here: list pods", "here: create, get pods/exec"],
            ),
            (
                partition(false),
                &[
                    "here: get namespaces",
                    "here: list pods",
                    "here: list networkpolicies of networking.k8s.io",
                    "here: create, delete networkpolicies of networking.k8s.io",
                ],
            ),
            (
                partition(true),
                &[
                    "here: get namespaces",
                    "here: list pods",
                    "here: list networkpolicies of networking.k8s.io",
                    "here: create, delete networkpolicies of networking.k8s.io",
                    "here: get, patch networkpolicies of networking.k8s.io",
                ],
            ),
            (
                drain(Others::Leave),
                &[
                    "here: get namespaces",
                    "here: list pods",
                    "here: create pods/eviction",
                    "here: get pods",
                    "everywhere: list nodes",
                    "everywhere: get, patch nodes",
                    "everywhere: list pods",
                ],
            ),
            (
                drain(Others::Evict),
                &[
                    "here: get namespaces",
                    "here: list pods",
                    "everywhere: list nodes",
                    "everywhere: get, patch nodes",
                    "everywhere: list pods",
                    "everywhere: get namespaces",
                    "everywhere: create pods/eviction",
                    "everywhere: get pods",
                ],
            ),
        ];
        for (fault, expected) in table {
            assert_eq!(shown(&fault), expected, "{fault:?}");
        }
    }
}
