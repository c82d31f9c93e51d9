//! On a real cluster: every fault, a conductor that is killed, a run that is taken down, a machine that dies, and
//! changes by hand.
//!
//! Asked for only by `make test-kubernetes`, never by `cargo test` alone: they break things on the cluster that
//! KUBECONFIG names. They want the images of `deploy/` on its nodes, and take `deploy/kubernetes/demo` as the service.

mod cluster;
mod conductor;
mod folder;
mod inventory;
mod machine;
mod manifests;

use std::time::Duration;

use cluster::{Cluster, kubectl, try_kubectl, until};
use conductor::Conductor;
use folder::Folder;
use inventory::Inventory;

/// Stores and shop as the demo's trial has them, with few users.
const SHOP: &str = include_str!("shop.yaml");

/// Every fault, one after the other.
const FAULTS: &str = r#"
after: 5s
settle: 15s
experiments:
  - name: kill-postgres-primary
    components: [postgres, postgres-members]
    deadline: 120s
    pod_kill: {primary_of: postgres}
  - name: kill-redis-master
    components: [redis, redis-members]
    deadline: 120s
    pod_kill: {primary_of: redis}
  - name: kill-two-replicas
    components: [replicas]
    deadline: 120s
    replaced: true
    pod_kill: {selector: app=shop, count: 2, ignore_budgets: true}
  - name: drain-node
    components: [replicas, postgres, postgres-members, redis, redis-members]
    deadline: 180s
    replaced: true
    hold: 0s
    node_drain: {holding: app=shop, others: leave, allow_empty_dir: true}
  - name: partition-primary
    components: [postgres, postgres-members]
    deadline: 180s
    hold: 20s
    network_partition: {primary_of: postgres}
  - name: cut-redis-master
    components: [redis, redis-members]
    deadline: 180s
    hold: 15s
    network_partition: {primary_of: redis, replace_policies: true}
  - name: cut-gateway-from-shop
    components: [shop]
    hold: 10s
    network_partition: {selector: app=shop, from: app=gateway}
  - name: freeze-primary
    components: [postgres, postgres-members]
    hold: 5s
    pod_exec:
      primary_of: postgres
      container: postgres
      inject: [sh, -c, 'for it in $(grep -lx postgres /proc/[0-9]*/comm); do kill -STOP $(basename ${it%/comm}); done']
      bit: [sh, -c, 'grep -q "^State:.T" $(grep -lx postgres /proc/[0-9]*/comm | sed s/comm/status/)']
      revert: [sh, -c, 'for it in $(grep -lx postgres /proc/[0-9]*/comm); do kill -CONT $(basename ${it%/comm}); done']
      timeout: 10s
"#;

/// What lets a run watch nodes, and never comes due.
const NEVER_DRAINED: &str = r"
after: 24h
experiments:
  - name: drain-node
    components: [replicas]
    node_drain: {holding: app=shop, others: leave, allow_empty_dir: true}
";

const CHANGES: &str = "ordeal_interventions_total{kind=\"change\"}";
const DELETIONS: &str = "ordeal_interventions_total{kind=\"deletion\"}";

#[test]
#[ignore = "breaks things on a cluster: make test-kubernetes"]
fn the_service_recovers_from_every_fault_and_nobody_interfered() {
    let Some(cluster) = Cluster::with_shop() else { return };
    let policies = their_policies();
    let conductor = Conductor::start(&cluster, "faults", &format!("{SHOP}{FAULTS}"));
    let seen = conductor.to_its_end(Duration::from_mins(15));
    for experiment in [
        "kill-postgres-primary",
        "kill-redis-master",
        "kill-two-replicas",
        "drain-node",
        "partition-primary",
        "cut-redis-master",
        "cut-gateway-from-shop",
        "freeze-primary",
    ] {
        let state = format!("ordeal_experiment_state{{experiment=\"{experiment}\",state=\"recovered\"}}");
        assert_eq!(seen.value(&state), Some(1.0), "{experiment}\n{}", conductor.log());
    }
    for kind in ["change", "deletion"] {
        let interventions = format!("ordeal_interventions_total{{kind=\"{kind}\"}}");
        assert_eq!(seen.value(&interventions), Some(0.0), "{}", conductor.log());
    }
    let audited = "ordeal_ledger_audit{class=\"lost\",store=\"postgres\"}";
    assert_eq!(seen.value(audited), Some(0.0), "{}", conductor.log());
    assert_eq!(cordoned(), "");
    assert_eq!(our_policies(), "");
    assert_eq!(their_policies(), policies);
}

#[test]
#[ignore = "breaks things on a cluster: make test-kubernetes"]
fn what_a_killed_conductor_broke_is_put_back_from_its_journal_in_the_cluster() {
    /// A name, what is broken, and what shows it.
    type Step = (&'static str, &'static str, fn() -> String);
    let Some(cluster) = Cluster::with_shop() else { return };
    // `pod_kill` leaves nothing, and a command in a container is run again only on a person's word (`--run-commands`).
    let faults: [Step; 3] = [
        (
            "drain",
            "components: [replicas], node_drain: {holding: app=shop, others: leave, allow_empty_dir: true}",
            cordoned,
        ),
        (
            "narrow",
            "components: [redis], network_partition: {primary_of: redis, replace_policies: true}",
            their_policies,
        ),
        ("cut", "components: [postgres], network_partition: {primary_of: postgres}", our_policies),
    ];
    for (name, fault, look) in faults {
        Cluster::in_order();
        let before = look();
        let experiment = format!("{{name: {name}, hold: 10m, {fault}}}");
        let trial = format!("{SHOP}\nafter: 1s\nsettle: 10s\nexperiments: [{experiment}]\n");
        let conductor = Conductor::start(&cluster, &format!("killed-{name}"), &trial);
        conductor.await_value(&format!("{name} shows"), |_| look() != before);
        conductor.kill();
        assert_ne!(look(), before, "{name}: nobody is there to put it back");
        // That the lease of one that is gone runs out, after 45 s, is waited for once.
        if name != "cut" {
            kubectl(&["-n", "shop", "delete", "lease", "ordeal"]);
        }
        let told = Cluster::recover();
        assert_eq!(look(), before, "{told}");
        assert_eq!(our_policies(), "", "{told}");
        assert!(told.contains(&format!("put back: {name} of run")), "{told}");
    }
}

#[test]
#[ignore = "breaks things on a cluster: make test-kubernetes"]
fn a_run_that_is_taken_down_in_the_middle_of_a_drain_leaves_the_cluster_as_it_was_and_no_node_cordoned() {
    let Some(cluster) = Cluster::with_shop() else { return };
    let trial = "
target: http://shop.shop.svc.cluster.local:8080
load: {users: 5, spawn_rate: 5, duration: 10m, think: 1s..2s, tasks: [{name: home, journey: [GET /dashboard]}]}
kubernetes: {namespace: shop}
components: [{name: replicas, replicas: shop, declared: 3}]
after: 1s
experiments:
  - name: drain-node
    components: [replicas]
    hold: 10m
    node_drain: {holding: app=shop, others: leave, allow_empty_dir: true}
";
    let folder = Folder::written(&cluster, "taken-down", trial);
    let before = Inventory::taken();
    folder.apply();
    until("a node is cordoned", Duration::from_mins(3), || cordoned() == "true");
    let made = before.changes();
    for kind in
        ["ClusterRole", "ClusterRoleBinding", "ConfigMap", "Job", "Lease", "Namespace", "Node", "Role"]
    {
        assert!(made.iter().any(|it| it.starts_with(&format!("+ {kind} "))), "{kind}: {made:#?}");
    }
    folder.take_down();
    assert_eq!(cordoned(), "");
    folder.clean_up();
    before.assert_restored();
}

#[test]
#[ignore = "breaks things on a cluster: make test-kubernetes"]
fn changes_by_hand_are_counted_and_named() {
    let Some(cluster) = Cluster::with_shop() else { return };
    let trial = SHOP.replace("duration: 30s", "duration: 10m") + NEVER_DRAINED;
    let conductor = Conductor::start(&cluster, "by-hand", &trial);
    conductor
        .await_value("the load runs", |seen| seen.value("ordeal_run_phase{phase=\"steady\"}") == Some(1.0));
    // Another value than that which an earlier run may have left.
    let touched = format!("touched={}", std::process::id());
    let by_hand: [(&[&str], &str); 4] = [
        (&["scale", "deployment/gateway", "--replicas=3"], "Deployment gateway"),
        (&["label", "--overwrite", "service/shop", &touched], "Service shop"),
        (&["rollout", "restart", "deployment/redis-proxy"], "Deployment redis-proxy"),
        (
            &["annotate", "--overwrite", "horizontalpodautoscaler/shop", &touched],
            "HorizontalPodAutoscaler shop",
        ),
    ];
    for (words, object) in by_hand {
        is_told(&conductor, CHANGES, object, || drop(kubectl(&[&["-n", "shop"], words].concat())));
    }
    let pod = one_of_gateway("pods", "{.items[0].metadata.name}");
    is_told(&conductor, DELETIONS, &format!("Pod {pod} Delete"), || {
        kubectl(&["-n", "shop", "delete", "pod", &pod, "--wait=false"]);
    });
    sets_by_hand(&conductor);
    nodes_by_hand(&conductor);
    assert_eq!(conductor.seen().value(DELETIONS), Some(2.0), "a pod and a set\n{}", conductor.log());
    kubectl(&["-n", "shop", "scale", "deployment/gateway", "--replicas=2"]);
    kubectl(&["-n", "shop", "label", "service/shop", "touched-"]);
    kubectl(&["-n", "shop", "annotate", "horizontalpodautoscaler/shop", "touched-"]);
}

/// Their Deployment puts both right, and the pods that go are told with their set alone.
fn sets_by_hand(conductor: &Conductor) {
    let set = one_of_gateway("replicasets", "{.items[?(@.spec.replicas>0)].metadata.name}");
    // The API server notes nobody with a scale to zero.
    is_told(conductor, CHANGES, &format!("ReplicaSet {set} Update of scale"), || {
        kubectl(&["-n", "shop", "scale", &format!("replicaset/{set}"), "--replicas=0"]);
    });
    until("the Deployment has put it right", Duration::from_mins(2), || {
        let path = "jsonpath={.spec.replicas}/{.status.readyReplicas}";
        kubectl(&["-n", "shop", "get", "replicaset", &set, "-o", path]) == "3/3"
    });
    is_told(conductor, DELETIONS, &format!("ReplicaSet {set} Delete"), || {
        kubectl(&["-n", "shop", "delete", "replicaset", &set]);
    });
    kubectl(&["-n", "shop", "rollout", "status", "deployment/gateway", "--timeout", "120s"]);
}

fn nodes_by_hand(conductor: &Conductor) {
    let node = kubectl(&["get", "nodes", "-o", "jsonpath={.items[0].metadata.name}"]);
    let mut cordon = None;
    is_told(conductor, CHANGES, &format!("Node {node} Update of unschedulable by kubectl"), || {
        cordon = Some(Cordon::of(&node));
    });
    // The API server notes nobody with a field that is taken away.
    is_told(conductor, CHANGES, &format!("Node {node} Update of unschedulable"), || drop(cordon.take()));
}

/// A node that is cordoned by hand; it is opened by hand with this, also where the test fails.
struct Cordon(String);

impl Cordon {
    fn of(node: &str) -> Self {
        kubectl(&["cordon", node]);
        Self(node.to_owned())
    }
}

impl Drop for Cordon {
    fn drop(&mut self) {
        let _ = try_kubectl(&["uncordon", &self.0]);
    }
}

/// `hand` lets that count rise, and the log says what it did.
fn is_told(conductor: &Conductor, count: &str, told: &str, hand: impl FnOnce()) {
    let before = conductor.seen().value(count).expect("a count");
    hand();
    conductor.await_value(told, |seen| seen.value(count).is_some_and(|now| now > before));
    assert!(conductor.log().contains(told), "{told} is told\n{}", conductor.log());
}

/// What there is of the gateway.
fn one_of_gateway(kind: &str, path: &str) -> String {
    kubectl(&["-n", "shop", "get", kind, "-l", "app=gateway", "-o", &format!("jsonpath={path}")])
}

/// `true` for each node that takes no pods.
fn cordoned() -> String {
    kubectl(&["get", "nodes", "-o", "jsonpath={.items[*].spec.unschedulable}"])
}

/// The network policies that a run made in the service's namespace.
fn our_policies() -> String {
    policies("ordeal/run")
}

/// The service's own.
fn their_policies() -> String {
    policies("!ordeal/run")
}

fn policies(labels: &str) -> String {
    let path = r#"jsonpath={range .items[*]}{.metadata.name} {.metadata.annotations} {.spec}{"\n"}{end}"#;
    kubectl(&["-n", "shop", "get", "networkpolicies", "-l", labels, "-o", path])
}
