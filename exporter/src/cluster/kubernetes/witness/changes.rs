//! Who changed an object, by what the API server notes with it. Pure.
//!
//! `managedFields` say who set which fields, and when, to the second. A client chooses the name that it goes by, and
//! neither a deletion nor a command run in a pod is noted there. A change by way of a scale has no time: whoever scales
//! again shows only by the object's generation. Whoever scales to zero that way has signed nothing, and shows by
//! nobody's having set the number any more.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};

use super::super::MANAGER;
use super::fields::setters;

/// What changes objects of a cluster without a person, and this program.
const ALLOWED: [&str; 6] =
    ["kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet", MANAGER];

/// Whoever may change things.
#[derive(Debug, Clone)]
pub(super) struct Allowed(BTreeSet<String>);

impl Allowed {
    /// Kubernetes itself, this program, and `others`, as operators that the service has.
    pub(super) fn with(others: &[String]) -> Self {
        Self(ALLOWED.iter().map(|&name| name.to_owned()).chain(others.iter().cloned()).collect())
    }

    /// Whether the one of this name may.
    pub(super) fn has(&self, manager: &str) -> bool {
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
    /// Somebody has signed for how many replicas there are to be.
    is_sized: bool,
    /// Name, UID and owners, and nothing else.
    who: ObjectMeta,
}

impl State {
    /// The traces that `self` has and `before` had not, or of another time.
    fn since(&self, before: Option<&Self>) -> Vec<&Trace> {
        let Some(before) = before else { return self.traces.keys().collect() };
        let new = |(trace, time): &(&Trace, &Option<String>)| before.traces.get(trace) != Some(time);
        let news: Vec<&Trace> = self.traces.iter().filter(new).map(|(trace, _)| trace).collect();
        if !news.is_empty() || before.generation == self.generation {
            return news;
        }
        self.traces.iter().filter(|(_, time)| time.is_none()).map(|(trace, _)| trace).collect()
    }

    /// Whether `self` is to have no replicas, and nobody has signed for that.
    fn is_emptied_since(&self, before: &Self) -> bool {
        before.is_sized && !self.is_sized && before.generation != self.generation
    }
}

/// The objects of one kind, as they were seen last.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<String, State>);

impl Known {
    /// Notes the state of an object before anything was watched.
    pub(super) fn begin(&mut self, object: &ObjectMeta) {
        if let Some(uid) = &object.uid {
            self.0.insert(uid.clone(), state(object));
        }
    }

    /// Notes a new state of an object; answers who of those not allowed brought it there, each once.
    pub(super) fn see(&mut self, object: &ObjectMeta, allowed: &Allowed) -> Vec<Change> {
        let Some(uid) = object.uid.clone() else { return Vec::new() };
        let after = state(object);
        let before = self.0.get(&uid);
        let mut strangers = BTreeMap::new();
        for (manager, operation, subresource) in after.since(before) {
            if !allowed.has(manager) {
                let (operation, subresource) = (operation.clone().unwrap_or_default(), subresource.clone());
                let change = Change { manager: manager.clone(), operation, subresource };
                strangers.entry(manager.clone()).or_insert(change);
            }
        }
        if strangers.is_empty() && before.is_some_and(|before| after.is_emptied_since(before)) {
            let (operation, subresource) = ("Update".to_owned(), Some("scale".to_owned()));
            strangers.insert(String::new(), Change { manager: String::new(), operation, subresource });
        }
        self.0.insert(uid, after);
        strangers.into_values().collect()
    }

    /// Forgets all that are not `here`, and answers which.
    pub(super) fn missing<'a>(&mut self, here: impl Iterator<Item = &'a ObjectMeta>) -> Vec<ObjectMeta> {
        let here: HashSet<&str> = here.filter_map(|object| object.uid.as_deref()).collect();
        let gone = self.0.extract_if(|uid, _| !here.contains(uid.as_str()));
        gone.map(|(_, state)| state.who).collect()
    }

    /// Forgets an object that is gone.
    pub(super) fn forget(&mut self, object: &ObjectMeta) {
        if let Some(uid) = &object.uid {
            self.0.remove(uid);
        }
    }
}

fn state(object: &ObjectMeta) -> State {
    let trace = |entry: &ManagedFieldsEntry| {
        let manager = entry.manager.clone().unwrap_or_default();
        let time = entry.time.as_ref().map(|time| time.0.to_string());
        ((manager, entry.operation.clone(), entry.subresource.clone()), time)
    };
    let traces = object.managed_fields.iter().flatten().map(trace).collect();
    let (name, uid) = (object.name.clone(), object.uid.clone());
    let who =
        ObjectMeta { name, uid, owner_references: object.owner_references.clone(), ..ObjectMeta::default() };
    State { traces, generation: object.generation, is_sized: !setters(object, "replicas").is_empty(), who }
}

/// UID of the object's controller.
pub(super) fn controller(object: &ObjectMeta) -> Option<String> {
    let mut owners = object.owner_references.iter().flatten();
    owners.find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(uid: &str, entries: &[(&str, &str, Option<&str>)]) -> ObjectMeta {
        let entries: Vec<_> = entries
            .iter()
            .map(|(manager, time, part)| {
                json!({"manager": manager, "operation": "Update", "subresource": part, "time": time})
            })
            .collect();
        serde_json::from_value(json!({"uid": uid, "managedFields": entries})).expect("metadata")
    }

    fn managers(changes: Vec<Change>) -> Vec<String> {
        changes.into_iter().map(|change| change.manager).collect()
    }

    const EARLY: &str = "2026-11-24T10:00:00Z";
    const LATE: &str = "2026-11-24T10:05:00Z";

    type Entries = &'static [(&'static str, &'static str, Option<&'static str>)];

    #[test]
    fn whoever_changed_something_since_and_may_not_is_named() {
        let allowed = Allowed::with(&["Patroni".to_owned()]);
        let before: Entries =
            &[("kubectl-client-side-apply", EARLY, None), ("kubelet", EARLY, Some("status"))];
        let table: [(Entries, &[&str]); 6] = [
            (before, &[]),
            (&[("kubectl-client-side-apply", EARLY, None), ("kubelet", LATE, Some("status"))], &[]),
            (&[("kubectl-client-side-apply", LATE, None)], &["kubectl-client-side-apply"]),
            (&[("kubectl-edit", LATE, None), ("Patroni", LATE, None)], &["kubectl-edit"]),
            // The same hand, another part of the object.
            (&[("kubectl-client-side-apply", EARLY, Some("scale"))], &["kubectl-client-side-apply"]),
            // A manager whose fields another took over.
            (&[("kube-controller-manager", LATE, Some("scale"))], &[]),
        ];
        for (after, expected) in table {
            let mut known = Known::default();
            known.begin(&object("u", before));
            let mut see = || managers(known.see(&object("u", after), &allowed));
            assert_eq!(see(), expected, "{after:?}");
            assert_eq!(see(), [""; 0], "seen once: {after:?}");
        }
    }

    #[test]
    fn whoever_makes_an_object_is_named_too() {
        let mut known = Known::default();
        let allowed = Allowed::with(&[]);
        let see = |known: &mut Known, uid, manager| {
            managers(known.see(&object(uid, &[(manager, LATE, None)]), &allowed))
        };
        assert_eq!(see(&mut known, "u", "helm"), ["helm"]);
        assert_eq!(see(&mut known, "v", "kube-controller-manager"), [""; 0]);
        known.forget(&object("u", &[]));
        assert_eq!(see(&mut known, "u", "helm"), ["helm"]);
    }

    #[test]
    fn a_change_says_how_it_was_made_and_of_which_part() {
        let (mut known, allowed) = (Known::default(), Allowed::with(&[]));
        let changes = known.see(&object("u", &[("kubectl", LATE, Some("scale"))]), &allowed);
        let (manager, operation) = ("kubectl".to_owned(), "Update".to_owned());
        assert_eq!(changes, [Change { manager, operation, subresource: Some("scale".to_owned()) }]);
    }

    #[test]
    fn whoever_scales_again_shows_by_the_generation_alone() {
        let scaled = |manager: &str, generation: i64| -> ObjectMeta {
            let scale = json!({"manager": manager, "operation": "Update", "subresource": "scale"});
            let made = json!({"manager": "helm", "operation": "Update", "time": EARLY});
            let entries = json!([scale, made]);
            serde_json::from_value(json!({"uid": "u", "generation": generation, "managedFields": entries}))
                .expect("metadata")
        };
        let table: [(&str, i64, &[&str]); 6] = [
            ("kubectl", 2, &["kubectl"]),
            ("kubectl", 2, &[]),
            ("kube-controller-manager", 3, &[]),
            ("kube-controller-manager", 4, &[]),
            ("kubectl", 5, &["kubectl"]),
            ("kubectl", 5, &[]),
        ];
        let (mut known, allowed) = (Known::default(), Allowed::with(&[]));
        known.begin(&scaled("kubectl", 1));
        for (manager, generation, expected) in table {
            let changes = managers(known.see(&scaled(manager, generation), &allowed));
            assert_eq!(changes, expected, "{manager} {generation}");
        }
    }

    #[test]
    fn whoever_scales_to_zero_signs_nothing_and_is_told_once() {
        let sized = |by: Option<&str>, generation: i64| -> ObjectMeta {
            let signed = by
                .map(|by| json!({"manager": by, "time": EARLY, "fieldsV1": {"f:spec": {"f:replicas": {}}}}));
            let made = json!({"manager": "kube-controller-manager", "operation": "Update", "time": EARLY});
            let entries: Vec<_> = signed.into_iter().chain([made]).collect();
            serde_json::from_value(json!({"uid": "u", "generation": generation, "managedFields": entries}))
                .expect("metadata")
        };
        let (mut known, allowed) = (Known::default(), Allowed::with(&[]));
        known.begin(&sized(Some("kube-controller-manager"), 1));
        let unsigned = Change {
            manager: String::new(),
            operation: "Update".to_owned(),
            subresource: Some("scale".to_owned()),
        };
        // The number is given up, but stays what it was.
        assert_eq!(known.see(&sized(None, 1), &allowed), []);
        known.begin(&sized(Some("kube-controller-manager"), 1));
        assert_eq!(known.see(&sized(None, 2), &allowed), [unsigned]);
        assert_eq!(known.see(&sized(None, 2), &allowed), []);
        assert_eq!(known.see(&sized(Some("kube-controller-manager"), 3), &allowed), []);
    }

    #[test]
    fn what_is_not_there_any_more_after_a_gap_is_named_once() {
        let mut known = Known::default();
        for uid in ["u", "v", "w"] {
            let name = Some(format!("name of {uid}"));
            let owned = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "u-rs"}]);
            let owner_references = serde_json::from_value(owned).expect("an owner");
            known.begin(&ObjectMeta { name, owner_references, ..object(uid, &[("kubelet", EARLY, None)]) });
        }
        let mut missing = |here: &[&str]| {
            let here: Vec<ObjectMeta> = here.iter().map(|uid| object(uid, &[])).collect();
            known.missing(here.iter())
        };
        assert_eq!(missing(&["u", "v", "w", "x"]), []);
        let gone = missing(&["v", "w"]);
        let told = |it: &ObjectMeta| (it.uid.clone(), it.name.clone(), controller(it));
        let text = |it: &str| Some(it.to_owned());
        let expected = [(text("u"), text("name of u"), None)];
        assert_eq!(gone.iter().map(told).collect::<Vec<_>>(), expected, "an owner that controls it not");
        assert_eq!(missing(&["v", "w"]), []);
        assert_eq!(missing(&[]).len(), 2);
    }

    #[test]
    fn of_several_owners_one_is_the_controller() {
        let one = |uid: &str, is_it| json!({"apiVersion": "v1", "kind": "K", "name": "n", "uid": uid, "controller": is_it});
        let value = json!({"ownerReferences": [one("a", false), one("b", true)]});
        let object: ObjectMeta = serde_json::from_value(value).expect("metadata");
        assert_eq!(controller(&object).as_deref(), Some("b"));
        assert_eq!(controller(&ObjectMeta::default()), None);
    }
}
