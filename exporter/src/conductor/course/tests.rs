use super::*;
use crate::chaos::book::BookError;
use crate::chaos::experiment::{IllegalTransition, State};
use crate::chaos::faults::Action;
use crate::chaos::faults::commands::Commands;
use crate::chaos::guard::{Situation, may_start};
use crate::chaos::putback::PutBackError;
use crate::cluster::Target;
use crate::health::tracker::{Saw, Took};
use crate::trial::{ComponentIndex, ExecFault, Fault, NonEmpty, Secrets};

mod any;
mod table;

fn at(seconds: f64) -> Moment {
    Moment::from_secs_f64(seconds)
}

fn name() -> Name {
    Name::new("cut").expect("a name")
}

/// Held for 0.25 s, 60 s to recover, components 0 and 1.
fn experiment() -> Experiment {
    Experiment {
        name: name(),
        fault: Fault::Exec(ExecFault {
            target: "echo pg1".into(),
            inject: "cut".into(),
            bit: None,
            revert: Some("mend".into()),
            timeout: Duration::from_secs(30),
        }),
        components: NonEmpty::new(
            [0, 1].map(|index| ComponentIndex::new(index, 2).expect("two components")).into(),
        )
        .expect("two"),
        deadline: Duration::from_mins(1),
        hold: Duration::from_millis(250),
        replaced: false,
    }
}

fn plan(reverts: bool) -> Plan {
    let experiment = experiment();
    let Fault::Exec(fault) = &experiment.fault else { panic!("commands") };
    let mut commands = Commands::of(fault);
    commands.revert = commands.revert.filter(|_| reverts);
    Plan::new(&experiment, &[], vec![Target::named("pg1")], Action::Exec(commands), &Secrets::default())
}

fn permit() -> Permit {
    let nothing = Situation { components: &[], previous: &[], unfinished: &[] };
    may_start(&name(), &nothing, at(0.0)).expect("nothing speaks against it")
}

fn span(start: f64) -> Span {
    Span { start: at(start), end: at(start) }
}

fn recovered(saw: Saw) -> Recovery {
    Recovery::Recovered { took: Took::ZERO, saw, settled: at(0.0) }
}

fn not_recovered(saw: Saw) -> Recovery {
    Recovery::NotRecovered { at_least: Duration::from_mins(1), saw }
}

const PENDING: Recovery = Recovery::Pending { so_far: None };

fn book() -> BookError {
    let source = IllegalTransition { from: State::Skipped, event: Outcome::Inject };
    BookError::Illegal { experiment: "cut".into(), source }
}

fn refused() -> FaultError {
    FaultError::Refused { experiment: "cut".into(), refusal: Refusal::NoTarget { said: String::new() } }
}

fn ineffective() -> FaultError {
    FaultError::Ineffective { experiment: "cut".into(), reason: "exit status 1".into() }
}

fn stuck() -> PutBackError {
    PutBackError::Failed {
        experiment: "cut".into(),
        revert: "mend".into(),
        attempts: 3,
        last: "exit status 1".into(),
    }
}

fn not_put_back() -> FaultError {
    FaultError::NotPutBack {
        experiment: "cut".into(),
        reason: "exit status 1".into(),
        source: Box::new(stuck()),
    }
}

fn not_reverted() -> RevertError {
    RevertError::PutBack { experiment: "cut".into(), source: stuck() }
}

fn failure() -> ExperimentError {
    ExperimentError::Account { experiment: "cut".into(), source: book() }
}

/// What follows, in short: `refused, over; audit`.
fn brief(next: &Next) -> String {
    let note = |note: &Note| match note {
        Note::Refused(_) => "refused".to_owned(),
        Note::PassedOver(_) => "passed over".to_owned(),
        Note::Recovery { component, since, seconds } if seconds.upper.is_infinite() => {
            format!("{component} not since {}", since.label())
        }
        Note::Recovery { component, since, .. } => format!("{component} since {}", since.label()),
        Note::Outcome(outcome) => format!("{outcome:?}"),
        Note::NotHeld(reason) => format!("not held: {reason}"),
        Note::NotCalm(down) => format!("not calm: {}", down.join(" ")),
        Note::Over => "over".to_owned(),
    };
    let notes: Vec<String> = next.notes.iter().map(note).collect();
    let then = match &next.then {
        Then::Ask(Ask::Guard) => "guard".to_owned(),
        Then::Ask(Ask::Targets) => "targets".to_owned(),
        Then::Ask(Ask::Survey(_)) => "survey".to_owned(),
        Then::Ask(Ask::Inject(..)) => "inject".to_owned(),
        Then::Ask(Ask::Bit(_)) => "bit".to_owned(),
        Then::Ask(Ask::Wait(time)) => format!("wait {} ms", time.as_millis()),
        Then::Ask(Ask::Look(questions)) => {
            let questions =
                questions.iter().map(|(it, question)| format!(" {it}/{}", question.since.label()));
            format!("look{}", questions.collect::<String>())
        }
        Then::Ask(Ask::PutBack(_)) => "put back".to_owned(),
        Then::Ask(Ask::Held(_)) => "held?".to_owned(),
        Then::Ask(Ask::Down) => "down?".to_owned(),
        Then::Ask(Ask::Audit) => "audit".to_owned(),
        Then::End(Ok(())) => "end".to_owned(),
        Then::End(Err(error)) => format!("stop: {}", kind(error)),
    };
    if notes.is_empty() { then } else { format!("{}; {then}", notes.join(", ")) }
}

fn kind(error: &ExperimentError) -> &'static str {
    match error {
        ExperimentError::Account { .. } => "account",
        ExperimentError::Fault { .. } => "fault",
        ExperimentError::Revert { .. } => "revert",
        ExperimentError::OutOfStep { .. } => "out of step",
    }
}
