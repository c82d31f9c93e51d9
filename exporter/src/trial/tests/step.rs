//! Faults of requests, each with its exact place and text.

use super::*;

#[test]
fn requests() {
    check(
        STEPS,
        &[
            (
                "        - GETT /\n",
                &[
                    "9:11: unknown method `GETT` (did you mean `GET`?); expected `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`",
                ],
            ),
            (
                "        - get /\n",
                &[
                    "9:11: unknown method `get` (did you mean `GET`?); expected `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`",
                ],
            ),
            (
                "        - /path\n",
                &["9:11: `/path` is no request; expected a method and a path such as GET /path"],
            ),
            (
                "        - GET path\n",
                &["9:15: a path that does not begin with `/`; expected one such as /items/{1..9}"],
            ),
            (
                "        - GET /a b\n",
                &[
                    "9:15: a path with characters that a URL cannot hold; expected it percent-encoded (a space is %20) and without a fragment",
                ],
            ),
            (
                "        - GET /a#b\n",
                &[
                    "9:15: a path with characters that a URL cannot hold; expected it percent-encoded (a space is %20) and without a fragment",
                ],
            ),
            (
                "        - GET /é\n",
                &[
                    "9:15: a path with characters that a URL cannot hold; expected it percent-encoded (a space is %20) and without a fragment",
                ],
            ),
            (
                "        - GET /{5..1}\n",
                &["9:16: `{5..1}` ends before it begins; expected the smaller number first"],
            ),
            (
                "        - GET /{1..x}\n",
                &["9:16: `{1..x}` is no range; expected whole numbers such as {1..9}"],
            ),
            (
                "        - GET /{a|}\n",
                &["9:16: `{a|}` has an empty choice; expected a list such as {red|green}"],
            ),
            (
                "        - GET /{sale\n",
                &["9:16: `{` is not closed; expected a parameter such as {1..9}, or `{{` for a brace"],
            ),
            ("        - GET /a}\n", &["9:17: `}` alone; expected `}}` for a brace"]),
            (
                "        - GET /{a b}\n",
                &[
                    "9:16: `{a b}` is no parameter; expected {1..9}, {red|green}, {uuid}, {user} or an extracted value ({{ is a brace)",
                ],
            ),
            (
                "        - GET /x/{sale}\n",
                &[
                    "9:18: unknown value `sale`; expected a value extracted by an earlier step or the login, and there is none",
                ],
            ),
            (
                "        - \"GET /x/{sale}\"\n",
                &[
                    "9:19: unknown value `sale`; expected a value extracted by an earlier step or the login, and there is none",
                ],
            ),
            (
                "        - \"GET\\x20/x/{sale}\"\n",
                &[
                    "9:11: unknown value `sale`; expected a value extracted by an earlier step or the login, and there is none",
                ],
            ),
            (
                "        - GET /{uid}\n",
                &[
                    "9:16: unknown value `uid` (did you mean `uuid`?); expected a value extracted by an earlier step or the login, and there is none",
                ],
            ),
            ("        - []\n", &["9:11: a list; expected a request such as GET /path"]),
            ("        - {}\n", &["9:11: an empty step; expected a request such as GET /path"]),
            ("        -\n", &["9:10: nothing here; expected a request such as GET /path"]),
            ("        - GET /a: 5\n", &["9:19: the text `5`; expected a request as a mapping"]),
            (
                "        - GET /a: {jsn: 1}\n",
                &[
                    "9:20: unknown key `jsn` in a request (did you mean `json`?); expected `headers`, `json`, `form`, `expect`, `assert` or `extract`",
                ],
            ),
        ],
    );
}

#[test]
fn bodies() {
    check(
        STEPS,
        &[
            (
                "        - POST /a: {json: 1, form: {a: b}}\n",
                &["9:36: `form` beside `json`; expected one body"],
            ),
            (
                "        - POST /a: {json: {q: {1..3}}}\n",
                &[r#"9:31: {1..3} without quotes is a YAML mapping; expected "{1..3}""#],
            ),
            (
                "        - POST /a: {json: {q: \"{1..3\", r: [007, .5, 0x1F]}}\n",
                &[
                    "9:32: `{` is not closed; expected a parameter such as {1..9}, or `{{` for a brace",
                    "9:44: `007` is a number to YAML but not to JSON; expected a JSON number, or quotes for a text",
                    "9:49: `.5` is a number to YAML but not to JSON; expected a JSON number, or quotes for a text",
                    "9:53: `0x1F` is a number to YAML but not to JSON; expected a JSON number, or quotes for a text",
                ],
            ),
            (
                "        - POST /a: {json: {q: \"{sale}\"}}\n",
                &[
                    "9:32: unknown value `sale`; expected a value extracted by an earlier step or the login, and there is none",
                ],
            ),
            (
                "        - POST /a: {json: {q: 1, q: 2}}\n",
                &["9:34: key `q` again (also on line 9); expected each key once"],
            ),
            (
                "        - POST /a: {form: {q: {1..3}, r: [1], s: \"${NOPE}\"}}\n",
                &[
                    r#"9:31: {1..3} without quotes is a YAML mapping; expected "{1..3}""#,
                    "9:42: a list; expected a form field's value",
                    "9:51: environment variable NOPE is not set; expected it to hold this value",
                ],
            ),
            ("        - POST /a: {form: [a]}\n", &["9:27: a list; expected form fields as a mapping"]),
            (
                "        - POST /a:\n            json:\n              note: |\n                first\n                {gone}\n",
                &[
                    "12:17: unknown value `gone`; expected a value extracted by an earlier step or the login, and there is none",
                ],
            ),
        ],
    );
}

#[test]
fn headers_and_answers() {
    check(
        STEPS,
        &[
            (
                "        - POST /a:\n          expect: 201\n",
                &[
                    "10:11: `expect` beside a request; expected one key such as `POST /path`, with everything else indented below it",
                ],
            ),
            ("        - GET /a: {expect: 99}\n", &["9:28: `99`; expected a whole number from 100 to 599"]),
            ("        - GET /a: {expect: []}\n", &["9:28: an empty list; expected status codes"]),
            (
                "        - GET /a: {expect: [200, ok]}\n",
                &["9:34: `ok`; expected a whole number from 100 to 599"],
            ),
            (
                "        - GET /a: {assert: {contains: x}}\n",
                &["9:28: a mapping; expected a list of conditions such as {contains: text}"],
            ),
            (
                "        - GET /a: {assert: [{}]}\n",
                &["9:29: a condition without a kind; expected `contains`, `matches` or `json`"],
            ),
            (
                "        - GET /a: {assert: [{contains: x, matches: y}]}\n",
                &["9:52: a condition with both `contains` and `matches`; expected one of them"],
            ),
            (
                "        - GET /a: {assert: [{contains: x, equals: 1}]}\n",
                &["9:51: `equals` beside `contains`; expected it beside `json`"],
            ),
            (
                "        - GET /a: {assert: [{contains: \"\"}]}\n",
                &["9:40: an empty text; expected a text in the body"],
            ),
            (
                "        - GET /a: {assert: [{matches: \"a(\"}]}\n",
                &["9:39: not a regular expression: unclosed group; expected one that compiles"],
            ),
            (
                "        - GET /a: {assert: [{json: id}]}\n",
                &[
                    "9:36: `id` is no JSON pointer; expected one such as /items/0/id (`~0` is `~`, `~1` is `/`)",
                ],
            ),
            (
                "        - GET /a: {assert: [{json: /a~2}]}\n",
                &[
                    "9:36: `/a~2` is no JSON pointer; expected one such as /items/0/id (`~0` is `~`, `~1` is `/`)",
                ],
            ),
            (
                "        - GET /a: {assert: [{has: x}]}\n",
                &[
                    "9:29: a condition without a kind; expected `contains`, `matches` or `json`",
                    "9:30: unknown key `has` in a condition; expected `contains`, `matches`, `json` or `equals`",
                ],
            ),
            (
                "        - GET /a: {headers: {X-A: \"{gone}\"}}\n",
                &[
                    "9:36: unknown value `gone`; expected a value extracted by an earlier step or the login, and there is none",
                ],
            ),
            ("        - GET /a: {headers: {X-A: }}\n", &["9:30: nothing here; expected a header's value"]),
        ],
    );
}

#[test]
fn extracted_values() {
    check(
        STEPS,
        &[
            (
                "        - GET /a: {extract: {sale: {json: /id}}}\n        - GET /x/{sael}\n",
                &[
                    "10:18: unknown value `sael` (did you mean `sale`?); expected a value extracted by an earlier step or the login: `sale`",
                ],
            ),
            (
                "        - GET /a: {extract: {uuid: {json: /id}}}\n",
                &["9:30: `uuid` is a parameter of its own; expected another name"],
            ),
            (
                "        - GET /a: {extract: {1a: {json: /id}}}\n",
                &[
                    "9:30: `1a` cannot name an extracted value; expected letters, digits and `_`, beginning with a letter",
                ],
            ),
            (
                "        - GET /a: {extract: {a: /id}}\n",
                &["9:33: the text `/id`; expected an extracted value as a mapping"],
            ),
            (
                "        - GET /a: {extract: {a: {header: \"x y\"}}}\n",
                &["9:42: `x y` cannot be a header's name; expected one such as X-Tenant"],
            ),
            (
                "        - GET /a: {extract: {a: {regex: \"[\"}}}\n",
                &["9:41: not a regular expression: unclosed character class; expected one that compiles"],
            ),
            (
                "        - GET /a: {extract: {a: {cokie: x}}}\n",
                &[
                    "9:34: unknown key `cokie` in an extracted value (did you mean `cookie`?); expected `json`, `header`, `cookie` or `regex`",
                ],
            ),
            (
                "        - GET /a: {extract: {a: {json: id}}}\n        - GET /{a}\n",
                &[
                    "9:40: `id` is no JSON pointer; expected one such as /items/0/id (`~0` is `~`, `~1` is `/`)",
                ],
            ),
        ],
    );
}
