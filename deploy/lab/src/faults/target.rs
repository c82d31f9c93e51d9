//! Who has a role right now.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Deserialize;

use super::{Error, Wanted};
use crate::layout::{on_host, port};
use crate::{ask, http};

/// The targets, one each.
pub(super) async fn find(wanted: Wanted, count: usize, seed: Option<u64>) -> Result<Vec<String>, Error> {
    Ok(match wanted {
        Wanted::PostgresPrimary => vec![ask::postgres_primary().await?.postgres()],
        Wanted::PrimaryMachine => vec![ask::postgres_primary().await?.name()],
        Wanted::RedisMaster => vec![ask::redis_master().await?.redis()],
        Wanted::Replicas => {
            let rng = seed.map_or_else(|| StdRng::from_rng(&mut rand::rng()), StdRng::seed_from_u64);
            choose(&instances().await?, count, rng)?
        }
        Wanted::Node => vec![fullest(&instances().await?)?],
    })
}

#[derive(Debug, Clone, Deserialize)]
struct Instance {
    id: String,
    node: String,
    ready: bool,
}

#[derive(Deserialize)]
struct Document {
    workloads: Vec<Workload>,
}

#[derive(Deserialize)]
struct Workload {
    instances: Vec<Instance>,
}

async fn instances() -> Result<Vec<Instance>, Error> {
    let answer = http::get(on_host(port::STATUS), "/status", Duration::from_secs(2)).await;
    let answer = answer.ok_or_else(|| Error::Status("the status document is not served".to_owned()))?;
    let document: Document =
        serde_json::from_str(&answer.body).map_err(|error| Error::Status(error.to_string()))?;
    Ok(document.workloads.into_iter().flat_map(|workload| workload.instances).collect())
}

fn choose(instances: &[Instance], count: usize, mut rng: StdRng) -> Result<Vec<String>, Error> {
    let mut ready: Vec<String> =
        instances.iter().filter(|instance| instance.ready).map(|instance| instance.id.clone()).collect();
    if ready.len() < count {
        return Err(Error::TooFew { ready: ready.len(), wanted: count });
    }
    ready.sort();
    ready.shuffle(&mut rng);
    ready.truncate(count);
    ready.sort();
    Ok(ready)
}

fn fullest(instances: &[Instance]) -> Result<String, Error> {
    let mut loads: BTreeMap<&str, usize> = BTreeMap::new();
    for instance in instances.iter().filter(|instance| instance.ready) {
        *loads.entry(&instance.node).or_default() += 1;
    }
    let fullest = loads.into_iter().max_by_key(|(_, load)| *load);
    fullest.map(|(node, _)| node.to_owned()).ok_or(Error::TooFew { ready: 0, wanted: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instances(list: &[(&str, &str, bool)]) -> Vec<Instance> {
        list.iter()
            .map(|(id, node, ready)| Instance {
                id: (*id).to_owned(),
                node: (*node).to_owned(),
                ready: *ready,
            })
            .collect()
    }

    #[test]
    fn a_seed_repeats_the_choice_among_the_ready() {
        let all = instances(&[("shop-1", "n1", true), ("shop-2", "n2", false), ("shop-3", "n3", true)]);
        let rng = || StdRng::seed_from_u64(7);
        let chosen = choose(&all, 1, rng()).expect("enough are ready");
        assert_eq!(chosen, choose(&all, 1, rng()).expect("enough are ready"));
        assert_eq!(choose(&all, 2, rng()).expect("enough are ready"), ["shop-1", "shop-3"]);
        assert!(matches!(choose(&all, 3, rng()), Err(Error::TooFew { ready: 2, wanted: 3 })));
    }

    #[test]
    fn the_fullest_node_is_the_last_of_equals() {
        let all = instances(&[("shop-1", "n1", true), ("shop-2", "n3", true), ("shop-3", "n2", true)]);
        assert_eq!(fullest(&all).expect("one is ready"), "n3");
        let more = instances(&[("shop-1", "n1", true), ("shop-2", "n1", true), ("shop-3", "n2", true)]);
        assert_eq!(fullest(&more).expect("one is ready"), "n1");
    }
}
