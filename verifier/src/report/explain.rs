//! What a name in a report means, and what to do about it. Pure.

use std::fmt::Write;

use super::advice::{advice, narrower, waited_too_briefly};
use crate::evidence::{Bars, Lack};
use crate::slo::Kind;

/// The alerts, which have a section each in `docs/runbooks.md`.
const ALERTS: [&str; 21] = [
    "OrdealComponentDown",
    "OrdealLeaderMissing",
    "OrdealErrorBudget",
    "OrdealLatencyBudget",
    "OrdealDataLost",
    "OrdealSplitBrain",
    "OrdealArchiveStuck",
    "OrdealArchiveFailing",
    "OrdealScalingStuck",
    "OrdealUnexplainedOutage",
    "OrdealIntervention",
    "OrdealConductorGone",
    "OrdealLoadUnseen",
    "OrdealGeneratorSaturated",
    "OrdealWatchGap",
    "OrdealRunStuck",
    "OrdealExperimentIneffective",
    "OrdealNotRecovered",
    "OrdealFaultNotReverted",
    "ServiceBudgetBurn",
    "ServiceUnmeasured",
];

/// Every name that can be explained: the shortfalls, the kinds of objective, the alerts.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    Lack::ALL.iter().map(|lack| lack.name()).chain(Kind::words()).chain(ALERTS)
}

/// The names with what they mean, for choosing one.
pub(crate) fn list() -> String {
    let width = Lack::ALL.iter().map(|lack| lack.name().len()).max().unwrap_or(0);
    let mut text = String::from("Shortfalls, why evidence does not suffice:\n");
    for lack in Lack::ALL {
        let _ = writeln!(text, "  {:width$}  {}", lack.name(), lack.meaning());
    }
    text.push_str("\nKinds of objective, where one was broken or its limit lies between the bounds:\n");
    for word in Kind::words() {
        let _ = writeln!(text, "  {word}");
    }
    text.push_str("\nAlerts, each with a section in docs/runbooks.md:\n");
    for alert in ALERTS {
        let _ = writeln!(text, "  {alert}");
    }
    text
}

/// The explanation of a name, if it is one.
pub(crate) fn explain(name: &str) -> Option<String> {
    let lack = Lack::ALL.iter().find(|lack| lack.name() == name);
    let kinds: Vec<String> = Kind::named(name).map(broken).collect();
    let alert = ALERTS.contains(&name).then(|| runbook(name));
    lack.map(|lack| shortfall(*lack)).or_else(|| (!kinds.is_empty()).then(|| kinds.join("\n"))).or(alert)
}

/// Where an alert is explained.
fn runbook(alert: &str) -> String {
    format!(
        "{alert}: an alert.\ndocs/runbooks.md has a section on each: what it means, what to look at and what to do.\n\
         This one: docs/runbooks.md#{}\n",
        alert.to_lowercase()
    )
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

fn broken(kind: Kind) -> String {
    let of = kind.of().map(|of| format!(", of: {of}")).unwrap_or_default();
    let mut text = format!(
        "{}{of}\nWhere it was broken: {}\nWhere its limit lies between the bounds: {}\n",
        kind.word(),
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
    fn every_section_of_the_runbooks_is_found_by_its_alert() {
        let page = include_str!("../../../docs/runbooks.md");
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(sections, ALERTS);
        let text = explain("OrdealComponentDown").unwrap();
        assert!(text.contains("docs/runbooks.md#ordealcomponentdown\n"), "{text}");
        assert_eq!(explain("OrdealComponent"), None);
    }

    #[test]
    fn a_word_of_several_kinds_explains_each() {
        let text = explain("recovery_point").unwrap();
        for kind in Kind::named("recovery_point") {
            assert!(text.contains(advice(kind)) && text.contains(narrower(kind)), "{kind:?}: {text}");
        }
        assert!(
            text.contains("recovery_point, of: writes\n") && text.contains("recovery_point, of: archive\n")
        );
        assert_eq!(text.matches("postgres_exporter").count(), 1, "only the archive is told by it: {text}");
    }

    #[test]
    fn the_page_on_objectives_says_the_same_of_each_kind() {
        let page = include_str!("../../OBJECTIVES.md");
        for &kind in Kind::ALL {
            let of = kind.of().map(|of| format!(", `of: {of}`")).unwrap_or_default();
            let (word, watched) = (kind.word(), waited_too_briefly(kind).unwrap_or(""));
            let row = format!("| `{word}`{of} | {} | {} | {watched} |", advice(kind), narrower(kind));
            assert!(page.contains(&row), "OBJECTIVES.md lacks: {row}");
        }
    }
}
