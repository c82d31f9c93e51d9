//! Polls, which read the state that they judge at any moment until their end.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::super::{Bounds, Outage, Outcome, Probe, Tracker};
use super::{INTERVAL, TIMEOUT, at, probe};
use crate::clock::Moment;

/// 20 polls a second of what is down from `began` to `ended`. They take 1 to 20 ms; of those begun while it falls or is
/// down a third takes up to 0.9 s.
fn polls(began: f64, ended: f64, seed: u64) -> Vec<Probe> {
    let mut random = StdRng::seed_from_u64(seed);
    let phase = random.random_range(0.0..INTERVAL.as_secs_f64());
    (0u32..10_000)
        .map(|slot| phase + f64::from(slot) * INTERVAL.as_secs_f64())
        .take_while(|start| *start < ended + 8.0)
        .map(|start| {
            let troubled = start > began - 0.9 && start < ended && random.random_bool(1.0 / 3.0);
            let took = random.random_range(if troubled { 0.1..0.9 } else { 0.001..0.020 });
            let read = start + random.random_range(0.0..took);
            let outcome = if read > began && read < ended { Outcome::Refused } else { Outcome::Good };
            let (start, end) = (Moment::from_secs_f64(start), Moment::from_secs_f64(start + took));
            Probe { start, end, outcome }
        })
        .collect()
}

fn only_outage(mut tracker: Tracker, probes: Vec<Probe>) -> Outage {
    for probe in probes {
        tracker.record(probe);
    }
    assert_eq!(tracker.outages().len(), 1, "{:?}", tracker.outages());
    tracker.outages()[0]
}

fn holds(bounds: Bounds, truth: f64) -> bool {
    (bounds.lower.as_secs_f64()..=bounds.upper.as_secs_f64()).contains(&truth)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_truth_is_inside_where_polls_are_slow(began in 31.0..33.0, length in 1.5..37.0, seed: u64) {
        let ended = began + length;
        let outage = only_outage(Tracker::new(INTERVAL, TIMEOUT).of_polls(), polls(began, ended, seed));
        prop_assert!(holds(outage.began, began), "began at {began}: {outage:?}");
        prop_assert!(outage.ended.is_some_and(|end| holds(end, ended)), "ended at {ended}: {outage:?}");
    }
}

#[test]
fn an_outage_that_a_slow_poll_found_began_by_its_end() {
    let found = |tracker: Tracker| {
        let good = (0..40_000).step_by(50).map(|start| probe(start, 10, Outcome::Good));
        only_outage(tracker, good.chain([probe(40_000, 400, Outcome::Refused)]).collect()).began
    };
    let tracker = || Tracker::new(INTERVAL, TIMEOUT);
    assert_eq!(found(tracker()), Bounds { lower: at(39_950), upper: at(40_010) });
    assert_eq!(found(tracker().of_polls()), Bounds { lower: at(39_950), upper: at(40_400) });
}
