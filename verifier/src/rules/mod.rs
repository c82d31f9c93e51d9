//! Objectives → recording and alerting rules. Pure.
//!
//! What an objective allows is recorded as a part that is spent, one series an objective, and each family of alerts looks
//! at those series: so a rule says the same whatever the objectives are called, and a dashboard shows the same numbers.
//! Harm that no time mends is alerted on as it is counted.
//!
//! Severities: `info` is worth a look; `warning` says that a promise is in danger, or that the run proves less than it
//! should; `critical` says that a promise is broken, or that something stays broken. Nothing critical fires in a run that
//! keeps its promises.

mod archive;
mod availability;
mod budget;
mod counted;
mod data_loss;
mod health;
mod intervention;
mod latency;
mod leader;
mod output;
mod promql;
mod recovery;
mod rule;
mod scaling;
mod scoped;
mod service;
mod split_brain;
mod untold;

pub(crate) use output::{Form, Metadata, read, written};
pub(crate) use rule::{Group, NoPromql, RUNBOOKS};

use crate::slo::Checked;
use promql::literal;

/// Which runs the rules are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Only runs of this trial; else of every one.
    pub(crate) trial: Option<String>,
}

/// Rules, and what no rule was made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) groups: Vec<Group>,
    /// One a line: the objective, and why it has none.
    pub(crate) untold: Vec<String>,
}

/// The rules of these objectives.
pub(crate) fn rules(checked: &Checked, scope: &Scope) -> Result<Rules, NoPromql> {
    let objectives = &checked.objectives;
    let of_run = [
        recovery::group(objectives, scope),
        leader::group(objectives, scope),
        availability::group(objectives, scope),
        latency::group(objectives, scope),
        data_loss::group(objectives, scope),
        split_brain::group(objectives, scope),
        archive::group(objectives, scope),
        scaling::group(objectives, scope),
        health::group(objectives, scope),
        intervention::group(objectives, scope),
    ];
    let of_services = checked.services.iter().flat_map(service::groups);
    let groups = of_run.into_iter().flatten().chain(of_services);
    Ok(Rules {
        groups: groups.map(Group::laid_out).collect::<Result<_, _>>()?,
        untold: objectives.iter().filter_map(untold::told).collect(),
    })
}

/// Lets every alert's runbook that is in this repository be found elsewhere.
pub(crate) fn move_runbooks(groups: &mut [Group], to: &str) {
    for rule in groups.iter_mut().flat_map(|group| &mut group.rules) {
        if let Some(url) = rule.annotations.get_mut("runbook_url")
            && let Some(section) = url.strip_prefix(RUNBOOKS)
        {
            *url = format!("{}{section}", literal(to));
        }
    }
}

#[cfg(test)]
mod tests;
