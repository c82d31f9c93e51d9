//! The alerts that fired: every form of the report lists them, says why where they were not told, and says no more of
//! their ends than the verdict beside it.

mod made;

use std::collections::BTreeMap;

use made::proxy::{Proxy, Spoil};
use made::{Made, Server, healthy, said};
use serde_json::{Value, json};

const TOKEN: &str = "t0k3n";
const SLOS: &str = "objectives: [{name: load held, kind: load_held}]\n";
const FORMS: [&str; 5] = ["report.txt", "report.md", "report.html", "report.xml", "report.json"];

/// A run in which the alert fires as bent.
fn run(id: &str, bend: impl FnOnce(&mut Made)) -> Made {
    let mut made = healthy(id, 5.0);
    bend(&mut made);
    made
}

/// What the verifier says in every form, through a proxy.
fn forms(server: &Server, spoil: Spoil, slos: &str, run: &str) -> BTreeMap<&'static str, String> {
    let proxy = Proxy::to(&server.url(), TOKEN, spoil);
    let token = server.folder().join("token");
    std::fs::write(&token, TOKEN).expect("writing the token");
    let folder = server.folder().join("reports");
    let [token, place] = [&token, &folder].map(|path| path.display().to_string());
    let options = ["--run", run, "--bearer-token-file", &token, "--report-dir", &place];
    let output = server.verify_at(&proxy.url, slos, &options);
    let read =
        |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    FORMS.map(|name| (name, read(name))).into()
}

fn json_of(forms: &BTreeMap<&'static str, String>) -> Value {
    serde_json::from_str(&forms["report.json"]).expect("JSON")
}

#[test]
fn alerts_that_fired_are_listed_with_their_experiment() {
    let made = run("list", |made| {
        made.fires_twice((140.0, 175.0), (500.0, 590.0));
    });
    let server = Server::with([&made]);
    let forms = forms(&server, Spoil::Settled, SLOS, "list");
    let alerts = &json_of(&forms)["alerts"];
    let since = |at: &Value| at.as_f64().map(|at| (at - server.start).round());
    let told = |at: usize| {
        let alert = &alerts[at];
        (alert["experiment"].as_str(), since(&alert["fired"]), since(&alert["resolved_by"]))
    };
    assert_eq!(told(0), (Some("kill-postgres-primary"), Some(141.0), Some(176.0)));
    assert_eq!(told(1), (None, Some(501.0), Some(591.0)));
    assert_eq!(alerts[0]["labels"], json!({"severity": "critical"}));
    let junit = quick_junit::Report::deserialize_from_str(&forms["report.xml"]).expect("JUnit");
    let suite = junit.test_suites[0].system_out.as_ref().map(|told| told.as_str().to_owned());
    let due = [
        (
            &forms["report.txt"],
            "  ShopDown{severity=\"critical\"}   kill-postgres-primary   fired at +140.9 s, resolved by +175.9 s\n",
        ),
        (
            &forms["report.md"],
            "| ShopDown\\{severity=\"critical\"\\} | kill-postgres-primary | +140.9 s | resolved by +175.9 s |\n",
        ),
        (
            &forms["report.html"],
            "<code>ShopDown{severity=&#34;critical&#34;}</code></td><td data-name=\"experiment\">kill-postgres-primary</td>",
        ),
        (&forms["report.html"], "<h3>Alerts</h3>"),
        (
            &suite.expect("the suite's output"),
            "ShopDown{severity=\"critical\"}, kill-postgres-primary: fired at +140.9 s, resolved by +175.9 s\n",
        ),
    ];
    for (form, due) in due {
        assert!(form.contains(due), "{due} is not in {form}");
    }
}

#[test]
fn that_none_fired_is_not_the_same_as_that_none_was_told() {
    let quiet = run("quiet", |made| made.remove("ALERTS", &[]));
    let server = Server::with([&quiet]);
    let table = [
        (Spoil::Nothing, json!([]), "no alert about the run was seen firing"),
        (Spoil::Refuse("ALERTS%7Bjob"), Value::Null, "too many samples"),
        (Spoil::Warn("ALERTS%7Bjob"), Value::Null, "a store did not answer"),
        (Spoil::Refuse("api/v1/rules"), Value::Null, "the alerting rules were not told"),
        (Spoil::Warn("api/v1/rules"), Value::Null, "a store did not answer (of the alerting rules)"),
    ];
    for (spoil, alerts, due) in table {
        let mut forms = forms(&server, spoil, SLOS, "quiet");
        let json = json_of(&forms);
        assert_eq!(json["alerts"], alerts, "{due}");
        assert_eq!(json["alerts_not_told"].is_string(), alerts.is_null(), "{due}");
        if !alerts.is_null() {
            forms.remove("report.json");
        }
        for (name, form) in forms {
            assert!(form.contains(due), "{due} is not in {name}: {form}");
        }
    }
}

#[test]
fn the_list_says_no_more_of_an_alerts_end_than_the_verdict() {
    // From the alert's last sample on, Prometheus is silent; when it is back, so is the alert, or it is not.
    let fires_again = run("again", |made| {
        made.fires_twice((140.0, 172.0), (230.0, 300.0));
        made.gap(172.0, 224.0);
    });
    let over = run("over", |made| made.gap(172.0, 219.0));
    let server = Server::with([&fires_again, &over]);
    let slos = |run: &str| {
        format!(
            "objectives: [{{name: page, kind: alerting, alert: ShopDown, experiment: kill-postgres-primary, \
             within: 45s, resolved_within: 1m, labels: '{{instance=\"{run}:10042\"}}'}}]\n"
        )
    };
    let why = "rule_unproven: Prometheus was not seen at work when ShopDown ended";
    // That the server has had its rules since before proves nothing: it may not have evaluated them.
    for spoil in [Spoil::Nothing, Spoil::Settled] {
        for (run, known) in [("again", false), ("over", true)] {
            let forms = forms(&server, spoil, &slos(run), run);
            let told = json_of(&forms);
            assert_eq!(said(&told, "page").contains("rule_unproven"), !known, "{:#}", told["findings"]);
            let alert = &told["alerts"][0];
            assert_eq!((alert["resolved_by"].is_null(), alert["end_unknown"].is_null()), (!known, known));
            assert!(known || alert["end_unknown"] == why, "{alert}");
            let due = if known { "resolved by +225.9 s" } else { why };
            assert!(forms["report.txt"].contains(due), "{}", forms["report.txt"]);
        }
    }
}

/// An alert that fires from one time to another; an empty label is none.
fn add(made: &mut Made, labels: &[(&str, &str)], (from, to): (f64, f64)) {
    let labels = [labels, &[("alertstate", "firing")]].concat();
    made.add("ALERTS", &labels, move |t| (from..to).contains(&t).then_some(1.0));
}

/// Two runs at once.
fn two_runs() -> [Made; 2] {
    let with = |id: &str| {
        run(id, |made| {
            let budget = [("alertname", "OrdealErrorBudget"), ("run", "$run"), ("job", ""), ("instance", "")];
            add(made, &budget, (300.0, 320.0));
            add(made, &[("alertname", "OrdealConductorGone")], (400.0, 420.0));
        })
    };
    let mut one = with("one");
    // postgres_exporter's, not the run's; of rules of Ordeal's and of somebody else's, while the run lasts and later.
    let of_others = [("job", "postgres"), ("instance", "pg1:9187")];
    for (name, from) in [("OrdealArchiveStuck", 200.0), ("OrdealArchiveFailing", 602.0), ("DiskFull", 200.0)]
    {
        add(&mut one, &[&of_others[..], &[("alertname", name)]].concat(), (from, 700.0));
    }
    [one, with("two")]
}

#[test]
fn alerts_are_the_runs_whatever_they_are_added_up_over_and_no_other_runs() {
    let server = Server::with(&two_runs());
    let of_others = json!({"job": "postgres", "instance": "pg1:9187"});
    for run in ["one", "two"] {
        let told = json_of(&forms(&server, Spoil::Nothing, SLOS, run));
        let alerts = told["alerts"].as_array().expect("alerts");
        let listed: Vec<_> = alerts.iter().map(|alert| (alert["alert"].as_str(), &alert["labels"])).collect();
        let due = [
            (Some("ShopDown"), &json!({"severity": "critical"})),
            (Some("OrdealArchiveStuck"), &of_others),
            (Some("OrdealErrorBudget"), &json!({})),
            (Some("OrdealConductorGone"), &json!({})),
        ];
        assert_eq!(listed, due, "{run}");
    }
}
