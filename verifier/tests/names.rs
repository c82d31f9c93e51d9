//! Every metric and label that dashboards, alerts, runbooks and the verifier name is one that somebody exposes: the
//! exporter by its golden exposition, others by `alerts/names.yaml`.

#[path = "names/pages.rs"]
mod pages;
#[path = "names/vocabulary.rs"]
mod vocabulary;

use std::path::{Path, PathBuf};

use promql_parser::parser;
use serde_json::Value;
use vocabulary::Vocabulary;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()))
}

/// The files of a folder with that ending.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let found: Vec<_> = paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    assert!(!found.is_empty(), "no {ending} in {folder}");
    found
}

/// Everything exposed, by anyone.
fn everything() -> Vocabulary {
    let mut all = Vocabulary::of_exposition(&read(&root().join("exporter/metrics.prom")));
    all.add_others(&yaml(&root().join("alerts/names.yaml")));
    all
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An expression and the texts that are shown with what it returns.
struct Used {
    place: String,
    expr: String,
    texts: Vec<String>,
}

/// The selector of a dashboard's variable, with the label whose values it has as one that is shown.
fn of_variable(place: &str, query: &str) -> Option<Used> {
    let (expr, label) = query.strip_prefix("label_values(")?.strip_suffix(')')?.rsplit_once(", ")?;
    Some(Used { place: place.to_owned(), expr: expr.to_owned(), texts: vec![format!("{{{{{label}}}}}")] })
}

/// Every map that has an `expr` or is a dashboard's variable, wherever it stands.
fn collect(place: &str, value: &Value, found: &mut Vec<Used>) {
    match value {
        Value::Object(fields) => {
            found.extend(
                fields.get("definition").and_then(Value::as_str).and_then(|query| of_variable(place, query)),
            );
            if let Some(expr) = fields.get("expr").and_then(Value::as_str) {
                let mut texts = Vec::new();
                for key in ["legendFormat", "annotations", "textFormat", "titleFormat", "tagKeys"] {
                    texts.extend(fields.get(key).map(Value::to_string));
                }
                found.push(Used { place: place.to_owned(), expr: expr.to_owned(), texts });
            }
            fields.iter().for_each(|(key, value)| collect(&format!("{place}/{key}"), value, found));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| collect(&format!("{place}/{at}"), value, found));
        }
        _ => {}
    }
}

/// The expression with Grafana's own variables in place of durations filled in.
fn filled(expr: &str) -> String {
    ["$__rate_interval", "$__range", "$__interval"]
        .iter()
        .fold(expr.to_owned(), |expr, name| expr.replace(name, "5m"))
}

/// What is wrong with an expression and its texts.
fn faults(all: &Vocabulary, used: &Used) -> Vec<String> {
    let parsed = match parser::parse(&filled(&used.expr)) {
        Ok(parsed) => parsed,
        Err(error) => return vec![format!("{}: {error}: {}", used.place, used.expr)],
    };
    let mut found = all.faults(&parsed);
    let labels = all.labels(&parsed);
    for text in &used.texts {
        found.extend(
            vocabulary::shown(text)
                .into_iter()
                .filter(|label| !labels.contains(label))
                .map(|label| format!("{text} shows the label {label}")),
        );
    }
    found.into_iter().map(|fault| format!("{}: {fault}: {}", used.place, used.expr)).collect()
}

fn assert_sound(all: &Vocabulary, used: &[Used]) {
    let wrong: Vec<_> = used.iter().flat_map(|used| faults(all, used)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dashboards_show_what_is_exposed_or_recorded() {
    let mut used = Vec::new();
    for path in files("dashboards", ".json") {
        let value: Value = serde_json::from_str(&read(&path)).expect("JSON");
        collect(&path.file_name().expect("a name").to_string_lossy(), &value, &mut used);
    }
    assert!(used.len() > 100, "the dashboards' expressions are not found");
    assert!(used.iter().any(|used| used.place.contains("templating")), "their variables are not found");
    let mut all = everything();
    all.add_recorded(&yaml(&root().join("alerts/lab.yml")));
    assert_sound(&all, &used);
}

#[test]
fn alerts_ask_for_what_is_exposed_or_recorded() {
    let mut files = files("alerts", ".yml");
    let on_kubernetes = ["kube-prometheus-stack/rules.yaml", "demo/run/alerts.yml", "web/run/alerts.yml"];
    files.extend(on_kubernetes.map(|file| root().join("deploy/kubernetes").join(file)));
    for path in files {
        assert_rules_sound(&path.display().to_string(), &yaml(&path));
    }
}

#[test]
fn runbooks_ask_for_what_is_exposed_or_recorded() {
    let mut all = everything();
    for path in files("alerts", ".yml") {
        all.add_recorded(&yaml(&path));
    }
    let page = read(&root().join("docs/runbooks.md"));
    let used = |(line, expr): (usize, &str)| Used {
        place: format!("docs/runbooks.md:{line}"),
        expr: expr.to_owned(),
        texts: Vec::new(),
    };
    let used: Vec<_> = pages::queries(&page).into_iter().map(used).collect();
    assert!(used.len() > 35, "the runbooks' queries are not found");
    assert_sound(&all, &used);
}

#[test]
fn advice_names_what_is_exposed() {
    for page in ["verifier/OBJECTIVES.md", "verifier/src/report/advice.rs"] {
        let text = read(&root().join(page));
        let used = |name: &str| Used { place: page.to_owned(), expr: name.to_owned(), texts: Vec::new() };
        let used: Vec<_> = pages::names(&text).map(used).collect();
        assert!(used.len() > 8, "the metrics of {page} are not found");
        assert_sound(&everything(), &used);
    }
}

#[test]
fn rules_of_every_kind_of_objective_ask_for_what_is_exposed_or_recorded() {
    let objectives = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/made/slos.yaml");
    let program = env!("CARGO_BIN_EXE_slo-verifier");
    let output = std::process::Command::new(program).arg("rules").arg(objectives).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert_rules_sound("every kind", &serde_saphyr::from_str(&text).expect("YAML"));
}

/// Rules may ask for what is exposed, and for what rules of the same file record.
fn assert_rules_sound(place: &str, file: &Value) {
    let mut all = everything();
    all.add_recorded(file);
    let mut used = Vec::new();
    collect(place, file, &mut used);
    assert!(used.len() > 5, "the expressions of {place} are not found");
    assert_sound(&all, &used);
}

#[test]
fn the_verifier_reads_what_is_exposed() {
    let families = include_str!("../src/evidence/family.rs");
    let archive = include_str!("../src/judge/archive.rs");
    let mut used = Vec::new();
    for line in families.lines().chain(archive.lines()) {
        let texts: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        let Some((name, labels)) = texts.split_first() else { continue };
        let of_exporter = line.contains("conductor(\"") || line.contains("load(\"");
        let of_others = line.contains("const ") && name.starts_with("pg_");
        if of_exporter || of_others {
            let labels: Vec<_> = labels.iter().map(|label| format!("{label}!=\"\"")).collect();
            let expr = format!("{name}{{{}}}", labels.join(","));
            used.push(Used { place: "the verifier".to_owned(), expr, texts: Vec::new() });
        }
    }
    assert!(used.len() > 40, "the verifier's families are not found");
    assert_sound(&everything(), &used);
}

#[test]
fn wrong_names_are_noticed() {
    let exposition = "ordeal_users{state=\"running\"} 1\nordeal_run_info{run=\"r\",role=\"load\"} 1\n";
    let mut all = Vocabulary::of_exposition(exposition);
    let others = serde_json::json!({"new_total": {"was": {"old_total": "2"}, "labels": ["role"]}});
    all.add_others(&others);
    let rule =
        serde_json::json!({"record": "level:users:sum", "expr": "ordeal_users", "labels": {"limit": "x"}});
    all.add_recorded(&serde_json::json!({"groups": [{"rules": [rule]}]}));
    let told = |expr: &str, text: &str| {
        let used = Used { place: String::new(), expr: expr.to_owned(), texts: vec![text.to_owned()] };
        faults(&all, &used).len()
    };
    let sound = [
        r#"sum by (state) (ordeal_users{job=~"$job",state="running"})"#,
        r#"rate(new_total{role="x"}[$__rate_interval]) or rate(old_total[5m])"#,
        r#"ordeal_users * on (job, instance) group_left (run) ordeal_run_info{role=~"load|conductor"}"#,
        r#"max by (phase) (label_replace(ordeal_users, "phase", "$1", "state", "(.*)"))"#,
        r#"max_over_time(up{instance="x"}[5m:1s] @ end())"#,
        r#"sum by (limit) (level:users:sum{limit="x",state="running"})"#,
    ];
    for expr in sound {
        assert_eq!(told(expr, ""), 0, "{expr}");
    }
    let wrong = [
        "ordeal_user",
        r#"ordeal_users{stat="running"}"#,
        r#"ordeal_users{state="runing"}"#,
        r#"ordeal_users{state=~"runing|taget"}"#,
        "sum by (task) (ordeal_users)",
        "ordeal_users * on (run) group_left (trial) ordeal_run_info",
        "other_total",
        "level:users:avg",
        r#"level:users:sum{task="x"}"#,
        r#"{__name__=~"ordeal_.*"}"#,
        "sum(",
    ];
    for expr in wrong {
        assert_ne!(told(expr, ""), 0, "{expr}");
    }
    let variable = |query: &str| faults(&all, &of_variable("", query).expect("a variable")).len();
    assert_eq!(variable(r#"label_values(ordeal_run_info{job=~"$job"}, run)"#), 0);
    assert_eq!(variable("label_values(ordeal_run_info, runs)"), 1);
    assert_eq!(told("ordeal_users", "{{state}} at {{ $labels.instance }}"), 0);
    assert_eq!(told("ordeal_users", "{{task}} at {{ $labels.instanc }}"), 2);
}

#[test]
fn queries_of_a_page_are_found() {
    let page = "`ordeal_users` and `x`\n- Query: `sum(y)`, `ordeal_user{z=\"`\n- Look: `SELECT 1`\n";
    let queries = [(1, "ordeal_users"), (2, "sum(y)"), (2, "ordeal_user{z=\"")];
    assert_eq!(pages::queries(page), queries);
    assert_eq!(
        pages::names("See ordeal_users: a:b and ordeal:x:y.").collect::<Vec<_>>(),
        ["ordeal_users", "ordeal:x:y"]
    );
}
