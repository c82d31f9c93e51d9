//! The section `ledgers`: writers whose acknowledged writes are audited.

use std::num::NonZeroUsize;

use super::components::{self, Known};
use super::faults::Place;
use super::fields::{Fields, distinct};
use super::model::{Endpoint, Ledger, Rate, Store};
use super::node::Node;
use super::reader::{Checked, Reader};
use crate::count::count;

const WRITERS: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not zero");
const MOST_WRITERS: NonZeroUsize = NonZeroUsize::new(1000).expect("1000 is not zero");
/// Writes a second.
const RATE: f64 = 20.0;

/// The ledgers, at most one for a store.
pub(super) fn ledgers(reader: &mut Reader<'_>, node: &Node, known: Known<'_>) -> Checked<Vec<Ledger>> {
    let mut of = Vec::new();
    let ledgers = reader.list(node, 100, "a list of ledgers", |reader, item| {
        let ledger = ledger(reader, item, known)?;
        of.push((known.store_names[ledger.store.get()], item.at()));
        Ok(ledger)
    });
    distinct(reader, "ledger of store", of.iter().map(|(store, at)| (*store, *at)));
    one_an_address(reader, known, &of);
    ledgers
}

/// Two stores may have one address, but two ledgers there would find each other's writes.
fn one_an_address(reader: &mut Reader<'_>, known: Known<'_>, of: &[(&str, Place)]) {
    let store = |name: &str| known.stores.iter().find(|store| store.name.as_str() == name);
    for (index, (name, at)) in of.iter().enumerate() {
        let Some(own) = store(name) else { continue };
        let earlier = of[..index].iter().filter_map(|(earlier, _)| store(earlier));
        let same =
            earlier.filter(|other| other.name != own.name).find(|other| other.endpoint == own.endpoint);
        if let Some(same) = same {
            let text = format!(
                "a ledger of `{name}`, which has the address of `{}`; expected one ledger there",
                same.name
            );
            reader.fault(*at, text);
        }
    }
}

fn ledger(reader: &mut Reader<'_>, node: &Node, known: Known<'_>) -> Checked<Ledger> {
    let mut fields = Fields::open(reader, node, "a ledger")?;
    let store = fields
        .require(reader, "store", "the name of a store")
        .and_then(|node| components::store(reader, node, known));
    let writers =
        fields.get("writers").map_or(Ok(WRITERS), |node| reader.whole(node, NonZeroUsize::MIN, MOST_WRITERS));
    let rate = fields.get("rate").map_or_else(|| Ok(usual_rate()), |node| reader.rate(node, 100_000.0));
    let (wait, dataset) = (fields.get("wait"), fields.get("dataset"));
    let wait_replicas = wait.map_or(Ok(0), |node| reader.whole(node, 0, 100));
    let keys = dataset.map_or(Ok(0), |node| reader.whole(node, 0, 1_000_000));
    if let Some(of) = store.ok().and_then(|index| known.stores.get(index.get())) {
        only_redis(reader, of, [("wait", wait), ("dataset", dataset)]);
        enough_replicas(reader, of, wait, wait_replicas);
    }
    fields.close(reader);
    Ok(Ledger {
        store: store?,
        writers: writers?,
        rate: rate?,
        wait_replicas: wait_replicas?,
        dataset: keys?,
    })
}

fn usual_rate() -> Rate {
    Rate::new(RATE).expect("20 is a rate")
}

fn only_redis(reader: &mut Reader<'_>, store: &Store, options: [(&str, Option<&Node>); 2]) {
    if matches!(store.endpoint, Endpoint::Redis(_)) {
        return;
    }
    for (key, node) in options {
        if let Some(node) = node {
            let name = &store.name;
            reader
                .fault(node.at(), format!("`{key}` for `{name}`, which is not Redis; expected no such key"));
        }
    }
}

/// A write that waits for more replicas than there are is never acknowledged.
fn enough_replicas(reader: &mut Reader<'_>, store: &Store, node: Option<&Node>, wait: Checked<u32>) {
    let (Some(node), Ok(wait), Endpoint::Redis(_)) = (node, wait, &store.endpoint) else { return };
    let Some(replicas) = store.instances.len().checked_sub(1) else { return };
    if wait as usize > replicas {
        let name = &store.name;
        let text = format!(
            "`wait` is {wait}, but `{name}` lists {}; expected at most that",
            count(replicas, "replica")
        );
        reader.fault(node.at(), text);
    }
}
