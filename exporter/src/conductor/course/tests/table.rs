//! Courses event by event.

use super::*;

/// What a course says to each event, which comes at that second.
fn follow(events: Vec<(f64, Event, &str)>) {
    let (mut course, first) = Course::begin(&experiment(), Duration::from_secs(1));
    assert_eq!(brief(&first), "down?");
    assert_eq!(brief(&course.on(Event::Down(vec![]), at(0.0))), "guard");
    for (index, (second, event, expected)) in events.into_iter().enumerate() {
        let told = format!("event {index}, {event:?} at {second}");
        assert_eq!(brief(&course.on(event, at(second))), expected, "{told}");
    }
}

fn permitted() -> Event {
    Event::Guard(Ok(permit()))
}

/// Until the fault of a plan is injected at 10 s.
fn injected(reverts: bool) -> Vec<(f64, Event, &'static str)> {
    vec![
        (1.0, permitted(), "targets"),
        (2.0, Event::Targets(Ok(plan(reverts))), "survey"),
        (3.0, Event::Surveyed(Ok(())), "guard"),
        (9.9, permitted(), "inject"),
        (10.0, Event::Injected(Ok(span(10.0))), "bit"),
    ]
}

/// Until it is put back at 10.3 s.
fn put_back(bit: Bit) -> Vec<(f64, Event, &'static str)> {
    let mut events = injected(true);
    events.extend([
        (10.25, Event::Bit(Ok(bit)), "put back"),
        (10.3, Event::PutBack(Ok(Some(span(10.3)))), "held?"),
        (10.3, Event::Held(Ok(())), "wait 100 ms"),
        (10.4, Event::Waited, "look 0/injected 1/injected 0/reverted 1/reverted"),
    ]);
    events
}

#[test]
fn the_guards_no_ends_it_before_and_after_the_targets_are_found() {
    let no = || Event::Guard(Err(Refusal::Degraded { down: vec!["shop".into()] }));
    follow(vec![(1.0, no(), "refused; end")]);
    follow(vec![
        (1.0, permitted(), "targets"),
        (2.0, Event::Targets(Ok(plan(true))), "survey"),
        (2.5, Event::Surveyed(Ok(())), "guard"),
        (3.0, no(), "refused; end"),
    ]);
}

#[test]
fn what_is_down_by_chance_is_given_the_settle_time_to_come_back() {
    let down = || Event::Down(vec!["shop".into()]);
    let (mut course, _) = Course::begin(&experiment(), Duration::from_secs(1));
    let events = [
        (5.0, down(), "wait 100 ms"),
        (5.1, Event::Waited, "down?"),
        (5.9, down(), "wait 100 ms"),
        (6.0, Event::Waited, "down?"),
        (6.0, down(), "guard"),
        (6.0, Event::Guard(Err(Refusal::Degraded { down: vec!["shop".into()] })), "refused; end"),
    ];
    for (second, event, expected) in events {
        assert_eq!(brief(&course.on(event, at(second))), expected, "{second}");
    }
}

#[test]
fn without_targets_nothing_begins() {
    let error = FaultError::Book { experiment: "cut".into(), source: book() };
    for (error, expected) in [(refused(), "passed over; end"), (error, "over; stop: fault")] {
        follow(vec![(1.0, permitted(), "targets"), (2.0, Event::Targets(Err(error)), expected)]);
    }
    follow(vec![
        (1.0, permitted(), "targets"),
        (2.0, Event::Targets(Ok(plan(true))), "survey"),
        (3.0, Event::Surveyed(Err(refused())), "passed over; end"),
    ]);
}

#[test]
fn a_fault_is_held_looked_at_and_put_back_when_its_time_is_over() {
    let mut events = injected(true);
    events.extend([
        (10.1, Event::Bit(Ok(Bit::Unchecked)), "look 0/injected 1/injected"),
        (10.1, Event::Looked(vec![Some(PENDING), None]), "wait 100 ms"),
        (10.2, Event::Waited, "look 0/injected 1/injected"),
        (
            10.21,
            Event::Looked(vec![Some(PENDING), Some(not_recovered(Saw::Outage))]),
            "1 not since injected; wait 40 ms",
        ),
        (10.25, Event::Waited, "put back"),
        (10.3, Event::PutBack(Ok(Some(span(10.3)))), "held?"),
        (10.3, Event::Held(Ok(())), "wait 100 ms"),
        (10.4, Event::Waited, "look 0/injected 0/reverted 1/reverted"),
    ]);
    follow(events);
}

#[test]
fn nobody_recovers_from_a_fault_that_nobody_saw() {
    let (seen, unchecked) = (Bit::Seen(at(10.2)), Bit::Unchecked);
    let whole = recovered(Saw::Nothing);
    let cases = [
        (seen, Saw::Nothing, whole, "Recover"),
        (unchecked, Saw::Outage, whole, "Recover"),
        (unchecked, Saw::Slowness, whole, "Fizzle"),
        (unchecked, Saw::Nothing, whole, "Fizzle"),
        (unchecked, Saw::Nothing, not_recovered(Saw::Nothing), "Fizzle"),
        (unchecked, Saw::Nothing, not_recovered(Saw::Slowness), "Fizzle"),
        (unchecked, Saw::Nothing, not_recovered(Saw::Outage), "PassDeadline"),
        (unchecked, Saw::Outage, not_recovered(Saw::Nothing), "PassDeadline"),
        (seen, Saw::Nothing, not_recovered(Saw::Nothing), "PassDeadline"),
    ];
    for (bit, saw, last, outcome) in cases {
        let not = if matches!(last, Recovery::NotRecovered { .. }) { " not" } else { "" };
        let expected = format!("0 since injected, 1{not} since reverted, {outcome}, over; audit");
        let mut events = put_back(bit);
        let some = vec![None, Some(recovered(saw)), Some(recovered(Saw::Nothing)), None];
        events.extend([
            (10.4, Event::Looked(some), "1 since injected, 0 since reverted; wait 100 ms"),
            (10.5, Event::Waited, "look 0/injected 1/reverted"),
            (90.0, Event::Looked(vec![Some(recovered(Saw::Nothing)), Some(last)]), expected.as_str()),
            (91.0, Event::Audited, "end"),
        ]);
        follow(events);
    }
}

#[test]
fn a_fault_without_revert_is_awaited_since_its_injection_only() {
    let mut events = injected(false);
    events.extend([
        (10.3, Event::Bit(Ok(Bit::Unchecked)), "put back"),
        (10.3, Event::PutBack(Ok(None)), "held?"),
        (10.3, Event::Held(Ok(())), "wait 100 ms"),
        (10.4, Event::Waited, "look 0/injected 1/injected"),
    ]);
    follow(events);
}

#[test]
fn all_final_before_the_hold_is_over_needs_no_more_looks() {
    for (saw, expected) in [(Saw::Outage, "PassDeadline, over; audit"), (Saw::Nothing, "Fizzle, over; audit")]
    {
        let mut events = injected(false);
        events.extend([
            (10.1, Event::Bit(Ok(Bit::Unchecked)), "look 0/injected 1/injected"),
            (
                10.2,
                Event::Looked(vec![Some(not_recovered(saw)), Some(not_recovered(saw))]),
                "0 not since injected, 1 not since injected; wait 50 ms",
            ),
            (10.25, Event::Waited, "put back"),
            (10.3, Event::PutBack(Ok(None)), "held?"),
            (10.3, Event::Held(Ok(())), expected),
        ]);
        follow(events);
    }
}

#[test]
fn nobody_recovers_from_a_fault_that_was_less_than_it_was_to_be_but_anybody_may_fail_to() {
    for (last, outcome) in [
        (recovered(Saw::Outage), "1 since injected, Fizzle"),
        (not_recovered(Saw::Outage), "1 not since injected, PassDeadline"),
    ] {
        let mut events = injected(false);
        let expected = format!("0 since injected, {outcome}, over; audit");
        events.extend([
            (10.3, Event::Bit(Ok(Bit::Seen(at(10.2)))), "put back"),
            (10.3, Event::PutBack(Ok(None)), "held?"),
            (10.3, Event::Held(Err("others came".into())), "not held: others came; wait 100 ms"),
            (10.4, Event::Waited, "look 0/injected 1/injected"),
            (10.5, Event::Looked(vec![Some(recovered(Saw::Outage)), Some(last)]), expected.as_str()),
        ]);
        follow(events);
    }
}

#[test]
fn what_cannot_be_put_back_stops_the_run() {
    let mut events = injected(true);
    events.extend([
        (10.3, Event::Bit(Ok(Bit::Unchecked)), "put back"),
        (10.3, Event::PutBack(Err(not_reverted())), "over; stop: revert"),
    ]);
    follow(events);
    for at_bit in [false, true] {
        let mut events = injected(true);
        if at_bit {
            events.push((11.0, Event::Bit(Err(not_put_back())), "over; stop: fault"));
        } else {
            events.pop();
            events.push((11.0, Event::Injected(Err(not_put_back())), "over; stop: fault"));
        }
        follow(events);
    }
}

#[test]
fn a_fault_refused_at_its_injection_did_nothing_that_must_pass() {
    let mut events = injected(true);
    events.pop();
    events.push((11.0, Event::Injected(Err(refused())), "passed over, over; audit"));
    follow(events);
}

#[test]
fn after_a_fault_without_effect_health_must_settle() {
    let mut events = injected(true);
    events.extend([
        (12.0, Event::Bit(Err(ineffective())), "passed over; down?"),
        (12.0, Event::Down(vec![]), "wait 100 ms"),
        (12.1, Event::Waited, "down?"),
        (12.5, Event::Down(vec!["shop".into()]), "wait 100 ms"),
        (12.6, Event::Waited, "down?"),
        (12.7, Event::Down(vec![]), "wait 100 ms"),
        (13.6, Event::Waited, "down?"),
        (13.6, Event::Down(vec![]), "wait 100 ms"),
        (13.7, Event::Waited, "down?"),
        (13.7, Event::Down(vec![]), "over; audit"),
        (14.0, Event::Audited, "end"),
    ]);
    follow(events);
}

#[test]
fn after_a_fault_without_effect_the_deadline_is_the_end_of_patience() {
    let down = || Event::Down(vec!["shop".into()]);
    // Not injected: from when that was asked for, at 9.9 s.
    let mut events = injected(true);
    events.pop();
    events.extend([
        (12.0, Event::Injected(Err(ineffective())), "passed over; down?"),
        (69.8, down(), "wait 100 ms"),
        (69.9, Event::Waited, "down?"),
        (69.9, down(), "not calm: shop, over; audit"),
    ]);
    follow(events);
    // Injected at 10 s: from then on.
    let mut events = injected(true);
    events.extend([
        (12.0, Event::Bit(Err(ineffective())), "passed over; down?"),
        (69.9, down(), "wait 100 ms"),
        (70.0, Event::Waited, "down?"),
        (70.0, down(), "not calm: shop, over; audit"),
    ]);
    follow(events);
}

#[test]
fn whatever_fails_or_was_not_asked_for_stops_the_run() {
    let mut events = injected(true);
    events.push((11.0, Event::Failed(failure()), "over; stop: account"));
    follow(events);
    let mut events = injected(true);
    events.push((11.0, Event::Audited, "over; stop: out of step"));
    events.push((11.1, Event::Audited, "over; stop: out of step"));
    follow(events);
}
