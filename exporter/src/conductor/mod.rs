//! The conductor: leads a run through its phases. The only room that knows load, health, ledger and chaos.
//!
//! preflight → ramp → steady → experiments → cooldown → audit → finished. An interruption at any moment puts
//! back what is broken first, then audits, and the run ends as aborted.

mod board;
mod calm;
mod course;
mod experiment;
mod fitness;
mod glance;
mod identity;
mod limit;
mod metrics;
mod phase;
mod preflight;
mod reach;
mod report;
mod stranger;
mod targets;
mod watchdog;

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use board::{Board, Shown};
pub use experiment::ExperimentError;
pub use glance::Glance;
pub use identity::{Role, identify};
pub use metrics::Metrics;
pub use phase::Phase;
pub use preflight::PreflightError;
pub use report::Findings;
pub use targets::primary_for;

use crate::chaos::driver::Driver;
use crate::chaos::record::{At, ExperimentReport};
use crate::clock::Clock;
use crate::cluster::seen::{Bounded, Intervention};
use crate::cluster::{self, Cluster};
use crate::health::Health;
use crate::ledger::{LedgerError, Ledgers};
use crate::load::{self, LoadError, LoadFile};
use crate::progress::Progress;
use crate::rundir::RunDir;
use crate::trial::{ComponentKind, Trial};
use crate::web::Scrapers;

/// How long `members` may take to be healthy before the last audit.
const MEMBERS_LIMIT: Duration = Duration::from_mins(2);

/// How long it may take to know why pods went that went last: a controller's word may be late, and is then waited for
/// to be heard and shown.
const WITNESS_LIMIT: Duration = Duration::from_secs(15);

/// What the user may set for a run, beside the trial.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whether the ramp waits for a scrape of the system in order.
    pub wait_for_scrape: bool,
}

/// What a run has come to.
#[derive(Debug)]
pub struct End {
    /// How it ended.
    pub ended: Ended,
    /// What became of its experiments, in the trial's order.
    pub experiments: Vec<ExperimentReport>,
    /// What others changed meanwhile, as far as that was seen.
    pub interventions: Bounded<Intervention>,
    /// The command that puts back what the run left broken, if it did.
    pub recover: String,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// It went through all its phases.
    Finished {
        /// Whether its results are on disk.
        written: bool,
    },
    /// It was interrupted, or could not go on.
    Aborted {
        /// Why.
        stopped: Stopped,
        /// Whether all that it broke is put back.
        put_back: bool,
    },
}

/// Why a run ended early.
#[derive(Debug, Error)]
pub enum Stopped {
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
    /// The lease is not ours any more: somebody else may break something there.
    #[error(
        "the lease by which one at a time breaks something in the namespace is lost: the API server was away for too \
         long, or somebody else has taken it"
    )]
    LeaseLost,
    /// An earlier process of this run ended before its time; all that was left was to bring it to its end.
    #[error("an earlier process of this run ended before its time")]
    Resumed,
    /// It could not begin.
    #[error("preflight")]
    Preflight(#[from] PreflightError),
    /// The load could not be started.
    #[error("start the load")]
    Load(#[from] LoadError),
    /// What was written can no longer be noted, so nothing that follows could be proven.
    #[error("keep the record of what was written")]
    Ledger(#[from] LedgerError),
    /// The trial's abort limit.
    #[error("{failed} of {ended} requests failed within {} s, which the trial's `abort_when` does not allow", window.as_secs())]
    Errors {
        /// Requests that ended in the limit's time.
        ended: u64,
        /// Those that failed.
        failed: u64,
        /// That time.
        window: Duration,
    },
    /// An experiment went wrong in a way that ends the run.
    #[error("carry out the experiments")]
    Experiment(#[from] ExperimentError),
}

/// The command that puts back what a run of `trial` left broken: on Kubernetes from any machine.
fn recover(trial: &Trial) -> String {
    let namespace = trial.kubernetes().map(|place| format!(" --namespace {}", place.namespace));
    format!("load-exporter recover{}", namespace.unwrap_or_default())
}

/// Leads one run.
pub struct Conductor {
    /// What to do.
    pub trial: Arc<Trial>,
    /// The run's clock.
    pub clock: Clock,
    /// What the user set.
    pub options: Options,
    /// Where results go.
    pub dir: RunDir,
    /// Carries out faults.
    pub driver: Driver,
    /// Follows components.
    pub health: Health,
    /// Keeps the ledgers.
    pub ledgers: Ledgers,
    /// What it found out about the experiments so far.
    pub findings: Findings,
    /// What runs, and whom to ask about it.
    pub cluster: Cluster,
    /// Who has scraped so far.
    pub scrapers: watch::Receiver<Scrapers>,
    /// Tells a person what is worth knowing.
    pub progress: Progress,
    /// Says where the run stands.
    pub board: Board,
    /// The load once it has been started.
    pub running: watch::Sender<Option<Arc<load::Running>>>,
    /// Cancelled when the run must end early.
    pub abort: CancellationToken,
    /// Cancelled when somebody else may begin to break what this run breaks.
    pub lost: CancellationToken,
}

impl Conductor {
    /// Leads the run to its end, whatever happens on the way.
    pub async fn lead(mut self, load: load::Prepared) -> End {
        let (abort, lost) = (self.abort.clone(), self.lost.clone());
        let watchdog = self.watchdog();
        let came_to = tokio::select! {
            biased;
            () = abort.cancelled() => Err(Stopped::Interrupted),
            () = lost.cancelled() => Err(Stopped::LeaseLost),
            early = watchdog => Err(early),
            result = self.phases(load) => result,
        };
        let mut put_back = true;
        if let Err(early) = &came_to {
            tracing::warn!(reason = %early, "the run ends early");
            put_back = self.put_everything_back().await;
        }
        self.end_load().await;
        // A run that ended before its first write has nothing to audit.
        let kept =
            if self.driver.resumed() || self.running.borrow().is_some() { self.audit().await } else { true };
        self.witness_decides().await;
        let ending = if came_to.is_ok() { Phase::Finished } else { Phase::Aborted };
        let written = self.write_results(ending) && kept;
        self.board.end(ending);
        let ended = match came_to {
            Ok(()) => Ended::Finished { written },
            Err(stopped) => Ended::Aborted { stopped, put_back },
        };
        let interventions = self.seen().unwrap_or_default().interventions;
        let experiments = self.driver.report().experiments.clone();
        End { ended, experiments, interventions, recover: recover(&self.trial) }
    }

    async fn phases(&mut self, load: load::Prepared) -> Result<(), Stopped> {
        if self.driver.resumed() {
            return Err(Stopped::Resumed);
        }
        self.preflight(&load).await?;
        self.board.enter(Phase::Ramp);
        self.ledgers.start_writers();
        // Not bound to the abort: open requests are still drained then.
        let load = Arc::new(load.start(CancellationToken::new()).await?);
        self.running.send_replace(Some(Arc::clone(&load)));
        load.ramped().await;
        self.board.enter(Phase::Steady);
        self.ledgers.sync().await?;
        if !self.trial.experiments.is_empty() {
            tokio::time::sleep(self.trial.after).await;
            self.board.enter(Phase::Experiments);
            let trial = Arc::clone(&self.trial);
            for experiment in &trial.experiments {
                self.ledgers.sync().await?;
                self.experiment(experiment).await?;
            }
            self.ledgers.sync().await?;
        }
        load.stages_done().await;
        self.board.enter(Phase::Cooldown);
        self.end_load().await;
        if self.trial.status.is_some() {
            let limit = self.trial.cooldown;
            if tokio::time::timeout(limit, self.scaled_down()).await.is_err() {
                tracing::warn!(limit = ?limit, "an autoscaler is still above its minimum; going on");
            }
        }
        Ok(())
    }

    /// Reverts what is broken, before anything else is done for an end ahead of time; says whether all of it is.
    async fn put_everything_back(&mut self) -> bool {
        self.say_experiment(None);
        let aborted = self.driver.abort().await;
        // Outages that begin from here on are no experiment's.
        self.health.end_experiment(self.clock.now());
        match aborted {
            Ok(put_back) => {
                for fault in put_back {
                    tracing::info!(experiment = fault.experiment, "put back");
                }
                true
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                let again = recover(&self.trial);
                tracing::error!(error, "not everything is put back; `{again}` tries again");
                false
            }
        }
    }

    /// Waits until it is known of each pod that went why, as far as that may become known, and until that is shown.
    async fn witness_decides(&self) {
        let Some(chronicle) = self.cluster.chronicle.as_ref().filter(|it| it.is_undecided()) else { return };
        let mut feed = self.cluster.feed.clone();
        let shown = async {
            chronicle.decided().await;
            feed.mark_unchanged();
            feed.changed().await
        };
        if !matches!(tokio::time::timeout(WITNESS_LIMIT, shown).await, Ok(Ok(()))) {
            tracing::warn!(limit = ?WITNESS_LIMIT, "it is not known of all pods that went why");
        }
    }

    async fn end_load(&self) {
        let load = self.running.borrow().clone();
        if let Some(load) = load {
            load.finish().await;
        }
    }

    /// The last audit, once the members are up, so that an old primary that lost writes has rejoined. Says
    /// whether the ledgers are on disk.
    async fn audit(&mut self) -> bool {
        self.board.enter(Phase::Audit);
        let members: Vec<usize> = self.components(|kind| matches!(kind, ComponentKind::Members { .. }));
        if members.is_empty() && !self.trial.ledgers.is_empty() {
            tracing::warn!(
                "no `members` component: the last audit does not wait for an old primary to rejoin"
            );
        }
        let up = async {
            while !members.iter().all(|index| self.health.up(*index)) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        if tokio::time::timeout(MEMBERS_LIMIT, up).await.is_err() {
            tracing::warn!(limit = ?MEMBERS_LIMIT, "members are still not up; auditing all the same");
        }
        let audits = self.ledgers.final_audit().await;
        self.findings.audits.extend(audits);
        let kept = self.ledgers.sync().await;
        if let Err(error) = &kept {
            let error: &dyn std::error::Error = error;
            tracing::error!(error, "the ledger is not safe on disk");
        }
        kept.is_ok()
    }

    /// Leaves the mark that the run ended in phase `last` behind its results, whatever became of those: nothing
    /// more can come of a later start. Says whether all is on disk.
    fn write_results(&self, last: Phase) -> bool {
        let mut all = true;
        let run = self.driver.report().run.as_str();
        let load = self.running.borrow().as_ref().map(|load| load.report());
        let hide =
            |text: &str| String::from_utf8_lossy(&self.trial.secrets.hide(text.as_bytes())).into_owned();
        let seen = self.seen().map(|seen| report::seen::report(seen, |at| At::new(&self.clock, at), hide));
        let written = [
            load.map(|load| self.dir.write_json("load.json", &LoadFile { run, load: &load })),
            Some(self.dir.write_json("chaos.json", &self.findings.report(self.driver.report(), seen))),
            Some(self.dir.end(last.as_str())),
        ];
        for result in written.into_iter().flatten() {
            match result {
                Ok(path) => tracing::info!(path = %path.display(), "results written"),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "results are not written");
                    all = false;
                }
            }
        }
        all
    }

    fn document(&self) -> Option<Arc<cluster::Document>> {
        let status = self.cluster.feed.borrow();
        status.as_ref().and_then(|status| status.document.as_ref().ok().map(Arc::clone))
    }

    /// What was seen of the cluster beside what runs.
    fn seen(&self) -> Option<cluster::seen::Seen> {
        self.cluster.chronicle.as_ref().map(cluster::Chronicle::seen)
    }

    /// From now on `experiment` is on, for whoever looks and whoever watches; `None`: none is.
    fn say_experiment(&self, experiment: Option<&str>) {
        self.board.experiment(experiment);
        if let Some(chronicle) = &self.cluster.chronicle {
            chronicle.during(experiment);
        }
    }

    /// The components that do not serve at this moment.
    fn not_up(&self) -> Vec<String> {
        self.health.all_up().into_iter().filter(|(_, up)| !up).map(|(name, _)| name.to_string()).collect()
    }

    fn components(&self, wanted: impl Fn(&ComponentKind) -> bool) -> Vec<usize> {
        let components = self.trial.components.iter().enumerate();
        components.filter(|(_, component)| wanted(&component.kind)).map(|(index, _)| index).collect()
    }
}
