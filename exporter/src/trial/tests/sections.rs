//! Faults of stores, components, ledgers and experiments, each with its exact place and text.

use super::*;

#[test]
fn store_lists() {
    check(
        STORES,
        &[
            ("  - {name: pg}\n", &["4:5: a store without a kind; expected `postgres` or `redis`"]),
            (
                "  - {name: pg, postgres: \"host=h\", redis: \"redis://h\"}\n",
                &["4:43: a store with both `postgres` and `redis`; expected one of them"],
            ),
            (
                "  - {name: pg, mysql: x}\n",
                &[
                    "4:5: a store without a kind; expected `postgres` or `redis`",
                    "4:16: unknown key `mysql` in a store; expected `name`, `postgres`, `redis`, `instances` or `failover`",
                ],
            ),
            (
                "  - {name: pg, postgres: \"redis://h\"}\n",
                &[
                    r#"4:26: an address that cannot be used; expected a PostgreSQL connection string such as postgres://user@host:5432/database or "host=/run/postgresql user=me""#,
                ],
            ),
            (
                "  - {name: pg, postgres: \"user=x\"}\n",
                &[
                    r#"4:26: an address that cannot be used; expected a PostgreSQL connection string such as postgres://user@host:5432/database or "host=/run/postgresql user=me""#,
                ],
            ),
            (
                "  - {name: kv, redis: \"http://h\"}\n",
                &[
                    "4:23: an address that cannot be used; expected a Redis URL such as redis://host:6379 or redis+unix:///run/redis.sock",
                ],
            ),
            (
                "  - {name: kv, redis: \"redis://:${NOPE}@h\"}\n",
                &["4:33: environment variable NOPE is not set; expected it to hold this value"],
            ),
            (
                "  - {name: pg, postgres: \"host=h\"}\n  - {name: pg, postgres: \"host=h\"}\n",
                &["5:12: a second store `pg`; expected each name once"],
            ),
            (
                "  - {name: pg, postgres: \"host=h\", instances: [{name: i, at: \"host=i\"}, {name: i, at: \"host=j\"}]}\n",
                &["4:80: a second instance `i`; expected each name once"],
            ),
            (
                "  - {name: pg, postgres: \"host=h\", instances: [{name: i, at: \"host=i\"}]}\n",
                &[
                    "4:47: a single instance; expected every server of the store, or no `instances`: a split needs two",
                ],
            ),
            (
                "  - {name: pg, postgres: \"host=h\", instances: [{name: i, at: \"host=i\"}, {name: j, at: host=i}]}\n",
                &["4:47: instances i and j are reached in the same way; expected each server once"],
            ),
            (
                "  - {name: pg, postgres: \"host=h\", instances: [{name: i}]}\n",
                &["4:48: an instance without a kind; expected `at`, `command` or `inside`"],
            ),
            (
                "  - {name: pg, postgres: \"host=h\", instances: [{name: i, command: ssh db}]}\n",
                &["4:67: the text `ssh db`; expected a command as a list of words, such as [ssh, db1, psql]"],
            ),
            (
                "  - {name: pg, postgres: \"host=h\", instances: [{name: i, command: []}, {name: j, command: [ssh, \"\"]}]}\n",
                &[
                    "4:67: an empty list; expected a command as a list of words, such as [ssh, db1, psql]",
                    "4:97: an empty text; expected a word",
                ],
            ),
            (
                "  - {name: pg, postgres: \"host=h\", instances: [{name: i, at: \"redis://h\"}]}\n",
                &[
                    r#"4:62: an address that cannot be used; expected a PostgreSQL connection string such as postgres://user@host:5432/database or "host=/run/postgresql user=me""#,
                ],
            ),
            (
                "  - {name: kv, redis: \"redis://h\", instance: []}\n",
                &[
                    "4:36: unknown key `instance` in a store (did you mean `instances`?); expected `name`, `postgres`, `redis`, `instances` or `failover`",
                ],
            ),
        ],
    );
}

#[test]
fn failovers() {
    check(
        STORES,
        &[
            (
                "  - {name: pg, postgres: \"host=h\", failover: {}}\n",
                &["4:46: a failover without a kind; expected `patroni` or `sentinel`"],
            ),
            (
                "  - {name: pg, postgres: \"host=h\", failover: {sentinel: \"redis://s\", master: m}}\n",
                &["4:57: `sentinel` for PostgreSQL; expected `patroni`"],
            ),
            (
                "  - {name: kv, redis: \"redis://h\", failover: {patroni: \"http://p\"}}\n",
                &["4:56: `patroni` for Redis; expected `sentinel`"],
            ),
            (
                "  - {name: kv, redis: \"redis://h\", failover: {sentinel: \"http://s\"}}\n",
                &[
                    "4:57: `sentinel` without `master`; expected the name by which Sentinel knows the master",
                    "4:57: an address that cannot be used; expected a Redis URL such as redis://host:6379 or redis+unix:///run/redis.sock",
                ],
            ),
            (
                "  - {name: pg, postgres: \"host=h\", failover: {patroni: \"http://p\", master: m, within: 0s}}\n",
                &[
                    "4:76: `master` beside `patroni`; expected it beside `sentinel`",
                    "4:87: `0s`; expected a duration from 1s to 1h",
                ],
            ),
            (
                "  - {name: pg, postgres: \"host=h\", failover: {patroni: \"http://p\", with: 9s}}\n",
                &[
                    "4:68: unknown key `with` in a failover; expected `patroni`, `sentinel`, `master` or `within`",
                ],
            ),
        ],
    );
}

#[test]
fn one_ledger_an_address() {
    check(
        AFTER_BASE,
        &[(
            "stores:\n  - {name: pg, postgres: \"host=h\"}\n  - {name: twin, postgres: \"host=h\"}\n\
             ledgers:\n  - {store: pg}\n  - {store: twin}\n",
            &["8:5: a ledger of `twin`, which has the address of `pg`; expected one ledger there"],
        )],
    );
}

#[test]
fn component_lists() {
    check(
        COMPONENTS,
        &[
            (
                "  - {name: c}\n",
                &["7:5: a component without a kind; expected `http`, `store`, `members` or `replicas`"],
            ),
            (
                "  - {name: c, http: healthz}\n",
                &["7:21: `healthz`; expected a path of the target such as /healthz"],
            ),
            (
                "  - {name: c, http: /a, store: pg}\n",
                &["7:32: a component with both `http` and `store`; expected one of them"],
            ),
            (
                "  - {name: c, store: gp}\n",
                &["7:22: unknown store `gp` (did you mean `pg`?); expected `pg` or `kv`"],
            ),
            ("  - {name: c, members: nothing}\n", &["7:24: unknown store `nothing`; expected `pg` or `kv`"]),
            (
                "  - {name: c, http: /, expect: 600}\n",
                &["7:32: `600`; expected a whole number from 100 to 599"],
            ),
            (
                "  - {name: c, store: pg, expect: 200}\n",
                &["7:34: `expect` beside `store`; expected it beside `http`"],
            ),
            (
                "  - {name: c, http: /, declared: 3}\n",
                &["7:34: `declared` beside `http`; expected it beside `replicas`"],
            ),
            (
                "  - {name: c, replicas: shop}\n",
                &[
                    "7:25: `replicas` in a trial without `kubernetes` or `status`; expected the cluster, or the URL of the document that lists workloads",
                ],
            ),
            (
                "  - {name: c, http: /, interval: 5ms, timeout: 2m}\n",
                &[
                    "7:34: `5ms`; expected a duration from 10ms to 1m",
                    "7:48: `2m`; expected a duration from 1ms to 1m",
                ],
            ),
            (
                "  - {name: c, replicas: shop, interval: 1s, timeout: 2s}\nstatus: http://s\n",
                &[
                    "7:41: `interval` beside `replicas`, which are looked at every 250ms; expected no such key",
                    "7:54: `timeout` beside `replicas`, which are looked at every 250ms; expected no such key",
                ],
            ),
            (
                "  - {name: c, http: /}\n  - {name: c, http: /}\n",
                &["8:12: a second component `c`; expected each name once"],
            ),
            (
                "  - {name: c, htpp: /}\n",
                &[
                    "7:15: unknown key `htpp` in a component (did you mean `http`?); expected `name`, `http`, `store`, `members`, `replicas`, `expect`, `declared`, `interval` or `timeout`",
                ],
            ),
        ],
    );
}

#[test]
fn ledger_lists() {
    check(
        LEDGERS,
        &[
            ("  - {store: nope}\n", &["7:13: unknown store `nope`; expected `pg` or `kv`"]),
            ("  - {writers: 4}\n", &["7:5: a ledger without `store`; expected the name of a store"]),
            (
                "  - {store: pg, wait: 1, dataset: 5}\n",
                &[
                    "7:23: `wait` for `pg`, which is not Redis; expected no such key",
                    "7:35: `dataset` for `pg`, which is not Redis; expected no such key",
                ],
            ),
            (
                "  - {store: kv, wait: 2}\n",
                &["7:23: `wait` is 2, but `kv` lists 1 replica; expected at most that"],
            ),
            (
                "  - {store: kv, writers: 0, rate: 0}\n",
                &[
                    "7:26: `0`; expected a whole number from 1 to 1000",
                    "7:35: `0`; expected a number above 0, at most 100000",
                ],
            ),
            (
                "  - {store: pg}\n  - {store: pg}\n",
                &["8:5: a second ledger of store `pg`; expected each name once"],
            ),
            (
                "  - {store: kv, writters: 1}\n",
                &[
                    "7:17: unknown key `writters` in a ledger (did you mean `writers`?); expected `store`, `writers`, `rate`, `wait` or `dataset`",
                ],
            ),
        ],
    );
}

#[test]
fn experiment_lists() {
    check(
        EXPERIMENTS,
        &[
            (
                "  - {name: e}\n",
                &[
                    "9:5: an experiment without `components`; expected a list of the components that must recover",
                    "9:5: an experiment without a kind; expected `exec`, `network_partition`, `node_drain`, `pod_exec` or `pod_kill`",
                ],
            ),
            (
                "  - {name: e, components: [], exec: {target: t, inject: i}}\n",
                &["9:27: an empty list; expected at least one component that must recover"],
            ),
            (
                "  - {name: e, components: [wbe], exec: {target: t, inject: i}}\n",
                &["9:28: unknown component `wbe` (did you mean `web`?); expected `web`"],
            ),
            (
                "  - {name: e, components: [web, web], exec: {target: t, inject: i}}\n",
                &["9:33: a second mention of component `web`; expected each name once"],
            ),
            (
                "  - {name: e, components: [web], exec: {target: t}}\n",
                &["9:40: the commands without `inject`; expected a command that breaks the targets"],
            ),
            (
                "  - {name: e, components: [web], exec: {target: \"\", inject: i, bit: [x]}}\n",
                &["9:49: an empty text; expected a shell command", "9:69: a list; expected a shell command"],
            ),
            (
                "  - {name: e, components: [web], hold: 5s, exec: {target: t, inject: i}}\n",
                &["9:40: `hold` where `exec` has no `revert`; expected a command that ends the fault"],
            ),
            (
                "  - {name: e, components: [web], replaced: true, exec: {target: t, inject: i}}\n",
                &["9:44: `replaced` without `replicas`; expected such a component in `components`"],
            ),
            (
                "  - {name: e, components: [web], replaced: yes, exec: {target: t, inject: i}}\n",
                &["9:44: `yes`; expected true or false"],
            ),
            (
                "  - {name: e, components: [web], deadline: 0s, exec: {target: t, inject: i, timeout: 0s}}\n",
                &[
                    "9:44: `0s`; expected a duration from 1s to 24h",
                    "9:86: `0s`; expected a duration from 100ms to 1h",
                ],
            ),
            (
                "  - {name: e, components: [web], exec: {target: t, inject: i}}\n  - {name: e, components: [web], exec: {target: t, inject: i}}\n",
                &["10:12: a second experiment `e`; expected each name once"],
            ),
            (
                "  - {name: e, components: [web], exec: {target: t, injekt: i}}\n",
                &[
                    "9:52: unknown key `injekt` in the commands (did you mean `inject`?); expected `target`, `inject`, `bit`, `revert` or `timeout`",
                ],
            ),
        ],
    );
}
