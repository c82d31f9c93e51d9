//! Incidents that events tell of. Pure.
//!
//! An event that comes again is the same object with a higher count.

use std::collections::{HashMap, HashSet};

use k8s_openapi::api::core::v1::Event;

use crate::cluster::seen::{Incident, IncidentKind, Object};

/// How often each event came, by its UID.
#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<String, u64>);

impl Counts {
    /// Notes the state of an event; answers what it tells of, and how often that came since the last state.
    pub(super) fn see(&mut self, event: &Event) -> Option<(Incident, u64)> {
        let incident = incident(event)?;
        let known = self.0.entry(event.metadata.uid.clone()?).or_default();
        let (before, now) = (*known, count(event).max(*known));
        *known = now;
        (now > before).then(|| (incident, now - before))
    }

    /// Forgets an event that is gone.
    pub(super) fn forget(&mut self, event: &Event) {
        self.0.remove(event.metadata.uid.as_deref().unwrap_or_default());
    }

    /// Forgets all but `events`.
    pub(super) fn keep(&mut self, events: &[Event]) {
        let here: HashSet<&str> = events.iter().filter_map(|event| event.metadata.uid.as_deref()).collect();
        self.0.retain(|uid, _| here.contains(uid.as_str()));
    }
}

fn count(event: &Event) -> u64 {
    let series = event.series.as_ref().and_then(|series| series.count);
    let count = series.into_iter().chain(event.count).max().unwrap_or(1);
    u64::try_from(count).unwrap_or(1)
}

fn incident(event: &Event) -> Option<Incident> {
    let (reason, said) = (event.reason.as_deref()?, event.message.as_deref().unwrap_or_default());
    let (kind, what) = match reason {
        "Unhealthy" => (IncidentKind::FailedProbe, probe(said)),
        "BackOff" if said.contains("image") => (IncidentKind::BackOff, "image"),
        "BackOff" => (IncidentKind::BackOff, "restart"),
        // It is called off.
        "TaintManagerEviction" if said.starts_with("Cancel") => return None,
        "Evicted" | "TaintManagerEviction" | "Preempted" => (IncidentKind::Eviction, reason),
        "OOMKilling" | "SystemOOM" => (IncidentKind::OomKill, reason),
        "FailedScheduling" => (IncidentKind::FailedScheduling, reason),
        _ => return None,
    };
    let about = &event.involved_object;
    Some(Incident {
        kind,
        object: Object {
            kind: about.kind.clone().unwrap_or_default(),
            name: about.name.clone().unwrap_or_default(),
            uid: about.uid.clone().unwrap_or_default(),
        },
        container: about.field_path.as_deref().and_then(container),
        what: what.to_owned(),
        said: said.trim().to_owned(),
    })
}

/// Which probe it was, by what the node says of it.
fn probe(said: &str) -> &'static str {
    let kinds = [("Readiness", "readiness"), ("Liveness", "liveness"), ("Startup", "startup")];
    let said_of = |(word, _): &(&str, &str)| said.contains(&format!("{word} probe"));
    kinds.into_iter().find(said_of).map_or("probe", |(_, kind)| kind)
}

/// The name in `spec.containers{NAME}`.
fn container(path: &str) -> Option<String> {
    let (_, rest) = path.split_once('{')?;
    Some(rest.strip_suffix('}')?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(reason: &str, message: &str, more: Value) -> Event {
        let mut value = json!({"metadata": {"uid": "e-1"}, "reason": reason, "message": message,
            "involvedObject": {"kind": "Pod", "name": "shop-1", "uid": "u-1",
                "fieldPath": "spec.containers{shop}"}});
        let Value::Object(more) = more else { panic!("an object") };
        value.as_object_mut().expect("an object").extend(more);
        serde_json::from_value(value).expect("an event")
    }

    #[test]
    fn events_tell_of_probes_back_offs_evictions_and_pods_without_a_node() {
        let table = [
            ("Unhealthy", "Readiness probe failed: HTTP 503", Some("FailedProbe readiness")),
            ("Unhealthy", "Liveness probe errored: timeout", Some("FailedProbe liveness")),
            ("Unhealthy", "Startup probe failed: ", Some("FailedProbe startup")),
            (
                "Unhealthy",
                "(combined from similar events): Readiness probe failed: 7",
                Some("FailedProbe readiness"),
            ),
            ("BackOff", "Back-off restarting failed container shop in pod shop-1", Some("BackOff restart")),
            ("BackOff", "Back-off pulling image \"shop:9\"", Some("BackOff image")),
            ("Evicted", "The node was low on resource: memory.", Some("Eviction Evicted")),
            (
                "TaintManagerEviction",
                "Marking for deletion Pod shop/shop-1",
                Some("Eviction TaintManagerEviction"),
            ),
            ("TaintManagerEviction", "Cancelling deletion of Pod shop/shop-1", None),
            ("OOMKilling", "Memory cgroup out of memory", Some("OomKill OOMKilling")),
            ("FailedScheduling", "0/3 nodes are available", Some("FailedScheduling FailedScheduling")),
            ("Killing", "Container shop failed liveness probe, will be restarted", None),
            ("Scheduled", "Successfully assigned", None),
        ];
        for (reason, message, expected) in table {
            let told = incident(&event(reason, message, json!({})));
            let told = told.map(|it| {
                assert_eq!((it.said.as_str(), it.container.as_deref()), (message.trim(), Some("shop")));
                assert_eq!((it.object.to_string().as_str(), it.object.uid.as_str()), ("Pod shop-1", "u-1"));
                format!("{:?} {}", it.kind, it.what)
            });
            assert_eq!(told.as_deref(), expected, "{message}");
        }
    }

    #[test]
    fn an_event_that_comes_again_counts_by_as_much_as_its_count_grew() {
        let seen = |more: Value| event("Unhealthy", "Readiness probe failed", more);
        let mut counts = Counts::default();
        let table = [
            (json!({"count": 3}), Some(3)),
            (json!({"count": 3}), None),
            (json!({"count": 500}), Some(497)),
            (json!({"series": {"count": 502}}), Some(2)),
        ];
        for (more, expected) in table {
            let told = counts.see(&seen(more.clone())).map(|(_, count)| count);
            assert_eq!(told, expected, "{more}");
        }
        counts.keep(&[seen(json!({}))]);
        assert_eq!(counts.see(&seen(json!({"count": 502}))), None);
        counts.keep(&[]);
        assert!(counts.see(&seen(json!({}))).is_some_and(|(_, count)| count == 1));
        counts.forget(&seen(json!({})));
        assert!(counts.see(&seen(json!({}))).is_some());
    }
}
