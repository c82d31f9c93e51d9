//! Split brain (pure): two instances of a store that both take writes.

use super::Evidence;
use super::experiment::bitten;
use super::leader::gate_observed;
use super::paste::{Expected, Paste};
use super::{Judged, show};
use crate::evidence::{Shortfall, Window, family};
use crate::slo::SplitBrain;
use crate::verdict::Verdict;

const FAMILY: &str = family::SPLIT_BRAIN_SECONDS_TOTAL;

pub(super) fn judge(promise: &SplitBrain, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let window = match &promise.experiment {
        Some(name) => bitten(evidence, name)?.window(),
        None => Window::Run,
    };
    let tally = evidence.tally(FAMILY, &[("component", &promise.component)])?;
    let grown = tally.over(&evidence.run.processes, window)?;
    let limit = promise.at_most.as_secs_f64();
    let why = format!("two instances took writes for {} s", show::seconds(grown.outer));
    let observed = show::time(grown.outer, grown.inner, grown.outer);
    let mut judged = Judged::value(observed, Verdict::at_most(grown.inner, grown.outer, limit), why);
    gate_observed(&mut judged, evidence, &promise.component, window)?;
    let matchers = format!("component={:?}", promise.component);
    let cut = evidence.run.processes.cut(0, window)?;
    let expected = Expected::Seconds(grown.outer);
    judged.pastes.push(match window {
        Window::Run => Paste::last_sum(&evidence.run, FAMILY, &matchers, expected),
        Window::Part { .. } => Paste::growth(&evidence.run, FAMILY, &matchers, cut.outer, expected),
    });
    judged.samples = evidence.decisive(window, &[(FAMILY, &tally)]);
    Ok(judged)
}
