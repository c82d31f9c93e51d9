//! The alerts that fired: every form of the report lists them, says why where they were not told, and says no more of
//! their ends than the verdict beside it.

mod made;

use std::collections::BTreeMap;

use made::proxy::{Proxy, Spoil};
use made::{Made, Server, always, healthy, said};
use serde_json::{Value, json};

const TOKEN: &str = "t0k3n";
const SLOS: &str = "objectives: [{name: load held, kind: load_held}]\n";
/// The same, and one on the alert of a healthy run.
const PAGE: &str = "objectives:
  - {name: load held, kind: load_held}
  - {name: page, kind: alerting, alert: ShopDown, experiment: kill-postgres-primary, within: 1m}
";
const FORMS: [&str; 5] = ["report.txt", "report.md", "report.html", "report.xml", "report.json"];

/// A run in which the alert fires as bent.
fn run(id: &str, bend: impl FnOnce(&mut Made)) -> Made {
    let mut made = healthy(id, 5.0);
    bend(&mut made);
    made
}

/// What the verifier says in every form, through a proxy.
fn forms(server: &Server, spoil: Spoil, slos: &str, run: &str) -> BTreeMap<&'static str, String> {
    let proxy = Proxy::to(&server.direct(), TOKEN, spoil);
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
        (
            &forms["report.html"],
            "<h3>Alerts</h3>\n  <p class=\"keys\"><span><i class=\"key-bad\"></i>critical</span>",
        ),
        (&forms["report.html"], "<div class=\"strip\"><span>ShopDown, critical</span>"),
        (&forms["report.html"], "#alerts td[data-name=\"fired at\"]{white-space:nowrap}"),
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
    let dark = run("dark", |made| {
        made.remove("ALERTS", &[]);
        made.gap(300.0, 340.0);
    });
    let server = Server::with([&quiet, &dark]);
    let (none, absent) = (
        "no alert about the run was seen firing",
        "alerts not told: rule_absent: Prometheus has no alerting rule",
    );
    let table = [
        ("quiet", PAGE, Spoil::Settled, none),
        // The server has its rules since after the run, was away in the middle of it, or has none but another trial's.
        ("quiet", PAGE, Spoil::Nothing, "alerts not told: rule_unproven: Prometheus read its rules at "),
        (
            "dark",
            PAGE,
            Spoil::Settled,
            "alerts not told: rule_unproven: Prometheus was not seen to evaluate ShopDown",
        ),
        ("quiet", SLOS, Spoil::Settled, absent),
        ("quiet", SLOS, Spoil::Refuse("ALERTS%7Bjob"), "too many samples"),
        ("quiet", SLOS, Spoil::Warn("ALERTS%7Bjob"), "a store did not answer"),
        ("quiet", PAGE, Spoil::Refuse("ALERTS%7Balertname%3D%22"), "too many samples"),
        ("quiet", SLOS, Spoil::Refuse("api/v1/rules"), "the alerting rules were not told"),
        ("quiet", SLOS, Spoil::Warn("api/v1/rules"), "a store did not answer (of the alerting rules)"),
    ];
    for (run, slos, spoil, due) in table {
        let mut forms = forms(&server, spoil, slos, run);
        let json = json_of(&forms);
        let alerts = if due == none { json!([]) } else { Value::Null };
        assert_eq!(json["alerts"], alerts, "{due}");
        assert_eq!(json["alerts_not_told"].is_string(), alerts.is_null(), "{due}");
        let due_in_json = due.trim_start_matches("alerts not told: ");
        assert!(due == none || forms["report.json"].contains(due_in_json), "{due}");
        forms.remove("report.json");
        for (name, form) in forms {
            assert!(plainly(&form).contains(due), "{due} is not in {name}: {form}");
        }
    }
}

/// The same without what Markdown needs to show a text as it is.
fn plainly(form: &str) -> String {
    form.replace('\\', "")
}

#[test]
fn alerts_that_objectives_are_about_are_listed_once_and_without_what_the_target_is() {
    let of_shop = [("alertname", "ShopDown"), ("job", "shop"), ("instance", "shop:8080"), ("node", "n2")];
    let theirs = run("theirs", |made| {
        made.remove("ALERTS", &[]);
        add(made, &of_shop, (140.0, 175.0));
    });
    // Its own alert is about the run already; a cluster's labels are on all that its process exposes.
    let own = run("own", |made| {
        for series in &mut made.series {
            series.labels.extend([("node".to_owned(), "n1".to_owned()), ("pod".to_owned(), "p1".to_owned())]);
        }
    });
    let servers = [(Server::with([&theirs]), "theirs"), (Server::with([&own]), "own")];
    let told = servers.map(|(server, run)| {
        let told = json_of(&forms(&server, Spoil::Nothing, PAGE, run));
        let alerts = told["alerts"].as_array().expect("alerts");
        alerts.iter().map(|alert| alert["labels"].clone()).collect::<Vec<_>>()
    });
    let of_shop = json!({"job": "shop", "instance": "shop:8080", "node": "n2"});
    assert_eq!(told, [vec![of_shop], vec![json!({"severity": "critical"})]]);
}

#[test]
fn the_list_says_no_more_of_an_alerts_end_than_the_verdict() {
    // From the alert's last sample on, Prometheus is silent; when it is back, so is the alert, or it is not.
    let fires_again = run("again", |made| {
        made.fires_twice((140.0, 172.0), (245.0, 300.0));
        made.gap(172.0, 239.0);
    });
    let over = run("over", |made| made.gap(172.0, 219.0));
    let server = Server::with([&fires_again, &over]);
    let slos = |run: &str| {
        format!(
            "objectives: [{{name: page, kind: alerting, alert: ShopDown, experiment: kill-postgres-primary, \
             within: 45s, resolved_within: 1m, labels: '{{instance=\"{run}:10042\"}}'}}]\n"
        )
    };
    // That the server has had its rules since before does not prove that it evaluated them. One that read them since may
    // not have had the rule.
    let (away, reload) =
        ("Prometheus was not seen at work when ShopDown ended", "Prometheus read its rules at ");
    let table = [
        (Spoil::Settled, "again", Some(away)),
        (Spoil::Settled, "over", None),
        (Spoil::Nothing, "again", Some(reload)),
        (Spoil::Nothing, "over", Some(reload)),
    ];
    for (spoil, run, unknown) in table {
        let forms = forms(&server, spoil, &slos(run), run);
        let told = json_of(&forms);
        assert_eq!(
            said(&told, "page").contains("rule_unproven"),
            unknown.is_some(),
            "{:#}",
            told["findings"]
        );
        let alert = &told["alerts"][0];
        assert_eq!(alert["resolved_by"].is_null(), unknown.is_some(), "{alert}");
        let why = unknown.map(|why| format!("rule_unproven: {why}"));
        let end = alert["end_unknown"].as_str();
        assert!(
            why.as_ref().map_or(end.is_none(), |why| end.is_some_and(|end| end.starts_with(why))),
            "{alert}"
        );
        let due = why.as_deref().unwrap_or("resolved by +225.9 s");
        assert!(forms["report.txt"].contains(due), "{}", forms["report.txt"]);
    }
}

#[test]
fn an_end_long_after_the_run_is_listed_where_the_verdict_knows_it() {
    // Prometheus goes on, and tries to scrape the exporter, which is gone.
    let mut late = run("late", |_| {});
    let mut alone = late.clone();
    late.remove("ALERTS", &[]);
    alone.series.retain(|series| series.name == "ALERTS");
    alone.last = 800.0;
    // Until 90 s after the last scrape.
    alone.fires(140.0, 700.0);
    alone.add("up", &[], always(0.0));
    let server = Server::with([&late, &alone]);
    let slos = format!("{}, resolved_within: 5m}}\n", PAGE.trim_end().trim_end_matches('}'));
    let told = json_of(&forms(&server, Spoil::Settled, &slos, "late"));
    assert_eq!(said(&told, "page"), "fail ", "{:#}", told["findings"]);
    let alert = &told["alerts"][0];
    let resolved = alert["resolved_by"].as_f64().map(|at| (at - server.start).round());
    assert_eq!(resolved, Some(701.0), "{alert}");
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
