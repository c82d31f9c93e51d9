use std::time::Duration;

use super::*;

/// The faults of a text, each as LINE:COLUMN: message.
fn faults(text: &str) -> Vec<String> {
    let mut faults = check(text).expect_err("the text has faults");
    faults.sort_by_key(|fault| fault.at);
    faults.iter().map(|fault| format!("{}:{}: {}", fault.at.line, fault.at.column, fault.message)).collect()
}

#[test]
fn each_kind_is_read_into_its_own_fields() {
    let text = "objectives:
  - {name: a, kind: availability, at_least: 99.9%, proves: 28, during: {experiment: drain-node}}
  - {name: b, kind: latency, within: 2s, at_least: 95%, during: {phase: steady, last: 30s}}
  - {name: c, kind: recovery, experiment: x, component: y, since: reverted, within: 30s}
  - {name: d, kind: scaling, workload: shop, shape: up, from: 3, to: 10}
  - {name: e, kind: health}
  - {name: f, kind: promql, expr: 'up', equals: 1}
  - {name: g, kind: recovery_point, of: archive, within: 15m, selector: '{job=\"postgres\"}'}
";
    let Sound { objectives, doubts, .. } = check(text).expect("a sound file");
    assert_eq!(doubts, []);
    let share = Share::parse("99.9%").unwrap();
    assert_eq!(objectives[0].proves.as_deref(), Some("28"));
    assert_eq!(
        objectives[0].promise,
        Promise::Availability(Availability {
            at_least: share,
            by: By::Requests,
            during: During::Experiment("drain-node".into()),
            task: None
        })
    );
    let Promise::Latency(latency) = &objectives[1].promise else { panic!() };
    let last = Some(Duration::from_secs(30));
    assert_eq!(latency.during, During::Phase { name: crate::evidence::PhaseName::Steady, last });
    let Promise::Scaling(scaling) = &objectives[3].promise else { panic!() };
    assert_eq!(scaling.autoscaler, "shop");
    let Promise::Health(health) = &objectives[4].promise else { panic!() };
    assert_eq!(health.longest, Duration::from_millis(500));
    let kinds: Vec<_> = objectives.iter().map(|objective| objective.promise.kind()).collect();
    assert_eq!(
        kinds,
        [
            Kind::Availability,
            Kind::Latency,
            Kind::Recovery,
            Kind::Scaling,
            Kind::Health,
            Kind::Promql,
            Kind::ArchivePoint
        ]
    );
}

#[test]
fn names_are_text_as_they_are_written() {
    let names = ["no", "n", "on", "y", "yes", "Off", "1e3", "0x10", "1_0", "07", "true"];
    let line =
        |name: &&str| format!("  - {{name: {name}, kind: availability, at_least: 99%, task: {name}}}\n");
    let text = format!("objectives:\n{}", names.iter().map(line).collect::<String>());
    let Sound { objectives, .. } = check(&text).expect("a sound file");
    let read = |objective: &Objective| {
        let Promise::Availability(availability) = &objective.promise else { panic!("{objective:?}") };
        (objective.name.clone(), availability.task.clone())
    };
    let due = names.map(|name| (name.to_owned(), Some(name.to_owned())));
    assert_eq!(objectives.iter().map(read).collect::<Vec<_>>(), due);
}

#[test]
fn all_faults_are_told_at_once_each_with_its_place() {
    let text = "objectives:
  - {name: a, kind: recovry}
  - {name: b, kind: availability, at_least: 101%, durring: run}
  - {name: b, kind: recovery, experiment: x, component: y, within: fast}
  - {name: d, kind: promql, expr: up}
  - 7
objectve: 1
";
    assert_eq!(
        faults(text),
        [
            "2:21: `kind` is `recovry` (did you mean `recovery`?), expected one of load_held, availability, \
             latency, recovery, leader, split_brain, data_loss, recovery_point, scaling, health, intervention, \
             alerting, promql",
            "3:45: `at_least` is `101%`, expected a share from 0% to 100% such as 99.9%",
            "3:51: unknown key `durring` in objective `b` (did you mean `during`?), expected name, proves, kind, \
             at_least, by, during, task",
            "4:68: `within` is `fast`, expected a duration such as 500ms, 30s or 2m",
            "5:5: objective `d` has no limit or several, expected one of at_most, at_least, equals",
            "6:5: the objective is a number, expected a map",
            "7:1: unknown key `objectve` in the file (did you mean `objectives`?), expected objectives, services",
        ]
    );
}

#[test]
fn duplicates_of_keys_and_names_are_refused() {
    let text = "objectives:
  - {name: a, name: b, kind: health}
  - {name: a, kind: health}
";
    assert_eq!(
        faults(text),
        [
            "2:15: key `name` is there twice, first in line 2",
            "3:5: the name `a` is there twice, expected unique names"
        ]
    );
}

#[test]
fn a_file_without_objectives_is_refused() {
    assert_eq!(faults("objectives: []\n"), ["1:13: `objectives` is empty, expected at least one"]);
    assert_eq!(faults("{}\n"), ["1:1: the file has no `objectives`, expected a list of objectives"]);
    assert_eq!(faults("7\n"), ["1:1: the file is a number, expected a map"]);
    assert_eq!(
        faults("objectives: [{name: a}]\n"),
        [
            "1:14: objective `a` has no `kind`, expected one of load_held, availability, latency, recovery, leader, \
          split_brain, data_loss, recovery_point, scaling, health, intervention, alerting, promql"
        ]
    );
}

/// Typical mistakes: an objective's fields, what the place points at, and what is said of it.
#[test]
fn typical_mistakes_are_told_with_what_was_probably_meant() {
    let share = "expected a share from 0% to 100% such as 99.9%";
    let one_of = "expected one of";
    let table = [
        (
            "kind: availability, at_least: 99.9",
            "99.9",
            format!("`at_least` is `99.9` (did you mean `99.9%`?), {share}"),
        ),
        (
            "kind: availability, at_least: '99,9%'",
            "'99,9%'",
            format!("`at_least` is `99,9%` (did you mean `99.9%`?), {share}"),
        ),
        (
            "kind: load_held, at_least: 100%",
            "100%",
            "`at_least` is `100%`, but no number of events proves 100 %, expected less, such as 99.99%"
                .into(),
        ),
        (
            "kind: health, longest: 30",
            "30",
            "`longest` is `30` (did you mean `30s`?), expected a duration such as 500ms, 30s or 2m".into(),
        ),
        ("knd: health", "{name", format!("objective `a` has no `kind` (is `knd` meant?), {one_of}")),
        (
            "kind: data-loss, store: pg",
            "data-loss",
            format!("`kind` is `data-loss` (did you mean `data_loss`?), {one_of}"),
        ),
        (
            "kind: data_loss, stor: pg",
            "{name",
            "objective `a` has no `store` (is `stor` meant?), expected the name of a store of the trial"
                .into(),
        ),
        (
            "kind: health, components: shop",
            "shop",
            "`components` is text, expected `all` or a list of names".into(),
        ),
        (
            "kind: availability, at_least: 99%, by: probes",
            "{name",
            "objective `a` has no `component`, expected the name of a component of the trial".into(),
        ),
        (
            "kind: availability, at_least: 99%, during: {fase: steady}",
            "{fase",
            format!("`during` has no `phase` (is `fase` meant?), {one_of}"),
        ),
        (
            "kind: availability, at_least: 99%, during: {phase: stedy}",
            "stedy",
            format!("`phase` is `stedy` (did you mean `steady`?), {one_of}"),
        ),
        (
            "kind: scaling, workload: w, shape: up, from: 10, to: 3",
            "3",
            "`to` is `3`, expected more than `from`, which is `10`".into(),
        ),
        (
            "kind: scaling, workload: w, shape: relief, from: 7, to: 3, within: 2s",
            "3,",
            "`to` is `3`, expected more than `from`, which is `7`".into(),
        ),
        (
            "kind: promql, expr: 'up[$strat]', equals: 1",
            "'up",
            "`expr` has `$strat` (did you mean `$start`?), expected one of $start, $end, $window".into(),
        ),
        (
            "kind: recovery_point, of: archive, within: 15m, selector: job=pg",
            "job=pg",
            "`selector` is `job=pg`, expected label matchers such as {job=\"postgres\"}".into(),
        ),
        (
            "kind: alerting, alert: A, experiment: kill, within: 1m, labels: '{a=\"b\"} or up # }'",
            "'{a",
            "`labels` is `{a=\"b\"} or up # }`, expected label matchers such as {job=\"postgres\"}".into(),
        ),
        (
            "kind: scaling, workload: w, shape: down, to: 3, within: 1m, ready: 'sum(x) # y'",
            "'sum",
            "`ready` is `sum(x) # y`, expected a selector of one series".into(),
        ),
        (
            "kind: promql, expr: 'sum(', equals: 1",
            "'sum",
            "`expr` is no PromQL: unclosed left parenthesis".into(),
        ),
    ];
    for (fields, place, due) in table {
        let text = format!("objectives: [{{name: a, {fields}}}]");
        let column = text.find(place).expect("the place") + 1;
        let told = faults(&text);
        assert!(told[0].starts_with(&format!("1:{column}: {due}")), "{text}: {told:?}");
    }
    let sound = r#"{name: a, kind: promql, expr: 'label_replace(up, "a", "$1", "b", "(x)$")', equals: 1}"#;
    check(&format!("objectives: [{sound}]")).expect("dollars that are no placeholders");
}

#[test]
fn what_only_prometheus_can_tell_is_doubted_and_not_refused() {
    let text = "objectives:\n  - {name: a, kind: promql, expr: newer_than_the_parser(up), equals: 1}\n";
    let Sound { objectives, doubts, .. } = check(text).expect("no fault");
    assert_eq!((objectives.len(), doubts.len()), (1, 1));
    assert_eq!((doubts[0].at.line, doubts[0].at.column), (2, 35));
    assert!(doubts[0].message.contains("unknown function"), "{}", doubts[0].message);
}

#[test]
fn what_is_no_yaml_is_told_once_and_for_users() {
    assert_eq!(
        faults("objectives:\n  - name: a\n   kind: health\n"),
        ["3:4: while parsing a block collection, did not find expected '-' indicator"]
    );
    assert_eq!(faults("objectives: [{name: a}\n"), ["1:13: unclosed bracket '['"]);
    assert_eq!(faults("a: 1\n---\nb: 2\n"), ["3:1: a second YAML document begins, expected one"]);
}

#[test]
fn a_name_of_several_lines_does_not_make_a_fault_of_several_lines() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slos.yaml");
    let text = "objectives: [{name: \"x\\nverdict: pass\", kind: health, at: 1}]\n";
    std::fs::write(&file, text).unwrap();
    let told = load(&file).expect_err("an unknown key").to_string();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains(r"objective `x\nverdict: pass`"), "{told}");
}

#[test]
fn a_services_objective_is_told_apart_from_a_runs() {
    let service =
        "{name: requests, service: shop, at_least: 99.9%, over: 30d, total: 'a_total{job=\"x\"}', errors: b}";
    let sound = check(&format!("services: [{service}]")).expect("a sound file");
    assert_eq!((sound.objectives.len(), sound.services.len()), (0, 1));
    assert_eq!(sound.services[0].total, r#"a_total{job="x"}"#);
    let table = [
        (service.replace("30d", "7d"), "`over` is `7d`, expected one of 30d"),
        (
            service.replace("errors: b", "errors: 'rate(b[5m])'"),
            "`errors` is `rate(b[5m])`, expected a selector",
        ),
        (
            service.replace("errors: b", "errors: b offset 5m"),
            "`errors` is `b offset 5m`, expected a selector",
        ),
        (service.replace("requests", "a b"), "`name` is `a b`, expected a name of letters"),
        (format!("{service}, {service}"), "`shop` has an objective `requests` already"),
        (
            [
                service.replace("name: requests", "name: b-requests"),
                service.replace("service: shop", "service: shop-b"),
            ]
            .join(", "),
            "`requests` of `shop-b` and `b-requests` of `shop` are both `shop-b-requests`",
        ),
        (service.replace("99.9%", "100%"), "`at_least` is `100%`, but no number of events proves 100 %"),
        ("1".to_owned(), "the service's objective is a number, expected a map"),
    ];
    for (services, due) in table {
        let told = faults(&format!("services: [{services}]"));
        assert!(told[0].contains(due), "{services}: {told:?}");
    }
    assert_eq!(faults("services: []"), ["1:1: the file has no `objectives`, expected a list of objectives"]);
}
