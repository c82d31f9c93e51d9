//! The colours of panels change where the promises of the lab's trial are broken.

use dashboards::limits;
use serde_json::Value;

fn promises() -> Vec<Value> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/lab/slos.yaml");
    let text = std::fs::read_to_string(file).expect("the lab's promises");
    let all: Value = serde_saphyr::from_str(&text).expect("YAML");
    all["objectives"].as_array().expect("a list").clone()
}

/// A number, a share in percent, or seconds.
fn number(value: &Value) -> f64 {
    let Some(text) = value.as_str() else { return value.as_f64().expect("a number") };
    match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().expect("percent") / 100.0,
        None => humantime::parse_duration(text).expect("a duration").as_secs_f64(),
    }
}

#[test]
fn limits_are_those_of_the_trial() {
    let all = promises();
    let promised = |name: &str, key: &str| {
        let one = all.iter().find(|promise| promise["name"] == name).unwrap_or_else(|| panic!("{name}"));
        number(&one[key])
    };
    let table = [
        (limits::AVAILABILITY, promised("the shop answers", "at_least")),
        (limits::ANSWER, promised("answers in time", "within")),
        (limits::ANSWERED_IN_TIME, promised("answers in time", "at_least")),
        (limits::LOAD_HELD, promised("load held", "at_least")),
        (limits::STORE_BACK, promised("PostgreSQL recovers", "within")),
        (limits::STORE_BACK, promised("Redis recovers", "within")),
        (limits::STORE_BACK, promised("PostgreSQL recovers from the partition", "within")),
        (limits::REJOINED, promised("members rejoin after the partition", "within")),
        (limits::REPLACED, promised("two killed replicas replaced", "within")),
        (limits::DRAINED, promised("replicas ready elsewhere after the drain", "within")),
        (limits::RECOVERY_POINT, promised("age of the PostgreSQL archive", "within")),
        (limits::RECOVERY_POINT, promised("span of lost PostgreSQL writes", "within")),
        (limits::UNEXPLAINED, promised("every component healthy", "longest")),
        (limits::FEW, promised("3 to 10 replicas under load", "from")),
        (limits::MANY, promised("3 to 10 replicas under load", "to")),
        (limits::BACK_TO_FEW, promised("back to 3 replicas", "within")),
        (limits::WATCHED, promised("nobody intervened", "watched_at_least")),
    ];
    for (at, (limit, promised)) in table.into_iter().enumerate() {
        assert!((limit - promised).abs() < 1e-9, "row {at}: {limit}, but {promised} is promised");
    }
}
