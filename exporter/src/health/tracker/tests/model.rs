//! The tracker against a model that knows all probes and follows the definitions word by word.

use std::time::Duration;

use proptest::prelude::*;

use super::super::{Bounds, LASTING_PROBES, LASTING_TIME, Outcome, Probe, Tracker};
use super::{INTERVAL, TIMEOUT, at};
use crate::clock::Moment;

#[derive(Debug, PartialEq)]
struct Expected {
    first_failed: Moment,
    last_failed: Moment,
    began: Bounds,
    ended: Option<Bounds>,
    over: bool,
}

fn failed(probe: &Probe) -> bool {
    matches!(probe.outcome, Outcome::Refused | Outcome::TimedOut)
}

fn took(probe: &Probe) -> Duration {
    probe.end.since(probe.start)
}

/// The probes of `streak` after its last blind stretch.
fn after_blind<'a>(before: &Probe, streak: &'a [Probe]) -> &'a [Probe] {
    let starts = |n: usize| if n == 0 { before.start } else { streak[n - 1].start };
    let blind = |&n: &usize| streak[n].start.since(starts(n)) > Duration::from_secs(1);
    &streak[(0..streak.len()).rev().find(blind).unwrap_or(0)..]
}

/// How many probes of `streak` it takes until health has lasted.
fn lasting(before: &Probe, streak: &[Probe]) -> Option<usize> {
    (1..=streak.len()).find(|&n| {
        let shown = after_blind(before, &streak[..n]);
        let from = shown.iter().map(|probe| probe.end).min().expect("at least one probe");
        shown.len() >= LASTING_PROBES as usize && shown[shown.len() - 1].start >= from.later_by(LASTING_TIME)
    })
}

fn end_of(before: &Probe, streak: &[Probe], within: Duration, began: Bounds) -> Bounds {
    let earliest = streak.iter().map(|probe| probe.end).min().expect("at least one probe");
    let upper = after_blind(before, streak).iter().map(|probe| probe.end).min().expect("at least one probe");
    // The probe before the first of the streak that may have begun after the return.
    let sees = streak.iter().position(|probe| probe.start >= earliest.earlier_by(within));
    let previous = match sees.unwrap_or(streak.len()) {
        0 => before.start,
        n => streak[n - 1].start,
    };
    let mut lower = earliest.earlier_by(within).earlier_by(INTERVAL).min(previous);
    if before.outcome == Outcome::Refused || took(&streak[0]) < TIMEOUT / 2 {
        lower = lower.min(before.start);
    }
    Bounds { lower: lower.max(began.lower), upper }
}

fn model(slots: &[Probe]) -> Vec<Expected> {
    let known: Vec<Probe> = slots.iter().copied().filter(|probe| probe.outcome != Outcome::Missed).collect();
    let mut expected: Vec<Expected> = Vec::new();
    let mut next = 0;
    while let Some(first) = (next..known.len()).find(|&n| failed(&known[n])) {
        let f = known[first];
        let healthy = expected.last().and_then(|outage| outage.ended).map_or(at(0), |ended| ended.upper);
        let good = |probe: &&Probe| !failed(probe);
        let within = known[..first]
            .iter()
            .filter(good)
            .filter(|probe| {
                probe.start >= healthy && probe.start >= f.start.earlier_by(Duration::from_secs(30))
            })
            .filter(|probe| probe.end <= f.start)
            .map(took)
            .max()
            .unwrap_or(TIMEOUT);
        let before = known[..first].iter().rev().find(good).map_or(slots[0].start, |probe| probe.start);
        let began = Bounds { lower: before, upper: f.start.later_by(within) };
        let mut last = first;
        let (ended, over) = loop {
            let until = (last + 1..known.len()).find(|&n| failed(&known[n])).unwrap_or(known.len());
            let streak = &known[last + 1..until];
            if let Some(n) = lasting(&known[last], streak) {
                next = last + 1 + n;
                break (Some(end_of(&known[last], &streak[..n], within, began)), true);
            }
            if until == known.len() {
                next = until;
                let ended = (!streak.is_empty()).then(|| end_of(&known[last], streak, within, began));
                break (ended, false);
            }
            last = until;
        };
        expected.push(Expected { first_failed: f.start, last_failed: known[last].start, began, ended, over });
    }
    expected
}

/// Runs of slots with the same behaviour: (slots, outcome, time to answer in ms; of held ones, how many of the
/// last are missed).
fn stretches() -> impl Strategy<Value = Vec<(usize, u8, u64)>> {
    let good = (1usize..200, Just(0u8), 1u64..40);
    let held = (1usize..25, Just(1u8), 0u64..6);
    let refused = (1usize..60, Just(2u8), 1u64..900);
    let timed_out = (1usize..60, Just(3u8), Just(1000u64));
    let missed = (1usize..30, Just(4u8), Just(0u64));
    prop::collection::vec(prop_oneof![4 => good, 1 => held, 2 => refused, 2 => timed_out, 1 => missed], 1..25)
}

fn slots(stretches: &[(usize, u8, u64)]) -> Vec<Probe> {
    let mut slots: Vec<Probe> = Vec::new();
    for &(count, kind, took) in stretches {
        let returns = (slots.len() + count) as u64 * 50 + 3;
        for n in 0..count as u64 {
            let start = slots.len() as u64 * 50;
            let (took, outcome) = match kind {
                0 => (1 + (took * (n + 7)) % 40, Outcome::Good),
                1 if n + took >= count as u64 => (0, Outcome::Missed),
                1 if returns - start <= 1000 => (returns - start, Outcome::Good),
                2 => (took, Outcome::Refused),
                1 | 3 => (1000, Outcome::TimedOut),
                _ => (0, Outcome::Missed),
            };
            slots.push(Probe { start: at(start), end: at(start + took), outcome });
        }
    }
    slots
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_tracker_agrees_with_the_model(stretches in stretches()) {
        let slots = slots(&stretches);
        let mut tracker = Tracker::new(INTERVAL, TIMEOUT);
        for &probe in &slots {
            tracker.record(probe);
        }
        let outages: Vec<Expected> = tracker
            .outages()
            .iter()
            .map(|outage| Expected {
                first_failed: outage.first_failed,
                last_failed: outage.last_failed,
                began: outage.began,
                ended: outage.ended,
                over: outage.over,
            })
            .collect();
        prop_assert_eq!(outages, model(&slots));
    }
}
