//! What a run may not do is told before it has done anything.

use crate::api::{Cluster, USER};

/// A run that nobody scrapes.
const RUN: [&str; 7] =
    ["run", "trial.yaml", "--web.listen-address", "127.0.0.1:0", "--no-wait-for-scrape", "--linger", "0s"];

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
async fn where_it_may_not_be_asked_a_run_says_so_and_goes_on() {
    let cluster = Cluster::start().await;
    cluster.deny_questions();
    let (code, _, said) = cluster.run(&RUN).await;
    assert_eq!(code, Some(1), "nobody serves its target: {said}");
    let warning = "warning: it is not known whether all is permitted: ask the API server what is permitted \
                   (SelfSubjectAccessReview): selfsubjectaccessreviews is forbidden";
    assert!(said.contains(warning), "{said}");
    assert!(said.contains("preflight: "), "{said}");
    assert!(cluster.asked().iter().any(|asked| asked.starts_with("POST ") && asked.ends_with("/leases")));
}
