//! What is asked of the API server beside faults: watching, the lease, kept texts, ports of pods. Pure.

use super::Scope::{Cluster, Namespace};
use super::{Need, needs, needs_of};
use crate::cluster::kubernetes::witness::watched_kinds;

/// To witness changes by others and what befalls pods, and to look where autoscalers stand.
pub fn to_watch() -> Vec<Need> {
    let each = |kind: kube::api::ApiResource| {
        let purpose = "to see who else changes or deletes something";
        needs(Namespace, &kind.group, &[&kind.plural], &["list", "watch"], purpose)
    };
    let mut all: Vec<Need> = watched_kinds().into_iter().flat_map(each).collect();
    let purpose = "to see who else changes or deletes something, and which pods went with it";
    all.extend(needs(Namespace, "apps", &["replicasets"], &["list", "watch"], purpose));
    all.extend(needs(Namespace, "batch", &["jobs"], &["list", "watch"], purpose));
    let purpose = "to tell pods that a controller deleted from those that somebody did";
    all.extend(needs(Namespace, "", &["events"], &["list", "watch"], purpose));
    let purpose = "to see what befalls pods";
    all.extend(needs(Namespace, "", &["pods", "events"], &["list", "watch"], purpose));
    let purpose = "to know where autoscalers stand";
    all.extend(needs(Namespace, "autoscaling", &["horizontalpodautoscalers"], &["list"], purpose));
    all
}

/// To witness who else closes nodes for pods, or opens them: only where a fault needs nodes anyway, for a run that does
/// not goes without.
pub fn to_watch_nodes() -> Vec<Need> {
    needs(Cluster, "", &["nodes"], &["list", "watch"], "to see who else cordons, uncordons or taints nodes")
}

/// To count the replicas of workloads.
pub fn to_count_replicas() -> Vec<Need> {
    let purpose = "`replicas`: to know how many a workload is to have, and which of its pods are ready";
    let mut all = needs(Namespace, "apps", &["deployments", "statefulsets"], &["get"], purpose);
    all.extend(needs(Namespace, "", &["pods"], &["list"], purpose));
    all
}

/// To hold the lease of this name.
pub fn to_hold_lease(name: &'static str) -> Vec<Need> {
    let purpose = "the lease by which one at a time breaks something in the namespace";
    needs_of(name, "coordination.k8s.io", "leases", &["create", "get", "update"], purpose)
}

/// To keep a text in the `ConfigMap` of this name.
pub fn to_keep(name: &'static str, purpose: &'static str) -> Vec<Need> {
    needs_of(name, "", "configmaps", &["create", "get", "update"], purpose)
}

/// To lead load processes by the `ConfigMap` of this name, in the namespace that they and their conductor are in.
pub fn to_lead(name: &'static str) -> Vec<Need> {
    let purpose = "the text by which load processes are led: made, and taken away again";
    needs_of(name, "", "configmaps", &["create", "get", "watch", "patch", "delete"], purpose)
}

/// To be led by it.
pub fn to_follow(name: &'static str) -> Vec<Need> {
    needs_of(name, "", "configmaps", &["get", "watch", "patch"], "the text by which load processes are led")
}

/// To reach ports of pods. The request is a GET; API servers from 1.35 on want `create` for it besides.
pub fn to_forward_ports() -> Vec<Need> {
    let purpose = "instances that are asked `inside` their pods";
    needs(Namespace, "", &["pods/portforward"], &["create", "get"], purpose)
}
