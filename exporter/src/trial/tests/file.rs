//! Faults of the file as a whole and its target, each with its exact place and text.

use super::*;

#[test]
fn the_file_as_a_whole() {
    check(
        "",
        &[
            ("", &["1:1: an empty file; expected a mapping with `target` and `load`"]),
            ("# nothing\n", &["1:1: an empty file; expected a mapping with `target` and `load`"]),
            ("[]", &["1:1: a list; expected the trial as a mapping"]),
            ("target: http://a\n", &["1:1: the trial without `load`; expected users and their tasks"]),
            ("target: http://a\nload: {users: [\n", &["2:15: not valid YAML: unclosed bracket '['"]),
            (
                "target: http://a\nload:\n\tusers: 1\n",
                &["3:2: not valid YAML: tabs disallowed within this context (block indentation)"],
            ),
            (
                "target:\nload:\n",
                &[
                    "1:1: `target` is empty; expected the URL of the service under load",
                    "2:1: `load` is empty; expected users and their tasks",
                ],
            ),
            (
                "a: &a [1]\nb: [*a, *a]\n",
                &[
                    "1:1: the trial without `load`; expected users and their tasks",
                    "1:1: the trial without `target`; expected the URL of the service under load",
                    "1:1: unknown key `a` in the trial; expected `name`, `target`, `load`, `status`, `kubernetes`, `stores`, `components`, `ledgers`, `experiments`, `after`, `settle` or `cooldown`",
                    "2:1: unknown key `b` in the trial; expected `name`, `target`, `load`, `status`, `kubernetes`, `stores`, `components`, `ledgers`, `experiments`, `after`, `settle` or `cooldown`",
                ],
            ),
        ],
    );
}

#[test]
fn sections_in_general() {
    check(
        AFTER_BASE,
        &[
            (
                "stors: []\n",
                &[
                    "3:1: unknown key `stors` in the trial (did you mean `stores`?); expected `name`, `target`, `load`, `status`, `kubernetes`, `stores`, `components`, `ledgers`, `experiments`, `after`, `settle` or `cooldown`",
                ],
            ),
            ("target: http://b\n", &["3:1: key `target` again (also on line 1); expected each key once"]),
            ("---\nx: 1\n", &["3:1: a second YAML document begins; expected one document in the file"]),
            ("name: !x y\n", &["3:7: a YAML tag; expected a value without a tag"]),
            (
                "name: Fire!\n",
                &[
                    "3:7: `Fire!` cannot be a name; expected a name of 1 to 63 characters: a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit",
                ],
            ),
            (
                "name: [a]\n",
                &[
                    "3:7: a list; expected a name of 1 to 63 characters: a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit",
                ],
            ),
            ("name: *x\n", &["3:7: not valid YAML: while parsing node, found unknown anchor"]),
            (
                "name: \"\"\n",
                &[
                    "3:7: an empty text cannot be a name; expected a name of 1 to 63 characters: a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit",
                ],
            ),
            ("? [a]\n: b\n", &["3:3: a key that is not text; expected a name before the colon"]),
            ("after: 5\n", &["3:8: `5` is not a duration; expected one such as 500ms, 30s, 2m or 1h30m"]),
            (
                "settle: -1s\n",
                &["3:9: `-1s` is not a duration; expected one such as 500ms, 30s, 2m or 1h30m"],
            ),
            ("settle: 0s\n", &["3:9: `0s`; expected a duration from 1s to 24h"]),
            ("cooldown: 25h\n", &["3:11: `25h`; expected a duration from 0s to 24h"]),
            (
                "status: ftp://x\n",
                &["3:9: not an http or https URL; expected a URL such as http://shop.example:8080"],
            ),
            ("stores: {}\n", &["3:9: a mapping; expected a list of stores"]),
            ("experiments: none\n", &["3:14: the text `none`; expected a list of experiments"]),
            (
                "stores:\n  - {name: pg, postgres: \"host=h\"}\ncomponents:\n  - {name: c, members: pg}\n",
                &["6:24: `members` of store `pg`, which has no `instances`; expected some there"],
            ),
            (
                "components:\n  - {name: c, store: pg}\n",
                &["4:22: unknown store `pg`; expected a store of this trial, which has none"],
            ),
            (
                "status: http://s\ncomponents:\n  - {name: c, replicas: shop, declared: 0}\n",
                &["5:41: `0`; expected a whole number from 1 to 100000"],
            ),
        ],
    );
}

/// A misspelt key is one fault: not also missing under its right name.
#[test]
fn misspelt_keys_are_told_once() {
    let one = |text: &str, place: &str, hint: &str| {
        let faults = parse_made(text).expect_err("a fault").to_string();
        assert!(faults.starts_with(&format!("t.yaml:{place}: unknown key ")), "{faults}");
        assert!(faults.contains(&format!("(did you mean `{hint}`?)")), "{faults}");
        assert_eq!(faults.lines().count(), 1, "{faults}");
    };
    let tasks = "tasks: [{name: a, journey: [GET /]}]";
    let load = |keys: &str| format!("target: http://a\nload: {{{keys}}}\n");
    one(&load(&format!("users: 1, spawnrate: 1, duration: 1m, {tasks}")), "2:18", "spawn_rate");
    one(&load(&format!("user: 1, spawn_rate: 1, duration: 1m, {tasks}")), "2:8", "users");
    one(&load(&format!("stags: [{{users: 1, for: 1m}}], spawn_rate: 1, {tasks}")), "2:8", "stages");
    one(&load("users: 1, spawn_rate: 1, duration: 1m, taks: [{name: a}]"), "2:47", "tasks");
    one(
        &load("users: 1, spawn_rate: 1, duration: 1m, tasks: [{name: a, journy: [GET /]}]"),
        "2:65",
        "journey",
    );
    one(&load("users: 1, spawn_rate: 1, duration: 1m, tasks: [{nmae: a, journey: [GET /]}]"), "2:56", "name");
    one(
        &format!("traget: http://a\nload: {{users: 1, spawn_rate: 1, duration: 1m, {tasks}}}\n"),
        "1:1",
        "target",
    );
    one(
        &format!("target: http://a\nlaod: {{users: 1, spawn_rate: 1, duration: 1m, {tasks}}}\n"),
        "2:1",
        "load",
    );
    one(&format!("{COMPONENTS}  - {{name: c, htpp: /}}\n"), "7:15", "http");
    one(&format!("{STORES}  - {{name: s, postgress: \"host=h\"}}\n"), "4:15", "postgres");
    one(&format!("{AFTER_BASE}experiment: []\n"), "3:1", "experiments");
}

/// A key that is near to nothing missing hides nothing.
#[test]
fn missing_keys_are_told_beside_unknown_ones() {
    check(
        "",
        &[(
            "target: http://a\nextra: 1\n",
            &[
                "1:1: the trial without `load`; expected users and their tasks",
                "2:1: unknown key `extra` in the trial; expected `name`, `target`, `load`, `status`, `kubernetes`, `stores`, `components`, `ledgers`, `experiments`, `after`, `settle` or `cooldown`",
            ],
        )],
    );
}

#[test]
fn targets() {
    check(
        AFTER_LOAD,
        &[
            (
                "target: shop.example:8080\n",
                &["2:9: not an http or https URL; expected a URL such as http://shop.example:8080"],
            ),
            (
                "target: http://u:pw@a\n",
                &["2:9: a URL with credentials; expected none (a target may have a header Authorization)"],
            ),
            (
                "target: http://a?x=1\n",
                &["2:9: a target with a query or a fragment; expected a query in the paths of journeys"],
            ),
            (
                "target: http://a:99999\n",
                &["2:9: not a URL (invalid port number); expected a URL such as http://shop.example:8080"],
            ),
            (
                "target: {uri: http://a}\n",
                &[
                    "2:10: unknown key `uri` in the target (did you mean `url`?); expected `url`, `ca`, `client_certificate`, `client_key`, `host` or `headers`",
                ],
            ),
            (
                "target: {url: \"${NOPE}\"}\n",
                &["2:16: environment variable NOPE is not set; expected it to hold this value"],
            ),
            (
                "target: {url: \"${TARGET\"}\n",
                &["2:16: `${` is not closed; expected ${VARIABLE} or ${file:PATH}"],
            ),
            (
                "target: {url: \"${a b}\"}\n",
                &[
                    "2:16: `a b` is no environment variable; expected ${VARIABLE} or ${file:PATH} (`$${` is a dollar sign and a brace)",
                ],
            ),
            (
                "target: {url: \"file:gone\"}\n",
                &["2:16: cannot read the secret file gone: entity not found; expected a readable file"],
            ),
            (
                "target: {url: http://a, ca: ca.pem}\n",
                &["2:29: `ca` for a target without TLS; expected an https URL"],
            ),
            (
                "target: {url: https://a, ca: gone.pem, client_key: k.pem}\n",
                &[
                    "2:30: cannot read `gone.pem`: entity not found; expected a PEM file",
                    "2:52: `client_key` without `client_certificate`; expected both",
                ],
            ),
            (
                "target: {url: https://a, client_certificate: ca.pem}\n",
                &["2:46: `client_certificate` without `client_key`; expected both"],
            ),
            (
                "target: {url: http://a, host: \"a b\"}\n",
                &["2:31: `a b`; expected a host name such as shop.example or shop.example:8443"],
            ),
            (
                "target: {url: http://a, headers: [x]}\n",
                &["2:34: a list; expected headers as a mapping of names to values"],
            ),
            (
                "target:\n  url: http://a\n  headers:\n    Host: b\n    X Y: c\n    X-A: \"é\"\n    Content-Length: 5\n    X-B: {user}\n    X-C: \"{sale}\"\n    x-c: d\n    X-D: \"${EMPTY}\"\n    X-E: \"Bearer ${NOPE}\"\n    X-F: ${TWO_LINES}\n",
                &[
                    "5:5: header `host` among others; expected it as the target's `host`",
                    "6:5: `X Y` cannot be a header's name; expected one such as X-Tenant",
                    "8:5: header `content-length` is set by the client itself; expected no such header",
                    r#"9:10: {user} without quotes is a YAML mapping; expected "{user}""#,
                    "10:11: unknown value `sale`; expected a value extracted by an earlier step or the login, and there is none",
                    "11:5: header `x-c` again; expected each header once",
                    "12:11: environment variable EMPTY is empty; expected it to hold this value",
                    "13:18: environment variable NOPE is not set; expected it to hold this value",
                    "14:10: the value of header `x-f` has characters that no header holds; expected one line without control characters",
                ],
            ),
            (
                "target: {url: http://a, headers: {A: b, A: c}}\n",
                &["2:41: key `A` again (also on line 2); expected each key once"],
            ),
        ],
    );
}

#[test]
fn health_is_looked_at_often_enough_while_it_has_to_hold() {
    const EXPERIMENT: &str = "experiments:\n  - name: e\n    components: [shop]\n    deadline: 1m\n    \
                              exec: {target: \"true\", inject: \"true\", revert: \"true\"}\n";
    const DUE: &str = "health that holds for a `settle` of 14s is not seen to: component `shop` is probed every 5s; \
                       expected a `settle` of 15s at least, or a shorter `interval`";
    let of = |settle: &str, experiments: &str| {
        format!(
            "components:\n  - {{name: shop, http: /, interval: 5s}}\n  - {{name: rest, http: /, interval: 1s}}\n\
             {settle}{experiments}"
        )
    };
    check(AFTER_BASE, &[(&of("settle: 14s\n", EXPERIMENT), &[&format!("6:9: {DUE}")])]);
    for (settle, experiments) in [("settle: 15s\n", EXPERIMENT), ("settle: 14s\n", "")] {
        parse_good(&format!("{AFTER_BASE}{}", of(settle, experiments)));
    }
}
