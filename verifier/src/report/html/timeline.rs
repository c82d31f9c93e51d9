//! The run as a whole over time: what is asked for it, and the panels that show it. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::chart::{Chart, Form, Line, Point, Span, Unit, points, range};
use super::course::{Scope, faults};
use super::palette::Hue;
use crate::evidence::{Data, Fetched, Labels, Millis, Sample, family};
use crate::judge::Evidence;
use crate::slo::{Objective, Promise};

/// So many moments are asked for: more than a screen has room for.
const MOMENTS: f64 = 700.0;
/// So many reasons of errors have a line of their own.
const REASONS: usize = 3;

/// A panel of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Panel {
    Users,
    Requests,
    Errors,
    Times,
    Replicas,
    Components,
}

/// The panels, from top to bottom.
pub(super) const PANELS: [Panel; 6] =
    [Panel::Users, Panel::Requests, Panel::Errors, Panel::Times, Panel::Replicas, Panel::Components];

/// Quantiles of the response times.
const QUANTILES: [(f64, Hue); 3] = [(0.5, Hue::Second), (0.95, Hue::First), (0.99, Hue::Third)];

/// What is asked for the timeline, from when to when and how often.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Questions {
    /// By panel, and by number within it.
    pub(crate) queries: Vec<((Panel, usize), String)>,
    pub(crate) span: (Millis, Millis),
    pub(crate) step: Duration,
}

/// What is asked for the timeline of a run; nothing of one that cannot be placed in time.
pub(crate) fn questions(evidence: &Evidence) -> Option<Questions> {
    let processes = &evidence.run.processes;
    if processes.is_dark() {
        return None;
    }
    let span = evidence.run.times();
    let interval = processes.scrape_interval().max(0.1);
    let step = ((span.1.seconds() - span.0.seconds()) / MOMENTS).max(interval).max(1.0).ceil();
    let of = processes.pinned();
    let rate = format!("{:.0}ms", (4.0 * interval).max(step) * 1000.0);
    let seen = format!("{:.0}ms", (1.5 * interval).max(step) * 1000.0);
    let bucket = family::RESPONSE_TIME_SECONDS_BUCKET;
    let mut queries = vec![
        ((Panel::Users, 0), format!("sum by (state) ({}{{{of}}})", family::USERS)),
        (
            (Panel::Requests, 0),
            format!("sum by (outcome) (rate({}{{{of}}}[{rate}]))", family::REQUESTS_TOTAL),
        ),
        (
            (Panel::Errors, 0),
            format!("sum by (reason) (rate({}{{{of}}}[{rate}]))", family::REQUEST_ERRORS_TOTAL),
        ),
        ((Panel::Replicas, 0), format!("max by (workload, state) ({}{{{of}}})", family::WORKLOAD_REPLICAS)),
        (
            (Panel::Components, 0),
            format!("min by (component) (min_over_time({}{{{of}}}[{seen}]))", family::COMPONENT_UP),
        ),
    ];
    queries.extend(QUANTILES.iter().enumerate().map(|(at, (quantile, _))| {
        let query = format!("histogram_quantile({quantile}, sum by (le) (rate({bucket}{{{of}}}[{rate}])))");
        ((Panel::Times, at), query)
    }));
    Some(Questions { queries, span, step: Duration::from_secs_f64(step) })
}

/// The answers, by panel and number.
pub(crate) type Answers = BTreeMap<(Panel, usize), Fetched>;

impl Panel {
    /// What stands above it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Users => "Users",
            Self::Requests => "Requests a second",
            Self::Errors => "Errors a second, by reason",
            Self::Times => "Response time of all requests",
            Self::Replicas => "Replicas",
            Self::Components => "Components",
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
    let series = |number: usize| read(answers.get(&(panel, number)), scope.start);
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
        Panel::Errors => errors(series(0)?),
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
        Panel::Components => return Err("drawn apart".to_owned()),
    };
    chart.lines.retain(|line| line.points.iter().any(|(_, value)| value.is_finite()));
    if chart.lines.is_empty() {
        return Err("Prometheus has no samples of this".to_owned());
    }
    let values = chart.lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value);
    chart.y = range(values.chain(chart.levels.iter().map(|level| level.0)), Some(0.0));
    Ok(chart)
}

/// The state of each component over time, one chart each, by name.
pub(super) fn components(
    evidence: &Evidence,
    answers: &Answers,
    scope: Scope,
) -> Result<Vec<(String, Chart)>, String> {
    let series = read(answers.get(&(Panel::Components, 0)), scope.start)?;
    if series.is_empty() {
        return Err("Prometheus has no samples of this".to_owned());
    }
    let chart = |(labels, points): (Labels, Vec<Point>)| {
        let mut spans = faults(evidence);
        spans.extend(states(&points));
        let chart =
            Chart { x: (0.0, scope.length), y: (0.0, 1.0), unit: Unit::Silent, spans, ..Chart::default() };
        (labels.get("component").cloned().unwrap_or_default(), chart)
    };
    Ok(series.into_iter().map(chart).collect())
}

/// The times in which a component was up, and in which it was down.
fn states(points: &[Point]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for pair in points.windows(2) {
        let ((from, value), (to, _)) = (pair[0], pair[1]);
        if value.is_nan() {
            continue;
        }
        let (hue, strength) = if value > 0.5 { (Hue::Good, 0.45) } else { (Hue::Bad, 1.0) };
        match spans.last_mut().filter(|last| last.hue == hue && last.to >= from) {
            Some(last) => last.to = to,
            None => spans.push(Span { from, to, hue, strength, text: String::new() }),
        }
    }
    spans
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
fn read(answer: Option<&Fetched>, start: f64) -> Result<Vec<(Labels, Vec<Point>)>, String> {
    let answer = answer.ok_or_else(|| "it was not asked for".to_owned())?;
    match answer.sound().map_err(|shortfall| shortfall.to_string())? {
        Data::Series(series) => {
            let line = |(labels, samples): &(Labels, Vec<Sample>)| (labels.clone(), points(samples, start));
            Ok(series.iter().map(line).collect())
        }
        _ => Err(format!("`{}` did not return series", answer.query)),
    }
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
fn errors(series: Vec<(Labels, Vec<Point>)>) -> Vec<Line> {
    let weight =
        |points: &[Point]| points.iter().map(|point| point.1).filter(|it| it.is_finite()).sum::<f64>();
    let mut weighed: Vec<(f64, String, Vec<Point>)> = series
        .into_iter()
        .map(|(labels, points)| (weight(&points), labels.get("reason").cloned().unwrap_or_default(), points))
        .collect();
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    let hues = [Hue::Bad, Hue::Third, Hue::Fourth];
    let mut lines: Vec<Line> = Vec::new();
    for (at, (weight, name, points)) in weighed.into_iter().enumerate() {
        if at > 0 && weight <= 0.0 {
            break;
        }
        if at < REASONS {
            let name = if weight > 0.0 { name } else { "none".to_owned() };
            lines.push(Line { name, hue: hues[at], form: Form::Straight, points });
        } else if at == REASONS {
            lines.push(Line { name: "others".to_owned(), hue: Hue::Second, form: Form::Straight, points });
        } else if let Some(others) = lines.last_mut() {
            for (sum, point) in others.points.iter_mut().zip(points) {
                sum.1 += point.1;
            }
        }
    }
    lines
}

/// Those ready and those wanted of each workload.
fn replicas(series: Vec<(Labels, Vec<Point>)>) -> Vec<Line> {
    let several = series
        .iter()
        .filter_map(|(labels, _)| labels.get("workload"))
        .collect::<std::collections::BTreeSet<_>>()
        .len()
        > 1;
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

    fn series(label: &str, value: &str, values: &[f64]) -> (Labels, Vec<Point>) {
        let points = values.iter().enumerate().map(|(at, value)| (at as f64, *value)).collect();
        (Labels::from([(label.to_owned(), value.to_owned())]), points)
    }

    #[test]
    fn the_most_frequent_reasons_have_lines_and_the_others_share_one() {
        let all = ["a", "b", "c", "d", "e", "f"]
            .iter()
            .enumerate()
            .map(|(at, reason)| series("reason", reason, &[at as f64, 0.0]));
        let lines = errors(all.collect());
        let told: Vec<(&str, f64)> =
            lines.iter().map(|line| (line.name.as_str(), line.points[0].1)).collect();
        assert_eq!(told, [("f", 5.0), ("e", 4.0), ("d", 3.0), ("others", 3.0)]);
        let none = errors(vec![series("reason", "a", &[0.0]), series("reason", "b", &[0.0])]);
        assert_eq!((none.len(), none[0].name.as_str()), (1, "none"));
    }

    #[test]
    fn a_component_is_up_or_down_from_sample_to_sample() {
        let (_, points) = series("component", "a", &[1.0, 1.0, 0.0, 1.0, f64::NAN, 1.0, 1.0]);
        let told: Vec<(Hue, f64, f64)> =
            states(&points).iter().map(|span| (span.hue, span.from, span.to)).collect();
        assert_eq!(
            told,
            [(Hue::Good, 0.0, 2.0), (Hue::Bad, 2.0, 3.0), (Hue::Good, 3.0, 4.0), (Hue::Good, 5.0, 6.0)]
        );
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
