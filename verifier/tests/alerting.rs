//! Whether the page goes out: what passes, what fails, and what of it nobody can know.

mod made;

use made::proxy::{Proxy, Spoil};
use made::{MOMENT, Made, Server, always, from, healthy, said};

const TOKEN: &str = "t0k3n";

/// A run in which the alert fires as bent.
fn run(id: &str, bend: impl FnOnce(&mut Made)) -> Made {
    let mut made = healthy(id, 5.0);
    bend(&mut made);
    made
}

/// The alert fires from one time to another.
fn fires(made: &mut Made, from: f64, to: f64) {
    made.set("ALERTS", &[], move |t| (from..to).contains(&t).then_some(1.0));
}

/// The objective on a run's alert.
fn page(run: &str, more: &str) -> String {
    format!(
        "objectives: [{{name: page, kind: alerting, alert: ShopDown, experiment: kill-postgres-primary, \
         within: 1m, labels: '{{instance=\"{run}:10042\"}}'{more}}}]\n"
    )
}

const RESOLVED: &str = ", resolved_within: 1m";

/// The run's alert, what is promised beside its firing, and what is said where the rule is proven and where not.
struct Case {
    what: &'static str,
    more: &'static str,
    proven: &'static str,
    unproven: &'static str,
    bend: fn(&mut Made),
}

const fn case(
    what: &'static str,
    more: &'static str,
    proven: &'static str,
    unproven: &'static str,
    bend: fn(&mut Made),
) -> Case {
    Case { what, more, proven, unproven, bend }
}

const CASES: [Case; 17] = [
    case("fires and is resolved", RESOLVED, "pass ", "pass ", |_| {}),
    case("never fires", "", "fail ", "inconclusive rule_unproven", |made| {
        made.set("ALERTS", &[], |_| None);
    }),
    case("only pending", "", "fail ", "inconclusive rule_unproven", |made| {
        made.remove("ALERTS", &[]);
        let labels = [("alertname", "ShopDown"), ("alertstate", "pending")];
        made.add("ALERTS", &labels, always(1.0));
    }),
    case("fires late", "", "fail ", "inconclusive rule_unproven", |made| fires(made, 200.0, 210.0)),
    case("fires about the limit", "", "inconclusive ", "inconclusive ", |made| {
        // The last sample is at the very end of the minute, as near as the clocks can tell.
        made.set("ALERTS", &[], |t| (t >= 190.0).then_some(1.0));
        made.set("ordeal_time_seconds", &[], |t| Some(MOMENT + t + if t < 300.0 { 0.7 } else { -0.7 }));
    }),
    case("fires for the next experiment only", "", "fail ", "inconclusive rule_unproven", |made| {
        fires(made, 250.0, 300.0);
    }),
    case(
        "fires since before",
        RESOLVED,
        "inconclusive already_firing",
        "inconclusive already_firing",
        |made| {
            fires(made, 60.0, 175.0);
        },
    ),
    case(
        "resolved just before the fault",
        "",
        "inconclusive already_firing",
        "inconclusive already_firing",
        |made| {
            made.set("ALERTS", &[], |t| {
                ((60.0..126.0).contains(&t) || (140.0..175.0).contains(&t)).then_some(1.0)
            });
        },
    ),
    case("resolved well before the fault", "", "pass ", "pass ", |made| {
        made.set("ALERTS", &[], |t| {
            ((60.0..80.0).contains(&t) || (140.0..175.0).contains(&t)).then_some(1.0)
        });
    }),
    case("nothing is down", "", "inconclusive alert_not_owed", "inconclusive alert_not_owed", |made| {
        made.set("ordeal_component_outages_total", &[], always(0.0));
    }),
    case("resolved in time after the end", RESOLVED, "pass ", "pass ", |made| fires(made, 140.0, 260.0)),
    case("resolved too late", RESOLVED, "fail ", "fail ", |made| fires(made, 140.0, 300.0)),
    case("one of two is resolved too late", RESOLVED, "fail ", "fail ", |made| {
        made.duplicate("ALERTS", &[], "replica", "b");
        made.set("ALERTS", &[("replica", "b")], |t| (160.0..300.0).contains(&t).then_some(1.0));
    }),
    case("one of two fires in time", RESOLVED, "pass ", "pass ", |made| {
        made.duplicate("ALERTS", &[], "replica", "b");
        made.set("ALERTS", &[("replica", "b")], |t| (205.0..230.0).contains(&t).then_some(1.0));
    }),
    case("fires again for the next experiment", RESOLVED, "pass ", "pass ", |made| {
        made.set("ALERTS", &[], |t| ((140.0..175.0).contains(&t) || t >= 250.0).then_some(1.0));
    }),
    case("evaluations are missed", RESOLVED, "fail ", "fail ", |made| {
        made.set("ALERTS", &[], |t| ((140.0..300.0).contains(&t) && t % 15.0 >= 5.0).then_some(1.0));
    }),
    case("nothing recovers", RESOLVED, "inconclusive still_down", "inconclusive still_down", |made| {
        fires(made, 140.0, 300.0);
        let experiment = ("experiment", "kill-postgres-primary");
        made.set("ordeal_experiment_state", &[experiment, ("state", "recovered")], always(0.0));
        made.set("ordeal_experiment_state", &[experiment, ("state", "not_recovered")], from(215.0, 1.0));
        made.bend("ordeal_experiment_state", &[experiment, ("state", "not_recovered")], |t, held| {
            Some(if t < 215.0 { 0.0 } else { held.unwrap_or(0.0) })
        });
    }),
];

#[test]
fn an_alert_is_judged_by_when_it_fired_and_whether_its_silence_proves_anything() {
    let runs: Vec<Made> =
        CASES.iter().enumerate().map(|(number, case)| run(&format!("page-{number}"), case.bend)).collect();
    let server = Server::with(&runs);
    let settled = Proxy::to(&server.url(), TOKEN, Spoil::Settled);
    let mut wrong = Vec::new();
    for (case, made) in CASES.iter().zip(&runs) {
        let slos = page(&made.id, case.more);
        for (told, due) in [
            (server.verdict(&slos, &["--run", &made.id]), case.unproven),
            (through(&server, &settled, &slos, &made.id), case.proven),
        ] {
            if said(&told, "page") != due {
                wrong.push(format!(
                    "{}: {} for {due}: {:#}",
                    case.what,
                    said(&told, "page"),
                    told["findings"]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the verifier says through a proxy.
fn through(server: &Server, proxy: &Proxy, slos: &str, run: &str) -> serde_json::Value {
    let token = server.folder().join("token");
    std::fs::write(&token, TOKEN).expect("writing the token");
    let token = token.display().to_string();
    let options = ["--run", run, "--bearer-token-file", &token, "--output", "json"];
    made::told(&server.verify_at(&proxy.url, slos, &options))
}

#[test]
fn rules_that_are_not_told_decide_nothing() {
    let silent = run("silent", |made| made.set("ALERTS", &[], |_| None));
    let loud = run("loud", |_| {});
    let server = Server::with([&silent, &loud]);
    let of = |spoil: Spoil, run: &str, more: &str| {
        let proxy = Proxy::to(&server.url(), TOKEN, spoil);
        said(&through(&server, &proxy, &page(run, more), run), "page")
    };
    assert_eq!(of(Spoil::Refuse("api/v1/rules"), "silent", ""), "inconclusive query_error");
    assert_eq!(of(Spoil::Warn("api/v1/rules"), "silent", ""), "inconclusive warning");
    // A page that went out needs no rule to prove it; that it was resolved does.
    assert_eq!(of(Spoil::Refuse("api/v1/rules"), "loud", ""), "pass ");
    assert_eq!(of(Spoil::Refuse("api/v1/rules"), "loud", RESOLVED), "inconclusive query_error");
    assert_eq!(of(Spoil::Warn("ALERTS%7Balertname"), "loud", ""), "inconclusive warning");
    let other = page("silent", "").replace("ShopDown", "ShpDown");
    let told = server.verdict(&other, &["--run", "silent"]);
    assert_eq!(said(&told, "page"), "inconclusive rule_absent");
    let detail = &told["findings"][0]["shortfalls"][0]["detail"];
    assert_eq!(detail, "Prometheus has no alerting rule \"ShpDown\" (did you mean `ShopDown`?)");
}

#[test]
fn alerts_are_awaited_beyond_the_runs_end() {
    let mut late = run("late", |_| {});
    // Prometheus goes on when the exporter is long gone.
    let mut alone = late.clone();
    late.remove("ALERTS", &[]);
    alone.series.retain(|series| series.name == "ALERTS");
    alone.last = 1100.0;
    fires(&mut alone, 140.0, 1000.0);
    let server = Server::with([&late, &alone]);
    let settled = Proxy::to(&server.url(), TOKEN, Spoil::Settled);
    let slos = |within: &str| page("late", &format!(", resolved_within: {within}"));
    // It was resolved some 785 s after the experiment's end, and 400 s after the run's.
    let of = |within: &str| said(&through(&server, &settled, &slos(within), "late"), "page");
    assert_eq!((of("10m"), of("14m")), ("fail ".to_owned(), "pass ".to_owned()));
    // Of a Prometheus that may have been away then, nobody knows.
    let told = server.verdict(&slos("14m"), &["--run", "late"]);
    assert_eq!(said(&told, "page"), "inconclusive rule_unproven");
}

#[test]
fn what_still_fires_is_judged_again_later() {
    let mut now = healthy("now", 60.0);
    now.set("ALERTS", &[], |t| (t >= 140.0).then_some(1.0));
    now.last = 602.0;
    let server = Server::aged([(&now, 603.0)], &[]);
    let of = |within: &str| {
        let more = format!(", resolved_within: {within}");
        said(&server.verdict(&page("now", &more), &["--run", "now"]), "page")
    };
    assert_eq!((of("10m"), of("1m")), ("inconclusive still_firing".to_owned(), "fail ".to_owned()));
}

#[test]
fn an_alert_of_the_next_experiment_decides_nothing_of_this_one() {
    let next = run("next", |made| fires(made, 250.0, 300.0));
    let server = Server::with([&next]);
    let slos = page("next", "").replace("within: 1m", "within: 3m");
    let told = server.verdict(&slos, &["--run", "next"]);
    assert_eq!(said(&told, "page"), "inconclusive ");
    assert_eq!(told["findings"][0]["observed"]["text"], "more than 110.4 s");
}

#[test]
fn alerts_that_fired_are_listed_with_their_experiment() {
    let made = run("list", |made| {
        made.set("ALERTS", &[], |t| ((140.0..175.0).contains(&t) || t >= 500.0).then_some(1.0));
    });
    let quiet = run("quiet", |made| made.remove("ALERTS", &[]));
    let server = Server::with([&made, &quiet]);
    let slos = "objectives: [{name: load held, kind: load_held}]\n";
    let told = server.verdict(slos, &["--run", "list"]);
    let alerts = told["alerts"].as_array().expect("alerts");
    let since = |at: &serde_json::Value| at.as_f64().map(|at| (at - server.start).round());
    let told = |at: usize| {
        let alert = &alerts[at];
        (alert["experiment"].as_str(), since(&alert["fired"]), since(&alert["resolved_by"]))
    };
    assert_eq!(told(0), (Some("kill-postgres-primary"), Some(141.0), Some(176.0)));
    assert_eq!(told(1), (None, Some(501.0), Some(616.0)));
    assert_eq!(alerts[0]["labels"], serde_json::json!({"severity": "critical"}));
    let text = |run: &str| {
        let output = server.verify(slos, &["--run", run]);
        String::from_utf8(output.stdout).expect("text")
    };
    let line = "  ShopDown{severity=\"critical\"}   kill-postgres-primary   fired at +140.9 s, resolved by +175.9 s\n";
    assert!(text("list").contains(line), "{}", text("list"));
    assert!(!text("quiet").contains("alerts that fired"), "{}", text("quiet"));
    assert_eq!(server.verdict(slos, &["--run", "quiet"])["alerts"], serde_json::json!([]));
}
