//! What is said of an error budget, whatever it is counted in. Pure.
//!
//! A budget is that of what was counted so far: bad events over it may yet be outweighed by good ones. Only once the load
//! is over nothing mends it, and only then it is critical.

use super::Scope;
use super::promql::DRAINED;
use super::rule::{Alert, FOR_GOOD, Lasting, Rule, Severity};

/// A budget that is recorded.
pub(super) struct Budget {
    /// The recorded part that is spent.
    pub(super) spent: &'static str,
    /// The alert's name.
    pub(super) alert: &'static str,
    /// What spends it, as in `requests fail`.
    pub(super) how: &'static str,
}

impl Budget {
    /// The alerts at half of it, at all of it, and at all of it when no more requests come.
    pub(super) fn alerts(&self, scope: &Scope) -> [Rule; 3] {
        let spent = self.spent;
        [
            // Fifteen seconds: a scrape of one process before that of another is not enough. What wavers around
            // the limit is one alert.
            self.alert(
                Severity::Info,
                format!("{spent} >= 0.5"),
                Lasting { hold: "15s", keep: "1m" },
                "more than half of the budget is spent",
            ),
            self.alert(
                Severity::Warning,
                format!("{spent} >= 1"),
                Lasting { hold: "15s", keep: "1m" },
                "the budget is spent; only more good requests can mend it",
            ),
            // By then every request has ended, and the exporter may leave in two seconds.
            self.alert(
                Severity::Critical,
                format!("{spent} > 1 and on (run) {}", scope.runs_in(DRAINED)),
                Lasting { hold: "0s", keep: FOR_GOOD },
                "the load is over and more than the budget is spent",
            ),
        ]
    }

    fn alert(&self, severity: Severity, expr: String, lasting: Lasting, what: &str) -> Rule {
        Alert {
            name: self.alert,
            severity,
            expr,
            lasting,
            labels: Vec::new(),
            summary: format!("Ordeal: {}: {what}", self.how),
            description: "`{{ $labels.objective }}` ({{ $labels.limit }}) has {{ $value | humanizePercentage }} of its \
                          error budget spent by what was counted so far, in run {{ $labels.run }}."
                .to_owned(),
        }
        .rule()
    }
}
