//! `cleanup --all-runs` takes away what runs left in a namespace, unless it is still needed.

use exporter::chaos::journal::FILE;
use exporter::chaos::journal::entry::{Entry, Intent, encode};
use exporter::cluster::Target;
use exporter::trial::FaultKind;
use serde_json::{Value, json};

use crate::api::{Cluster, JOURNAL, LEASE};

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
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journal_and_lease_go_where_no_run_needs_them() {
    let cluster = Cluster::start().await;
    cluster.put(JOURNAL, journal(true));
    cluster.put(LEASE, lease("run r1 on n1", "2026-01-01T00:00:00.000000Z"));
    // The second time there is nothing.
    for _ in 0..2 {
        let (code, _, said) = cluster.run(&CLEANUP).await;
        assert_eq!(code, Some(0), "{said}");
        let expected = "removed what runs left in: namespace shop (ConfigMap ordeal-journal, Lease ordeal)\n";
        assert_eq!(said, expected);
        assert_eq!((cluster.get(JOURNAL), cluster.get(LEASE)), (None, None));
    }
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
    // Its holder's clock may be ahead; so it does not run out while it is waited for.
    let later = (chrono::Utc::now() + chrono::TimeDelta::minutes(5))
        .to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    cluster.put(LEASE, lease("run r2 on n2", &later));
    let before = (cluster.get(JOURNAL), cluster.get(LEASE));
    let (code, _, said) = cluster.run(&CLEANUP).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("Lease ordeal in namespace shop is held by run r2 on n2"), "{said}");
    assert_eq!((cluster.get(JOURNAL), cluster.get(LEASE)), before);
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
