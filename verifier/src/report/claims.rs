//! What a verdict claims, and what it does not. Pure.

use super::Report;
use crate::evidence::family;

/// Every kind: what was judged with it, and what stays open where nothing of that kind has a value.
const CLAIMS: [(&str, &str, &str); 13] = [
    ("load_held", "load", "that the load was held"),
    ("availability", "availability", "availability"),
    ("latency", "latency", "latency"),
    ("recovery", "recovery", "recovery times"),
    ("leader", "leaders", "leaders"),
    ("split_brain", "split brain", "absence of a split brain"),
    ("data_loss", "data loss", "data loss"),
    ("recovery_point", "recovery points", "recovery points"),
    ("scaling", "scaling", "scaling"),
    ("health", "health", "health outside experiments"),
    ("intervention", "interventions", "absence of interventions"),
    ("alerting", "alerts", "that alerts go out"),
    ("promql", "own expressions", ""),
];

/// The kinds of objective, by the word for `kind`.
pub(super) const KINDS: [&str; CLAIMS.len()] = {
    let mut kinds = [""; CLAIMS.len()];
    let mut at = 0;
    while at < kinds.len() {
        kinds[at] = CLAIMS[at].0;
        at += 1;
    }
    kinds
};

impl Report {
    /// What was judged, in a fixed order: of what was asked for, what has a value.
    pub(super) fn judged(&self) -> Vec<&'static str> {
        CLAIMS.iter().filter(|(kind, ..)| self.has(kind)).map(|(_, judged, _)| *judged).collect()
    }

    /// What this verdict does not say anything about.
    pub(super) fn not_claimed(&self) -> Vec<String> {
        let mut open: Vec<String> = CLAIMS
            .iter()
            .filter(|(kind, _, open)| !open.is_empty() && !self.has(kind))
            .map(|(.., open)| (*open).to_owned())
            .collect();
        let Some(evidence) = &self.evidence else { return open };
        if self.has("data_loss") && evidence.run.experiments.is_empty() {
            open.push("data loss under faults (the run had no experiment)".to_owned());
        }
        let kinds = evidence.label_values(family::INTERVENTIONS_TOTAL, "kind");
        if self.has("intervention") && !kinds.is_empty() {
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
    fn has(&self, kind: &str) -> bool {
        self.findings.iter().any(|finding| finding.kind == kind && finding.judged.observed.is_some())
    }
}
