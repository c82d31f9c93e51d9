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

    /// Those of a test.
    #[cfg(test)]
    pub(super) fn named(store: &str, pods: &[&str]) -> Self {
        Self { store: store.to_owned(), pods: pods.iter().map(|&pod| pod.to_owned()).collect() }
    }
}

/// What speaks against the loss of the pods `gone`, all at once: a majority of a store's servers must be left, or
/// one of two, which never have a majority but their own.
pub(super) fn kept(servers: &[Servers], gone: &[&str]) -> Result<(), Obstacle> {
    for Servers { store, pods } in servers {
        let (all, hit) = (pods.len(), gone.iter().filter(|name| pods.iter().any(|pod| pod == *name)).count());
        let needed = if all > 2 { all / 2 + 1 } else { 1 };
        if hit > 0 && all - hit < needed {
            return Err(Obstacle::Quorum { store: store.clone(), hit, all });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_of_the_servers_is_left_or_one_of_two() {
        let table = [
            (1, 0, true),
            (1, 1, false),
            (2, 1, true),
            (2, 2, false),
            (3, 1, true),
            (3, 2, false),
            (4, 1, true),
            (4, 2, false),
            (5, 2, true),
            (5, 3, false),
        ];
        for (all, hit, expected) in table {
            let names: Vec<String> = (0..all).map(|index| format!("redis-{index}")).collect();
            let redis: Vec<&str> = names.iter().map(String::as_str).collect();
            let servers = [Servers::named("postgres", &["postgres-0"]), Servers::named("redis", &redis)];
            let gone = [&redis[..hit], &["shop-1", "redis"]].concat();
            let refused = Obstacle::Quorum { store: "redis".to_owned(), hit, all };
            let wanted = if expected { Ok(()) } else { Err(refused) };
            assert_eq!(kept(&servers, &gone), wanted, "{hit} of {all}");
        }
    }
}
