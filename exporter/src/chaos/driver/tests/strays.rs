//! What commands leave running in sessions of their own.

use std::fs;

use super::rig::{MEND, Rig, inject};
use super::*;
use crate::chaos::faults::process;

/// A process in a session of its own that breaks the system for as long as it lives, which is
/// no longer than the folder.
const HAUNT: &str = "setsid sh -c 'echo $$ >@/pid; while touch @/broken; do sleep 0.01; done'";

/// Whether the process lives that [`HAUNT`] wrote down.
fn haunted(rig: &Rig) -> bool {
    let pid = fs::read_to_string(rig.folder.path().join("pid")).expect("it was begun");
    process::stat(pid.trim().parse().expect("a number")).is_ok_and(|stat| stat.is_alive())
}

#[tokio::test]
async fn what_left_its_group_before_the_time_limit_is_ended_with_it() {
    let haunt = format!("{HAUNT} & wait");
    let mut rig = Rig::new(&[("haunt", &haunt, None, Some(MEND))]);
    let mut driver = rig.driver().await;
    let plan = driver.prepare(&rig.experiments[0], None).await.expect("a plan");
    let error = inject(&mut driver, &plan).await.expect_err("its time limit").to_string();
    assert!(error.contains("time limit"), "{error}");
    assert!(!haunted(&rig) && !rig.broken());
    assert_eq!(rig.log(), "revert pg1 pg2\n");
}

#[tokio::test]
async fn what_an_injection_left_runs_until_it_is_put_back() {
    let haunt = format!("{HAUNT} & until test -e @/broken; do sleep 0.01; done");
    // The first revert, which knows nothing of the process, may be undone by it.
    let mut rig = Rig::new(&[
        ("haunt", &haunt, Some("test -e @/broken"), Some(MEND)),
        ("exorcised", &haunt, None, Some("kill $(cat @/pid); echo kill >>@/log; rm -f @/broken")),
    ]);
    let mut driver = rig.driver().await;
    let plan = driver.prepare(&rig.experiments[0], None).await.expect("a plan");
    inject(&mut driver, &plan).await.expect("injected");
    driver.bit(&plan).await.expect("it bit");
    assert!(haunted(&rig));
    let reverted = driver.revert(&plan).await.expect("put back").expect("there was something");
    assert!(!haunted(&rig) && !rig.broken());
    assert_eq!(reverted.outcomes.len(), 2);
    assert!(reverted.start < reverted.end);
    assert_eq!(rig.log(), "revert pg1 pg2\nrevert pg1 pg2\n");

    driver.apply(&rig.experiments[0].name, Event::Recover).expect("recovered");
    let plan = driver.prepare(&rig.experiments[1], None).await.expect("a plan");
    inject(&mut driver, &plan).await.expect("injected");
    // An abort is no other way.
    driver.abort().await.expect("put back");
    assert!(!haunted(&rig));
    assert_eq!(rig.log().lines().last(), Some("kill"));
}

#[tokio::test]
async fn what_a_revert_started_and_what_nobody_reverts_lives_on() {
    let haunt = format!("{HAUNT} & until test -e @/broken; do sleep 0.01; done");
    let start = format!("{HAUNT} >/dev/null 2>&1 & until test -e @/pid; do sleep 0.01; done; :");
    let mut rig = Rig::new(&[("alone", &haunt, None, None), ("restart", "true", None, Some(&start))]);
    let mut driver = rig.driver().await;
    for experiment in rig.experiments.clone() {
        let plan = driver.prepare(&experiment, None).await.expect("a plan");
        inject(&mut driver, &plan).await.expect("injected");
        driver.revert(&plan).await.expect("put back");
        assert!(haunted(&rig), "{}", experiment.name);
        driver.apply(&experiment.name, Event::Recover).expect("recovered");
        let pid = fs::read_to_string(rig.folder.path().join("pid")).expect("it was begun");
        let pid = rustix::process::Pid::from_raw(pid.trim().parse().expect("a number")).expect("a process");
        rustix::process::kill_process_group(pid, rustix::process::Signal::KILL).expect("it runs");
        fs::remove_file(rig.folder.path().join("pid")).expect("written");
    }
}
