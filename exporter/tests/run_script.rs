//! `run.sh` of `deploy/kubernetes/`, by a kubectl that only notes what it is asked for: while something may still be
//! broken, `run.sh down` takes neither the conductor's rights nor the journal away; a folder without a run changes
//! nothing; and a script that is interrupted, whose manifests are refused, or whose Jobs are taken away, ends and says
//! so.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// It answers what the files beside it say. The Job `conductor` is over when it is asked for the third time.
const KUBECTL: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/asked"
case "$*" in
kustomize*) cat "$here/manifests" ;;
*'-n shop get configmap ordeal-journal'*) cat "$here/told" ;;
*'get job conductor --ignore-not-found'*) ;;
*'get job conductor '*) [ "$(grep -c 'get job conductor -o' "$here/asked")" -lt 3 ] || echo Complete ;;
*'get job verifier '*)
  [ ! -e "$here/gone" ] || {
    echo 'Error from server (NotFound): jobs.batch "verifier" not found' >&2
    exit 1
  }
  ;;
*'get pods -l'*'=conductor '*) echo Running ;;
*'get pods -l'*'=verifier '*) echo 'verifier-1 Succeeded 0' ;;
*'logs --follow'*) [ ! -e "$here/long" ] || exec sleep 60 ;;
*'logs verifier-1'*) echo 'verdict: pass' ;;
*'-f -') cat >/dev/null && [ ! -e "$here/refused" ] ;;
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

const WITHOUT_RUN: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: conductor
  namespace: web
";

/// A folder with the stand-in for kubectl, which has been asked nothing.
fn stand_in(manifests: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let kubectl = folder.path().join("kubectl");
    fs::write(&kubectl, KUBECTL).expect("a file");
    fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755)).expect("a program");
    fs::write(folder.path().join("manifests"), manifests).expect("a file");
    fs::write(folder.path().join("asked"), "").expect("a file");
    folder
}

/// `run.sh` with that stand-in, to be run in its folder.
fn run_sh(folder: &Path, arguments: &[&str]) -> Command {
    let path = std::env::var("PATH").expect("a path");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kubernetes/run.sh");
    let mut command = Command::new("bash");
    command
        .arg(script)
        .args(arguments)
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("KUBECONFIG", "none");
    command
}

/// Its exit code, and what it said on standard error.
fn code_and_words(ended: &Output) -> (Option<i32>, String) {
    (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
}

fn asked(folder: &Path) -> String {
    fs::read_to_string(folder.join("asked")).expect("a file")
}

/// What `run.sh down` ends with and says, and what it asks of kubectl, where `told` stands beside the journal.
fn down(folder: &Path, told: &str) -> (Option<i32>, String, String) {
    fs::write(folder.join("told"), told).expect("a file");
    fs::write(folder.join("asked"), "").expect("a file");
    let ended = run_sh(folder, &["down", "folder"]).output().expect("bash runs");
    let (code, said) = code_and_words(&ended);
    (code, said, asked(folder))
}

#[test]
fn nothing_but_the_jobs_is_taken_away_while_something_may_be_broken() {
    let folder = stand_in(MANIFESTS);
    let folder = folder.path();
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

#[test]
fn help_asks_nothing_of_the_cluster() {
    let folder = stand_in(MANIFESTS);
    for arguments in [&["--help"][..], &["-h"], &["down", "--help"], &["folder", "-h"]] {
        let ended = run_sh(folder.path(), arguments).output().expect("bash runs");
        let printed = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success(), "{arguments:?}: {ended:?}");
        assert!(printed.contains("usage: run.sh FOLDER"), "{arguments:?}: {printed}");
    }
    for arguments in [&["--all"][..], &["down", "--all"]] {
        let (code, said) = code_and_words(&run_sh(folder.path(), arguments).output().expect("bash runs"));
        assert!(code == Some(2) && said.contains("unknown option --all; usage:"), "{arguments:?}: {said}");
    }
    assert_eq!(asked(folder.path()), "");
}

#[test]
fn a_folder_without_a_run_changes_nothing() {
    let folder = stand_in(WITHOUT_RUN);
    let folder = folder.path();
    fs::create_dir_all(folder.join("web/run")).expect("a folder");
    for arguments in [&["web"][..], &["web/", "--users", "3"], &["down", "web"], &["web/run"]] {
        let (code, said) = code_and_words(&run_sh(folder, arguments).output().expect("bash runs"));
        assert!(code == Some(2) && said.contains("has no run (no Job conductor)"), "{arguments:?}: {said}");
        assert_eq!(said.contains("is web/run meant?"), arguments != ["web/run"], "{arguments:?}: {said}");
    }
    let asked = asked(folder);
    assert!(!asked.contains("delete") && !asked.contains("apply"), "{asked}");
}

#[test]
fn manifests_that_are_refused_in_part_are_named_with_what_takes_them_away() {
    let folder = stand_in(MANIFESTS);
    fs::write(folder.path().join("refused"), "").expect("a file");
    let (code, said) = code_and_words(&run_sh(folder.path(), &["folder"]).output().expect("bash runs"));
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("not all of folder could be made") && said.contains("run.sh down folder`"),
        "{said}"
    );
    let asked = asked(folder.path());
    assert_eq!(asked.matches("apply -f -").count(), 1, "no Job is made: {asked}");
}

#[test]
fn after_the_verdict_the_conductor_is_waited_for() {
    let folder = stand_in(MANIFESTS);
    let ended = run_sh(folder.path(), &["folder"]).output().expect("bash runs");
    let asked = asked(folder.path());
    assert_eq!(ended.status.code(), Some(0), "{ended:?}{asked}");
    assert!(String::from_utf8_lossy(&ended.stdout).contains("verdict: pass\nexit code 0\n"), "{ended:?}");
    assert_eq!(asked.matches("get job conductor -o").count(), 3, "until it is over: {asked}");
}

#[test]
fn jobs_that_are_taken_away_end_it_at_once() {
    let folder = stand_in(MANIFESTS);
    fs::write(folder.path().join("gone"), "").expect("a file");
    let (code, said) = code_and_words(&run_sh(folder.path(), &["folder"]).output().expect("bash runs"));
    assert!(code == Some(2) && said.matches("the run's Jobs were taken away").count() == 1, "{said}");
    let asked = asked(folder.path());
    assert!(asked.trim_end().lines().last().is_some_and(|last| last.contains("get job verifier")), "{asked}");
}

#[test]
fn an_interrupted_script_says_that_the_run_goes_on() {
    let folder = stand_in(MANIFESTS);
    fs::write(folder.path().join("long"), "").expect("a file");
    let mut command = run_sh(folder.path(), &["folder"]);
    let script = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("bash runs");
    let begun = Instant::now();
    while !asked(folder.path()).contains("logs --follow") {
        assert!(begun.elapsed() < Duration::from_secs(30), "it follows no log: {}", asked(folder.path()));
        sleep(Duration::from_millis(20));
    }
    let told = Command::new("kill").args(["-TERM", &script.id().to_string()]).status().expect("kill runs");
    assert!(told.success());
    let (code, said) = code_and_words(&script.wait_with_output().expect("it ends"));
    assert!(begun.elapsed() < Duration::from_secs(50), "the log is not waited for");
    assert_eq!(code, Some(130), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("the run goes on in the cluster") && said.contains("run.sh down folder"), "{said}");
    assert!(said.contains("its verdict will be in `kubectl -n ordeal logs job/verifier`"), "{said}");
}
