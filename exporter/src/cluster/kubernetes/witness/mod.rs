//! Watches for changes that no controller made: a witness that says what it saw, and for how long it looked.

mod changes;
mod coverage;
mod departures;
mod followers;
mod sets;
mod words;

use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Event, Pod, Service};
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
use self::followers::{OfEvents, OfKind, OfSets};
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

/// The kinds whose changes are seen; commands run in a pod, and its logs read, leave no trace in any.
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

/// What this program itself takes away. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Ours(Arc<Mutex<HashSet<String>>>);

impl Ours {
    /// What all connections of this program to clusters take away: what is broken and what is put back go by several.
    pub(super) fn of_this_program() -> Self {
        static OURS: LazyLock<Ours> = LazyLock::new(Ours::default);
        OURS.clone()
    }

    /// From now on the object of this UID, or of this name where no other ever has it, goes by our word.
    pub fn add(&self, uid_or_name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(uid_or_name.to_owned());
    }

    fn has_object(&self, object: &ObjectMeta) -> bool {
        object.uid.iter().chain(&object.name).any(|it| self.has(it))
    }

    fn has(&self, uid_or_name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(uid_or_name)
    }
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
#[derive(Debug, Clone, Copy)]
struct Places {
    pods: usize,
    events: usize,
    sets: usize,
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
    /// Begins to watch until cancelled; beside Kubernetes itself, `managers` may change things.
    pub(in crate::cluster) fn start(
        cluster: Kubernetes,
        managers: &[String],
        chronicle: Chronicle,
        cancel: &CancellationToken,
    ) -> Self {
        let kinds = watched_kinds();
        let pods = kinds.iter().position(|kind| kind.kind == POD).unwrap_or_default();
        let places = Places { pods, events: kinds.len(), sets: kinds.len() + 1 };
        let seen = Seen {
            coverage: Coverage::of(kinds.len() + 2),
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
        let (what, follower) = ("what controllers deleted".to_owned(), OfEvents::new(witness.clone()));
        witness.follow(witness.cluster.here::<Event>(), what, follower, cancel);
        let (what, follower) = ("how many pods are wanted".to_owned(), OfSets::new(witness.clone()));
        witness.follow(witness.cluster.here::<ReplicaSet>(), what, follower, cancel);
        witness
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
        let Places { pods, events, sets } = self.places;
        let mut seen = self.lock();
        let looked = seen.coverage.until(pods);
        let heard = seen.coverage.until(events).min(seen.coverage.until(sets));
        for Gone { pod, at, .. } in seen.departures.unexplained(looked, heard, |uid| ours.has(uid)) {
            seen.deletions += 1;
            self.tell(DELETION, pod, None, at);
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

    /// Says that somebody changed `object`; without `change`, that somebody deleted it.
    fn tell(&self, kind: &'static str, object: Object, change: Option<Change>, at: Moment) {
        let (manager, operation, subresource) = match change {
            Some(Change { manager, operation, subresource }) => (Some(manager), operation, subresource),
            None => (None, "Delete".to_owned(), None),
        };
        let told = Intervention { at, kind, object, manager, operation, subresource, during: None };
        tracing::warn!(what = %told, "somebody interfered");
        self.chronicle.intervention(told);
    }

    fn pod_gone(&self, pod: &ObjectMeta) {
        let at = self.chronicle.now();
        let gone = Gone { pod: object_of(POD, pod), owner: controller(pod), at };
        let mut seen = self.lock();
        seen.departures.add(gone);
        self.chronicle.undecided(seen.departures.oldest().is_some());
    }

    fn wants_fewer(&self, sets: impl IntoIterator<Item = (String, u32)>) {
        let at = self.chronicle.now();
        for (set, by) in sets {
            self.lock().departures.wants_fewer(&set, by, at);
        }
    }
}
