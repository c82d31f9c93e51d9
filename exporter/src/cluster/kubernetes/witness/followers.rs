//! What the witness makes of each state that it is told of.

use k8s_openapi::api::core::v1::{Event, Node};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::DynamicObject;
use kube::core::PartialObjectMeta;

use super::super::follow::Follower;
use super::super::objects::object_of;
use super::changes::Known;
use super::nodes::Nodes;
use super::owners::{Owner, Owners};
use super::words::{Heard, deleted_by_controller};
use super::{POD, Witness};
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
        let known = Known::of(&kind);
        Self { witness, kind, index, known, begun: false }
    }

    fn is_pod(&self) -> bool {
        self.kind == POD
    }

    /// It was there before anybody watched.
    fn begin(&mut self, object: &ObjectMeta, at: Moment) {
        self.known.begin(object, at);
        let uid = object.uid.as_deref().unwrap_or_default();
        if object.deletion_timestamp.is_some() {
            let mut seen = self.witness.lock();
            seen.departures.begin(uid);
            seen.departures.end(uid);
        }
        // An earlier process left it, and it is put back.
        if object.labels.iter().flatten().any(|(key, _)| key == MADE_BY_RUN) {
            self.witness.cluster.ours().add(uid);
        }
    }

    /// It is gone, or on its way out. No deletion is taken back, so it is told when it is first seen, and all that the
    /// object has goes with it; pods may go by no hand.
    fn gone(&self, object: &ObjectMeta) {
        if self.is_pod() {
            self.witness.gone(POD, object);
            return;
        }
        let is_ours = self.witness.cluster.ours().has_object(object);
        let is_news = self.witness.lock().departures.end(object.uid.as_deref().unwrap_or_default());
        if is_news && !is_ours {
            self.witness.lock().deletions += 1;
            self.witness.deleted(object_of(&self.kind, object), self.witness.chronicle.now());
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
                self.begin(&object.metadata, at);
            }
        }
        self.witness.lock().coverage.begin(self.index, at);
    }

    fn changed(&mut self, object: PartialObjectMeta<DynamicObject>) {
        let Self { witness, kind, known, .. } = self;
        for change in known.see(&object.metadata, &witness.allowed, witness.chronicle.now()) {
            witness.changed(object_of(kind, &object.metadata), change);
        }
        if object.metadata.deletion_timestamp.is_some() {
            self.gone(&object.metadata);
        }
    }

    fn deleted(&mut self, object: PartialObjectMeta<DynamicObject>) {
        self.known.forget(&object.metadata);
        self.gone(&object.metadata);
    }

    fn complete(&mut self, at: Moment) {
        self.known.complete(at);
        self.witness.lock().coverage.go_on(self.index, at);
    }
}

/// Controllers tell by events what they deleted.
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
        if let Some(word) = deleted_by_controller(&event) {
            let at = self.witness.chronicle.now();
            self.witness.lock().departures.explain(word, at);
        }
    }

    fn deleted(&mut self, event: Event) {
        self.heard.forget(&event);
    }

    fn complete(&mut self, at: Moment) {
        self.witness.lock().coverage.go_on(self.witness.places.events, at);
    }
}

/// What has pods, and deletes them or goes itself without telling of each.
pub(super) struct OfOwners {
    witness: Witness,
    place: usize,
    known: Known,
    owners: Owners,
    begun: bool,
}

impl OfOwners {
    pub(super) fn new(witness: Witness, kind: &str, place: usize) -> Self {
        Self { witness, place, known: Known::of(kind), owners: Owners::default(), begun: false }
    }

    fn begin<K: Owner>(&mut self, object: &K, at: Moment) {
        self.known.begin(object.meta(), at);
        self.owners.see(object, &self.witness.allowed);
        if object.meta().deletion_timestamp.is_some() {
            let uid = object.meta().uid.as_deref().unwrap_or_default();
            let mut seen = self.witness.lock();
            seen.departures.begin(uid);
            seen.departures.end(uid);
        }
    }

    /// It is gone, or on its way out, and all that it has goes with it.
    fn gone(&self, kind: &str, object: &ObjectMeta) {
        let uid = object.uid.as_deref().unwrap_or_default();
        self.witness.lock().departures.end(uid);
        if !self.owners.goes_by_itself(uid) {
            self.witness.gone(kind, object);
        }
    }
}

impl<K: Owner> Follower<K> for OfOwners {
    fn listed(&mut self, objects: Vec<K>, at: Moment) {
        if std::mem::replace(&mut self.begun, true) {
            for gone in self.known.missing(objects.iter().map(K::meta)) {
                self.gone(K::KIND, &gone);
                self.owners.forget(gone.uid.as_deref().unwrap_or_default());
            }
            for object in objects {
                self.changed(object);
            }
        } else {
            for object in &objects {
                self.begin(object, at);
            }
        }
        self.witness.lock().coverage.begin(self.place, at);
    }

    fn changed(&mut self, object: K) {
        let metadata = object.meta();
        for change in self.known.see(metadata, &self.witness.allowed, self.witness.chronicle.now()) {
            self.witness.changed(object_of(K::KIND, metadata), change);
        }
        if let Some((set, by)) = self.owners.see(&object, &self.witness.allowed) {
            let at = self.witness.chronicle.now();
            self.witness.lock().departures.wants_fewer(&set, by, at);
        }
        if metadata.deletion_timestamp.is_some() {
            self.gone(K::KIND, metadata);
        }
    }

    fn deleted(&mut self, object: K) {
        self.known.forget(object.meta());
        self.gone(K::KIND, object.meta());
        self.owners.forget(object.meta().uid.as_deref().unwrap_or_default());
    }

    fn complete(&mut self, at: Moment) {
        self.known.complete(at);
        self.witness.lock().coverage.go_on(self.place, at);
    }
}

/// Nodes, of which it counts who closes them or opens them.
pub(super) struct OfNodes {
    witness: Witness,
    place: usize,
    nodes: Nodes,
}

impl OfNodes {
    pub(super) fn new(witness: Witness, place: usize) -> Self {
        Self { witness, place, nodes: Nodes::default() }
    }

    fn gone(&mut self, uid: &str) {
        self.nodes.forget(uid);
        let at = self.witness.chronicle.now();
        self.witness.lock().departures.empties(uid, false, at);
    }
}

impl Follower<Node> for OfNodes {
    fn listed(&mut self, nodes: Vec<Node>, at: Moment) {
        // At first none is known, so that none is missing, and none has changed.
        for gone in self.nodes.missing(&nodes) {
            self.gone(&gone);
        }
        for node in nodes {
            self.changed(node);
        }
        self.witness.lock().coverage.begin(self.place, at);
    }

    fn changed(&mut self, node: Node) {
        for change in self.nodes.see(&node, &self.witness.allowed) {
            self.witness.changed(object_of("Node", &node.metadata), change);
        }
        let uid = node.metadata.uid.as_deref().unwrap_or_default();
        let at = self.witness.chronicle.now();
        self.witness.lock().departures.empties(uid, self.nodes.is_emptied_by_stranger(uid), at);
    }

    fn deleted(&mut self, node: Node) {
        self.gone(node.metadata.uid.as_deref().unwrap_or_default());
    }

    fn complete(&mut self, at: Moment) {
        self.witness.lock().coverage.go_on(self.place, at);
    }
}
