//! How many servers of a store may go at once. Pure.

use crate::chaos::guard::Obstacle;
use crate::trial::Store;

/// A store and the pods that its servers are named as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Servers {
    store: String,
    pods: Vec<String>,
}

impl Servers {
    /// Those of `stores`. A store whose servers the trial does not name has none.
    pub(super) fn of(stores: &[Store]) -> Vec<Self> {
        let servers = |store: &Store| Self {
            store: store.name.to_string(),
            pods: store.instances.iter().map(|instance| instance.name.to_string()).collect(),
        };
        stores.iter().map(servers).collect()
    }

    /// Those of `stores` that have several: the only server of a store is hit on purpose.
    pub(super) fn of_several(stores: &[Store]) -> Vec<Self> {
        Self::of(stores).into_iter().filter(|servers| servers.pods.len() > 1).collect()
    }

    /// Those of a test.
    #[cfg(test)]
    pub(super) fn named(store: &str, pods: &[&str]) -> Self {
        Self { store: store.to_owned(), pods: pods.iter().map(|&pod| pod.to_owned()).collect() }
    }
}

/// All servers of the stores that lose some by the loss of the pods `gone`.
pub(super) fn concerned<'a>(servers: &'a [Servers], gone: &[&str]) -> Vec<&'a str> {
    let hit = servers.iter().filter(|servers| servers.pods.iter().any(|pod| gone.contains(&pod.as_str())));
    hit.flat_map(|servers| servers.pods.iter().map(String::as_str)).collect()
}

/// What speaks against the loss of the pods `gone`, all at once: of each store that loses some, a majority of all
/// servers must be left among the pods `living`, which serve, or one of two, which never have a majority but their own.
pub(super) fn kept(servers: &[Servers], gone: &[&str], living: &[&str]) -> Result<(), Obstacle> {
    for Servers { store, pods } in servers {
        let is_hit = |pod: &&String| gone.contains(&pod.as_str());
        let all = pods.len();
        let hit = pods.iter().filter(is_hit).count();
        let left = pods.iter().filter(|pod| !is_hit(pod) && living.contains(&pod.as_str())).count();
        let needed = if all > 2 { all / 2 + 1 } else { 1 };
        if hit > 0 && left < needed {
            return Err(Obstacle::Quorum { store: store.clone(), hit, all, away: all - hit - left });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_of_the_servers_is_left_serving_or_one_of_two() {
        // Of so many so many are hit, while so many others do not serve.
        let table = [
            (1, 0, 0, true),
            (1, 1, 0, false),
            (2, 1, 0, true),
            (2, 1, 1, false),
            (2, 2, 0, false),
            (3, 1, 0, true),
            (3, 1, 1, false),
            (3, 2, 0, false),
            // Nothing of it is hit.
            (3, 0, 3, true),
            (4, 1, 0, true),
            (4, 2, 0, false),
            (5, 1, 1, true),
            (5, 2, 0, true),
            (5, 2, 1, false),
            (5, 3, 0, false),
        ];
        for (all, hit, away, expected) in table {
            let names: Vec<String> = (0..all).map(|index| format!("redis-{index}")).collect();
            let redis: Vec<&str> = names.iter().map(String::as_str).collect();
            let servers = [Servers::named("postgres", &["postgres-0"]), Servers::named("redis", &redis)];
            let gone = [&redis[..hit], &["shop-1", "redis"]].concat();
            // Those that are hit serve or do not: they count no more.
            let living = [&redis[..hit / 2], &redis[hit + away..], &["postgres-0", "shop-1"]].concat();
            let refused = Obstacle::Quorum { store: "redis".to_owned(), hit, all, away };
            let wanted = if expected { Ok(()) } else { Err(refused) };
            assert_eq!(kept(&servers, &gone, &living), wanted, "{hit} of {all}, {away} away");
        }
    }

    #[test]
    fn all_servers_of_a_store_that_is_hit_are_concerned() {
        let servers = [Servers::named("postgres", &["pg-0", "pg-1"]), Servers::named("redis", &["redis-0"])];
        assert_eq!(concerned(&servers, &["pg-1", "shop-1"]), ["pg-0", "pg-1"]);
        assert_eq!(concerned(&servers, &["shop-1"]), [""; 0]);
    }
}
