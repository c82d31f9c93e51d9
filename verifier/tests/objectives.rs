//! The page on the objectives' file: its examples are accepted, and it tells every kind and every key.

use std::path::Path;
use std::process::{Command, Output};

const PAGE: &str = include_str!("../OBJECTIVES.md");

/// The beginning of an objective of each form, with the keys that decide which others there are.
const FORMS: [&str; 18] = [
    "kind: availability",
    "kind: availability, by: probes",
    "kind: availability, by: user_time",
    "kind: latency",
    "kind: load_held",
    "kind: recovery",
    "kind: leader, expect: new",
    "kind: split_brain",
    "kind: data_loss",
    "kind: recovery_point",
    "kind: recovery_point, of: archive",
    "kind: scaling, shape: up",
    "kind: scaling, shape: down",
    "kind: scaling, shape: relief",
    "kind: health",
    "kind: intervention",
    "kind: alerting",
    "kind: promql",
];

fn check(text: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("slos.yaml");
    std::fs::write(&file, text).expect("writing");
    Command::new(env!("CARGO_BIN_EXE_slo-verifier")).arg("check").arg(&file).output().expect("it runs")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The examples of a text.
fn examples(text: &str) -> Vec<&str> {
    let parts = text.split("```yaml\n").skip(1);
    parts.map(|part| part.split("```").next().expect("an end")).collect()
}

/// The section of a kind.
fn section(kind: &str) -> &'static str {
    let from = PAGE.find(&format!("\n## `{kind}`\n")).unwrap_or_else(|| panic!("no section on {kind}"));
    let rest = &PAGE[from + 1..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

/// What the checker lists behind `expected` in the only fault that contains `what`.
fn expected(text: &str, what: &str) -> Vec<String> {
    let told = told(&check(text));
    let line = told.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{text}: {told}"));
    let list = line.rsplit_once("expected ").expect("what was expected").1.trim_start_matches("one of ");
    list.split(", ").map(str::to_owned).collect()
}

#[test]
fn every_example_is_accepted() {
    let examples = examples(PAGE);
    assert!(examples.len() > 12, "the examples are not found");
    for example in examples {
        let output = check(example);
        assert!(output.status.success() && output.stderr.is_empty(), "{example}{}", told(&output));
    }
}

#[test]
fn every_kind_has_a_section_with_an_example_and_all_of_its_keys() {
    let kinds = expected("objectives: [{name: a, kind: zzz}]\n", "`kind` is");
    for kind in &kinds {
        assert!(FORMS.iter().any(|form| form.contains(&format!("kind: {kind}"))), "no form of {kind}");
        let examples = examples(section(kind));
        let of_kind = format!("kind: {kind}");
        assert!(examples.iter().any(|example| example.contains(&of_kind)), "no example of {kind}");
    }
    for form in FORMS {
        let kind = form.trim_start_matches("kind: ").split(',').next().expect("a kind");
        let keys = expected(&format!("objectives: [{{name: a, {form}, zzz: 1}}]\n"), "unknown key");
        for key in keys.iter().filter(|key| !["name", "proves", "kind"].contains(&key.as_str())) {
            assert!(section(kind).contains(&format!("`{key}`")), "{form}: {key} is not told");
        }
    }
}

#[test]
fn the_readme_leads_here() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).expect("the README");
    assert!(readme.contains("(verifier/OBJECTIVES.md)"));
}

#[test]
fn services_are_told_with_all_of_their_keys() {
    let page = PAGE.split("\n## Rules and services\n").nth(1).expect("the section");
    let keys = expected("services: [{name: a, zzz: 1}]\n", "unknown key");
    assert!(keys.len() > 4, "{keys:?}");
    for key in keys {
        assert!(page.contains(&format!("`{key}`")), "{key} is not told");
    }
}
