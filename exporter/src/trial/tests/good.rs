//! What good files mean.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;

use super::super::*;
use super::*;

const EVERYTHING: &str = include_str!("everything.yaml");

fn one_stage(users: usize, lasts: Duration) -> NonEmpty<Stage> {
    NonEmpty::one(Stage::new(users, lasts).expect("a stage"))
}

#[test]
fn the_shipped_files_are_good_as_they_stand() {
    for (file, experiments) in
        [("lab/trial.yaml", 5), ("lab/trial-losing.yaml", 1), ("examples/smallest.yaml", 0)]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(file);
        let trial = read(&path, &Made::new()).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(trial.experiments.len(), experiments, "{file}");
    }
}

#[test]
fn the_labs_trial_has_the_promised_load() {
    let trial = parse_good(include_str!("../../../../deploy/lab/trial.yaml"));
    assert_eq!(trial.load.stages, one_stage(1000, Duration::from_secs(390)));
    let tasks: Vec<_> = trial.load.tasks.iter().map(|task| (task.name.as_str(), task.weight.get())).collect();
    let behaviours = [
        ("dashboard", 10),
        ("inventory", 30),
        ("pos", 25),
        ("customers", 20),
        ("reports", 10),
        ("health", 5),
    ];
    assert_eq!(tasks, behaviours);
}

#[test]
fn the_smallest_trial_fits_fifteen_lines() {
    let text = include_str!("../../../../deploy/examples/smallest.yaml");
    assert!(text.lines().count() <= 15);
}

#[test]
fn what_is_not_said_has_its_default() {
    let trial = parse_good(AFTER_BASE);
    assert_eq!(trial.name.as_str(), "t");
    assert_eq!(trial.target.url.as_str(), "http://a/");
    assert_eq!(trial.load.stages, one_stage(1, Duration::from_mins(1)));
    assert_eq!(Ok(trial.load.think), Think::uniform(Duration::from_secs(1), Duration::from_secs(3)));
    assert_eq!((trial.load.seed, trial.load.redirects), (0, Redirects::Answer));
    assert_eq!((trial.load.timeout, trial.load.patience), (Duration::from_secs(15), Duration::from_secs(2)));
    assert_eq!((trial.load.buckets.len(), trial.load.buckets[18]), (19, 16.0));
    assert!(trial.load.login.is_none());
    assert_eq!(trial.load.tasks[0].weight.get(), 1);
    assert_eq!((trial.after, trial.settle), (Duration::from_secs(30), Duration::from_mins(1)));
    assert_eq!(trial.cooldown, Duration::from_mins(5));
    let rest = (trial.stores.len(), trial.components.len(), trial.ledgers.len(), trial.experiments.len());
    assert_eq!(rest, (0, 0, 0, 0));
}

#[test]
fn patience_is_by_default_no_longer_than_the_time_out() {
    let trial = parse_good(&format!("{LOAD}  users: 1\n  spawn_rate: 1\n  duration: 1m\n  timeout: 1s\n"));
    assert_eq!(trial.load.patience, Duration::from_secs(1));
    assert_eq!(trial.load.tasks[0].patience, Duration::from_secs(1));
}

#[test]
fn the_file_names_the_trial_where_the_trial_does_not() {
    let cases = [("a/My Trial.yaml", "my-trial"), ("x.y.yaml", "x.y"), ("-.yaml", "trial"), ("_ü", "trial")];
    for (path, name) in cases {
        let trial = parse(AFTER_BASE, Path::new(path), &Made::new()).expect("the file is good");
        assert_eq!(trial.name.as_str(), name, "{path}");
    }
}

#[test]
fn target_and_load_can_say_everything() {
    let trial = parse_good(EVERYTHING);
    assert_eq!(trial.name.as_str(), "everything");
    let target = &trial.target;
    assert_eq!(target.url.as_str(), "https://shop.example:8443/base");
    assert_eq!((target.ca.as_deref(), target.host.as_deref()), (Some(Path::new("ca.pem")), Some("shop")));
    assert!(target.client_identity.is_some());
    assert_eq!(target.headers.len(), 2);
    let load = &trial.load;
    assert_eq!(load.stages.iter().map(|stage| stage.users).collect::<Vec<_>>(), [100, 1000]);
    assert_eq!(load.duration(), Duration::from_mins(6));
    assert_eq!((load.think, load.seed), (Think::constant(Duration::from_secs(2)), 7));
    assert!(matches!(load.redirects, Redirects::Follow(hops) if hops.get() == 10));
    assert_eq!(*load.buckets, [0.005, 0.1, 1.0]);
    assert_eq!(load.abort_when, ErrorLimit::new(0.5, Duration::from_secs(20)).ok());
    let login = load.login.as_ref().expect("there is a login");
    assert_eq!(login.len(), 2);
    assert!(matches!(&login[1].body, Some(Body::Form(fields)) if fields.len() == 2));
}

#[test]
fn a_request_can_say_everything() {
    let trial = parse_good(EVERYTHING);
    let task = &trial.load.tasks[0];
    assert_eq!((task.weight.get(), task.patience), (25, Duration::from_secs(3)));
    assert_eq!(task.journey[0].method, Method::GET);
    assert_eq!(Ok(&task.journey[0].path.parts[1]), Part::range(1, 500).as_ref());
    let sale = &task.journey[1];
    assert_eq!((sale.method.clone(), &sale.expect[..]), (Method::POST, &[StatusCode::CREATED][..]));
    let Some(Body::Json(JsonTemplate::Object(body))) = &sale.body else { panic!("{:?}", sale.body) };
    let keys: Vec<_> = body.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["id", "sku", "quantity", "gift", "note", "prices", "code"]);
    assert!(matches!(&body[0].1, JsonTemplate::Text(text) if text.parts == [Part::Uuid]));
    assert!(matches!(&body[3].1, JsonTemplate::Plain(value) if *value == json!(true)));
    assert!(matches!(&body[4].1, JsonTemplate::Plain(value) if value.is_null()));
    assert!(matches!(&body[5].1, JsonTemplate::Array(items) if items.len() == 3));
    assert!(matches!(&body[6].1, JsonTemplate::Text(text) if text.fixed().as_deref() == Some("007")));
    assert_eq!(sale.asserts.len(), 5);
    assert!(matches!(&sale.asserts[2], Assertion::JsonEquals(at, value) if at == "/n" && *value == json!(7)));
    assert!(matches!(&sale.asserts[4], Assertion::JsonEquals(_, value) if value.is_null()));
    let names: Vec<_> = sale.extracts.iter().map(|extract| extract.name.as_str()).collect();
    assert_eq!(names, ["sale", "token", "csrf", "form"]);
    assert_eq!(task.journey[2].path.parts[1], Part::Extracted("sale".to_owned()));
    assert_eq!(task.journey[2].expect.len(), 2);
    assert!(task.journey[3].body.is_none());
}

#[test]
fn the_rest_can_say_everything() {
    let trial = parse_good(EVERYTHING);
    assert!(matches!(&trial.stores[0].instances[1].access, Access::Command(words) if words[0] == "ssh"));
    let failovers: Vec<_> = trial.stores.iter().filter_map(|store| store.failover.as_ref()).collect();
    assert!(matches!(&failovers[0].manager, Manager::Patroni(url) if url.as_str() == "http://db1:8008/"));
    assert!(matches!(&failovers[1].manager, Manager::Sentinel { master, .. } if master == "main"));
    assert_eq!(failovers.iter().map(|it| it.within.as_secs()).collect::<Vec<_>>(), [60, 30]);
    let kinds: Vec<_> = trial.components.iter().map(|component| &component.kind).collect();
    assert!(
        matches!(kinds[0], ComponentKind::Http { path, expect: Some(StatusCode::OK) } if path == "/healthz")
    );
    assert!(matches!(kinds[1], ComponentKind::Store { store } if store.get() == 0));
    assert!(matches!(kinds[2], ComponentKind::Members { store } if store.get() == 1));
    assert!(matches!(kinds[3], ComponentKind::Replicas { declared: Some(3), .. }));
    let intervals: Vec<_> =
        trial.components.iter().map(|component| component.interval().as_millis()).collect();
    assert_eq!(intervals, [20, 50, 250, 250]);
    let redis = &trial.ledgers[1];
    assert_eq!((redis.store.get(), redis.wait_replicas, redis.dataset), (1, 1, 1000));
    assert_eq!(
        (trial.ledgers[0].writers.get(), trial.ledgers[0].rate),
        (4, Rate::new(20.0).expect("a rate"))
    );
    let experiment = &trial.experiments[0];
    let components: Vec<_> = experiment.components.iter().map(|index| index.get()).collect();
    assert_eq!(components, [1, 3]);
    assert_eq!((experiment.deadline, experiment.hold), (Duration::from_mins(2), Duration::from_secs(5)));
    assert!(experiment.replaced);
    let Fault::Exec(exec) = &experiment.fault else { panic!("commands") };
    assert_eq!(exec.target, "echo ${HOME}");
    assert_eq!((exec.bit.as_deref(), exec.revert.as_deref()), (None, Some("true")));
}

#[test]
fn an_alias_stands_for_its_node() {
    let trial = parse_good(&format!(
        "{STEPS}        - &get GET /a\n        - *get\n        - POST /b: &body {{json: {{a: 1}}}}\n        - POST /c: *body\n"
    ));
    let journey = &trial.load.tasks[0].journey;
    assert_eq!(journey[1].path, journey[0].path);
    assert!(journey[3].body.is_some());
}
