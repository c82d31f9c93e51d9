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
    let objectives = check(text).expect("a sound file");
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
    assert_eq!(latency.during, During::Phase { name: "steady".into(), last });
    let Promise::Scaling(scaling) = &objectives[3].promise else { panic!() };
    assert_eq!(scaling.autoscaler, "shop");
    let Promise::Health(health) = &objectives[4].promise else { panic!() };
    assert_eq!(health.longest, Duration::from_millis(500));
    let kinds: Vec<_> = objectives.iter().map(|objective| objective.promise.kind()).collect();
    assert_eq!(
        kinds,
        ["availability", "latency", "recovery", "scaling", "health", "promql", "recovery_point"]
    );
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
            "2:21: `kind` is `recovry` (did you mean `recovery`?), expected one of availability, latency, \
             load_held, recovery, leader, split_brain, data_loss, recovery_point, scaling, health, intervention, \
             promql",
            "3:45: `at_least` is `101%`, expected a share from 0% to 100% such as 99.9%",
            "3:51: unknown key `durring` in objective `b` (did you mean `during`?), expected name, proves, kind, \
             at_least, by, during, task",
            "4:68: `within` is `fast`, expected a duration such as 500ms, 30s or 2m",
            "5:5: expected exactly one limit: at_most, at_least or equals",
            "6:5: the objective is a number, expected a map",
            "7:1: unknown key `objectve` in the file (did you mean `objectives`?), expected objectives",
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
            "1:14: objective `a` has no `kind`, expected one of availability, latency, load_held, recovery, leader, \
          split_brain, data_loss, recovery_point, scaling, health, intervention, promql"
        ]
    );
}
