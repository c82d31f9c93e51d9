//! What the witness makes of each state that it is told of.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::DynamicObject;
use kube::core::PartialObjectMeta;

use super::super::follow::Follower;
use super::super::objects::object_of;
use super::changes::Known;
use super::sets::Sets;
use super::words::{Heard, Word, deleted_by_controller};
use super::{CHANGE, DELETION, POD, Witness};
use crate::clock::Moment;

/// The label of what this program makes.
const MADE_BY_RUN: &str = "ordeal/run";

/// Objects of one kind, of which only what all kinds have is known.
pub(super) struct OfKind {
    witness: Witness,
    kind: String,
    index: usize,
    known: Known,
    begun: bool,
}

impl OfKind {
    pub(super) fn new(witness: Witness, kind: String, index: usize) -> Self {
        Self { witness, kind, index, known: Known::default(), begun: false }
    }

    fn is_pod(&self) -> bool {
        self.kind == POD
    }

    /// It was there before anybody watched.
    fn begin(&mut self, object: &ObjectMeta) {
        self.known.begin(object);
        let uid = object.uid.as_deref().unwrap_or_default();
        if self.is_pod() && object.deletion_timestamp.is_some() {
            self.witness.lock().departures.begin(uid);
        }
        // An earlier process left it, and it is put back.
        if object.labels.iter().flatten().any(|(key, _)| key == MADE_BY_RUN) {
            self.witness.cluster.ours().add(uid);
        }
    }

    fn gone(&self, object: &ObjectMeta) {
        if self.is_pod() {
            self.witness.pod_gone(object);
        } else if !self.witness.cluster.ours().has_object(object) {
            self.witness.lock().deletions += 1;
            let object = object_of(&self.kind, object);
            self.witness.tell(DELETION, object, None, self.witness.chronicle.now());
        }
    }
}

impl Follower<PartialObjectMeta<DynamicObject>> for OfKind {
    fn listed(&mut self, objects: Vec<PartialObjectMeta<DynamicObject>>, at: Moment) {
        if std::mem::replace(&mut self.begun, true) {
            for gone in self.known.missing(objects.iter().map(|object| &object.metadata)) {
                self.gone(&gone);
            }
            for object in objects {
                self.changed(object);
            }
        } else {
            for object in objects {
                self.begin(&object.metadata);
            }
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
            self.witness.pod_gone(&object.metadata);
        }
    }

    fn deleted(&mut self, object: PartialObjectMeta<DynamicObject>) {
        self.known.forget(&object.metadata);
        self.gone(&object.metadata);
    }

    fn complete(&mut self, at: Moment) {
        self.witness.lock().coverage.go_on(self.index, at);
    }
}

/// Controllers tell by events which pods they deleted.
pub(super) struct OfEvents {
    witness: Witness,
    heard: Heard,
    begun: bool,
}

impl OfEvents {
    pub(super) fn new(witness: Witness) -> Self {
        Self { witness, heard: Heard::default(), begun: false }
    }
}

impl Follower<Event> for OfEvents {
    fn listed(&mut self, events: Vec<Event>, at: Moment) {
        if std::mem::replace(&mut self.begun, true) {
            for event in events {
                self.changed(event);
            }
        } else {
            for event in &events {
                self.heard.hear(event);
            }
        }
        self.witness.lock().coverage.begin(self.witness.places.events, at);
    }

    fn changed(&mut self, event: Event) {
        if !self.heard.hear(&event) {
            return;
        }
        if let Some(Word { pod, set }) = deleted_by_controller(&event) {
            let at = self.witness.chronicle.now();
            self.witness.lock().departures.explain(&pod, set.as_deref(), at);
        }
    }

    fn deleted(&mut self, event: Event) {
        self.heard.forget(&event);
    }

    fn complete(&mut self, at: Moment) {
        self.witness.lock().coverage.go_on(self.witness.places.events, at);
    }
}

/// `ReplicaSet`s that are to have fewer pods delete some.
pub(super) struct OfSets {
    witness: Witness,
    sets: Sets,
}

impl OfSets {
    pub(super) fn new(witness: Witness) -> Self {
        Self { witness, sets: Sets::default() }
    }
}

impl Follower<ReplicaSet> for OfSets {
    fn listed(&mut self, sets: Vec<ReplicaSet>, at: Moment) {
        // At first none is known, so that none is missing.
        self.witness.wants_fewer(self.sets.keep(&sets));
        for set in sets {
            self.changed(set);
        }
        self.witness.lock().coverage.begin(self.witness.places.sets, at);
    }

    fn changed(&mut self, set: ReplicaSet) {
        self.witness.wants_fewer(self.sets.see(&set));
    }

    fn deleted(&mut self, set: ReplicaSet) {
        let gone = set.metadata.uid.as_deref().and_then(|uid| self.sets.forget(uid));
        self.witness.wants_fewer(gone);
    }

    fn complete(&mut self, at: Moment) {
        self.witness.lock().coverage.go_on(self.witness.places.sets, at);
    }
}
