//! Whatever happens, in whatever order.

use proptest::prelude::*;

use super::*;

/// An event as proptest can make it: which one, which of its kinds, and the time that passed before it.
type Made = (u8, u8, u16);

/// Kinds of events, in the order of the things that they answer.
const EVENTS: u8 = 12;

fn event((which, kind, _): Made, asked: usize) -> Event {
    let good = !kind.is_multiple_of(4);
    let recovery = |index: usize| match (usize::from(kind) + index) % 6 {
        0 => None,
        1 => Some(PENDING),
        2 => Some(not_recovered(Saw::Nothing)),
        3 => Some(not_recovered(Saw::Outage)),
        4 => Some(recovered(Saw::Nothing)),
        _ => Some(recovered(Saw::Outage)),
    };
    let fault = || match kind % 3 {
        0 => refused(),
        1 => ineffective(),
        _ => not_put_back(),
    };
    match which {
        0 => Event::Guard(if good { Ok(permit()) } else { Err(Refusal::NoTarget { said: String::new() }) }),
        1 => Event::Targets(if good { Ok(plan(kind.is_multiple_of(2))) } else { Err(refused()) }),
        2 => Event::Injected(if good { Ok(span(f64::from(kind % 8))) } else { Err(fault()) }),
        3 => Event::Bit(match kind % 4 {
            0 => Err(ineffective()),
            1 => Ok(Bit::Unchecked),
            2 => Ok(Bit::Seen(at(1.0))),
            _ => Err(not_put_back()),
        }),
        4 => Event::Waited,
        5 => Event::Looked((0..asked).map(recovery).collect()),
        6 => Event::PutBack(match kind % 8 {
            0 => Err(not_reverted()),
            1..4 => Ok(None),
            _ => Ok(Some(span(f64::from(kind % 8)))),
        }),
        7 => Event::Down(if good { vec![] } else { vec!["shop".into()] }),
        8 => Event::Audited,
        10 => Event::Surveyed(if good { Ok(()) } else { Err(refused()) }),
        9 => Event::Held(if good { Ok(()) } else { Err("others came".into()) }),
        _ => Event::Failed(failure()),
    }
}

/// The event that answers what is asked for.
fn fitting(ask: &Ask) -> (u8, usize) {
    match ask {
        Ask::Guard => (0, 0),
        Ask::Targets => (1, 0),
        Ask::Inject(..) => (2, 0),
        Ask::Bit(_) => (3, 0),
        Ask::Wait(_) => (4, 0),
        Ask::Look(questions) => (5, questions.len()),
        Ask::PutBack(_) => (6, 0),
        Ask::Down => (7, 0),
        Ask::Audit => (8, 0),
        Ask::Held(_) => (9, 0),
        Ask::Survey(_) => (10, 0),
    }
}

/// What a course came to.
#[derive(Debug, Default)]
struct Seen {
    asked: Vec<String>,
    injections: usize,
    /// A fault is in place that nobody has put back.
    broken: bool,
    /// Whether outages are the experiment's at this moment.
    open: bool,
    outcomes: usize,
    end: Option<Result<(), ExperimentError>>,
}

impl Seen {
    fn next(&mut self, next: Next) -> Option<Ask> {
        self.asked.push(brief(&next));
        for note in next.notes {
            match note {
                Note::Outcome(_) => self.outcomes += 1,
                Note::Over => self.open = false,
                _ => {}
            }
        }
        match next.then {
            Then::End(result) => self.end = Some(result),
            Then::Ask(ask) => return Some(ask),
        }
        None
    }

    fn event(&mut self, asked: &Ask, event: &Event) {
        if matches!(asked, Ask::Inject(..)) {
            self.injections += 1;
            self.open = true;
            self.broken = true;
        }
        match (asked, event) {
            // The driver puts back what it could not inject, or did not see.
            (Ask::Inject(..) | Ask::Bit(_), Event::Injected(Err(error)) | Event::Bit(Err(error)))
                if matches!(error, FaultError::Refused { .. } | FaultError::Ineffective { .. }) =>
            {
                self.broken = false;
            }
            (Ask::PutBack(_), Event::PutBack(Ok(_))) => self.broken = false,
            _ => {}
        }
    }
}

/// Leads a course by the events `made`, those that fit where `fits` says so, and to its end by such as end it.
fn lead(made: &[(Made, bool)]) -> Seen {
    let mut seen = Seen::default();
    let (mut course, first) = Course::begin(&experiment(), Duration::from_secs(1));
    let (mut now, mut next) = (at(0.0), seen.next(first));
    // Every kind of answer in turn, at ever later times: nothing waits for ever.
    let rest = (0..200u8).map(|turn| ((0, turn, 1000), true));
    for ((which, kind, passed), fits) in made.iter().copied().chain(rest) {
        let Some(ask) = next else { break };
        let (fitting, asked) = fitting(&ask);
        let event = event((if fits { fitting } else { which }, kind, passed), asked);
        now = now.later_by(Duration::from_millis(passed.into()));
        seen.event(&ask, &event);
        next = seen.next(course.on(event, now));
    }
    seen
}

fn check(seen: &Seen) -> Result<(), TestCaseError> {
    prop_assert!(seen.injections <= 1, "injected twice: {:?}", seen.asked);
    let end = seen.end.as_ref();
    prop_assert!(end.is_some(), "without end: {:?}", seen.asked);
    let ended_well = end.is_some_and(Result::is_ok);
    prop_assert!(!(ended_well && seen.broken), "left broken: {:?}", seen.asked);
    prop_assert!(!seen.open, "outages are still the experiment's: {:?}", seen.asked);
    prop_assert!(seen.outcomes <= 1, "two outcomes: {:?}", seen.asked);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_of_any_kind_lead_to_one_end_with_nothing_left_broken(
        made in proptest::collection::vec((any::<u8>(), any::<u8>(), 0..500u16), 0..60),
    ) {
        let made: Vec<_> = made.into_iter().map(|made| (made, true)).collect();
        check(&lead(&made))?;
    }

    #[test]
    fn events_that_nobody_asked_for_never_inject_twice_nor_leave_anything_broken(
        made in proptest::collection::vec(((0..EVENTS, any::<u8>(), 0..500u16), proptest::bool::weighted(0.8)), 0..60),
    ) {
        check(&lead(&made))?;
    }
}
