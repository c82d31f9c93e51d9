//! What a verdict claims, and what it does not.

use super::Report;

/// Every kind and what stays open where no objective of that kind was judged.
const CLAIMS: [(&str, &str); 12] = [
    ("availability", "availability"),
    ("latency", "latency"),
    ("load_held", "that the load was held"),
    ("recovery", "recovery times"),
    ("leader", "leaders"),
    ("split_brain", "absence of a split brain"),
    ("data_loss", "data loss"),
    ("recovery_point", "recovery points"),
    ("scaling", "scaling"),
    ("health", "health outside experiments"),
    ("intervention", "absence of interventions"),
    ("promql", ""),
];

impl Report {
    /// The kinds that were judged, in a fixed order.
    pub(super) fn judged(&self) -> Vec<&'static str> {
        CLAIMS.iter().map(|(kind, _)| *kind).filter(|kind| self.has(kind)).collect()
    }

    /// What this verdict does not say anything about.
    pub(super) fn not_claimed(&self) -> Vec<String> {
        let mut open: Vec<String> = CLAIMS
            .iter()
            .filter(|(kind, what)| !what.is_empty() && !self.has(kind))
            .map(|(_, what)| (*what).to_owned())
            .collect();
        let Some(evidence) = &self.evidence else { return open };
        if self.has("data_loss") && evidence.run.experiments.is_empty() {
            open.push("data loss under faults (the run had no experiment)".to_owned());
        }
        let kinds = evidence.label_values("ordeal_interventions_total", "kind");
        if self.has("intervention") && !kinds.is_empty() {
            open.push(format!("interventions of other kinds than {}", kinds.join(", ")));
        }
        open
    }

    fn has(&self, kind: &str) -> bool {
        self.findings.iter().any(|finding| finding.kind == kind)
    }
}
