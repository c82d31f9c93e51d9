//! What controllers tell by events of the pods and Jobs that they deleted. Pure.

use std::collections::HashMap;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event;

use super::POD;
use super::owners::Owner;
use crate::cluster::seen::Object;

/// A controller's word that it deleted something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// What that is.
    pub(super) kind: &'static str,
    /// Its name.
    pub(super) name: String,
    /// The controller's UID, where it is a `ReplicaSet`.
    pub(super) set: Option<String>,
    /// It went for a taint of its node: whoever set that is to be asked.
    pub(super) by_taint: bool,
}

impl Word {
    /// Whether it may be about this object.
    pub(super) fn is_of(&self, object: &Object) -> bool {
        (self.kind, &self.name) == (object.kind.as_str(), &object.name)
    }
}

/// The state of each event that is there, by UID: one that comes again is the same object in another state.
#[derive(Debug, Default)]
pub(super) struct Heard(HashMap<String, Option<String>>);

impl Heard {
    /// Notes the state of an event; says whether it is news.
    pub(super) fn hear(&mut self, event: &Event) -> bool {
        let uid = event.metadata.uid.clone().unwrap_or_default();
        let version = event.metadata.resource_version.clone();
        self.0.insert(uid, version.clone()) != Some(version)
    }

    /// Forgets an event that is gone.
    pub(super) fn forget(&mut self, event: &Event) {
        self.0.remove(event.metadata.uid.as_deref().unwrap_or_default());
    }
}

/// What a controller says that it deleted, or that is evicted for what its node lacks: `SuccessfulDelete` has its name
/// in the message, an event of the pod itself in what it is about.
pub(super) fn deleted_by_controller(event: &Event) -> Option<Word> {
    let (about, message) = (&event.involved_object, event.message.as_deref().unwrap_or_default());
    let kind = about.kind.as_deref();
    let itself = |by_taint| Some(Word { kind: POD, name: about.name.clone()?, set: None, by_taint });
    match event.reason.as_deref()? {
        // "Deleted pod: NAME", "delete Pod NAME in StatefulSet … successful", "Deleted job NAME".
        "SuccessfulDelete" => {
            let kind_told = if kind == Some("CronJob") { Job::KIND } else { POD };
            let mut words = message.split_whitespace();
            words.find(|word| word.trim_end_matches(':').eq_ignore_ascii_case(kind_told))?;
            let set = about.uid.clone().filter(|_| kind == Some(ReplicaSet::KIND));
            Some(Word { kind: kind_told, name: words.next()?.to_owned(), set, by_taint: false })
        }
        // It is called off: "Cancelling deletion of Pod NAMESPACE/NAME".
        "TaintManagerEviction" if message.starts_with("Cancel") => None,
        "TaintManagerEviction" => itself(true),
        "Preempted" => itself(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn controllers_tell_what_they_deleted() {
        let event = |kind: &str, reason: &str, message: &str| {
            let value = json!({"metadata": {}, "reason": reason, "message": message,
                "involvedObject": {"kind": kind, "name": "shop-9", "uid": "u"}});
            deleted_by_controller(&serde_json::from_value(value).expect("an event"))
        };
        let word = |name: &str, set: Option<&str>| {
            let (name, set) = (name.to_owned(), set.map(str::to_owned));
            Some(Word { kind: POD, name, set, by_taint: false })
        };
        let tainted = word("shop-9", None).map(|word| Word { by_taint: true, ..word });
        let job = word("nightly-1", None).map(|word| Word { kind: "Job", ..word });
        let (set, done, taint) = ("ReplicaSet", "SuccessfulDelete", "TaintManagerEviction");
        let table = [
            ((set, done, "Deleted pod: shop-1"), word("shop-1", Some("u"))),
            (
                ("StatefulSet", done, "delete Pod redis-2 in StatefulSet redis successful"),
                word("redis-2", None),
            ),
            ((set, done, "(combined from similar events): Deleted pod: shop-3"), word("shop-3", Some("u"))),
            (("Job", done, "Deleted pod: nightly-1-x"), word("nightly-1-x", None)),
            (("CronJob", done, "Deleted job nightly-1"), job),
            (("Pod", taint, "Marking for deletion Pod shop/shop-9"), tainted),
            (("Pod", taint, "Cancelling deletion of Pod shop/shop-9"), None),
            (("Pod", "Preempted", "Preempted by pod x on node n1"), word("shop-9", None)),
            (("Pod", "Killing", "Stopping container shop"), None),
            ((set, done, "all gone"), None),
        ];
        for ((kind, reason, message), expected) in table {
            assert_eq!(event(kind, reason, message), expected, "{message}");
        }
    }

    #[test]
    fn an_event_is_news_in_each_of_its_states_once() {
        let event = |uid: &str, version: &str| -> Event {
            serde_json::from_value(json!({"metadata": {"uid": uid, "resourceVersion": version},
                "involvedObject": {}}))
            .expect("an event")
        };
        let mut heard = Heard::default();
        let table =
            [("a", "1", true), ("a", "1", false), ("b", "1", true), ("a", "2", true), ("a", "2", false)];
        for (uid, version, news) in table {
            assert_eq!(heard.hear(&event(uid, version)), news, "{uid} {version}");
        }
        heard.forget(&event("a", "2"));
        assert!(heard.hear(&event("a", "2")));
    }
}
