//! Carries out experiments, one at a time, each step under the journal.
//!
//! For every experiment: [`Driver::check`], [`Driver::prepare`], [`Driver::survey`], `check` again (looking at the
//! targets took its time), [`Driver::inject`] on that word, [`Driver::bit`], hold, [`Driver::revert`], then wait for
//! recovery and say so by [`Driver::apply`]. Every future may be dropped at any moment: the command that runs is killed, and what
//! must be put back stays in the journal until [`Driver::abort`], the next start or `load-exporter recover`
//! does it.

mod error;
mod steps;

use std::path::PathBuf;
use std::time::Duration;

pub use self::error::{FaultError, OpenError, RevertError};
use self::steps::book;
use super::book::{Book, BookError};
use super::experiment::{Event, State};
use super::faults::{Ending, InjectError, Means, Scene};
use super::guard::{Permit, Refusal, Situation, may_start};
use super::journal::{Durability, Entry, Journal, Step};
use super::metrics::Metrics;
use super::plan::Plan;
use super::putback::{self, Known, PutBack, ReplayError, Retry, Reverted};
use super::record::ChaosReport;
use super::resolve::resolve;
use crate::clock::{Clock, Moment};
use crate::cluster::kubernetes::Kubernetes;
use crate::errors::chain;
use crate::trial::{Experiment, Name, Secrets, Store};

/// The pause between two looks whether the fault took effect.
const BIT_PAUSE: Duration = Duration::from_millis(100);

/// What a driver needs to know.
#[derive(Debug)]
pub struct Setup<'a> {
    /// The run's clock.
    pub clock: Clock,
    /// The journal, opened by [`Journal::open`] before anything of the run was touched.
    pub journal: Journal,
    /// The run's id.
    pub run: &'a str,
    /// Shows that a command is part of the run.
    pub token: &'a str,
    /// The trial's experiments.
    pub experiments: &'a [Experiment],
    /// Names of the trial's components, in its order.
    pub components: Vec<Name>,
    /// The trial's stores: not so many of their servers are hit at once that no majority is left.
    pub stores: Vec<Store>,
    /// What nothing that is told may show.
    pub secrets: Secrets,
    /// The cluster that the service runs on, if it is one of Kubernetes.
    pub cluster: Option<Kubernetes>,
    /// Where the driver tells what it does.
    pub metrics: Metrics,
    /// How often a revert is tried.
    pub retry: Retry,
}

/// Carries out experiments.
#[derive(Debug)]
pub struct Driver {
    clock: Clock,
    run: String,
    token: String,
    directory: PathBuf,
    components: Vec<Name>,
    stores: Vec<Store>,
    secrets: Secrets,
    cluster: Option<Kubernetes>,
    retry: Retry,
    known: Known,
    journal: Journal,
    book: Book,
    resumed: bool,
}

/// A fault was injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injected {
    /// When it began to act.
    pub start: Moment,
    /// When it acted no more.
    pub end: Moment,
}

/// Whether the fault took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bit {
    /// Its check said so, at this moment.
    Seen(Moment),
    /// It has no check: only failed probes can tell.
    Unchecked,
}

impl Driver {
    /// Takes up what the journal tells. What it calls unfinished is put back by [`Driver::put_back_unfinished`], which a
    /// run does before anything else, also one that is refused before [`Driver::begin`].
    pub async fn open(setup: Setup<'_>) -> Result<Self, OpenError> {
        let error = |source| OpenError::Journal { run: setup.run.to_owned(), source };
        let directory = std::env::current_dir().map_err(OpenError::Directory)?;
        let journal = setup.journal;
        let resumed = journal.opened_by().is_some_and(|(run, _)| run == setup.run);
        journal.begin_anew(setup.run).await.map_err(error)?;
        let mut book = Book::new(setup.clock, setup.run, setup.experiments, setup.metrics);
        for record in journal.of_run(setup.run) {
            if let Err(error) = book.restore(&record, &setup.secrets) {
                tracing::warn!(
                    experiment = record.intent.experiment,
                    error = chain(&error),
                    "take up an earlier experiment"
                );
            }
        }
        Ok(Self {
            clock: setup.clock,
            run: setup.run.to_owned(),
            token: setup.token.to_owned(),
            directory,
            components: setup.components,
            known: Known::of(setup.experiments, &setup.stores),
            stores: setup.stores,
            secrets: setup.secrets,
            cluster: setup.cluster,
            retry: setup.retry,
            journal,
            book,
            resumed,
        })
    }

    /// Notes in the journal that the run has begun, and who holds it, once all is put back: whoever comes next under the
    /// run's name only brings it to its end. One that does not come so far leaves no trace, and its name is free.
    pub async fn begin(&self) -> Result<(), OpenError> {
        let opened = Entry::Opened {
            run: self.run.clone(),
            pid: std::process::id(),
            at_unix_ms: putback::unix_ms(&self.clock, self.clock.now()),
        };
        let noted = self.journal.append(opened, Durability::Disk).await;
        noted.map_err(|source| OpenError::Journal { run: self.run.clone(), source })
    }

    /// Whether an earlier process began this same run: then the run is only brought to its end.
    pub fn resumed(&self) -> bool {
        self.resumed
    }

    /// Names of the experiments that are still to be put back, the latest first.
    pub fn unfinished(&self) -> Vec<String> {
        self.journal.unfinished().into_iter().map(|record| record.intent.experiment).collect()
    }

    /// Where every experiment stands, in the trial's order.
    pub fn states(&self) -> impl Iterator<Item = (&str, State)> {
        self.book.states()
    }

    /// What has happened so far.
    pub fn report(&self) -> &ChaosReport {
        self.book.report()
    }

    /// The room's metrics.
    pub fn metrics(&self) -> &Metrics {
        self.book.metrics()
    }

    /// Asks the guard whether `experiment` may begin while `components` serve or not, and notes its no.
    pub fn check(
        &mut self,
        experiment: &Name,
        components: &[(Name, bool)],
    ) -> Result<Result<Permit, Refusal>, BookError> {
        let name = experiment.as_str();
        self.book.would(name, Event::Inject)?;
        // No later one can have begun: this one would have been in its way.
        let previous: Vec<_> = self.book.states().take_while(|(other, _)| *other != name).collect();
        let unfinished = self.unfinished();
        let situation = Situation { components, previous: &previous, unfinished: &unfinished };
        let now = self.clock.now();
        let word = may_start(experiment, &situation, now);
        if let Err(refusal) = &word {
            self.book.refuse(name, refusal, now)?;
        }
        Ok(word)
    }

    /// Finds the targets of `experiment`, whose store, if it hits a store's primary, has this one at the moment.
    /// Without any it is refused, and that is noted.
    pub async fn prepare(
        &mut self,
        experiment: &Experiment,
        primary: Option<&Name>,
    ) -> Result<Plan, FaultError> {
        let Self { clock, secrets, stores, cluster, .. } = self;
        let means = Means { clock, secrets, stores, cluster: cluster.as_ref(), primary, look_only: false };
        match resolve(experiment, &self.components, means).await {
            Ok(plan) => Ok(plan),
            Err(refusal) => Err(self.refuse(experiment.name.as_str(), refusal)),
        }
    }

    /// Looks whether the targets of `plan` may be hit still. Otherwise it is refused, and that is noted.
    pub async fn survey(&mut self, plan: &Plan) -> Result<(), FaultError> {
        let name = plan.experiment.as_str();
        let allowed = plan.action.still_allowed(&plan.targets).await;
        allowed.map_err(|refusal| self.refuse(name, refusal))
    }

    /// Injects the fault, on the guard's word; says from when on it `begins`, as nothing keeps it from that any more.
    /// When it fails, whatever it did is put back before the error is returned.
    pub async fn inject(
        &mut self,
        plan: &Plan,
        permit: Permit,
        begins: &mut (dyn FnMut(Moment) + Send),
    ) -> Result<Injected, FaultError> {
        let name = plan.experiment.as_str();
        self.book.would(name, Event::Inject).map_err(book(name))?;
        let intent = match self.intend(plan).await {
            Ok(intent) => intent,
            Err(error) => return Err(self.refuse(name, Refusal::NotBegun { reason: chain(&error) })),
        };
        // Noting it took its time.
        if let Err(refusal) = permit.take(&plan.experiment, self.clock.now()) {
            return Err(self.not_begun(name, intent.id, refusal).await);
        }
        let mut begun = Ok(());
        let Self { journal, clock, secrets, book: kept, .. } = self;
        let scene = Scene { journal, intent: &intent, clock, secrets };
        let mut at_start = |start| {
            begins(start);
            begun = kept.injecting(plan, start);
        };
        let result = plan.action.inject(scene, &mut at_start).await;
        begun.map_err(book(name))?;
        let outcome = match result {
            Err(InjectError::NotBegun(reason)) => {
                return Err(self.not_begun(name, intent.id, Refusal::NotBegun { reason }).await);
            }
            Err(InjectError::Failed(reason)) => Err(reason),
            Ok(outcome) => Ok(outcome),
        };
        match self.note(name, Step::Inject, outcome)? {
            Ok(outcome) => {
                self.book.injection_ended(name, outcome.end).map_err(book(name))?;
                // Only tells more: without it the fault is put back just the same, and some longer waited for it.
                let durability = match &intent.undo {
                    Some(undo) if undo.may_be_overtaken() => Durability::Disk,
                    _ => Durability::Kernel,
                };
                if let Err(error) = self.journal.append(Entry::Injected { id: intent.id }, durability).await {
                    tracing::warn!(
                        experiment = name,
                        error = chain(&error),
                        "note that the fault is injected"
                    );
                }
                Ok(Injected { start: outcome.start, end: outcome.end })
            }
            Err(reason) => Err(self.fizzle(plan, reason).await),
        }
    }

    /// Looks, again and again until the fault's time limit, whether it took effect. If it did not, whatever
    /// it did is put back before the error is returned.
    pub async fn bit(&mut self, plan: &Plan) -> Result<Bit, FaultError> {
        let name = plan.experiment.as_str();
        if plan.action.check().is_none() {
            return Ok(Bit::Unchecked);
        }
        let timeout = plan.action.timeout();
        let limit = self.clock.now().later_by(timeout);
        let mut before = None;
        loop {
            let left = limit.since(self.clock.now());
            let looked = self.look(plan, left).await;
            let reason = match looked.as_ref().map(|outcome| (&outcome.ending, outcome)) {
                Ok((Ending::Done, outcome)) => {
                    self.book.step(name, Step::Bit, outcome).map_err(book(name))?;
                    self.book.bit(name, outcome.end).map_err(book(name))?;
                    return Ok(Bit::Seen(outcome.end));
                }
                // Cut short because the time is over: an earlier look knows more.
                Ok((Ending::OutOfTime(reason), _)) => before.unwrap_or_else(|| reason.clone()),
                Ok((ending, _)) => ending.failure().unwrap_or_default().to_owned(),
                Err(reason) => reason.clone(),
            };
            if limit.since(self.clock.now()) <= BIT_PAUSE {
                let limit = humantime::format_duration(timeout);
                let reason = format!("it was not seen to take effect within {limit}: {reason}");
                return Err(self.fizzle(plan, reason).await);
            }
            before = Some(reason);
            tokio::time::sleep(BIT_PAUSE).await;
        }
    }

    /// Puts the fault back; its components are awaited from here on. `None`: there was nothing to put back.
    pub async fn revert(&mut self, plan: &Plan) -> Result<Option<Reverted>, RevertError> {
        let experiment = || plan.experiment.to_string();
        let put_back = self.put_back(plan).await;
        let put_back =
            put_back.map_err(|source| RevertError::PutBack { experiment: experiment(), source })?;
        let wrong = |source| RevertError::Book { experiment: experiment(), source };
        self.book.apply(plan.experiment.as_str(), Event::Await, self.clock.now()).map_err(wrong)?;
        Ok(put_back)
    }

    /// Moves an experiment on: recovered, or its deadline passed.
    pub fn apply(&mut self, experiment: &Name, event: Event) -> Result<State, BookError> {
        self.book.apply(experiment.as_str(), event, self.clock.now())
    }

    /// Puts back all that the journal calls unfinished, the latest first, also faults of earlier runs.
    pub async fn put_back_unfinished(&mut self) -> Result<Vec<PutBack>, ReplayError> {
        self.journal.unfinished().iter().for_each(|record| self.due_now(&record.intent));
        let Self { journal, clock, secrets, known, .. } = &*self;
        let result = putback::replay(journal, clock, self.retry, secrets, known).await;
        let done = match &result {
            Ok(done) | Err(ReplayError::NotAll { done, .. }) => done.as_slice(),
            Err(ReplayError::Open { .. }) => &[],
        };
        for put_back in done {
            if let Err(error) = self.book.put_back(&self.run, put_back) {
                tracing::warn!(
                    experiment = put_back.experiment,
                    error = chain(&error),
                    "report a fault that was put back"
                );
            }
        }
        result
    }

    /// Ends all experiments: puts back first, then nothing more begins.
    pub async fn abort(&mut self) -> Result<Vec<PutBack>, ReplayError> {
        let result = self.put_back_unfinished().await;
        self.book.abort(self.clock.now());
        result
    }
}

#[cfg(test)]
mod tests;
