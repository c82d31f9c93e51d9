//! The chart of one objective: the series behind it with its limit, the bounds of what was observed and the samples
//! that decide. Pure.

mod amount;
mod recovering;
mod share;

use super::chart::{Chart, Point, points};
use super::course::{Scope, faults};
use crate::evidence::{Gauge, Sample, Shortfall, Tally, Window};
use crate::judge::{Evidence, Finding};
use crate::slo::{Objective, Promise, Shape};

/// A chart and what it shows.
#[derive(Debug)]
pub(super) struct Sketch {
    pub(super) title: String,
    pub(super) chart: Chart,
}

/// What a chart is drawn from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) finding: &'a Finding,
    pub(super) scope: Scope,
}

/// Why there is no chart.
type Drawn = Result<Sketch, String>;

/// The chart of an objective, with all that decides on its axes, or why there is none.
pub(super) fn sketch(objective: &Objective, look: Look<'_>) -> Drawn {
    let Sketch { title, chart } = drawn(objective, look)?;
    Ok(Sketch { title, chart: chart.whole() })
}

fn drawn(objective: &Objective, look: Look<'_>) -> Drawn {
    match &objective.promise {
        Promise::Availability(promise) => share::availability(promise, look),
        Promise::Latency(promise) => share::latency(promise, look),
        Promise::Recovery(promise) => recovering::recovery(promise, look),
        Promise::Leader(promise) => recovering::leader(promise, look),
        Promise::SplitBrain(promise) => amount::writers(promise, look),
        Promise::DataLoss(promise) => amount::lost(promise, look),
        Promise::WrittenPoint(promise) => amount::span(promise, look),
        Promise::ArchivePoint(promise) => amount::archive(promise, look),
        Promise::LoadHeld(share) => amount::users(*share, look),
        Promise::Scaling(promise) => match promise.shape {
            Shape::Relief { .. } => amount::utilisation(promise, look),
            Shape::Up { .. } | Shape::Down { .. } => amount::replicas(promise, look),
        },
        Promise::Health(promise) => amount::down(promise, look),
        Promise::Intervention(_) => amount::interventions(look),
        Promise::Alerting(_) => Err("its alert fired or did not: the samples tell when".to_owned()),
        Promise::Promql(_) => Err("its expression gives one number, at the run's end".to_owned()),
    }
}

impl Look<'_> {
    /// A chart over the whole run, with what was broken.
    fn chart(self) -> Chart {
        Chart { x: (0.0, self.scope.length), spans: faults(self.evidence), ..Chart::default() }
    }

    /// The points of a gauge.
    fn gauge(self, gauge: &Gauge) -> Vec<Point> {
        let samples: Vec<Sample> =
            gauge.points.iter().map(|point| Sample { at: point.at, value: point.value }).collect();
        points(&samples, self.scope.start)
    }

    /// The points of a counter.
    fn tally(self, tally: &Tally) -> Vec<Point> {
        points(&tally.course(&self.evidence.run.processes), self.scope.start)
    }

    /// From when to when a part of the run goes, at most.
    fn window(self, window: Window) -> (f64, f64) {
        let start = self.evidence.run.start;
        match window {
            Window::Run => (0.0, self.scope.length),
            Window::Part { from, to } => (from.earliest - start, to.latest - start),
        }
    }

    /// What a line is at the samples that decide.
    fn marks(self, line: &[Point]) -> Vec<Point> {
        let mut at: Vec<f64> =
            self.finding.judged.samples.iter().map(|sample| sample.at.seconds() - self.scope.start).collect();
        at.dedup();
        let number = |point: &&Point| !point.1.is_nan();
        let on = |at: &f64| line.iter().filter(number).find(|point| (point.0 - at).abs() < 0.002).copied();
        at.iter().filter_map(on).collect()
    }

    /// Whether a value is the worst that was seen, or may have been.
    fn decides(self, value: f64) -> bool {
        let bounds = self.finding.judged.observed.as_ref().map(|observed| [observed.lower, observed.upper]);
        bounds.is_some_and(|bounds| bounds.iter().any(|bound| bound.total_cmp(&value).is_eq()))
    }

    /// The bounds of what was observed, where they are apart.
    fn between(self) -> Option<(f64, f64)> {
        let observed = self.finding.judged.observed.as_ref()?;
        (observed.lower < observed.upper).then_some((observed.lower, observed.upper))
    }
}

/// A shortfall as why there is no chart.
fn why(shortfall: Shortfall) -> String {
    let Shortfall { lack, detail } = shortfall;
    format!("{}: {detail}", lack.name())
}
