use promql_parser::parser;

use super::rule::Rule;
use super::*;
use crate::slo;

/// Every kind of objective.
const EVERY_KIND: &str = include_str!("../../tests/made/slos.yaml");

fn checked(text: &str) -> Checked {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slos.yaml");
    std::fs::write(&file, text).unwrap();
    slo::load(&file).unwrap()
}

fn made(text: &str) -> Rules {
    rules(&checked(text), &Scope::default()).unwrap()
}

fn all(rules: &Rules) -> impl Iterator<Item = &Rule> {
    rules.groups.iter().flat_map(|group| &group.rules)
}

/// The only rule of a name and severity.
fn alert<'a>(rules: &'a Rules, name: &str, severity: &str) -> &'a Rule {
    let mut found =
        all(rules).filter(|rule| rule.alert.as_deref() == Some(name) && rule.labels["severity"] == severity);
    let rule = found.next().unwrap_or_else(|| panic!("no {severity} {name}"));
    assert_eq!(found.next(), None, "{name} {severity}");
    rule
}

#[test]
fn every_objective_has_a_rule_or_is_told() {
    let made = made(EVERY_KIND);
    // What the whole run is promised speaks for the experiments in it.
    let spoken_for = ["no split brain", "nothing lost in the partition"];
    for objective in checked(EVERY_KIND).objectives {
        let name = &objective.name;
        let has_rule = all(&made).any(|rule| rule.labels.get("objective") == Some(name));
        let told = made.untold.iter().any(|line| line.contains(&format!("`{name}`")));
        assert_eq!((has_rule, told) == (false, false), spoken_for.contains(&name.as_str()), "{name}");
        assert!(!(has_rule && told), "{name}");
    }
}

#[test]
fn every_alert_is_complete_and_every_expression_promql() {
    let made = made(EVERY_KIND);
    assert!(all(&made).count() > 30);
    for rule in all(&made) {
        parser::parse(&rule.expr).unwrap_or_else(|error| panic!("{error}: {}", rule.expr));
        let Some(name) = &rule.alert else { continue };
        assert!(rule.hold.is_some() && rule.keep_firing_for.is_some(), "{name}");
        let keys: Vec<_> = rule.annotations.keys().map(String::as_str).collect();
        assert_eq!(keys, ["description", "runbook_url", "summary"], "{name}");
        assert_eq!(rule.annotations["runbook_url"], format!("{RUNBOOKS}#{}", name.to_lowercase()));
    }
}

#[test]
fn names_are_no_templates_and_break_out_of_no_string() {
    let name = r#"a "b" {{ $value }} \ c"#;
    let made =
        made(&format!("objectives: [{{name: '{name}', kind: data_loss, store: 'x\"}} or up{{a=\"'}}]"));
    let rule = alert(&made, "OrdealDataLost", "critical");
    assert_eq!(rule.labels["objective"], r#"a "b" {{ "{{" }} $value }} \ c"#);
    assert!(rule.expr.contains(r#"store="x\"} or up{a=\"""#), "{}", rule.expr);
    parser::parse(&rule.expr).unwrap();
}

#[test]
fn rules_of_a_trial_look_at_its_runs_only() {
    let scope = Scope { trial: Some("shop".to_owned()) };
    let rules = rules(&checked(EVERY_KIND), &scope).unwrap();
    // Those that read records, too: another trial's have the same names.
    for rule in all(&rules) {
        assert!(rule.expr.contains("trial=\"shop\""), "{}", rule.expr);
    }
}

#[test]
fn promises_of_an_experiment_alone_warn() {
    let made = made(
        "objectives:
  - {name: a, kind: data_loss, store: postgres, experiment: kill}
  - {name: b, kind: split_brain, component: postgres, experiment: kill, at_most: 2s}
",
    );
    assert_eq!(alert(&made, "OrdealDataLost", "warning").labels["objective"], "a");
    let rule = alert(&made, "OrdealSplitBrain", "warning");
    assert!(rule.annotations["description"].ends_with("allows 2 s."), "{rule:?}");
    let flat: Vec<&str> = rule.expr.split_whitespace().collect();
    assert!(flat.join(" ").contains("> 2"), "{}", rule.expr);
}

#[test]
fn a_budget_of_probes_is_never_spent_for_good() {
    let probes = "  - {name: a.b, kind: availability, by: probes, component: shop, at_least: 99%}\n";
    let requests = "  - {name: c, kind: availability, at_least: 99%}\n";
    let critical = |objectives: &str| -> Vec<String> {
        let made = made(&format!("objectives:\n{objectives}"));
        let critical = all(&made).filter(|rule| {
            rule.alert.is_some() && rule.labels.get("severity").map(String::as_str) == Some("critical")
        });
        critical.map(|rule| rule.expr.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    assert!(critical(probes).is_empty());
    let spent = "ordeal:availability_budget_spent:ratio";
    for (objectives, of) in [
        (requests.to_owned(), format!("{spent} > 1 and")),
        (format!("{requests}{probes}"), format!(r#"{spent}{{objective!~"a\\.b"}} > 1 and"#)),
    ] {
        let found = critical(&objectives);
        assert!(found.len() == 1 && found[0].contains(&of), "{of}: {found:?}");
    }
}

#[test]
fn errors_that_no_series_can_count_leave_a_service_unmeasured() {
    let of = |errors: &str| {
        let total = r#"x_total{job="c"}"#;
        let service = format!("{{name: a, service: b, at_least: 99%, total: '{total}', errors: '{errors}'}}");
        alert(&made(&format!("services: [{service}]")), "ServiceUnmeasured", "warning").expr.clone()
    };
    let total = r#"absent(x_total{job="c"})"#;
    // A label that was never seen may yet come.
    assert_eq!(of(r#"x_total{job="c",code=~"5.."}"#), total);
    assert_eq!(of(r#"y_total{job="c",code=~"5.."}"#), format!("{total} or on () absent(y_total)"));
}

#[test]
fn runbooks_are_where_people_say() {
    let mut made = made("objectives: [{name: a, kind: intervention}]");
    made.groups[0].rules[0].annotations.insert("runbook_url".to_owned(), "https://other/#x".to_owned());
    let mut moved = made.groups.clone();
    move_runbooks(&mut moved, "https://wiki/ordeal");
    assert_eq!(moved, made.groups, "another's runbook stays");
    made.groups[0].rules[0]
        .annotations
        .insert("runbook_url".to_owned(), "docs/runbooks.md#ordealintervention".to_owned());
    // Nor is an address a template.
    move_runbooks(&mut made.groups, "https://wiki/{{ordeal}}");
    assert_eq!(
        made.groups[0].rules[0].annotations["runbook_url"],
        r#"https://wiki/{{ "{{" }}ordeal}}#ordealintervention"#
    );
}

#[test]
fn what_is_written_reads_back_the_same() {
    let made = made(EVERY_KIND);
    let text = written(made.groups.clone(), &Form::Prometheus).unwrap();
    assert_eq!(read(&text), Ok(made.groups));
    let told = read("groups: [{name: a, rules: [], limit: 3}]").unwrap_err();
    assert!(told.contains("limit"), "{told}");
}

#[test]
fn an_object_of_kubernetes_has_its_name_and_labels() {
    let labels = [("release".to_owned(), "kube-prometheus-stack".to_owned())];
    let metadata =
        Metadata { name: "shop".to_owned(), namespace: Some("ordeal".to_owned()), labels: labels.into() };
    let text = written(Vec::new(), &Form::PrometheusRule(metadata)).unwrap();
    assert_eq!(
        text,
        "apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: shop
  namespace: ordeal
  labels:
    release: kube-prometheus-stack
spec:
  groups: []
"
    );
}
