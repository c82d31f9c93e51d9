//! The rules of a service's objective are those that Sloth makes of the same, so that dashboards made for it show them:
//! the same groups, names, labels and expressions, but for one thing. The ratio of a window is none here where it has no
//! events, and 0 where it has no series of errors; Sloth's is NaN and none. Where it has both, they are the same.
//!
//! Runs where `sloth` is on the path, or `SLOTH` names it:
//! `go install github.com/slok/sloth/cmd/sloth@v0.16.0`.

#[path = "rules/promtool.rs"]
mod promtool;

use std::collections::{BTreeMap, BTreeSet};
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

/// Sloth's expression of a window's ratio as it is here: the one deviation.
fn with_idle_windows(theirs: &str) -> String {
    let bare = |part: &str| part.strip_prefix('(').and_then(|part| part.strip_suffix(')')).map(str::to_owned);
    let parts = theirs.split_once(" / ").and_then(|(errors, total)| bare(errors).zip(bare(total)));
    let (errors, total) = parts.unwrap_or_else(|| panic!("no ratio of sums in parentheses: {theirs}"));
    rounded(&format!("({errors} or vector(0)) / ({total} > 0)"))
}

/// Sloth's rules of the objective, and ours.
fn both(sloth: &Path, folder: &Path) -> [String; 2] {
    let spec = folder.join("spec.yaml");
    std::fs::write(&spec, SPEC).expect("writing");
    let output = Command::new(sloth).arg("generate").arg("-i").arg(&spec).output().expect("sloth runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../alerts/service.yml");
    let ours = std::fs::read_to_string(file).expect("the rules");
    [String::from_utf8(output.stdout).expect("text"), ours]
}

#[test]
fn rules_of_a_service_are_those_of_sloth() {
    let Some(sloth) = sloth() else {
        eprintln!("skipped: sloth is not installed");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let [mut theirs, mut ours] = both(&sloth, folder.path()).map(|text| rules(&text));
    // What Sloth has no such alert for.
    ours.retain(|key, _| !key.contains(" ServiceUnmeasured "));
    // Sloth leaves how bad an alert is to its user.
    for (_, labels) in ours.values_mut() {
        labels.remove("severity");
    }
    let mut windows = 0;
    for (key, (expr, _)) in &mut theirs {
        // The whole period's ratio is the mean of those of a window, in both.
        if key.contains(" slo:sli_error:ratio_rate") && !key.contains("rate30d ") {
            *expr = with_idle_windows(expr);
            windows += 1;
        }
    }
    assert_eq!(windows, 7);
    assert_eq!(theirs.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>());
    for (key, rule) in &theirs {
        assert_eq!(*rule, ours[key], "{key}");
    }
}

/// What the names of our series begin with where Sloth's are there too.
const OURS: &str = "our:";

/// A test of both files of rules: of a service that is idle for an hour, and of one whose traffic and errors change and
/// never cease. Only what is no number differs from itself.
const BOTH: &str = r#"rule_files: [theirs.yml, ours.yml]
evaluation_interval: 1m
group_eval_order:
  - sloth-slo-sli-recordings-shop-requests-availability
  - sloth-slo-meta-recordings-shop-requests-availability
  - sloth-slo-alerts-shop-requests-availability
tests:
  - interval: 1m
    input_series:
      - {series: 'shop_requests_total{job="shop",code="200"}', values: '0+600x60 36000x60 36000+600x60'}
      - {series: 'shop_requests_total{job="shop",code="500"}', values: '0x180'}
    promql_expr_test:
      - expr: count(slo:period_error_budget_remaining:ratio != slo:period_error_budget_remaining:ratio)
        eval_time: 3h
        exp_samples: [{value: 1}]
      - expr: count(our:period_error_budget_remaining:ratio == our:period_error_budget_remaining:ratio)
        eval_time: 3h
        exp_samples: [{value: 1}]
  - interval: 1m
    input_series:
      - {series: 'shop_requests_total{job="shop",code="200"}', values: '0+600x300 180582+582x59 214920+60x200'}
      - {series: 'shop_requests_total{job="shop",code="500"}', values: '0x300 18+18x59 1080+1x200'}
    promql_expr_test:
"#;

#[test]
fn what_is_recorded_is_what_sloth_records_where_there_are_events_and_errors() {
    let Some(sloth) = sloth() else {
        eprintln!("skipped: sloth is not installed");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let [theirs, ours] = both(&sloth, folder.path());
    let names: BTreeSet<&str> =
        theirs.lines().filter_map(|line| line.trim().strip_prefix("- record: slo:")).collect();
    assert_eq!(names.len(), 14);
    let same = |name: &str, at: &str| {
        let expr = format!("count(abs(slo:{name} - {OURS}{name}) < 1e-9)");
        format!("      - {{expr: '{expr}', eval_time: {at}, exp_samples: [{{value: 1}}]}}\n")
    };
    let looks = names.iter().flat_map(|name| ["2m", "5h30m", "9h"].map(|at| same(name, at)));
    let test = BOTH.to_owned() + &looks.collect::<String>();
    // The name of a label ends as those of the series begin.
    let ours = ours.replace("slo:", OURS).replace(&format!("sloth_{OURS}"), "sloth_slo:");
    for (file, text) in [("theirs.yml", &theirs), ("ours.yml", &ours), ("test.yml", &test)] {
        std::fs::write(folder.path().join(file), text).expect("writing");
    }
    for program in promtool::promtool() {
        promtool::run(&program, &["test", "rules"], &[folder.path().join("test.yml")]);
    }
}
