use std::time::Duration;

use super::super::super::account::TaskAccount;
use super::super::super::outcome::Reason;
use super::super::super::report::UserSeconds;
use super::super::super::stats::Times;
use super::super::told::Told;
use super::*;

const UNIX: f64 = 1.76e9;

fn at(secs: u64) -> Moment {
    Moment(Duration::from_secs(secs))
}

fn account(ok: u64, error: u64) -> Account {
    let reasons = [0; Reason::ALL.len()];
    Account {
        lasted: Duration::from_secs(1),
        user_seconds: UserSeconds { thinking: 0.0, waiting: 0.0, overdue: 0.0 },
        worst_lag: 0.0,
        saturated: [0.0; 4],
        tasks: vec![TaskAccount { chosen: ok + error, ok, error, reasons, times: None }],
        times: Some(Times::new()),
    }
}

fn status(state: State, written: f64, counts: (u64, u64)) -> Status {
    Status {
        who: "pod-0/1".to_owned(),
        trial: "t".to_owned(),
        of: 2,
        running: if state == State::Running { 5 } else { 0 },
        in_flight: 1,
        state,
        at: UNIX + written,
        heard_after: 0.01,
        account: Told::of(&account(counts.0, counts.1), 100),
    }
}

/// A roster whose two processes are in these states, heard of at 0 s.
fn roster(states: [Option<State>; 2]) -> Roster {
    let mut roster = Roster::new("t", 1, 2);
    for (index, state) in states.into_iter().enumerate() {
        if let Some(state) = state {
            roster.hear(index, &status(state, 0.0, (10, 2)).text(), at(0), UNIX);
        }
    }
    roster
}

#[test]
fn a_load_begins_when_all_are_ready() {
    let ready = || Some(State::Ready);
    assert_eq!(roster([ready(), ready()]).not_ready(at(5)), [""; 0]);
    assert_eq!(roster([ready(), None]).not_ready(at(5)), ["load-1 (not there)"]);
    let both = ["load-0 (not heard of for 31 s)", "load-1 (not heard of for 31 s)"];
    assert_eq!(roster([ready(), ready()]).not_ready(at(31)), both);
    let left = Some(State::Left("interrupted".to_owned()));
    assert_eq!(roster([left, ready()]).not_ready(at(5)), ["load-0 (interrupted)"]);
}

#[test]
fn who_does_not_fit_is_named_with_why() {
    type Bend = fn(&mut Status);
    let table: [(Bend, &str); 5] = [
        (|status| status.of = 3, "it is one of 3, not of 2"),
        (|status| status.trial = "u".to_owned(), "it has another trial, or other flags that change it"),
        (
            |status| status.account = Told::of(&Account { tasks: Vec::new(), ..account(0, 0) }, 0),
            "its account is of 0 tasks, but the trial has 1",
        ),
        (|status| status.at = UNIX + 12.5, "its clock is 12.5 s ahead of the conductor's"),
        (
            |status| (status.at, status.heard_after) = (UNIX - 12.5, -12.0),
            "its clock is 12.0 s behind the conductor's",
        ),
    ];
    for (bend, why) in table {
        let mut roster = roster([Some(State::Ready), None]);
        let mut odd = status(State::Ready, 0.0, (0, 0));
        bend(&mut odd);
        roster.hear(1, &odd.text(), at(0), UNIX);
        assert_eq!(roster.not_ready(at(1)), [format!("load-1 ({why})")]);
    }
    let mut roster = roster([Some(State::Ready), None]);
    roster.hear(1, "gibberish", at(0), UNIX);
    assert_eq!(roster.not_ready(at(1)).len(), 1);
}

#[test]
fn a_lost_process_is_told_once_and_again_when_it_is_back() {
    let mut roster = roster([Some(State::Running), Some(State::Running)]);
    roster.hear(1, &status(State::Running, 2.0, (20, 2)).text(), at(25), UNIX + 25.0);
    assert!(roster.look(at(29)).is_empty());
    assert_eq!(roster.sums(), Sums { running: 10, in_flight: 2, ok: 30, error: 4 });
    assert_eq!(roster.look(at(31)), [Change::Lost(0, "not heard of for 30 s".to_owned())]);
    assert!(roster.look(at(32)).is_empty());
    // What it did stays done.
    assert_eq!(roster.sums(), Sums { running: 5, in_flight: 1, ok: 30, error: 4 });
    assert_eq!((roster.present().collect::<Vec<_>>(), roster.have_ended()), (vec![1], false));
    assert_eq!(roster.lost(), ["load-0: not heard of for 30 s"]);
    roster.hear(0, &status(State::Running, 33.0, (40, 2)).text(), at(33), UNIX + 33.0);
    assert_eq!((roster.look(at(34)), roster.lost()), (vec![Change::Back(0)], vec![]));
}

#[test]
fn the_same_text_again_is_no_sign_of_life() {
    let mut roster = roster([Some(State::Running), Some(State::Ended)]);
    let text = status(State::Running, 0.0, (10, 2)).text();
    roster.hear(0, &text, at(28), UNIX + 28.0);
    let older = status(State::Running, -2.0, (9, 2)).text();
    roster.hear(0, &older, at(29), UNIX + 29.0);
    assert_eq!(roster.look(at(30)).len(), 1);
    assert_eq!(roster.sums().ok, 20);
}

#[test]
fn the_load_has_ended_when_all_have_or_are_lost() {
    assert!(!roster([Some(State::Ended), Some(State::Running)]).have_ended());
    let mut both = roster([Some(State::Ended), Some(State::Ended)]);
    assert_eq!((both.look(at(99)), both.have_ended()), (vec![], true));
    let mut left = roster([Some(State::Ended), Some(State::Left("interrupted".to_owned()))]);
    assert_eq!(left.look(at(1)), [Change::Lost(1, "interrupted".to_owned())]);
    assert!(left.have_ended());
}

#[test]
fn accounts_are_added_up() {
    let mut roster = roster([Some(State::Ended), None]);
    assert_eq!(roster.account().map(|sum| sum.totals()), Some((10, 2)));
    roster.hear(1, &status(State::Ended, 1.0, (5, 0)).text(), at(1), UNIX);
    assert_eq!(roster.account().map(|sum| sum.totals()), Some((15, 2)));
    assert!(Roster::new("t", 1, 2).account().is_none());
}

#[test]
fn a_second_process_in_a_place_takes_nothing_from_what_the_first_did() {
    let left = || State::Left("interrupted".to_owned());
    // What the first was at, what the second says, whether the place is then the second's, and the requests of both.
    let table = [
        (State::Ready, State::Ready, true, 10 + 4),
        (left(), State::Ready, true, 10 + 4),
        (State::Running, State::Ready, false, 10),
        (State::Running, left(), false, 10),
        (State::Running, State::Running, false, 10),
        (State::Ended, State::Ready, false, 10),
    ];
    for (first, second, is_taken, ok) in table {
        let mut roster = roster([Some(first.clone()), None]);
        roster.look(at(0));
        let other = Status { who: "pod-0/2".to_owned(), ..status(second.clone(), 5.0, (4, 0)) };
        roster.hear(0, &other.text(), at(5), UNIX + 5.0);
        roster.look(at(5));
        let who = roster.seats[0].status.as_ref().map(|status| status.who.as_str());
        let due = if is_taken { "pod-0/2" } else { "pod-0/1" };
        assert_eq!((who, roster.sums().ok), (Some(due), ok), "{first:?} {second:?}");
        assert_eq!(roster.account().map(|sum| sum.totals().0), Some(ok), "{first:?} {second:?}");
        assert!(roster.per_second() >= 0.0);
    }
}

#[test]
fn response_times_are_known_though_a_process_was_replaced_before_the_load() {
    let mut roster = Roster::new("t", 1, 1);
    let none = Told::of(&Account::none(1), 0);
    let early =
        Status { who: "pod-0/0".to_owned(), of: 1, account: none, ..status(State::Ready, 0.0, (0, 0)) };
    roster.hear(0, &early.text(), at(0), UNIX);
    assert!(roster.account().is_none(), "its users have not begun");
    let last = Status { of: 1, ..status(State::Ended, 9.0, (5, 1)) };
    roster.hear(0, &last.text(), at(9), UNIX + 9.0);
    let account = roster.account().expect("told");
    assert_eq!((account.totals(), account.times.is_some()), ((5, 1), true));
}

#[test]
fn requests_that_are_told_to_be_fewer_are_no_rate() {
    let mut roster = roster([Some(State::Running), None]);
    roster.look(at(0));
    roster.hear(0, &status(State::Running, 1.0, (3, 0)).text(), at(1), UNIX + 1.0);
    roster.look(at(1));
    assert_eq!(roster.per_second().to_string(), "0");
}

#[test]
fn the_rate_is_that_of_the_last_seconds() {
    let mut roster = roster([Some(State::Running), Some(State::Running)]);
    roster.look(at(0));
    for second in 1..=20 {
        let text = status(State::Running, second as f64, (10 + 50 * second, 2)).text();
        roster.hear(0, &text, at(second), UNIX + second as f64);
        roster.look(at(second));
    }
    assert_eq!(roster.per_second().to_string(), "50");
}
