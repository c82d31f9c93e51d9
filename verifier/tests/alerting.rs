//! Whether the page goes out: what passes, what fails, and what of it nobody can know.

#[path = "alerting/cases.rs"]
mod cases;
mod made;

use cases::{CASES, Case, HOLES, RESOLVED, UNPROVEN};
use made::proxy::{Proxy, Spoil};
use made::{Made, Server, always, healthy, said};

const TOKEN: &str = "t0k3n";

/// A run in which the alert fires as bent.
fn run(id: &str, bend: impl FnOnce(&mut Made)) -> Made {
    let mut made = healthy(id, 5.0);
    bend(&mut made);
    made
}

/// The objective on a run's alert.
fn page(run: &str, more: &str) -> String {
    format!(
        "objectives: [{{name: page, kind: alerting, alert: ShopDown, experiment: kill-postgres-primary, \
         within: 1m, labels: '{{instance=\"{run}:10042\"}}'{more}}}]\n"
    )
}

#[test]
fn an_alert_is_judged_by_when_it_fired_and_whether_its_silence_proves_anything() {
    assert_said(&CASES);
}

#[test]
fn a_hole_in_an_alert_is_no_resolution_unless_its_rule_was_evaluated_in_it() {
    assert_said(&HOLES);
}

/// That each is judged as due, by a server that has its rules since before and by one that read them just now.
fn assert_said(cases: &[Case]) {
    let runs: Vec<Made> =
        cases.iter().enumerate().map(|(number, case)| run(&format!("page-{number}"), case.bend)).collect();
    let server = Server::with(&runs);
    let just_now = server.direct();
    let mut wrong = Vec::new();
    for (case, made) in cases.iter().zip(&runs) {
        let slos = page(&made.id, case.more);
        let options = ["--run", &made.id, "--output", "json"];
        for (url, due) in [(&server.url(), case.proven), (&just_now, case.unproven)] {
            let told = made::told(&server.verify_at(url, &slos, &options));
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
    let finding = &told["findings"][0];
    // Nobody looked, so that it is not known to have taken longer than anything.
    assert!(finding["observed"].is_null(), "{finding:#}");
    let detail = &finding["shortfalls"][0]["detail"];
    assert_eq!(detail, "Prometheus has no alerting rule \"ShpDown\" (did you mean `ShopDown`?)");
}

#[test]
fn alerts_are_awaited_beyond_the_runs_end() {
    // Prometheus goes on when the exporter is long gone: it tries to scrape it still, or it has forgotten it.
    let late = |id: &str, tried: bool| {
        let mut late = run(id, |_| {});
        let mut alone = late.clone();
        late.remove("ALERTS", &[]);
        alone.series.retain(|series| series.name == "ALERTS");
        alone.last = 1100.0;
        alone.fires(140.0, 1000.0);
        if tried {
            alone.add("up", &[], always(0.0));
        }
        [late, alone]
    };
    let runs = [late("tried", true), late("forgotten", false)];
    let server = Server::with(runs.iter().flatten());
    let of = |run: &str, within: &str| {
        let slos = page(run, &format!(", resolved_within: {within}"));
        said(&server.verdict(&slos, &["--run", run]), "page")
    };
    // It was resolved some 785 s after the experiment's end, and 400 s after the run's.
    assert_eq!((of("tried", "10m"), of("tried", "13m20s")), ("fail ".to_owned(), "pass ".to_owned()));
    // Nobody knows of a Prometheus that may have been away then; that it fired for so long is known all the same.
    assert_eq!(of("forgotten", "10m"), "fail ");
    assert_eq!(of("forgotten", "13m20s"), UNPROVEN);
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
fn what_fires_when_the_run_is_over_was_no_experiments_doing() {
    // The shop is taken down with all else, and its own alert names no run.
    let torn = |id: &str, paged: bool| {
        run(id, |made| {
            made.remove("ALERTS", &[]);
            let of_shop = [("alertname", "ShopDown"), ("alertstate", "firing"), ("job", "shop"), ("of", id)];
            let fires = move |t: f64| paged && (250.0..290.0).contains(&t) || (620.0..700.0).contains(&t);
            made.add("ALERTS", &of_shop, move |t| fires(t).then_some(1.0));
            made.last = 720.0;
        })
    };
    let runs = [torn("torn", true), torn("unpaged", false)];
    let server = Server::with(&runs);
    for (within, more) in [("1m", ", resolved_within: 5m"), ("7m", ", resolved_within: 5m"), ("7m", "")] {
        let of = |run: &str| {
            let slos = format!(
                "objectives: [{{name: page, kind: alerting, alert: ShopDown, experiment: partition-primary, \
                 labels: '{{of=\"{run}\"}}', within: {within}{more}}}]\n"
            );
            server.verdict(&slos, &["--run", run])
        };
        let told = of("torn");
        assert_eq!(said(&told, "page"), "pass ", "{within}: {:#}", told["findings"]);
        assert_eq!(told["alerts"].as_array().map(Vec::len), Some(1), "{:#}", told["alerts"]);
        // The fault's own page never went out.
        let told = of("unpaged");
        assert!(!said(&told, "page").starts_with("pass"), "{within}: {:#}", told["findings"]);
    }
}

#[test]
fn an_alert_of_the_next_experiment_decides_nothing_of_this_one() {
    let next = run("next", |made| made.fires(250.0, 300.0));
    let server = Server::with([&next]);
    let slos = page("next", "").replace("within: 1m", "within: 3m");
    let told = server.verdict(&slos, &["--run", "next"]);
    assert_eq!(said(&told, "page"), "inconclusive ");
    assert_eq!(told["findings"][0]["observed"]["text"], "more than 110.4 s");
}
