//! The rules that are shipped are what `slo-verifier rules` writes, every alert has its runbook and its tests, and
//! Prometheus takes all of them.
//!
//! After a wanted change: `BLESS=1 cargo test -p verifier --test rules`.

#[path = "rules/files.rs"]
mod files;
mod made;
#[path = "rules/promtool.rs"]
mod promtool;
#[path = "rules/tools.rs"]
mod tools;
#[path = "rules/written.rs"]
mod written;

use std::collections::BTreeSet;
use std::path::PathBuf;

use files::{Alert, alerts, rule_files, shipped, tests};
use made::live::Live;
use made::{Server, await_that, brief, healthy};
use promtool::promtool;
use serde_json::Value;
use tools::rules;
use written::{WRITTEN, Written};

#[test]
fn shipped_rules_are_what_is_written_of_their_objectives() {
    for Written { file, arguments, about } in WRITTEN {
        let arguments = [&["rules"][..], arguments].concat();
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
fn rules_on_promises_are_kept_to_the_trial_beside_them() {
    let mut kept = 0;
    for Written { file, arguments, .. } in WRITTEN {
        let trial = shipped(&arguments[0].replace("/slos", "/trial"));
        if !arguments[0].contains("/slos") || !trial.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&trial).expect("the trial");
        let name = text.lines().find_map(|line| line.strip_prefix("name: ")).expect("a name");
        assert_eq!(arguments[1..3], ["--trial", name], "{file}");
        kept += 1;
    }
    assert_eq!(kept, 3, "the trials are not found");
}

#[test]
fn rules_are_of_objectives_or_of_files_that_are_joined() {
    let joined = rules(&["rules", "--with", "alerts/exporter.yml"]);
    let names = |text: &str| -> Vec<Value> {
        let file: Value = serde_saphyr::from_str(text).expect("YAML");
        files::rules_of(&file).iter().map(|rule| rule["alert"].clone()).collect()
    };
    let there = std::fs::read_to_string(shipped("alerts/exporter.yml")).expect("the exporter's rules");
    assert_eq!(names(&joined), names(&there));
    let without: [&[&str]; 2] = [&[], &["--with", "alerts/exporter.yml", "--trial", "shop"]];
    for arguments in without {
        let (code, told) = tools::refused(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {told}");
        assert!(told.contains("required arguments were not provided"), "{arguments:?}: {told}");
    }
}

#[test]
fn a_label_has_one_value() {
    let object = ["--with", "alerts/exporter.yml", "--format", "prometheus-rule"];
    let labels = ["--label", "a=1", "--label", "b=1", "--label", "a=2"];
    let (code, told) = tools::refused(&[&object[..], &labels[..]].concat());
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("the label `a` is given twice"), "{told}");
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
    for program in promtool() {
        promtool::run(&program, &["check", "rules", "--lint=all", "--lint-fatal"], &rule_files());
        promtool::run(&program, &["test", "rules"], &files::in_folder("alerts/tests", ".yml"));
    }
}

/// Names and selectors that are hard to put into an expression, a label or a template.
const ODD: &str = r#"objectives:
  - {name: 'a "b" {{ $value }} \ #c', kind: data_loss, store: "x\"} or up{a=\"\n"}
  - {name: "a control \a character", kind: split_brain, component: 'p # q', at_most: 1ms}
  - {name: archive, kind: recovery_point, of: archive, within: 15m, selector: "{job='postgres',} # of the first"}
  - {name: every archive, kind: recovery_point, of: archive, within: 15m, selector: '{ } # all'}
  - name: up
    kind: scaling
    workload: shop
    shape: up
    from: 3
    to: 10
    ready: |
      replicas{ # those that
        state="ready" # are
      }
services:
  - name: all
    service: shop
    at_least: 99.9%
    total: 'http_requests_total{job="shop"} # all of them'
    errors: |
      http_requests_total{job="shop",code=~"5\\d\\d"}
      # and none else
"#;

#[test]
fn what_people_write_is_written_as_prometheus_takes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let [objectives, written] = ["slos.yaml", "rules.yml"].map(|name| folder.path().join(name));
    std::fs::write(&objectives, ODD).expect("writing");
    let objectives = objectives.display().to_string();
    let text = rules(&["rules", &objectives, "--trial", "a.b_c-", "--runbooks", "https://wiki/{{x}}"]);
    std::fs::write(&written, text).expect("writing");
    for program in promtool() {
        promtool::run(&program, &["check", "rules"], std::slice::from_ref(&written));
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
        // What is recorded of a run that goes well; rules on the records ask for what nobody recorded here.
        let due = [
            "ordeal:archive_age_spent:ratio",
            "ordeal:availability_counted:sum",
            "ordeal:latency_counted:sum",
            "ordeal:leader_spent:ratio",
            "ordeal:recovery_spent:ratio",
            "ordeal:replicas_ready:max",
            "ordeal:scaling_spent:ratio",
        ];
        assert_eq!(gave.iter().map(String::as_str).collect::<Vec<_>>(), due);
    }
}
