//! The alerts about the run that fired while it went on, in the words of every form of the report. Pure.

use super::Report;
use crate::evidence::{Labels, Millis, Shortfall};
use crate::judge::{End, Fired, fired};
use crate::plain::plain;

/// Labels that every one of them has, or that are told elsewhere.
const UNTOLD: [&str; 3] = ["__name__", "alertname", "alertstate"];

/// What is told of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alerts {
    /// What the rows are, or why there is none.
    pub(super) heading: String,
    pub(super) rows: Vec<Row>,
}

/// One of them, as plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Its name and labels.
    pub(super) alert: String,
    pub(super) experiment: String,
    pub(super) fired: String,
    pub(super) end: String,
}

impl Report {
    /// The alerts that fired; `None` where no run was found.
    pub(super) fn alerts(&self) -> Option<Alerts> {
        self.evidence.as_ref().map(|evidence| Alerts::of(fired(evidence), self.started()))
    }
}

impl Alerts {
    /// What is told of those that fired, or of why they were not told, in a run that began then if that is known.
    fn of(fired: Result<Vec<Fired>, Shortfall>, started: Option<f64>) -> Self {
        let fired = match fired {
            Ok(fired) => fired,
            Err(why) => return Self { heading: plain(&format!("alerts not told: {why}")), rows: Vec::new() },
        };
        let heading = match started {
            _ if fired.is_empty() => "no alert about the run was seen firing",
            Some(_) => "alerts that fired, in seconds since the run's beginning",
            None => "alerts that fired, in seconds of Prometheus' clock",
        };
        Self { heading: heading.to_owned(), rows: fired.iter().map(|one| Row::of(one, started)).collect() }
    }
}

impl Row {
    fn of(fired: &Fired, started: Option<f64>) -> Self {
        let at = |at: Millis| match started {
            Some(started) => format!("{:+.1} s", at.seconds() - started),
            None => at.to_string(),
        };
        let end = match &fired.end {
            End::Resolved(by) => format!("resolved by {}", at(*by)),
            End::Firing(until) => format!("still firing at {}", at(*until)),
            End::Unknown(why) => {
                format!("last seen firing at {}, its end is not known: {why}", at(fired.firing.last))
            }
        };
        Self {
            alert: plain(&name(fired)),
            experiment: plain(fired.experiment.as_deref().unwrap_or("no experiment")),
            fired: at(fired.firing.first),
            end: plain(&end),
        }
    }
}

fn name(fired: &Fired) -> String {
    let labels = labels(fired);
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    if labels.is_empty() { fired.alert.clone() } else { format!("{}{{{}}}", fired.alert, labels.join(",")) }
}

/// The labels that tell it from others of its name.
pub(super) fn labels(fired: &Fired) -> Labels {
    let told = |(name, _): &(&String, &String)| !UNTOLD.contains(&name.as_str());
    fired.labels.iter().filter(told).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Firing, Lack};

    fn down(end: End) -> Fired {
        let labels =
            [("alertname", "Down"), ("alertstate", "firing"), ("severity", "page"), ("zone", "x\ny")];
        Fired {
            alert: "Down".to_owned(),
            labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            experiment: None,
            firing: Firing { first: Millis(100_000), last: Millis(140_000) },
            end,
        }
    }

    #[test]
    fn an_alert_is_told_with_how_it_ended() {
        let unproven = Shortfall::new(Lack::RuleUnproven, "nobody\nlooked");
        let table = [
            (End::Resolved(Millis(145_000)), "resolved by +135.0 s"),
            (End::Firing(Millis(141_000)), "still firing at +131.0 s"),
            (
                End::Unknown(unproven),
                r"last seen firing at +130.0 s, its end is not known: rule_unproven: nobody\nlooked",
            ),
        ];
        for (end, due) in table {
            let told = Alerts::of(Ok(vec![down(end)]), Some(10.0));
            assert_eq!(told.heading, "alerts that fired, in seconds since the run's beginning");
            let row = &told.rows[0];
            assert_eq!(row.alert, r#"Down{severity="page",zone="x\ny"}"#);
            assert_eq!([&row.experiment, &row.fired, &row.end], ["no experiment", "+90.0 s", due]);
        }
        let dark = Alerts::of(Ok(vec![down(End::Resolved(Millis(145_000)))]), None);
        assert_eq!(dark.heading, "alerts that fired, in seconds of Prometheus' clock");
        assert_eq!([&dark.rows[0].fired, &dark.rows[0].end], ["100.000", "resolved by 145.000"]);
    }

    #[test]
    fn none_that_fired_is_not_the_same_as_none_that_was_told() {
        let none = Alerts::of(Ok(Vec::new()), Some(0.0));
        assert_eq!((none.heading.as_str(), none.rows.len()), ("no alert about the run was seen firing", 0));
        let untold = Alerts::of(Err(Shortfall::new(Lack::QueryError, "too\nmany")), Some(0.0));
        assert_eq!(
            (untold.heading.as_str(), untold.rows.len()),
            (r"alerts not told: query_error: too\nmany", 0)
        );
    }
}
