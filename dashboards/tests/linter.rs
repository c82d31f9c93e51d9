//! The rules of Grafana's dashboard-linter, which needs Grafana's own machinery to be built: read from its sources, and
//! kept by their intent where the linter itself looks away.

#[path = "linter/queries.rs"]
mod queries;
mod shipped;

use std::collections::BTreeSet;

use promql_parser::parser;
use serde_json::Value;
use shipped::{Shipped, text};

/// A rule that a panel may break, and why.
struct Exclusion {
    rule: &'static str,
    /// Beginning of what the rule says of it.
    of: &'static str,
    why: &'static str,
}

const EXCLUSIONS: [Exclusion; 6] = [
    Exclusion {
        rule: "target-counter-agg",
        of: "last_over_time",
        why: "every counter of a run begins at zero with its process, so its last value is the run's exact total, \
              the number that the verdict has; increase would extrapolate",
    },
    Exclusion {
        rule: "target-counter-agg",
        of: "ordeal-run: Runs:",
        why: "a run's total is the highest value while it was there",
    },
    Exclusion {
        rule: "target-counter-agg",
        of: "ordeal-exporter: Watched for hands:",
        why: "what the counter gains in one step is looked at, which rate and increase would spread",
    },
    Exclusion {
        rule: "target-job-instance",
        of: "ordeal-run: ",
        why: "what rules record of a run is of no process; the run picks it, whose process the variables pick",
    },
    Exclusion {
        rule: "target-job-instance",
        of: "ordeal-recovery: ",
        why: "metrics of the stores' exporters have other jobs than the run; the row says so",
    },
    Exclusion {
        rule: "target-job-instance",
        of: "ordeal-scaling: ",
        why: "metrics of kube-state-metrics have another job than the run; the row says so",
    },
];

/// What a rule has against a dashboard.
type Found = (&'static str, String);

fn variables(board: &Shipped) -> Vec<Found> {
    let mut found = Vec::new();
    let mut wrong =
        |rule, name: &str, what: &str| found.push((rule, format!("{}: {name}: {what}", board.uid)));
    let list = board.json["templating"]["list"].as_array().expect("variables");
    let named = |name: &str| list.iter().find(|variable| variable["name"] == name);
    match named("datasource") {
        Some(it)
            if it["type"] == "datasource" && it["query"] == "prometheus" && it["label"] == "Data source" => {}
        _ => wrong("template-datasource", "datasource", "missing or mislabelled"),
    }
    for (name, label) in [("job", "Job"), ("instance", "Instance")] {
        let Some(it) = named(name) else {
            wrong("template-job-instance", name, "missing");
            continue;
        };
        let sound = it["type"] == "query"
            && it["datasource"]["uid"] == "${datasource}"
            && it["label"] == label
            && it["multi"] == true
            && it["allValue"] == ".+";
        if !sound {
            wrong("template-job-instance", name, "not as job and instance are to be");
        }
    }
    for it in list.iter().filter(|variable| variable["type"] == "query") {
        if it["refresh"] != 2 {
            wrong("template-on-time-change-reload", text(it, "name"), "not read again when the time changes");
        }
        let query = text(&it["query"], "query");
        let of = query.strip_prefix("label_values(").and_then(|rest| rest.rsplit_once(", "));
        if of.is_none_or(|(selector, _)| parser::parse(selector).is_err()) {
            wrong("template-label-promql", text(it, "name"), query);
        }
    }
    if board.json["editable"] != false {
        wrong("uneditable-dashboard", "editable", "not false");
    }
    found
}

fn of_panel(board: &Shipped, panel: &Value) -> Vec<Found> {
    let place = format!("{}: {}", board.uid, text(panel, "title"));
    let mut found = Vec::new();
    let mut wrong = |rule, what: String| found.push((rule, format!("{place}: {what}")));
    if text(panel, "title").is_empty() || text(panel, "description").is_empty() {
        wrong("panel-title-description", "no title or no description".to_owned());
    }
    if panel["datasource"]["uid"] != "${datasource}" {
        wrong("panel-datasource", "not of the variable".to_owned());
    }
    if text(&panel["fieldConfig"]["defaults"], "unit").is_empty() {
        wrong("panel-units", "no unit".to_owned());
    }
    let targets = panel["targets"].as_array().map_or(&[][..], Vec::as_slice);
    if targets.is_empty() {
        wrong("panel-no-targets", "asks nothing".to_owned());
    }
    for target in targets {
        for (rule, what) in queries::faults(text(target, "expr")) {
            wrong(rule, what);
        }
    }
    found
}

/// Whether an exclusion is about what was found.
fn covers(exclusion: &Exclusion, (rule, what): &Found) -> bool {
    let of_others = |what: &str| what.rsplit("no variable picks ").next().is_some_and(queries::is_of_others);
    let alone = exclusion.rule != "target-job-instance" || of_others(what);
    exclusion.rule == *rule
        && alone
        && (what.starts_with(exclusion.of) || what.contains(&format!(" {} of", exclusion.of)))
}

#[test]
fn dashboards_keep_the_linters_rules() {
    let boards = shipped::all();
    let mut found: Vec<_> = boards.iter().flat_map(variables).collect();
    for board in &boards {
        found.extend(board.shown().into_iter().flat_map(|panel| of_panel(board, panel)));
    }
    let used: BTreeSet<&str> = EXCLUSIONS
        .iter()
        .filter(|exclusion| found.iter().any(|one| covers(exclusion, one)))
        .map(|exclusion| exclusion.why)
        .collect();
    found.retain(|one| !EXCLUSIONS.iter().any(|exclusion| covers(exclusion, one)));
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(used.len(), EXCLUSIONS.len(), "exclusions that nothing needs");
}

#[test]
fn what_breaks_a_rule_is_noticed() {
    let run = r#"job=~"$job", instance=~"$instance""#;
    let table = [
        (format!("sum(rate(a_total{{{run}}}[$__rate_interval]))"), vec![]),
        (format!("increase(a_total{{{run}}}[1h])"), vec![]),
        (format!("histogram_quantile(0.9, sum by (le) (rate(a_bucket{{{run}}}[$__rate_interval])))"), vec![]),
        (format!("rate(a_total{{{run}}}[5m])"), vec!["target-rate-interval"]),
        (format!("sum(a_total{{{run}}})"), vec!["target-counter-agg"]),
        (format!("last_over_time(a_total{{{run}}}[$__range])"), vec!["target-counter-agg"]),
        (r#"up{job=~"$job"}"#.to_owned(), vec!["target-job-instance"]),
        (r#"up{job="$job", instance=~"$instance"}"#.to_owned(), vec!["target-job-instance"]),
        ("sum(".to_owned(), vec!["target-promql"]),
    ];
    for (expr, due) in table {
        let rules: Vec<_> = queries::faults(&expr).into_iter().map(|(rule, _)| rule).collect();
        assert_eq!(rules, due, "{expr}");
    }
}
