//! One experiment, from the guard's word to the audit after it.

use std::time::Duration;

use thiserror::Error;

use super::Conductor;
use super::calm::Calm;
use crate::chaos::book::BookError;
use crate::chaos::driver::{Bit, FaultError, Injected, RevertError};
use crate::chaos::experiment::Event;
use crate::chaos::guard::Decision;
use crate::chaos::metrics::{RecoverySeconds, Since as Counted};
use crate::chaos::plan::Plan;
use crate::clock::Moment;
use crate::health::Window;
use crate::health::tracker::{Question, Recovery, Revert, Saw, Since, Span, Took};
use crate::trial::{Experiment, Name};

/// How often the recoveries are looked at.
const LOOK: Duration = Duration::from_millis(100);
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
    #[error("get over experiment {experiment}; `load-exporter recover` tries again to put it back")]
    Fault {
        /// The experiment.
        experiment: String,
        /// Why.
        #[source]
        source: Box<FaultError>,
    },
    /// What was broken could not be put back; the run must not break more.
    #[error("put back what experiment {experiment} broke; `load-exporter recover` tries again")]
    Revert {
        /// The experiment.
        experiment: String,
        /// Why.
        #[source]
        source: Box<RevertError>,
    },
}

/// How far the awaited components are.
struct Awaited {
    injected: Span,
    revert: Revert,
    deadline: Moment,
    /// Component and instant counted from, of the recoveries that are not final yet.
    open: Vec<(usize, Since)>,
    all_recovered: bool,
    /// Whether any probe saw the fault.
    seen: bool,
}

impl Conductor {
    /// Carries out `experiment`, if the guard lets it begin, and waits until all its recoveries are final.
    pub(super) async fn experiment(&mut self, experiment: &Experiment) -> Result<(), ExperimentError> {
        let name = &experiment.name;
        if !self.may_begin(name)? {
            return Ok(());
        }
        let plan = match self.driver.prepare(experiment).await {
            Ok(plan) => plan,
            Err(error) => {
                return not_carried_out(name, error);
            }
        };
        // Finding the targets took its time, and what was healthy before may not be any more.
        if !self.may_begin(name)? {
            return Ok(());
        }
        self.board.experiment(Some(name.as_str()));
        self.health.begin_experiment(Window {
            injected: self.clock.now(),
            targets: plan.targets.clone(),
            replaced: experiment.replaced,
        });
        let carried_out = self.carry_out(experiment, &plan).await;
        self.health.end_experiment(self.clock.now());
        self.board.experiment(None);
        carried_out?;
        self.audit_after(name).await;
        Ok(())
    }

    /// Asks the guard, which notes its no.
    fn may_begin(&mut self, experiment: &Name) -> Result<bool, ExperimentError> {
        let health = self.health_by_name();
        let known: Vec<_> = health.iter().map(|(name, health)| (name.as_str(), *health)).collect();
        let decision = self
            .driver
            .check(experiment, &known, false)
            .map_err(|source| ExperimentError::Account { experiment: experiment.to_string(), source })?;
        if let Decision::Refuse(refusal) = &decision {
            tracing::warn!(experiment = experiment.as_str(), reason = %refusal, "the experiment is refused");
        }
        Ok(decision == Decision::Start)
    }

    async fn carry_out(&mut self, experiment: &Experiment, plan: &Plan) -> Result<(), ExperimentError> {
        let name = &experiment.name;
        let deadline = self.clock.now().later_by(experiment.deadline);
        let injected = match self.driver.inject(plan).await {
            Ok(injected) => injected,
            Err(error) => {
                return self.without_effect(name, error, deadline).await;
            }
        };
        self.note_acked_before(name, injected.start);
        tracing::info!(experiment = name.as_str(), targets = ?plan.targets, "the fault is injected");
        let bit_seen = match self.driver.bit(plan).await {
            Ok(Bit::Seen(_)) => {
                tracing::info!(experiment = name.as_str(), "the fault took effect");
                true
            }
            Ok(Bit::Unchecked) => false,
            Err(error) => {
                return self.without_effect(name, error, deadline).await;
            }
        };
        let due = injected.start.later_by(experiment.hold);
        let mut awaited = Awaited::new(experiment, injected, plan.inverse.command().is_some());
        while self.clock.now() < due {
            self.look(experiment, &mut awaited)?;
            tokio::time::sleep(LOOK.min(due.since(self.clock.now()))).await;
        }
        let put_back = self.driver.revert(plan).await;
        let put_back = put_back.map_err(|source| ExperimentError::Revert {
            experiment: name.to_string(),
            source: Box::new(source),
        })?;
        if let Some(reverted) = put_back {
            tracing::info!(experiment = name.as_str(), "the fault is put back");
            awaited.reverted(experiment, Span { start: reverted.start, end: reverted.end });
        }
        while !awaited.open.is_empty() {
            tokio::time::sleep(LOOK).await;
            self.look(experiment, &mut awaited)?;
        }
        let event = awaited.outcome(bit_seen);
        if event == Event::Fizzle {
            tracing::warn!(
                experiment = name.as_str(),
                "no probe saw the fault, and it has no `bit` command: it counts as ineffective"
            );
        }
        self.driver
            .apply(name, event)
            .map_err(|source| ExperimentError::Account { experiment: name.to_string(), source })?;
        Ok(())
    }

    /// Notes the recoveries that became final since the last look.
    fn look(&mut self, experiment: &Experiment, awaited: &mut Awaited) -> Result<(), ExperimentError> {
        let mut still_open = Vec::with_capacity(awaited.open.len());
        for (component, since) in std::mem::take(&mut awaited.open) {
            let question = Question {
                injected: awaited.injected,
                revert: awaited.revert,
                since,
                settle: self.trial.settle,
                deadline: awaited.deadline,
            };
            let seconds = match self.health.recovery(component, &question) {
                None | Some(Recovery::Pending { .. }) => {
                    still_open.push((component, since));
                    continue;
                }
                Some(Recovery::Recovered { took, saw, .. }) => {
                    awaited.seen |= saw != Saw::Nothing;
                    in_seconds(took)
                }
                Some(Recovery::NotRecovered { waited }) => {
                    awaited.seen = true;
                    awaited.all_recovered = false;
                    RecoverySeconds::none_within(waited.as_secs_f64())
                }
            };
            self.note_recovery(&experiment.name, component, since, seconds)?;
        }
        awaited.open = still_open;
        Ok(())
    }

    fn note_recovery(
        &mut self,
        experiment: &Name,
        component: usize,
        since: Since,
        seconds: RecoverySeconds,
    ) -> Result<(), ExperimentError> {
        let component = self.trial.components[component].name.clone();
        let counted = match since {
            Since::Injected => Counted::Injected,
            Since::Reverted => Counted::Reverted,
        };
        self.driver
            .recovery(experiment, &component, counted, seconds)
            .map_err(|source| ExperimentError::Account { experiment: experiment.to_string(), source })?;
        let line = recovery_line(experiment, &component, counted, seconds);
        tracing::info!(recovery = line, "a recovery is final");
        self.board.recovered(line);
        Ok(())
    }

    /// Exports how many writes each store acknowledged just before the injection: without any, nothing could
    /// have been lost.
    fn note_acked_before(&self, experiment: &Name, injected: Moment) {
        for store in self.ledgers.stores() {
            let acked = self.ledgers.acked_between(store, injected.earlier_by(BEFORE_INJECTION), injected);
            self.driver.metrics().set_acked_before(experiment.as_str(), store, acked);
        }
    }

    /// Audits what was acknowledged so far, writers going on.
    async fn audit_after(&mut self, experiment: &Name) {
        let summaries = self.ledgers.audit_after(experiment.as_str(), self.clock.now()).await;
        self.keep_audits(&summaries);
    }

    /// A fault that was refused, failed or did not take effect: what it did all the same, and its revert,
    /// must have passed before the next one, so this returns once all components have been healthy for
    /// `settle`, or at `deadline`.
    async fn without_effect(
        &self,
        experiment: &Name,
        error: FaultError,
        deadline: Moment,
    ) -> Result<(), ExperimentError> {
        let refused = matches!(error, FaultError::Refused { .. });
        not_carried_out(experiment, error)?;
        if refused {
            return Ok(());
        }
        let mut calm = Calm::default();
        loop {
            let now = self.clock.now();
            let not_up = self.not_up();
            if calm.look(not_up.is_empty(), now) >= self.trial.settle {
                return Ok(());
            }
            if now >= deadline {
                tracing::warn!(
                    experiment = experiment.as_str(),
                    ?not_up,
                    "not healthy for long enough; going on"
                );
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// A fault that was refused, or had no effect and is put back, is passed over; any other ends the run.
fn not_carried_out(experiment: &Name, error: FaultError) -> Result<(), ExperimentError> {
    match error {
        FaultError::Refused { .. } | FaultError::Ineffective { .. } => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(experiment = experiment.as_str(), error, "the experiment is not carried out");
            Ok(())
        }
        FaultError::NotPutBack { .. } | FaultError::Book { .. } => {
            Err(ExperimentError::Fault { experiment: experiment.to_string(), source: Box::new(error) })
        }
    }
}

impl Awaited {
    fn new(experiment: &Experiment, injected: Injected, has_revert: bool) -> Self {
        Self {
            injected: Span { start: injected.start, end: injected.end },
            revert: if has_revert { Revert::Due } else { Revert::None },
            deadline: injected.start.later_by(experiment.deadline),
            open: experiment.components.iter().map(|component| (component.get(), Since::Injected)).collect(),
            all_recovered: true,
            seen: false,
        }
    }

    /// What came of the experiment once nothing is open. Nobody recovers from a fault that nobody saw.
    fn outcome(&self, bit_seen: bool) -> Event {
        match (self.all_recovered, bit_seen || self.seen) {
            (false, _) => Event::PassDeadline,
            (true, true) => Event::Recover,
            (true, false) => Event::Fizzle,
        }
    }

    fn reverted(&mut self, experiment: &Experiment, span: Span) {
        self.revert = Revert::Done(span);
        self.open.extend(experiment.components.iter().map(|component| (component.get(), Since::Reverted)));
    }
}

fn in_seconds(took: Took) -> RecoverySeconds {
    RecoverySeconds {
        estimate: took.estimate.as_secs_f64(),
        lower: took.lower.as_secs_f64(),
        upper: took.upper.as_secs_f64(),
    }
}

/// A recovery as progress and log show it.
fn recovery_line(experiment: &Name, component: &Name, since: Counted, seconds: RecoverySeconds) -> String {
    let what = match since {
        Counted::Injected => format!("{experiment}/{component}"),
        Counted::Reverted => format!("{experiment}/{component} (since the revert)"),
    };
    if seconds.upper.is_infinite() {
        format!("{what} not recovered after {:.0} s", seconds.lower)
    } else {
        format!("{what} {:.2} s [{:.2}, {:.2}]", seconds.estimate, seconds.lower, seconds.upper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_nobody_saw_is_no_recovery() {
        let cases = [
            // all recovered, the bit command saw it, a probe saw it
            (true, true, false, Event::Recover),
            (true, false, true, Event::Recover),
            (true, false, false, Event::Fizzle),
            (false, false, true, Event::PassDeadline),
        ];
        for (all_recovered, bit_seen, seen, expected) in cases {
            let at = Span { start: Moment::default(), end: Moment::default() };
            let awaited = Awaited {
                injected: at,
                revert: Revert::None,
                deadline: Moment::default(),
                open: Vec::new(),
                all_recovered,
                seen,
            };
            assert_eq!(awaited.outcome(bit_seen), expected);
        }
    }

    #[test]
    fn a_recovery_is_told_with_its_bounds_and_a_missing_one_as_missing() {
        let name = |text| Name::new(text).expect("a valid name");
        let (experiment, component) = (name("kill-redis-master"), name("redis"));
        let took = RecoverySeconds { estimate: 5.408, lower: 5.331, upper: 5.489 };
        let cases = [
            (Counted::Injected, took, "kill-redis-master/redis 5.41 s [5.33, 5.49]"),
            (Counted::Reverted, took, "kill-redis-master/redis (since the revert) 5.41 s [5.33, 5.49]"),
            (
                Counted::Injected,
                RecoverySeconds::none_within(120.2),
                "kill-redis-master/redis not recovered after 120 s",
            ),
        ];
        for (since, seconds, line) in cases {
            assert_eq!(recovery_line(&experiment, &component, since, seconds), line);
        }
    }
}
