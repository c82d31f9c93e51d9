//! Faults of the section `kubernetes` and of what breaks a cluster, each with its exact place and text.

use super::*;

/// Lines 1 to 8: a list of experiments begins at line 9.
const ON_CLUSTER: &str = r#"target: http://a
load: {users: 1, spawn_rate: 1, duration: 1m, tasks: [{name: a, journey: [GET /]}]}
kubernetes: {namespace: shop}
stores:
  - {name: pg, postgres: "host=h", instances: [{name: i, at: "host=i"}, {name: j, inside: "host=j"}]}
  - {name: kv, redis: "redis://h"}
components: [{name: web, http: /}]
experiments:
"#;

#[test]
fn the_cluster() {
    check(
        AFTER_BASE,
        &[
            (
                "kubernetes: {}\n",
                &[
                    "3:13: the cluster without `namespace`; expected the namespace of the service, a DNS label such as shop",
                ],
            ),
            (
                "kubernetes: {namespace: Shop.eu}\n",
                &["3:25: `Shop.eu`; expected the namespace of the service, a DNS label such as shop"],
            ),
            (
                "kubernetes: {namespace: shop}\nstatus: http://s\n",
                &["3:13: `kubernetes` beside `status`; expected one of them: both tell what runs"],
            ),
        ],
    );
}

#[test]
fn faults_of_a_cluster_need_one() {
    check(
        EXPERIMENTS,
        &[
            (
                "  - {name: e, components: [web], pod_kill: {selector: app=a}}\n",
                &["9:44: `pod_kill` in a trial without `kubernetes`; expected the service's namespace there"],
            ),
            (
                "  - {name: e, components: [web], node_drain: {holding: app=a}}\n",
                &[
                    "9:46: `node_drain` in a trial without `kubernetes`; expected the service's namespace there",
                ],
            ),
        ],
    );
    check(
        STORES,
        &[(
            "  - {name: pg, postgres: \"host=h\", instances: [{name: i, at: \"host=i\"}, {name: j, inside: \"host=j\"}]}\n",
            &["4:91: `inside` in a trial without `kubernetes`; expected the service's namespace there"],
        )],
    );
}

#[test]
fn pods_to_kill() {
    check(
        ON_CLUSTER,
        &[
            (
                "  - {name: e, components: [web], pod_kill: {}}\n",
                &["9:44: the pods to kill without a kind; expected `primary_of` or `selector`"],
            ),
            (
                "  - {name: e, components: [web], pod_kill: {primary_of: pg, count: 2, seed: 1}}\n",
                &[
                    "9:68: `count` beside `primary_of`; expected it beside `selector`",
                    "9:77: `seed` beside `primary_of`; expected it beside `selector`",
                ],
            ),
            (
                "  - {name: e, components: [web], pod_kill: {primary_of: kv}}\n",
                &["9:57: `primary_of` store `kv`, which has no `instances`; expected its pods there"],
            ),
            (
                "  - {name: e, components: [web], pod_kill: {primary_of: gp}}\n",
                &["9:57: unknown store `gp` (did you mean `pg`?); expected `pg` or `kv`"],
            ),
            (
                "  - {name: e, components: [web], pod_kill: {selector: app shop, count: 0, by: hand, grace: 1500ms}}\n",
                &[
                    "9:55: `app shop`; expected a label selector such as app=shop",
                    "9:72: `0`; expected a whole number from 1 to 1000",
                    "9:79: `hand`; expected delete or evict",
                    "9:92: a part of a second; expected whole seconds",
                ],
            ),
            (
                "  - {name: e, components: [web], hold: 5s, pod_kill: {primary_of: pg}}\n",
                &["9:40: `hold` of a fault that is not put back; expected no such key"],
            ),
        ],
    );
}

#[test]
fn partitions_and_drains() {
    check(
        ON_CLUSTER,
        &[
            (
                "  - {name: e, components: [web], network_partition: {replace_policies: maybe}}\n",
                &[
                    "9:53: the pods to cut off without a kind; expected `primary_of` or `selector`",
                    "9:72: `maybe`; expected true or false",
                ],
            ),
            (
                "  - {name: e, components: [web], network_partition: {selector: 'a=b,c', from: a b}}\n",
                &[
                    "9:64: `a=b,c`; expected a label selector of one requirement such as app=shop",
                    "9:79: `a b`; expected a label selector of one requirement such as app=shop",
                ],
            ),
            (
                "  - {name: e, components: [web], network_partition: {selector: a=b, from: c=d, replace_policies: true}}\n",
                &[
                    "9:98: `replace_policies` beside `from`; expected it where the pods are cut off from everybody",
                ],
            ),
            (
                "  - {name: e, components: [web], network_partition: {selector: a=b, from: c=d, port: 1}}\n",
                &["9:86: `port` beside `from`; expected it where the pods are cut off from everybody"],
            ),
            (
                "  - {name: e, components: [web], network_partition: {selector: a=b, port: 65536}}\n",
                &["9:75: `65536`; expected a whole number from 1 to 65535"],
            ),
            (
                "  - {name: e, components: [web], network_partition: {selector: a=b, port: 0}}\n",
                &["9:75: `0`; expected a whole number from 1 to 65535"],
            ),
            (
                "  - {name: e, components: [web], network_partition: {selector: a=b, port: http}}\n",
                &["9:75: `http`; expected a whole number from 1 to 65535"],
            ),
            (
                "  - {name: e, components: [web], node_drain: {others: keep}}\n",
                &[
                    "9:46: the node to drain without `holding`; expected a label selector of pods: the node with most of them is drained",
                    "9:55: `keep`; expected refuse, leave or evict",
                ],
            ),
            (
                "  - {name: e, components: [web], exec: {target: t, inject: i}, node_drain: {holding: a}}\n",
                &["9:76: an experiment with both `exec` and `node_drain`; expected one of them"],
            ),
        ],
    );
}

#[test]
fn commands_in_a_pod() {
    check(
        ON_CLUSTER,
        &[
            (
                "  - {name: e, components: [web], pod_exec: {}}\n",
                &[
                    "9:44: the commands in a pod without `inject`; expected a command that breaks the pod, as a list of words",
                    "9:44: the commands in a pod without a kind; expected `pod`, `primary_of` or `selector`",
                ],
            ),
            (
                "  - {name: e, components: [web], pod_exec: {pod: pg/0, seed: 1, inject: kill 1}}\n",
                &[
                    "9:50: `pg/0`; expected the name of a pod such as postgres-0",
                    "9:62: `seed` beside `pod`; expected it beside `selector`",
                    "9:73: the text `kill 1`; expected a command as a list of words, such as [kill, -STOP, \"1\"]",
                ],
            ),
            (
                "  - {name: e, components: [web], pod_exec: {primary_of: kv, inject: [], timeout: 1ms}}\n",
                &[
                    "9:57: `primary_of` store `kv`, which has no `instances`; expected its pods there",
                    "9:69: an empty list; expected a command as a list of words, such as [kill, -STOP, \"1\"]",
                    "9:82: `1ms`; expected a duration from 1s to 1h",
                ],
            ),
            (
                "  - {name: e, components: [web], hold: 5s, pod_exec: {pod: pg-0, inject: [a]}}\n",
                &["9:40: `hold` where `pod_exec` has no `revert`; expected a command that ends the fault"],
            ),
        ],
    );
    check(
        EXPERIMENTS,
        &[(
            "  - {name: e, components: [web], pod_exec: {pod: a, inject: [b]}}\n",
            &["9:44: `pod_exec` in a trial without `kubernetes`; expected the service's namespace there"],
        )],
    );
}
