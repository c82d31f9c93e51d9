//! Tests of the trial file as its author sees it: faults with exact places, what good files mean, secrets,
//! and files that are no trial at all.

mod cluster;
mod file;
mod good;
mod hostile;
mod load;
mod page;
mod secrecy;
mod sections;
mod step;

use std::collections::HashMap;
use std::io;
use std::path::Path;

use super::{Environment, Faults, Trial, parse};

/// Variables and files of a made environment.
#[derive(Default)]
pub(super) struct Made {
    variables: HashMap<&'static str, &'static str>,
    files: HashMap<&'static str, &'static str>,
}

impl Made {
    fn new() -> Self {
        Self {
            variables: HashMap::from([("TARGET", "x"), ("EMPTY", ""), ("TWO_LINES", "a\nb")]),
            files: HashMap::from([("ca.pem", "certificate")]),
        }
    }
}

impl Environment for Made {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| (*value).to_owned())
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        let text = path.to_str().and_then(|path| self.files.get(path));
        text.map(|text| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn parse_made(text: &str) -> Result<Trial, Faults> {
    parse(text, Path::new("t.yaml"), &Made::new())
}

/// A trial of nothing but a target and a load, for tests that need one and look at something else.
pub(crate) fn smallest() -> Trial {
    parse_good(AFTER_BASE)
}

fn parse_good(text: &str) -> Trial {
    parse_made(text).unwrap_or_else(|faults| panic!("{text}\n{faults}"))
}

/// Each case is the end of a file that begins with `start`; its faults are all and exactly those given.
fn check(start: &str, cases: &[(&str, &[&str])]) {
    for (end, expected) in cases {
        let text = format!("{start}{end}");
        let faults = parse_made(&text).err().map(|faults| faults.to_string()).unwrap_or_default();
        let expected: Vec<_> = expected.iter().map(|fault| format!("t.yaml:{fault}")).collect();
        assert_eq!(faults.lines().collect::<Vec<_>>(), expected, "\n{text}");
    }
}

/// Lines 1 and 2: all that is required.
const AFTER_BASE: &str = "target: http://a
load: {users: 1, spawn_rate: 1, duration: 1m, tasks: [{name: a, journey: [GET /]}]}
";

/// Line 1: a load.
const AFTER_LOAD: &str = "load: {users: 1, spawn_rate: 1, duration: 1m, tasks: [{name: a, journey: [GET /]}]}
";

/// Lines 1 to 3: a target and tasks; load goes on at line 4.
const LOAD: &str = "target: http://a
load:
  tasks: [{name: a, journey: [GET /]}]
";

/// Lines 1 to 6: a list of tasks begins at line 7.
const TASKS: &str = "target: http://a
load:
  users: 1
  spawn_rate: 1
  duration: 1m
  tasks:
";

/// Lines 1 to 8: a journey begins at line 9.
const STEPS: &str = "target: http://a
load:
  users: 1
  spawn_rate: 1
  duration: 1m
  tasks:
    - name: a
      journey:
";

/// Lines 1 to 3: a list of stores begins at line 4.
const STORES: &str = "target: http://a
load: {users: 1, spawn_rate: 1, duration: 1m, tasks: [{name: a, journey: [GET /]}]}
stores:
";

/// Lines 1 to 6: a list of components begins at line 7.
const COMPONENTS: &str = r#"target: http://a
load: {users: 1, spawn_rate: 1, duration: 1m, tasks: [{name: a, journey: [GET /]}]}
stores:
  - {name: pg, postgres: "host=h", instances: [{name: i, at: "host=i"}, {name: j, at: "host=j"}]}
  - {name: kv, redis: "redis://h", instances: [{name: i, at: "redis://i"}, {name: j, at: "redis://j"}]}
components:
"#;

/// Lines 1 to 6: a list of ledgers begins at line 7.
const LEDGERS: &str = r#"target: http://a
load: {users: 1, spawn_rate: 1, duration: 1m, tasks: [{name: a, journey: [GET /]}]}
stores:
  - {name: pg, postgres: "host=h", instances: [{name: i, at: "host=i"}, {name: j, at: "host=j"}]}
  - {name: kv, redis: "redis://h", instances: [{name: i, at: "redis://i"}, {name: j, at: "redis://j"}]}
ledgers:
"#;

/// Lines 1 to 8: a list of experiments begins at line 9.
const EXPERIMENTS: &str = r#"target: http://a
load: {users: 1, spawn_rate: 1, duration: 1m, tasks: [{name: a, journey: [GET /]}]}
stores:
  - {name: pg, postgres: "host=h", instances: [{name: i, at: "host=i"}, {name: j, at: "host=j"}]}
  - {name: kv, redis: "redis://h", instances: [{name: i, at: "redis://i"}, {name: j, at: "redis://j"}]}
components:
  - {name: web, http: /}
experiments:
"#;
