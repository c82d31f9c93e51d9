//! The limits that panels are coloured by are the verdict's, and those that they tell as the lab's are the lab's.

use std::collections::BTreeSet;
use std::path::Path;

use dashboards::{boards, limits};
use serde_json::Value;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()))
}

/// What the lab promises.
struct Promises(Vec<Value>);

impl Promises {
    fn read() -> Self {
        let all: Value = serde_saphyr::from_str(&read("deploy/lab/slos.yaml")).expect("YAML");
        Self(all["objectives"].as_array().expect("a list").clone())
    }

    fn number(&self, name: &str, key: &str) -> f64 {
        let one = self.0.iter().find(|promise| promise["name"] == name);
        number(&one.unwrap_or_else(|| panic!("nothing is promised as {name}"))[key])
    }
}

/// A number, a share in percent, or seconds.
fn number(value: &Value) -> f64 {
    let Some(text) = value.as_str() else { return value.as_f64().expect("a number") };
    share(text).unwrap_or_else(|| humantime::parse_duration(text).expect("a duration").as_secs_f64())
}

fn share(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().expect("percent");
    Some(percent / 100.0)
}

/// What follows these words in a source of the verifier, up to that end.
fn declared(file: &str, words: &str, end: char) -> String {
    let text = read(&format!("verifier/src/{file}"));
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("{file} has no `{words}`"));
    rest.split(end).next().expect("a part").to_owned()
}

/// A constant of the verdict.
fn constant(file: &str, name: &str) -> f64 {
    declared(file, &format!("const {name}: f64 = "), ';').parse().expect("a number")
}

/// What an objective wants that does not say it.
fn default(words: &str) -> f64 {
    share(&declared("slo/kinds.rs", words, '"')).expect("a share")
}

/// Every limit by its name, with what it has to be.
fn due() -> Vec<(&'static str, f64, f64)> {
    let lab = Promises::read();
    let promised = |name: &str, key: &str| lab.number(name, key);
    vec![
        ("MISSED", limits::MISSED, constant("judge/health.rs", "MISSED")),
        ("OBSERVED", limits::OBSERVED, constant("judge/leader.rs", "OBSERVED")),
        ("UNHEARD", limits::UNHEARD, constant("judge/intervention.rs", "UNHEARD")),
        ("LOAD_HELD", limits::LOAD_HELD, default("Kind::LoadHeld => fields.share_or(\"at_least\", \"")),
        ("LOAD_HELD", limits::LOAD_HELD, promised("load held", "at_least")),
        ("WATCHED", limits::WATCHED, default("share_or(\"watched_at_least\", \"")),
        ("WATCHED", limits::WATCHED, promised("nobody intervened", "watched_at_least")),
        ("AVAILABILITY", limits::AVAILABILITY, promised("the shop answers", "at_least")),
        ("ANSWER", limits::ANSWER, promised("answers in time", "within")),
        ("ANSWERED_IN_TIME", limits::ANSWERED_IN_TIME, promised("answers in time", "at_least")),
        ("STORE_BACK", limits::STORE_BACK, promised("PostgreSQL recovers", "within")),
        ("STORE_BACK", limits::STORE_BACK, promised("Redis recovers", "within")),
        ("STORE_BACK", limits::STORE_BACK, promised("PostgreSQL recovers from the partition", "within")),
        ("REJOINED", limits::REJOINED, promised("members rejoin after the partition", "within")),
        ("DRAINED", limits::DRAINED, promised("replicas ready elsewhere after the drain", "within")),
        ("RECOVERY_POINT", limits::RECOVERY_POINT, promised("age of the PostgreSQL archive", "within")),
        ("RECOVERY_POINT", limits::RECOVERY_POINT, promised("span of lost PostgreSQL writes", "within")),
        ("RECOVERY_POINT", limits::RECOVERY_POINT, promised("span of lost Redis writes", "within")),
        ("UNEXPLAINED", limits::UNEXPLAINED, promised("every component healthy", "longest")),
        ("FEW", limits::FEW, promised("3 to 10 replicas under load", "from")),
        ("FEW", limits::FEW, promised("relief by scaling", "from")),
        ("FEW", limits::FEW, promised("back to 3 replicas", "to")),
        ("MANY", limits::MANY, promised("3 to 10 replicas under load", "to")),
        ("MANY", limits::MANY, promised("relief by scaling", "to")),
        ("BACK_TO_FEW", limits::BACK_TO_FEW, promised("back to 3 replicas", "within")),
    ]
}

#[test]
fn limits_are_the_verdicts_and_the_labs() {
    for (name, limit, due) in due() {
        assert!((limit - due).abs() < 1e-9, "{name}: {limit}, but {due} is due");
    }
}

#[test]
fn no_limit_is_left_out() {
    let source = read("dashboards/src/limits.rs");
    let declared = source.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    let compared: BTreeSet<_> = due().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(declared.collect::<BTreeSet<_>>(), compared);
}

/// A title is a word of the source, so that it cannot be made of the limit.
#[test]
fn the_title_tells_the_time_of_answers() {
    let title = format!("Answered within {}", limits::time(limits::ANSWER));
    let boards = boards::all();
    let rows = boards.iter().flat_map(|board| &board.rows);
    let panels = rows.flat_map(|row| &row.panels).filter(|panel| panel.title.starts_with("Answered within"));
    let titles: Vec<_> = panels.map(|panel| panel.title).collect();
    assert_eq!(titles, [title.as_str(), title.as_str()]);
}
