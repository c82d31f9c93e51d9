//! From a file to a checked trial.

use std::fs::FileType;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;

use super::components::{Known, components};
use super::duration::{Limits, Written};
use super::experiments::{Listed, experiments};
use super::faults::{Fault, Faults, Place};
use super::fields::{Fields, names};
use super::ledgers::ledgers;
use super::load::load;
use super::model::{BLIND_PROBES, Component, Name, Secrets, StatusSource, Store, Trial};
use super::node::{self, Node};
use super::pods::kubernetes;
use super::reader::{Checked, Reader};
use super::secrets::Environment;
use super::stores::stores;
use super::target::{http_url, target};

/// A trial is written by hand; what is larger is not one.
const MOST_BYTES: u64 = 1 << 20;

const AFTER: Duration = Duration::from_secs(30);
const SETTLE: Duration = Duration::from_mins(1);
const COOLDOWN: Duration = Duration::from_mins(5);
const PHASE: Limits = Limits::secs(0, 24 * 3600);
/// Without any, health would be final before a fault could show.
const HOLDS: Limits = Limits::secs(1, 24 * 3600);

/// Reads and checks the trial file at `path`.
pub fn read(path: &Path, environment: &dyn Environment) -> Result<Trial, Faults> {
    match read_bytes(path) {
        Ok(bytes) => match std::str::from_utf8(&bytes) {
            Ok(text) => parse(text, path, environment),
            Err(error) => {
                let place = end_of(&String::from_utf8_lossy(&bytes[..error.valid_up_to()]));
                Err(one(path, Some(place), "not text; expected a YAML file in UTF-8".to_owned()))
            }
        },
        Err(error) => Err(one(path, None, format!("cannot be read: {error}; expected a trial file"))),
    }
}

/// Checks `text`, the content of the trial file at `path`.
pub fn parse(text: &str, path: &Path, environment: &dyn Environment) -> Result<Trial, Faults> {
    let root = match node::parse(text) {
        Ok(Some(root)) if !root.is_null() => root,
        Ok(_) => {
            let text = "an empty file; expected a mapping with `target` and `load`".to_owned();
            return Err(one(path, Some(Place::START), text));
        }
        Err(fault) => return Err(Faults::new(path, vec![fault])),
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut reader = Reader::new(environment, folder);
    let trial = trial(&mut reader, &root, path);
    let faults = reader.into_faults();
    match trial {
        Ok(trial) if faults.is_empty() => Ok(trial),
        _ => Err(Faults::new(path, faults)),
    }
}

/// The text of a file that is not too large.
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_bytes(path)?).map_err(|_| io::Error::other("not text in UTF-8"))
}

/// Looks before it opens: a pipe that nobody writes to would keep us waiting, and a device may never end.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    if let Some(what) = irregular(std::fs::metadata(path)?.file_type()) {
        return Err(io::Error::other(format!("{what}, where only regular files are read")));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other(format!("larger than {} KiB", MOST_BYTES >> 10)));
    }
    Ok(bytes)
}

/// What a file is that is none of the regular ones.
fn irregular(kind: FileType) -> Option<&'static str> {
    let kinds = [
        (kind.is_dir(), "a folder"),
        (kind.is_fifo(), "a pipe"),
        (kind.is_socket(), "a socket"),
        (kind.is_char_device() || kind.is_block_device(), "a device"),
        (!kind.is_file(), "no file"),
    ];
    kinds.into_iter().find_map(|(is, what)| is.then_some(what))
}

fn one(path: &Path, place: Option<Place>, text: String) -> Faults {
    Faults::new(path, vec![Fault { place, text }])
}

fn end_of(text: &str) -> Place {
    let last = text.rsplit('\n').next().unwrap_or_default();
    Place { line: 1 + text.matches('\n').count(), column: 1 + last.chars().count() }
}

fn trial(reader: &mut Reader<'_>, root: &Node, path: &Path) -> Checked<Trial> {
    let mut fields = Fields::open(reader, root, "the trial")?;
    let name = fields.get("name").map_or_else(|| Ok(default_name(path)), |node| reader.name(node));
    let target = fields
        .require(reader, "target", "the URL of the service under load")
        .and_then(|node| target(reader, node));
    let load = fields.require(reader, "load", "users and their tasks").and_then(|node| load(reader, node));
    let status = status(reader, &mut fields);
    let kubernetes = !matches!(status, Ok(None | Some(StatusSource::Document(_))));
    let stores_node = fields.get("stores");
    let stores = stores_node.map_or(Ok(Vec::new()), |node| stores(reader, node, kubernetes));
    let store_names = stores_node.map(names).unwrap_or_default();
    let readable: &[Store] = stores.as_deref().unwrap_or_default();
    let known = Known { stores: readable, store_names: &store_names, status: !matches!(status, Ok(None)) };
    let components_node = fields.get("components");
    let components = components_node.map_or(Ok(Vec::new()), |node| components(reader, node, known));
    let ledgers = fields.get("ledgers").map_or(Ok(Vec::new()), |node| ledgers(reader, node, known));
    let component_names = components_node.map(names).unwrap_or_default();
    let listed = Listed {
        components: components.as_deref().unwrap_or_default(),
        names: &component_names,
        stores: known,
        kubernetes,
    };
    let experiments =
        fields.get("experiments").map_or(Ok(Vec::new()), |node| experiments(reader, node, listed));
    let after = reader.duration_or(fields.get("after"), AFTER, PHASE);
    let settle_node = fields.get("settle");
    let settle = reader.duration_or(settle_node, SETTLE, HOLDS).and_then(|settle| {
        let tested = experiments.as_ref().is_ok_and(|experiments| !experiments.is_empty());
        let probed = settle_node.or(components_node).filter(|_| tested);
        probed.map_or(Ok(settle), |node| probed_in(reader, node, settle, listed.components))
    });
    let cooldown = reader.duration_or(fields.get("cooldown"), COOLDOWN, PHASE);
    fields.close(reader);
    Ok(Trial {
        name: name?,
        target: target?,
        load: load?,
        status: status?,
        stores: stores?,
        components: components?,
        ledgers: ledgers?,
        experiments: experiments?,
        after: after?,
        settle: settle?,
        cooldown: cooldown?,
        secrets: Secrets::new(std::mem::take(&mut reader.secrets)),
    })
}

/// The time for which health must hold, in which every component has to be probed often enough to see that it does.
fn probed_in(
    reader: &mut Reader<'_>,
    node: &Node,
    settle: Duration,
    components: &[Component],
) -> Checked<Duration> {
    let Some(seldom) = components.iter().max_by_key(|component| component.interval()) else {
        return Ok(settle);
    };
    let least = seldom.interval() * BLIND_PROBES;
    if settle >= least {
        return Ok(settle);
    }
    let [settle, interval, least] = [settle, seldom.interval(), least].map(Written);
    let name = &seldom.name;
    let text = format!(
        "health that holds for a `settle` of {settle} is not seen to: component `{name}` is probed every {interval}; \
         expected a `settle` of {least} at least, or a shorter `interval`"
    );
    Err(reader.fault(node.at(), text))
}

/// What tells what runs: a document, or a cluster.
fn status(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Checked<Option<StatusSource>> {
    let (document, cluster) = (fields.get("status"), fields.get("kubernetes"));
    let document = document.map(|node| http_url(reader, node).map(StatusSource::Document)).transpose();
    let read = cluster.map(|node| kubernetes(reader, node).map(StatusSource::Kubernetes)).transpose();
    match (document?, read?, cluster) {
        (Some(_), Some(_), Some(node)) => {
            let text = "`kubernetes` beside `status`; expected one of them: both tell what runs";
            Err(reader.fault(node.at(), text))
        }
        (document, cluster, _) => Ok(document.or(cluster)),
    }
}

/// The file's stem as a name.
fn default_name(path: &Path) -> Name {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let stem: String = stem.chars().map(|c| if allowed(c) { c } else { '-' }).take(63).collect();
    Name::new(stem.trim_start_matches(['-', '_', '.']))
        .or_else(|| Name::new("trial"))
        .expect("the word trial is a name")
}
