use super::super::{Bounds, Change, LASTING_PROBES, Outcome, Tracker};
use super::{INTERVAL, TIMEOUT, at, fed, probe, refused_between};

#[test]
fn a_component_is_not_up_before_it_answered() {
    let mut tracker = Tracker::new(INTERVAL, TIMEOUT);
    assert!(!tracker.up());
    tracker.record(probe(0, 0, Outcome::Missed));
    assert!(!tracker.up());
    tracker.record(probe(50, 3, Outcome::Good));
    assert!(tracker.up());
}

#[test]
fn a_refused_outage_has_the_bounds_of_the_formula() {
    let tracker = fed(60_000, refused_between(40_000, 42_000));
    let outage = tracker.outages()[0];
    assert!(outage.over && tracker.up());
    assert_eq!(outage.began, Bounds { lower: at(39_950), upper: at(40_010) });
    assert_eq!(outage.ended, Some(Bounds { lower: at(42_010 - 50 - 10), upper: at(42_010) }));
    assert_eq!((outage.first_failed, outage.last_failed), (at(40_000), at(41_950)));
}

#[test]
fn requests_that_hang_until_the_return_end_the_outage_at_their_earliest_completion() {
    // Stopped from 40.0 s to 43.0 s: requests begun after 42.0 s are answered at the return.
    let tracker = fed(60_000, |start| match start {
        40_000..42_000 => (1000, Outcome::TimedOut),
        42_000..43_000 => (43_004 - start, Outcome::Good),
        _ => (10, Outcome::Good),
    });
    let ended = tracker.outages()[0].ended.expect("the outage is over");
    assert_eq!(ended, Bounds { lower: at(43_004 - 50 - 10), upper: at(43_004) });
}

#[test]
fn a_refusal_just_before_a_slow_first_answer_is_the_lower_end() {
    let tracker = fed(60_000, |start| match start {
        40_000..42_000 => (1, Outcome::Refused),
        42_000..42_300 => (290, Outcome::Good),
        _ => (10, Outcome::Good),
    });
    let ended = tracker.outages()[0].ended.expect("the outage is over");
    assert_eq!(ended, Bounds { lower: at(41_950), upper: at(42_290) });
}

#[test]
fn a_lost_request_just_before_a_slow_first_answer_is_the_lower_end_too() {
    let tracker = fed(60_000, |start| match start {
        40_000..42_000 => (1000, Outcome::TimedOut),
        42_000..42_300 => (290, Outcome::Good),
        _ => (10, Outcome::Good),
    });
    let ended = tracker.outages()[0].ended.expect("the outage is over");
    assert_eq!(ended, Bounds { lower: at(41_950), upper: at(42_290) });
}

#[test]
fn a_failure_before_health_has_lasted_continues_the_outage() {
    let again = |start: u64| match start {
        40_000..42_000 | 46_900..47_000 => (1, Outcome::Refused),
        _ => (10, Outcome::Good),
    };
    let tracker = fed(60_000, again);
    assert_eq!(tracker.outages().len(), 1);
    assert_eq!(tracker.outages()[0].last_failed, at(46_950));
}

#[test]
fn a_failure_after_health_has_lasted_is_another_outage() {
    let again = |start: u64| match start {
        40_000..42_000 | 47_100..47_200 => (1, Outcome::Refused),
        _ => (10, Outcome::Good),
    };
    let tracker = fed(60_000, again);
    assert_eq!(tracker.outages().len(), 2);
    assert!(tracker.outages().iter().all(|outage| outage.over));
}

#[test]
fn health_lasts_after_five_seconds_and_twenty_probes() {
    let mut tracker = fed(10_000, refused_between(9_000, 10_000));
    for start in (10_000..15_000).step_by(50) {
        assert_eq!(tracker.record(probe(start, 10, Outcome::Good)), Change::Nothing, "at {start} ms");
        assert!(!tracker.up());
    }
    // The first good probe completed at 10.010 s.
    assert_eq!(tracker.record(probe(15_000, 10, Outcome::Good)), Change::Nothing);
    assert_eq!(tracker.record(probe(15_050, 10, Outcome::Good)), Change::Over);
    assert!(tracker.up());

    let mut slow = Tracker::new(INTERVAL * 20, TIMEOUT);
    slow.record(probe(0, 1, Outcome::Refused));
    let over = (1..100).find(|&n| slow.record(probe(n * 1000, 10, Outcome::Good)) == Change::Over);
    assert_eq!(over, Some(u64::from(LASTING_PROBES)));
}

#[test]
fn missed_slots_around_an_outage_widen_its_bounds() {
    let tracker = fed(60_000, |start| match start {
        39_700..40_000 | 42_000..42_400 => (0, Outcome::Missed),
        40_000..42_000 => (1, Outcome::Refused),
        _ => (10, Outcome::Good),
    });
    let outage = tracker.outages()[0];
    assert_eq!(outage.began, Bounds { lower: at(39_650), upper: at(40_010) });
    assert_eq!(outage.ended, Some(Bounds { lower: at(41_950), upper: at(42_410) }));
}

#[test]
fn missed_slots_just_before_held_requests_are_answered_widen_the_end() {
    // Stopped from 40.0 s to 43.0 s; a probe in one of the missed slots might have been answered sooner.
    let tracker = fed(60_000, |start| match start {
        40_000..42_000 => (1000, Outcome::TimedOut),
        42_000..42_700 => (43_004 - start, Outcome::Good),
        42_700..43_000 => (0, Outcome::Missed),
        _ => (10, Outcome::Good),
    });
    let ended = tracker.outages()[0].ended.expect("the outage is over");
    assert_eq!(ended, Bounds { lower: at(42_650), upper: at(43_004) });
}

#[test]
fn a_blind_stretch_before_health_has_lasted_moves_the_upper_end_behind_it() {
    let tracker = fed(60_000, |start| match start {
        40_000..42_000 => (1, Outcome::Refused),
        43_000..44_500 => (0, Outcome::Missed),
        _ => (10, Outcome::Good),
    });
    let ended = tracker.outages()[0].ended.expect("the outage is over");
    assert_eq!(ended, Bounds { lower: at(41_950), upper: at(44_510) });
}

#[test]
fn the_answers_that_an_outage_held_back_do_not_widen_the_next() {
    let tracker = fed(90_000, |start| match start {
        40_000..42_000 => (1000, Outcome::TimedOut),
        42_000..43_000 => (43_004 - start, Outcome::Good),
        55_000..57_000 => (1, Outcome::Refused),
        _ => (10, Outcome::Good),
    });
    assert_eq!(tracker.outages()[1].answers_within.as_millis(), 10);
}

#[test]
fn a_component_that_was_never_up_is_out_from_the_first_slot() {
    let tracker = fed(5_000, |_| (1, Outcome::Refused));
    let outage = tracker.open().expect("an outage");
    assert_eq!(outage.began, Bounds { lower: at(0), upper: at(1_000) });
    assert_eq!(outage.ended, None);
}

#[test]
fn old_probes_are_let_go_unless_kept() {
    let mut tracker = fed(600_000, |_| (10, Outcome::Good));
    assert!(tracker.history.len() <= 1202, "{}", tracker.history.len());
    tracker.keep_from(Some(at(590_000)));
    for start in (600_000..1_000_000).step_by(50) {
        tracker.record(probe(start, 10, Outcome::Good));
    }
    assert_eq!(tracker.history.len(), (1_000 - 590 + 30) * 20);
}
