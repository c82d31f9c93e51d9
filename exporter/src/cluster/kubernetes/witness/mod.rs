//! Watches for changes that no controller made: a witness that says what it saw, and for how long it looked.
//!
//! Each kind of object is listed once and then watched from that state on. A watch is asked for a second at a
//! time: its end says that nothing is outstanding until then. A state that the API server has forgotten (410) is a
//! gap, which ends with a new list.

mod changes;
mod coverage;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Event, Pod, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams, WatchEvent, WatchParams};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::changes::{Allowed, Departures, Gone, Known};
use self::coverage::Coverage;
use super::{Kubernetes, reason};
use crate::cluster::Interventions;

/// How long a watch goes on before it is asked for again: by so much the time that is known to be watched is behind.
const ROUND: u32 = 1;
/// Pause before what failed is tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// A controller tells of a deletion within this time.
const PATIENCE: Duration = Duration::from_secs(8);
/// The kinds of interventions; a closed set.
const CHANGE: &str = "change";
const DELETION: &str = "deletion";

/// The kinds whose changes are seen; commands run in a pod, and its logs read, leave no trace in any.
fn watched_kinds() -> Vec<ApiResource> {
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
    began: Instant,
    seen: Arc<Mutex<Seen>>,
}

impl Witness {
    /// Begins to watch until cancelled; beside Kubernetes itself, `managers` may change things.
    pub(in crate::cluster) fn start(
        cluster: Kubernetes,
        managers: &[String],
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
        let witness = Self {
            cluster,
            allowed: Allowed::with(managers),
            began: Instant::now(),
            seen: Arc::new(Mutex::new(seen)),
        };
        for (index, kind) in kinds.into_iter().enumerate() {
            let watcher = witness.clone();
            let follow = async move { watcher.follow(&kind, index).await };
            tokio::spawn(cancel.clone().run_until_cancelled_owned(follow));
        }
        let watcher = witness.clone();
        tokio::spawn(cancel.clone().run_until_cancelled_owned(async move { watcher.events(events).await }));
        witness
    }

    /// What it has to say now.
    pub(in crate::cluster) fn testimony(&self) -> Interventions {
        let now = self.now();
        let ours = self.cluster.ours();
        let mut seen = self.lock();
        for pod in seen.departures.unexplained(now, PATIENCE, |uid| ours.has(uid)) {
            seen.deletions += 1;
            tracing::warn!(pod = pod.name, "somebody deleted a pod");
        }
        Interventions {
            watched_seconds: seen.coverage.watched().as_secs_f64(),
            kinds: BTreeMap::from([(CHANGE.to_owned(), seen.changes), (DELETION.to_owned(), seen.deletions)]),
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn follow(&self, kind: &ApiResource, index: usize) {
        let objects = self.cluster.here_as(kind);
        loop {
            let error = self.watch(&objects, &kind.kind, index).await;
            tracing::warn!(kind = kind.kind, error = reason(&error), "a watch for interventions has a gap");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Lists and watches until the API server has forgotten where we were, or cannot list.
    async fn watch(&self, objects: &Api<DynamicObject>, kind: &str, index: usize) -> kube::Error {
        let listed = match objects.list_metadata(&ListParams::default()).await {
            Ok(listed) => listed,
            Err(error) => return error,
        };
        let mut known = Known::default();
        listed.items.iter().for_each(|object| known.begin(&object.metadata));
        let mut version = listed.metadata.resource_version.unwrap_or_default();
        self.lock().coverage.begin(index, self.now());
        loop {
            match self.round(objects, kind, &mut version, &mut known).await {
                Ok(()) => self.lock().coverage.go_on(index, self.now()),
                Err(error) if is_forgotten(&error) => return error,
                // The next round goes on from the same state: nothing is missed.
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn round(
        &self,
        objects: &Api<DynamicObject>,
        kind: &str,
        version: &mut String,
        known: &mut Known,
    ) -> kube::Result<()> {
        let stream = objects.watch_metadata(&WatchParams::default().timeout(ROUND), version).await?;
        let mut stream = std::pin::pin!(stream);
        while let Some(event) = stream.try_next().await? {
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    self.changed(kind, &object.metadata, known);
                    version.clone_from(&object.metadata.resource_version.unwrap_or_default());
                }
                WatchEvent::Deleted(object) => {
                    known.forget(&object.metadata);
                    self.deleted(kind, &object.metadata);
                    version.clone_from(&object.metadata.resource_version.unwrap_or_default());
                }
                WatchEvent::Bookmark(bookmark) => version.clone_from(&bookmark.metadata.resource_version),
                WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
            }
        }
        Ok(())
    }

    fn changed(&self, kind: &str, object: &ObjectMeta, known: &mut Known) {
        let name = object.name.as_deref().unwrap_or_default();
        for manager in known.see(object, &self.allowed) {
            self.lock().changes += 1;
            tracing::warn!(manager, object = format!("{kind} {name}"), "somebody changed something");
        }
        if kind == "Pod" && object.deletion_timestamp.is_some() {
            self.gone(object);
        }
    }

    fn deleted(&self, kind: &str, object: &ObjectMeta) {
        if kind == "Pod" {
            return self.gone(object);
        }
        // Our own policies come and go.
        let ours = object.labels.iter().flatten().any(|(key, _)| key == "ordeal/run");
        if !ours {
            self.lock().deletions += 1;
            let name = object.name.as_deref().unwrap_or_default();
            tracing::warn!(object = format!("{kind} {name}"), "somebody deleted something");
        }
    }

    fn gone(&self, pod: &ObjectMeta) {
        if let (Some(name), Some(uid)) = (pod.name.clone(), pod.uid.clone()) {
            let at = self.now();
            self.lock().departures.add(Gone { name, uid, at });
        }
    }

    /// Controllers tell by events which pods they deleted.
    async fn events(&self, index: usize) {
        let events = self.cluster.here::<Event>();
        loop {
            let Ok(listed) = events.list_metadata(&ListParams::default().limit(1)).await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let mut version = listed.metadata.resource_version.unwrap_or_default();
            self.lock().coverage.begin(index, self.now());
            loop {
                match self.events_round(&events, &mut version).await {
                    Ok(()) => self.lock().coverage.go_on(index, self.now()),
                    Err(error) if is_forgotten(&error) => break,
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        }
    }

    async fn events_round(&self, events: &Api<Event>, version: &mut String) -> kube::Result<()> {
        let stream = events.watch(&WatchParams::default().timeout(ROUND), version).await?;
        let mut stream = std::pin::pin!(stream);
        while let Some(event) = stream.try_next().await? {
            match event {
                WatchEvent::Added(event) | WatchEvent::Modified(event) => {
                    if let Some(pod) = deleted_by_controller(&event) {
                        self.lock().departures.explain(&pod);
                    }
                    version.clone_from(&event.metadata.resource_version.unwrap_or_default());
                }
                WatchEvent::Deleted(_) => {}
                WatchEvent::Bookmark(bookmark) => version.clone_from(&bookmark.metadata.resource_version),
                WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
            }
        }
        Ok(())
    }
}

/// 410: the state is too old to go on from.
fn is_forgotten(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 410)
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
