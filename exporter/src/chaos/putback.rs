//! Puts back what the journal says is unfinished: at start-up, on abort, and by `load-exporter recover`.
//!
//! Everything needed stands in the journal; the trial file may be gone or changed. A revert is idempotent,
//! so it is run again wherever it is not known to have been done, and tried several times.
//!
//! What only the copy in a cluster tells of is put back by that cluster's means alone (`vet`), and by commands only
//! where somebody vouches for them ([`Known`]).

mod known;
mod tries;
mod vet;

use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

pub use self::known::Known;
use self::tries::Tries;
pub use self::vet::Distrust;
use self::vet::vet;
use super::faults::{EndError, Ending, Outcome, Scene, Undo, end_interrupted, end_left};
use super::journal::{Journal, JournalError, Record};
use super::step;
use crate::clock::{Clock, Moment};
use crate::cluster::Target;
use crate::count::count;
use crate::errors::chain;
use crate::trial::Secrets;

/// A change that an API server has not made so long after nobody waits for it any more, it makes no more.
const LATE: Duration = Duration::from_secs(10);

/// How often a revert is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// It is given up after so many tries that failed; one at least is made.
    pub attempts: u32,
    /// The pause between two of them.
    pub pause: Duration,
    /// As long as nobody decides upon it, as an API server that is away or that has just come back and knows nobody yet,
    /// it is tried again until so much time is over, however often that is.
    pub away: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 3, pause: Duration::from_secs(1), away: Duration::from_mins(2) }
    }
}

/// A fault was put back.
#[derive(Debug, Clone)]
pub struct Reverted {
    /// When the first attempt began to act: from here on it may have been put back.
    pub start: Moment,
    /// When the last attempt acted no more: from here on it is put back.
    pub end: Moment,
    /// What became of each attempt; the last one succeeded.
    pub outcomes: Vec<Outcome>,
}

impl Reverted {
    /// This, and `again` after it.
    fn then(mut self, again: Self) -> Self {
        self.outcomes.extend(again.outcomes);
        Self { end: again.end, ..self }
    }
}

/// What became of one unfinished experiment.
#[derive(Debug, Clone)]
pub struct PutBack {
    /// The run's id.
    pub run: String,
    /// The experiment's name.
    pub experiment: String,
    /// What was broken.
    pub targets: Vec<Target>,
    /// How it was put back; `None`: there was nothing to put back.
    pub reverted: Option<Reverted>,
}

/// A fault that could not be put back. It stays unfinished in the journal.
#[derive(Debug, Error)]
pub enum PutBackError {
    /// Its revert did not succeed.
    #[error("put back {experiment} by `{revert}`, which failed {attempts} times, the last time: {last}")]
    Failed {
        /// The experiment's name.
        experiment: String,
        /// What was tried.
        revert: String,
        /// How often it was tried.
        attempts: u32,
        /// How the last attempt ended.
        last: String,
    },
    /// A person has to decide whether it is to be.
    #[error("{experiment} is not put back: {reason}")]
    ForAPerson {
        /// The experiment's name.
        experiment: String,
        /// Why, and what decides it.
        reason: String,
    },
    /// It was put back, but a step of the experiment may still be breaking things.
    #[error("end the interrupted steps of {experiment}")]
    Leftover {
        /// The experiment's name.
        experiment: String,
        /// The cause.
        #[source]
        source: EndError,
    },
    /// Only the copy of the journal in a cluster tells of it, which others may have written.
    #[error("{experiment} of run {run} is left as it is")]
    Distrusted {
        /// The experiment's name.
        experiment: String,
        /// The run's id.
        run: String,
        /// The cause.
        #[source]
        source: Distrust,
    },
    /// It may be put back, but that could not be written down.
    #[error("note that {experiment} was put back")]
    Journal {
        /// The experiment's name.
        experiment: String,
        /// The cause.
        #[source]
        source: JournalError,
    },
}

/// Why a journal could not be replayed as a whole.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// It cannot be read.
    #[error("open the journal in {directory}")]
    Open {
        /// The run's directory.
        directory: PathBuf,
        /// The cause.
        #[source]
        source: JournalError,
    },
    /// Some faults could not be put back, or cannot be known; all others were.
    #[error("not everything in {journal} is put back: {}", lines(journal, failures, unreadable).join("; "))]
    NotAll {
        /// The journal.
        journal: PathBuf,
        /// What was put back.
        done: Vec<PutBack>,
        /// What was not.
        failures: Vec<PutBackError>,
        /// What the journal may have told of besides.
        unreadable: Unreadable,
    },
}

/// What cannot be read of a journal.
#[derive(Debug, Default)]
pub struct Unreadable {
    /// Line by line, what is wrong.
    pub damage: Vec<(usize, String)>,
    /// Numbers of experiments that may have left something broken, of which no more is known.
    pub unknown: Vec<u64>,
}

impl Unreadable {
    fn of(journal: &Journal) -> Self {
        let damage = journal.damage().iter().map(|damage| (damage.line, damage.to_string()));
        Self { damage: damage.collect(), unknown: journal.unknown() }
    }
}

impl ReplayError {
    /// Whether all that is not put back is left for a person to decide upon: asked again it would be the same.
    pub fn is_for_a_person(&self) -> bool {
        let left = |failure: &PutBackError| {
            matches!(failure, PutBackError::Distrusted { .. } | PutBackError::ForAPerson { .. })
        };
        match self {
            Self::Open { .. } => false,
            Self::NotAll { failures, unreadable, .. } => {
                unreadable.damage.is_empty() && failures.iter().all(left)
            }
        }
    }

    /// What is not put back, and the way out, each in a line; none where the journal could not be opened.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Open { .. } => Vec::new(),
            Self::NotAll { journal, failures, unreadable, .. } => lines(journal, failures, unreadable),
        }
    }
}

/// So many damaged lines are told one by one. The others add nothing: the journal keeps all of them.
const TOLD: usize = 3;

fn lines(journal: &Path, failures: &[PutBackError], unreadable: &Unreadable) -> Vec<String> {
    let path = journal.display();
    let Unreadable { damage, unknown } = unreadable;
    let mut lines: Vec<String> = failures.iter().map(|failure| chain(failure)).collect();
    lines.extend(damage.iter().take(TOLD).map(|(line, wrong)| format!("{path}:{line}: {wrong}")));
    if let more @ 1.. = damage.len().saturating_sub(TOLD) {
        lines.push(format!("… and {}", count(more, "more damaged line")));
    }
    let unknown = unknown.iter().map(|id| {
        format!("experiment number {id} may have left something broken: what it was stood in a damaged line")
    });
    lines.extend(unknown);
    if !damage.is_empty() {
        lines.push(format!(
            "put back by hand what the damaged lines may have told of; once all is whole, set the journal aside: \
             mv {path} {path}.damaged"
        ));
    }
    lines
}

/// Puts back all that the journal in `directory` says is unfinished, the latest first.
pub async fn recover(directory: &Path, clock: &Clock, retry: Retry) -> Result<Vec<PutBack>, ReplayError> {
    let error = |source| ReplayError::Open { directory: directory.to_owned(), source };
    match Journal::open_existing(directory).await.map_err(error)? {
        // The trial is not at hand, so neither are its secrets, nor does it vouch for anything.
        Some(journal) => {
            let journal = with_copy(journal).await;
            replay(&journal, clock, retry, &Secrets::default(), &Known::Nothing).await
        }
        None => Ok(Vec::new()),
    }
}

/// What is put back by the folder must not be put back once more by the copy in the cluster, for then it may be
/// somebody else's doing. Without the copy all is put back just the same.
async fn with_copy(journal: Journal) -> Journal {
    let place = journal.unfinished().into_iter().find_map(|record| record.intent.undo?.place().cloned());
    let Some(place) = place else { return journal };
    match place.reach_in_time().await {
        Some(cluster) => journal.copied_to(cluster).await,
        None => journal,
    }
}

/// Puts back all that is unfinished in `journal`, the latest first. A failure does not hold up the others, nor
/// does a line that cannot be read; that is told as an error afterwards.
pub async fn replay(
    journal: &Journal,
    clock: &Clock,
    retry: Retry,
    secrets: &Secrets,
    known: &Known,
) -> Result<Vec<PutBack>, ReplayError> {
    let (mut done, mut failures) = (Vec::new(), Vec::new());
    for record in journal.unfinished() {
        match put_back(journal, &record, clock, retry, secrets, known).await {
            Ok(put_back) => done.push(put_back),
            Err(failure) => failures.push(failure),
        }
    }
    let unreadable = Unreadable::of(journal);
    if failures.is_empty() && unreadable.damage.is_empty() {
        return Ok(done);
    }
    Err(ReplayError::NotAll { journal: journal.path().to_owned(), done, failures, unreadable })
}

/// Puts one experiment back and closes it.
pub async fn put_back(
    journal: &Journal,
    record: &Record,
    clock: &Clock,
    retry: Retry,
    secrets: &Secrets,
    known: &Known,
) -> Result<PutBack, PutBackError> {
    let intent = &record.intent;
    let experiment = || intent.experiment.clone();
    vet(record, known).map_err(|source| PutBackError::Distrusted {
        experiment: experiment(),
        run: intent.run.clone(),
        source,
    })?;
    let mut ended = end_interrupted(record).await;
    if !record.injected {
        // Given up in the middle: whatever it left would go on breaking what is being put back.
        ended = ended.and(end_left(intent).await.map(drop));
    }
    let reverted = match &intent.undo {
        None => None,
        Some(undo) => {
            let scene = Scene { journal, intent, clock, secrets };
            let reverted = revert(scene, undo, retry).await;
            // What an injection left running on purpose is the revert's to end; whatever it did not end is
            // ended now, and what that may have broken meanwhile is put back again.
            let reverted = match end_left(intent).await {
                Ok(false) => reverted?,
                Ok(true) => {
                    let again = revert(scene, undo, retry).await?;
                    reverted.map_or(again.clone(), |first| first.then(again))
                }
                Err(error) => {
                    ended = ended.and(Err(error));
                    reverted?
                }
            };
            if record.injected || !undo.may_be_overtaken() {
                Some(reverted)
            } else {
                tokio::time::sleep(LATE).await;
                Some(reverted.then(revert(scene, undo, retry).await?))
            }
        }
    };
    // What could not be ended may break things again: put back for now, but not for good.
    ended.map_err(|source| PutBackError::Leftover { experiment: experiment(), source })?;
    let closed = journal.close(intent.id, retry.away).await;
    closed.map_err(|source| PutBackError::Journal { experiment: experiment(), source })?;
    Ok(PutBack {
        run: intent.run.clone(),
        experiment: experiment(),
        targets: intent.targets.clone(),
        reverted,
    })
}

async fn revert(scene: Scene<'_>, undo: &Undo, retry: Retry) -> Result<Reverted, PutBackError> {
    let experiment = &scene.intent.experiment;
    let mut outcomes: Vec<Outcome> = Vec::new();
    let begun = scene.clock.now();
    let mut tries = Tries::default();
    loop {
        step!("reverting");
        let attempted = undo.attempt(scene).await;
        step!("reverted");
        let (ending, last) = match attempted {
            Ok(outcome) => {
                let (end, ending) = (outcome.end, outcome.ending.clone());
                outcomes.push(outcome);
                match ending.failure().map(str::to_owned) {
                    None => return Ok(Reverted { start: outcomes[0].start, end, outcomes }),
                    Some(reason) => (Some(ending), reason),
                }
            }
            Err(error) => (None, chain(&*error)),
        };
        let again = tries.again(ending.as_ref(), retry, scene.clock.now().since(begun));
        let attempts = tries.made;
        if !again {
            let (experiment, revert) = (experiment.clone(), undo.to_string());
            return Err(match ending {
                Some(Ending::ForAPerson(reason)) => PutBackError::ForAPerson { experiment, reason },
                _ => PutBackError::Failed { experiment, revert, attempts, last },
            });
        }
        tracing::warn!(experiment, attempts, outcome = last, "revert failed, trying again");
        tokio::time::sleep(retry.pause).await;
    }
}

/// `moment` in milliseconds of Unix time.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "Unix time in ms fits in u64")]
pub(super) fn unix_ms(clock: &Clock, moment: Moment) -> u64 {
    (clock.unix_seconds(moment) * 1e3).round() as u64
}

#[cfg(test)]
mod tests;
