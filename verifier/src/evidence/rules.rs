//! Alerting rules as Prometheus runs them (pure): what tells silence from a rule that nobody evaluated.

use super::{Lack, Millis, Shortfall};

/// An alerting rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    /// The name of its alerts.
    pub(crate) alert: String,
    /// Its group, as Prometheus' own metrics label it.
    pub(crate) group: String,
    /// Seconds between two evaluations.
    pub(crate) interval: f64,
    /// `ok` where its last evaluation succeeded.
    pub(crate) health: String,
    /// When it was last evaluated.
    pub(crate) evaluated: Millis,
}

/// The alerting rules of a server. They are asked for before any sample is, so that every sample of the last
/// evaluation that they tell of is in what is fetched afterwards.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) outcome: Result<Vec<Rule>, String>,
    pub(crate) warnings: Vec<String>,
    /// When the server read its configuration, rules included, as far as it tells: it has run these rules since.
    pub(crate) loaded: Option<Millis>,
}

impl Rules {
    /// All of them, unless they were not told, or not all.
    pub(crate) fn sound(&self) -> Result<&[Rule], Shortfall> {
        if let Some(warning) = self.warnings.first() {
            return Err(Shortfall::new(Lack::Warning, format!("{warning} (of the alerting rules)")));
        }
        let failed = |message: &String| {
            Shortfall::new(Lack::QueryError, format!("the alerting rules were not told: {message}"))
        };
        self.outcome.as_deref().map_err(failed)
    }

    /// Seconds between two evaluations of the rules of a name, the longest of several; `None` where it is not told.
    pub(crate) fn interval(&self, alert: &str) -> Option<f64> {
        self.named(alert).map(|rule| rule.interval).max_by(f64::total_cmp)
    }

    /// When the rules of a name were last evaluated, the first of several and the last.
    pub(crate) fn evaluated(&self, alert: &str) -> Option<(Millis, Millis)> {
        let times = || self.named(alert).map(|rule| rule.evaluated);
        times().min().zip(times().max())
    }

    /// The groups that have rules of a name.
    pub(crate) fn groups(&self, alert: &str) -> Vec<&str> {
        self.named(alert).map(|rule| rule.group.as_str()).collect()
    }

    fn named<'a>(&'a self, alert: &str) -> impl Iterator<Item = &'a Rule> {
        self.outcome.iter().flatten().filter(move |rule| rule.alert == alert)
    }
}
