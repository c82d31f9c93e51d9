//! Who changed an object, by what the API server notes with it. Pure.
//!
//! `managedFields` say who set which fields, and when, to the second. A client chooses the name that it goes by, and
//! neither a deletion nor a command run in a pod is noted there. A change by way of a scale has no time: whoever scales
//! again shows only by the object's generation.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};

use super::super::MANAGER;
use crate::clock::Moment;
use crate::cluster::seen::Object;

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
}

/// One manager's latest change of one part of an object.
type Trace = (String, Option<String>, Option<String>);

/// Who changed an object, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// By what name it goes.
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
            if !allowed.0.contains(manager) {
                let (operation, subresource) = (operation.clone().unwrap_or_default(), subresource.clone());
                let change = Change { manager: manager.clone(), operation, subresource };
                strangers.entry(manager.clone()).or_insert(change);
            }
        }
        self.0.insert(uid, after);
        strangers.into_values().collect()
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
    State { traces, generation: object.generation }
}

/// A pod that is gone, and nobody has said yet why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) pod: Object,
    /// When that was seen.
    pub(super) at: Moment,
}

/// Pods that went, and what accounts for that.
#[derive(Debug, Default)]
pub(super) struct Departures {
    /// Those not yet accounted for.
    waiting: Vec<Gone>,
    /// UIDs of all that went: a pod is on its way out first and gone later, which is one departure.
    known: HashSet<String>,
    /// Names of pods that controllers say they deleted, and when they said so, whose departure is not seen yet. Each
    /// accounts for one: a pod of a StatefulSet has its name from the one before it.
    told: Vec<(String, Moment)>,
}

impl Departures {
    /// A controller says, at `at`, that it deleted the pod of this name.
    pub(super) fn explain(&mut self, pod: &str, at: Moment) {
        match self.waiting.iter().position(|gone| gone.pod.name == pod) {
            Some(place) => drop(self.waiting.remove(place)),
            None => self.told.push((pod.to_owned(), at)),
        }
    }

    /// A pod is gone, or on its way out.
    pub(super) fn add(&mut self, gone: Gone) {
        if !self.known.insert(gone.pod.uid.clone()) {
            return;
        }
        match self.told.iter().position(|(name, _)| *name == gone.pod.name) {
            Some(place) => drop(self.told.remove(place)),
            None => self.waiting.push(gone),
        }
    }

    /// Pods whose departure is older than `patience` and accounted for neither by a controller nor by `ours`.
    pub(super) fn unexplained(
        &mut self,
        now: Moment,
        patience: Duration,
        ours: impl Fn(&str) -> bool,
    ) -> Vec<Gone> {
        self.told.retain(|(_, at)| now.since(*at) <= patience);
        self.waiting.retain(|gone| !ours(&gone.pod.uid));
        let (late, waiting) = self.waiting.drain(..).partition(|gone| now.since(gone.at) > patience);
        self.waiting = waiting;
        late
    }
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
    fn a_pod_that_went_by_nobodys_word_is_told_once_after_a_while() {
        let seconds = Duration::from_secs;
        let gone = |name: &str, at| {
            let (kind, uid) = ("Pod".to_owned(), format!("u-{name}"));
            Gone { pod: Object { kind, name: name.to_owned(), uid }, at: Moment(seconds(at)) }
        };
        let mut departures = Departures::default();
        for pod in ["scaled", "killed", "deleted", "deleted"] {
            departures.add(gone(pod, 10));
        }
        departures.add(gone("late", 14));
        departures.explain("scaled", Moment(seconds(11)));
        let mut ask = |now| {
            let told = departures.unexplained(Moment(seconds(now)), seconds(5), |uid| uid == "u-killed");
            told.into_iter().map(|gone| gone.pod.name).collect::<Vec<_>>()
        };
        assert_eq!(ask(15), [""; 0]);
        assert_eq!(ask(16), ["deleted"]);
        assert_eq!(ask(20), ["late"]);
        assert_eq!(ask(60), [""; 0]);
    }

    #[test]
    fn a_word_of_a_controller_accounts_for_one_departure_and_a_pod_departs_once() {
        let (at, name) = (|it| Moment(Duration::from_secs(it)), "redis-0");
        let gone = |uid: &str, seconds| {
            let (kind, name, uid) = ("Pod".to_owned(), name.to_owned(), uid.to_owned());
            Gone { pod: Object { kind, name, uid }, at: at(seconds) }
        };
        let mut departures = Departures::default();
        // The word comes before the pod is seen to go, and is used up.
        departures.explain(name, at(1));
        departures.add(gone("u-1", 2));
        let late = |departures: &mut Departures, now| {
            let late = departures.unexplained(at(now), Duration::from_secs(5), |_| false);
            late.into_iter().map(|gone| gone.pod.uid).collect::<Vec<_>>()
        };
        assert_eq!(late(&mut departures, 20), [""; 0]);
        // On its way out, told, and then gone.
        departures.add(gone("u-2", 21));
        assert_eq!(late(&mut departures, 30), ["u-2"]);
        departures.add(gone("u-2", 50));
        assert_eq!(late(&mut departures, 60), [""; 0]);
        // An old word accounts for nothing that comes later.
        departures.explain(name, at(60));
        assert_eq!(late(&mut departures, 70), [""; 0]);
        departures.add(gone("u-3", 71));
        assert_eq!(late(&mut departures, 80), ["u-3"]);
    }
}
