//! Pure: what a load process does, by what it hears and for how long it has heard nothing.

use std::time::Duration;

use super::STALE;
use super::signal::{Lead, Order};

/// Whoever comes later than this after the start does not begin: its users would not be those of the schedule.
const LATE: f64 = 5.0;

/// How far the process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits for the start.
    Waiting,
    /// Its users run.
    Running,
}

/// What it heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard<'l> {
    /// The conductor's text, if there is one.
    pub(super) lead: Option<&'l Lead>,
    /// How long that has been the same.
    pub(super) silent: Duration,
    /// Whether another process stands in this one's place.
    pub(super) replaced: bool,
    /// The present time on its own clock.
    pub(super) now: f64,
}

/// Who the process is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process<'s> {
    /// The run that it belongs to.
    pub(super) run: &'s str,
    /// Its trial.
    pub(super) trial: &'s str,
    /// How many load processes it believes in.
    pub(super) of: usize,
    /// How long it waits for a conductor of its run.
    pub(super) patience: Duration,
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Nothing yet.
    Stay,
    /// The users begin then, in Unix time.
    Start(f64),
    /// No request begins any more; what is open may end for one time-out from now.
    Finish,
    /// Likewise, and for this reason of its own.
    Leave(String),
    /// All is cut, or does not begin.
    Cut,
    /// It does not begin, for this reason of its own.
    GiveUp(String),
}

/// The next step of `process` in `stage`.
pub(super) fn step(process: Process<'_>, stage: Stage, heard: Heard<'_>) -> Step {
    let own = |why: String| match stage {
        Stage::Waiting => Step::GiveUp(why),
        Stage::Running => Step::Leave(why),
    };
    if heard.replaced {
        return own("another process has taken its place".to_owned());
    }
    let lead = heard.lead.filter(|lead| lead.run == process.run);
    let Some(lead) = lead else {
        return match stage {
            Stage::Waiting if heard.silent < process.patience => Step::Stay,
            Stage::Running if heard.silent < STALE => Step::Stay,
            _ => own(format!("there is no conductor of run {}", process.run)),
        };
    };
    if lead.of != process.of {
        return own(format!("the run has {} load processes, not {}", lead.of, process.of));
    }
    if lead.trial != process.trial {
        return own("the conductor has another trial".to_owned());
    }
    match (stage, lead.order) {
        (_, Order::Abort {}) | (Stage::Waiting, Order::Finish {}) => Step::Cut,
        (Stage::Running, Order::Finish {}) => Step::Finish,
        _ if heard.silent >= STALE => own(format!("the conductor was not heard for {} s", STALE.as_secs())),
        (Stage::Waiting, Order::Start { at }) if heard.now - at > LATE => {
            Step::GiveUp(format!("the load began {:.0} s ago without it", heard.now - at))
        }
        (Stage::Waiting, Order::Start { at }) => Step::Start(at),
        (_, Order::Wait {}) | (Stage::Running, Order::Start { .. }) => Step::Stay,
    }
}

/// Whether the run of `process` is over, or nobody leads it any more: after its load it stays until then, for what is
/// scraped of it after the run's end shows that nothing is missing.
pub(super) fn is_over(process: Process<'_>, heard: Heard<'_>) -> bool {
    let lead = heard.lead.filter(|lead| lead.run == process.run && lead.order != Order::Abort {});
    lead.is_none() || heard.silent >= STALE
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: f64 = 1.76e9;
    const ME: Process<'static> = Process { run: "r", trial: "t", of: 2, patience: Duration::from_mins(10) };

    fn lead(order: Order) -> Lead {
        Lead { run: "r".to_owned(), trial: "t".to_owned(), of: 2, at: NOW, order }
    }

    fn at(stage: Stage, lead: Option<&Lead>, silent: u64) -> Step {
        let heard = Heard { lead, silent: Duration::from_secs(silent), replaced: false, now: NOW };
        step(ME, stage, heard)
    }

    fn leave(why: &str) -> Step {
        Step::Leave(why.to_owned())
    }

    fn give_up(why: &str) -> Step {
        Step::GiveUp(why.to_owned())
    }

    #[test]
    fn orders_are_followed() {
        use Stage::{Running, Waiting};
        let start = |after: f64| Order::Start { at: NOW + after };
        let table = [
            (Waiting, Order::Wait {}, Step::Stay),
            (Waiting, start(3.0), Step::Start(NOW + 3.0)),
            (Waiting, start(-5.0), Step::Start(NOW - 5.0)),
            (Waiting, start(-6.0), give_up("the load began 6 s ago without it")),
            (Waiting, Order::Finish {}, Step::Cut),
            (Waiting, Order::Abort {}, Step::Cut),
            (Running, Order::Wait {}, Step::Stay),
            (Running, start(-900.0), Step::Stay),
            (Running, Order::Finish {}, Step::Finish),
            (Running, Order::Abort {}, Step::Cut),
        ];
        for (stage, order, due) in table {
            assert_eq!(at(stage, Some(&lead(order)), 0), due, "{stage:?} {order:?}");
        }
    }

    #[test]
    fn users_never_run_unled() {
        let start = lead(Order::Start { at: NOW - 60.0 });
        assert_eq!(at(Stage::Running, Some(&start), 29), Step::Stay);
        assert_eq!(at(Stage::Running, Some(&start), 30), leave("the conductor was not heard for 30 s"));
        assert_eq!(at(Stage::Running, None, 29), Step::Stay);
        assert_eq!(at(Stage::Running, None, 30), leave("there is no conductor of run r"));
        // What was said stands, however long ago.
        let finish = lead(Order::Finish {});
        assert_eq!(at(Stage::Running, Some(&finish), 99), Step::Finish);
    }

    #[test]
    fn nobody_waits_for_ever() {
        let wait = lead(Order::Wait {});
        assert_eq!(at(Stage::Waiting, Some(&wait), 29), Step::Stay);
        assert_eq!(at(Stage::Waiting, Some(&wait), 30), give_up("the conductor was not heard for 30 s"));
        assert_eq!(at(Stage::Waiting, None, 599), Step::Stay);
        assert_eq!(at(Stage::Waiting, None, 600), give_up("there is no conductor of run r"));
        // A start that nobody stands behind any more is none.
        let start = lead(Order::Start { at: NOW - 1.0 });
        assert_eq!(at(Stage::Waiting, Some(&start), 31), give_up("the conductor was not heard for 30 s"));
    }

    #[test]
    fn a_run_is_over_when_its_conductor_has_gone() {
        let finish = lead(Order::Finish {});
        let others = Lead { run: "other".to_owned(), ..finish.clone() };
        let abort = lead(Order::Abort {});
        let table = [
            (Some(&finish), 29, false),
            (Some(&finish), 30, true),
            (Some(&abort), 0, true),
            (Some(&others), 0, true),
            (None, 0, true),
        ];
        for (lead, silent, due) in table {
            let heard = Heard { lead, silent: Duration::from_secs(silent), replaced: false, now: NOW };
            assert_eq!(is_over(ME, heard), due, "{lead:?} {silent}");
        }
    }

    #[test]
    fn another_runs_conductor_is_not_followed() {
        let others = Lead { run: "other".to_owned(), ..lead(Order::Start { at: NOW }) };
        assert_eq!(at(Stage::Waiting, Some(&others), 0), Step::Stay);
        assert_eq!(at(Stage::Running, Some(&others), 0), Step::Stay);
        assert_eq!(at(Stage::Running, Some(&others), 30), leave("there is no conductor of run r"));
    }

    #[test]
    fn who_does_not_fit_does_not_begin() {
        let more = Lead { of: 3, ..lead(Order::Wait {}) };
        let due = give_up("the run has 3 load processes, not 2");
        assert_eq!(at(Stage::Waiting, Some(&more), 0), due);
        let other = Lead { trial: "u".to_owned(), ..lead(Order::Start { at: NOW }) };
        assert_eq!(at(Stage::Waiting, Some(&other), 0), give_up("the conductor has another trial"));
        let wait = lead(Order::Wait {});
        let heard = Heard { lead: Some(&wait), silent: Duration::ZERO, replaced: true, now: NOW };
        assert_eq!(step(ME, Stage::Waiting, heard), give_up("another process has taken its place"));
        assert_eq!(step(ME, Stage::Running, heard), leave("another process has taken its place"));
    }
}
