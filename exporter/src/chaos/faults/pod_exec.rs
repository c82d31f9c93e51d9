//! The fault `pod_exec`: commands that run in a container of a pod: one that breaks something, and where there are
//! such, one that shows that it is broken and one that puts it back.
//!
//! A command is a program of the container's image with its arguments; no shell and no other program is assumed
//! there. So a command cannot be ended from outside: closing its connection does not, and nobody knows its process.
//! What follows from that:
//!
//! - A command is to end by itself, well within its time limit.
//! - An injection whose end was not seen (time limit, abort, the exporter killed) may go on after the revert and break
//!   again what was mended. So the experiment stays unfinished in the journal until that container is gone, with which
//!   whatever ran in it ended; who puts it back is told to end the pod.
//! - A revert runs in the same pod, or, where that is gone, not at all: what was done in its containers is gone with
//!   them, and what the command did to anything that outlives the pod, as a volume or a database, is not put back.
//!
//! The pod's UID is confirmed before each command. The API server takes no UID with the command itself, so a pod that
//! is replaced by one of its name in the milliseconds between is not told apart.

mod channel;
mod container;
mod inside;

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use serde::{Deserialize, Serialize};

use self::channel::line;
use self::container::{Found, choose, obstacle};
use self::inside::{Inside, within};
use super::api::{self, Asked, Failure, Place};
use super::pods::{Candidate, draw, sought};
use super::{EndError, Ending, InjectError, Means, Outcome, Scene, Trace};
use crate::chaos::guard::{Obstacle, Refusal};
use crate::chaos::journal::{Durability, Entry, Step};
use crate::chaos::putback::unix_ms;
use crate::chaos::step;
use crate::clock::Moment;
use crate::cluster::Target;
use crate::errors::chain;
use crate::trial::{self, OnePod};

/// Commands in a pod that is found.
#[derive(Debug, Clone)]
pub struct PodExec {
    inside: Inside,
    place: Place,
    inject: Vec<String>,
    bit: Option<Vec<String>>,
    revert: Option<Vec<String>>,
    /// Time limit of each command.
    pub(super) timeout: Duration,
}

/// What puts it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repair {
    /// Where.
    pub place: Place,
    /// The pod's name.
    pub pod: String,
    /// Its UID.
    pub uid: String,
    /// The container in it.
    pub container: String,
    /// The command.
    pub command: Vec<String>,
    /// Time limit of an attempt, in milliseconds.
    pub timeout_ms: u64,
}

/// An injection that may be at work in a container until that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InContainer {
    /// Where.
    pub place: Place,
    /// The pod's name.
    pub pod: String,
    /// Its UID.
    pub uid: String,
    /// The container in it.
    pub container: String,
    /// What tells it from another one that is started in its place.
    pub container_id: String,
}

/// Finds the pod and the container, and whether anything speaks against breaking something in there.
pub(super) async fn resolve(
    fault: &trial::PodExec,
    means: Means<'_>,
) -> Result<(Vec<Target>, PodExec), Refusal> {
    let cluster = api::cluster(means)?;
    let asked = Asked { timeout: fault.timeout };
    let place = api::searched(means, &cluster, asked).await?;
    let pods = cluster.here::<Pod>();
    let name = match &fault.pod {
        OnePod::Primary(_) => api::primary(means)?.to_string(),
        OnePod::Named(name) => name.as_str().to_owned(),
        OnePod::Drawn { selector, seed } => {
            let which = ListParams::default().labels(selector.as_str());
            let found = asked.of("list the pods", pods.list(&which)).await?;
            let candidates = found.items.iter().filter_map(Candidate::of).collect();
            let sought = sought(selector.as_str(), &cluster);
            let drawn = draw(candidates, 1, *seed, &sought).map_err(Refusal::Obstacle)?;
            drawn.into_iter().next().map(|drawn| drawn.name).unwrap_or_default()
        }
    };
    let missing = || Refusal::Obstacle(Obstacle::NoPod { pod: name.clone() });
    let pod = asked.of("read a pod", pods.get_opt(&name)).await?.ok_or_else(missing)?;
    let uid = pod.metadata.uid.clone().ok_or_else(missing)?;
    let container = choose(&pod, fault.container.as_deref()).map_err(Refusal::Obstacle)?;
    let inside = Inside { cluster, pod: name.clone(), uid: uid.clone(), container };
    let exec = PodExec {
        inside,
        place,
        inject: fault.inject.to_vec(),
        bit: fault.bit.as_ref().map(|words| words.to_vec()),
        revert: fault.revert.as_ref().map(|words| words.to_vec()),
        timeout: fault.timeout,
    };
    exec.unhindered(Some(&pod))?;
    Ok((vec![Target::Pod { name, uid }], exec))
}

impl PodExec {
    /// What puts it back; `None`: there is nothing to put back.
    pub(super) fn undo(&self) -> Option<Repair> {
        let Inside { pod, uid, container, .. } = self.inside.clone();
        let timeout_ms = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        let place = self.place.clone();
        self.revert.clone().map(|command| Repair { place, pod, uid, container, command, timeout_ms })
    }

    pub(super) fn check(&self) -> Option<String> {
        self.bit.as_ref().map(|words| line(words))
    }

    /// Whether it is still allowed, the pod the same and its container running.
    pub(super) async fn survey(&self) -> Result<(), Refusal> {
        api::opted_in(&self.inside.cluster, Asked { timeout: self.timeout }).await?;
        let present = within(self.timeout, self.inside.present()).await;
        self.unhindered(present.map_err(|reason| Refusal::TargetUnknown { reason })?.as_ref())
    }

    fn unhindered(&self, pod: Option<&Pod>) -> Result<(), Refusal> {
        let Inside { pod: name, uid, container, .. } = &self.inside;
        obstacle(pod, name, uid, container).map_or(Ok(()), |obstacle| Err(Refusal::Obstacle(obstacle)))
    }

    pub(super) async fn inject(
        &self,
        scene: Scene<'_>,
        begun: &mut (dyn FnMut(Moment) + Send),
    ) -> Result<Outcome, InjectError> {
        let found = within(self.timeout, self.inside.find()).await;
        let container_id = found.and_then(|found| self.running(found)).map_err(InjectError::NotBegun)?;
        let Inside { pod, uid, container, .. } = self.inside.clone();
        let place = self.place.clone();
        let trace = Trace::Container(InContainer { place, pod, uid, container, container_id });
        let at_unix_ms = unix_ms(scene.clock, scene.clock.now());
        let started = Entry::Started { id: scene.intent.id, step: Step::Inject, trace, at_unix_ms };
        let noted = scene.journal.append(started, Durability::Disk).await;
        noted.map_err(|error| InjectError::NotBegun(chain(&error)))?;
        begun(scene.clock.now());
        step!("inject_started");
        let ran = self.inside.run(&self.inject, self.timeout, scene.clock).await;
        step!("inject_ended");
        if ran.exit.is_over() {
            let ended = Entry::Ended { id: scene.intent.id };
            if let Err(error) = scene.journal.append(ended, Durability::Disk).await {
                let experiment = &scene.intent.experiment;
                tracing::warn!(experiment, error = chain(&error), "note the end of an injection");
            }
        }
        Ok(ran.outcome(scene.secrets))
    }

    /// One look whether it took effect, of `limit` at most.
    pub(super) async fn look(&self, scene: Scene<'_>, limit: Duration) -> Result<Outcome, String> {
        let command = self.bit.as_ref().ok_or("it has no `bit` command")?;
        let start = scene.clock.now();
        let Ok(found) = tokio::time::timeout(limit, self.inside.find()).await else {
            let silent = format!("no answer within {}", humantime::format_duration(limit));
            let ending = Ending::OutOfTime(silent);
            return Ok(Outcome { start, end: scene.clock.now(), ending, told: Vec::new() });
        };
        self.running(found.map_err(Failure::into_reason)?)?;
        step!("bit_started");
        let left = limit.saturating_sub(scene.clock.now().since(start));
        Ok(self.inside.run(command, left, scene.clock).await.outcome(scene.secrets))
    }

    /// The id of the container, which runs in the same pod still.
    fn running(&self, found: Found) -> Result<String, String> {
        match found {
            Found::Running(id) => Ok(id),
            Found::Stopped => Err(format!("{} does not run", self.inside)),
            Found::Gone => Err(format!("pod {} is gone", self.inside.pod)),
        }
    }
}

impl Repair {
    /// One attempt to put it back. In a pod that is gone nothing can be.
    pub(super) async fn attempt(&self, scene: Scene<'_>) -> Outcome {
        let limit = Duration::from_millis(self.timeout_ms);
        let start = scene.clock.now();
        step!("revert_started");
        let not_done = |ending| Outcome { start, end: scene.clock.now(), ending, told: Vec::new() };
        let silent = || format!("no answer within {}", humantime::format_duration(limit));
        let inside = match tokio::time::timeout(limit, self.place.reach()).await {
            Ok(Ok(cluster)) => self.inside(cluster),
            Ok(Err(failure)) => return not_done(failure.into_ending()),
            Err(_elapsed) => return not_done(Ending::Unanswered(silent())),
        };
        match inside.settled(limit).await {
            Ok(Found::Gone) => {
                let gone = format!(
                    "the pod is gone, {} ({}): what the command did to anything that outlives it is not put back",
                    self.pod, self.uid
                );
                tracing::warn!(experiment = scene.intent.experiment, "{gone}");
                Outcome { told: vec![("revert", gone)], ..not_done(Ending::Done) }
            }
            Ok(Found::Running(_) | Found::Stopped) => {
                inside.run(&self.command, limit, scene.clock).await.outcome(scene.secrets)
            }
            Err(ending) => not_done(ending),
        }
    }

    fn inside(&self, cluster: crate::cluster::kubernetes::Kubernetes) -> Inside {
        let Self { pod, uid, container, .. } = self.clone();
        Inside { cluster, pod, uid, container }
    }
}

/// Whether nothing of an injection whose end was not seen can be at work any more.
pub(super) async fn end(left: &InContainer) -> Result<(), EndError> {
    /// A look that takes longer than this has failed.
    const LIMIT: Duration = Duration::from_secs(10);
    let InContainer { place, pod, uid, container, container_id } = left.clone();
    let cluster = within(LIMIT, place.reach()).await?;
    let inside = Inside { cluster, pod, uid, container };
    if !within(LIMIT, inside.find()).await?.is_still(&container_id) {
        return Ok(());
    }
    let said = format!(
        "the end of the injection in {inside} was not seen, so it may go on there: `kubectl delete pod {} -n {}` ends it",
        inside.pod, place.namespace
    );
    Err(said.into())
}

impl fmt::Display for PodExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in {}: {}", self.inside, line(&self.inject))
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in container {} of pod {}: {}", self.container, self.pod, line(&self.command))
    }
}
