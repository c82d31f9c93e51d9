//! The run's own course: how long it lasted, its phases, and when something was broken. Pure.

use super::chart::{Chart, Span, Unit};
use super::palette::Hue;
use crate::judge::Evidence;
use crate::run::Experiment;

/// How long charts go on, in seconds since the run's start, and that start on Prometheus' clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scope {
    pub(super) start: f64,
    pub(super) length: f64,
}

impl Scope {
    /// That of a run; nothing of one that cannot be placed in time.
    pub(super) fn of(evidence: &Evidence) -> Option<Self> {
        let (start, end) = evidence.run.charted();
        let length = end.seconds() - start.seconds();
        (!evidence.run.processes.is_dark() && length > 0.0).then_some(Self { start: start.seconds(), length })
    }
}

/// The phases of the run, one beside the other.
pub(super) fn phases(evidence: &Evidence, scope: Scope) -> Chart {
    let run = &evidence.run;
    let phase = |(at, phase): (usize, &crate::run::Phase)| Span {
        from: phase.start - run.start,
        to: (phase.end - run.start).min(scope.length),
        hue: Hue::Phase,
        strength: if at % 2 == 0 { 0.35 } else { 0.15 },
        text: phase.name.word().to_owned(),
    };
    let spans = run.phases.iter().enumerate().map(phase).collect();
    Chart { x: (0.0, scope.length), y: (0.0, 1.0), unit: Unit::Silent, spans, ..Chart::default() }
}

/// The experiments that were injected, in the order of their injections.
pub(super) fn injected(evidence: &Evidence) -> Vec<(&Experiment, f64)> {
    let experiments = evidence.run.experiments.values();
    let mut injected: Vec<_> =
        experiments.filter_map(|it| Some((it, it.injected? - evidence.run.start))).collect();
    injected.sort_by(|a, b| a.1.total_cmp(&b.1));
    injected
}

/// When something was broken on purpose: darker until it was put back, lighter until it was final.
pub(super) fn faults(evidence: &Evidence) -> Vec<Span> {
    let start = evidence.run.start;
    let last = evidence.run.end.unwrap_or(f64::MAX) - start;
    let span =
        |from: f64, to: f64, strength: f64| Span { from, to, hue: Hue::Fault, strength, text: String::new() };
    injected(evidence)
        .into_iter()
        .flat_map(|(experiment, from)| {
            let ended = experiment.ended.map_or(last, |ended| ended.latest - start);
            let reverted = experiment.reverted.map_or(from, |reverted| reverted - start);
            [span(from, ended, 0.13), span(from, reverted, 0.15)]
        })
        .collect()
}

/// The numbers of the experiments where they begin, as a strip above the panels.
pub(super) fn numbers(evidence: &Evidence, scope: Scope) -> Chart {
    let number = |(at, (experiment, from)): (usize, (&Experiment, f64))| {
        let ended = experiment.ended.map_or(scope.length, |ended| ended.latest - evidence.run.start);
        Span { from, to: ended, hue: Hue::Fault, strength: 0.55, text: format!("{}", at + 1) }
    };
    let spans = injected(evidence).into_iter().enumerate().map(number).collect();
    Chart { x: (0.0, scope.length), y: (0.0, 1.0), unit: Unit::Silent, spans, ..Chart::default() }
}
