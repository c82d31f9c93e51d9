//! Amounts over the run: users, replicas, writers, lost writes, ages. Pure.

use super::super::chart::{Chart, Form, Line, Point, Unit, range, widened};
use super::super::palette::Hue;
use super::{Drawn, Look, Sketch, why};
use crate::evidence::{Labels, Sample, added, family};
use crate::judge::{ARCHIVE_AGE, archive_course};
use crate::run::Phase;
use crate::slo::{ArchivePoint, DataLoss, Health, Scaling, Shape, Share, SplitBrain, WrittenPoint};

/// Classes of writes that are not as they should be.
const BAD: [&str; 5] = ["lost", "resurrected", "unexpected", "duplicate", "corrupt"];

/// Users who ran, beside those who were wanted and the least of them that is promised.
pub(super) fn users(at_least: Share, look: Look<'_>) -> Drawn {
    let wanted = look.evidence.gauge(family::USERS, &[("state", "target")]).map_err(why)?;
    let running = look.evidence.gauges_of_load(family::USERS, &[("state", "running")]).map_err(why)?;
    let each: Vec<Vec<Sample>> = running
        .iter()
        .map(|gauge| gauge.points.iter().map(|it| Sample { at: it.at, value: it.value }).collect())
        .collect();
    let wanted = look.gauge(&wanted);
    let least = wanted.iter().map(|(at, value)| (*at, value * at_least.as_f64())).collect();
    let running = super::points(&added(&each), look.scope.start);
    let lines = vec![
        Line { name: "running".to_owned(), hue: Hue::First, form: Form::Area, points: running },
        Line { name: "promised".to_owned(), hue: Hue::Limit, form: Form::Steps, points: least },
    ];
    Ok(sketch("Users", look, lines, &[]))
}

/// Instances of a store that took writes at once.
pub(super) fn writers(promise: &SplitBrain, look: Look<'_>) -> Drawn {
    let gauge = look.evidence.gauge(family::WRITABLE_INSTANCES, &[("component", &promise.component)]);
    let points = look.gauge(&gauge.map_err(why)?);
    let name = "instances that take writes".to_owned();
    let lines = vec![Line { name, hue: Hue::First, form: Form::Steps, points }];
    let mut sketch = sketch("Instances that take writes", look, lines, &[1.0]);
    narrow(&mut sketch.chart, promise.experiment.as_deref(), look);
    Ok(sketch)
}

/// Writes that audits found in a bad class.
pub(super) fn lost(promise: &DataLoss, look: Look<'_>) -> Drawn {
    let mut each = Vec::new();
    for class in BAD {
        let labels = [("store", promise.store.as_str()), ("class", class)];
        let gauge = look.evidence.gauge(family::LEDGER_AUDIT, &labels).map_err(why)?;
        each.push(gauge.points.iter().map(|it| Sample { at: it.at, value: it.value }).collect());
    }
    let points = super::points(&added(&each), look.scope.start);
    let lines =
        vec![Line { name: "lost or otherwise bad".to_owned(), hue: Hue::Bad, form: Form::Area, points }];
    Ok(observed(sketch("Writes that audits found lost, or otherwise bad", look, lines, &[0.0]), look))
}

/// The span of the writes that each fault lost.
pub(super) fn span(promise: &WrittenPoint, look: Look<'_>) -> Drawn {
    let family = family::RECOVERY_POINT_SECONDS;
    let all = || look.evidence.label_values(family, "experiment");
    let experiments = promise.experiment.clone().map_or_else(all, |one| vec![one]);
    let mut lines = Vec::new();
    for (at, experiment) in experiments.iter().enumerate() {
        let labels = [("experiment", experiment.as_str()), ("store", promise.store.as_str())];
        let points = look.gauge(&look.evidence.gauge(family, &labels).map_err(why)?);
        lines.push(Line { name: experiment.clone(), hue: hue(at), form: Form::Steps, points });
    }
    let limit = promise.within.as_secs_f64();
    let mut sketch = observed(sketch("Span of the writes that each fault lost", look, lines, &[limit]), look);
    sketch.chart.unit = Unit::Seconds;
    Ok(sketch)
}

/// How old the newest archived log was, by what each server says of its own and by the newest success of any.
pub(super) fn archive(promise: &ArchivePoint, look: Look<'_>) -> Drawn {
    let series = look.evidence.other(&format!("{ARCHIVE_AGE}{}", promise.selector)).map_err(why)?;
    let line = |(at, (labels, samples)): (usize, &(Labels, Vec<Sample>))| {
        let server = labels.get("instance").or_else(|| labels.get("server")).cloned();
        let points = super::points(samples, look.scope.start);
        Line { name: server.unwrap_or_default(), hue: hue(1 + at % 3), form: Form::Straight, points }
    };
    let mut lines: Vec<Line> = series.iter().enumerate().map(line).collect();
    let age = archive_course(promise, look.evidence).map_err(why)?;
    let points: Vec<Point> = age.iter().map(|it| (it.at.seconds() - look.scope.start, it.value)).collect();
    let name = "by the newest success that was seen".to_owned();
    lines.push(Line { name, hue: hue(0), form: Form::Straight, points: points.clone() });
    let limit = promise.within.as_secs_f64();
    let mut sketch = observed(sketch("Age of the newest archived log", look, lines, &[limit]), look);
    sketch.chart.unit = Unit::Seconds;
    sketch.chart.marks = points.into_iter().filter(|point| look.decides(point.1)).collect();
    Ok(sketch)
}

/// The replicas of a workload, from the few to the many or back.
pub(super) fn replicas(promise: &Scaling, look: Look<'_>) -> Drawn {
    let gauge = |selector: &Option<String>, family, labels: &[(&str, &str)]| match selector {
        Some(selector) => look.evidence.other_gauge(selector),
        None => look.evidence.gauge(family, labels),
    };
    let of = [("workload", promise.workload.as_str()), ("state", "ready")];
    let ready = gauge(&promise.other.ready, family::WORKLOAD_REPLICAS, &of).map_err(why)?;
    let of = [("autoscaler", promise.autoscaler.as_str()), ("state", "current")];
    let current = gauge(&promise.other.current, family::AUTOSCALER_REPLICAS, &of).map_err(why)?;
    let run = &look.evidence.run;
    let phase = |name| run.phase(name).map(|phase: &Phase| phase.start - run.start);
    let end = run.load_end().map(|end| end - run.start);
    let (levels, due): (Vec<f64>, _) = match &promise.shape {
        Shape::Up { from, to, within } => {
            let begun = phase(crate::evidence::PhaseName::Ramp);
            let due = within.and_then(|within| Some(begun? + within.as_secs_f64())).or(end);
            ([from, to].map(|many| f64::from(*many)).to_vec(), due)
        }
        Shape::Down { to, within } => (vec![f64::from(*to)], end.map(|end| end + within.as_secs_f64())),
        Shape::Relief { .. } => (Vec::new(), None),
    };
    let points = look.gauge(&ready);
    let lines = vec![
        Line {
            name: "autoscaler".to_owned(),
            hue: Hue::Fourth,
            form: Form::Steps,
            points: look.gauge(&current),
        },
        Line { name: "ready".to_owned(), hue: Hue::First, form: Form::Steps, points },
    ];
    let mut sketch = sketch("Replicas", look, lines, &levels);
    sketch.chart.moments = due.into_iter().map(|due| (due, Hue::Limit)).collect();
    sketch.chart.marks = look.marks(&sketch.chart.lines[1].points);
    sketch.chart.between = None;
    Ok(sketch)
}

/// How busy the replicas were, beside what the autoscaler aims at.
pub(super) fn utilisation(promise: &Scaling, look: Look<'_>) -> Drawn {
    let mut lines = Vec::new();
    for (state, hue) in [("target", Hue::Fourth), ("current", Hue::First)] {
        let labels = [("autoscaler", promise.autoscaler.as_str()), ("state", state)];
        let gauge = look.evidence.gauge(family::AUTOSCALER_UTILIZATION_RATIO, &labels);
        if let Ok(gauge) = gauge {
            let points = look.gauge(&gauge);
            lines.push(Line { name: state.to_owned(), hue, form: Form::Steps, points });
        }
    }
    if lines.is_empty() {
        return Err("no utilisation was recorded".to_owned());
    }
    let mut sketch = observed(sketch("Utilisation of the replicas", look, lines, &[]), look);
    sketch.chart.unit = Unit::Share;
    Ok(sketch)
}

/// How many components were down.
pub(super) fn down(promise: &Health, look: Look<'_>) -> Drawn {
    let all = || look.evidence.label_values(family::COMPONENT_UP, "component");
    let names = if promise.components.is_empty() { all() } else { promise.components.clone() };
    let mut each = Vec::new();
    for name in &names {
        let gauge = look.evidence.gauge(family::COMPONENT_UP, &[("component", name)]).map_err(why)?;
        each.push(gauge.points.iter().map(|it| Sample { at: it.at, value: 1.0 - it.value }).collect());
    }
    let points = super::points(&added(&each), look.scope.start);
    let lines = vec![Line { name: "down".to_owned(), hue: Hue::Bad, form: Form::Area, points }];
    let mut sketch =
        sketch("Components that are down; while a fault is on, that is explained", look, lines, &[]);
    sketch.chart.y = (0.0, names.len().max(1) as f64);
    sketch.chart.between = None;
    Ok(sketch)
}

/// Changes by hand.
pub(super) fn interventions(look: Look<'_>) -> Drawn {
    let points = look.tally(&look.evidence.tally(family::INTERVENTIONS_TOTAL, &[]).map_err(why)?);
    let lines = vec![Line { name: "changes by hand".to_owned(), hue: Hue::Bad, form: Form::Area, points }];
    Ok(observed(sketch("Changes by hand", look, lines, &[0.0]), look))
}

fn hue(at: usize) -> Hue {
    Hue::SERIES[at % Hue::SERIES.len()]
}

/// A chart of these lines from 0 on, with limits.
fn sketch(title: &str, look: Look<'_>, lines: Vec<Line>, limits: &[f64]) -> Sketch {
    let mut chart = look.chart();
    let values = lines.iter().flat_map(|line| &line.points).map(|point: &Point| point.1);
    chart.y = range(values.chain(limits.iter().copied()), Some(0.0));
    chart.levels = limits.iter().map(|limit| (*limit, Hue::Limit)).collect();
    chart.marks = lines.last().map(|line| look.marks(&line.points)).unwrap_or_default();
    chart.lines = lines;
    Sketch { title: title.to_owned(), chart }
}

/// The same with what was observed, which is an amount of the same kind: its bounds, and an axis that holds it.
fn observed(mut sketch: Sketch, look: Look<'_>) -> Sketch {
    sketch.chart.between = look.between();
    let value = look.finding.judged.observed.as_ref().map(|observed| observed.value);
    sketch.chart.y = widened(sketch.chart.y, value);
    sketch
}

/// Shows an experiment only, where it is about one.
fn narrow(chart: &mut Chart, experiment: Option<&str>, look: Look<'_>) {
    let run = &look.evidence.run;
    let Some(experiment) = experiment.and_then(|name| run.experiments.get(name)) else { return };
    if let (Some(injected), Some(ended)) = (experiment.injected, experiment.ended) {
        let (from, to) = (injected - run.start, ended.latest - run.start);
        chart.x = (from - (to - from) * 0.1, to + (to - from) * 0.1);
    }
}
