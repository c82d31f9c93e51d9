//! The rules of a service's objective are those that Sloth makes of the same, so that dashboards made for it show them.
//!
//! Runs where `sloth` is on the path, or `SLOTH` names it:
//! `go install github.com/slok/sloth/cmd/sloth@v0.16.0`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use promql_parser::parser::{self, Expr};
use serde_json::Value;

/// What `deploy/examples/services.yaml` promises.
const SPEC: &str = r#"version: prometheus/v1
service: shop
slos:
  - name: requests-availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(shop_requests_total{job="shop",code=~"5.."}[{{.window}}]))
        total_query: sum(rate(shop_requests_total{job="shop"}[{{.window}}]))
    alerting:
      name: ServiceBudgetBurn
"#;

/// Labels that tell who made the rules, which differ.
const MAKER: [&str; 3] = ["sloth_mode", "sloth_spec", "sloth_version"];

fn sloth() -> Option<PathBuf> {
    let named = std::env::var_os("SLOTH").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("sloth"));
    named.into_iter().chain(found).find(|program| program.is_file())
}

/// The expression with every number rounded, and laid out as one parser has it.
fn rounded(expr: &str) -> String {
    let parsed = parser::parse(expr).unwrap_or_else(|error| panic!("{error}: {expr}"));
    let parsed = match parsed {
        // Parentheses around all of it change nothing.
        Expr::Paren(within) => *within.expr,
        other => other,
    };
    let text = parsed.to_string();
    let mut words: Vec<String> = Vec::new();
    for word in text.split_inclusive([' ', '(', ')']) {
        let bare = word.trim_end_matches([' ', '(', ')']);
        let rest = &word[bare.len()..];
        let round = bare.parse::<f64>().map(|number| format!("{number:.9}"));
        words.push(round.unwrap_or_else(|_| bare.to_owned()) + rest);
    }
    words.concat()
}

/// Each rule by its group, its name, and the labels that tell it from others: its expression and all its labels.
type Rules = BTreeMap<String, (String, BTreeMap<String, String>)>;

fn rules(text: &str) -> Rules {
    let file: Value = serde_saphyr::from_str(text).expect("YAML");
    let mut found = Rules::new();
    for group in file["groups"].as_array().expect("groups") {
        for rule in group["rules"].as_array().expect("rules") {
            let name = rule["record"].as_str().or(rule["alert"].as_str()).expect("a name");
            let labels = rule["labels"].as_object().expect("labels").iter();
            let labels = labels.filter(|(label, _)| !MAKER.contains(&label.as_str()));
            let labels: BTreeMap<String, String> = labels
                .map(|(label, value)| (label.clone(), value.as_str().expect("text").to_owned()))
                .collect();
            let told = labels.get("sloth_severity").cloned().unwrap_or_default();
            let key = format!("{} {name} {told}", group["name"].as_str().expect("a name"));
            found.insert(key, (rounded(rule["expr"].as_str().expect("an expression")), labels));
        }
    }
    found
}

#[test]
fn rules_of_a_service_are_those_of_sloth() {
    let Some(sloth) = sloth() else {
        eprintln!("skipped: sloth is not installed");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let spec = folder.path().join("spec.yaml");
    std::fs::write(&spec, SPEC).expect("writing");
    let output = Command::new(sloth).arg("generate").arg("-i").arg(&spec).output().expect("sloth runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs = rules(&String::from_utf8(output.stdout).expect("text"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../alerts/service.yml");
    let mut ours = rules(&std::fs::read_to_string(file).expect("the rules"));
    // What Sloth has no such alert for.
    ours.retain(|key, _| !key.contains(" ServiceUnmeasured "));
    // Sloth leaves how bad an alert is to its user.
    for (_, labels) in ours.values_mut() {
        labels.remove("severity");
    }
    assert_eq!(theirs.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>());
    for (key, rule) in &theirs {
        assert_eq!(*rule, ours[key], "{key}");
    }
}
