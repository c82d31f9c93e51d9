//! What controllers tell by events of the pods that they deleted. Pure.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::Event;

/// A controller's word that it deleted a pod.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// The pod's name.
    pub(super) pod: String,
    /// The controller's UID, where it is a `ReplicaSet`.
    pub(super) set: Option<String>,
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

/// The pod that a controller says it deleted, or that is evicted for what its node lacks: `SuccessfulDelete` has its
/// name in the message, an event of the pod itself in what it is about.
pub(super) fn deleted_by_controller(event: &Event) -> Option<Word> {
    let (about, message) = (&event.involved_object, event.message.as_deref().unwrap_or_default());
    match event.reason.as_deref()? {
        // "Deleted pod: NAME", "delete Pod NAME in StatefulSet … successful".
        "SuccessfulDelete" => {
            let mut words = message.split_whitespace();
            words.find(|word| word.trim_end_matches(':').eq_ignore_ascii_case("pod"))?;
            let set = about.uid.clone().filter(|_| about.kind.as_deref() == Some("ReplicaSet"));
            Some(Word { pod: words.next()?.to_owned(), set })
        }
        // It is called off: "Cancelling deletion of Pod NAMESPACE/NAME".
        "TaintManagerEviction" if message.starts_with("Cancel") => None,
        "TaintManagerEviction" | "Preempted" => Some(Word { pod: about.name.clone()?, set: None }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn controllers_tell_which_pods_they_deleted() {
        let event = |kind: &str, reason: &str, message: &str| {
            let value = json!({"metadata": {}, "reason": reason, "message": message,
                "involvedObject": {"kind": kind, "name": "shop-9", "uid": "u"}});
            deleted_by_controller(&serde_json::from_value(value).expect("an event"))
        };
        let (set, done) = ("ReplicaSet", "SuccessfulDelete");
        let table = [
            ((set, done, "Deleted pod: shop-1"), Some(("shop-1", Some("u")))),
            (
                ("StatefulSet", done, "delete Pod redis-2 in StatefulSet redis successful"),
                Some(("redis-2", None)),
            ),
            ((set, done, "(combined from similar events): Deleted pod: shop-3"), Some(("shop-3", Some("u")))),
            (("Pod", "TaintManagerEviction", "Marking for deletion Pod shop/shop-9"), Some(("shop-9", None))),
            (("Pod", "TaintManagerEviction", "Cancelling deletion of Pod shop/shop-9"), None),
            (("Pod", "Preempted", "Preempted by pod x on node n1"), Some(("shop-9", None))),
            (("Pod", "Killing", "Stopping container shop"), None),
            ((set, done, "all gone"), None),
        ];
        for ((kind, reason, message), expected) in table {
            let expected =
                expected.map(|(pod, set)| Word { pod: pod.to_owned(), set: set.map(str::to_owned) });
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
