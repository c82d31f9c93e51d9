//! Who changed an object, by what the API server notes with it. Pure.
//!
//! `managedFields` say who set which fields, and when, to the second. A client chooses the name that it goes by, and
//! neither a deletion nor a command run in a pod is noted there. A change by way of a scale has no time: whoever scales
//! again shows only by the object's generation, which a deletion raises, too. Whoever scales to zero that way has signed
//! nothing, and shows by a new generation of which nothing is noted, and nobody signs the number. Where one of the
//! trial's managers sized the object last, that counts as its doing: KEDA scales to zero so, and nothing tells it from
//! another.
//!
//! A second change by the same hand within the same second leaves such a generation, too. So that is a scale to zero only
//! where all was noted so for longer than that: by when it became known, and not by the times that are noted, which are
//! of the API server's clock. Sooner, a hand that scales to zero is not told from the one that has signed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};

use super::super::MANAGER;
use super::fields::setters;
use crate::clock::Moment;

/// The part that controllers write all the time.
const STATUS: &str = "status";
/// The part by which a number of replicas is set.
const SCALE: &str = "scale";
/// Whatever is signed later than this has another time than what was noted before: a second, and what an answer may take.
const SAME_TIME: Duration = Duration::from_secs(2);
/// What changes objects of a cluster without a person, and this program. k3s and `MicroK8s` run all of Kubernetes as one
/// program, which signs as `k3s` and `kubelite`.
const ALLOWED: [&str; 8] = [
    "k3s",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubelet",
    "kubelite",
    MANAGER,
];

/// Whoever may change things: Kubernetes itself, this program, and the trial's managers, as operators of the service.
#[derive(Debug, Clone)]
pub(super) struct Allowed(BTreeSet<String>);

impl Allowed {
    /// `managers` are the trial's.
    pub(super) fn with(managers: &[String]) -> Self {
        Self(managers.iter().cloned().collect())
    }

    /// Whether the one of this name may.
    pub(super) fn has(&self, manager: &str) -> bool {
        ALLOWED.contains(&manager) || self.names(manager)
    }

    /// Whether the one of this name is one of the trial's managers.
    pub(super) fn names(&self, manager: &str) -> bool {
        self.0.contains(manager)
    }
}

/// One manager's latest change of one part of an object.
type Trace = (String, Option<String>, Option<String>);

/// Who changed an object, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// By what name it goes; empty: nobody has signed.
    pub(super) manager: String,
    /// `Update` or `Apply`.
    pub(super) operation: String,
    /// Which part of it; `None`: the object itself.
    pub(super) subresource: Option<String>,
}

/// Who has changed an object by when, and how often what it is to be has changed.
#[derive(Debug, Clone, Default)]
struct State {
    traces: HashMap<Trace, Option<String>>,
    generation: Option<i64>,
    /// It is on its way out.
    leaves: bool,
    /// Somebody signs for how many replicas there are to be.
    is_sized: bool,
    /// Who does, or did last: Kubernetes itself only where nobody else has.
    sizers: Vec<String>,
    /// All that is noted of it but for its status, where it has replicas.
    notes: Vec<ManagedFieldsEntry>,
    /// When it was first seen with these.
    noted: Moment,
    /// Name, UID and owners, and nothing else.
    who: ObjectMeta,
}

impl State {
    /// The traces that `self` has and `before` had not, or of another time.
    fn since(&self, before: Option<&Self>) -> Vec<&Trace> {
        let Some(before) = before else { return self.traces.keys().collect() };
        let new = |(trace, time): &(&Trace, &Option<String>)| before.traces.get(trace) != Some(time);
        let news: Vec<&Trace> = self.traces.iter().filter(new).map(|(trace, _)| trace).collect();
        if !news.is_empty() || !self.is_to_be_other_than(before) {
            return news;
        }
        self.traces.iter().filter(|(_, time)| time.is_none()).map(|(trace, _)| trace).collect()
    }

    /// Whether what it is to be has changed; that it is to go is no such change.
    fn is_to_be_other_than(&self, before: &Self) -> bool {
        self.generation != before.generation && self.leaves == before.leaves
    }

    /// Whether it has been scaled by one who has signed nothing: where somebody had signed the number, nobody does any
    /// more; elsewhere all is noted as before, and `whole`, until when nothing was missed, is long after that.
    fn is_scaled_by_nobody_since(&self, before: &Self, whole: Moment) -> bool {
        if self.is_sized || !self.is_to_be_other_than(before) {
            return false;
        }
        let is_signed = |(_, _, part): &&Trace| part.as_deref() != Some(STATUS);
        let is_given_up = before.is_sized && !self.since(Some(before)).iter().any(is_signed);
        is_given_up || (self.notes == before.notes && whole.since(before.noted) >= SAME_TIME)
    }

    /// Whether the trial's managers sized it last, and nobody else who is not allowed.
    fn is_sized_by_managers(&self, allowed: &Allowed) -> bool {
        let sizers = &self.sizers;
        sizers.iter().any(|it| allowed.names(it)) && sizers.iter().all(|it| allowed.has(it))
    }

    /// Keeps since when all is noted as it is, and who sized it before, where now nobody does, or Kubernetes itself.
    fn keep(&mut self, before: &Self, allowed: &Allowed) {
        if self.notes == before.notes {
            self.noted = before.noted;
        }
        if self.sizers.iter().all(|it| allowed.has(it) && !allowed.names(it)) && !before.sizers.is_empty() {
            self.sizers.clone_from(&before.sizers);
        }
    }
}

/// The objects of one kind, as they were seen last, by their UIDs.
#[derive(Debug, Default)]
pub(super) struct Known {
    objects: HashMap<String, State>,
    /// They have replicas.
    have_replicas: bool,
    /// Nothing was missed until then.
    whole: Moment,
}

impl Known {
    /// Objects of this kind, of which none is known yet.
    pub(super) fn of(kind: &str) -> Self {
        let have_replicas = matches!(kind, "Deployment" | "StatefulSet" | "ReplicaSet");
        Self { have_replicas, ..Self::default() }
    }

    /// Nothing was missed until `at`.
    pub(super) fn complete(&mut self, at: Moment) {
        self.whole = at;
    }

    /// Notes the state of an object at `at`, before anything was watched.
    pub(super) fn begin(&mut self, object: &ObjectMeta, at: Moment) {
        if let Some(uid) = &object.uid {
            self.objects.insert(uid.clone(), state(object, self.have_replicas, at));
        }
    }

    /// Notes a new state of an object, seen at `at`; answers who of those not allowed brought it there, each once.
    pub(super) fn see(&mut self, object: &ObjectMeta, allowed: &Allowed, at: Moment) -> Vec<Change> {
        let Some(uid) = object.uid.clone() else { return Vec::new() };
        let mut after = state(object, self.have_replicas, at);
        let before = self.objects.get(&uid);
        let mut strangers = BTreeMap::new();
        for (manager, operation, subresource) in after.since(before) {
            if !allowed.has(manager) {
                let (operation, subresource) = (operation.clone().unwrap_or_default(), subresource.clone());
                let change = Change { manager: manager.clone(), operation, subresource };
                strangers.entry(manager.clone()).or_insert(change);
            }
        }
        let mut changes: Vec<Change> = strangers.into_values().collect();
        if let Some(before) = before {
            let by_nobody = self.have_replicas && after.is_scaled_by_nobody_since(before, self.whole);
            if changes.is_empty() && by_nobody && !before.is_sized_by_managers(allowed) {
                let (operation, subresource) = ("Update".to_owned(), Some(SCALE.to_owned()));
                changes.push(Change { manager: String::new(), operation, subresource });
            }
            after.keep(before, allowed);
        }
        self.objects.insert(uid, after);
        changes
    }

    /// Forgets all that are not `here`, and answers which.
    pub(super) fn missing<'a>(&mut self, here: impl Iterator<Item = &'a ObjectMeta>) -> Vec<ObjectMeta> {
        let here: HashSet<&str> = here.filter_map(|object| object.uid.as_deref()).collect();
        let gone = self.objects.extract_if(|uid, _| !here.contains(uid.as_str()));
        gone.map(|(_, state)| state.who).collect()
    }

    /// Forgets an object that is gone.
    pub(super) fn forget(&mut self, object: &ObjectMeta) {
        if let Some(uid) = &object.uid {
            self.objects.remove(uid);
        }
    }
}

fn state(object: &ObjectMeta, has_replicas: bool, noted: Moment) -> State {
    let trace = |entry: &ManagedFieldsEntry| {
        let manager = entry.manager.clone().unwrap_or_default();
        let time = entry.time.as_ref().map(|time| time.0.to_string());
        ((manager, entry.operation.clone(), entry.subresource.clone()), time)
    };
    let traces = object.managed_fields.iter().flatten().map(trace).collect();
    let sizers = setters(object, "replicas");
    let is_noted = |entry: &&ManagedFieldsEntry| has_replicas && entry.subresource.as_deref() != Some(STATUS);
    let (name, uid) = (object.name.clone(), object.uid.clone());
    let who =
        ObjectMeta { name, uid, owner_references: object.owner_references.clone(), ..ObjectMeta::default() };
    State {
        traces,
        generation: object.generation,
        leaves: object.deletion_timestamp.is_some(),
        is_sized: !sizers.is_empty(),
        sizers: sizers.into_iter().filter_map(|entry| entry.manager.clone()).collect(),
        notes: object.managed_fields.iter().flatten().filter(is_noted).cloned().collect(),
        noted,
        who,
    }
}

/// UID of the object's controller.
pub(super) fn controller(object: &ObjectMeta) -> Option<String> {
    let mut owners = object.owner_references.iter().flatten();
    owners.find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.clone())
}

#[cfg(test)]
mod tests;
