//! The files of rules and of their tests that are in the repository.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A file of the repository.
pub(crate) fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The files of a folder with an ending, in order.
pub(crate) fn in_folder(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(shipped(folder)).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let found: BTreeSet<PathBuf> = paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    assert!(!found.is_empty(), "no {ending} in {folder}");
    found.into_iter().collect()
}

/// The files that Prometheus is given.
pub(crate) fn rule_files() -> Vec<PathBuf> {
    in_folder("alerts", ".yml")
}

fn yaml(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rules of a rule file.
pub(crate) fn rules_of(file: &Value) -> Vec<Value> {
    let groups = file["groups"].as_array().expect("groups");
    groups.iter().flat_map(|group| group["rules"].as_array().expect("rules").clone()).collect()
}

/// An alerting rule.
pub(crate) struct Alert {
    pub(crate) name: String,
    pub(crate) rule: Value,
}

/// The alerting rules of a file.
pub(crate) fn alerts(path: &Path) -> Vec<Alert> {
    let named = |rule: Value| Some(Alert { name: rule["alert"].as_str()?.to_owned(), rule });
    rules_of(&yaml(path)).into_iter().filter_map(named).collect()
}

/// A case of a promtool test.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The times at which alerts are looked at: the alert's name, when, and the labels of those that fire.
    looks: Vec<(String, f64, Vec<Value>)>,
}

impl Case {
    /// Whether the alert is silent first, then fires with its own labels, and is silent in the end.
    pub(crate) fn proves(&self, alert: &Alert) -> bool {
        let mut looks: Vec<_> = self.looks.iter().filter(|look| look.0 == alert.name).collect();
        looks.sort_by(|a, b| a.1.total_cmp(&b.1));
        let own = |labels: &Value| {
            let labels_of_rule = alert.rule["labels"].as_object().expect("labels");
            labels_of_rule.iter().all(|(label, value)| labels[label] == *value)
        };
        let fires = |look: &&(String, f64, Vec<Value>)| look.2.iter().any(own);
        let Some(first) = looks.iter().position(fires) else { return false };
        let last = looks.iter().rposition(fires).unwrap_or(first);
        first > 0 && last + 1 < looks.len()
    }

    /// The alerts that are looked at and never fire.
    pub(crate) fn silent(&self) -> BTreeSet<String> {
        let fires = |name: &String| self.looks.iter().any(|look| look.0 == *name && !look.2.is_empty());
        self.looks.iter().map(|look| &look.0).filter(|name| !fires(name)).cloned().collect()
    }
}

/// All cases of all promtool tests.
pub(crate) fn tests() -> Vec<Case> {
    let files = in_folder("alerts/tests", ".yml");
    files.iter().flat_map(|file| cases(&yaml(file))).collect()
}

fn cases(file: &Value) -> Vec<Case> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let look = |look: &Value| {
        let fired = look["exp_alerts"].as_array().cloned().unwrap_or_default();
        let at = humantime::parse_duration(&text(&look["eval_time"])).expect("a duration").as_secs_f64();
        (text(&look["alertname"]), at, fired.iter().map(|alert| alert["exp_labels"].clone()).collect())
    };
    let case = |case: &Value| Case {
        name: text(&case["name"]),
        looks: case["alert_rule_test"].as_array().into_iter().flatten().map(look).collect(),
    };
    file["tests"].as_array().expect("tests").iter().map(case).collect()
}
