//! The faults of a Kubernetes cluster, and the section `kubernetes`.

use std::time::Duration;

use super::components::{Known, store};
use super::duration::Limits;
use super::fields::Fields;
use super::model::{
    KilledBy, Kubernetes, Namespace, NetworkPartition, NodeDrain, Others, PodKill, Pods, Requirement,
    Selector, StoreIndex, Whom,
};
use super::node::Node;
use super::reader::{Checked, Reader};
use super::words::shown;

/// A node sees to it that the containers are gone before the pod is: the look at the pod proves the kill.
const GRACE: Duration = Duration::from_secs(1);
const GRACES: Limits = Limits::secs(0, 3600);
const GONE: Duration = Duration::from_secs(30);
const DRAINED: Duration = Duration::from_mins(2);
const GOING: Limits = Limits::secs(1, 3600);

/// The section `kubernetes`.
pub(super) fn kubernetes(reader: &mut Reader<'_>, node: &Node) -> Checked<Kubernetes> {
    const NAMESPACE: &str = "the namespace of the service, a DNS label such as shop";
    let mut fields = Fields::open(reader, node, "the cluster")?;
    let namespace = fields.require(reader, "namespace", NAMESPACE).and_then(|node| {
        let text = reader.filled(node, NAMESPACE)?;
        Namespace::new(&text.text)
            .ok_or_else(|| reader.fault(text.at, format!("{}; expected {NAMESPACE}", shown(&text.text))))
    });
    let managers = fields.get("managers").map_or(Ok(Vec::new()), |node| {
        const MANAGER: &str = "the name of a field manager such as Patroni";
        reader.list(node, 100, "a list of field managers", |reader, item| {
            Ok(reader.filled(item, MANAGER)?.text.clone())
        })
    });
    fields.close(reader);
    Ok(Kubernetes { namespace: namespace?, managers: managers? })
}

/// The fault `pod_kill`.
pub(super) fn pod_kill(reader: &mut Reader<'_>, node: &Node, known: Known<'_>) -> Checked<PodKill> {
    let mut fields = Fields::open(reader, node, "the pods to kill")?;
    let pods = pods(reader, &mut fields, known);
    let by = fields.get("by").map_or(Ok(KilledBy::Delete), |node| {
        match reader.filled(node, "delete or evict")?.text.as_str() {
            "delete" => Ok(KilledBy::Delete),
            "evict" => Ok(KilledBy::Evict),
            other => Err(reader.fault(node.at(), format!("{}; expected delete or evict", shown(other)))),
        }
    });
    let grace = fields.get("grace");
    let grace =
        reader.duration_or(grace, GRACE, GRACES).and_then(|time| match (time.subsec_nanos(), grace) {
            (1.., Some(node)) => Err(reader.fault(node.at(), "a part of a second; expected whole seconds")),
            _ => Ok(time),
        });
    let ignore_budgets = fields.get("ignore_budgets").map_or(Ok(false), |node| reader.flag(node));
    let timeout = reader.duration_or(fields.get("timeout"), GONE, GOING);
    fields.close(reader);
    Ok(PodKill { pods: pods?, by: by?, grace: grace?, ignore_budgets: ignore_budgets?, timeout: timeout? })
}

/// The fault `network_partition`.
pub(super) fn partition(reader: &mut Reader<'_>, node: &Node, known: Known<'_>) -> Checked<NetworkPartition> {
    let mut fields = Fields::open(reader, node, "the pods to cut off")?;
    let whom = fields.one_of(reader, ["primary_of", "selector"]).and_then(|(key, node)| match key {
        "primary_of" => primary_of(reader, node, known).map(Whom::Primary),
        _ => requirement(reader, node).map(Whom::Pods),
    });
    let from = fields.get("from").map(|node| requirement(reader, node)).transpose();
    let (replaced, port) = (fields.get("replace_policies"), fields.get("port"));
    for (key, node) in [("replace_policies", replaced), ("port", port)] {
        if let (Ok(Some(_)), Some(node)) = (&from, node) {
            let expected = "expected it where the pods are cut off from everybody";
            reader.fault(node.at(), format!("`{key}` beside `from`; {expected}"));
        }
    }
    let replace_policies = replaced.map_or(Ok(false), |node| reader.flag(node));
    let port = port.map(|node| reader.whole(node, 1, u16::MAX)).transpose();
    let timeout = reader.duration_or(fields.get("timeout"), GONE, GOING);
    fields.close(reader);
    Ok(NetworkPartition {
        whom: whom?,
        from: from?,
        replace_policies: replace_policies?,
        port: port?,
        timeout: timeout?,
    })
}

/// The fault `node_drain`.
pub(super) fn drain(reader: &mut Reader<'_>, node: &Node) -> Checked<NodeDrain> {
    let mut fields = Fields::open(reader, node, "the node to drain")?;
    let holding = fields
        .require(reader, "holding", "a label selector of pods: the node with most of them is drained")
        .and_then(|node| selector(reader, node));
    let others = fields.get("others").map_or(Ok(Others::Refuse), |node| {
        match reader.filled(node, "refuse, leave or evict")?.text.as_str() {
            "refuse" => Ok(Others::Refuse),
            "leave" => Ok(Others::Leave),
            "evict" => Ok(Others::Evict),
            other => {
                Err(reader.fault(node.at(), format!("{}; expected refuse, leave or evict", shown(other))))
            }
        }
    });
    let allow_empty_dir = fields.get("allow_empty_dir").map_or(Ok(false), |node| reader.flag(node));
    let allow_bare = fields.get("allow_bare").map_or(Ok(false), |node| reader.flag(node));
    let timeout = reader.duration_or(fields.get("timeout"), DRAINED, GOING);
    fields.close(reader);
    Ok(NodeDrain {
        holding: holding?,
        others: others?,
        allow_empty_dir: allow_empty_dir?,
        allow_bare: allow_bare?,
        timeout: timeout?,
    })
}

fn pods(reader: &mut Reader<'_>, fields: &mut Fields<'_>, known: Known<'_>) -> Checked<Pods> {
    let chosen = fields.one_of(reader, ["primary_of", "selector"]);
    let (count, seed) = (fields.get("count"), fields.get("seed"));
    match chosen? {
        ("primary_of", node) => {
            for (key, node) in [("count", count), ("seed", seed)] {
                if let Some(node) = node {
                    let text = format!("`{key}` beside `primary_of`; expected it beside `selector`");
                    reader.fault(node.at(), text);
                }
            }
            Ok(Pods::Primary(primary_of(reader, node, known)?))
        }
        (_, node) => {
            let selector = selector(reader, node);
            let count = count.map_or(Ok(1), |node| reader.whole(node, 1, 1000));
            let seed = seed.map_or(Ok(0), |node| reader.whole(node, 0, u64::MAX));
            Ok(Pods::Random { selector: selector?, count: count?, seed: seed? })
        }
    }
}

/// A store whose servers can be asked which of them takes writes; each is named as its pod.
pub(super) fn primary_of(reader: &mut Reader<'_>, node: &Node, known: Known<'_>) -> Checked<StoreIndex> {
    let store = store(reader, node, known)?;
    if known.stores.get(store.get()).is_some_and(|store| store.instances.is_empty()) {
        let name = known.store_names[store.get()];
        let text = format!("`primary_of` store `{name}`, which has no `instances`; expected its pods there");
        return Err(reader.fault(node.at(), text));
    }
    Ok(store)
}

/// A label selector.
pub(super) fn selector(reader: &mut Reader<'_>, node: &Node) -> Checked<Selector> {
    const SELECTOR: &str = "a label selector such as app=shop";
    let text = reader.filled(node, SELECTOR)?;
    Selector::new(&text.text)
        .ok_or_else(|| reader.fault(text.at, format!("{}; expected {SELECTOR}", shown(&text.text))))
}

/// Others' pods have a selector too only where there is one requirement.
fn requirement(reader: &mut Reader<'_>, node: &Node) -> Checked<Requirement> {
    const REQUIREMENT: &str = "a label selector of one requirement such as app=shop";
    let text = reader.filled(node, REQUIREMENT)?;
    Requirement::new(&text.text)
        .ok_or_else(|| reader.fault(text.at, format!("{}; expected {REQUIREMENT}", shown(&text.text))))
}
