//! Faults in a row that each hang the service for less than the time-out: the truth never leaves the bounds.

use std::time::Duration;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::super::{Outcome, Probe, Question, Recovery, Revert, Saw, Since, Span, Tracker};
use super::{INTERVAL, TIMEOUT};
use crate::clock::Moment;

/// When health is to hold after each fault.
const SETTLE: Duration = Duration::from_millis(500);

fn moment(seconds: f64) -> Moment {
    Moment::from_secs_f64(seconds)
}

/// From 35 s on, each fault of (length, time until the next): its beginning and end, and with what `slowest`
/// answers of a healthy service the probes of all of them.
fn made(faults: &[(f64, f64)], slowest: f64, seed: u64) -> (Vec<(f64, f64)>, Vec<Probe>) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut next = 35.0;
    let hangs: Vec<(f64, f64)> = faults
        .iter()
        .map(|&(length, pause)| {
            let began = next;
            next += length + pause;
            (began, began + length)
        })
        .collect();
    let phase = random.random_range(0.0..INTERVAL.as_secs_f64());
    let probes = (0u32..100_000)
        .map(|slot| phase + f64::from(slot) * INTERVAL.as_secs_f64())
        .take_while(|start| *start < next + 8.0)
        .map(|start| {
            let answers_in = random.random_range(0.001..slowest);
            let held = hangs.iter().find(|(began, ended)| start + answers_in > *began && start < *ended);
            let end = held.map_or(start, |&(_, ended)| ended) + answers_in;
            Probe { start: moment(start), end: moment(end), outcome: Outcome::Good }
        })
        .collect();
    (hangs, probes)
}

/// What the tracker says of each of `hangs`, each announced as it begins.
fn told(hangs: &[(f64, f64)], probes: &[Probe]) -> Vec<Recovery> {
    let mut tracker = Tracker::new(INTERVAL, TIMEOUT);
    let mut probes = probes.iter().peekable();
    let answer = |&(began, ended): &(f64, f64)| {
        while let Some(probe) = probes.next_if(|probe| probe.start < moment(began)) {
            tracker.record(*probe);
        }
        tracker.keep_from(Some(moment(began)));
        let injected = Span { start: moment(began), end: moment(began) };
        // As long as the component is not judged healthy the next fault waits: here it is its own pause.
        let settle = SETTLE + Duration::from_secs_f64(ended - began);
        let deadline = injected.start.later_by(Duration::from_mins(5));
        let question = Question { injected, revert: Revert::None, since: Since::Injected, settle, deadline };
        while let Some(probe) = probes.next_if(|probe| probe.start < moment(ended + 0.9)) {
            tracker.record(*probe);
        }
        let recovery = tracker.recovery(&question, moment(ended + 0.9));
        tracker.keep_from(None);
        recovery
    };
    hangs.iter().map(answer).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_truth_is_inside_whatever_hung_before(
        faults in prop::collection::vec((0.01..0.95f64, 1.0..30.0f64), 1..12),
        slowest in 0.002..0.1f64,
        seed: u64,
    ) {
        let (hangs, probes) = made(&faults, slowest, seed);
        for (recovery, (began, ended)) in told(&hangs, &probes).into_iter().zip(&hangs) {
            let Recovery::Recovered { took, saw, .. } = recovery else {
                return Err(TestCaseError::fail(format!("not final: {recovery:?}")));
            };
            let truth = ended - began;
            prop_assert_eq!(took.lower, Duration::ZERO);
            prop_assert!(truth <= took.upper.as_secs_f64() + 1e-6, "{truth} s: {took:?}");
            // No wider than the hang and its last answer, or what can hide among the answers of a healthy
            // service: two intervals, and a third that earlier hangs too short to show may have hidden.
            let hidden = 3.0 * INTERVAL.as_secs_f64();
            let widest = truth.max(hidden) + slowest;
            prop_assert!(took.upper.as_secs_f64() <= widest + 1e-6, "{truth} s: {took:?} beyond {widest}");
            prop_assert!(saw == Saw::Slowness || truth <= slowest + hidden, "{truth} s unseen");
        }
    }
}

#[test]
fn a_path_that_no_fault_touches_reads_a_tenth_of_a_second_however_many_come() {
    let (_, probes) = made(&[(0.0, 20.0); 12], 0.02, 7);
    let faults: Vec<(f64, f64)> =
        (0..12).map(|n| 35.0 + 20.0 * f64::from(n)).map(|at| (at, at + 15.0)).collect();
    for recovery in told(&faults, &probes) {
        let Recovery::Recovered { took, saw: Saw::Nothing, .. } = recovery else { panic!("{recovery:?}") };
        assert!(took.estimate.is_zero() && took.upper <= Duration::from_millis(120), "{took:?}");
    }
}
