//! The parts of the driver's steps.

use std::time::Duration;

use super::{Driver, FaultError};
use crate::chaos::book::BookError;
use crate::chaos::experiment::Event;
use crate::chaos::faults::{Outcome, Scene};
use crate::chaos::guard::Refusal;
use crate::chaos::journal::{Intent, JournalError, Record, Step};
use crate::chaos::plan::Plan;
use crate::chaos::putback::{self, PutBackError, Reverted};
use crate::errors::chain;

impl Driver {
    pub(super) async fn intend(&self, plan: &Plan) -> Result<Intent, JournalError> {
        let at_unix_ms = putback::unix_ms(&self.clock, self.clock.now());
        let intent = Intent {
            id: 0,
            run: self.run.clone(),
            experiment: plan.experiment.to_string(),
            token: self.token.clone(),
            kind: plan.fault,
            targets: plan.targets.clone(),
            undo: plan.action.undo(),
            directory: self.directory.clone(),
            at_unix_ms,
        };
        let id = self.journal.intend({
            let intent = intent.clone();
            move |id| Intent { id, ..intent }
        });
        Ok(Intent { id: id.await?, ..intent })
    }

    /// One look whether the fault took effect.
    pub(super) async fn look(&self, plan: &Plan, limit: Duration) -> Result<Outcome, String> {
        let record = self.open_record(plan.experiment.as_str()).ok_or("it is not in the journal")?;
        let Self { journal, clock, secrets, .. } = self;
        let scene = Scene { journal, intent: &record.intent, clock, secrets };
        plan.action.look(scene, limit).await
    }

    /// The unfinished record of this run's `experiment`.
    pub(super) fn open_record(&self, experiment: &str) -> Option<Record> {
        let ours = |intent: &Intent| intent.run == self.run && intent.experiment == experiment;
        self.journal.unfinished().into_iter().find(|record| ours(&record.intent))
    }

    /// Putting back what this run did begins now, if there is anything to put back.
    pub(super) fn due_now(&self, intent: &Intent) {
        if intent.run == self.run && intent.undo.is_some() {
            self.book.due_by(&intent.experiment, self.clock.now());
        }
    }

    pub(super) async fn put_back(&mut self, plan: &Plan) -> Result<Option<Reverted>, PutBackError> {
        let name = plan.experiment.as_str();
        let Some(record) = self.open_record(name) else { return Ok(None) };
        self.due_now(&record.intent);
        let Self { journal, clock, secrets, known, .. } = &*self;
        let put_back = putback::put_back(journal, &record, clock, self.retry, secrets, known).await?;
        if let Err(error) = self.book.put_back(&self.run, &put_back) {
            tracing::warn!(experiment = name, error = chain(&error), "report a fault that was put back");
        }
        Ok(put_back.reverted)
    }

    /// The fault failed or had no effect: it is put back, and the experiment is over.
    pub(super) async fn fizzle(&mut self, plan: &Plan, reason: String) -> FaultError {
        let experiment = plan.experiment.to_string();
        let put_back = self.put_back(plan).await;
        if let Err(source) = self.book.apply(&experiment, Event::Fizzle, self.clock.now()) {
            return FaultError::Book { experiment, source };
        }
        match put_back {
            Ok(_) => FaultError::Ineffective { experiment, reason },
            Err(source) => FaultError::NotPutBack { experiment, reason, source: Box::new(source) },
        }
    }

    /// Nothing was done: the intent is closed and the experiment refused.
    pub(super) async fn not_begun(&mut self, experiment: &str, id: u64, refusal: Refusal) -> FaultError {
        if let Err(error) = self.journal.close(id, self.retry.away).await {
            tracing::warn!(experiment, error = chain(&error), "note that nothing was done");
        }
        self.refuse(experiment, refusal)
    }

    /// Refuses `experiment`, and notes that.
    pub fn refuse(&mut self, experiment: &str, refusal: Refusal) -> FaultError {
        match self.book.refuse(experiment, &refusal, self.clock.now()) {
            Ok(()) => FaultError::Refused { experiment: experiment.to_owned(), refusal },
            Err(source) => FaultError::Book { experiment: experiment.to_owned(), source },
        }
    }

    /// Notes what became of a step; the inner error tells why it did not succeed.
    pub(super) fn note(
        &mut self,
        experiment: &str,
        step: Step,
        outcome: Result<Outcome, String>,
    ) -> Result<Result<Outcome, String>, FaultError> {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(reason) => return Ok(Err(reason)),
        };
        self.book.step(experiment, step, &outcome).map_err(book(experiment))?;
        let failure = outcome.failure().map(str::to_owned);
        Ok(failure.map_or(Ok(outcome), Err))
    }
}

pub(super) fn book(experiment: &str) -> impl Fn(BookError) -> FaultError {
    let experiment = experiment.to_owned();
    move |source| FaultError::Book { experiment: experiment.clone(), source }
}
