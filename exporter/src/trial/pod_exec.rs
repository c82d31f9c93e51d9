//! The fault `pod_exec`: commands that run in a pod.

use std::time::Duration;

use super::components::Known;
use super::duration::Limits;
use super::fields::Fields;
use super::model::{NonEmpty, OnePod, PodExec, PodName};
use super::node::Node;
use super::pods::{primary_of, selector};
use super::reader::{Checked, Reader};
use super::words::shown;

const COMMAND: Duration = Duration::from_secs(30);
const RUNNING: Limits = Limits::secs(1, 3600);

/// The fault `pod_exec`.
pub(super) fn pod_exec(reader: &mut Reader<'_>, node: &Node, known: Known<'_>) -> Checked<PodExec> {
    let mut fields = Fields::open(reader, node, "the commands in a pod")?;
    let pod = pod(reader, &mut fields, known);
    let container = fields
        .get("container")
        .map(|node| reader.filled(node, "the container's name").map(|text| text.text.clone()))
        .transpose();
    let inject = fields
        .require(reader, "inject", "a command that breaks the pod, as a list of words")
        .and_then(|node| words(reader, node));
    let bit = fields.get("bit").map(|node| words(reader, node)).transpose();
    let revert = fields.get("revert").map(|node| words(reader, node)).transpose();
    let timeout = reader.duration_or(fields.get("timeout"), COMMAND, RUNNING);
    fields.close(reader);
    Ok(PodExec {
        pod: pod?,
        container: container?,
        inject: inject?,
        bit: bit?,
        revert: revert?,
        timeout: timeout?,
    })
}

fn pod(reader: &mut Reader<'_>, fields: &mut Fields<'_>, known: Known<'_>) -> Checked<OnePod> {
    let chosen = fields.one_of(reader, ["pod", "primary_of", "selector"]);
    let seed = fields.get("seed");
    match chosen? {
        ("selector", node) => {
            let selector = selector(reader, node);
            let seed = seed.map_or(Ok(0), |node| reader.whole(node, 0, u64::MAX));
            Ok(OnePod::Drawn { selector: selector?, seed: seed? })
        }
        (key, node) => {
            if let Some(seed) = seed {
                let text = format!("`seed` beside `{key}`; expected it beside `selector`");
                reader.fault(seed.at(), text);
            }
            if key == "pod" {
                named(reader, node)
            } else {
                primary_of(reader, node, known).map(OnePod::Primary)
            }
        }
    }
}

fn named(reader: &mut Reader<'_>, node: &Node) -> Checked<OnePod> {
    const NAME: &str = "the name of a pod such as postgres-0";
    let text = reader.filled(node, NAME)?;
    PodName::new(&text.text)
        .map(OnePod::Named)
        .ok_or_else(|| reader.fault(text.at, format!("{}; expected {NAME}", shown(&text.text))))
}

/// A program of the container's image and its arguments, as they are.
fn words(reader: &mut Reader<'_>, node: &Node) -> Checked<NonEmpty<String>> {
    const WORDS: &str = "a command as a list of words, such as [kill, -STOP, \"1\"]";
    reader.filled_list(node, 100, WORDS, |reader, item| {
        let text = reader.filled(item, "a word")?;
        if text.text.contains('\0') {
            return Err(reader.fault(text.at, "a word with a NUL character; expected none"));
        }
        Ok(text.text.clone())
    })
}
