//! Watches for changes that no controller made: a witness that says what it saw, and for how long it looked.

mod changes;
mod coverage;
mod departures;
mod fields;
mod followers;
mod nodes;
mod ours;
mod owners;
mod words;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Node, Pod, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::ApiResource;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use self::changes::{Allowed, Change, controller};
use self::coverage::Coverage;
use self::departures::{Departures, Gone};
use self::followers::{OfEvents, OfKind, OfNodes, OfOwners};
pub use self::ours::{Asking, Ours};
use self::owners::Owner;
use super::Kubernetes;
use super::follow::{Follower, follow};
use super::objects::object_of;
use crate::clock::Moment;
use crate::cluster::seen::{Intervention, Object};
use crate::cluster::{Chronicle, Interventions};

/// The kinds of interventions; a closed set.
const CHANGE: &str = "change";
const DELETION: &str = "deletion";
/// The kind that goes by itself, too.
const POD: &str = "Pod";

/// Where nodes are not watched.
const NODES_UNSEEN: &str = "cordons, uncordons and taints of nodes by others, and whether a taint that sent pods away \
                            was set by a person: nodes are watched only where the trial has a node_drain";

/// The kinds of which it is enough to know what all kinds have; commands run in a pod, and its logs read, leave no trace
/// in any. Of sets, Jobs and nodes more is to be known.
pub(super) fn watched_kinds() -> Vec<ApiResource> {
    vec![
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<StatefulSet>(&()),
        ApiResource::erase::<DaemonSet>(&()),
        ApiResource::erase::<HorizontalPodAutoscaler>(&()),
        ApiResource::erase::<PodDisruptionBudget>(&()),
        ApiResource::erase::<NetworkPolicy>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<Pod>(&()),
    ]
}

/// What was seen so far.
#[derive(Debug)]
struct Seen {
    coverage: Coverage,
    departures: Departures,
    changes: u64,
    deletions: u64,
}

/// The places of what is watched, as [`Coverage`] counts it.
#[derive(Debug, Clone)]
struct Places {
    pods: usize,
    events: usize,
    sets: usize,
    jobs: usize,
    nodes: Option<usize>,
    /// All that tells why something went.
    telling: Vec<usize>,
}

impl Places {
    /// The kinds come first.
    fn of(kinds: &[ApiResource], nodes: bool) -> Self {
        let (events, sets, jobs) = (kinds.len(), kinds.len() + 1, kinds.len() + 2);
        let nodes = nodes.then_some(kinds.len() + 3);
        let has_pods =
            |kind: &ApiResource| matches!(kind.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet");
        let with_pods = kinds.iter().enumerate().filter(|(_, kind)| has_pods(kind)).map(|(place, _)| place);
        let telling = with_pods.chain([events, sets, jobs]).chain(nodes).collect();
        let pods = kinds.iter().position(|kind| kind.kind == POD).unwrap_or_default();
        Self { pods, events, sets, jobs, nodes, telling }
    }

    fn count(&self) -> usize {
        self.jobs + 1 + usize::from(self.nodes.is_some())
    }
}

/// Watches one namespace.
#[derive(Clone)]
pub(in crate::cluster) struct Witness {
    cluster: Kubernetes,
    allowed: Allowed,
    chronicle: Chronicle,
    places: Places,
    seen: Arc<Mutex<Seen>>,
}

impl Witness {
    /// Begins to watch until cancelled; beside Kubernetes itself, `managers` may change things. `nodes` says whether
    /// nodes may be watched.
    pub(in crate::cluster) fn start(
        cluster: Kubernetes,
        managers: &[String],
        nodes: bool,
        chronicle: Chronicle,
        cancel: &CancellationToken,
    ) -> Self {
        let kinds = watched_kinds();
        let places = Places::of(&kinds, nodes);
        let seen = Seen {
            coverage: Coverage::of(places.count()),
            departures: Departures::default(),
            changes: 0,
            deletions: 0,
        };
        let (allowed, seen) = (Allowed::with(managers), Arc::new(Mutex::new(seen)));
        let witness = Self { cluster, allowed, chronicle, places, seen };
        for (index, kind) in kinds.into_iter().enumerate() {
            let objects = witness.cluster.here_as(&kind);
            let what = format!("changes of kind {}", kind.kind);
            let follower = OfKind::new(witness.clone(), kind.kind, index);
            witness.follow(objects, what, follower, cancel);
        }
        witness.follow_those_who_tell(cancel);
        witness
    }

    fn follow_those_who_tell(&self, cancel: &CancellationToken) {
        let Places { sets, jobs, nodes, .. } = self.places;
        let follower = OfEvents::new(self.clone());
        self.follow(self.cluster.here::<Event>(), "what controllers deleted".to_owned(), follower, cancel);
        let what = |kind: &str| format!("changes of kind {kind}");
        let follower = OfOwners::new(self.clone(), ReplicaSet::KIND, sets);
        self.follow(self.cluster.here::<ReplicaSet>(), what(ReplicaSet::KIND), follower, cancel);
        let follower = OfOwners::new(self.clone(), Job::KIND, jobs);
        self.follow(self.cluster.here::<Job>(), what(Job::KIND), follower, cancel);
        let Some(nodes) = nodes else { return self.chronicle.unseen(NODES_UNSEEN.to_owned()) };
        let (what, follower) = ("cordons and taints of nodes".to_owned(), OfNodes::new(self.clone(), nodes));
        self.follow(self.cluster.everywhere::<Node>(), what, follower, cancel);
    }

    fn follow<K>(
        &self,
        objects: Api<K>,
        what: String,
        follower: impl Follower<K> + Send + 'static,
        cancel: &CancellationToken,
    ) where
        K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    {
        let watch = follow(objects, what, self.chronicle.clone(), follower);
        tokio::spawn(cancel.clone().run_until_cancelled_owned(watch));
    }

    /// What it has to say now.
    pub(in crate::cluster) fn testimony(&self) -> Interventions {
        let ours = self.cluster.ours();
        let mut seen = self.lock();
        let looked = seen.coverage.until(self.places.pods);
        let heard = self.places.telling.iter().map(|&place| seen.coverage.until(place)).min();
        ours.settle(self.chronicle.now(), looked, |uid| seen.departures.went(uid));
        let late = seen.departures.unexplained(looked, heard.unwrap_or_default(), |uid| ours.claim(uid));
        for Gone { object, at, .. } in late {
            seen.deletions += 1;
            self.deleted(object, at);
        }
        let undecided = seen.departures.oldest();
        self.chronicle.undecided(undecided.is_some());
        Interventions {
            watched_seconds: seen.coverage.watched(undecided).as_secs_f64(),
            kinds: BTreeMap::from([(CHANGE.to_owned(), seen.changes), (DELETION.to_owned(), seen.deletions)]),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody changed `object`.
    fn changed(&self, object: Object, change: Change) {
        self.lock().changes += 1;
        let Change { manager, operation, subresource } = change;
        let manager = Some(manager).filter(|manager| !manager.is_empty());
        let (at, kind) = (self.chronicle.now(), CHANGE);
        self.tell(Intervention { at, kind, object, manager, operation, subresource, during: None });
    }

    /// Somebody deleted `object`, which was seen at `at`.
    fn deleted(&self, object: Object, at: Moment) {
        let (kind, operation) = (DELETION, "Delete".to_owned());
        self.tell(Intervention {
            at,
            kind,
            object,
            manager: None,
            operation,
            subresource: None,
            during: None,
        });
    }

    fn tell(&self, told: Intervention) {
        tracing::warn!(what = %told, "somebody interfered");
        self.chronicle.intervention(told);
    }

    /// Something is gone, or on its way out, and it is to be seen what accounts for that.
    fn gone(&self, kind: &str, object: &ObjectMeta) {
        let at = self.chronicle.now();
        let gone = Gone { object: object_of(kind, object), owner: controller(object), at };
        let mut seen = self.lock();
        seen.departures.add(gone);
        self.chronicle.undecided(seen.departures.oldest().is_some());
    }
}
