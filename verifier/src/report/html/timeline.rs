//! The panels that show the run as a whole over time. Pure.

use std::collections::BTreeSet;

use super::asked::{Answers, Course, Panel, QUANTILES};
use super::chart::{Chart, Form, Line, Point, Unit, points, range};
use super::course::{Scope, faults};
use super::palette::Hue;
use crate::evidence::{Fetched, Labels, Sample, added};
use crate::judge::Evidence;
use crate::slo::{Objective, Promise};

/// So many reasons of errors have a line of their own.
const REASONS: usize = 3;

/// The panels, from top to bottom.
pub(super) const PANELS: [Panel; 5] =
    [Panel::Users, Panel::Requests, Panel::Errors, Panel::Times, Panel::Replicas];

impl Panel {
    /// What stands above it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Users => "Users",
            Self::Requests => "Requests a second",
            Self::Errors => "Errors a second, by reason",
            Self::Times => "Response time of all requests",
            Self::Replicas => "Replicas",
        }
    }
}

/// A panel's chart and what its lines are, or why it is empty.
pub(super) fn panel(
    panel: Panel,
    (evidence, objectives): (&Evidence, &[Objective]),
    answers: &Answers,
    scope: Scope,
) -> Result<Chart, String> {
    let answer = |number: usize| answers.get(&Course::Panel(panel, number));
    let series = |number: usize| read(answer(number), scope.start);
    let mut chart = Chart {
        x: (0.0, scope.length),
        unit: if panel == Panel::Times { Unit::Seconds } else { Unit::Number },
        spans: faults(evidence),
        ..Chart::default()
    };
    chart.lines = match panel {
        Panel::Users => named(
            series(0)?,
            "state",
            &[("running", Hue::First, Form::Area), ("target", Hue::Fourth, Form::Steps)],
        ),
        Panel::Requests => named(
            series(0)?,
            "outcome",
            &[("ok", Hue::Good, Form::Straight), ("error", Hue::Bad, Form::Straight)],
        ),
        Panel::Errors => errors(sampled(answer(0))?, scope.start),
        Panel::Times => {
            let mut lines = Vec::new();
            for (at, (quantile, hue)) in QUANTILES.into_iter().enumerate() {
                let name = format!("p{:.0}", quantile * 100.0);
                let points = series(at)?.into_iter().next().map(|(_, points)| points).unwrap_or_default();
                lines.push(Line { name, hue, form: Form::Straight, points });
            }
            chart.levels = limits(objectives).into_iter().map(|limit| (limit, Hue::Limit)).collect();
            lines
        }
        Panel::Replicas => replicas(series(0)?),
    };
    chart.lines.retain(|line| line.points.iter().any(|(_, value)| value.is_finite()));
    if chart.lines.is_empty() {
        return Err("Prometheus has no samples of this".to_owned());
    }
    let values = chart.lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value);
    chart.y = range(values.chain(chart.levels.iter().map(|level| level.0)), Some(0.0));
    Ok(chart)
}

/// The limits that objectives set to response times.
fn limits(objectives: &[Objective]) -> Vec<f64> {
    let limit = |objective: &Objective| match &objective.promise {
        Promise::Latency(latency) => Some(latency.within.as_secs_f64()),
        _ => None,
    };
    let mut limits: Vec<f64> = objectives.iter().filter_map(limit).collect();
    limits.sort_by(f64::total_cmp);
    limits.dedup();
    limits
}

/// The series of an answer as points, or why there are none.
pub(super) fn read(answer: Option<&Fetched>, start: f64) -> Result<Vec<(Labels, Vec<Point>)>, String> {
    let line = |(labels, samples): &(Labels, Vec<Sample>)| (labels.clone(), points(samples, start));
    Ok(sampled(answer)?.iter().map(line).collect())
}

/// The series of an answer, or why there are none.
fn sampled(answer: Option<&Fetched>) -> Result<&[(Labels, Vec<Sample>)], String> {
    let answer = answer.ok_or_else(|| "it was not asked for".to_owned())?;
    answer.series().map_err(|shortfall| shortfall.to_string())
}

/// The series with these values of a label.
fn named(series: Vec<(Labels, Vec<Point>)>, label: &str, due: &[(&str, Hue, Form)]) -> Vec<Line> {
    let line = |(labels, points): (Labels, Vec<Point>)| {
        let value = labels.get(label)?;
        let (name, hue, form) = due.iter().find(|due| due.0 == value)?;
        Some(Line { name: (*name).to_owned(), hue: *hue, form: *form, points })
    };
    series.into_iter().filter_map(line).collect()
}

/// The most frequent reasons, and all others together.
fn errors(series: &[(Labels, Vec<Sample>)], start: f64) -> Vec<Line> {
    let weight = |samples: &[Sample]| -> f64 {
        samples.iter().map(|sample| sample.value).filter(|value| value.is_finite()).sum()
    };
    let mut weighed: Vec<(f64, &str, &[Sample])> = series
        .iter()
        .map(|(labels, samples)| {
            (weight(samples), labels.get("reason").map_or("", String::as_str), samples.as_slice())
        })
        .collect();
    let line = |name: &str, hue: Hue, samples: &[Sample]| Line {
        name: name.to_owned(),
        hue,
        form: Form::Straight,
        points: points(samples, start),
    };
    if weighed.iter().all(|(weight, ..)| *weight <= 0.0) {
        return weighed.iter().take(1).map(|(.., samples)| line("none", Hue::Bad, samples)).collect();
    }
    weighed.retain(|(weight, ..)| *weight > 0.0);
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    let others: Vec<Vec<Sample>> =
        weighed.iter().skip(REASONS).map(|(.., samples)| samples.to_vec()).collect();
    let hues: [Hue; REASONS] = [Hue::Bad, Hue::Third, Hue::Fourth];
    let mut lines: Vec<Line> =
        weighed.iter().zip(hues).map(|((_, name, samples), hue)| line(name, hue, samples)).collect();
    if !others.is_empty() {
        lines.push(line("others", Hue::Second, &added(&others)));
    }
    lines
}

/// Those ready and those wanted of each workload.
fn replicas(series: Vec<(Labels, Vec<Point>)>) -> Vec<Line> {
    let several =
        series.iter().filter_map(|(labels, _)| labels.get("workload")).collect::<BTreeSet<_>>().len() > 1;
    let mut lines = Vec::new();
    let hues = [(Hue::First, Hue::Fourth), (Hue::Second, Hue::Third)];
    let mut workloads: Vec<String> = Vec::new();
    for (labels, points) in series {
        let of = |label: &str| labels.get(label).cloned().unwrap_or_default();
        let (workload, state) = (of("workload"), of("state"));
        let at = workloads.iter().position(|known| *known == workload).unwrap_or_else(|| {
            workloads.push(workload.clone());
            workloads.len() - 1
        });
        let (ready, wanted) = hues[at % hues.len()];
        let name = if several { format!("{workload} {state}") } else { state.clone() };
        let hue = if state == "ready" { ready } else { wanted };
        lines.push(Line { name, hue, form: Form::Steps, points });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Millis;

    /// A reason, and how often it was at which second.
    fn reason(name: &str, values: &[(i64, f64)]) -> (Labels, Vec<Sample>) {
        let samples = values.iter().map(|(at, value)| Sample { at: Millis(at * 1000), value: *value });
        (Labels::from([("reason".to_owned(), name.to_owned())]), samples.collect())
    }

    #[test]
    fn the_most_frequent_reasons_have_lines_and_the_others_share_one() {
        let names = ["a", "b", "c", "d", "e", "f"];
        let all: Vec<_> =
            names.iter().enumerate().map(|(at, name)| reason(name, &[(0, at as f64), (1, 0.0)])).collect();
        let lines = errors(&all, 0.0);
        let told: Vec<(&str, f64)> =
            lines.iter().map(|line| (line.name.as_str(), line.points[0].1)).collect();
        assert_eq!(told, [("f", 5.0), ("e", 4.0), ("d", 3.0), ("others", 3.0)]);
        let none = errors(&[reason("a", &[(0, 0.0)]), reason("b", &[(0, 0.0)])], 0.0);
        assert_eq!((none.len(), none[0].name.as_str()), (1, "none"));
        assert!(errors(&[], 0.0).is_empty());
    }

    #[test]
    fn reasons_share_a_line_by_time_and_not_by_number_of_sample() {
        let frequent = ["a", "b", "c"].map(|name| reason(name, &[(0, 90.0), (1, 90.0)]));
        let late = [reason("d", &[(0, 1.0), (1, 1.0), (2, 1.0)]), reason("e", &[(1, 10.0), (2, 20.0)])];
        let lines = errors(&[&frequent[..], &late[..]].concat(), 0.0);
        assert_eq!(lines[3].points, [(0.0, 1.0), (1.0, 11.0), (2.0, 21.0)]);
    }

    #[test]
    fn why_a_panel_is_empty_is_told() {
        let refused = Fetched {
            query: "q".to_owned(),
            outcome: Err("too slow".to_owned()),
            warnings: vec![],
            infos: vec![],
        };
        assert!(read(Some(&refused), 0.0).unwrap_err().contains("too slow"));
        assert!(read(None, 0.0).is_err());
    }
}
