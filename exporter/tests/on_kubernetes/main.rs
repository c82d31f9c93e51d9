//! On a real cluster: every fault, a conductor that is killed, a machine that dies, and changes by hand.
//!
//! Asked for only by `make test-kubernetes`, never by `cargo test` alone: they break things on the cluster that
//! KUBECONFIG names. They want the images of `deploy/` on its nodes, and take `deploy/kubernetes/demo` as the service.

mod cluster;
mod conductor;
mod folder;
mod machine;
mod manifests;

use std::time::Duration;

use cluster::{Cluster, kubectl, until};
use conductor::Conductor;
use folder::Folder;

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

#[test]
#[ignore = "breaks things on a cluster: make test-kubernetes"]
fn the_service_recovers_from_every_fault_and_nobody_interfered() {
    let Some(cluster) = Cluster::with_shop() else { return };
    let conductor = Conductor::start(&cluster, "faults", &format!("{SHOP}{FAULTS}"));
    let seen = conductor.to_its_end(Duration::from_mins(15));
    for experiment in [
        "kill-postgres-primary",
        "kill-redis-master",
        "kill-two-replicas",
        "drain-node",
        "partition-primary",
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
    assert_eq!(ours("networkpolicies"), "");
}

#[test]
#[ignore = "breaks things on a cluster: make test-kubernetes"]
fn what_a_killed_conductor_broke_is_put_back_from_its_journal_in_the_cluster() {
    let Some(cluster) = Cluster::with_shop() else { return };
    let cut = "
after: 1s
settle: 10s
experiments:
  - name: cut
    components: [postgres]
    hold: 10m
    network_partition: {primary_of: postgres}
";
    let conductor = Conductor::start(&cluster, "killed", &format!("{SHOP}{cut}"));
    until("the pod is cut off", Duration::from_mins(3), || !ours("networkpolicies").is_empty());
    conductor.kill();
    assert_ne!(ours("networkpolicies"), "", "nobody is there to put it back");
    let told = Cluster::recover();
    assert_eq!(ours("networkpolicies"), "", "{told}");
    assert!(told.contains("put back"), "{told}");
}

#[test]
#[ignore = "breaks things on a cluster: make test-kubernetes"]
fn a_run_that_is_taken_down_in_the_middle_of_a_drain_leaves_no_node_cordoned() {
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
    let folder = Folder::applied(&cluster, "taken-down", trial);
    until("a node is cordoned", Duration::from_mins(3), || cordoned() == "true");
    let taken_down = folder.take_down();
    assert!(taken_down.status.success(), "{}", String::from_utf8_lossy(&taken_down.stderr));
    assert_eq!(cordoned(), "");
    assert_eq!(kubectl(&["get", "namespace", "ordeal", "--ignore-not-found", "-o", "name"]), "");
}

#[test]
#[ignore = "breaks things on a cluster: make test-kubernetes"]
fn changes_by_hand_are_counted_and_named() {
    let Some(cluster) = Cluster::with_shop() else { return };
    let conductor = Conductor::start(&cluster, "by-hand", &SHOP.replace("duration: 30s", "duration: 10m"));
    let changes = "ordeal_interventions_total{kind=\"change\"}";
    let deletions = "ordeal_interventions_total{kind=\"deletion\"}";
    conductor
        .await_value("the load runs", |seen| seen.value("ordeal_run_phase{phase=\"steady\"}") == Some(1.0));
    let mut counted = 0.0;
    let by_hand: [(&[&str], &str); 4] = [
        (&["scale", "deployment/gateway", "--replicas=3"], "Deployment gateway"),
        (&["label", "service/shop", "touched=yes"], "Service shop"),
        (&["rollout", "restart", "deployment/redis-proxy"], "Deployment redis-proxy"),
        (&["annotate", "horizontalpodautoscaler/shop", "touched=yes"], "HorizontalPodAutoscaler shop"),
    ];
    for (words, object) in by_hand {
        kubectl(&[&["-n", "shop"], words].concat());
        conductor.await_value(object, |seen| seen.value(changes).is_some_and(|now| now > counted));
        counted = conductor.seen().value(changes).expect("a count");
        assert!(conductor.log().contains(object), "{object} is named\n{}", conductor.log());
    }
    let pod = kubectl(&[
        "-n",
        "shop",
        "get",
        "pods",
        "-l",
        "app=gateway",
        "-o",
        "jsonpath={.items[0].metadata.name}",
    ]);
    kubectl(&["-n", "shop", "delete", "pod", &pod, "--wait=false"]);
    conductor.await_value("a deletion", |seen| seen.value(deletions) == Some(1.0));
    assert!(conductor.log().contains(&pod), "{pod} is named\n{}", conductor.log());
    kubectl(&["-n", "shop", "scale", "deployment/gateway", "--replicas=2"]);
    kubectl(&["-n", "shop", "label", "service/shop", "touched-"]);
    kubectl(&["-n", "shop", "annotate", "horizontalpodautoscaler/shop", "touched-"]);
}

/// `true` for each node that takes no pods.
fn cordoned() -> String {
    kubectl(&["get", "nodes", "-o", "jsonpath={.items[*].spec.unschedulable}"])
}

/// Objects of a kind that a run made in the service's namespace.
fn ours(kind: &str) -> String {
    kubectl(&["-n", "shop", "get", kind, "-l", "ordeal/run", "-o", "name"])
}
