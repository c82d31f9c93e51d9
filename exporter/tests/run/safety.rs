//! What is left on disk and running: after a kill, beside another exporter, behind a damaged journal.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::lives::lives;
use crate::support::{Exporter, System};

/// Breaks the service by a process in a session of its own that goes on breaking it.
const EXPERIMENT: &str = "components:\n  - {name: shop, http: /healthz, interval: 20ms}\n\
    after: 0s\nsettle: 1s\nexperiments:\n  - name: haunt\n    components: [shop]\n    deadline: 20m\n    hold: 10m\n    \
    exec:\n      target: echo shop\n      \
    inject: setsid sh -c 'echo $$ >pid; while touch broken; do sleep 0.01; done' & until test -e broken; do sleep 0.01; done\n      \
    bit: test -e broken\n      revert: rm -f broken\n      timeout: 20s\n";

async fn haunted(system: &System) -> Exporter {
    let mut exporter = Exporter::start(system, &system.trial("1s", EXPERIMENT));
    exporter.until(&[r#"ordeal_experiment_state{experiment="haunt",state="injected"} 1"#]).await;
    exporter.until(&[r#"ordeal_component_up{component="shop"} 0"#]).await;
    exporter
}

fn haunts(system: &System) -> bool {
    lives(&fs::read_to_string(system.path("pid")).expect("it was begun"))
}

/// Every file and folder below `folder`, with its mode, and with the content or target of a file or link.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let data = path.symlink_metadata().expect("there");
        let content = if data.is_symlink() {
            fs::read_link(&path).expect("a link").into_os_string().into_encoded_bytes()
        } else if data.is_dir() {
            found.extend(tree(&path));
            Vec::new()
        } else {
            fs::read(&path).expect("readable")
        };
        found.insert(path, (data.permissions().mode() & 0o777, content));
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_exporter_touches_nothing_and_names_the_first() {
    let system = System::start().await;
    let exporter = haunted(&system).await;
    let before = tree(&system.path("run"));
    let latest = fs::read_link(system.path("run/latest")).expect("a link");
    for id in ["another", latest.to_str().expect("an id")] {
        let (code, said) =
            system.run(&["run", "trial.yaml", "--web.listen-address", "127.0.0.1:0", "--run-id", id]).await;
        assert_eq!(code, Some(1), "{said}");
        let holder =
            format!("journal.jsonl is in use by process {} (run {})", exporter.id(), latest.display());
        assert!(said.contains(&holder), "{said}");
    }
    assert!(haunts(&system), "the first goes on");
    let mut after = tree(&system.path("run"));
    // The first may have gone on with its log meanwhile.
    for (path, (mode, content)) in before {
        let (mode_now, content_now) = after.remove(&path).expect("still there");
        assert_eq!(mode_now, mode, "{}", path.display());
        assert!(content_now.starts_with(&content), "{}", path.display());
    }
    assert!(after.is_empty(), "nothing new: {:?}", after.keys());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_left_its_session_ends_with_the_recovery() {
    let system = System::start().await;
    let mut exporter = haunted(&system).await;
    exporter.signal(Signal::KILL);
    exporter.ended().await;
    assert!(haunts(&system), "nobody was left to end it");
    let (code, said) = system.run(&["recover"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(!haunts(&system) && !system.is_broken(), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_line_keeps_nothing_from_being_put_back_and_everything_from_beginning() {
    let system = System::start().await;
    let mut exporter = haunted(&system).await;
    exporter.signal(Signal::KILL);
    exporter.ended().await;
    let journal = system.path("run/journal.jsonl");
    let mut damaged = fs::read(&journal).expect("a journal");
    damaged[3] = 0xff;
    fs::write(&journal, &damaged).expect("writable");

    let (code, said) = system.run(&["recover"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(!haunts(&system) && !system.is_broken(), "{said}");
    for part in [
        "put back: haunt of run ",
        "run/journal.jsonl:1: not a journal entry",
        "\\xff",
        "mv run/journal.jsonl ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(fs::read(&journal).expect("a journal").starts_with(&damaged), "it is kept");
    system.trial("1s", "");
    let run = [
        "run",
        "trial.yaml",
        "--web.listen-address",
        "127.0.0.1:0",
        "--no-wait-for-scrape",
        "--linger",
        "0s",
    ];
    let (code, said) = system.run(&run).await;
    assert_eq!((code, said.contains("run/journal.jsonl:1: ")), (Some(1), true), "{said}");
    fs::rename(&journal, system.path("run/journal.jsonl.damaged")).expect("set aside");
    let (code, said) = system.run(&run).await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_run_leaves_is_its_owners_alone_and_goes_on_when_it_is_resumed_until_it_has_ended() {
    let system = System::start().await;
    let mut exporter = haunted(&system).await;
    exporter.signal(Signal::KILL);
    exporter.ended().await;
    let id = fs::read_link(system.path("run/latest")).expect("a link");
    let log = fs::read(system.path("run/latest/exporter.log")).expect("a log");
    let run = ["run", "trial.yaml", "--web.listen-address", "127.0.0.1:0", "--linger", "0s", "--run-id"];
    let (code, said) = system.run(&[&run[..], &[id.to_str().expect("an id")]].concat()).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("an earlier process of this run ended before its time"), "{said}");
    let resumed = fs::read(system.path("run/latest/exporter.log")).expect("a log");
    assert!(resumed.starts_with(&log) && resumed.len() > log.len(), "the log goes on");
    for (path, (mode, _)) in tree(&system.path("run")) {
        let own = if path.is_symlink() {
            0o777
        } else if path.is_dir() {
            0o700
        } else {
            0o600
        };
        assert_eq!(mode, own, "{}", path.display());
    }
    assert!(system.path("run/latest/chaos.json").exists());
    assert_eq!(fs::read_to_string(system.path("run/latest/ended")).expect("a mark"), "aborted\n");
    let before = tree(&system.path("run"));
    let (code, said) = system.run(&[&run[..], &[id.to_str().expect("an id")]].concat()).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("has come to its end before") && said.contains("--run-id"), "{said}");
    assert_eq!(tree(&system.path("run")), before, "a run that has ended keeps what it has");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_results_could_not_be_written_has_ended_all_the_same() {
    let system = System::start().await;
    system.trial("1s", "");
    // In the way of a result.
    fs::create_dir_all(system.path("run/once/chaos.json/folder")).expect("writable");
    let run = [
        "run",
        "trial.yaml",
        "--web.listen-address",
        "127.0.0.1:0",
        "--no-wait-for-scrape",
        "--linger",
        "0s",
    ];
    let run = [&run[..], &["--run-id", "once"]].concat();
    for said in ["its results could not be written", "has come to its end before"] {
        let (code, all) = system.run(&run).await;
        assert_eq!((code, all.contains(said)), (Some(1), true), "{said}: {all}");
        assert_eq!(fs::read_to_string(system.path("run/once/ended")).expect("a mark"), "finished\n");
    }
}
