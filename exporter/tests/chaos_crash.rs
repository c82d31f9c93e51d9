//! `kill -9` at every step of an experiment, a power cut at every byte of the journal: whoever opens the
//! journal next leaves nothing broken.
//!
//! The test starts itself again as a child that carries out one experiment (or a recovery) on a system of
//! files: it is broken while `broken` exists. The child stops at each step that the chaos room tells of and
//! goes on when told to, so the parent can kill it exactly there.

mod crash {
    pub(crate) mod child;
    pub(crate) mod system;
}

#[path = "common/lives.rs"]
mod lives;

use crash::child::{Child, Role};
use crash::system::System;
use proptest::prelude::*;

/// Where the child does its part; an ordinary test run passes through.
#[test]
fn child_process() {
    crash::child::main_if_child();
}

const NOTING: [&str; 3] = ["journal_writing", "journal_written", "journal_synced"];
const REVERTING: [&str; 5] =
    ["reverting", "journal_writing", "journal_written", "revert_started", "reverted"];

/// All that can be interrupted in an experiment, in order.
fn steps_of_a_run() -> Vec<&'static str> {
    let (opening, intending, closing) = (NOTING, NOTING, NOTING);
    let injecting = ["journal_writing", "journal_written", "inject_started", "inject_ended"];
    let injected = ["journal_writing", "journal_written"];
    let looking = ["journal_writing", "journal_written", "bit_started"];
    [&opening[..], &intending, &injecting, &injected, &looking, &REVERTING, &closing].concat()
}

/// All that can be interrupted while what a killed run left is put back.
fn steps_of_a_recovery() -> Vec<&'static str> {
    [&REVERTING[..], &NOTING].concat()
}

#[test]
fn an_experiment_that_nobody_kills_ends_well() {
    let system = System::new();
    let seen = Child::start(&system, Role::Run).until_the_end();
    assert_eq!(seen.steps(), steps_of_a_run());
    assert_eq!(system.log(), ["inject", "bit", "revert"]);
    assert!(!system.broken());
}

#[test]
fn killed_at_any_step_it_leaves_nothing_broken_once_it_runs_again() {
    let mut reached = Vec::new();
    for kill_at in 0.. {
        let system = System::new();
        let Some(seen) = Child::start(&system, Role::Run).kill_at(kill_at) else { break };
        let place = format!("killed at step {kill_at}, {}", seen.last());
        Child::start(&system, Role::Recover).until_the_end();
        system.assert_mended(&place);
        Child::start(&system, Role::Recover).until_the_end();
        system.assert_mended(&format!("{place}, recovered twice"));
        reached.push(seen.last().to_owned());
    }
    assert_eq!(reached, steps_of_a_run());
}

#[test]
fn a_recovery_killed_at_any_step_is_finished_by_the_next() {
    let inject_ended = 9;
    let mut reached = Vec::new();
    for kill_at in 0.. {
        let system = System::new();
        let seen = Child::start(&system, Role::Run).kill_at(inject_ended).expect("it comes so far");
        assert_eq!(seen.last(), "inject_ended");
        let Some(seen) = Child::start(&system, Role::Recover).kill_at(kill_at) else { break };
        let place = format!("recovery killed at step {kill_at}, {}", seen.last());
        Child::start(&system, Role::Recover).until_the_end();
        system.assert_mended(&place);
        reached.push(seen.last().to_owned());
    }
    assert_eq!(reached, steps_of_a_recovery());
}

#[test]
fn a_power_cut_at_any_step_loses_nothing_that_matters() {
    let mut reached = Vec::new();
    for kill_at in 0.. {
        let system = System::new();
        let Some(seen) = Child::start(&system, Role::Run).kill_at(kill_at) else { break };
        // The cut ends the commands too, and takes any part of what was not yet on disk.
        system.end_commands();
        let was_broken = system.broken();
        let journal = system.journal();
        let synced = seen.synced();
        assert!(synced <= journal.len());
        // Between two writes only the ends are new.
        let torn = if seen.last() == "journal_written" { 1 } else { (journal.len() - synced).max(1) };
        for cut in (synced..=journal.len()).step_by(torn) {
            system.restore(&journal[..cut], was_broken);
            system.recover();
            // What the first wrote behind a torn end must be readable.
            system.recover();
            let step = seen.last();
            system.assert_mended(&format!("cut at step {kill_at}, {step}, byte {cut} of {}", journal.len()));
        }
        reached.push(seen.last().to_owned());
    }
    assert_eq!(reached, steps_of_a_run());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn however_often_it_is_killed_what_was_begun_is_put_back(
        run in 0..23usize,
        recoveries in proptest::collection::vec(0..9usize, 0..4),
    ) {
        let system = System::new();
        Child::start(&system, Role::Run).kill_at(run);
        for recovery in &recoveries {
            Child::start(&system, Role::Recover).kill_at(*recovery);
        }
        Child::start(&system, Role::Recover).until_the_end();
        system.assert_mended(&format!("run killed at {run}, recoveries at {recoveries:?}"));
        let log = system.log();
        let began = log.iter().any(|line| line == "inject");
        prop_assert!(!began || log.iter().any(|line| line == "revert"), "{:?}", log);
    }
}
