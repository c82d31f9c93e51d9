use std::time::Duration;

use super::super::{Outcome, Question, Recovery, Revert, Saw, Since, Span, Took, Tracker};
use super::{INTERVAL, TIMEOUT, at, fed, probe, refused_between};
use crate::clock::Moment;

const INJECTED: Span =
    Span { start: Moment(Duration::from_millis(39_900)), end: Moment(Duration::from_millis(39_980)) };

fn question(revert: Revert, since: Since) -> Question {
    let deadline = INJECTED.start.later_by(Duration::from_mins(5));
    Question { injected: INJECTED, revert, since, settle: Duration::from_mins(1), deadline }
}

fn injected() -> Question {
    question(Revert::None, Since::Injected)
}

fn ask(tracker: &Tracker, question: &Question) -> Recovery {
    tracker.recovery(question, tracker.seen().unwrap_or_default())
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn span(start: u64, end: u64) -> Span {
    Span { start: at(start), end: at(end) }
}

/// As [`fed`], the fault announced when it is injected.
fn watched(until: u64, outcome: impl Fn(u64) -> (u64, Outcome)) -> Tracker {
    let mut tracker = Tracker::new(INTERVAL, TIMEOUT);
    for start in (0..until).step_by(50) {
        if at(start) == INJECTED.start {
            tracker.keep_from(Some(INJECTED.start));
        }
        let (took, outcome) = outcome(start);
        tracker.record(probe(start, took, outcome));
    }
    tracker
}

#[test]
fn it_runs_from_the_start_of_the_command_and_its_lower_bound_from_the_end() {
    let tracker = fed(110_000, refused_between(40_000, 42_000));
    // The end is in [41.95, 42.01], so its middle is 41.98.
    let took = Took { lower: ms(41_950 - 39_980), estimate: ms(41_980 - 39_900), upper: ms(42_010 - 39_900) };
    let expected = Recovery::Recovered { took, saw: Saw::Outage, settled: at(102_010) };
    assert_eq!(ask(&tracker, &injected()), expected);
}

#[test]
fn it_is_pending_until_health_has_held_for_the_settle_time() {
    let before = fed(102_000, refused_between(40_000, 42_000));
    assert!(matches!(ask(&before, &injected()), Recovery::Pending { so_far: Some(_) }));
    let down = fed(41_000, refused_between(40_000, 42_000));
    assert_eq!(ask(&down, &injected()), Recovery::Pending { so_far: None });
    let after = fed(102_100, refused_between(40_000, 42_000));
    assert!(matches!(ask(&after, &injected()), Recovery::Recovered { .. }));
}

#[test]
fn an_outage_within_the_settle_time_moves_it() {
    let relapse = |start: u64| match start {
        40_000..42_000 | 70_000..71_000 => (1, Outcome::Refused),
        _ => (10, Outcome::Good),
    };
    let tracker = fed(140_000, relapse);
    let Recovery::Recovered { took, settled, .. } = ask(&tracker, &injected()) else { panic!("not final") };
    assert_eq!((took.upper, settled), (ms(71_010 - 39_900), at(131_010)));
    assert_eq!(tracker.outages().len(), 2, "it is counted by itself");
}

#[test]
fn each_outage_gives_health_its_settle_time_anew() {
    let relapses = |start: u64| match start {
        40_000..42_000 | 95_000..98_000 | 120_000..121_000 => (1, Outcome::Refused),
        _ => (10, Outcome::Good),
    };
    let tracker = fed(190_000, relapses);
    let Recovery::Recovered { took, .. } = ask(&tracker, &injected()) else { panic!("not final") };
    assert_eq!(took.upper, ms(121_010 - 39_900));
}

#[test]
fn an_outage_after_the_final_moment_does_not_move_it() {
    let later = |start: u64| match start {
        40_000..42_000 | 110_000..111_000 => (1, Outcome::Refused),
        _ => (10, Outcome::Good),
    };
    let tracker = fed(140_000, later);
    let Recovery::Recovered { took, .. } = ask(&tracker, &injected()) else { panic!("not final") };
    assert_eq!(took.upper, ms(42_010 - 39_900));
}

#[test]
fn since_the_revert_it_is_as_good_as_zero_where_the_component_was_healthy_then_and_after() {
    let tracker = watched(200_000, refused_between(40_000, 42_000));
    let reverted = Revert::Done(span(60_000, 60_100));
    // Not longer than the longest answer and two intervals.
    let took = Took { upper: ms(10 + 100), ..Took::ZERO };
    let expected = Recovery::Recovered { took, saw: Saw::Outage, settled: at(120_100) };
    assert_eq!(ask(&tracker, &question(reverted, Since::Reverted)), expected);
    let Recovery::Recovered { took, settled, .. } = ask(&tracker, &question(reverted, Since::Injected))
    else {
        panic!("not final")
    };
    assert_eq!((took.upper, settled), (ms(42_010 - 39_900), at(120_100)));
}

#[test]
fn since_the_revert_it_runs_to_the_end_of_the_outage() {
    let tracker = fed(140_000, refused_between(40_000, 66_000));
    let reverted = Revert::Done(span(60_000, 60_100));
    let Recovery::Recovered { took, .. } = ask(&tracker, &question(reverted, Since::Reverted)) else {
        panic!("not final")
    };
    assert_eq!(took, Took { lower: ms(65_950 - 60_100), estimate: ms(5_980), upper: ms(6_010) });
}

#[test]
fn an_outage_within_the_settle_time_after_the_revert_counts_though_the_one_before_ended_long_ago() {
    // The revert is at 60 s, so that health has to hold until 120 s.
    let relapse = |start: u64| match start {
        40_000..42_000 | 110_000..111_000 => (1, Outcome::Refused),
        _ => (10, Outcome::Good),
    };
    let tracker = fed(200_000, relapse);
    let reverted = Revert::Done(span(60_000, 60_100));
    for (since, from) in [(Since::Injected, 39_900), (Since::Reverted, 60_000)] {
        let Recovery::Recovered { took, settled, .. } = ask(&tracker, &question(reverted, since)) else {
            panic!("not final: {since:?}")
        };
        assert_eq!((took.upper, settled), (ms(111_010 - from), at(171_010)), "{since:?}");
    }
}

#[test]
fn with_a_short_settle_time_it_is_final_once_the_return_has_lasted() {
    let question = Question { settle: Duration::from_secs(1), ..injected() };
    let returned = fed(44_000, refused_between(40_000, 42_000));
    assert!(matches!(ask(&returned, &question), Recovery::Pending { so_far: Some(_) }));
    let lasted = fed(48_000, refused_between(40_000, 42_000));
    assert!(matches!(ask(&lasted, &question), Recovery::Recovered { .. }));
}

#[test]
fn nothing_is_final_before_the_revert() {
    let tracker = fed(200_000, refused_between(40_000, 42_000));
    assert!(matches!(
        ask(&tracker, &question(Revert::Due, Since::Injected)),
        Recovery::Pending { so_far: Some(_) }
    ));
    assert_eq!(ask(&tracker, &question(Revert::Due, Since::Reverted)), Recovery::Pending { so_far: None });
}

#[test]
fn a_path_that_saw_nothing_recovered_within_what_no_probe_can_tell_from_health() {
    let tracker = watched(110_000, |_| (10, Outcome::Good));
    let took = Took { upper: ms(10 + 100), ..Took::ZERO };
    let expected = Recovery::Recovered { took, saw: Saw::Nothing, settled: at(99_980) };
    assert_eq!(ask(&tracker, &injected()), expected);
}

#[test]
fn a_hang_shorter_than_the_time_out_leaves_an_interval_from_zero() {
    // Stopped from 40.0 s to 40.7 s.
    let tracker = watched(110_000, |start| match start {
        40_000..40_700 => (40_705 - start, Outcome::Good),
        _ => (10, Outcome::Good),
    });
    let Recovery::Recovered { took, saw, .. } = ask(&tracker, &injected()) else { panic!("not final") };
    assert_eq!((took.lower, took.upper, saw), (ms(0), ms(40_705 - 39_900), Saw::Slowness));
}

#[test]
fn the_hang_of_an_earlier_fault_is_not_taken_for_health() {
    // Stopped for 0.7 s at 25.0 s by one fault, and at 40.0 s by another.
    let mut tracker = Tracker::new(INTERVAL, TIMEOUT);
    for start in (0..110_000).step_by(50) {
        match start {
            24_900 => tracker.keep_from(Some(at(24_900))),
            39_900 => tracker.keep_from(Some(INJECTED.start)),
            _ => {}
        }
        let took = match start {
            25_000..25_700 => 25_705 - start,
            40_000..40_700 => 40_705 - start,
            _ => 10,
        };
        tracker.record(probe(start, took, Outcome::Good));
    }
    let Recovery::Recovered { took, saw, .. } = ask(&tracker, &injected()) else { panic!("not final") };
    assert_eq!((took.lower, took.upper, saw), (ms(0), ms(40_705 - 39_900), Saw::Slowness));
}

#[test]
fn a_hang_after_the_revert_counts_though_the_outage_was_over_before_it() {
    let tracker = watched(140_000, |start| match start {
        40_000..42_000 => (1, Outcome::Refused),
        60_200..60_800 => (60_805 - start, Outcome::Good),
        _ => (10, Outcome::Good),
    });
    let reverted = Revert::Done(span(60_000, 60_100));
    let Recovery::Recovered { took, .. } = ask(&tracker, &question(reverted, Since::Reverted)) else {
        panic!("not final")
    };
    assert_eq!((took.lower, took.upper), (ms(0), ms(805)));
}

#[test]
fn at_the_deadline_it_is_the_time_waited_or_more() {
    let mut question = injected();
    question.deadline = at(69_900);
    let down = fed(71_000, refused_between(40_000, 90_000));
    let not_recovered = Recovery::NotRecovered { at_least: ms(69_900 - 39_980), saw: Saw::Outage };
    assert_eq!(ask(&down, &question), not_recovered);
    let late = fed(100_000, refused_between(40_000, 75_000));
    assert_eq!(ask(&late, &question), not_recovered);
    let in_time = fed(140_000, refused_between(40_000, 69_000));
    assert!(matches!(ask(&in_time, &question), Recovery::Recovered { .. }));
    let relapsed = fed(140_000, |start| match start {
        40_000..42_000 | 68_000..75_000 => (1, Outcome::Refused),
        _ => (10, Outcome::Good),
    });
    assert!(matches!(ask(&relapsed, &question), Recovery::NotRecovered { .. }));
}

#[test]
fn health_that_no_probe_showed_is_no_recovery() {
    let tracker = fed(45_000, refused_between(40_000, 42_000));
    let pending = tracker.recovery(&injected(), at(300_000));
    assert!(matches!(pending, Recovery::Pending { .. }));
    let expected = Recovery::NotRecovered { at_least: ms(41_950 - 39_980), saw: Saw::Outage };
    assert_eq!(tracker.recovery(&injected(), at(400_000)), expected);
}

#[test]
fn an_outage_over_before_the_injection_is_not_the_faults() {
    let tracker = fed(110_000, refused_between(20_000, 22_000));
    let Recovery::Recovered { saw, .. } = ask(&tracker, &injected()) else { panic!("not final") };
    assert_eq!(saw, Saw::Nothing);
}
