//! The keys of each kind of objective. Pure.

use std::time::Duration;

use super::expr::{self, Reading};
use super::fields::{Fault, Fields, suggestion};
use super::kind::Kind;
use super::model::{
    Alerting, ArchivePoint, Availability, By, Compare, DataLoss, During, Expect, Health, Latency, Leader,
    OtherSeries, Promise, Promql, Recovery, Scaling, Shape, Since, SplitBrain, WrittenPoint,
};
use super::node::{Node, Value};
use super::selector;
use crate::evidence::PhaseName;

/// Reads `kind` and the keys that this kind has.
pub(crate) fn promise(fields: &mut Fields<'_>) -> Option<Promise> {
    let word = fields.word("kind", &Kind::words(), None)?;
    match Kind::named(word).next()? {
        Kind::Availability => availability(fields).map(Promise::Availability),
        Kind::Latency => latency(fields).map(Promise::Latency),
        Kind::LoadHeld => fields.share_or("at_least", "99%").map(Promise::LoadHeld),
        Kind::Recovery => recovery(fields).map(Promise::Recovery),
        Kind::Leader => leader(fields).map(Promise::Leader),
        Kind::SplitBrain => split_brain(fields).map(Promise::SplitBrain),
        Kind::DataLoss => data_loss(fields).map(Promise::DataLoss),
        Kind::WrittenPoint | Kind::ArchivePoint => recovery_point(fields),
        Kind::Scaling => scaling(fields).map(Promise::Scaling),
        Kind::Health => health(fields).map(Promise::Health),
        Kind::Intervention => fields.share_or("watched_at_least", "99%").map(Promise::Intervention),
        Kind::Alerting => alerting(fields).map(Promise::Alerting),
        Kind::Promql => promql(fields).map(Promise::Promql),
    }
}

const EXPERIMENT: &str = "the name of an experiment of the trial";
const COMPONENT: &str = "the name of a component of the trial";
const STORE: &str = "the name of a store of the trial";

fn recovery(fields: &mut Fields<'_>) -> Option<Recovery> {
    let experiment = fields.text("experiment", EXPERIMENT);
    let component = fields.text("component", COMPONENT);
    let since = fields.word("since", &["injected", "reverted"], Some("injected"));
    let within = fields.duration("within");
    Some(Recovery {
        experiment: experiment?,
        component: component?,
        since: if since? == "injected" { Since::Injected } else { Since::Reverted },
        within: within?,
    })
}

fn leader(fields: &mut Fields<'_>) -> Option<Leader> {
    let component = fields.text("component", COMPONENT);
    let experiment = fields.text("experiment", EXPERIMENT);
    let expect = fields.word("expect", &["new", "one"], None);
    let within = fields.duration("within");
    Some(Leader {
        component: component?,
        experiment: experiment?,
        expect: if expect? == "new" { Expect::New } else { Expect::One },
        within: within?,
    })
}

fn split_brain(fields: &mut Fields<'_>) -> Option<SplitBrain> {
    let component = fields.text("component", COMPONENT);
    let experiment = fields.optional_text("experiment", EXPERIMENT);
    let at_most = fields.duration_or("at_most", Duration::ZERO);
    Some(SplitBrain { component: component?, experiment, at_most: at_most? })
}

fn data_loss(fields: &mut Fields<'_>) -> Option<DataLoss> {
    let store = fields.text("store", STORE);
    let experiment = fields.optional_text("experiment", EXPERIMENT);
    Some(DataLoss { store: store?, experiment })
}

fn recovery_point(fields: &mut Fields<'_>) -> Option<Promise> {
    let of = fields.word("of", &["writes", "archive"], Some("writes"));
    let within = fields.duration("within");
    if of? == "writes" {
        let store = fields.text("store", STORE);
        let experiment = fields.optional_text("experiment", EXPERIMENT);
        return Some(Promise::WrittenPoint(WrittenPoint { store: store?, experiment, within: within? }));
    }
    let selector = matchers(fields, "selector").unwrap_or_else(|| "{}".to_owned());
    Some(Promise::ArchivePoint(ArchivePoint { selector, within: within? }))
}

/// Label matchers in braces.
fn matchers(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    let node = fields.optional(key)?;
    selector::read(fields, node, key, "label matchers such as {job=\"postgres\"}", selector::matchers)
}

/// A selector of somebody else's series.
fn series(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    let node = fields.optional(key)?;
    selector::read(fields, node, key, "a selector of one series", selector::series)
}

fn availability(fields: &mut Fields<'_>) -> Option<Availability> {
    let at_least = fields.share("at_least");
    let by = fields.word("by", &["requests", "user_time", "probes"], Some("requests"));
    let during = during(fields);
    let (by, task) = match by? {
        "requests" => (By::Requests, fields.optional_text("task", "the name of a task of the trial")),
        "user_time" => (By::UserTime, None),
        _ => (By::Probes(fields.text("component", COMPONENT)?), None),
    };
    Some(Availability { at_least: at_least?, by, during: during?, task })
}

fn latency(fields: &mut Fields<'_>) -> Option<Latency> {
    let within = fields.duration("within");
    let at_least = fields.share("at_least");
    let task = fields.optional_text("task", "the name of a task of the trial");
    let during = during(fields);
    Some(Latency { within: within?, at_least: at_least?, task, during: during? })
}

fn during(fields: &mut Fields<'_>) -> Option<During> {
    let expected = "`run`, {experiment: NAME} or {phase: steady, last: 30s}";
    let Some(node) = fields.optional("during") else { return Some(During::Run) };
    match &node.value {
        Value::Text(text) if text == "run" => Some(During::Run),
        Value::Map(entries) => {
            let (during, mut faults) = part(node, entries.iter().any(|entry| entry.1 == "experiment"));
            fields.faults.append(&mut faults);
            during
        }
        _ => {
            fields.fault(node.at, format!("`during` is not understood, expected {expected}"));
            None
        }
    }
}

fn part(node: &Node, of_experiment: bool) -> (Option<During>, Vec<Fault>) {
    let mut inner = Fields::new(node, "`during`");
    let during = if of_experiment {
        inner.text("experiment", EXPERIMENT).map(During::Experiment)
    } else {
        let ended = [PhaseName::Finished, PhaseName::Aborted];
        let phases = PhaseName::ALL.iter().filter(|name| !ended.contains(name));
        let phases: Vec<_> = phases.map(|name| name.word()).collect();
        let name = inner.word("phase", &phases, None).and_then(PhaseName::of);
        let last = inner.optional_duration("last");
        name.map(|name| During::Phase { name, last })
    };
    (during, inner.finish())
}

fn scaling(fields: &mut Fields<'_>) -> Option<Scaling> {
    let workload = fields.text("workload", "the name of a workload");
    let autoscaler = match fields.optional_text("autoscaler", "the name of an autoscaler") {
        None => workload.clone(),
        named => named,
    };
    let shape = match fields.word("shape", &["up", "down", "relief"], None)? {
        "up" => {
            let replicas = growing(fields);
            let within = fields.optional_duration("within");
            replicas.map(|(from, to)| Shape::Up { from, to, within })
        }
        "down" => {
            fields.count("to").zip(fields.duration("within")).map(|(to, within)| Shape::Down { to, within })
        }
        _ => relief(fields),
    };
    let ready = series(fields, "ready");
    let current = series(fields, "current");
    Some(Scaling {
        workload: workload?,
        autoscaler: autoscaler?,
        shape: shape?,
        other: OtherSeries { ready, current },
    })
}

/// `from` few replicas `to` many.
fn growing(fields: &mut Fields<'_>) -> Option<(u32, u32)> {
    let (from, to) = (fields.count("from"), fields.count("to"));
    let (from, to) = from.zip(to)?;
    if from >= to {
        let at = fields.optional("to").map_or(fields.at(), |node| node.at);
        fields.fault(at, format!("`to` is `{to}`, expected more than `from`, which is `{from}`"));
        return None;
    }
    Some((from, to))
}

fn relief(fields: &mut Fields<'_>) -> Option<Shape> {
    let replicas = growing(fields);
    let last = fields.duration_or("last", Duration::from_secs(30));
    let within = fields.duration("within");
    let at_least = fields.share_or("at_least", "95%");
    let (from, to) = replicas?;
    Some(Shape::Relief { from, to, last: last?, within: within?, at_least: at_least? })
}

fn health(fields: &mut Fields<'_>) -> Option<Health> {
    let longest = fields.duration_or("longest", Duration::from_millis(500));
    let mut components = Vec::new();
    match fields.optional("components").map(|node| (node, &node.value)) {
        None => {}
        Some((_, Value::Text(text))) if text == "all" => {}
        Some((_, Value::List(nodes))) if !nodes.is_empty() => {
            for node in nodes {
                components.extend(fields.as_text(node, "components", COMPONENT));
            }
        }
        Some((node, other)) => {
            let message = format!("`components` is {}, expected `all` or a list of names", other.name());
            fields.fault(node.at, message);
        }
    }
    Some(Health { components, longest: longest? })
}

fn alerting(fields: &mut Fields<'_>) -> Option<Alerting> {
    let alert = fields.text("alert", "the name of an alert");
    let labels = matchers(fields, "labels").unwrap_or_else(|| "{}".to_owned());
    let experiment = fields.text("experiment", EXPERIMENT);
    let within = fields.duration("within");
    let resolved_within = fields.optional_duration("resolved_within");
    Some(Alerting { alert: alert?, labels, experiment: experiment?, within: within?, resolved_within })
}

fn promql(fields: &mut Fields<'_>) -> Option<Promql> {
    let expr = fields.text("expr", "a PromQL expression with $start, $end and $window");
    let limits = [
        fields.number("at_most").map(Compare::AtMost),
        fields.number("at_least").map(Compare::AtLeast),
        fields.number("equals").map(Compare::Equals),
    ];
    placeholders(fields);
    syntax(fields);
    let mut given = limits.into_iter().flatten();
    let (Some(compare), None) = (given.next(), given.next()) else {
        let what = fields.what().to_owned();
        let message = format!("{what} has no limit or several, expected one of at_most, at_least, equals");
        fields.fault(fields.at(), message);
        return None;
    };
    Some(Promql { expr: expr?, compare })
}

/// Refuses what cannot be an expression in any version of Prometheus; what this parser merely does not know is
/// left to Prometheus, and said.
fn syntax(fields: &mut Fields<'_>) {
    let Some(Node { at, value: Value::Text(text) }) = fields.optional("expr") else { return };
    match expr::read(text) {
        Reading::Sound => {}
        Reading::Broken(error) => {
            fields.fault(*at, format!("`expr` is no PromQL: {error}"));
        }
        Reading::Doubtful(error) => {
            let message = format!("`expr` may be no PromQL: {error}; Prometheus decides when it is judged");
            fields.doubts.push(Fault { at: *at, message });
        }
    }
}

/// Refuses placeholders that are nearly one of ours. Others may be regular expressions' own.
fn placeholders(fields: &mut Fields<'_>) {
    let Some(Node { at, value: Value::Text(text) }) = fields.optional("expr") else { return };
    for (start, _) in text.match_indices('$') {
        let word = text[start + 1..].chars().take_while(char::is_ascii_alphabetic);
        let word: String = std::iter::once('$').chain(word).collect();
        let known = ["$start", "$end", "$window"];
        let near = suggestion(&word, &known);
        if !known.contains(&word.as_str()) && !near.is_empty() && word.len() > 3 {
            let message = format!("`expr` has `{word}`{near}, expected one of {}", known.join(", "));
            fields.fault(*at, message);
        }
    }
}
