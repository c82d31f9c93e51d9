//! What a run may not do is told before it has done anything.

use serde_json::{Value, json};

use crate::api::{Cluster, NAMESPACE, USER};

/// A run that nobody scrapes.
const RUN: [&str; 7] =
    ["run", "trial.yaml", "--web.listen-address", "127.0.0.1:0", "--no-wait-for-scrape", "--linger", "0s"];

/// What tells whoever owns the namespace what to do.
const NOT_OPTED_IN: &str = "namespace shop has not opted in; whoever owns it does so by `kubectl label namespace \
                            shop ordeal/chaos=enabled`";

fn namespace(labels: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels}})
}

/// What is listed as missing.
fn listed(said: &str) -> Vec<&str> {
    said.lines()
        .filter(|line| line.starts_with("  ") && line.contains(" namespace shop ("))
        .map(str::trim)
        .collect()
}

/// The rules of the roles that are printed.
fn rules(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("  - {")).map(str::trim).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_not_permitted_is_told_at_once_with_what_grants_it_and_nothing_is_touched() {
    let cluster = Cluster::start().await;
    cluster.deny(&[("delete", "pods"), ("update", "leases"), ("watch", "events")]);
    let (code, _, said) = cluster.run(&RUN).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with(&format!("load-exporter: {USER} may not do on the cluster")), "{said}");
    let expected = [
        "watch events in namespace shop (to tell pods that a controller deleted from those that somebody did; to see \
         what befalls pods)",
        "update leases of coordination.k8s.io (the one named ordeal) in namespace shop (the lease by which one at a \
         time breaks something in the namespace)",
        "delete pods in namespace shop (pod_kill: to delete pods)",
    ];
    assert_eq!(listed(&said), expected, "{said}");
    let expected = [
        r#"- {apiGroups: [""], resources: [events], verbs: [watch]}"#,
        "- {apiGroups: [coordination.k8s.io], resourceNames: [ordeal], resources: [leases], verbs: [update]}",
        r#"- {apiGroups: [""], resources: [pods], verbs: [delete]}"#,
    ];
    assert_eq!(rules(&said), expected, "{said}");
    assert_eq!(cluster.asked(), [""; 0], "nothing was done there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_tells_the_same() {
    let cluster = Cluster::start().await;
    cluster.deny(&[("delete", "pods")]);
    let (code, told, said) = cluster.run(&["plan", "trial.yaml"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(told.contains(&format!("a run would be refused: {USER} may not do")), "{told}");
    assert_eq!(listed(&told), ["delete pods in namespace shop (pod_kill: to delete pods)"], "{told}");
    assert_eq!(rules(&told).len(), 1, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_has_not_opted_in_refuses_a_run_which_gives_up_its_lease() {
    let cluster = Cluster::start().await;
    cluster.put(NAMESPACE, namespace(&json!({})));
    for _ in 0..2 {
        let (code, _, said) = cluster.run(&RUN).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&format!("load-exporter: {NOT_OPTED_IN}\n")), "{said}");
        assert!(!said.contains("preflight: ") && !said.contains("waiting: "), "{said}");
    }
    cluster.put(NAMESPACE, namespace(&json!({"ordeal/chaos": "enabled"})));
    let (_, _, said) = cluster.run(&RUN).await;
    assert!(said.contains("preflight: "), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_that_breaks_nothing_there_needs_no_label() {
    let cluster = Cluster::start().await;
    cluster.put(NAMESPACE, namespace(&json!({})));
    cluster.edit_trial("pod_kill: {selector: app=shop}", "exec: {target: echo it, inject: exit 0}");
    let (_, _, said) = cluster.run(&RUN).await;
    assert!(said.contains("preflight: "), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_looks_at_a_namespace_that_has_not_opted_in_and_says_that_a_run_would_be_refused() {
    let cluster = Cluster::start().await;
    cluster.put(NAMESPACE, namespace(&json!({})));
    let pods = format!("{NAMESPACE}/pods");
    cluster.put(&pods, json!({"metadata": {}, "items": []}));
    let (_, told, _) = cluster.run(&["plan", "trial.yaml"]).await;
    let none = "kill\n  would be refused: ready pods with app=shop in namespace shop: 0, but 1 to be hit\n";
    assert!(told.starts_with(none), "{told}");
    let ready = json!([{"type": "Ready", "status": "True"}]);
    let owners = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "shop", "uid": "r",
        "controller": true}]);
    let metadata = json!({"name": "shop-a", "ownerReferences": owners});
    let pod = json!({"metadata": metadata, "status": {"conditions": ready}});
    cluster.put(&format!("{pods}/shop-a"), pod);
    let listed = cluster.get(&format!("{pods}/shop-a")).expect("it is there");
    cluster.put(&pods, json!({"metadata": {}, "items": [listed]}));
    let budgets = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets";
    cluster.put(budgets, json!({"metadata": {}, "items": []}));
    let (code, told, said) = cluster.run(&["plan", "trial.yaml"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(told.starts_with("kill (pod_kill)\n  targets   pod shop-a"), "{told}");
    assert!(told.ends_with(&format!("\na run would be refused: {NOT_OPTED_IN}\n")), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_tells_of_a_workload_that_is_not_there() {
    let cluster = Cluster::start().await;
    cluster.edit_trial("experiments:", "  - {name: replicas, replicas: metre}\nexperiments:");
    let (code, told, said) = cluster.run(&["plan", "trial.yaml"]).await;
    assert_eq!(code, Some(1), "{said}");
    let refused = "a run would be refused: find workload metre: namespace shop has neither a Deployment nor a \
                   StatefulSet of that name\n";
    assert!(told.contains(refused), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kubeconfig_that_is_missing_is_told_once_with_where_it_is_looked_for() {
    let cluster = Cluster::start().await;
    cluster.hide();
    let (code, _, said) = cluster.run(&["plan", "trial.yaml"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the environment variable KUBECONFIG"), "{said}");
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_it_may_not_be_asked_a_run_says_so_and_goes_on() {
    let cluster = Cluster::start().await;
    cluster.put(NAMESPACE, namespace(&json!({"ordeal/chaos": "enabled"})));
    cluster.deny_questions();
    let (code, _, said) = cluster.run(&RUN).await;
    assert_eq!(code, Some(1), "nobody serves its target: {said}");
    let warning = "warning: it is not known whether all is permitted: ask the API server what is permitted \
                   (SelfSubjectAccessReview): selfsubjectaccessreviews is forbidden";
    assert!(said.contains(warning), "{said}");
    assert!(said.contains("preflight: "), "{said}");
    assert!(cluster.asked().iter().any(|asked| asked.starts_with("POST ") && asked.ends_with("/leases")));
}
