//! What every objective about an experiment needs first (pure): that the fault was injected, bit, and is over.

use super::Evidence;
use super::Lack;
use super::show;
use crate::evidence::{Edge, Shortfall, State, Window, family, same};
use crate::run::Experiment;
use crate::slo::During;

/// An experiment that bit and is final.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bitten<'a> {
    pub(crate) experiment: &'a Experiment,
    pub(crate) injected: f64,
    /// When it became final.
    pub(crate) ended: Edge,
}

impl Bitten<'_> {
    /// From its injection until it was final.
    pub(crate) fn window(&self) -> Window {
        Window::Part { from: Edge::exact(self.injected), to: self.ended }
    }
}

/// The experiment of that name, if it can prove anything.
pub(crate) fn bitten<'a>(evidence: &'a Evidence, name: &str) -> Result<Bitten<'a>, Shortfall> {
    let run = &evidence.run;
    let absent = || Shortfall::new(Lack::NotInRun, format!("the run has no experiment {name:?}"));
    let experiment = run.experiments.get(name).ok_or_else(absent)?;
    if let Some(flaw) = &experiment.flaw {
        return Err(flaw.clone());
    }
    let state = || state(experiment);
    match (experiment.state, experiment.injected, experiment.ended) {
        (Some(State::Ineffective), ..) => Err(Shortfall::new(Lack::FaultIneffective, state())),
        (Some(State::Planned | State::Refused | State::Skipped) | None, ..) | (_, None, _) => {
            Err(Shortfall::new(Lack::FaultNotInjected, state()))
        }
        (_, _, None) => Err(Shortfall::new(Lack::NotFinal, state())),
        (_, Some(injected), Some(ended)) => {
            if injected < run.start || run.end.is_some_and(|end| injected > end) {
                let detail = format!("{name} was injected at {injected:.3}, outside the run");
                return Err(Shortfall::new(Lack::Disagreement, detail));
            }
            if ended.latest < injected {
                let detail = format!("{name} was final at {:.3}, before it was injected", ended.latest);
                return Err(Shortfall::new(Lack::Disagreement, detail));
            }
            Ok(Bitten {
                experiment,
                injected,
                ended: Edge { earliest: ended.earliest.max(injected), ..ended },
            })
        }
    }
}

/// How far an experiment came, as a fragment.
pub(super) fn state(experiment: &Experiment) -> String {
    let name = &experiment.name;
    match (experiment.state, experiment.injected) {
        (None, _) => format!("{name} has no state"),
        (Some(state), None) if state.is_of_harm() => {
            format!("{name} is `{state}`, but when it was injected is not known")
        }
        (Some(state), _) => match &experiment.flaw {
            Some(flaw) => format!("{name} is `{state}`, but {}", flaw.detail),
            None => format!("{name} is `{state}`"),
        },
    }
}

/// Whether something was recorded of as many experiments as the exporter says that the trial has: one whose
/// series were all dropped must not take what it broke with it.
pub(crate) fn all_recorded(evidence: &Evidence) -> Result<(), Shortfall> {
    let family = family::EXPERIMENTS;
    let due = evidence.gauge(family, &[])?.finite(family)?.last()?.value;
    let recorded = evidence.run.experiments.len() as f64;
    if same(due, recorded) {
        return Ok(());
    }
    let lack = if recorded < due { Lack::FamilyAbsent } else { Lack::Disagreement };
    let names: Vec<&str> = evidence.run.experiments.keys().map(String::as_str).collect();
    let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
    let due = show::counted(due, "experiment", "experiments");
    Err(Shortfall::new(lack, format!("{family} says {due}, series were recorded of {recorded}{names}")))
}

/// The part of the run that an objective is about.
pub(crate) fn window(evidence: &Evidence, during: &During) -> Result<Window, Shortfall> {
    match during {
        During::Run => Ok(Window::Run),
        During::Experiment(name) => Ok(bitten(evidence, name)?.window()),
        During::Phase { name, last } => {
            let absent = || Shortfall::new(Lack::NoSamples, format!("the run has no phase `{name}`"));
            let phase = evidence.run.phase(*name).ok_or_else(absent)?;
            let from = last.map_or(phase.start, |last| phase.start.max(phase.end - last.as_secs_f64()));
            Ok(Window::Part { from: Edge::exact(from), to: Edge::exact(phase.end) })
        }
    }
}
