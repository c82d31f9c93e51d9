//! Faults of load and tasks, each with its exact place and text.

use super::*;

#[test]
fn numbers_of_users() {
    check(
        LOAD,
        &[
            (
                "",
                &[
                    "3:3: the load without `duration`; expected how long they visit (or `stages`)",
                    "3:3: the load without `spawn_rate`; expected how many users start a second",
                    "3:3: the load without `users`; expected how many users visit (or `stages`)",
                ],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  stages: [{users: 1, for: 1m}]\n",
                &[
                    "4:10: `users` beside `stages`; expected it in each stage",
                    "6:13: `duration` beside `stages`; expected it in each stage",
                ],
            ),
            (
                "  spawn_rate: 1\n  stages: [{users: 0, for: 1m}]\n",
                &["5:11: stages without a user; expected at least one with users"],
            ),
            (
                "  spawn_rate: 1\n  stages: [{users: 1, lasts: 1m}]\n",
                &[
                    "5:12: a stage without `for`; expected how long the stage lasts",
                    "5:23: unknown key `lasts` in a stage; expected `users` or `for`",
                ],
            ),
            (
                "  spawn_rate: 1\n  stages: {users: 1}\n",
                &["5:11: a mapping; expected a list of stages such as {users: 100, for: 1m}"],
            ),
            (
                "  users: 0\n  spawn_rate: 0\n  duration: 0s\n",
                &[
                    "4:10: `0`; expected a whole number from 1 to 1000000",
                    "5:15: `0`; expected a number above 0, at most 1000000",
                    "6:13: `0s`; expected a duration from 1s to 744h",
                ],
            ),
            (
                "  users: 2000000\n  spawn_rate: .nan\n  duration: 999h\n",
                &[
                    "4:10: `2000000`; expected a whole number from 1 to 1000000",
                    "5:15: `.nan`; expected a number above 0, at most 1000000",
                    "6:13: `999h`; expected a duration from 1s to 744h",
                ],
            ),
            (
                "  users: 1000\n  spawn_rate: 1\n  duration: 1m\n",
                &[
                    "4:10: to start 1000 users takes 1000 s, but the load ends after 1m; expected fewer users, a higher spawn_rate or a longer duration",
                ],
            ),
            (
                "  users:\n  spawn_rate: 1e9\n  duration: [1m]\n",
                &[
                    "4:3: `users` is empty; expected how many users visit (or `stages`)",
                    "5:15: `1e9`; expected a number above 0, at most 1000000",
                    "6:13: a list; expected a duration from 1s to 744h",
                ],
            ),
        ],
    );
}

#[test]
fn behaviour() {
    check(
        LOAD,
        &[
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  think: 3s..1s\n",
                &["7:10: `3s..1s` ends before it begins; expected the shorter pause first"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  think: 2x\n",
                &["7:10: `2x` is not a duration; expected one such as 500ms, 30s, 2m or 1h30m"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  think: 1s..\n",
                &["7:10: an empty text is not a duration; expected one such as 500ms, 30s, 2m or 1h30m"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  timeout: 0s\n",
                &["7:12: `0s`; expected a duration from 1ms to 10m"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  patience: 20s\n",
                &["7:13: a patience of 20s never runs out; expected at most the time-out of 15s"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  timeout: 1s\n  patience: 2s\n",
                &["8:13: a patience of 2s never runs out; expected at most the time-out of 1s"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  redirects: 0\n",
                &["7:14: `0`; expected true, false or a number of hops from 1 to 100"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  redirects: maybe\n",
                &["7:14: `maybe`; expected true, false or a number of hops from 1 to 100"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  buckets: [1, 0.5]\n",
                &["7:16: 0.5 after 1; expected bounds that increase"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  buckets: []\n",
                &["7:12: an empty list; expected bucket bounds in seconds"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  buckets: [x]\n",
                &["7:13: `x`; expected a number above 0, at most 3600"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  seed: -1\n",
                &["7:9: `-1`; expected a whole number from 0 to 18446744073709551615"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  seed: 1.5\n",
                &["7:9: `1.5`; expected a whole number from 0 to 18446744073709551615"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  login: {journey: []}\n",
                &["7:20: an empty list; expected a list of at least one request such as GET /path"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  login: {journeys: [GET /]}\n",
                &["7:11: unknown key `journeys` in the login (did you mean `journey`?); expected `journey`"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  login: [GET /]\n",
                &["7:10: a list; expected the login as a mapping"],
            ),
            (
                "  users: 1\n  spawn_rate: 1\n  duration: 1m\n  usres: 5\n",
                &[
                    "7:3: unknown key `usres` in the load (did you mean `users`?); expected `spawn_rate`, `stages`, `users`, `duration`, `think`, `seed`, `timeout`, `patience`, `redirects`, `buckets`, `abort_when`, `login` or `tasks`",
                ],
            ),
        ],
    );
}

#[test]
fn task_lists() {
    check(
        TASKS,
        &[
            ("    []\n", &["7:5: an empty list; expected a list of at least one task"]),
            (
                "    - {name: a}\n",
                &["7:7: a task without `journey`; expected a list of at least one request such as GET /path"],
            ),
            ("    - {journey: [GET /]}\n", &["7:7: a task without `name`; expected the task's name"]),
            (
                "    - {name: a, journey: [GET /]}\n    - {name: a, journey: [GET /]}\n",
                &["8:14: a second task `a`; expected each name once"],
            ),
            (
                "    - {name: a, weight: 0, journey: [GET /]}\n",
                &["7:25: `0`; expected a whole number from 1 to 1000000"],
            ),
            (
                "    - {name: a, wieght: 3, journey: [GET /]}\n",
                &[
                    "7:17: unknown key `wieght` in a task (did you mean `weight`?); expected `name`, `weight`, `patience` or `journey`",
                ],
            ),
            (
                "    - {name: A b, journey: [GET /]}\n",
                &[
                    "7:14: `A b` cannot be a name; expected a name of 1 to 63 characters: a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit",
                ],
            ),
            (
                "    - {name: a, patience: 16s, journey: [GET /]}\n",
                &["7:27: a patience of 16s never runs out; expected at most the time-out of 15s"],
            ),
            ("    - GET /\n", &["7:7: the text `GET /`; expected a task as a mapping"]),
            (
                "    - {name: a, journey: GET /}\n",
                &["7:26: the text `GET /`; expected a list of at least one request such as GET /path"],
            ),
            (
                "    - {name: a, journey: [GET /{1..5}]}\n",
                &[
                    "7:32: not valid YAML: while parsing a flow sequence, expected ',' or ']'; within [ ] and { } a text that holds braces, brackets or commas needs quotes",
                ],
            ),
            (
                "    - {name: a, journey: [\"GET /{1..x}\", \"GET /{n}\"]}\n",
                &[
                    "7:33: `{1..x}` is no range; expected whole numbers such as {1..9}",
                    "7:48: unknown value `n`; expected a value extracted by an earlier step or the login, and there is none",
                ],
            ),
        ],
    );
}

#[test]
fn abort_limits() {
    const EXPECTED: &str = "expected a percentage above 0%, at most 100%, such as 50%";
    let table = [
        ("{errors: 50}", format!("7:24: `50`; {EXPECTED}")),
        ("{errors: 0%}", format!("7:24: `0%`; {EXPECTED}")),
        ("{errors: 101%}", format!("7:24: `101%`; {EXPECTED}")),
        ("{errors: half}", format!("7:24: `half`; {EXPECTED}")),
        ("{errors: 5%, for: 4s}", "7:33: `4s`; expected a duration from 5s to 1h".to_owned()),
        (
            "{for: 10s}",
            "7:15: the abort limit without `errors`; expected the share of requests that fail, such as 50%"
                .to_owned(),
        ),
        ("50%", "7:15: the text `50%`; expected the abort limit as a mapping".to_owned()),
    ];
    for (limit, fault) in table {
        let text = format!("  users: 1\n  spawn_rate: 1\n  duration: 1m\n  abort_when: {limit}\n");
        check(LOAD, &[(&text, &[&fault])]);
    }
}
