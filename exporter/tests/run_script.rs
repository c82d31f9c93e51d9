//! `run.sh down` of `deploy/kubernetes/`, by a kubectl that only notes what it is asked for: while something may still be
//! broken, neither the conductor's rights nor the journal is taken away.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// It answers what the files beside it say.
const KUBECTL: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/asked"
case "$*" in
kustomize*) cat "$here/manifests" ;;
*'-n shop get configmap ordeal-journal'*) cat "$here/told" ;;
*'-f -') cat >/dev/null ;;
esac
"#;

const MANIFESTS: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: ordeal-conductor
  namespace: shop
---
apiVersion: batch/v1
kind: Job
metadata:
  name: conductor
  namespace: ordeal
";

/// What `run.sh down` ends with and says, and what it asks of kubectl, where `told` stands beside the journal.
fn down(folder: &Path, told: &str) -> (Option<i32>, String, String) {
    fs::write(folder.join("told"), told).expect("a file");
    fs::write(folder.join("asked"), "").expect("a file");
    let path = std::env::var("PATH").expect("a path");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kubernetes/run.sh");
    let ended = Command::new("bash")
        .arg(script)
        .args(["down", "folder"])
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("KUBECONFIG", "none")
        .output()
        .expect("bash runs");
    let asked = fs::read_to_string(folder.join("asked")).expect("it was asked");
    (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned(), asked)
}

#[test]
fn nothing_but_the_jobs_is_taken_away_while_something_may_be_broken() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let kubectl = folder.join("kubectl");
    fs::write(&kubectl, KUBECTL).expect("a file");
    fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755)).expect("a program");
    fs::write(folder.join("manifests"), MANIFESTS).expect("a file");
    let table = [
        // There is no journal.
        ("", None),
        ("none", None),
        ("cut of run r1", Some("(cut of run r1)")),
        ("cut of run r1\nline 7, which cannot be read", Some("(cut of run r1,line 7, which cannot be read)")),
        ("?", Some("(its journal, of another version, does not say what")),
    ];
    for (told, named) in table {
        let (code, said, asked) = down(folder, told);
        let jobs = asked.find("delete job conductor load verifier").expect("the Jobs are ended");
        let journal = asked.find("get configmap ordeal-journal").expect("the journal is read");
        assert!(jobs < journal, "a conductor that still puts back is waited for: {asked}");
        let all = asked.find("delete --ignore-not-found -f -");
        match named {
            None => assert!(code == Some(0) && all.is_some_and(|all| journal < all), "{told}: {said}{asked}"),
            Some(named) => {
                assert!(code == Some(2) && all.is_none(), "{told}: {said}{asked}");
                assert!(said.contains(named), "{said}");
                assert!(said.contains("`load-exporter recover --namespace shop`"), "{said}");
            }
        }
    }
}
