//! What an earlier process left in the journal.

use std::fs;

use prometheus::Registry;

use super::rig::{MEND, Rig, inject, name, permit, plan};
use super::*;
use crate::chaos::faults::Undo;
use crate::chaos::faults::commands::Mend;
use crate::chaos::journal::{FILE, Intent};
use crate::cluster::Target;
use crate::trial::FaultKind;

#[tokio::test]
async fn a_process_that_takes_up_a_run_knows_what_the_last_one_did() {
    let mut rig = Rig::new(&[("cut", "touch @/broken", None, Some(MEND)), ("next", "true", None, None)]);
    let mut driver = rig.driver().await;
    assert!(!driver.resumed());
    let cut = rig.experiments[0].clone();
    let plan = plan(&mut driver, &cut).await;
    inject(&mut driver, &plan).await.expect("injected");
    let at = rig.value("ordeal_experiment_injected_timestamp_seconds{experiment=\"cut\"}").expect("injected");
    drop(driver);

    let mut driver = rig.driver().await;
    assert!(driver.resumed());
    assert_eq!((rig.states("cut"), rig.states("next")), (vec!["injected"], vec!["planned"]));
    let again =
        rig.value("ordeal_experiment_injected_timestamp_seconds{experiment=\"cut\"}").expect("injected");
    assert!((at - again).abs() < 0.01, "{at} {again}");
    driver.abort().await.expect("put back");
    assert!(!rig.broken());
    assert_eq!((rig.states("cut"), rig.states("next")), (vec!["injected"], vec!["skipped"]));
    let when = |metric| {
        let series = format!("ordeal_experiment_{metric}_timestamp_seconds{{experiment=\"cut\"}}");
        rig.value(&series).expect("a time")
    };
    assert!(when("revert_due") <= when("reverted"), "to be put back at once");
}

#[tokio::test]
async fn a_run_that_did_not_begin_leaves_no_trace_and_is_not_taken_up() {
    let mut rig = Rig::new(&[("cut", "true", None, Some(MEND))]);
    for _ in 0..2 {
        let mut driver = rig.opened().await;
        driver.put_back_unfinished().await.expect("nothing to put back");
        assert!(!driver.resumed());
    }
    assert_eq!(fs::read_to_string(rig.folder.path().join(FILE)).expect("a journal"), "");
    assert!(!rig.driver().await.resumed());
    assert!(rig.driver().await.resumed());
}

/// A process left this in the journal.
async fn left_open(rig: &Rig, run: &str, experiment: &str) {
    let journal = Journal::open(rig.folder.path()).await.expect("a journal");
    let intent = Intent {
        id: 0,
        run: run.into(),
        experiment: experiment.into(),
        token: rig.token().to_owned(),
        kind: FaultKind::Exec,
        targets: vec![Target::named("pg1")],
        undo: Some(Undo::Exec(Mend { command: "true".into(), timeout_ms: 60_000 })),
        directory: rig.folder.path().to_owned(),
        at_unix_ms: 0,
    };
    journal.intend(move |id| Intent { id, ..intent }).await.expect("noted");
}

/// The same run was taken up with another trial.
#[tokio::test]
async fn what_is_put_back_of_an_experiment_that_is_not_in_the_trial_is_in_no_metric() {
    let mut rig = Rig::new(&[("cut", "true", None, Some(MEND))]);
    left_open(&rig, "r1", "renamed").await;
    let mut driver = rig.driver().await;
    assert_eq!(driver.put_back_unfinished().await.expect("put back").len(), 1);
    assert!(!rig.exposed().contains("renamed"));
}

#[tokio::test]
async fn what_is_put_back_of_another_run_is_told_as_that_runs() {
    let mut rig = Rig::new(&[("cut", "true", None, Some(MEND))]);
    left_open(&rig, "r0", "cut").await;
    let mut driver = rig.driver().await;
    assert_eq!(driver.put_back_unfinished().await.expect("put back").len(), 1);
    let report = serde_json::to_value(driver.report()).expect("a report");
    assert_eq!(report["put_back_at_start"], serde_json::json!(["cut of run r0"]));
    assert_eq!(rig.value("ordeal_experiment_reverted_timestamp_seconds{experiment=\"cut\"}"), None);
}

#[tokio::test]
async fn a_journal_that_cannot_be_used_lets_nothing_begin() {
    let mut rig = Rig::new(&[("cut", "touch @/broken", None, Some(MEND))]);
    fs::write(rig.folder.path().join(FILE), "rubbish\n").expect("a file");
    let metrics = Metrics::register(&rig.registry, &rig.experiments, &[]).expect("the families fit");
    let setup = Setup {
        clock: Clock::start(),
        journal: Journal::open(rig.folder.path()).await.expect("a journal"),
        run: "r1",
        token: rig.token(),
        experiments: &rig.experiments,
        components: vec![name("shop")],
        stores: Vec::new(),
        secrets: Secrets::default(),
        cluster: None,
        metrics,
        retry: Retry::default(),
    };
    let mut driver = Driver::open(setup).await.expect("what is readable is to be put back");
    let error = driver.put_back_unfinished().await.expect_err("damaged").to_string();
    assert!(error.contains("journal.jsonl:1: not a journal entry; it has 7 bytes"), "{error}");
    let plan = driver.prepare(&rig.experiments[0], None).await.expect("a plan");
    let error = inject(&mut driver, &plan).await.expect_err("damaged").to_string();
    assert!(error.contains("is damaged: nothing begins before it is set aside"), "{error}");
    assert!(!rig.broken());
    let journal = fs::read_to_string(rig.folder.path().join(FILE)).expect("a journal");
    assert_eq!(journal, "rubbish\n", "it is left as it is");
    rig.registry = Registry::new();
}

#[tokio::test]
async fn a_fault_begins_once_it_is_noted() {
    let mut rig = Rig::new(&[("cut", "touch @/broken", None, Some(MEND))]);
    let mut driver = rig.driver().await;
    let experiment = rig.experiments[0].clone();
    let plan = plan(&mut driver, &experiment).await;
    let permit = permit(&mut driver, &plan.experiment).expect("nothing speaks against it");
    let path = rig.folder.path().join(FILE);
    let journal = || fs::read_to_string(&path).expect("a journal");
    assert!(!journal().contains("\"intended\""));
    let mut noted = Vec::new();
    driver
        .inject(&plan, permit, &mut |_| noted.push(journal().contains("\"intended\"")))
        .await
        .expect("injected");
    assert_eq!(noted, [true]);
}
