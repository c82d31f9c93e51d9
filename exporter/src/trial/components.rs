//! The section `components`: what is probed.

use std::time::Duration;

use super::duration::Limits;
use super::fields::{Fields, distinct_names};
use super::model::{Component, ComponentKind, Store, StoreIndex};
use super::node::Node;
use super::reader::{Checked, Reader};
use super::step::{is_path, status};
use super::words::shown;

const PROBE: Duration = Duration::from_millis(50);
/// `members` and `replicas` are polled, which costs more than a probe.
const POLL: Duration = Duration::from_millis(250);
const TIMEOUT: Duration = Duration::from_secs(1);

const INTERVAL: Limits = Limits::millis(10, 60_000);
const ANSWERING: Limits = Limits::millis(1, 60_000);

/// What components and ledgers may refer to.
#[derive(Clone, Copy)]
pub(super) struct Known<'k> {
    /// The stores, in order; none of them where one is faulty.
    pub(super) stores: &'k [Store],
    /// The stores' names as the file has them, in order.
    pub(super) store_names: &'k [&'k str],
    /// Whether something tells which workloads there are.
    pub(super) status: bool,
}

/// The components.
pub(super) fn components(reader: &mut Reader<'_>, node: &Node, known: Known<'_>) -> Checked<Vec<Component>> {
    distinct_names(reader, node, "component");
    reader.list(node, 200, "a list of components", |reader, item| component(reader, item, known))
}

fn component(reader: &mut Reader<'_>, node: &Node, known: Known<'_>) -> Checked<Component> {
    let mut fields = Fields::open(reader, node, "a component")?;
    let name = fields.require(reader, "name", "the component's name").and_then(|node| reader.name(node));
    let chosen = fields.one_of(reader, ["http", "store", "members", "replicas"]);
    let expect = option_of(reader, &mut fields, "expect", "http", chosen);
    let declared = option_of(reader, &mut fields, "declared", "replicas", chosen);
    let kind = chosen.and_then(|(key, node)| match key {
        "http" => http(reader, node, expect),
        "store" => Ok(ComponentKind::Store { store: store(reader, node, known)? }),
        "members" => members(reader, node, known),
        _ => replicas(reader, node, declared, known),
    });
    let default = match chosen {
        Ok(("members" | "replicas", _)) => POLL,
        _ => PROBE,
    };
    if let Ok(("replicas", _)) = chosen {
        polled_with_the_document(reader, &mut fields);
    }
    let interval = reader.duration_or(fields.get("interval"), default, INTERVAL);
    let timeout = reader.duration_or(fields.get("timeout"), TIMEOUT, ANSWERING);
    fields.close(reader);
    Ok(Component::new(name?, kind?, interval?, timeout?).expect("a millisecond at least is read for both"))
}

/// A key that only components of one kind may have.
fn option_of<'n>(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'n>,
    key: &'static str,
    owner: &str,
    chosen: Checked<(&str, &Node)>,
) -> Option<&'n Node> {
    let node = fields.get(key)?;
    match chosen {
        Ok((kind, _)) if kind != owner => {
            reader.fault(node.at(), format!("`{key}` beside `{kind}`; expected it beside `{owner}`"));
            None
        }
        _ => Some(node),
    }
}

/// Replicas are what the status document or the cluster says whenever it is read.
fn polled_with_the_document(reader: &mut Reader<'_>, fields: &mut Fields<'_>) {
    for key in ["interval", "timeout"] {
        if let Some(node) = fields.get(key) {
            let text = "which are looked at every 250ms; expected no such key";
            reader.fault(node.at(), format!("`{key}` beside `replicas`, {text}"));
        }
    }
}

fn http(reader: &mut Reader<'_>, node: &Node, expect: Option<&Node>) -> Checked<ComponentKind> {
    const PATH: &str = "a path of the target such as /healthz";
    let expect = expect.map(|node| status(reader, node)).transpose();
    let path = reader.filled(node, PATH)?;
    if !is_path(&path.text) {
        return Err(reader.fault(path.at, format!("{}; expected {PATH}", shown(&path.text))));
    }
    Ok(ComponentKind::Http { path: path.text.clone(), expect: expect? })
}

pub(super) fn store(reader: &mut Reader<'_>, node: &Node, known: Known<'_>) -> Checked<StoreIndex> {
    let (place, count) = (reader.reference(node, "store", known.store_names)?, known.store_names.len());
    Ok(StoreIndex::new(place, count).expect("a name that is found has its place in the list"))
}

fn members(reader: &mut Reader<'_>, node: &Node, known: Known<'_>) -> Checked<ComponentKind> {
    let store = store(reader, node, known)?;
    if known.stores.get(store.get()).is_some_and(|store| store.instances.is_empty()) {
        let name = known.store_names[store.get()];
        let text = format!("`members` of store `{name}`, which has no `instances`; expected some there");
        return Err(reader.fault(node.at(), text));
    }
    Ok(ComponentKind::Members { store })
}

fn replicas(
    reader: &mut Reader<'_>,
    node: &Node,
    declared: Option<&Node>,
    known: Known<'_>,
) -> Checked<ComponentKind> {
    let declared = declared.map(|node| reader.whole(node, 1, 100_000)).transpose();
    let workload = reader.filled(node, "the name of a workload")?;
    if !known.status {
        let text = "`replicas` in a trial without `kubernetes` or `status`; expected the cluster, or the URL of the \
                    document that lists workloads";
        return Err(reader.fault(node.at(), text));
    }
    Ok(ComponentKind::Replicas { workload: workload.text.clone(), declared: declared? })
}
