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

/// A run at whose end the shop is taken down with all else, so that its own alert, which names no run, fires from some
/// time until 700, pending before; the fault's own page went out, or not.
fn torn(id: &str, paged: bool, (pending, firing): (f64, f64)) -> Made {
    run(id, |made| {
        made.remove("ALERTS", &[]);
        let of_shop = [("alertname", "ShopDown"), ("job", "shop"), ("of", id)];
        let fires = move |t: f64| paged && (250.0..290.0).contains(&t) || (firing..700.0).contains(&t);
        let state = |state| [&of_shop[..], &[("alertstate", state)]].concat();
        made.add("ALERTS", &state("firing"), move |t| fires(t).then_some(1.0));
        made.add("ALERTS", &state("pending"), move |t| (pending..firing).contains(&t).then_some(1.0));
        made.last = 720.0;
    })
}

#[test]
fn what_becomes_active_when_the_run_is_over_was_no_experiments_doing() {
    const LATE: (f64, f64) = (610.0, 620.0);
    const SINCE_BEFORE: (f64, f64) = (570.0, 630.0);
    let runs = [
        torn("torn", true, LATE),
        torn("unpaged", false, LATE),
        torn("again", true, SINCE_BEFORE),
        torn("slow", false, SINCE_BEFORE),
    ];
    let server = Server::with(&runs);
    // The run ends at 600, some 359 s after the fault, and the page is sought until 645 where it has to be resolved.
    let table = [
        ("torn", "1m", ", resolved_within: 5m", "pass ", 1),
        ("torn", "7m", ", resolved_within: 5m", "pass ", 1),
        ("torn", "7m", "", "pass ", 1),
        ("unpaged", "1m", ", resolved_within: 5m", "fail ", 0),
        // In time, but nobody knows for what.
        ("unpaged", "7m", ", resolved_within: 5m", "inconclusive ", 0),
        ("unpaged", "7m", "", "inconclusive ", 0),
        ("again", "1m", ", resolved_within: 5m", "fail ", 2),
        ("slow", "7m", "", "pass ", 1),
    ];
    for (run, within, more, due, listed) in table {
        let slos = format!(
            "objectives: [{{name: page, kind: alerting, alert: ShopDown, experiment: partition-primary, \
             labels: '{{of=\"{run}\"}}', within: {within}{more}}}]\n"
        );
        let told = server.verdict(&slos, &["--run", run]);
        assert_eq!(said(&told, "page"), due, "{run} {within}{more}: {:#}", told["findings"]);
        let alerts = told["alerts"].as_array().map(Vec::len);
        assert_eq!(alerts.unwrap_or_default(), listed, "{run} {within}{more}: {:#}", told["alerts"]);
        let observed = told["findings"][0]["observed"]["text"].as_str().unwrap_or_default();
        assert_eq!(
            observed.starts_with("more than 359"),
            due == "inconclusive ",
            "{run} {within}: {observed}"
        );
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
