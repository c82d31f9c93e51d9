//! What a name in a report means, and what to do about it. Pure.

use std::fmt::Write;

use super::advice::{advice, narrower, waited_too_briefly};
use super::claims::KINDS;
use crate::evidence::{Bars, Lack};

/// Every name that can be explained: the shortfalls, then the kinds of objective.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    Lack::ALL.iter().map(|lack| lack.name()).chain(KINDS)
}

/// The names with what they mean, for choosing one.
pub(crate) fn list() -> String {
    let width = names().map(str::len).max().unwrap_or(0);
    let mut text = String::from("Shortfalls, why evidence does not suffice:\n");
    for lack in Lack::ALL {
        let _ = writeln!(text, "  {:width$}  {}", lack.name(), lack.meaning());
    }
    text.push_str("\nKinds of objective, where one was broken or its limit lies between the bounds:\n");
    for kind in KINDS {
        let _ = writeln!(text, "  {kind}");
    }
    text
}

/// The explanation of a name, if it is one.
pub(crate) fn explain(name: &str) -> Option<String> {
    let lack = Lack::ALL.iter().find(|lack| lack.name() == name);
    lack.map(|lack| shortfall(*lack))
        .or_else(|| KINDS.iter().find(|kind| **kind == name).map(|kind| broken(kind)))
}

fn shortfall(lack: Lack) -> String {
    let stands = match lack.bars() {
        Bars::Both => "It stands against pass and fail: the value says nothing either way.",
        Bars::Pass => {
            "It stands against a pass. A fail stays one: more evidence could only have shown more harm."
        }
        Bars::Fail => "It stands against a fail. A pass stays one: it only makes a service look worse.",
    };
    format!("{}: {}\n{stands}\nWhat to do: {}\n", lack.name(), lack.meaning(), lack.remedy())
}

fn broken(kind: &str) -> String {
    let mut text = format!(
        "{kind}\nWhere it was broken: {}\nWhere its limit lies between the bounds: {}\n",
        advice(kind),
        narrower(kind)
    );
    if let Some(remedy) = waited_too_briefly(kind) {
        let _ = writeln!(text, "Where it was not watched for longer than the limit: {remedy}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_explained_with_what_to_do() {
        for name in names() {
            let text = explain(name).unwrap();
            assert!(text.starts_with(name) && text.lines().count() > 2, "{name}: {text}");
            assert!(list().contains(&format!("  {name}")), "{name} is not listed");
        }
        assert_eq!(explain("gaps"), None);
    }

    #[test]
    fn the_page_on_objectives_says_the_same_of_each_kind() {
        let page = include_str!("../../OBJECTIVES.md");
        for kind in KINDS {
            let watched = waited_too_briefly(kind).unwrap_or("");
            let row = format!("| `{kind}` | {} | {} | {watched} |", advice(kind), narrower(kind));
            assert!(page.contains(&row), "OBJECTIVES.md lacks: {row}");
        }
    }
}
