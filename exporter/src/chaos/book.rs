//! Where every experiment stands. The only place that changes it, so that the metrics and the report tell
//! the same story.

use thiserror::Error;

use super::experiment::{Event, IllegalTransition, State};
use super::faults::Outcome;
use super::guard::Refusal;
use super::journal::{Record, Step};
use super::metrics::Metrics;
use super::plan::{Plan, shown};
use super::putback::{PutBack, Reverted};
use super::record::{At, ChaosReport, ExperimentReport};
use crate::clock::{Clock, Moment};
use crate::trial::{Experiment, Secrets};

/// What cannot happen to an experiment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BookError {
    /// The trial has no such experiment.
    #[error("no experiment is named {0}")]
    Unknown(String),
    /// It is not in a state in which that can happen.
    #[error("{experiment} is {from}", from = source.from)]
    Illegal {
        /// The experiment.
        experiment: String,
        /// Why not.
        #[source]
        source: IllegalTransition,
    },
}

/// States, metrics and report of all experiments.
#[derive(Debug)]
pub(super) struct Book {
    clock: Clock,
    metrics: Metrics,
    report: ChaosReport,
}

impl Book {
    pub(super) fn new(clock: Clock, run: &str, experiments: &[Experiment], metrics: Metrics) -> Self {
        Self { clock, metrics, report: ChaosReport::new(run, &clock, experiments) }
    }

    pub(super) fn report(&self) -> &ChaosReport {
        &self.report
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Names and states in the trial's order.
    pub(super) fn states(&self) -> impl Iterator<Item = (&str, State)> {
        self.report.experiments.iter().map(|entry| (entry.experiment.as_str(), entry.state))
    }

    /// The state after `event`, without going there.
    pub(super) fn would(&self, experiment: &str, event: Event) -> Result<State, BookError> {
        let entry = &self.report.experiments[self.index(experiment)?];
        let illegal = |source| BookError::Illegal { experiment: experiment.to_owned(), source };
        entry.state.on(event).map_err(illegal)
    }

    pub(super) fn apply(&mut self, experiment: &str, event: Event, at: Moment) -> Result<State, BookError> {
        let at = At::new(&self.clock, at);
        self.apply_at(experiment, event, at)
    }

    fn apply_at(&mut self, experiment: &str, event: Event, at: At) -> Result<State, BookError> {
        let next = self.would(experiment, event)?;
        let index = self.index(experiment)?;
        self.go_to(index, next, at);
        Ok(next)
    }

    /// The run is aborted, for every experiment.
    pub(super) fn abort(&mut self, at: Moment) {
        let at = At::new(&self.clock, at);
        for index in 0..self.report.experiments.len() {
            if let Ok(next) = self.report.experiments[index].state.on(Event::Abort) {
                self.go_to(index, next, at);
            }
        }
    }

    fn go_to(&mut self, index: usize, next: State, at: At) {
        let entry = &mut self.report.experiments[index];
        if entry.state != next {
            self.metrics.set_state(&entry.experiment, next);
            entry.set_state(next, at);
        }
    }

    pub(super) fn refuse(
        &mut self,
        experiment: &str,
        refusal: &Refusal,
        at: Moment,
    ) -> Result<(), BookError> {
        self.apply(experiment, Event::Refuse, at)?;
        self.entry(experiment)?.refuse(refusal);
        Ok(())
    }

    /// The injection of `plan` began at `start`.
    pub(super) fn injecting(&mut self, plan: &Plan, start: Moment) -> Result<(), BookError> {
        let name = plan.experiment.as_str();
        self.apply(name, Event::Inject, start)?;
        self.metrics.set_injected(name, self.clock.unix_seconds(start));
        if let Some(due) = plan.revert_due(start) {
            self.due_by(name, due);
        }
        let at = At::new(&self.clock, start);
        let entry = self.entry(name)?;
        entry.plan(plan);
        entry.injected = Some(at);
        Ok(())
    }

    /// The fault has to be put back at `due`, if not before. Of an experiment that is not in the trial, as of a run that
    /// was taken up with another one, nothing is told.
    pub(super) fn due_by(&self, experiment: &str, due: Moment) {
        if self.index(experiment).is_ok() {
            self.metrics.revert_due_by(experiment, self.clock.unix_seconds(due));
        }
    }

    pub(super) fn injection_ended(&mut self, experiment: &str, end: Moment) -> Result<(), BookError> {
        let at = At::new(&self.clock, end);
        self.entry(experiment)?.injection_ended = Some(at);
        Ok(())
    }

    pub(super) fn bit(&mut self, experiment: &str, at: Moment) -> Result<(), BookError> {
        let at = At::new(&self.clock, at);
        self.entry(experiment)?.bit = Some(at);
        Ok(())
    }

    pub(super) fn step(&mut self, experiment: &str, step: Step, outcome: &Outcome) -> Result<(), BookError> {
        let clock = self.clock;
        self.entry(experiment)?.step(&clock, step, outcome);
        Ok(())
    }

    /// A fault of this run was put back.
    pub(super) fn reverted(&mut self, experiment: &str, reverted: &Reverted) -> Result<(), BookError> {
        let clock = self.clock;
        let entry = self.entry(experiment)?;
        entry.reverted = Some(At::new(&clock, reverted.start));
        entry.revert_ended = Some(At::new(&clock, reverted.end));
        for outcome in &reverted.outcomes {
            entry.step(&clock, Step::Revert, outcome);
        }
        self.metrics.set_reverted(experiment, clock.unix_seconds(reverted.start));
        Ok(())
    }

    /// A fault that the journal called unfinished was put back; it may be of another run.
    pub(super) fn put_back(&mut self, run: &str, put_back: &PutBack) -> Result<(), BookError> {
        if put_back.run != run {
            self.report.put_back_at_start.push(format!("{} of run {}", put_back.experiment, put_back.run));
            return Ok(());
        }
        match &put_back.reverted {
            Some(reverted) => self.reverted(&put_back.experiment, reverted),
            None => Ok(()),
        }
    }

    /// Takes up what an earlier process of this run had begun; its report shows none of `secrets`.
    pub(super) fn restore(&mut self, record: &Record, secrets: &Secrets) -> Result<(), BookError> {
        let Some(started) = record.began_unix_ms() else { return Ok(()) };
        let name = record.intent.experiment.as_str();
        let at = At::from_unix_ms(&self.clock, started);
        self.apply_at(name, Event::Inject, at)?;
        self.metrics.set_injected(name, at.unix_seconds);
        let entry = self.entry(name)?;
        entry.targets = shown(&record.intent.targets, secrets);
        entry.injected = Some(at);
        Ok(())
    }

    fn entry(&mut self, experiment: &str) -> Result<&mut ExperimentReport, BookError> {
        let index = self.index(experiment)?;
        Ok(&mut self.report.experiments[index])
    }

    fn index(&self, experiment: &str) -> Result<usize, BookError> {
        let found = self.report.experiments.iter().position(|entry| entry.experiment == experiment);
        found.ok_or_else(|| BookError::Unknown(experiment.to_owned()))
    }
}
