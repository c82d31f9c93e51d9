//! Outages with a stretch inside in which nobody looked, which may be two.

use super::super::{Outcome, Question, Recovery, Revert, Saw, Span, Took};
use super::unseen::{known, ms, not_recovered, within};
use super::{at, fed};

/// Good, but refused and missed in these times (ms).
fn but(refused: &[(u64, u64)], missed: &[(u64, u64)]) -> impl Fn(u64) -> (u64, Outcome) {
    move |start| {
        let is_in = |times: &[(u64, u64)]| times.iter().any(|&(from, to)| (from..to).contains(&start));
        if is_in(refused) {
            (1, Outcome::Refused)
        } else if is_in(missed) {
            (0, Outcome::Missed)
        } else {
            (10, Outcome::Good)
        }
    }
}

/// Down, back at 42 s as was seen, unseen from 43 s to 80 s, down until 82 s.
fn twice_down() -> impl Fn(u64) -> (u64, Outcome) {
    but(&[(40_000, 42_000), (80_000, 82_000)], &[(43_000, 80_000)])
}

/// How long it took, at 200 s.
fn took(question: &Question, outcome: impl Fn(u64) -> (u64, Outcome)) -> Took {
    let recovery = known(question, 200_000, outcome);
    let Recovery::Recovered { took, saw: Saw::Outage, .. } = recovery else { panic!("{recovery:?}") };
    took
}

#[test]
fn health_may_have_settled_where_nobody_looked_inside_an_outage() {
    let expected = Took { lower: ms(1_950), estimate: ms(1_980), upper: ms(42_010) };
    assert_eq!(took(&within(300, 30), twice_down()), expected);
    // Not so where it had to hold for longer.
    assert_eq!(took(&within(300, 60), twice_down()).lower, ms(41_950));
}

#[test]
fn what_failed_after_such_a_stretch_does_not_prove_that_it_was_down_at_the_deadline() {
    // The deadline is at 100 s.
    let no_return = but(&[(40_000, 42_000), (101_000, 103_000)], &[(42_000, 101_000)]);
    assert_eq!(known(&within(60, 30), 200_000, no_return), not_recovered(1_950, Saw::Outage));
    for (settle, at_least) in [(5, 54_950), (10, 54_950), (11, 60_000)] {
        let around = but(&[(40_000, 95_000), (105_000, 120_000)], &[(95_000, 105_000)]);
        let recovery = known(&within(60, settle), 200_000, around);
        assert_eq!(recovery, not_recovered(at_least, Saw::Outage), "settle {settle} s");
    }
}

#[test]
fn a_failure_before_health_can_have_lasted_is_of_the_same_outage_whatever_the_settle_time() {
    let short = but(&[(40_000, 42_000), (45_000, 60_000)], &[(42_000, 45_000)]);
    assert_eq!(took(&within(300, 1), short).lower, ms(19_950));
}

#[test]
fn of_several_stretches_the_first_in_which_health_may_have_settled_counts() {
    let refused = [(40_000, 42_000), (60_000, 62_000), (100_000, 102_000)];
    let took = took(&within(300, 30), but(&refused, &[(42_000, 60_000), (62_000, 100_000)]));
    assert_eq!((took.lower, took.upper), (ms(21_950), ms(62_010)));
}

#[test]
fn health_settles_after_the_revert_only() {
    let question = |revert| Question { revert, ..within(300, 30) };
    let reverted = |start| Revert::Done(Span { start: at(start), end: at(start) });
    assert_eq!(took(&question(reverted(45_000)), twice_down()).lower, ms(1_950));
    assert_eq!(took(&question(reverted(90_000)), twice_down()).lower, ms(41_950));
    let due = known(&question(Revert::Due), 100_000, twice_down());
    let Recovery::Pending { so_far: Some(so_far) } = due else { panic!("{due:?}") };
    assert_eq!(so_far.lower, ms(41_950));
}

#[test]
fn a_stretch_before_an_outage_was_over_has_nothing_to_do_with_the_next() {
    let next = but(&[(40_000, 42_000), (60_000, 62_000)], &[(42_500, 44_000)]);
    let expected = Took { lower: ms(1_950), estimate: ms(2_980), upper: ms(4_010) };
    assert_eq!(took(&within(300, 5), next), expected);
}

#[test]
fn of_an_outage_with_more_of_them_than_are_remembered_less_is_certain() {
    // A failure each 10 s from 40 s to 1000 s, and nothing else known: 96 stretches.
    let failures = |start: u64| match start {
        40_000..=1_000_000 if start.is_multiple_of(10_000) => (1, Outcome::Refused),
        40_000..=1_000_000 => (0, Outcome::Missed),
        _ => (10, Outcome::Good),
    };
    let tracker = fed(1_500_000, failures);
    assert_eq!(tracker.pauses.of(at(40_000)).count(), 64);
    // From the 64th on, at 670 s, they are one.
    for (settle, lower) in [(30, 630_000), (400, 960_000)] {
        let recovery = tracker.recovery(&within(10_000, settle), at(1_500_000));
        let Recovery::Recovered { took, .. } = recovery else { panic!("not final: {recovery:?}") };
        assert_eq!((took.lower, took.upper), (ms(lower), ms(960_060)), "settle {settle} s");
    }
}

#[test]
fn they_are_forgotten_with_their_outage() {
    let mut tracker = fed(100_000, twice_down());
    let count = |tracker: &super::Tracker| tracker.pauses.of(at(40_000)).count();
    tracker.pauses.forget(at(39_950));
    assert_eq!(count(&tracker), 1);
    tracker.pauses.forget(at(40_000));
    assert_eq!(count(&tracker), 0);
}
