//! The section `experiments`: what is broken, in order.

use std::time::Duration;

use super::components::Known;
use super::duration::Limits;
use super::fields::{Fields, distinct, distinct_names};
use super::model::{Component, ComponentIndex, ComponentKind, ExecFault, Experiment, Fault, NonEmpty};
use super::node::Node;
use super::pod_exec::pod_exec;
use super::pods::{drain, partition, pod_kill};
use super::reader::{Checked, Reader};

const DEADLINE: Duration = Duration::from_mins(5);
const COMMAND: Duration = Duration::from_secs(30);
/// A day: longer is a slip.
const RECOVERING: Limits = Limits::secs(1, 24 * 3600);
const HOLDING: Limits = Limits::secs(0, 24 * 3600);
const RUNNING: Limits = Limits::millis(100, 3_600_000);

/// The components that an experiment may list.
#[derive(Clone, Copy)]
pub(super) struct Listed<'k> {
    /// The components, in order; none of them where one is faulty.
    pub(super) components: &'k [Component],
    /// Their names as the file has them, in order.
    pub(super) names: &'k [&'k str],
    /// The stores.
    pub(super) stores: Known<'k>,
    /// Whether the service runs on Kubernetes.
    pub(super) kubernetes: bool,
}

/// The experiments.
pub(super) fn experiments(
    reader: &mut Reader<'_>,
    node: &Node,
    known: Listed<'_>,
) -> Checked<Vec<Experiment>> {
    distinct_names(reader, node, "experiment");
    reader.list(node, 200, "a list of experiments", |reader, item| experiment(reader, item, known))
}

fn experiment(reader: &mut Reader<'_>, node: &Node, known: Listed<'_>) -> Checked<Experiment> {
    let mut fields = Fields::open(reader, node, "an experiment")?;
    let name = fields.require(reader, "name", "the experiment's name").and_then(|node| reader.name(node));
    let components = fields
        .require(reader, "components", "a list of the components that must recover")
        .and_then(|node| components(reader, node, known.names));
    let deadline = reader.duration_or(fields.get("deadline"), DEADLINE, RECOVERING);
    let hold_node = fields.get("hold");
    let hold = reader.duration_or(hold_node, Duration::ZERO, HOLDING);
    let replaced_node = fields.get("replaced");
    let replaced = replaced_node.map_or(Ok(false), |node| reader.flag(node));
    let chosen = fields.one_of(reader, ["exec", "network_partition", "node_drain", "pod_exec", "pod_kill"]);
    let fault = chosen.and_then(|(key, node)| fault(reader, key, node, known));
    fields.close(reader);
    let (fault, hold) = (fault?, hold?);
    if let Some(node) = hold_node.filter(|_| !fault.is_reverted() && !hold.is_zero()) {
        let text = match &fault {
            Fault::Exec(_) => "`hold` where `exec` has no `revert`; expected a command that ends the fault",
            Fault::PodExec(_) => {
                "`hold` where `pod_exec` has no `revert`; expected a command that ends the fault"
            }
            Fault::PodKill(_) | Fault::Partition(_) | Fault::Drain(_) => {
                "`hold` of a fault that is not put back; expected no such key"
            }
        };
        return Err(reader.fault(node.at(), text));
    }
    let (components, replaced) = (components?, replaced?);
    if let Some(node) = replaced_node.filter(|_| replaced && lacks_replicas(&components, known)) {
        let text = "`replaced` without `replicas`; expected such a component in `components`";
        return Err(reader.fault(node.at(), text));
    }
    Ok(Experiment { name: name?, fault, components, deadline: deadline?, hold, replaced })
}

/// The fault of a kind, which its key tells.
fn fault(reader: &mut Reader<'_>, key: &str, node: &Node, known: Listed<'_>) -> Checked<Fault> {
    if key == "exec" {
        return exec(reader, node).map(Fault::Exec);
    }
    let fault = match key {
        "pod_kill" => pod_kill(reader, node, known.stores).map(Fault::PodKill),
        "pod_exec" => pod_exec(reader, node, known.stores).map(Fault::PodExec),
        "network_partition" => partition(reader, node, known.stores).map(Fault::Partition),
        _ => drain(reader, node).map(Fault::Drain),
    };
    if !known.kubernetes {
        let text = format!("`{key}` in a trial without `kubernetes`; expected the service's namespace there");
        return Err(reader.fault(node.at(), text));
    }
    fault
}

fn lacks_replicas(listed: &[ComponentIndex], known: Listed<'_>) -> bool {
    let is_replicas = |component: &Component| matches!(component.kind, ComponentKind::Replicas { .. });
    !known.components.is_empty() && !listed.iter().any(|index| is_replicas(&known.components[index.get()]))
}

fn components(reader: &mut Reader<'_>, node: &Node, names: &[&str]) -> Checked<NonEmpty<ComponentIndex>> {
    let mut listed = Vec::new();
    let indices =
        reader.filled_list(node, 200, "at least one component that must recover", |reader, item| {
            let index = reader.reference(item, "component", names)?;
            listed.push((names[index], item.at()));
            Ok(ComponentIndex::new(index, names.len()).expect("a name that is found has its place"))
        });
    distinct(reader, "mention of component", listed.into_iter());
    indices
}

fn exec(reader: &mut Reader<'_>, node: &Node) -> Checked<ExecFault> {
    let mut fields = Fields::open(reader, node, "the commands")?;
    let target = fields
        .require(reader, "target", "a command that prints the targets, one a line")
        .and_then(|node| command(reader, node));
    let inject = fields
        .require(reader, "inject", "a command that breaks the targets")
        .and_then(|node| command(reader, node));
    let bit = fields.get("bit").map(|node| command(reader, node)).transpose();
    let revert = fields.get("revert").map(|node| command(reader, node)).transpose();
    let timeout = reader.duration_or(fields.get("timeout"), COMMAND, RUNNING);
    fields.close(reader);
    Ok(ExecFault { target: target?, inject: inject?, bit: bit?, revert: revert?, timeout: timeout? })
}

/// A shell command; its own `$` and `${…}` are the shell's.
fn command(reader: &mut Reader<'_>, node: &Node) -> Checked<String> {
    let text = reader.filled(node, "a shell command")?;
    if text.text.contains('\0') {
        return Err(reader.fault(text.at, "a command with a NUL character; expected none"));
    }
    Ok(text.text.clone())
}
