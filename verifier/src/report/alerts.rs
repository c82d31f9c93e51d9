//! The alerts about the run's own processes that fired while it went on, by the samples that Prometheus wrote of them.
//! They change no verdict. Pure.

use crate::evidence::{Firing, Labels, Millis, firings, pace};
use crate::judge::Evidence;

/// The time between two evaluations where neither Prometheus nor the samples tell it: its default, in seconds.
const DEFAULT_INTERVAL: f64 = 60.0;
/// Labels that every one of them has, or that are told elsewhere.
const UNTOLD: [&str; 6] = ["__name__", "alertname", "alertstate", "instance", "job", "run"];

/// An alert that fired.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fired {
    pub(super) alert: String,
    pub(super) labels: Labels,
    /// The experiment in whose time it began.
    pub(super) experiment: Option<String>,
    pub(super) firing: Firing,
    /// The evaluation by which it was resolved; none where it was not, or nobody knows.
    pub(super) resolved: Option<Millis>,
}

/// All of them, the earliest first; none where they were not told.
pub(super) fn fired(evidence: &Evidence) -> Vec<Fired> {
    let Ok(series) = evidence.alerts.series() else { return Vec::new() };
    let mut found = Vec::new();
    for (labels, samples) in series {
        let alert = labels.get("alertname").cloned().unwrap_or_default();
        let interval = evidence.rules.interval(&alert);
        let shown = pace(samples).unwrap_or(0.0);
        let pace = interval.map_or(if shown > 0.0 { shown } else { DEFAULT_INTERVAL }, |it| it.max(shown));
        let until = evidence.rules.evaluated(&alert);
        found.extend(firings(samples, pace).into_iter().map(|firing| {
            let next = Millis::from_seconds(firing.last.seconds() + pace);
            Fired {
                alert: alert.clone(),
                labels: labels
                    .clone()
                    .into_iter()
                    .filter(|(name, _)| !UNTOLD.contains(&name.as_str()))
                    .collect(),
                experiment: experiment(evidence, firing.first),
                firing,
                resolved: until.filter(|until| next <= *until && next <= evidence.alerts_until).map(|_| next),
            }
        }));
    }
    found.sort_by(|a, b| a.firing.first.cmp(&b.firing.first).then_with(|| a.alert.cmp(&b.alert)));
    found
}

/// The experiment that was going on at an instant of Prometheus' clock.
fn experiment(evidence: &Evidence, at: Millis) -> Option<String> {
    let clock = evidence.run.processes.clock_at(at);
    let going_on = evidence.run.experiments.values().find(|experiment| {
        let ended = experiment.ended.map_or(f64::INFINITY, |ended| ended.latest);
        experiment.injected.is_some_and(|injected| injected <= clock.latest) && clock.earliest <= ended
    });
    going_on.map(|experiment| experiment.name.clone())
}

/// One line for each, with a heading; nothing where none fired.
pub(super) fn lines(evidence: &Evidence) -> Vec<String> {
    let fired = fired(evidence);
    if fired.is_empty() || evidence.run.processes.is_dark() {
        return Vec::new();
    }
    let start = evidence.run.processes.prometheus_time(evidence.run.start).seconds();
    let since = |at: Millis| format!("{:+.1} s", at.seconds() - start);
    let rows: Vec<[String; 2]> = fired.iter().map(|alert| [name(alert), during(alert).to_owned()]).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (names, experiments) = (width(0), width(1));
    let line = |(alert, [name, during]): (&Fired, &[String; 2])| {
        let end = match alert.resolved {
            Some(by) => format!("resolved by {}", since(by)),
            None => format!("last seen firing at {}", since(alert.firing.last)),
        };
        format!("  {name:names$}   {during:experiments$}   fired at {}, {end}", since(alert.firing.first))
    };
    let told = fired.iter().zip(&rows).map(line);
    std::iter::once("alerts that fired, in seconds since the run's beginning:".to_owned())
        .chain(told)
        .chain([String::new()])
        .collect()
}

fn name(alert: &Fired) -> String {
    let labels: Vec<_> = alert.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    if labels.is_empty() { alert.alert.clone() } else { format!("{}{{{}}}", alert.alert, labels.join(",")) }
}

fn during(alert: &Fired) -> &str {
    alert.experiment.as_deref().unwrap_or("no experiment")
}
