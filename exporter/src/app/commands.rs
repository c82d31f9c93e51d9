//! The commands that do not run a trial.

use std::fmt::Display;
use std::time::Duration;

use super::permitted::{self, Permitted};
use super::rights;
use super::rooms::workloads;
use crate::chaos::faults::{self, Means};
use crate::chaos::guard::Refusal;
use crate::chaos::resolve::resolve;
use crate::clock::Clock;
use crate::cluster::kubernetes::{Kubernetes, ReadError};
use crate::conductor::primary_for;
use crate::count::count;
use crate::trial::{Name, Trial};
use crate::{health, ledger};

/// A workload is not waited for longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What `plan` found.
pub struct Planned {
    /// The plan, ready to print.
    pub text: String,
    /// Whether no experiment would be refused.
    pub all_allowed: bool,
}

/// What each experiment of `trial` would do to what, and how it would be put back. Changes nothing.
pub async fn plan(trial: &Trial) -> anyhow::Result<Planned> {
    let components: Vec<Name> = trial.components.iter().map(|component| component.name.clone()).collect();
    let clock = Clock::start();
    let cluster = match trial.kubernetes() {
        Some(place) => Some(Kubernetes::connect(place).await?),
        None => None,
    };
    let mut found = Vec::with_capacity(trial.experiments.len());
    for experiment in &trial.experiments {
        let resolved = match primary_for(trial, experiment, cluster.as_ref()).await {
            Ok(primary) => {
                let (secrets, cluster) = (&trial.secrets, cluster.as_ref());
                let stores = &trial.stores;
                let primary = primary.as_ref();
                let means = Means { clock: &clock, secrets, stores, cluster, primary, look_only: true };
                resolve(experiment, &components, means).await
            }
            Err(refusal) => Err(refusal),
        };
        found.push((&experiment.name, resolved));
    }
    let planned = planned(&found);
    let Some(cluster) = &cluster else { return Ok(planned) };
    let refused = against(trial, cluster).await.iter().fold(planned, |planned, why| planned.refused(why));
    Ok(refused.with(&permitted::ask(&rights::needs(trial), cluster).await?))
}

/// What speaks against a run of `trial` as a whole, but what is not permitted.
async fn against(trial: &Trial, cluster: &Kubernetes) -> Vec<String> {
    let mut against = Vec::new();
    let consent = if rights::needs_opt_in(trial) { faults::ensure_opted_in(cluster).await } else { Ok(()) };
    // What cannot be read is told by whoever needs it.
    if let Err(refusal @ Refusal::Obstacle(_)) = consent {
        against.push(refusal.to_string());
    }
    for name in workloads(trial) {
        let found = tokio::time::timeout(ANSWER_WITHIN, cluster.find_workload(&name)).await;
        if let Ok(Err(error @ ReadError::NoWorkload { .. })) = found {
            against.push(error.to_string());
        }
    }
    against
}

impl Planned {
    /// This, and what a run would be refused for.
    fn refused(self, why: &str) -> Self {
        Self { text: format!("{}a run would be refused: {why}\n", self.text), all_allowed: false }
    }

    /// This, and what a run is not permitted.
    fn with(self, permitted: &Permitted) -> Self {
        let (text, all_allowed) = (self.text, self.all_allowed);
        match permitted {
            Permitted::All => Self { text, all_allowed },
            Permitted::Not(missing) => {
                Self { text: format!("{text}a run would be refused: {missing}"), all_allowed: false }
            }
            Permitted::Unknown(error) => Self {
                text: format!("{text}it is not known whether all of it is permitted: {error}\n"),
                all_allowed,
            },
        }
    }
}

fn planned<P: Display, R: Display>(found: &[(&Name, Result<P, R>)]) -> Planned {
    let shown = found.iter().map(|(name, found)| match found {
        Ok(plan) => format!("{plan}\n"),
        Err(refusal) => format!("{name}\n  would be refused: {refusal}\n"),
    });
    let shown: String = shown.collect();
    let refused: Vec<String> = found
        .iter()
        .filter_map(|(name, found)| found.as_ref().err().map(|refusal| format!("{name} ({refusal})")))
        .collect();
    let last = match (found.len(), refused.len()) {
        (0, _) => "no experiments: the trial breaks nothing\n".to_owned(),
        (_, 0) => String::new(),
        (all, some) => {
            format!("{some} of {} would be refused: {}\n", count(all, "experiment"), refused.join("; "))
        }
    };
    Planned { text: shown + &last, all_allowed: refused.is_empty() }
}

/// Role, tables and grants that probes and ledgers need in PostgreSQL.
pub fn sql(role: &str) -> String {
    format!("{}\n{}", health::sql(role).trim_end(), ledger::sql(role))
}

/// A checked trial in one line.
pub fn summary(trial: &Trial) -> String {
    let users = trial.load.stages.iter().map(|stage| stage.users).max().unwrap_or(0);
    format!(
        "ok: {} at {}, {} for {}, {}, {}, {}, {}",
        trial.name,
        trial.target.url.origin().ascii_serialization(),
        count(users, "user"),
        humantime::format_duration(trial.load.duration()),
        count(trial.load.tasks.len(), "task"),
        count(trial.components.len(), "component"),
        count(trial.ledgers.len(), "ledger"),
        count(trial.experiments.len(), "experiment")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_ends_with_what_would_be_refused() {
        let names = ["kill", "drain"].map(|name| Name::new(name).expect("a name"));
        let planned_of =
            |found: [Result<&str, &str>; 2]| planned(&names.iter().zip(found).collect::<Vec<_>>());
        let good = planned_of([Ok("kill\n  targets a"), Ok("drain\n  targets b")]);
        assert_eq!((good.text.as_str(), good.all_allowed), ("kill\n  targets a\ndrain\n  targets b\n", true));
        let refused = good.refused("there is no label").refused("there is no workload");
        let text = "kill\n  targets a\ndrain\n  targets b\na run would be refused: there is no label\n\
                    a run would be refused: there is no workload\n";
        assert_eq!((refused.text.as_str(), refused.all_allowed), (text, false));
        let bad = planned_of([Ok("kill\n  targets a"), Err("no target")]);
        let text = "kill\n  targets a\ndrain\n  would be refused: no target\n\
                    1 of 2 experiments would be refused: drain (no target)\n";
        assert_eq!((bad.text.as_str(), bad.all_allowed), (text, false));
    }
}
