//! Carries out the course of one experiment. What follows from what is decided in [`super::course`].

use std::time::Duration;

use thiserror::Error;

use super::Conductor;
use super::course::{Ask, Course, Event, Note, Then};
use crate::chaos::book::BookError;
use crate::chaos::driver::{Bit, FaultError, RevertError};
use crate::chaos::experiment::Event as Outcome;
use crate::chaos::guard::Permit;
use crate::chaos::plan::Plan;
use crate::clock::Moment;
use crate::health::Window;
use crate::health::tracker::{Question, Recovery, Seconds, Since, Span};
use crate::trial::{Experiment, Name};

/// The time before an injection in which writes must have been flowing.
const BEFORE_INJECTION: Duration = Duration::from_secs(5);

/// An experiment that the run cannot get over.
#[derive(Debug, Error)]
pub enum ExperimentError {
    /// The conductor's account of the experiments is wrong.
    #[error("keep the account of experiment {experiment}")]
    Account {
        /// The experiment.
        experiment: String,
        /// Why.
        #[source]
        source: BookError,
    },
    /// A fault failed, or was not seen, and may have left something broken; the run must not break more.
    #[error("get over experiment {experiment}")]
    Fault {
        /// The experiment.
        experiment: String,
        /// Why.
        #[source]
        source: Box<FaultError>,
    },
    /// What was broken could not be put back; the run must not break more.
    #[error("put back what experiment {experiment} broke")]
    Revert {
        /// The experiment.
        experiment: String,
        /// Why.
        #[source]
        source: Box<RevertError>,
    },
    /// Something happened that nobody had asked for.
    #[error("keep step with experiment {experiment}: what came is not what was asked for")]
    OutOfStep {
        /// The experiment.
        experiment: String,
    },
}

impl Conductor {
    /// Carries out `experiment`, if the guard lets it begin, and waits until all its recoveries are final.
    pub(super) async fn experiment(&mut self, experiment: &Experiment) -> Result<(), ExperimentError> {
        let (mut course, mut next) = Course::begin(experiment, self.trial.settle);
        loop {
            let name = &experiment.name;
            let noted = next.notes.into_iter().try_for_each(|note| self.note(name, note));
            let event = match (noted, next.then) {
                (Err(error), _) => Event::Failed(error),
                (Ok(()), Then::End(result)) => return result,
                (Ok(()), Then::Ask(ask)) => self.answer(experiment, ask).await.unwrap_or_else(Event::Failed),
            };
            next = course.on(event, self.clock.now());
        }
    }

    /// Carries out what is asked for.
    async fn answer(&mut self, experiment: &Experiment, ask: Ask) -> Result<Event, ExperimentError> {
        let name = &experiment.name;
        Ok(match ask {
            Ask::Guard => {
                let word = self.driver.check(name, &self.health.all_up());
                Event::Guard(word.map_err(account(name))?)
            }
            Ask::Targets => Event::Targets(self.targets(experiment).await),
            Ask::Survey(plan) => Event::Surveyed(self.survey(experiment, &plan).await),
            Ask::Inject(plan, permit) => Event::Injected(self.inject(experiment, &plan, permit).await),
            Ask::Bit(plan) => {
                let bit = self.driver.bit(&plan).await;
                if let Ok(Bit::Seen(_)) = bit {
                    tracing::info!(experiment = name.as_str(), "the fault took effect");
                }
                Event::Bit(bit)
            }
            Ask::Wait(time) => {
                tokio::time::sleep(time).await;
                Event::Waited
            }
            Ask::Look(questions) => Event::Looked(self.look(&questions)),
            Ask::PutBack(plan) => Event::PutBack(self.put_back(&plan).await),
            Ask::Held(plan) => Event::Held(plan.action.held(&plan.targets).await),
            Ask::Down => Event::Down(self.not_up()),
            Ask::Audit => {
                // Of what was acknowledged so far, writers going on.
                let audits = self.ledgers.audit_after(name.as_str(), self.clock.now()).await;
                self.findings.audits.extend(audits);
                Event::Audited
            }
        })
    }

    async fn inject(
        &mut self,
        experiment: &Experiment,
        plan: &Plan,
        permit: Permit,
    ) -> Result<Span, FaultError> {
        let name = &experiment.name;
        self.say_experiment(Some(name.as_str()));
        self.health.begin_experiment(Window {
            begins: self.clock.now(),
            targets: plan.targets.clone(),
            replaced: experiment.replaced,
        });
        let Self { driver, health, .. } = self;
        let injected = driver.inject(plan, permit, &mut |start| health.hit_targets(start)).await?;
        self.note_acked_before(name, injected.start);
        tracing::info!(experiment = name.as_str(), targets = ?plan.shown, "the fault is injected");
        Ok(Span { start: injected.start, end: injected.end })
    }

    async fn put_back(&mut self, plan: &Plan) -> Result<Option<Span>, RevertError> {
        let Some(reverted) = self.driver.revert(plan).await? else { return Ok(None) };
        tracing::info!(experiment = plan.experiment.as_str(), "the fault is put back");
        Ok(Some(Span { start: reverted.start, end: reverted.end }))
    }

    fn look(&self, questions: &[(usize, Question)]) -> Vec<Option<Recovery>> {
        questions.iter().map(|(component, question)| self.health.recovery(*component, question)).collect()
    }

    /// Tells log, metrics, report and board.
    fn note(&mut self, experiment: &Name, note: Note) -> Result<(), ExperimentError> {
        let name = experiment.as_str();
        match note {
            Note::Refused(refusal) => {
                tracing::warn!(experiment = name, reason = %refusal, "the experiment is refused");
            }
            Note::PassedOver(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(experiment = name, error, "the experiment is not carried out");
            }
            Note::Recovery { component, since, seconds } => {
                self.note_recovery(experiment, component, since, seconds);
            }
            Note::NotHeld(reason) => {
                tracing::warn!(experiment = name, reason, "the fault was not what it was to be");
            }
            Note::Outcome(outcome) => {
                if outcome == Outcome::Fizzle {
                    tracing::warn!(
                        experiment = name,
                        "the fault was seen neither by a check of its own nor by a failed probe, or was not what it was \
                         to be: it counts as ineffective"
                    );
                }
                self.driver.apply(experiment, outcome).map_err(account(experiment))?;
            }
            Note::NotCalm(not_up) => {
                tracing::warn!(experiment = name, ?not_up, "not healthy for long enough; going on");
            }
            Note::Over => {
                self.health.end_experiment(self.clock.now());
                self.say_experiment(None);
            }
        }
        Ok(())
    }

    fn note_recovery(&mut self, experiment: &Name, component: usize, since: Since, seconds: Seconds) {
        self.health.note_recovery(experiment, component, since, seconds);
        let component = &self.trial.components[component].name;
        self.findings.recovered(experiment, component, since, seconds);
        let line = recovery_line(experiment, component, since, seconds);
        tracing::info!(recovery = line, "a recovery is final");
        self.progress.say(&line);
    }

    /// Exports how many writes each store acknowledged just before the injection: without any, nothing could
    /// have been lost.
    fn note_acked_before(&self, experiment: &Name, injected: Moment) {
        for store in self.ledgers.stores() {
            let acked = self.ledgers.acked_between(store, injected.earlier_by(BEFORE_INJECTION), injected);
            self.driver.metrics().set_acked_before(experiment.as_str(), store, acked);
        }
    }
}

fn account(experiment: &Name) -> impl Fn(BookError) -> ExperimentError {
    let experiment = experiment.to_string();
    move |source| ExperimentError::Account { experiment: experiment.clone(), source }
}

/// A recovery as progress and log show it.
fn recovery_line(experiment: &Name, component: &Name, since: Since, seconds: Seconds) -> String {
    let since = match since {
        Since::Injected => "the injection",
        Since::Reverted => "the revert",
    };
    let Seconds { estimate, lower, upper } = seconds;
    if upper.is_finite() {
        return format!(
            "{experiment}: {component} recovered {estimate:.2} s after {since}  [{lower:.2}, {upper:.2}]"
        );
    }
    let not_seen = format!("{experiment}: {component} not seen to recover by the deadline");
    // Rounded up it would say more than is known.
    let least = lower.floor();
    if least > 0.0 { format!("{not_seen}, at least {least:.0} s after {since}") } else { not_seen }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_is_told_with_its_bounds_and_a_missing_one_as_missing() {
        let name = |text| Name::new(text).expect("a valid name");
        let (experiment, component) = (name("kill-redis-master"), name("redis"));
        let took = Seconds { estimate: 5.408, lower: 5.331, upper: 5.489 };
        let cases = [
            (
                Since::Injected,
                took,
                "kill-redis-master: redis recovered 5.41 s after the injection  [5.33, 5.49]",
            ),
            (
                Since::Reverted,
                took,
                "kill-redis-master: redis recovered 5.41 s after the revert  [5.33, 5.49]",
            ),
            (
                Since::Injected,
                Seconds::more_than(Duration::from_millis(119_900)),
                "kill-redis-master: redis not seen to recover by the deadline, at least 119 s after the injection",
            ),
            (
                Since::Reverted,
                Seconds::more_than(Duration::ZERO),
                "kill-redis-master: redis not seen to recover by the deadline",
            ),
        ];
        for (since, seconds, line) in cases {
            assert_eq!(recovery_line(&experiment, &component, since, seconds), line);
        }
    }
}
