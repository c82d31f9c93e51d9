//! Holds the roles that are shipped with the trials of `deploy/kubernetes/` to what `load-exporter manifests` derives
//! from those trials.
//!
//! After a wanted change: `UPDATE_GOLDEN=1 cargo test -p exporter --test manifests`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Trials, the files of their roles, and what else is said to derive these.
const SHIPPED: [(&str, &str, &[&str]); 4] = [
    ("base/trial.yaml", "base/access.yaml", &[]),
    // The account is in `base/`, which these are built on.
    ("demo/run/trial.yaml", "demo/run/access.yaml", &["--without-account"]),
    ("web/run/trial.yaml", "web/run/access.yaml", &["--without-account"]),
    // Its roles beside those of a run: the smallest trial's are none.
    ("base/trial.yaml", "fleet/access.yaml", &["--without-account", "--load-processes", "2"]),
];

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kubernetes").join(path)
}

fn manifests(trial: &str, options: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_load-exporter"));
    let output =
        command.arg("manifests").arg(shipped(trial)).args(options).output().expect("the binary starts");
    assert!(output.status.success(), "{trial}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn objects(yaml: &str) -> Vec<Value> {
    yaml.split("---\n").map(|document| serde_saphyr::from_str(document).expect(document)).collect()
}

#[test]
fn the_shipped_roles_are_what_the_shipped_trials_need() {
    for (trial, access, options) in SHIPPED {
        let derived = manifests(trial, options);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(shipped(access), &derived).expect("writable");
        }
        let there = std::fs::read_to_string(shipped(access)).expect("readable");
        assert_eq!(there, derived, "{access}: write it anew with UPDATE_GOLDEN=1");
    }
}

#[test]
fn the_smallest_trial_needs_an_account_and_no_role() {
    let yaml = manifests("base/trial.yaml", &["--namespace", "chaos", "--account", "conductor"]);
    assert!(yaml.starts_with("# Nothing has to be allowed, for the trial names no cluster ("), "{yaml}");
    let account = serde_json::json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "conductor", "namespace": "chaos"}});
    assert_eq!(objects(&yaml), [account]);
}

#[test]
fn load_processes_and_their_conductor_agree_where_they_are() {
    let options = ["--namespace", "chaos", "--account", "conductor", "--load-processes", "2"];
    let objects = objects(&manifests("web/run/trial.yaml", &options));
    let shown =
        |it: &Value| format!("{} {} {}", it["kind"], it["metadata"]["name"], it["metadata"]["namespace"]);
    let fleet: Vec<String> = objects.iter().rev().take(5).rev().map(shown).collect();
    let expected = [
        r#""Role" "conductor-fleet" "chaos""#,
        r#""RoleBinding" "conductor-fleet" "chaos""#,
        r#""ServiceAccount" "ordeal-load" "chaos""#,
        r#""Role" "ordeal-load" "chaos""#,
        r#""RoleBinding" "ordeal-load" "chaos""#,
    ];
    assert_eq!(fleet, expected);
    assert!(objects.iter().any(|it| it["kind"] == "Role" && it["metadata"]["namespace"] == "web"));
    let subjects = |it: &Value| it["subjects"][0]["name"].clone();
    let bound: Vec<Value> = objects.iter().filter(|it| it["kind"] == "RoleBinding").map(subjects).collect();
    assert_eq!(bound, ["conductor", "conductor", "ordeal-load"]);
}

#[test]
fn roles_are_bound_to_the_account_that_is_named_where_it_is() {
    let options = ["--namespace", "chaos", "--account", "conductor"];
    let objects = objects(&manifests("demo/run/trial.yaml", &options));
    let shown =
        |it: &Value| format!("{} {} {}", it["kind"], it["metadata"]["name"], it["metadata"]["namespace"]);
    let expected = [
        r#""ServiceAccount" "conductor" "chaos""#,
        r#""Role" "conductor" "shop""#,
        r#""RoleBinding" "conductor" "shop""#,
        r#""ClusterRole" "conductor-shop" null"#,
        r#""ClusterRoleBinding" "conductor-shop" null"#,
    ];
    assert_eq!(objects.iter().map(shown).collect::<Vec<_>>(), expected);
    for binding in [&objects[2], &objects[4]] {
        let subject =
            serde_json::json!([{"kind": "ServiceAccount", "name": "conductor", "namespace": "chaos"}]);
        assert_eq!(binding["subjects"], subject);
    }
}
