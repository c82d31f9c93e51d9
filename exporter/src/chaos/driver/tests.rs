mod journal;
mod refusals;
mod rig;
mod strays;

use std::fs;

use rig::{MEND, Rig, inject, name, permit, plan};

use super::*;
use crate::trial::{ExecFault, Fault};

#[tokio::test]
async fn an_experiment_from_its_plan_to_its_recovery() {
    let bit = "test -e @/broken";
    let mut rig =
        Rig::new(&[("cut", "echo inject $ORDEAL_TARGETS >>@/log; touch @/broken", Some(bit), Some(MEND))]);
    let mut driver = rig.driver().await;
    let cut = rig.experiments[0].clone();
    assert_eq!(rig.states("cut"), ["planned"]);
    let plan = plan(&mut driver, &cut).await;
    assert_eq!(plan.shown, ["pg1", "pg2"]);
    assert_eq!(rig.log(), "", "a plan changes nothing");
    assert_eq!(rig.value("ordeal_experiment_injected_timestamp_seconds{experiment=\"cut\"}"), None);

    let injected = inject(&mut driver, &plan).await.expect("injected");
    assert!(rig.broken());
    assert_eq!(rig.states("cut"), ["injected"]);
    let at = rig.value("ordeal_experiment_injected_timestamp_seconds{experiment=\"cut\"}").expect("injected");
    let due = rig.value("ordeal_experiment_revert_due_timestamp_seconds{experiment=\"cut\"}").expect("due");
    assert!((due - at - 40.0).abs() < 1e-3, "{at} {due}");
    assert_eq!(rig.value("ordeal_experiment_reverted_timestamp_seconds{experiment=\"cut\"}"), None);
    assert_eq!(driver.unfinished(), ["cut"]);

    let Bit::Seen(seen) = driver.bit(&plan).await.expect("it bit") else { panic!("there is a bit command") };
    assert!(seen >= injected.end);
    assert_eq!(rig.states("cut"), ["injected"]);

    let reverted = driver.revert(&plan).await.expect("reverted").expect("there is a revert");
    assert!(!rig.broken());
    assert_eq!(rig.states("cut"), ["recovering"]);
    assert!(reverted.start >= seen && reverted.end >= reverted.start);
    assert!(driver.unfinished().is_empty());
    let began =
        rig.value("ordeal_experiment_reverted_timestamp_seconds{experiment=\"cut\"}").expect("reverted");
    let due = rig.value("ordeal_experiment_revert_due_timestamp_seconds{experiment=\"cut\"}").expect("due");
    assert!(due <= began && due > at, "put back before it had to be: {at} {due} {began}");

    assert_eq!(driver.apply(&cut.name, Event::Recover), Ok(State::Recovered));
    assert_eq!(rig.states("cut"), ["recovered"]);
    assert_eq!(rig.log(), "inject pg1 pg2\nrevert pg1 pg2\n");

    let report = serde_json::to_value(driver.report()).expect("a report");
    let entry = &report["experiments"][0];
    assert_eq!(entry["state"], "recovered");
    assert_eq!(entry["targets"], serde_json::json!(["pg1", "pg2"]));
    let steps: Vec<_> =
        entry["commands"].as_array().expect("a list").iter().map(|one| &one["step"]).collect();
    assert_eq!(steps, ["inject", "bit", "revert"]);
    let states: Vec<_> =
        entry["states"].as_array().expect("a list").iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["injected", "recovering", "recovered"]);
}

#[tokio::test]
async fn a_fault_without_revert_is_awaited_at_once() {
    let mut rig = Rig::new(&[("kill", "true", None, None)]);
    let mut driver = rig.driver().await;
    let kill = rig.experiments[0].clone();
    let plan = plan(&mut driver, &kill).await;
    inject(&mut driver, &plan).await.expect("injected");
    assert_eq!(driver.bit(&plan).await.expect("not checked"), Bit::Unchecked);
    assert!(driver.revert(&plan).await.expect("nothing to do").is_none());
    assert_eq!(rig.states("kill"), ["recovering"]);
    assert!(driver.unfinished().is_empty());
    assert_eq!(rig.value("ordeal_experiment_revert_due_timestamp_seconds{experiment=\"kill\"}"), None);
    assert_eq!(rig.value("ordeal_experiment_reverted_timestamp_seconds{experiment=\"kill\"}"), None);
    assert_eq!(driver.apply(&kill.name, Event::PassDeadline), Ok(State::NotRecovered));
}

#[tokio::test]
async fn a_fault_that_fails_is_put_back_at_once() {
    let half = "touch @/broken; echo out of reach >&2; exit 3";
    let cases = [
        ("fails", half, None, "fails had no effect: exit status 3: out of reach"),
        ("hangs", "touch @/broken; exec sleep 600", None, "hangs had no effect: killed at its time limit"),
        (
            "unseen",
            "touch @/broken",
            Some("echo still whole; false"),
            "unseen had no effect: it was not seen to take effect within 2s: exit status 1: still whole",
        ),
        (
            "cut-short",
            "touch @/broken",
            Some("test -e @/looked && exec sleep 600; touch @/looked; echo still whole; false"),
            "cut-short had no effect: it was not seen to take effect within 2s: exit status 1: still whole",
        ),
    ];
    for (fault, command, bit, expected) in cases {
        let mut rig = Rig::new(&[(fault, command, bit, Some(MEND))]);
        let mut driver = rig.driver().await;
        let experiment = rig.experiments[0].clone();
        let plan = plan(&mut driver, &experiment).await;
        let error = match inject(&mut driver, &plan).await {
            Ok(_) => driver.bit(&plan).await.expect_err("it does not bite"),
            Err(error) => error,
        };
        assert_eq!(error.to_string(), expected);
        assert_eq!((rig.broken(), rig.log().as_str()), (false, "revert pg1 pg2\n"), "{fault}");
        assert_eq!(rig.states(fault), ["ineffective"]);
        assert!(driver.unfinished().is_empty());
        let when = |metric| {
            let series = format!("ordeal_experiment_{metric}_timestamp_seconds{{experiment=\"{fault}\"}}");
            rig.value(&series).expect("a time")
        };
        assert!(when("revert_due") <= when("reverted"), "{fault}: it had to be put back at once");
    }
}

#[tokio::test]
async fn what_is_not_put_back_is_due_since_the_first_attempt() {
    let mut rig = Rig::new(&[("cut", "touch @/broken", None, Some("false"))]);
    let mut driver = rig.driver().await;
    let cut = rig.experiments[0].clone();
    let plan = plan(&mut driver, &cut).await;
    inject(&mut driver, &plan).await.expect("injected");
    driver.revert(&plan).await.expect_err("still in place");
    let due = || rig.value("ordeal_experiment_revert_due_timestamp_seconds{experiment=\"cut\"}");
    let first = due().expect("due");
    driver.put_back_unfinished().await.expect_err("still in place");
    assert_eq!(due(), Some(first));
    assert_eq!(rig.value("ordeal_experiment_reverted_timestamp_seconds{experiment=\"cut\"}"), None);
}

#[tokio::test]
async fn a_revert_is_tried_again_and_counts_from_its_first_attempt() {
    let third = "echo x >>@/log; test $(wc -l <@/log) -ge 3 && rm -f @/broken";
    let mut rig = Rig::new(&[("cut", "touch @/broken", None, Some(third))]);
    let mut driver = rig.driver().await;
    let cut = rig.experiments[0].clone();
    let plan = plan(&mut driver, &cut).await;
    inject(&mut driver, &plan).await.expect("injected");
    let reverted = driver.revert(&plan).await.expect("reverted").expect("there is a revert");
    assert_eq!(reverted.outcomes.len(), 3);
    assert_eq!(reverted.start, reverted.outcomes[0].start);
    assert_eq!(reverted.end, reverted.outcomes[2].end);
    assert!(!rig.broken());
}

#[tokio::test]
async fn what_cannot_be_put_back_stays_in_the_journal_and_stops_all_others() {
    let mut rig = Rig::new(&[
        ("cut", "touch @/broken", None, Some("test -e @/key && rm -f @/broken")),
        ("next", "touch @/next", None, None),
    ]);
    let mut driver = rig.driver().await;
    let experiments = rig.experiments.clone();
    let cut = plan(&mut driver, &experiments[0]).await;
    inject(&mut driver, &cut).await.expect("injected");
    let error = driver.revert(&cut).await.expect_err("no key");
    assert!(chain(&error).contains("failed 3 times, the last time: exit status 1"), "{}", chain(&error));
    assert_eq!(driver.apply(&experiments[0].name, Event::PassDeadline), Ok(State::NotRecovered));

    let refusal = permit(&mut driver, &experiments[1].name).expect_err("something is broken");
    assert_eq!(refusal.to_string(), "not put back yet: cut (run `load-exporter recover`)");
    assert_eq!(rig.states("next"), ["refused"]);
    let refused =
        serde_json::to_value(driver.report()).expect("a report")["experiments"][1]["refused"].clone();
    assert_eq!(refused["kind"], "not_put_back");

    driver.put_back_unfinished().await.expect_err("still no key");
    fs::write(rig.folder.path().join("key"), "").expect("a key");
    let done = driver.put_back_unfinished().await.expect("put back");
    assert_eq!(done.len(), 1);
    assert!(!rig.broken() && driver.unfinished().is_empty());
}

#[tokio::test]
async fn an_abort_in_the_middle_of_an_injection_puts_back() {
    let slow = "touch @/broken; while [ ! -e @/go ]; do sleep 0.01; done; touch @/broken @/late";
    let mut rig = Rig::new(&[("cut", slow, None, Some(MEND)), ("next", "true", None, None)]);
    rig.experiments[0].fault = match rig.experiments[0].fault.clone() {
        Fault::Exec(fault) => Fault::Exec(ExecFault { timeout: Duration::from_mins(10), ..fault }),
        other => other,
    };
    let mut driver = rig.driver().await;
    let cut = rig.experiments[0].clone();
    let plan = plan(&mut driver, &cut).await;
    {
        let mut inject = std::pin::pin!(inject(&mut driver, &plan));
        let broken = async {
            while !rig.broken() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = &mut inject => panic!("the injection waits for a file"),
            () = broken => {}
        }
    }
    let done = driver.abort().await.expect("put back");
    assert_eq!(done.len(), 1);
    assert!(!rig.broken());
    assert_eq!((rig.states("cut"), rig.states("next")), (vec!["injected"], vec!["skipped"]));
    let began =
        rig.value("ordeal_experiment_reverted_timestamp_seconds{experiment=\"cut\"}").expect("reverted");
    let due = rig.value("ordeal_experiment_revert_due_timestamp_seconds{experiment=\"cut\"}").expect("due");
    assert!(due <= began, "put back minutes before it had to be: {due} {began}");
    let error = driver.check(&name("next"), &[(name("shop"), true)]).expect_err("nothing more begins");
    assert_eq!(error.to_string(), "next is skipped");
}
