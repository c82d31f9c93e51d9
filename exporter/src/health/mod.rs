//! Health: components probed at a fixed rate, followed through their outages, and the instances of stores asked
//! one by one whether they take writes.
//!
//! The decisions are pure: [`tracker`] (outages and recoveries with bounds), `account` (what counters say),
//! `windows` (what an experiment explains), `leadership` (leaders and split brain), and the judges of members
//! and replicas. Around them, `prober` keeps the rate and the checks do the asking.

mod account;
mod component;
mod dial;
pub mod failover;
mod instances;
mod members;
pub mod metrics;
mod pace;
mod primary;
mod probe;
mod prober;
mod replicas;
mod schema;
mod server;
mod silence;
pub mod tracker;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use prometheus::Registry;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, Moment};
use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::{self, Cluster};
use crate::trial::{self, Access, Component, ComponentKind, Endpoint, Name, Store, Trial};
use component::{Follower, SharedWindows, lock};
use instances::{Instance, Server};
use metrics::Metrics;
use server::command::Client;
use tracker::{Outage, Question, Recovery, Seconds, Since};

pub use primary::{PrimaryError, primary};
pub use probe::http::Error as HttpError;
pub use schema::{Error as SchemaError, ensure, remove, sql};
pub use windows::{Cause, Window};

/// Why health cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The families are taken.
    #[error("register the health metrics")]
    Metrics(#[source] prometheus::Error),
    /// An HTTP component.
    #[error("set up the probe of component {0}")]
    Http(Name, #[source] HttpError),
}

/// The health of all components of a trial, followed until cancelled.
#[derive(Clone)]
pub struct Health {
    followers: Arc<Vec<(Name, Arc<Follower>)>>,
    windows: SharedWindows,
    metrics: Arc<Metrics>,
    cluster: Cluster,
    clock: Clock,
    changes: watch::Sender<u64>,
    tasks: TaskTracker,
}

impl Health {
    /// Starts to probe. The tables of [`ensure`] must be there.
    pub fn start(
        trial: &Trial,
        clock: Clock,
        registry: &Registry,
        cluster: Cluster,
        cancel: &CancellationToken,
    ) -> Result<Self, Error> {
        let metrics = Arc::new(Metrics::register(registry).map_err(Error::Metrics)?);
        let mut health = Self {
            followers: Arc::default(),
            windows: SharedWindows::default(),
            metrics: Arc::clone(&metrics),
            cluster,
            clock,
            changes: watch::Sender::new(0),
            tasks: TaskTracker::new(),
        };
        let mut followers = Vec::with_capacity(trial.components.len());
        for component in &trial.components {
            let interval = match component.kind {
                // The document is polled at its own rate.
                ComponentKind::Replicas { .. } => cluster::INTERVAL,
                _ => component.interval(),
            };
            metrics.follow(component.name.as_str(), interval);
            let follower = Follower::new(
                component.name.to_string(),
                (interval, component.timeout()),
                clock,
                metrics.component(component.name.as_str()),
                Arc::clone(&health.windows),
                health.changes.clone(),
            );
            let follower = Arc::new(match component.kind {
                ComponentKind::Members { .. } | ComponentKind::Replicas { .. } => follower.of_polls(),
                ComponentKind::Http { .. } | ComponentKind::Store { .. } => follower,
            });
            health.follow(trial, component, Arc::clone(&follower), cancel)?;
            followers.push((component.name.clone(), follower));
        }
        health.followers = Arc::new(followers);
        for (index, store) in trial.stores.iter().enumerate().filter(|(_, store)| !store.instances.is_empty())
        {
            let metrics = metrics.store(label(trial, index));
            instances::start(
                instances_of(store, health.cluster.kubernetes.as_ref()),
                metrics,
                clock,
                &health.tasks,
                cancel,
            );
        }
        health.tasks.close();
        Ok(health)
    }

    fn follow(
        &self,
        trial: &Trial,
        component: &Component,
        follower: Arc<Follower>,
        cancel: &CancellationToken,
    ) -> Result<(), Error> {
        let (clock, cancel) = (self.clock, cancel.clone());
        let name = component.name.as_str();
        match &component.kind {
            ComponentKind::Http { path, expect } => {
                let http = probe::http::Http::new(&trial.target, path, *expect);
                let http = http.map_err(|error| Error::Http(component.name.clone(), error))?;
                self.tasks.spawn(prober::run(Arc::new(http), follower, clock, cancel));
            }
            ComponentKind::Store { store } => match &trial.store(*store).endpoint {
                Endpoint::Postgres(address) => {
                    let probe = probe::postgres::Postgres::new(name, address);
                    self.tasks.spawn(prober::run(Arc::new(probe), follower, clock, cancel));
                }
                Endpoint::Redis(address) => {
                    let probe = probe::redis::Redis::new(name, address);
                    self.tasks.spawn(prober::run(Arc::new(probe), follower, clock, cancel));
                }
            },
            ComponentKind::Members { store } => {
                let members = members::Members::new(instances_of(
                    trial.store(*store),
                    self.cluster.kubernetes.as_ref(),
                ));
                self.tasks.spawn(prober::run(Arc::new(members), follower, clock, cancel));
            }
            ComponentKind::Replicas { workload, declared } => {
                let replicas = replicas::Replicas { workload: workload.clone(), declared: *declared };
                let windows = Arc::clone(&self.windows);
                self.tasks.spawn(replicas::run(
                    replicas,
                    self.cluster.feed.clone(),
                    windows,
                    follower,
                    cancel,
                ));
            }
        }
        Ok(())
    }

    /// An experiment begins: to be called just before its fault is injected. From now on replicas are held to how many
    /// are ready now.
    pub fn begin_experiment(&self, window: Window) {
        let ready_before = match self.cluster.feed.borrow().as_ref().map(|status| status.document.clone()) {
            Some(Ok(document)) => {
                document.workloads.iter().map(|workload| (workload.name.clone(), workload.ready())).collect()
            }
            _ => BTreeMap::new(),
        };
        for (_, follower) in self.followers.iter() {
            follower.keep_from(Some(window.begins));
        }
        lock(&self.windows).begin(window, ready_before);
    }

    /// The experiment's fault acts since `at`: from now on new outages have it as their cause, and replicas that it hits do
    /// not count any more, where they are to be replaced. Not before: nobody has broken anything yet.
    pub fn hit_targets(&self, at: Moment) {
        lock(&self.windows).hit(at);
    }

    /// The experiment is over: all its components were final at `at`.
    pub fn end_experiment(&self, at: Moment) {
        lock(&self.windows).end(at);
        for (_, follower) in self.followers.iter() {
            follower.keep_from(None);
        }
    }

    /// Whether the component with that index in the trial serves.
    pub fn up(&self, component: usize) -> bool {
        self.followers.get(component).is_some_and(|(_, follower)| follower.up(self.clock.now()))
    }

    /// Every component and whether it serves.
    pub fn all_up(&self) -> Vec<(Name, bool)> {
        let now = self.clock.now();
        self.followers.iter().map(|(name, follower)| (name.clone(), follower.up(now))).collect()
    }

    /// The components that do not serve, each with why, as far as its last probe tells.
    pub fn troubles(&self) -> Vec<String> {
        let now = self.clock.now();
        let down = self.followers.iter().filter(|(_, follower)| !follower.up(now));
        let told = down.map(|(name, follower)| match follower.reason() {
            Some(reason) => format!("{name} ({reason})"),
            None => name.to_string(),
        });
        told.collect()
    }

    /// How long the component with that index took to recover; to be asked between
    /// [`Health::begin_experiment`] and [`Health::end_experiment`].
    pub fn recovery(&self, component: usize, question: &Question) -> Option<Recovery> {
        let (_, follower) = self.followers.get(component)?;
        Some(follower.recovery(question, self.clock.now()))
    }

    /// Exports a final recovery of the component with that index.
    pub fn note_recovery(&self, experiment: &Name, component: usize, since: Since, seconds: Seconds) {
        if let Some((name, _)) = self.followers.get(component) {
            self.metrics.recovered(experiment.as_str(), name.as_str(), since, seconds);
        }
    }

    /// The outages of the component with that index so far, oldest first.
    pub fn outages(&self, component: usize) -> Vec<Outage> {
        self.followers.get(component).map(|(_, follower)| follower.outages()).unwrap_or_default()
    }

    /// Changes with every probe of any component.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Waits, after the cancellation, until everything has stopped.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}

/// The instances of a store as they are asked. Those inside pods need their cluster.
fn instances_of(store: &Store, cluster: Option<&Kubernetes>) -> Vec<Instance> {
    let instance = |instance: &trial::Instance| Instance {
        name: instance.name.to_string(),
        id: instance_id(store, instance),
        server: server(store, instance, cluster),
    };
    store.instances.iter().map(instance).collect()
}

fn server(store: &Store, instance: &trial::Instance, cluster: Option<&Kubernetes>) -> Server {
    let direct = |endpoint: &Endpoint| match endpoint {
        Endpoint::Postgres(address) => Server::Postgres(server::postgres::Server::direct(address)),
        Endpoint::Redis(address) => Server::Redis(server::redis::Server::direct(address)),
    };
    match (&instance.access, &store.endpoint) {
        (Access::Direct(endpoint), _) => direct(endpoint),
        (Access::Inside(endpoint), _) => match (direct(endpoint), cluster) {
            (server, Some(cluster)) => server.inside(cluster, instance.name.as_str()),
            (server, None) => server,
        },
        (Access::Command(prefix), Endpoint::Postgres(_)) => {
            Server::Postgres(server::postgres::Server::Command(Client::new(prefix.to_vec())))
        }
        (Access::Command(prefix), Endpoint::Redis(_)) => {
            Server::Redis(server::redis::Server::Command(Client::new(prefix.to_vec())))
        }
    }
}

fn instance_id(store: &Store, instance: &trial::Instance) -> String {
    format!("{}/{}", store.name, instance.name)
}

/// The value of the label `component` for a store's instances: the component that probes the store, else the one
/// that follows its members, else the store's own name.
fn label(trial: &Trial, store: usize) -> &str {
    let probes = |component: &&Component| matches!(component.kind, ComponentKind::Store { store: of } if of.get() == store);
    let follows = |component: &&Component| matches!(component.kind, ComponentKind::Members { store: of } if of.get() == store);
    let components = &trial.components;
    let component = components.iter().find(probes).or_else(|| components.iter().find(follows));
    component.map_or(trial.stores[store].name.as_str(), |component| component.name.as_str())
}
