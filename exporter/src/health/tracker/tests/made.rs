//! Made outages, whose truth is known: it never leaves the bounds.

use std::time::Duration;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::super::{Outcome, Probe, Question, Recovery, Revert, Since, Span, Tracker};
use super::{INTERVAL, TIMEOUT};
use crate::clock::Moment;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Connections are refused; those open at the beginning are reset.
    Refused,
    /// Requests wait for the return (SIGSTOP).
    Hanging,
    /// Requests are lost (a partition).
    BlackHoled,
}

#[derive(Debug, Clone, Copy)]
struct Made {
    kind: Kind,
    began: f64,
    ended: f64,
    /// How long after the return answers are slow.
    slow_for: f64,
    seed: u64,
}

/// The probes of `made`, in order of start: 20 a second at a random phase, answered in 1 to 20 ms, after the
/// return for `slow_for` seconds in up to 300 ms more. Requests that hung are answered one after the other.
fn probes(made: Made) -> Vec<Probe> {
    let mut random = StdRng::seed_from_u64(made.seed);
    let phase = random.random_range(0.0..INTERVAL.as_secs_f64());
    let mut queue_free = made.ended;
    (0u32..10_000)
        .map(|slot| phase + f64::from(slot) * INTERVAL.as_secs_f64())
        .take_while(|start| *start < made.ended + 8.0)
        .map(|start| {
            let answers_in = random.random_range(0.001..0.020);
            let touched = start + answers_in > made.began && start < made.ended;
            let slow = start >= made.ended && start < made.ended + made.slow_for;
            let (end, outcome) = match made.kind {
                _ if slow && made.kind != Kind::Hanging => {
                    (start + answers_in + random.random_range(0.0..0.3), Outcome::Good)
                }
                Kind::Hanging if touched && start + 1.0 > made.ended && made.slow_for > 0.0 => {
                    queue_free += answers_in;
                    (queue_free, Outcome::Good)
                }
                Kind::Hanging if touched => (made.ended + answers_in, Outcome::Good),
                Kind::Hanging if start >= made.ended => (start.max(queue_free) + answers_in, Outcome::Good),
                Kind::Refused if touched => (start.max(made.began) + 0.0005, Outcome::Refused),
                Kind::BlackHoled if touched => (f64::INFINITY, Outcome::Good),
                _ => (start + answers_in, Outcome::Good),
            };
            let (end, outcome) =
                if end > start + 1.0 { (start + 1.0, Outcome::TimedOut) } else { (end, outcome) };
            Probe { start: Moment::from_secs_f64(start), end: Moment::from_secs_f64(end), outcome }
        })
        .collect()
}

/// Error of the estimated end and width of the bounds of the length; panics where the truth leaves the bounds.
fn measure(made: Made) -> (f64, f64) {
    let mut tracker = Tracker::new(INTERVAL, TIMEOUT);
    for probe in probes(made) {
        tracker.record(probe);
    }
    assert_eq!(tracker.outages().len(), 1, "{made:?}");
    let outage = tracker.outages()[0];
    let ended = outage.ended.expect("the outage is over");
    let (began_low, began_high) = (outage.began.lower.as_secs_f64(), outage.began.upper.as_secs_f64());
    let (ended_low, ended_high) = (ended.lower.as_secs_f64(), ended.upper.as_secs_f64());
    assert!(
        (began_low..=began_high).contains(&made.began),
        "{made:?} began outside {began_low}..{began_high}"
    );
    assert!(
        (ended_low..=ended_high).contains(&made.ended),
        "{made:?} ended outside {ended_low}..{ended_high}"
    );
    let width = (ended_high - began_low) - (ended_low - began_high);
    (ended.middle().as_secs_f64() - made.ended, width)
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Refused), Just(Kind::Hanging), Just(Kind::BlackHoled)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_truth_is_inside_and_the_estimate_close(
        kind in kinds(), began in 31.0..33.0, length in 1.5..37.0, seed: u64,
    ) {
        let (error, width) = measure(Made { kind, began, ended: began + length, slow_for: 0.0, seed });
        prop_assert!(error.abs() <= 0.1, "estimate off by {error} s");
        prop_assert!(width <= 0.25, "bounds {width} s wide");
    }

    #[test]
    fn the_truth_is_inside_where_first_answers_are_slow(
        kind in kinds(), began in 31.0..33.0, length in 1.5..37.0, slow_for in 0.05..2.0, seed: u64,
    ) {
        measure(Made { kind, began, ended: began + length, slow_for, seed });
    }

    #[test]
    fn the_end_of_a_hang_that_fails_no_probe_is_inside_too(
        began in 31.0..33.0, length in 0.15..0.95, seed: u64,
    ) {
        let made = Made { kind: Kind::Hanging, began, ended: began + length, slow_for: 0.0, seed };
        let mut tracker = Tracker::new(INTERVAL, TIMEOUT);
        for probe in probes(made) {
            tracker.record(probe);
        }
        let injected = Moment::from_secs_f64(began);
        let question = Question {
            injected: Span { start: injected, end: injected },
            revert: Revert::None,
            since: Since::Injected,
            settle: Duration::from_secs(5),
            deadline: injected.later_by(Duration::from_mins(5)),
        };
        let Recovery::Recovered { took, .. } = tracker.recovery(&question, injected) else {
            return Err(TestCaseError::fail("not final"));
        };
        let truth = Duration::from_secs_f64(length);
        prop_assert!(took.lower <= truth && truth <= took.upper + Duration::from_nanos(1), "{took:?}");
        prop_assert!(took.upper <= truth + Duration::from_millis(21), "{took:?}");
    }
}

#[test]
fn the_median_width_at_twenty_probes_a_second_is_a_sixth_of_a_second() {
    let mut random = StdRng::seed_from_u64(1);
    for kind in [Kind::Refused, Kind::Hanging, Kind::BlackHoled] {
        let mut widths: Vec<f64> = (0..300)
            .map(|seed| {
                let began = random.random_range(31.0..33.0);
                let ended = began + random.random_range(1.5..37.0);
                measure(Made { kind, began, ended, slow_for: 0.0, seed }).1
            })
            .collect();
        widths.sort_by(f64::total_cmp);
        let median = widths[widths.len() / 2];
        assert!((0.12..=0.17).contains(&median), "{kind:?}: {median} s");
    }
}

#[test]
fn the_bounds_are_no_wider_than_twice_interval_and_longest_answer() {
    for seed in 0..200 {
        let made = Made { kind: Kind::BlackHoled, began: 32.0, ended: 40.0, slow_for: 0.0, seed };
        let (_, width) = measure(made);
        assert!(width <= 2.0 * (INTERVAL + Duration::from_millis(20)).as_secs_f64() + 1e-9, "{width}");
    }
}
