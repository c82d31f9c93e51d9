//! What is said of an error budget, whatever it is counted in. Pure.
//!
//! A budget is that of what was counted so far: bad events over it may yet be outweighed by good ones. Only once the load
//! is over nothing mends it, and only then it is critical.
//!
//! As long as fewer events were counted than the verdict needs, the budget is that of as many as it needs: no promise is
//! kept before they came, and bad ones enough for all of them break it before.

use super::Scope;
use super::promql::DRAINED;
use super::rule::{Alert, FOR_GOOD, Lasting, Rule, Severity};
use crate::slo::Share;

/// A budget that is recorded.
pub(super) struct Budget {
    /// The recorded part that is spent.
    pub(super) spent: &'static str,
    /// What it is counted in, recorded as well.
    pub(super) counted: &'static str,
    /// The alert's name.
    pub(super) alert: &'static str,
    /// What spends it, as in `requests fail`.
    pub(super) how: &'static str,
}

/// The part that is spent of the budget of `all` events.
pub(super) fn spent(bad: &str, all: &str, share: Share) -> String {
    format!("{bad} / {} / {}", as_many_as_needed(all, share), share.allowed_bad())
}

/// The same of what is no number of events, of which there are `events`.
pub(super) fn spent_of(bad: &str, all: &str, events: &str, share: Share) -> String {
    let enough = format!("{all} and {events} >= {}", share.events_needed());
    format!("{bad} / ({enough} or {}) / {}", as_many_as_needed(all, share), share.allowed_bad())
}

fn as_many_as_needed(all: &str, share: Share) -> String {
    format!("clamp_min({all}, {})", share.events_needed())
}

impl Budget {
    /// The alerts at half of it and at all of it.
    pub(super) fn alerts(&self, scope: &Scope) -> [Rule; 2] {
        let spent = self.spent;
        [
            // Fifteen seconds: a scrape of one process before that of another is not enough. What wavers around
            // the limit is one alert.
            self.alert(
                Severity::Info,
                scope.of_own(&format!("{spent} >= 0.5")),
                Lasting { hold: "15s", keep: "1m" },
                "more than half of the budget is spent",
            ),
            self.alert(
                Severity::Warning,
                scope.of_own(&format!("{spent} >= 1")),
                Lasting { hold: "15s", keep: "1m" },
                "the budget is spent; only more good requests can mend it",
            ),
        ]
    }

    /// The alert at all of it when no more requests come; of the objectives that `matchers` pick.
    pub(super) fn alert_for_good(&self, matchers: &str, scope: &Scope) -> Rule {
        self.alert(
            Severity::Critical,
            format!("{}{matchers} > 1 and on (run) {}", self.spent, scope.runs_in(DRAINED)),
            // By then every request has ended, and the exporter may leave in two seconds.
            Lasting { hold: "0s", keep: FOR_GOOD },
            "the load is over and more than the budget is spent",
        )
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
