//! Recoveries in whose time nobody looked for a while.

use super::super::{Outcome, Question, Recovery, Revert, Saw, Since, Span, Took};
use super::{at, fed};
use crate::clock::Moment;
use std::time::Duration;

const INJECTED: Span = Span { start: Moment(Duration::from_secs(40)), end: Moment(Duration::from_secs(40)) };
const SETTLE: Duration = Duration::from_secs(30);

fn ms(milliseconds: u64) -> Duration {
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
