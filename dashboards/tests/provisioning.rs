//! What brings the dashboards to Grafana: its own provisioning files, and a ConfigMap of each for kube-prometheus-stack.

mod shipped;

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use shipped::{root, text};

/// The largest object that a cluster takes.
const LARGEST: usize = 1 << 20;

fn yaml(path: &str) -> Value {
    let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn grafana_is_told_of_a_prometheus_and_of_the_files() {
    let source = &yaml("deploy/grafana/datasources/ordeal.yaml")["datasources"][0];
    assert_eq!((text(source, "type"), text(source, "url")), ("prometheus", "$PROMETHEUS_URL"));
    assert_eq!(source["jsonData"]["timeInterval"], "1s");
    let provider = &yaml("deploy/grafana/dashboards/ordeal.yaml")["providers"][0];
    assert_eq!((text(provider, "type"), text(provider, "folder")), ("file", "Ordeal"));
    let path = text(&provider["options"], "path");
    let how = std::fs::read_to_string(root().join("deploy/grafana/README.md")).expect("how");
    assert!(how.contains(&format!("dashboards:{path}:ro")), "the README mounts the dashboards at {path}");
}

#[test]
fn every_dashboard_is_in_a_config_map() {
    let kustomization = yaml("dashboards/kustomization.yaml");
    let maps = kustomization["configMapGenerator"].as_array().expect("ConfigMaps");
    assert_eq!(maps.len(), 4);
    let uids: BTreeSet<_> = shipped::all().into_iter().map(|board| board.uid).collect();
    let keys =
        maps.iter().map(|map| map["files"][0].as_str().expect("a file").split_once('=').expect("a key"));
    let keys: BTreeSet<_> = keys.map(|(key, _)| key.trim_end_matches(".json").to_owned()).collect();
    assert_eq!(keys, uids);
    let stack = yaml("deploy/kubernetes/kube-prometheus-stack/kustomization.yaml");
    assert!(stack["resources"].as_array().expect("resources").contains(&"../../../dashboards".into()));
}

/// Needs kubectl; where there is none that is told and nothing is judged.
#[test]
fn the_sidecar_finds_them_and_the_cluster_takes_them() {
    let folder = root().join("deploy/kubernetes/kube-prometheus-stack");
    let Ok(output) = Command::new("kubectl").arg("kustomize").arg(folder).output() else {
        eprintln!("the ConfigMaps are not built: there is no kubectl");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifests = String::from_utf8(output.stdout).expect("text");
    let objects = manifests
        .split("\n---\n")
        .map(|one| (one.len(), serde_saphyr::from_str::<Value>(one).expect("YAML")));
    let found: Vec<_> =
        objects.filter(|(_, object)| object["metadata"]["labels"]["grafana_dashboard"] == "1").collect();
    assert_eq!(found.len(), 4);
    for (size, object) in found {
        assert!(size < LARGEST, "{size} bytes");
        let held = object["data"].as_object().expect("data").iter().next().expect("a file");
        let board: Value = serde_json::from_str(held.1.as_str().expect("a text")).expect("JSON");
        assert_eq!(*held.0, format!("{}.json", text(&board, "uid")));
    }
}
