//! Promises broken in less usual ways, each of which must be seen, and near misses that must not.

mod made;

use made::trap::{spring, trap};
use made::{Made, Server, always, from, healthy, requests, said, steps};

const READY: [(&str, &str); 1] = [("state", "ready")];

/// Two writes of a class from the last audit on.
fn audited(made: &mut Made, class: &str) {
    made.find(class, 595.5, 2.0);
}

#[test]
fn every_class_of_bad_writes_fails() {
    spring(
        "class",
        &[
            trap("lost", "nothing lost", "fail ", |made| audited(made, "lost")),
            trap("resurrected", "nothing lost", "fail ", |made| audited(made, "resurrected")),
            trap("unexpected", "nothing lost", "fail ", |made| audited(made, "unexpected")),
            trap("duplicate", "nothing lost", "fail ", |made| audited(made, "duplicate")),
            trap("corrupt", "nothing lost", "fail ", |made| audited(made, "corrupt")),
            // Nobody knows which experiment did it.
            trap("whose", "nothing lost in the partition", "inconclusive ", |made| audited(made, "corrupt")),
        ],
    );
}

#[test]
fn what_another_experiment_lost_is_not_this_one_s() {
    let mut made = healthy("other", 5.0);
    audited(&mut made, "lost");
    let kill = [("experiment", "kill-postgres-primary"), ("store", "postgres")];
    made.set("ordeal_recovery_point_seconds", &kill, from(215.0, 0.3));
    let server = Server::with([&made]);
    let told = server.verdict(&made::slos("other"), &[]);
    assert_eq!(said(&told, "nothing lost in the partition"), "pass ");
    assert_eq!(said(&told, "nothing lost"), "fail ");
}

#[test]
fn an_experiment_is_told_only_what_is_its_own() {
    let mut made = healthy("own", 5.0);
    audited(&mut made, "lost");
    let cut = [("experiment", "partition-primary"), ("store", "postgres")];
    made.set("ordeal_recovery_point_seconds", &cut, from(345.0, 0.3));
    let server = Server::with([&made]);
    let told = server.verdict(&made::slos("own"), &[]);
    assert_eq!(said(&told, "nothing lost in the partition"), "fail ");
    let text = |name: &str| {
        let findings = told["findings"].as_array().expect("findings");
        let finding = findings.iter().find(|finding| finding["name"] == name).expect("the objective");
        finding["observed"]["text"].as_str().expect("a text").to_owned()
    };
    assert_eq!(text("nothing lost in the partition"), "lost writes over 0.3 s (2 in the whole run)");
    assert_eq!(text("nothing lost"), "2 lost of 11 000 acked");
}

#[test]
fn promises_broken_in_part() {
    const KILL: [(&str, &str); 3] =
        [("experiment", "kill-postgres-primary"), ("component", "postgres"), ("since", "injected")];
    spring(
        "part",
        &[
            trap("answered fast, but with errors", "in time", "fail ", |made| {
                // A tenth of the answers turn into errors within the limit.
                made.bend("ordeal_requests_total", &[("task", "browse"), ("outcome", "ok")], |_, count| {
                    Some((count? * 0.9).floor())
                });
                made.set("ordeal_requests_total", &[("task", "browse"), ("outcome", "error")], |t| {
                    Some(tenth(t))
                });
                made.set("ordeal_request_errors_total", &[("task", "browse"), ("reason", "http_5xx")], |t| {
                    Some(tenth(t))
                });
                let buckets = "ordeal_response_time_seconds_bucket";
                for le in LATE {
                    made.bend(buckets, &[("task", "browse"), ("outcome", "ok"), ("le", le)], |_, count| {
                        Some((count? * 0.9).floor())
                    });
                    made.set(buckets, &[("task", "browse"), ("outcome", "error"), ("le", le)], |t| {
                        Some(tenth(t))
                    });
                }
            }),
            trap("not recovered before the deadline", "PostgreSQL recovers", "fail ", |made| {
                made.remove("ordeal_recovery_seconds", &KILL);
                made.set("ordeal_recovery_lower_seconds", &KILL, from(215.0, 84.7));
                made.set("ordeal_recovery_upper_seconds", &KILL, from(215.0, f64::INFINITY));
                let experiment = ("experiment", "kill-postgres-primary");
                made.set("ordeal_experiment_state", &[experiment, ("state", "recovered")], always(0.0));
                let state = [experiment, ("state", "not_recovered")];
                made.set("ordeal_experiment_state", &state, steps(&[(0.0, 0.0), (215.0, 1.0)]));
            }),
            trap("requests not sent", "load held", "fail ", |made| {
                let outcome = [("outcome", "ok")];
                made.bend("ordeal_requests_total", &outcome, |_, count| Some((count? * 0.9).floor()));
            }),
            trap("down at the end", "health", "fail ", |made| {
                made.bend("ordeal_component_up", &[("component", "shop")], |t, up| {
                    if t > 590.0 { Some(0.0) } else { up }
                });
            }),
            trap("down before the load", "health", "fail ", |made| {
                made.bend("ordeal_component_up", &[("component", "shop")], |t, up| {
                    if t < 45.0 { Some(0.0) } else { up }
                });
            }),
            trap("answers late with many replicas", "relief", "fail ", |made| made.in_time(0.9)),
            trap("the autoscaler stays large", "down", "fail ", |made| {
                let current = [("state", "current")];
                made.set("ordeal_autoscaler_replicas", &current, steps(&[(0.0, 3.0), (70.0, 10.0)]));
            }),
            trap("large only after the load", "up", "fail ", |made| {
                let late = steps(&[(0.0, 3.0), (60.0, 8.0), (490.0, 10.0), (540.0, 3.0)]);
                made.set("ordeal_workload_replicas", &READY, late);
            }),
            trap("one of two experiments lost more", "span of lost writes", "fail ", |made| {
                let kill = [("experiment", "kill-postgres-primary"), ("store", "postgres")];
                made.set("ordeal_recovery_point_seconds", &kill, from(215.0, 1000.0));
            }),
        ],
    );
}

/// Buckets that hold every answer of the made run.
const LATE: [&str; 17] = [
    "0.05", "0.075", "0.1", "0.15", "0.2", "0.3", "0.5", "0.75", "1", "1.5", "2", "3", "5", "6", "10", "16",
    "+Inf",
];

/// A tenth of the requests to browse, rounded to what is missing from the good ones.
fn tenth(t: f64) -> f64 {
    let browsed = requests(t, 0.75);
    browsed - (browsed * 0.9).floor()
}

#[test]
fn split_brains_and_expressions_count_where_they_are_asked_for() {
    let mut made = healthy("r", 5.0);
    // Within the kill, not within the partition.
    made.set("ordeal_split_brain_seconds_total", &[], steps(&[(0.0, 0.0), (150.0, 1.5)]));
    let server = Server::with([&made]);
    let table = [
        ("kind: split_brain, component: postgres-members, experiment: partition-primary", "pass "),
        ("kind: split_brain, component: postgres-members, experiment: kill-postgres-primary", "fail "),
        ("kind: split_brain, component: postgres-members, at_most: 2s", "pass "),
        ("kind: promql, expr: 'vector(3)', at_most: 3", "pass "),
        ("kind: promql, expr: 'vector(3)', at_most: 2.9", "fail "),
        ("kind: promql, expr: 'vector(3)', at_least: 3", "pass "),
        ("kind: promql, expr: 'vector(3)', at_least: 3.1", "fail "),
        ("kind: promql, expr: 'scalar(vector(3))', equals: 3", "pass "),
        ("kind: promql, expr: '($end - $start) > bool 599', equals: 1", "pass "),
        ("kind: recovery_point, of: archive, within: 20s, selector: '{instance=\"r:10042\"}'", "fail "),
        (
            "kind: leader, component: postgres-members, experiment: kill-postgres-primary, expect: new, within: 2s",
            "fail ",
        ),
        (
            "kind: leader, component: postgres-members, experiment: partition-primary, expect: one, within: 2s",
            "fail ",
        ),
        (
            "kind: recovery, experiment: kill-postgres-primary, component: postgres-members, within: 20s",
            "fail ",
        ),
        ("kind: health, components: [shop], longest: 0s", "pass "),
        ("kind: availability, at_least: 99%, during: {phase: steady, last: 30s}", "pass "),
        // 25.9 s old at a scrape, 30.9 s at most before the next one.
        (
            "kind: recovery_point, of: archive, within: 28s, selector: '{instance=\"r:10042\"}'",
            "inconclusive ",
        ),
        ("kind: recovery_point, of: archive, within: 31s, selector: '{instance=\"r:10042\"}'", "pass "),
    ];
    for (fields, due) in table {
        let slos = format!("objectives: [{{name: asked, {fields}}}]\n");
        assert_eq!(said(&server.verdict(&slos, &[]), "asked"), due, "{fields}");
    }
}

#[test]
fn a_part_of_a_run_is_judged_by_what_happened_in_it() {
    let mut made = healthy("r", 5.0);
    // Errors in the last 30 s of steady load only.
    let errors = steps(&[(0.0, 0.0), (100.0, 100.0)]);
    made.set("ordeal_requests_total", &[("task", "sale"), ("outcome", "error")], errors.clone());
    made.set("ordeal_request_errors_total", &[("task", "sale"), ("reason", "reset")], errors);
    let server = Server::with([&made]);
    let during = |part: &str| {
        let slos =
            format!("objectives: [{{name: asked, kind: availability, at_least: 99%, during: {{{part}}}}}]\n");
        said(&server.verdict(&slos, &[]), "asked")
    };
    assert_eq!(during("phase: steady, last: 30s"), "fail ");
    assert_eq!(during("phase: experiments"), "pass ");
    assert_eq!(during("phase: steady, last: 10s"), "pass ");
    assert_eq!(during("experiment: partition-primary"), "pass ");
}

#[test]
fn a_saturated_generator_excuses_only_what_it_may_explain() {
    let saturated = |id: &str, seconds: f64, errors: f64| {
        let mut made = healthy(id, 5.0);
        let errors = steps(&[(0.0, 0.0), (200.0, errors)]);
        made.set("ordeal_requests_total", &[("task", "sale"), ("outcome", "error")], errors.clone());
        made.set("ordeal_request_errors_total", &[("task", "sale"), ("reason", "reset")], errors);
        let lag = steps(&[(0.0, 0.0), (200.0, seconds)]);
        made.set("ordeal_saturated_seconds_total", &[("cause", "lag")], lag);
        made
    };
    // 1 s of 600 is a sixth of a percent; 2000 of 46 553 requests are four percent.
    let runs =
        [saturated("kept", 60.0, 0.0), saturated("excused", 60.0, 2000.0), saturated("much", 1.0, 2000.0)];
    let server = Server::with(&runs);
    let told = |run: &str| said(&server.verdict(&made::slos(run), &["--run", run]), "shop answers");
    assert_eq!(told("kept"), "pass ");
    assert_eq!(told("excused"), "inconclusive generator_saturated");
    assert_eq!(told("much"), "fail ");
}

#[test]
fn what_nobody_watched_for_longer_than_the_limit_is_told_with_the_way_out() {
    let mut made = healthy("r", 5.0);
    let kill = [("experiment", "kill-postgres-primary"), ("component", "postgres"), ("since", "injected")];
    made.remove("ordeal_recovery_seconds", &kill);
    made.set("ordeal_recovery_lower_seconds", &kill, from(215.0, 30.0));
    made.set("ordeal_recovery_upper_seconds", &kill, from(215.0, f64::INFINITY));
    let server = Server::with([&made]);
    let slos = "objectives:
  - {name: back, kind: recovery, experiment: kill-postgres-primary, component: postgres, within: 30s}
";
    let text = String::from_utf8(server.verify(slos, &[]).stdout).expect("text");
    for due in [
        "?      back   more than 30 s   within 30 s       not watched for longer than the limit\n",
        "What to do: Give the experiment a `deadline` longer than `within`",
    ] {
        assert!(text.contains(due), "{text}");
    }
    assert!(!text.contains("never s"), "{text}");
}

#[test]
fn interventions_before_the_run_do_not_count() {
    let mut made = healthy("r", 5.0);
    made.set("ordeal_interventions_total", &[], always(3.0));
    let server = Server::with([&made]);
    assert_eq!(said(&server.verdict(&made::slos("r"), &[]), "nobody intervened"), "pass ");
}

#[test]
fn a_watch_that_goes_on_where_it_was_has_a_gap_only_for_long() {
    let away = |id: &str, seconds: f64| {
        let mut made = healthy(id, 5.0);
        made.bend("ordeal_interventions_watched_seconds_total", &[], move |t, watched| {
            if (300.0..300.0 + seconds).contains(&t) { Some(307.0) } else { watched }
        });
        made
    };
    let runs = [away("short", 22.0), away("long", 60.0)];
    let server = Server::with(&runs);
    let told = |run: &str| said(&server.verdict(&made::slos(run), &["--run", run]), "nobody intervened");
    assert_eq!(["short", "long"].map(told), ["pass ", "inconclusive watch_gap"].map(str::to_owned));
}

#[test]
fn replicas_that_come_after_the_load_are_not_its_answer() {
    let mut made = healthy("r", 5.0);
    let late = steps(&[(0.0, 3.0), (60.0, 8.0), (490.0, 10.0), (540.0, 3.0)]);
    made.set("ordeal_workload_replicas", &READY, late);
    let server = Server::with([&made]);
    // Longer than the load lasted.
    let slos = "objectives:
  - {name: up, kind: scaling, workload: shop, shape: up, from: 3, to: 10, within: 10m}
";
    assert_eq!(said(&server.verdict(slos, &[]), "up"), "inconclusive ");
}
