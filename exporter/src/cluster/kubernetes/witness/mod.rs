//! Watches for changes that no controller made: a witness that says what it saw, and for how long it looked.

mod changes;
mod coverage;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Event, Pod, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ApiResource, DynamicObject};
use kube::core::PartialObjectMeta;
use tokio_util::sync::CancellationToken;

use self::changes::{Allowed, Change, Departures, Gone, Known};
use self::coverage::Coverage;
use super::Kubernetes;
use super::follow::{Follower, follow};
use super::objects::object_of;
use crate::clock::Moment;
use crate::cluster::seen::{Intervention, Object};
use crate::cluster::{Chronicle, Interventions};

/// A controller tells of a deletion within this time.
const PATIENCE: Duration = Duration::from_secs(8);
/// The kinds of interventions; a closed set.
const CHANGE: &str = "change";
const DELETION: &str = "deletion";

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

/// Pods that this program itself let go. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Ours(Arc<Mutex<HashSet<String>>>);

impl Ours {
    /// The pod of this UID goes by our word.
    pub fn add(&self, uid: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(uid.to_owned());
    }

    fn has(&self, uid: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(uid)
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

/// Watches one namespace.
#[derive(Clone)]
pub(in crate::cluster) struct Witness {
    cluster: Kubernetes,
    allowed: Allowed,
    chronicle: Chronicle,
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
        let events = kinds.len();
        let seen = Seen {
            coverage: Coverage::of(events + 1),
            departures: Departures::default(),
            changes: 0,
            deletions: 0,
        };
        let allowed = Allowed::with(managers);
        let witness = Self { cluster, allowed, chronicle, seen: Arc::new(Mutex::new(seen)) };
        for (index, kind) in kinds.into_iter().enumerate() {
            let objects = witness.cluster.here_as(&kind);
            let what = format!("changes of kind {}", kind.kind);
            let follower =
                OfKind { witness: witness.clone(), kind: kind.kind, index, known: Known::default() };
            let watch = follow(objects, what, witness.chronicle.clone(), follower);
            tokio::spawn(cancel.clone().run_until_cancelled_owned(watch));
        }
        let follower = OfEvents { witness: witness.clone(), index: events };
        let (objects, what) = (witness.cluster.here::<Event>(), "what controllers deleted".to_owned());
        let watch = follow(objects, what, witness.chronicle.clone(), follower);
        tokio::spawn(cancel.clone().run_until_cancelled_owned(watch));
        witness
    }

    /// What it has to say now.
    pub(in crate::cluster) fn testimony(&self) -> Interventions {
        let now = self.chronicle.now();
        let ours = self.cluster.ours();
        let mut seen = self.lock();
        for Gone { pod, at } in seen.departures.unexplained(now, PATIENCE, |uid| ours.has(uid)) {
            seen.deletions += 1;
            self.tell(DELETION, pod, None, at);
        }
        Interventions {
            watched_seconds: seen.coverage.watched().as_secs_f64(),
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

    fn gone(&self, pod: &ObjectMeta) {
        let gone = Gone { pod: object_of("Pod", pod), at: self.chronicle.now() };
        self.lock().departures.add(gone);
    }
}

/// Objects of one kind, of which only what all kinds have is known.
struct OfKind {
    witness: Witness,
    kind: String,
    index: usize,
    known: Known,
}

impl OfKind {
    fn is_pod(&self) -> bool {
        self.kind == "Pod"
    }
}

impl Follower<PartialObjectMeta<DynamicObject>> for OfKind {
    fn listed(&mut self, objects: Vec<PartialObjectMeta<DynamicObject>>, at: Moment) {
        self.known = Known::default();
        for object in objects {
            self.known.begin(&object.metadata);
        }
        self.witness.lock().coverage.begin(self.index, at);
    }

    fn changed(&mut self, object: PartialObjectMeta<DynamicObject>) {
        let Self { witness, kind, known, .. } = self;
        for change in known.see(&object.metadata, &witness.allowed) {
            witness.lock().changes += 1;
            let object = object_of(kind, &object.metadata);
            witness.tell(CHANGE, object, Some(change), witness.chronicle.now());
        }
        if self.is_pod() && object.metadata.deletion_timestamp.is_some() {
            self.witness.gone(&object.metadata);
        }
    }

    fn deleted(&mut self, object: PartialObjectMeta<DynamicObject>) {
        self.known.forget(&object.metadata);
        if self.is_pod() {
            return self.witness.gone(&object.metadata);
        }
        // Our own policies come and go.
        let ours = object.metadata.labels.iter().flatten().any(|(key, _)| key == "ordeal/run");
        if !ours {
            self.witness.lock().deletions += 1;
            let object = object_of(&self.kind, &object.metadata);
            self.witness.tell(DELETION, object, None, self.witness.chronicle.now());
        }
    }

    fn complete(&mut self, at: Moment) {
        self.witness.lock().coverage.go_on(self.index, at);
    }
}

/// Controllers tell by events which pods they deleted.
struct OfEvents {
    witness: Witness,
    index: usize,
}

impl Follower<Event> for OfEvents {
    fn listed(&mut self, _: Vec<Event>, at: Moment) {
        self.witness.lock().coverage.begin(self.index, at);
    }

    fn changed(&mut self, event: Event) {
        if let Some(pod) = deleted_by_controller(&event) {
            let at = self.witness.chronicle.now();
            self.witness.lock().departures.explain(&pod, at);
        }
    }

    fn deleted(&mut self, _: Event) {}

    fn complete(&mut self, at: Moment) {
        self.witness.lock().coverage.go_on(self.index, at);
    }
}

/// The pod that a controller says it deleted, or that is evicted for what its node lacks: `SuccessfulDelete` has its
/// name in the message, an event of the pod itself in what it is about.
fn deleted_by_controller(event: &Event) -> Option<String> {
    match event.reason.as_deref()? {
        // "Deleted pod: NAME", "delete Pod NAME in StatefulSet … successful".
        "SuccessfulDelete" => {
            let message = event.message.as_deref()?;
            let mut words = message.split_whitespace();
            words.find(|word| word.trim_end_matches(':').eq_ignore_ascii_case("pod"))?;
            words.next().map(str::to_owned)
        }
        "TaintManagerEviction" | "Preempted" => event.involved_object.name.clone(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn controllers_tell_which_pods_they_deleted() {
        let event = |reason: &str, message: &str| {
            let value = json!({"metadata": {}, "reason": reason, "message": message,
                "involvedObject": {"kind": "Pod", "name": "shop-9"}});
            deleted_by_controller(&serde_json::from_value(value).expect("an event"))
        };
        let table = [
            ("SuccessfulDelete", "Deleted pod: shop-1", Some("shop-1")),
            ("SuccessfulDelete", "delete Pod redis-2 in StatefulSet redis successful", Some("redis-2")),
            ("SuccessfulDelete", "(combined from similar events): Deleted pod: shop-3", Some("shop-3")),
            ("TaintManagerEviction", "Marking for deletion Pod shop/shop-9", Some("shop-9")),
            ("Killing", "Stopping container shop", None),
            ("SuccessfulDelete", "all gone", None),
        ];
        for (reason, message, expected) in table {
            assert_eq!(event(reason, message).as_deref(), expected, "{message}");
        }
    }
}
