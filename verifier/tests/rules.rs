//! The rules that are shipped are what `slo-verifier rules` writes, every alert has its runbook and its tests, and
//! Prometheus takes all of them.
//!
//! After a wanted change: `BLESS=1 cargo test -p verifier --test rules`.

#[path = "rules/files.rs"]
mod files;
mod made;
#[path = "rules/tools.rs"]
mod tools;

use std::collections::BTreeSet;
use std::path::PathBuf;

use files::{Alert, alerts, rule_files, shipped, tests};
use made::live::Live;
use made::{Server, await_that, brief, healthy};
use serde_json::Value;
use tools::{promtool, rules};

/// Files that are written, of which objectives and with which options, and what they are about.
const WRITTEN: [(&str, &str, &[&str], &str); 5] = [
    ("alerts/lab.yml", "deploy/lab/slos.yaml", &[], "the lab's promises"),
    (
        "alerts/service.yml",
        "deploy/examples/services.yaml",
        &[],
        "the example of a service's objective over 30 days",
    ),
    (
        "deploy/kubernetes/demo/run/alerts.yml",
        "deploy/kubernetes/demo/run/slos.yaml",
        &["--with", "alerts/exporter.yml"],
        "the promises in slos.yaml, and on the exporter",
    ),
    (
        "deploy/kubernetes/web/run/alerts.yml",
        "deploy/kubernetes/web/run/slos.yaml",
        &["--with", "alerts/exporter.yml"],
        "the promises in slos.yaml, and on the exporter",
    ),
    (
        "deploy/kubernetes/kube-prometheus-stack/rules.yaml",
        "deploy/kubernetes/base/slos.yaml",
        &[
            "--with",
            "alerts/exporter.yml",
            "--format",
            "prometheus-rule",
            "--namespace",
            "ordeal",
            "--label",
            "release=kube-prometheus-stack",
        ],
        "the promises in ../base/slos.yaml, and on the exporter",
    ),
];

#[test]
fn shipped_rules_are_what_is_written_of_their_objectives() {
    for (file, objectives, options, about) in WRITTEN {
        let arguments = [&["rules", objectives][..], options].concat();
        let command = arguments.join(" ");
        let head = format!(
            "# Rules on {about}, written by `slo-verifier {command}`\n# (BLESS=1 cargo test -p verifier --test rules).\n"
        );
        let text = head + &rules(&arguments);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(shipped(file), &text).expect("writable");
        }
        let there = std::fs::read_to_string(shipped(file)).unwrap_or_default();
        assert_eq!(there, text, "{file}: write it anew with BLESS=1");
    }
}

#[test]
fn every_alert_has_a_section_in_the_runbooks_and_every_section_an_alert() {
    let page = std::fs::read_to_string(shipped("docs/runbooks.md")).expect("the runbooks");
    let sections: BTreeSet<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let alerts: Vec<Alert> = rule_files().iter().flat_map(|file| alerts(file)).collect();
    assert!(alerts.len() > 30, "the alerts are not found");
    for alert in &alerts {
        let section = alert.rule["annotations"]["runbook_url"].as_str().expect("a runbook");
        let (path, anchor) = section.split_once('#').expect("a section");
        assert!(shipped(path).is_file(), "{section}");
        assert_eq!(anchor, alert.name.to_lowercase());
        assert!(sections.contains(alert.name.as_str()), "no section {}", alert.name);
    }
    let names: BTreeSet<&str> = alerts.iter().map(|alert| alert.name.as_str()).collect();
    assert_eq!(sections, names, "sections and alerts");
}

#[test]
fn every_alert_says_how_bad_it_is_and_when_it_begins_and_ends() {
    for file in rule_files() {
        for Alert { name, rule } in alerts(&file) {
            let severity = rule["labels"]["severity"].as_str().unwrap_or_default();
            assert!(["info", "warning", "critical"].contains(&severity), "{name}: {severity:?}");
            for key in ["for", "keep_firing_for"] {
                assert!(rule[key].is_string(), "{name} has no {key}");
            }
            let told = |key: &str| rule["annotations"][key].as_str().unwrap_or_default();
            assert!(!told("summary").is_empty(), "{name}");
            let description = told("description");
            // Of what is gone there is no value.
            let absence = ["OrdealConductorGone", "ServiceUnmeasured"].contains(&name.as_str());
            let outcome = ["OrdealExperimentIneffective", "OrdealNotRecovered"].contains(&name.as_str());
            assert!(description.contains("$value") || absence || outcome, "{name}: {description}");
        }
    }
}

#[test]
fn every_alert_is_seen_before_firing_and_after_by_a_test_of_promtool() {
    let cases = tests();
    let mut missing = Vec::new();
    for alert in rule_files().iter().flat_map(|file| alerts(file)) {
        if !cases.iter().any(|case| case.proves(&alert)) {
            missing.push(format!("{} {}", alert.name, alert.rule["labels"]));
        }
    }
    assert!(
        missing.is_empty(),
        "no test of promtool has these silent, firing and silent again:\n{}",
        missing.join("\n")
    );
}

#[test]
fn every_alert_but_those_on_absence_is_silent_without_data() {
    let case = tests().into_iter().find(|case| case.name == "nothing but a run that tells its phase");
    let silent = case.expect("the test of missing data").silent();
    let names =
        rule_files().iter().flat_map(|file| alerts(file)).map(|alert| alert.name).collect::<BTreeSet<_>>();
    let unseen: Vec<_> = names.difference(&silent).map(String::as_str).collect();
    assert_eq!(unseen, ["ServiceUnmeasured"], "alerts that the test of missing data does not ask for");
}

#[test]
fn promtool_finds_nothing_to_complain_of_and_its_tests_pass() {
    for promtool in promtool() {
        let run = |arguments: &[&str], files: &[PathBuf]| {
            let output =
                std::process::Command::new(&promtool).args(arguments).args(files).output().expect("it runs");
            let told = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
            assert!(output.status.success(), "{} {arguments:?}: {}", promtool.display(), told.concat());
        };
        run(&["check", "rules", "--lint=all", "--lint-fatal"], &rule_files());
        run(&["test", "rules"], &files::in_folder("alerts/tests", ".yml"));
    }
}

#[test]
fn prometheus_evaluates_every_rule_of_a_run_that_goes_on() {
    let live = Live::play(brief("ruled"));
    let folder = tempfile::tempdir().expect("a folder");
    let every_kind = folder.path().join("every-kind.yml");
    let objectives = folder.path().join("slos.yaml");
    std::fs::write(&objectives, made::slos("ruled")).expect("writing");
    std::fs::write(&every_kind, rules(&["rules", &objectives.display().to_string()])).expect("writing");
    let mut files: Vec<PathBuf> = rule_files();
    files.push(every_kind);
    for server in Server::each_ruling(&[&live.address], &files) {
        let told = || -> Vec<Value> {
            let answer = server.ask("/api/v1/rules");
            let groups = answer["data"]["groups"].as_array().cloned().unwrap_or_default();
            groups.iter().flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default()).collect()
        };
        // What is evaluated before the first scrape has nothing that could disagree.
        let scraped = || {
            let answer = server.ask("/api/v1/query?query=ordeal_requests_total");
            answer["data"]["result"].as_array().is_some_and(|series| !series.is_empty())
        };
        await_that("a scrape", scraped);
        let since = chrono::Utc::now();
        let evaluated = |rule: &Value| {
            let at =
                rule["lastEvaluation"].as_str().and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
            at.is_some_and(|at| at > since)
        };
        await_that("every rule's evaluation", || told().len() > 80 && told().iter().all(evaluated));
        let ill: Vec<_> = told().into_iter().filter(|rule| rule["health"] != "ok").collect();
        assert!(ill.is_empty(), "{ill:#?}");
    }
}

#[test]
fn every_expression_can_be_evaluated_over_a_whole_run() {
    let run = healthy("whole", 5.0);
    let folder = tempfile::tempdir().expect("a folder");
    let objectives = folder.path().join("slos.yaml");
    std::fs::write(&objectives, made::slos("whole")).expect("writing");
    let text = rules(&["rules", &objectives.display().to_string(), "--with", "alerts/exporter.yml"]);
    let made: Value = serde_saphyr::from_str(&text).expect("YAML");
    for server in Server::each_version(&[&run]) {
        let mut gave = BTreeSet::new();
        for rule in files::rules_of(&made) {
            let expr = rule["expr"].as_str().expect("an expression");
            let query = url::form_urlencoded::byte_serialize(expr.as_bytes()).collect::<String>();
            let (start, end) = (server.start, server.start + 620.0);
            let answer =
                server.ask(&format!("/api/v1/query_range?query={query}&start={start}&end={end}&step=5"));
            assert_eq!(answer["status"], "success", "{expr}: {answer}");
            if answer["data"]["result"].as_array().is_some_and(|series| !series.is_empty()) {
                gave.extend(rule["record"].as_str().or(rule["alert"].as_str()).map(str::to_owned));
            }
        }
        // What is recorded of a run that goes well; alerts on the records ask for what nobody recorded here.
        let due = [
            "ordeal:archive_age_spent:ratio",
            "ordeal:availability_budget_spent:ratio",
            "ordeal:latency_budget_spent:ratio",
            "ordeal:leader_spent:ratio",
            "ordeal:recovery_spent:ratio",
            "ordeal:replicas_ready:max",
        ];
        assert_eq!(gave.iter().map(String::as_str).collect::<Vec<_>>(), due);
    }
}
