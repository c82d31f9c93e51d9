//! `cleanup --all-runs` takes away what runs left in a namespace, unless it is still needed.

use exporter::chaos::journal::FILE;
use exporter::chaos::journal::entry::{Entry, Intent, encode};
use exporter::cluster::Target;
use exporter::trial::FaultKind;
use serde_json::{Value, json};

use crate::api::{Cluster, FLEET, JOURNAL, LEASE};

const CLEANUP: [&str; 3] = ["cleanup", "trial.yaml", "--all-runs"];

/// The journal of one experiment.
fn journal(closed: bool) -> Value {
    let intent = Intent {
        id: 0,
        run: "r1".to_owned(),
        experiment: "kill".to_owned(),
        token: "t".to_owned(),
        kind: FaultKind::PodKill,
        targets: vec![Target::named("shop-1")],
        undo: None,
        directory: "/".into(),
        at_unix_ms: 1,
    };
    let mut lines = encode(&Entry::Intended(intent)).expect("an entry");
    if closed {
        lines.extend(encode(&Entry::Closed { id: 0 }).expect("an entry"));
    }
    json!({"metadata": {"name": "ordeal-journal"}, "data": {FILE: String::from_utf8(lines).expect("text")}})
}

fn lease(holder: &str, renewed: &str) -> Value {
    json!({"metadata": {"name": "ordeal"},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 45, "renewTime": renewed}})
}

/// What is said at the end.
const REMOVED: &str = "removed what runs left in: namespace shop (ConfigMap ordeal-journal, Lease ordeal)\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journal_and_lease_go_where_no_run_needs_them() {
    let cluster = Cluster::start().await;
    cluster.put(JOURNAL, journal(true));
    cluster.put(LEASE, lease("", "2026-01-01T00:00:00.000000Z"));
    // The second time there is nothing.
    for _ in 0..2 {
        let (code, _, said) = cluster.run(&CLEANUP).await;
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(said, REMOVED);
        assert_eq!((cluster.get(JOURNAL), cluster.get(LEASE)), (None, None));
    }
}

/// Its holder's clock may have been ahead by far: what counts is that nothing comes while we look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lease_of_a_run_that_was_killed_goes_after_a_while() {
    let cluster = Cluster::start().await;
    cluster.put(JOURNAL, journal(true));
    cluster.put(LEASE, lease("run r1 on n1", "2126-01-01T00:00:00.000000Z"));
    let (code, _, said) = cluster.run(&CLEANUP).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("waiting: Lease ordeal in namespace shop is held by run r1 on n1"), "{said}");
    assert!(said.ends_with(REMOVED), "{said}");
    assert_eq!((cluster.get(JOURNAL), cluster.get(LEASE)), (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_tells_of_something_broken_stays() {
    let cluster = Cluster::start().await;
    cluster.put(JOURNAL, journal(false));
    let before = cluster.get(JOURNAL);
    let (code, _, said) = cluster.run(&CLEANUP).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("(kill of run r1); `load-exporter recover --namespace shop` puts it back"),
        "{said}"
    );
    assert_eq!(cluster.get(JOURNAL), before);
    let holder = cluster.get(LEASE).map(|lease| lease["spec"]["holderIdentity"].clone());
    assert_eq!(holder, Some(json!("")), "it is given up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_removed_while_a_run_goes_on() {
    let cluster = Cluster::start().await;
    cluster.put(JOURNAL, journal(true));
    let before = cluster.get(JOURNAL);
    // It lives, by a clock that is far behind ours.
    let renews = async {
        for second in (0..60).cycle() {
            cluster.put(LEASE, lease("run r2 on n2", &format!("2026-01-01T00:00:{second:02}.000000Z")));
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    };
    let (code, _, said) = tokio::select! {
        ended = cluster.run(&CLEANUP) => ended,
        () = renews => unreachable!("it goes on for ever"),
    };
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("Lease ordeal in namespace shop is held by run r2 on n2"), "{said}");
    assert_eq!(cluster.get(JOURNAL), before);
    let holder = cluster.get(LEASE).map(|lease| lease["spec"]["holderIdentity"].clone());
    assert_eq!(holder, Some(json!("run r2 on n2")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_all_runs_share_stays_where_one_run_is_named() {
    let cluster = Cluster::start().await;
    cluster.put(JOURNAL, journal(true));
    let (code, _, said) = cluster.run(&["cleanup", "trial.yaml", "--run", "r1"]).await;
    assert_eq!(code, Some(0), "{said}");
    let expected = "nothing to remove: the trial has no stores\n\
        what is in the namespace is of all runs: --all-runs removes it, when no run goes on\n";
    assert_eq!(said, expected);
    assert!(cluster.get(JOURNAL).is_some());
    assert_eq!(cluster.asked(), [""; 0]);
}

/// A conductor that was killed leaves it where the program itself is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_load_processes_were_led_by_goes_when_its_run_has_ended() {
    let cluster = Cluster::start().await;
    let lead = |order: &str| {
        let text = json!({"run": "r1", "trial": "t", "of": 2, "at": 1.76e9, "order": {"order": order}});
        json!({"metadata": {"name": "ordeal-fleet"}, "data": {"lead": text.to_string()}})
    };
    cluster.put(FLEET, lead("abort"));
    let (code, _, said) = cluster.run(&CLEANUP).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("removed ConfigMap ordeal-fleet of namespace default\n"), "{said}");
    assert_eq!(cluster.get(FLEET), None);
    // Somebody leads, and so writes again.
    let writes = async {
        for second in 0_u32.. {
            let mut text = lead("wait");
            let at = 1.76e9 + f64::from(second);
            let said = json!({"run": "r2", "trial": "t", "of": 2, "at": at, "order": {"order": "wait"}});
            text["data"]["lead"] = json!(said.to_string());
            cluster.put(FLEET, text);
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    };
    let (code, _, said) = tokio::select! {
        ended = cluster.run(&CLEANUP) => ended,
        () = writes => unreachable!("it goes on for ever"),
    };
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("namespace default stays: run r2 leads load processes by it"), "{said}");
    assert!(cluster.get(FLEET).is_some());
}
