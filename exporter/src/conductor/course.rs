//! Pure: the course of one experiment, from the guard's word to the audit after it.
//!
//! [`Course::on`] takes what came of the last thing asked for and says what is to be noted and asked for next.
//! All rules are here; whoever carries them out ([`super::experiment`]) decides nothing.
//!
//! a healthy system, awaited for a while → guard → targets → survey → guard again → inject → bit → hold → put back →
//! look back → recoveries → audit. A fault without effect goes from where that shows to calm, and then to the audit.

mod awaited;

use std::sync::Arc;
use std::time::Duration;

use self::awaited::Awaited;
use super::ExperimentError;
use super::calm::Calm;
use crate::chaos::driver::{Bit, FaultError, RevertError};
use crate::chaos::experiment::Event as Outcome;
use crate::chaos::guard::{Permit, Refusal};
use crate::chaos::plan::Plan;
use crate::clock::Moment;
use crate::health::tracker::{Question, Recovery, Seconds, Since, Span};
use crate::trial::{Experiment, Name};

/// How often recoveries and health are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What came of what was asked for.
#[derive(Debug)]
pub(super) enum Event {
    /// The guard's word.
    Guard(Result<Permit, Refusal>),
    /// The targets, and all else that the fault needs, are found.
    Targets(Result<Plan, FaultError>),
    /// Whether they are the same still, and nothing has come to speak against hitting them.
    Surveyed(Result<(), FaultError>),
    /// The fault is injected. Where it failed, what it did is put back, unless the error says otherwise.
    Injected(Result<Span, FaultError>),
    /// Whether it took effect. Where it did not, it is put back, unless the error says otherwise.
    Bit(Result<Bit, FaultError>),
    /// The time is over.
    Waited,
    /// What is known of the recoveries asked about, in the same order.
    Looked(Vec<Option<Recovery>>),
    /// The fault is put back; `None`: there was nothing to put back.
    PutBack(Result<Option<Span>, RevertError>),
    /// Whether what was broken was all of what it was to be, until the end; else why not, or why nobody knows.
    Held(Result<(), String>),
    /// The components that do not serve.
    Down(Vec<String>),
    /// The audit is made.
    Audited,
    /// Something could not be carried out or noted.
    Failed(ExperimentError),
}

/// What is to be noted.
#[derive(Debug)]
pub(super) enum Note {
    /// The guard said no.
    Refused(Refusal),
    /// The fault was refused or had no effect; the run goes on.
    PassedOver(FaultError),
    /// A recovery is final.
    Recovery {
        /// The component, by its index in the trial.
        component: usize,
        /// What it counts from.
        since: Since,
        /// How long it took.
        seconds: Seconds,
    },
    /// The fault was not what it was to be: to recover from it proves nothing.
    NotHeld(String),
    /// What came of the experiment.
    Outcome(Outcome),
    /// These components were still down when the deadline passed after a fault without effect.
    NotCalm(Vec<String>),
    /// Outages that begin from here on are not the experiment's.
    Over,
}

/// What is to be carried out; each is answered by one event.
#[derive(Debug)]
pub(super) enum Ask {
    /// The guard: may it begin now?
    Guard,
    /// The targets.
    Targets,
    /// Whether the targets may be hit still.
    Survey(Arc<Plan>),
    /// The fault, on the guard's word. Outages that begin once it acts are the experiment's.
    Inject(Arc<Plan>, Permit),
    /// Whether the fault took effect.
    Bit(Arc<Plan>),
    /// To let so much time pass.
    Wait(Duration),
    /// How far the recoveries of these components are.
    Look(Vec<(usize, Question)>),
    /// To put the fault back.
    PutBack(Arc<Plan>),
    /// Whether the fault was about the same to its end, once it is put back.
    Held(Arc<Plan>),
    /// Which components do not serve.
    Down,
    /// An audit of what was acknowledged so far.
    Audit,
}

/// What follows an event.
#[derive(Debug)]
pub(super) struct Next {
    /// To be noted first, in this order.
    pub(super) notes: Vec<Note>,
    /// Then this.
    pub(super) then: Then,
}

/// How it goes on.
#[derive(Debug)]
pub(super) enum Then {
    /// With this.
    Ask(Ask),
    /// Not at all. After an error the run must not go on.
    End(Result<(), ExperimentError>),
}

/// One experiment under way.
#[derive(Debug)]
pub(super) struct Course {
    experiment: Name,
    components: Vec<usize>,
    hold: Duration,
    deadline: Duration,
    settle: Duration,
    stage: Stage,
}

/// What was asked for last, and what is known by then.
#[derive(Debug)]
enum Stage {
    /// What is down by chance at this moment is no reason to refuse; until then it may come back.
    Whole(Option<Moment>),
    FirstWord,
    FindingTargets,
    Surveying(Arc<Plan>),
    SecondWord(Arc<Plan>),
    Injecting(Arc<Plan>, Moment),
    Biting(Awaited),
    Holding(Awaited),
    PuttingBack(Awaited),
    LookingBack(Awaited),
    Recovering(Awaited),
    /// A fault without effect: what it did all the same must have passed before the next one begins.
    Calming(Calm, Moment),
    Auditing,
    Over,
}

impl Course {
    /// The course of `experiment`, and what it begins with. A recovery is final once health held for `settle`.
    pub(super) fn begin(experiment: &Experiment, settle: Duration) -> (Self, Next) {
        let course = Self {
            experiment: experiment.name.clone(),
            components: experiment.components.iter().map(|component| component.get()).collect(),
            hold: experiment.hold,
            deadline: experiment.deadline,
            settle,
            stage: Stage::Whole(None),
        };
        (course, ask(Ask::Down))
    }

    /// What follows from `event`, which came at `now`.
    pub(super) fn on(&mut self, event: Event, now: Moment) -> Next {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        match (stage, event) {
            (Stage::Whole(until), Event::Down(down)) => {
                let until = until.unwrap_or(now.later_by(self.settle));
                if down.is_empty() || now >= until {
                    return self.go(Stage::FirstWord, Ask::Guard);
                }
                self.go(Stage::Whole(Some(until)), Ask::Wait(LOOK))
            }
            (Stage::Whole(until), Event::Waited) => self.go(Stage::Whole(until), Ask::Down),
            (Stage::FirstWord, Event::Guard(Ok(_))) => self.go(Stage::FindingTargets, Ask::Targets),
            (Stage::FirstWord | Stage::SecondWord(_), Event::Guard(Err(refusal))) => {
                Next { notes: vec![Note::Refused(refusal)], then: Then::End(Ok(())) }
            }
            (Stage::FindingTargets, Event::Targets(Ok(plan))) => {
                let plan = Arc::new(plan);
                self.go(Stage::Surveying(Arc::clone(&plan)), Ask::Survey(plan))
            }
            // Looking at the targets took its time, and what was healthy before may not be any more.
            (Stage::Surveying(plan), Event::Surveyed(Ok(()))) => self.go(Stage::SecondWord(plan), Ask::Guard),
            (Stage::FindingTargets, Event::Targets(Err(error)))
            | (Stage::Surveying(_), Event::Surveyed(Err(error))) => match self.may_pass_over(error) {
                Ok(error) => Next { notes: vec![Note::PassedOver(error)], then: Then::End(Ok(())) },
                Err(error) => failed(error),
            },
            (Stage::SecondWord(plan), Event::Guard(Ok(permit))) => {
                let deadline = now.later_by(self.deadline);
                self.go(Stage::Injecting(Arc::clone(&plan), deadline), Ask::Inject(plan, permit))
            }
            (Stage::Injecting(plan, _), Event::Injected(Ok(injected))) => {
                let deadline = injected.start.later_by(self.deadline);
                let awaited = Awaited::new(Arc::clone(&plan), injected, &self.components, deadline);
                self.go(Stage::Biting(awaited), Ask::Bit(plan))
            }
            (Stage::Injecting(_, deadline), Event::Injected(Err(error))) => {
                self.without_effect(error, deadline)
            }
            (Stage::Biting(awaited), Event::Bit(Err(error))) => self.without_effect(error, awaited.deadline),
            (Stage::Biting(mut awaited), Event::Bit(Ok(bit))) => {
                awaited.seen |= matches!(bit, Bit::Seen(_));
                self.hold(awaited, now)
            }
            (Stage::Holding(awaited), Event::Waited) => self.hold(awaited, now),
            (Stage::Holding(mut awaited), Event::Looked(answers)) => {
                let notes = awaited.take(answers);
                let left = self.due(&awaited).since(now);
                Next { notes, ..self.go(Stage::Holding(awaited), Ask::Wait(LOOK.min(left))) }
            }
            (Stage::PuttingBack(mut awaited), Event::PutBack(Ok(reverted))) => {
                if let Some(span) = reverted {
                    awaited.reverted(span, &self.components);
                }
                let plan = Arc::clone(&awaited.plan);
                self.go(Stage::LookingBack(awaited), Ask::Held(plan))
            }
            (Stage::LookingBack(mut awaited), Event::Held(held)) => {
                awaited.spoilt = held.is_err();
                self.recover(awaited, held.err().map(Note::NotHeld).into_iter().collect())
            }
            (Stage::PuttingBack(_), Event::PutBack(Err(error))) => {
                failed(ExperimentError::Revert { experiment: self.name(), source: Box::new(error) })
            }
            (Stage::Recovering(awaited), Event::Waited) => {
                let questions = awaited.questions(self.settle);
                self.go(Stage::Recovering(awaited), Ask::Look(questions))
            }
            (Stage::Recovering(mut awaited), Event::Looked(answers)) => {
                let notes = awaited.take(answers);
                self.recover(awaited, notes)
            }
            (Stage::Calming(calm, deadline), Event::Waited) => {
                self.go(Stage::Calming(calm, deadline), Ask::Down)
            }
            (Stage::Calming(calm, deadline), Event::Down(down)) => self.calm(calm, deadline, down, now),
            (Stage::Auditing, Event::Audited) => end(Ok(())),
            (_, Event::Failed(error)) => failed(error),
            _ => failed(ExperimentError::OutOfStep { experiment: self.name() }),
        }
    }

    fn go(&mut self, stage: Stage, then: Ask) -> Next {
        self.stage = stage;
        ask(then)
    }

    /// In place, held until its time is over.
    fn hold(&mut self, awaited: Awaited, now: Moment) -> Next {
        if now < self.due(&awaited) {
            let questions = awaited.questions(self.settle);
            return self.go(Stage::Holding(awaited), Ask::Look(questions));
        }
        let plan = Arc::clone(&awaited.plan);
        self.go(Stage::PuttingBack(awaited), Ask::PutBack(plan))
    }

    fn due(&self, awaited: &Awaited) -> Moment {
        awaited.injected.start.later_by(self.hold)
    }

    /// Put back, until all recoveries are final.
    fn recover(&mut self, awaited: Awaited, mut notes: Vec<Note>) -> Next {
        if awaited.any_open() {
            return Next { notes, ..self.go(Stage::Recovering(awaited), Ask::Wait(LOOK)) };
        }
        notes.extend([Note::Outcome(awaited.outcome()), Note::Over]);
        Next { notes, ..self.go(Stage::Auditing, Ask::Audit) }
    }

    /// The fault was refused, failed or did not take effect.
    fn without_effect(&mut self, error: FaultError, deadline: Moment) -> Next {
        let untouched = matches!(error, FaultError::Refused { .. });
        match self.may_pass_over(error) {
            Err(error) => failed(error),
            Ok(error) if untouched => {
                let notes = vec![Note::PassedOver(error), Note::Over];
                Next { notes, ..self.go(Stage::Auditing, Ask::Audit) }
            }
            Ok(error) => {
                let notes = vec![Note::PassedOver(error)];
                Next { notes, ..self.go(Stage::Calming(Calm::default(), deadline), Ask::Down) }
            }
        }
    }

    /// What the fault did all the same, and its revert, must have passed before the next one: all components
    /// healthy for `settle`, or the deadline.
    fn calm(&mut self, mut calm: Calm, deadline: Moment, down: Vec<String>, now: Moment) -> Next {
        let settled = calm.look(down.is_empty(), now) >= self.settle;
        if !settled && now < deadline {
            return self.go(Stage::Calming(calm, deadline), Ask::Wait(LOOK));
        }
        let notes = (!settled).then_some(Note::NotCalm(down)).into_iter().chain([Note::Over]).collect();
        Next { notes, ..self.go(Stage::Auditing, Ask::Audit) }
    }

    /// A fault that was refused, or had no effect and is put back, is passed over; any other ends the run.
    fn may_pass_over(&self, error: FaultError) -> Result<FaultError, ExperimentError> {
        match error {
            FaultError::Refused { .. } | FaultError::Ineffective { .. } => Ok(error),
            FaultError::NotPutBack { .. } | FaultError::Book { .. } => {
                Err(ExperimentError::Fault { experiment: self.name(), source: Box::new(error) })
            }
        }
    }

    fn name(&self) -> String {
        self.experiment.to_string()
    }
}

fn ask(ask: Ask) -> Next {
    Next { notes: Vec::new(), then: Then::Ask(ask) }
}

fn end(result: Result<(), ExperimentError>) -> Next {
    Next { notes: Vec::new(), then: Then::End(result) }
}

/// The run must not go on; what is broken is put back by its abort.
fn failed(error: ExperimentError) -> Next {
    Next { notes: vec![Note::Over], ..end(Err(error)) }
}

#[cfg(test)]
mod tests;
