//! All that is on the cluster, by name, and how its nodes stand: by this it shows whether a run leaves it as it was.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::cluster::kubectl;

/// Kinds of which objects come and go by themselves, by the stores' own doing, or with the pods that a drain evicts.
const RESTLESS: [&str; 7] = [
    "certificatesigningrequests.certificates.k8s.io",
    "endpoints",
    "endpointslices.discovery.k8s.io",
    "events",
    "events.events.k8s.io",
    "pods",
    "replicasets.apps",
];
/// What is measured is there as long as what it is of.
const MEASURED: &str = ".metrics.k8s.io";
/// Where the cluster itself is at work.
const ITS_OWN: &str = "kube-system";
/// The control plane takes away by itself what comes with an object, or with a cordon, a moment later.
const LIMIT: Duration = Duration::from_secs(30);

/// What was on the cluster at one moment.
pub(crate) struct Inventory(BTreeSet<String>);

impl Inventory {
    /// What is there now.
    pub(crate) fn taken() -> Self {
        let kinds = kubectl(&["api-resources", "--verbs=list", "-o", "name"]);
        let is_meant = |kind: &&str| !RESTLESS.contains(kind) && !kind.ends_with(MEASURED);
        let kinds: Vec<&str> = kinds.lines().filter(is_meant).collect();
        let all = kubectl(&["get", &kinds.join(","), "--all-namespaces", "-o", "json"]);
        let all: Value = serde_json::from_str(&all).expect("kubectl prints JSON");
        let objects = all["items"].as_array().expect("a list of objects");
        let others = objects.iter().filter(|it| it["metadata"]["namespace"] != ITS_OWN);
        Self(others.flat_map(told).collect())
    }

    /// What has come since (`+`), and what has gone (`-`).
    pub(crate) fn changes(&self) -> Vec<String> {
        let (Self(before), Self(now)) = (self, Self::taken());
        let come = now.difference(before).map(|it| format!("+ {it}"));
        let gone = before.difference(&now).map(|it| format!("- {it}"));
        come.chain(gone).collect()
    }

    /// Waits until all is as it was then.
    pub(crate) fn assert_restored(&self) {
        let since = Instant::now();
        let mut changes = self.changes();
        while !changes.is_empty() && since.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_secs(1));
            changes = self.changes();
        }
        assert!(changes.is_empty(), "the cluster is not as it was: {changes:#?}");
    }
}

/// What there is of an object: its kind and name, and of a node also how it stands.
fn told(object: &Value) -> Vec<String> {
    let (metadata, spec) = (&object["metadata"], &object["spec"]);
    let texts = [&object["kind"], &metadata["namespace"], &metadata["name"]];
    let [kind, namespace, name] = texts.map(|text| text.as_str().unwrap_or_default());
    let itself = format!("{kind} {namespace}/{name}");
    let mut lines = vec![itself.clone()];
    if kind == "Node" {
        let taints = spec["taints"].as_array().into_iter().flatten();
        let annotations = metadata["annotations"].as_object().into_iter().flatten();
        lines.push(format!("{itself} unschedulable: {}", spec["unschedulable"]));
        lines.extend(taints.map(|taint| format!("{itself} taint: {taint}")));
        lines.extend(annotations.map(|(key, _)| format!("{itself} annotation: {key}")));
    }
    lines
}
