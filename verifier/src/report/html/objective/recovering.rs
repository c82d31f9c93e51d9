//! What follows an injection: how the component or its leaders were, seen from the moment that the limit counts from.
//! Pure.

use super::super::chart::{Chart, Form, Line, Point, Span, Unit, range};
use super::super::palette::Hue;
use super::{Drawn, Look, Sketch, why};
use crate::evidence::family;
use crate::run::Experiment;
use crate::slo::{Leader, Recovery, Since};

/// The part of the chart before the moment that is counted from.
const BEFORE: f64 = 0.15;
/// The part after the limit and the bounds.
const AFTER: f64 = 1.3;
/// A component counts as up once its health has lasted. For so many seconds after it recovered is that looked for: the
/// five that are due, or twenty probes, and the next scrape.
const RISE: f64 = 40.0;
/// The axis goes on a little after it.
const END: f64 = 1.05;

/// A component from the injection, or the revert, on.
pub(super) fn recovery(promise: &Recovery, look: Look<'_>) -> Drawn {
    let experiment = experiment(&promise.experiment, look)?;
    let since = match promise.since {
        Since::Injected => experiment.injected,
        Since::Reverted => experiment.reverted,
    };
    let since = since.ok_or("the moment that it counts from is not known")?;
    let up = look.evidence.gauge(family::COMPONENT_UP, &[("component", &promise.component)]).map_err(why)?;
    let points = shifted(&look.gauge(&up), since - look.evidence.run.start);
    let mut chart = chart(promise.within.as_secs_f64(), (experiment, since), look);
    chart.unit = Unit::State;
    chart.y = (-0.15, 1.15);
    if let Some(recovered) = value(look) {
        chart.marks = vec![(recovered, 1.0)];
        chart.x.1 = risen(&points, chart.x.0, recovered).map_or(chart.x.1, |at| chart.x.1.max(at * END));
    }
    chart.lines = vec![Line { name: promise.component.clone(), hue: Hue::First, form: Form::Steps, points }];
    Ok(Sketch {
        title: format!(
            "{} since the fault was {}; it counts as up once its health has lasted",
            promise.component,
            promise.since.label()
        ),
        chart,
    })
}

/// The instances that took writes from the injection on.
pub(super) fn leader(promise: &Leader, look: Look<'_>) -> Drawn {
    let experiment = experiment(&promise.experiment, look)?;
    let since = experiment.injected.ok_or("the fault was not injected")?;
    let gauge = look.evidence.gauge(family::WRITABLE_INSTANCES, &[("component", &promise.component)]);
    let points = shifted(&look.gauge(&gauge.map_err(why)?), since - look.evidence.run.start);
    let mut chart = chart(promise.within.as_secs_f64(), (experiment, since), look);
    let shown = points.iter().filter(|point| (chart.x.0..chart.x.1).contains(&point.0));
    chart.y = range(shown.map(|point| point.1).chain([0.0, 1.0]), Some(0.0));
    chart.lines = vec![Line {
        name: "instances that take writes".to_owned(),
        hue: Hue::First,
        form: Form::Steps,
        points,
    }];
    Ok(Sketch { title: "Instances that take writes, since the injection".to_owned(), chart })
}

fn experiment<'a>(name: &str, look: Look<'a>) -> Result<&'a Experiment, String> {
    look.evidence.run.experiments.get(name).ok_or_else(|| format!("the run has no experiment `{name}`"))
}

fn chart(limit: f64, (experiment, since): (&Experiment, f64), look: Look<'_>) -> Chart {
    let observed = look.finding.judged.observed.as_ref();
    let bounds = observed.map_or([0.0; 2], |it| [it.upper, it.lower]);
    let latest = bounds.into_iter().find(|bound| bound.is_finite()).unwrap_or(0.0);
    let length = limit.max(latest) * AFTER;
    let mut spans = Vec::new();
    if let (Some(injected), Some(reverted)) = (experiment.injected, experiment.reverted) {
        let (from, to) = (injected - since, reverted - since);
        spans.push(Span { from, to, hue: Hue::Fault, strength: 0.2, text: String::new() });
    }
    if let Some(it) = observed {
        let (from, to) = (it.lower, it.upper);
        spans.push(Span { from, to, hue: Hue::Bounds, strength: 0.3, text: String::new() });
    }
    let x = (-length * BEFORE, length);
    Chart { x, spans, moments: vec![(0.0, Hue::Fault), (limit, Hue::Limit)], ..Chart::default() }
}

/// When a component that was seen down was first seen up again after it had recovered.
fn risen(points: &[Point], from: f64, recovered: f64) -> Option<f64> {
    let up = points.iter().position(|(at, value)| *at >= recovered && *value > 0.5)?;
    let down = |(at, value): &Point| *at >= from && *value < 0.5;
    let (at, _) = points[up];
    (points[..up].iter().any(down) && at <= recovered + RISE).then_some(at)
}

/// The observed value, where it is one.
fn value(look: Look<'_>) -> Option<f64> {
    look.finding.judged.observed.as_ref().map(|observed| observed.value).filter(|value| value.is_finite())
}

fn shifted(points: &[Point], by: f64) -> Vec<Point> {
    points.iter().map(|(at, value)| (at - by, *value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_rises_after_it_was_down() {
        let down = [(-5.0, 1.0), (1.0, 0.0), (6.0, 0.0), (11.0, 1.0), (16.0, 1.0)];
        let late = [(-5.0, 1.0), (1.0, 0.0), (6.0, 0.0), (60.0, 1.0)];
        let earlier = [(-60.0, 0.0), (-55.0, 1.0), (1.0, 1.0), (6.0, 1.0)];
        let table: [(&str, &[Point], Option<f64>); 5] = [
            ("it was down", &down, Some(11.0)),
            ("nobody scraped for long", &late, None),
            ("it was never seen down", &[(-5.0, 1.0), (6.0, 1.0)], None),
            ("that was before the chart", &earlier, None),
            ("it was not seen up again", &down[..3], None),
        ];
        for (what, points, due) in table {
            assert_eq!(risen(points, -2.0, 5.4), due, "{what}");
        }
    }
}
