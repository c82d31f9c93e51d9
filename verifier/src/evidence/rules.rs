//! Alerting rules as Prometheus runs them (pure): what tells silence from a rule that nobody evaluated.

use super::{Lack, Millis, Shortfall};

/// An alerting rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    /// The name of its alerts.
    pub(crate) alert: String,
    /// Its expression, as Prometheus writes it; empty where it is not told.
    pub(crate) query: String,
    /// Its group, as Prometheus' own metrics label it.
    pub(crate) group: String,
    /// Seconds between two evaluations.
    pub(crate) interval: f64,
    /// `ok` where its last evaluation succeeded.
    pub(crate) health: String,
    /// When it was last evaluated.
    pub(crate) evaluated: Millis,
}

/// The matcher of Ordeal's own rules that keeps them to the runs of a trial, up to its name.
const OF_TRIAL: &str = "trial=\"";

impl Rule {
    /// Whether its alerts can be about runs of a trial: its expression names that one, or none at all.
    pub(crate) fn can_tell_of(&self, trial: &str) -> bool {
        let of_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
        let mut trials = self
            .query
            .match_indices(OF_TRIAL)
            .filter(|(at, _)| !self.query[..*at].ends_with(of_name))
            .map(|(at, found)| &self.query[at + found.len()..])
            .filter_map(|rest| rest.split('"').next())
            .peekable();
        trials.peek().is_none() || trials.any(|named| named == trial)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_names_a_trial_tells_of_no_other() {
        let table = [
            (r#"a:b >= 0.5 and on (run) ordeal_run_info{role="conductor",trial="shop"}"#, true),
            (r#"ordeal_interventions_total * on (job, instance) ordeal_run_info{trial="web"} > 0"#, false),
            (r#"a{trial="shop-2"}"#, false),
            (r#"a{trial="web"} or b{trial="shop"}"#, true),
            // Of any trial, as the rules on the exporter are; a label of another name; nothing told.
            ("ordeal_time_seconds - 5", true),
            (r#"a{pretrial="web"}"#, true),
            ("", true),
        ];
        for (query, due) in table {
            let rule = Rule {
                alert: "OrdealLeaderMissing".to_owned(),
                query: query.to_owned(),
                group: "f;g".to_owned(),
                interval: 5.0,
                health: "ok".to_owned(),
                evaluated: Millis(0),
            };
            assert_eq!(rule.can_tell_of("shop"), due, "{query}");
        }
    }
}
