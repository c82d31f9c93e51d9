//! What a trial has to be allowed on its cluster, all rooms together. Pure.

use super::hold::LEASE;
use crate::chaos::faults::rights as faults;
use crate::chaos::journal::CONFIG_MAP;
use crate::cluster::kubernetes::rights::{Need, own};
use crate::trial::{Access, ComponentKind, Fault, Trial};

/// Whether a run of `trial` watches nodes: only where it may change one.
pub(super) fn watches_nodes(trial: &Trial) -> bool {
    trial.experiments.iter().any(|experiment| matches!(experiment.fault, Fault::Drain(_)))
}

/// Whether the namespace of `trial` has to let itself be broken: not by commands, which go their own ways.
pub(super) fn needs_opt_in(trial: &Trial) -> bool {
    trial.experiments.iter().any(|experiment| !matches!(experiment.fault, Fault::Exec(_)))
}

/// What a run of `trial` asks of the API server; nothing where the trial names no cluster.
pub(super) fn needs(trial: &Trial) -> Vec<Need> {
    if trial.kubernetes().is_none() {
        return Vec::new();
    }
    let mut needs = own::to_watch();
    if watches_nodes(trial) {
        needs.extend(own::to_watch_nodes());
    }
    if trial.components.iter().any(|it| matches!(it.kind, ComponentKind::Replicas { .. })) {
        needs.extend(own::to_count_replicas());
    }
    let mut instances = trial.stores.iter().flat_map(|store| &store.instances);
    if instances.any(|instance| matches!(instance.access, Access::Inside(_))) {
        needs.extend(own::to_forward_ports());
    }
    needs.extend(own::to_hold_lease(LEASE));
    needs.extend(own::to_keep(CONFIG_MAP, "the journal of what is to be put back"));
    needs.extend(trial.experiments.iter().flat_map(|experiment| faults::of(&experiment.fault)));
    needs
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::cluster::kubernetes::rights::Scope;
    use crate::trial::{ProcessEnvironment, parse};

    const STORE: &str = "stores:\n  - name: pg\n    postgres: postgres://me@pg:5432/shop\n    instances:\n";
    const INSIDE: &str = "      - {name: pg-0, inside: \"postgres://me@localhost:5432/shop\"}\n      \
                          - {name: pg-1, at: \"postgres://me@pg-1:5432/shop\"}\n";
    const DIRECT: &str = "      - {name: pg-0, at: \"postgres://me@pg-0:5432/shop\"}\n      \
                          - {name: pg-1, at: \"postgres://me@pg-1:5432/shop\"}\n";
    const COMPONENTS: &str = "components:\n  - {name: shop, http: /}\n";

    /// What a trial with `rest` needs, as `VERB RESOURCE`, those of the whole cluster marked.
    fn needed(rest: &str) -> BTreeSet<String> {
        let text = format!(
            "target: http://shop.example\nload: {{users: 1, spawn_rate: 1, duration: 1m, tasks: [{{name: home, \
             journey: [GET /]}}]}}\n{rest}"
        );
        let trial = parse(&text, Path::new("trial.yaml"), &ProcessEnvironment).expect(rest);
        let shown = |need: Need| {
            let mark = if need.scope == Scope::Cluster { "everywhere " } else { "" };
            format!("{mark}{} {}", need.verb, need.resource)
        };
        needs(&trial).into_iter().map(shown).collect()
    }

    fn on_cluster(rest: &str) -> BTreeSet<String> {
        needed(&format!("kubernetes: {{namespace: shop}}\n{rest}"))
    }

    #[test]
    fn a_trial_without_a_cluster_needs_nothing() {
        assert_eq!(needed(""), BTreeSet::new());
        assert_eq!(needed(&format!("{STORE}{DIRECT}")), BTreeSet::new());
    }

    #[test]
    fn watching_only_looks_and_each_thing_of_a_trial_adds_what_it_needs() {
        let base = on_cluster("");
        let changes = |needed: &BTreeSet<String>| {
            let changes = needed
                .iter()
                .filter(|need| !["list ", "watch ", "get "].iter().any(|it| need.starts_with(it)));
            changes.cloned().collect::<Vec<_>>()
        };
        let own = ["create configmaps", "create leases", "update configmaps", "update leases"];
        assert_eq!(changes(&base), own);
        let kill = |how: &str| {
            format!(
                "{STORE}{DIRECT}{COMPONENTS}experiments:\n  - {{name: kill, components: [shop], pod_kill: {{{how}}}}}\n"
            )
        };
        let drain = |others: &str| {
            format!(
                "{COMPONENTS}experiments:\n  - {{name: drain, components: [shop], node_drain: {{holding: app=shop, \
                 others: {others}}}}}\n"
            )
        };
        let pod = ["get namespaces", "get pods"];
        let table: [(String, &[&str]); 7] = [
            (
                "components: [{name: shop, replicas: shop}]\n".to_owned(),
                &["get deployments", "get statefulsets"],
            ),
            (format!("{STORE}{DIRECT}"), &[]),
            (format!("{STORE}{INSIDE}"), &["create pods/portforward", "get pods/portforward"]),
            (kill("primary_of: pg"), &[pod[0], pod[1], "delete pods"]),
            (kill("primary_of: pg, by: evict"), &[pod[0], pod[1], "create pods/eviction"]),
            (
                drain("leave"),
                &[
                    pod[0],
                    pod[1],
                    "create pods/eviction",
                    "everywhere get nodes",
                    "everywhere list nodes",
                    "everywhere list pods",
                    "everywhere patch nodes",
                    "everywhere watch nodes",
                ],
            ),
            (
                format!(
                    "{STORE}{DIRECT}{COMPONENTS}experiments:\n  - {{name: cut, components: [shop], network_partition: \
                     {{primary_of: pg}}}}\n"
                ),
                &[pod[0], "create networkpolicies", "delete networkpolicies"],
            ),
        ];
        for (rest, added) in table {
            let mut expected = base.clone();
            expected.extend(added.iter().map(|&need| need.to_owned()));
            assert_eq!(on_cluster(&rest), expected, "{rest}");
        }
    }
}
