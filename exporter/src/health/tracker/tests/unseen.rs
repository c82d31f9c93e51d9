//! Recoveries in whose time nobody looked for a while.

use super::super::{Outcome, Question, Recovery, Revert, Saw, Since, Span, Took, Tracker};
use super::{INTERVAL, TIMEOUT, at, fed, probe};
use crate::clock::Moment;
use std::time::Duration;

const INJECTED: Span = Span { start: Moment(Duration::from_secs(40)), end: Moment(Duration::from_secs(40)) };
const SETTLE: Duration = Duration::from_secs(30);

pub(super) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Good, but refused and missed in these times (ms).
fn but(refused: (u64, u64), missed: (u64, u64)) -> impl Fn(u64) -> (u64, Outcome) {
    move |start| {
        if (refused.0..refused.1).contains(&start) {
            (1, Outcome::Refused)
        } else if (missed.0..missed.1).contains(&start) {
            (0, Outcome::Missed)
        } else {
            (10, Outcome::Good)
        }
    }
}

/// The same, but missed for 1.25 s every 20 s until `until` (ms).
fn stalls(until: u64) -> impl Fn(u64) -> (u64, Outcome) {
    move |start| {
        if start < until && start % 20_000 < 1_250 { (0, Outcome::Missed) } else { (10, Outcome::Good) }
    }
}

/// Since the injection; health has to hold for `settle` and be back in `deadline` (s).
pub(super) fn within(deadline: u64, settle: u64) -> Question {
    let [deadline, settle] = [deadline, settle].map(Duration::from_secs);
    let deadline = INJECTED.start.later_by(deadline);
    Question { injected: INJECTED, revert: Revert::None, since: Since::Injected, settle, deadline }
}

/// What is known of it at `now` (ms).
pub(super) fn known(question: &Question, now: u64, outcome: impl Fn(u64) -> (u64, Outcome)) -> Recovery {
    fed(now, outcome).recovery(question, at(now))
}

pub(super) fn not_recovered(at_least: u64, saw: Saw) -> Recovery {
    Recovery::NotRecovered { at_least: ms(at_least), saw }
}

/// The recovery as it is known at `until` (ms).
fn asked(until: u64, outcome: impl Fn(u64) -> (u64, Outcome), revert: Revert, since: Since) -> Recovery {
    let deadline = INJECTED.start.later_by(Duration::from_mins(5));
    let question = Question { injected: INJECTED, revert, since, settle: SETTLE, deadline };
    let tracker = fed(until, outcome);
    tracker.recovery(&question, tracker.seen().unwrap_or_default())
}

fn recovered(refused: (u64, u64), missed: (u64, u64)) -> (Took, Saw, Moment) {
    let recovery = asked(200_000, but(refused, missed), Revert::None, Since::Injected);
    let Recovery::Recovered { took, saw, settled } = recovery else { panic!("not final: {recovery:?}") };
    (took, saw, settled)
}

const NEVER: (u64, u64) = (0, 0);

#[test]
fn an_outage_may_hide_where_nobody_looked() {
    let (took, saw, settled) = recovered(NEVER, (41_000, 61_000));
    assert_eq!((took.lower, took.estimate, took.upper), (ms(0), ms(0), ms(61_010 - 40_000)));
    assert_eq!((saw, settled), (Saw::Nothing, at(61_010 + 30_000)));
    // It may have begun before the fault, and end after it.
    assert_eq!(recovered(NEVER, (35_000, 45_000)).0.upper, ms(5_010));
}

#[test]
fn a_second_outage_may_hide_until_health_has_held() {
    let seen = recovered((40_000, 42_000), NEVER);
    for (missed, upper) in [
        // From 42 s on health has to hold until 72 s.
        ((60_000, 65_000), 65_010),
        ((71_900, 80_000), 80_010),
        ((72_200, 80_000), 42_010),
        // A relapse of the sight gives no time back.
        ((43_000, 44_500), 44_510),
    ] {
        let (took, saw, settled) = recovered((40_000, 42_000), missed);
        assert_eq!(took.upper, ms(upper - 40_000), "{missed:?}");
        assert_eq!((took.lower, saw), (seen.0.lower, Saw::Outage), "{missed:?}");
        assert_eq!(settled, at(upper + 30_000), "{missed:?}");
    }
}

#[test]
fn a_stretch_too_short_for_an_outage_hides_none() {
    assert_eq!(recovered(NEVER, (50_000, 50_900)), recovered(NEVER, NEVER));
}

#[test]
fn what_was_over_before_the_fault_or_the_revert_hides_nothing_after_it() {
    assert_eq!(recovered(NEVER, (30_000, 39_000)), recovered(NEVER, NEVER));
    let reverted = Revert::Done(Span { start: at(60_000), end: at(60_100) });
    let since = |since| {
        let recovery = asked(200_000, but(NEVER, (45_000, 50_000)), reverted, since);
        let Recovery::Recovered { took, .. } = recovery else { panic!("not final: {recovery:?}") };
        took.upper
    };
    assert_eq!(since(Since::Injected), ms(10_010));
    assert!(since(Since::Reverted) < ms(2_000));
}

#[test]
fn nothing_is_final_while_nobody_looks() {
    let recovery = asked(69_000, but(NEVER, (41_000, 68_000)), Revert::None, Since::Injected);
    assert!(matches!(recovery, Recovery::Pending { .. }), "{recovery:?}");
}

#[test]
fn stretches_that_follow_each_other_put_a_recovery_off_to_the_deadline_only() {
    // The deadline is at 100 s, in one of them.
    let question = within(60, 30);
    assert!(matches!(known(&question, 99_000, stalls(u64::MAX)), Recovery::Pending { so_far: Some(_) }));
    // By the deadline, the time that health must hold, and that in which a probe is told.
    assert_eq!(known(&question, 100_000 + 30_000 + 2_100, stalls(u64::MAX)), not_recovered(0, Saw::Nothing));
    // The last one ends before the deadline.
    let Recovery::Recovered { took, settled, .. } = known(&within(65, 30), 140_000, stalls(110_000)) else {
        panic!("not recovered")
    };
    assert_eq!((took.lower, took.upper, settled), (ms(0), ms(61_260), at(131_260)));
}

#[test]
fn what_may_have_failed_beyond_the_deadline_was_not_seen_to_recover_by_it() {
    // The deadline is at 100 s.
    let question = within(60, 60);
    for (what, refused, missed, at_least, saw) in [
        ("no outage seen", NEVER, (95_000, 105_000), 0, Saw::Nothing),
        ("an outage that ended", (40_000, 45_000), (95_000, 105_000), 4_950, Saw::Outage),
        (
            "after the deadline, before health had held",
            (40_000, 95_000),
            (110_000, 112_000),
            54_950,
            Saw::Outage,
        ),
    ] {
        assert_eq!(known(&question, 200_000, but(refused, missed)), not_recovered(at_least, saw), "{what}");
    }
    // Down before and after.
    let down = |start: u64| match start {
        90_000..95_000 | 105_000..120_000 => (1, Outcome::Refused),
        95_000..105_000 => (0, Outcome::Missed),
        _ => (10, Outcome::Good),
    };
    assert_eq!(known(&question, 200_000, down), not_recovered(60_000, Saw::Outage));
}

#[test]
fn where_sight_ended_before_the_deadline_the_last_failed_probe_is_the_lower_end() {
    let lost = || but((40_000, 60_000), (60_000, u64::MAX));
    for settle in [10, 60] {
        let question = within(60, settle);
        let before = known(&question, 102_000, lost());
        assert!(matches!(before, Recovery::Pending { .. }), "{before:?}");
        assert_eq!(known(&question, 110_000, lost()), not_recovered(59_950 - 40_000, Saw::Outage));
    }
}

#[test]
fn an_outage_that_was_seen_to_end_is_as_long_as_it_was_however_long_nobody_looks_then() {
    let lost = || but((40_000, 45_000), (90_000, u64::MAX));
    let question = within(300, 60);
    let before = known(&question, 342_000, lost());
    assert!(matches!(before, Recovery::Pending { so_far: Some(_) }), "{before:?}");
    assert_eq!(known(&question, 342_200, lost()), not_recovered(4_950, Saw::Outage));
}

#[test]
fn an_outage_that_counts_only_if_another_hid_before_it_proves_nothing() {
    let relapse = |start: u64| match start {
        40_000..42_000 | 100_000..102_000 => (1, Outcome::Refused),
        60_000..80_000 => (0, Outcome::Missed),
        _ => (10, Outcome::Good),
    };
    let took = Took { lower: ms(1_950), estimate: ms(1_980), upper: ms(62_010) };
    let expected = Recovery::Recovered { took, saw: Saw::Outage, settled: at(132_010) };
    assert_eq!(known(&within(300, 30), 200_000, relapse), expected);
    // The relapse ends after the deadline.
    assert_eq!(known(&within(61, 30), 200_000, relapse), not_recovered(1_950, Saw::Outage));
}

#[test]
fn what_nobody_saw_fail_nor_come_back_was_not_seen_at_all() {
    // The deadline is at 70 s, and health has to hold until 100 s.
    let question = within(30, 60);
    for (slow_at, saw) in [(None, Saw::Nothing), (Some(50_000), Saw::Slowness), (Some(75_000), Saw::Nothing)]
    {
        let probes = |start: u64| match start {
            80_000..81_200 => (0, Outcome::Missed),
            _ if Some(start) == slow_at => (500, Outcome::Good),
            _ => (10, Outcome::Good),
        };
        assert_eq!(known(&question, 85_000, probes), not_recovered(0, saw), "slow at {slow_at:?}");
    }
}

#[test]
fn of_more_stretches_than_are_remembered_the_first_is_not_forgotten() {
    let mut tracker = fed(40_050, |_| (10, Outcome::Good));
    let far_apart = (0..5_000).map(|n| 41_500 + n * 1_500);
    for start in far_apart.chain((7_540_050..7_571_000).step_by(50)) {
        tracker.record(probe(start, 10, Outcome::Good));
    }
    let recovery = tracker.recovery(&within(10_000, 30), at(7_571_000));
    let Recovery::Recovered { took, settled, .. } = recovery else { panic!("not final: {recovery:?}") };
    assert_eq!((took.upper, settled), (ms(7_540_010 - 40_000), at(7_570_010)));
}

#[test]
fn what_is_told_again_ends_the_stretch_before_it() {
    use Outcome::{Good, Missed, Refused, TimedOut};
    let mut tracker = Tracker::new(INTERVAL, TIMEOUT);
    for (start, took, outcome, ended) in [
        (0, 0, Missed, None),
        // From the first slot on.
        (50, 10, Good, Some(60)),
        (100, 10, Good, None),
        (150, 0, Missed, None),
        (200, 0, Missed, None),
        (250, 3, Refused, Some(253 - 100)),
        (300, 3, Refused, None),
        (350, 0, Missed, None),
        (400, 1_000, TimedOut, Some(1_400 - 300)),
        // A probe that takes long is no stretch, nor is as much as hides no outage.
        (450, 900, Good, None),
        (1_450, 10, Good, None),
        (2_500, 10, Good, Some(2_510 - 1_450)),
        (2_550, 0, Missed, None),
    ] {
        tracker.record(probe(start, took, outcome));
        assert_eq!(tracker.ended_stretch(), ended.map(ms), "at {start} ms");
    }
}
