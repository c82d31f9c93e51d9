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

/// The objective on a run's alert.
fn page(run: &str, more: &str) -> String {
    format!(
        "objectives: [{{name: page, kind: alerting, alert: ShopDown, experiment: kill-postgres-primary, \
         within: 1m, labels: '{{instance=\"{run}:10042\"}}'{more}}}]\n"
    )
}

const RESOLVED: &str = ", resolved_within: 1m";

const BEFORE: &str = "inconclusive already_firing";
const UNPROVEN: &str = "inconclusive rule_unproven";
/// The bounds of the time lie on either side of the limit.
const UNSURE: &str = "inconclusive ";

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

const CASES: [Case; 18] = [
    case("fires and is resolved", RESOLVED, "pass ", "pass ", |_| {}),
    case("never fires", "", "fail ", UNPROVEN, |made| {
        made.set("ALERTS", &[], |_| None);
    }),
    case("only pending", "", "fail ", UNPROVEN, |made| {
        made.remove("ALERTS", &[]);
        let labels = [("alertname", "ShopDown"), ("alertstate", "pending")];
        made.add("ALERTS", &labels, always(1.0));
    }),
    case("fires late", "", "fail ", UNPROVEN, |made| made.fires(200.0, 210.0)),
    case("fires about the limit", "", "inconclusive ", "inconclusive ", |made| {
        // The last sample is at the very end of the minute, as near as the clocks can tell.
        made.set("ALERTS", &[], |t| (t >= 190.0).then_some(1.0));
        made.set("ordeal_time_seconds", &[], |t| Some(MOMENT + t + if t < 300.0 { 0.7 } else { -0.7 }));
    }),
    case("fires for the next experiment only", "", "fail ", UNPROVEN, |made| {
        made.fires(250.0, 300.0);
    }),
    case("fires since before", RESOLVED, BEFORE, BEFORE, |made| made.fires(60.0, 175.0)),
    case("resolved just before the fault", "", BEFORE, BEFORE, |made| {
        made.fires_twice((60.0, 126.0), (140.0, 175.0));
    }),
    case("resolved well before the fault", "", "pass ", "pass ", |made| {
        made.fires_twice((60.0, 80.0), (140.0, 175.0));
    }),
    case("nothing is down", "", "inconclusive alert_not_owed", "inconclusive alert_not_owed", |made| {
        made.set("ordeal_component_outages_total", &[], always(0.0));
    }),
    case("resolved in time after the end", RESOLVED, "pass ", "pass ", |made| made.fires(140.0, 260.0)),
    case("resolved too late", RESOLVED, "fail ", "fail ", |made| made.fires(140.0, 300.0)),
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
        made.active_since(140.9);
    }),
    case("evaluations are missed, and no beginnings told", RESOLVED, "fail ", "fail ", |made| {
        made.set("ALERTS", &[], |t| ((140.0..300.0).contains(&t) && t % 15.0 >= 5.0).then_some(1.0));
        made.forget_beginnings();
    }),
    case("nothing recovers", RESOLVED, "inconclusive still_down", "inconclusive still_down", |made| {
        made.fires(140.0, 300.0);
        let experiment = ("experiment", "kill-postgres-primary");
        made.set("ordeal_experiment_state", &[experiment, ("state", "recovered")], always(0.0));
        made.set("ordeal_experiment_state", &[experiment, ("state", "not_recovered")], from(215.0, 1.0));
        made.bend("ordeal_experiment_state", &[experiment, ("state", "not_recovered")], |t, held| {
            Some(if t < 215.0 { 0.0 } else { held.unwrap_or(0.0) })
        });
    }),
];

/// Times without a sample of the alert: nobody evaluated its rule, or the evaluation failed. Whether Prometheus has had its
/// rules since before says nothing of them.
const HOLES: [Case; 17] = [
    hole("dark at the fault", "", BEFORE, |made| {
        made.fires(60.0, 175.0);
        made.gap(112.0, 134.0);
    }),
    hole("dark at the fault, and no beginning told", "", UNPROVEN, |made| {
        made.fires(60.0, 175.0);
        made.gap(112.0, 134.0);
        made.forget_beginnings();
    }),
    hole("begun anew while dark at the fault, as after a restart", "", UNPROVEN, |made| {
        made.fires_twice((60.0, 112.0), (135.0, 175.0));
        made.gap(112.0, 134.0);
    }),
    hole("dark at the fault, and silent before", "", UNPROVEN, |made| {
        made.fires(135.0, 175.0);
        made.gap(112.0, 134.0);
    }),
    hole("dark at the fault, and silent", "", UNPROVEN, |made| {
        made.set("ALERTS", &[], |_| None);
        made.gap(112.0, 134.0);
    }),
    hole("evaluation fails at the fault", "", BEFORE, |made| {
        made.fires_twice((60.0, 111.0), (135.0, 175.0));
        made.active_since(60.9);
    }),
    hole("evaluation fails after the fault", RESOLVED, "fail ", |made| {
        made.fires_twice((140.0, 175.0), (280.0, 500.0));
        made.active_since(140.9);
    }),
    hole("dark before it is resolved", RESOLVED, "fail ", |made| {
        made.fires(140.0, 500.0);
        made.gap(173.0, 290.0);
    }),
    hole("dark before it is resolved, and no beginning told", RESOLVED, UNPROVEN, |made| {
        made.fires(140.0, 500.0);
        made.gap(173.0, 290.0);
        made.forget_beginnings();
    }),
    hole("begun anew while dark, as after a restart", RESOLVED, UNPROVEN, |made| {
        made.fires_twice((140.0, 173.0), (290.0, 500.0));
        made.gap(173.0, 290.0);
    }),
    hole("dark when it is resolved, and silent soon after", RESOLVED, "pass ", |made| made.gap(172.0, 219.0)),
    hole("dark when it is resolved, and silent too late", RESOLVED, UNSURE, |made| made.gap(172.0, 299.0)),
    hole("pending since before the fault", "", BEFORE, |made| pending(made, 100.0)),
    hole("pending since after the fault", RESOLVED, "pass ", |made| pending(made, 133.0)),
    hole("fires, and no beginning told", RESOLVED, "pass ", Made::forget_beginnings),
    hole("fired well before the fault, and no beginning told", RESOLVED, "pass ", |made| {
        made.fires_twice((60.0, 80.0), (140.0, 175.0));
        made.forget_beginnings();
    }),
    hole("resolved for one evaluation", RESOLVED, "pass ", |made| {
        made.fires_twice((140.0, 151.0), (156.0, 175.0));
    }),
];

const fn hole(what: &'static str, more: &'static str, due: &'static str, bend: fn(&mut Made)) -> Case {
    case(what, more, due, due, bend)
}

/// The alert is pending from some time until it fires.
fn pending(made: &mut Made, since: f64) {
    let labels = [("alertname", "ShopDown"), ("alertstate", "pending"), ("severity", "critical")];
    made.add("ALERTS", &labels, move |t| (since..140.0).contains(&t).then_some(1.0));
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
    let settled = Proxy::to(&server.url(), TOKEN, Spoil::Settled);
    let mut wrong = Vec::new();
    for (case, made) in cases.iter().zip(&runs) {
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
    assert_eq!((of("tried", "10m"), of("tried", "14m")), ("fail ".to_owned(), "pass ".to_owned()));
    // Nobody knows of a Prometheus that may have been away then; that it fired for so long is known all the same.
    assert_eq!(of("forgotten", "10m"), "fail ");
    assert_eq!(of("forgotten", "14m"), UNPROVEN);
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
    let next = run("next", |made| made.fires(250.0, 300.0));
    let server = Server::with([&next]);
    let slos = page("next", "").replace("within: 1m", "within: 3m");
    let told = server.verdict(&slos, &["--run", "next"]);
    assert_eq!(said(&told, "page"), "inconclusive ");
    assert_eq!(told["findings"][0]["observed"]["text"], "more than 110.4 s");
}
