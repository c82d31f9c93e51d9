//! Every folder of `deploy/kubernetes/`, as the API server reads it.

use std::fs;
use std::path::{Path, PathBuf};

use super::cluster::{Cluster, deploy, kubectl, try_kubectl};

/// What the folder for kube-prometheus-stack has beside Kubernetes' own kinds.
const OPERATORS: [&str; 2] = ["podmonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com"];

#[test]
#[ignore = "asks a cluster: make test-kubernetes"]
fn every_folder_passes_strict_validation() {
    let Some(_cluster) = Cluster::with_shop() else { return };
    let service = Namespace::there("web");
    let operator = OPERATORS.iter().all(|kind| try_kubectl(&["get", "crd", kind]).is_ok());
    let folders = folders(Path::new(&deploy("")));
    assert!(folders.len() > 5, "{folders:?}");
    for folder in folders {
        let path = folder.display().to_string();
        if path.ends_with("kube-prometheus-stack") && !operator {
            eprintln!("skipped: {path}, the cluster does not know {}", OPERATORS.join(" and "));
            continue;
        }
        for how in ["--server-side=false", "--server-side=true"] {
            let words = ["apply", "-k", &path, "--dry-run=server", "--validate=strict", how];
            let force: &[&str] = if how.ends_with("true") { &["--force-conflicts"] } else { &[] };
            kubectl(&[&words, force].concat());
        }
    }
    drop(service);
}

/// Folders with a kustomization that is applied by itself.
fn folders(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(folders(&path));
        } else if path.ends_with("kustomization.yaml") {
            let text = fs::read_to_string(&path).expect("a kustomization");
            if !text.contains("kind: Component") {
                found.push(below.to_owned());
            }
        }
    }
    found
}

/// A namespace that goes with this, if this made it: objects are not checked in one that is not there.
struct Namespace(Option<&'static str>);

impl Namespace {
    fn there(name: &'static str) -> Self {
        Self(try_kubectl(&["create", "namespace", name]).is_ok().then_some(name))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Some(name) = self.0 {
            let _ = try_kubectl(&["delete", "namespace", name]);
        }
    }
}
