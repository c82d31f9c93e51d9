//! What a verdict claims, and what it does not. Pure.

use super::Report;
use crate::evidence::{State, family};
use crate::run::Experiment;
use crate::slo::Kind;

/// What was judged with a kind, and what stays open where nothing of that kind has a value.
fn claim(kind: Kind) -> (&'static str, Option<&'static str>) {
    match kind {
        Kind::LoadHeld => ("load", Some("that the load was held")),
        Kind::Availability => ("availability", Some("availability")),
        Kind::Latency => ("latency", Some("latency")),
        Kind::Recovery => ("recovery", Some("recovery times")),
        Kind::Leader => ("leaders", Some("leaders")),
        Kind::SplitBrain => ("split brain", Some("absence of a split brain")),
        Kind::DataLoss => ("data loss", Some("data loss")),
        Kind::WrittenPoint => ("recovery point of writes", Some("recovery point of writes")),
        Kind::ArchivePoint => ("recovery point of the archive", Some("recovery point of the archive")),
        Kind::Scaling => ("scaling", Some("scaling")),
        Kind::Health => ("health", Some("health outside experiments")),
        Kind::Intervention => ("interventions", Some("absence of interventions")),
        Kind::Alerting => ("alerts", Some("that alerts go out")),
        Kind::Promql => ("own expressions", None),
    }
}

/// That nothing is said about an experiment which is not shown to have broken anything.
fn untested(experiment: &Experiment) -> Option<String> {
    let why = match experiment.state {
        _ if experiment.broke() => return None,
        Some(State::Refused) => "which was refused",
        Some(State::Skipped) => "which was skipped",
        Some(State::Ineffective) => "which broke nothing",
        Some(State::Planned) => "which was not injected",
        _ => "which is not shown to have broken anything",
    };
    Some(format!("anything about {}, {why}", experiment.name))
}

impl Report {
    /// What was judged, in a fixed order: of what was asked for, what has a value.
    pub(super) fn judged(&self) -> Vec<&'static str> {
        Kind::ALL.iter().filter(|kind| self.has(**kind)).map(|kind| claim(*kind).0).collect()
    }

    /// What this verdict does not say anything about.
    pub(super) fn not_claimed(&self) -> Vec<String> {
        let open = Kind::ALL.iter().filter(|kind| !self.has(**kind)).filter_map(|kind| claim(*kind).1);
        let mut open: Vec<String> = open.map(str::to_owned).collect();
        let Some(evidence) = &self.evidence else { return open };
        open.extend(evidence.run.experiments.values().filter_map(untested));
        if self.has(Kind::DataLoss) && evidence.run.experiments.is_empty() {
            open.push("data loss under faults (the run had no experiment)".to_owned());
        }
        let kinds = evidence.label_values(family::INTERVENTIONS_TOTAL, "kind");
        if self.has(Kind::Intervention) && !kinds.is_empty() {
            open.push(format!("interventions of other kinds than {}", kinds.join(", ")));
            if kinds.iter().any(|kind| kind == "change") {
                // Which objects are watched, no metric tells.
                open.push(
                    "changes of objects that exporter/TRIAL.md (`kubernetes`) does not name".to_owned(),
                );
            }
        }
        open
    }

    /// Whether something of that kind has a value.
    fn has(&self, kind: Kind) -> bool {
        self.findings.iter().any(|finding| finding.kind == kind && finding.judged.observed.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Lack, Millis, Shortfall};
    use crate::judge::{Finding, Judged, Observed};
    use crate::report::Choice;
    use crate::source::Server;
    use crate::verdict::Verdict;

    fn report(kind: Kind) -> Report {
        let mut judged = Judged::lacking(Shortfall::new(Lack::Gap, ""));
        judged.observed =
            Some(Observed { text: String::new(), value: 0.0, lower: 0.0, upper: 0.0, unit: "" });
        let (name, limit, verdict) = (String::new(), String::new(), Verdict::Inconclusive);
        let finding = Finding { name, kind, proves: None, limit, verdict, judged };
        Report::new("u", (Choice::Named, Millis(0)), Server::default(), None, vec![finding])
    }

    #[test]
    fn each_kind_is_claimed_where_it_has_a_value_and_no_other() {
        for kind in Kind::ALL {
            let report = report(*kind);
            assert_eq!(report.judged(), [claim(*kind).0]);
            let others = Kind::ALL.iter().filter(|other| *other != kind);
            let open: Vec<_> = others.filter_map(|other| claim(*other).1).collect();
            assert_eq!(report.not_claimed(), open);
        }
    }

    #[test]
    fn of_an_experiment_that_broke_nothing_nothing_is_claimed() {
        let unshown = "anything about kill, which is not shown to have broken anything";
        let table = [
            (Some(State::Refused), None, Some("anything about kill, which was refused")),
            (Some(State::Skipped), None, Some("anything about kill, which was skipped")),
            (Some(State::Planned), None, Some("anything about kill, which was not injected")),
            (Some(State::Ineffective), Some(9.0), Some("anything about kill, which broke nothing")),
            (Some(State::Recovered), None, Some(unshown)),
            (None, Some(9.0), Some(unshown)),
            (Some(State::Recovering), Some(9.0), None),
            (Some(State::Recovered), Some(9.0), None),
            (Some(State::NotRecovered), Some(9.0), None),
        ];
        for (state, injected, due) in table {
            let experiment = Experiment { name: "kill".to_owned(), state, injected, ..Experiment::default() };
            assert_eq!(untested(&experiment).as_deref(), due, "{state:?} {injected:?}");
        }
    }

    #[test]
    fn a_recovery_point_of_the_archive_is_none_of_writes() {
        let (archive, writes) = ("recovery point of the archive", "recovery point of writes");
        for (kind, judged, open) in
            [(Kind::ArchivePoint, archive, writes), (Kind::WrittenPoint, writes, archive)]
        {
            let report = report(kind);
            assert_eq!(report.judged(), [judged]);
            let open_too = report.not_claimed();
            assert!(open_too.iter().any(|told| told == open) && !open_too.iter().any(|told| told == judged));
        }
    }
}
