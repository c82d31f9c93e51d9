//! The names in objectives, held against those that the run has. Pure.
//!
//! A name that nothing in the run carries is a slip of the pen, and says so; one that some family carries and
//! another does not is missing evidence, which the judges find.

use super::Evidence;
use crate::evidence::{Lack, Shortfall, family};
use crate::slo::{By, During, Promise, suggestion};

/// What carries names: the families that do, and under which label.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    what: &'static str,
    label: &'static str,
    /// The key of the trial without which the run has nothing of the sort; `None` where every run has some.
    key: Option<&'static str>,
    pub(super) families: &'static [&'static str],
}

const TASKS: Named = Named {
    what: "task",
    label: "task",
    key: None,
    families: &[family::REQUESTS_TOTAL, family::REQUEST_ERRORS_TOTAL, family::RESPONSE_TIME_SECONDS_BUCKET],
};
pub(super) const STORES: Named = Named {
    what: "store",
    label: "store",
    key: Some("ledgers"),
    families: &[
        family::LEDGER_WRITES_TOTAL,
        family::EXPERIMENT_ACKED_WRITES_BEFORE,
        family::LEDGER_AUDIT,
        family::LEDGER_AUDITS_TOTAL,
        family::RECOVERY_POINT_SECONDS,
    ],
};
pub(super) const COMPONENTS: Named = Named {
    what: "component",
    label: "component",
    key: Some("components"),
    families: &[
        family::COMPONENT_UP,
        family::PROBE_INTERVAL_SECONDS,
        family::PROBES_TOTAL,
        family::PROBE_DURATION_SECONDS_SUM,
        family::COMPONENT_UNSEEN_SECONDS_BUCKET,
        family::COMPONENT_UNSEEN_SECONDS_SUM,
        family::COMPONENT_UNSEEN_SECONDS_COUNT,
        family::COMPONENT_OUTAGES_TOTAL,
        family::COMPONENT_OUTAGE_SECONDS_TOTAL,
        family::COMPONENT_LONGEST_OUTAGE_SECONDS,
        family::RECOVERY_SECONDS,
        family::RECOVERY_LOWER_SECONDS,
        family::RECOVERY_UPPER_SECONDS,
    ],
};
pub(super) const WATCHED: Named = Named {
    what: "store with watched instances",
    label: "component",
    key: Some("stores: instances"),
    families: &[
        family::WRITABLE_INSTANCES,
        family::LEADER_SINCE_TIMESTAMP_SECONDS,
        family::LEADER_CHANGES_TOTAL,
        family::SPLIT_BRAIN_SECONDS_TOTAL,
        family::INSTANCES_OBSERVED_SECONDS_TOTAL,
    ],
};
const WORKLOADS: Named = Named {
    what: "workload",
    label: "workload",
    key: Some("status"),
    families: &[family::WORKLOAD_REPLICAS],
};
const AUTOSCALERS: Named = Named {
    what: "autoscaler",
    label: "autoscaler",
    key: Some("status"),
    families: &[family::AUTOSCALER_REPLICAS, family::AUTOSCALER_UTILIZATION_RATIO],
};

impl Named {
    /// Every name that any of the families carries.
    pub(super) fn known(&self, evidence: &Evidence) -> Vec<String> {
        let all = self.families.iter().flat_map(|family| evidence.label_values(family, self.label));
        all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// Where nothing at all carries such names, the trial has nothing of the sort; but for what every run has,
    /// where whole families are missing, which is another shortfall.
    fn has(&self, evidence: &Evidence, name: &str) -> Result<(), Shortfall> {
        let known = self.known(evidence);
        match self.key {
            _ if !known.is_empty() => one_of(self.what, name, &known),
            None => Ok(()),
            Some(key) => {
                let what = self.what;
                let detail = format!("the run has no {what} at all: see `{key}` in exporter/TRIAL.md");
                Err(Shortfall::new(Lack::NotInRun, detail))
            }
        }
    }
}

/// Whether the run has everything that an objective names.
pub(super) fn check(promise: &Promise, evidence: &Evidence) -> Result<(), Shortfall> {
    let experiment = |name: &str| {
        let known: Vec<String> = evidence.run.experiments.keys().cloned().collect();
        one_of("experiment", name, &known)
    };
    let during = |during: &During| match during {
        During::Experiment(name) => experiment(name),
        During::Run | During::Phase { .. } => Ok(()),
    };
    let maybe = |name: &Option<String>| name.as_deref().map_or(Ok(()), experiment);
    match promise {
        Promise::Availability(availability) => {
            during(&availability.during)?;
            if let By::Probes(component) = &availability.by {
                COMPONENTS.has(evidence, component)?;
            }
            availability.task.as_deref().map_or(Ok(()), |task| TASKS.has(evidence, task))
        }
        Promise::Latency(latency) => {
            during(&latency.during)?;
            latency.task.as_deref().map_or(Ok(()), |task| TASKS.has(evidence, task))
        }
        Promise::Recovery(recovery) => {
            experiment(&recovery.experiment)?;
            COMPONENTS.has(evidence, &recovery.component)
        }
        Promise::Leader(leader) => {
            experiment(&leader.experiment)?;
            WATCHED.has(evidence, &leader.component)
        }
        Promise::SplitBrain(split) => {
            maybe(&split.experiment)?;
            WATCHED.has(evidence, &split.component)
        }
        Promise::DataLoss(loss) => {
            maybe(&loss.experiment)?;
            STORES.has(evidence, &loss.store)
        }
        Promise::WrittenPoint(point) => {
            maybe(&point.experiment)?;
            STORES.has(evidence, &point.store)
        }
        Promise::Scaling(scaling) => {
            if scaling.other.ready.is_none() {
                WORKLOADS.has(evidence, &scaling.workload)?;
            }
            if scaling.other.current.is_none() {
                AUTOSCALERS.has(evidence, &scaling.autoscaler)?;
            }
            Ok(())
        }
        Promise::Health(health) => {
            health.components.iter().try_for_each(|name| COMPONENTS.has(evidence, name))
        }
        Promise::Alerting(alerting) => experiment(&alerting.experiment),
        Promise::ArchivePoint(_) | Promise::LoadHeld(_) | Promise::Intervention(_) | Promise::Promql(_) => {
            Ok(())
        }
    }
}

fn one_of(what: &str, name: &str, known: &[String]) -> Result<(), Shortfall> {
    if known.iter().any(|known| known == name) {
        return Ok(());
    }
    let has = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let detail = format!("the run has no {what} {name:?}{}; it has {has}", suggestion(name, known));
    Err(Shortfall::new(Lack::NotInRun, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_there_is_told_with_those_that_are() {
        let known = ["browse".to_owned(), "sale".to_owned()];
        assert_eq!(one_of("task", "sale", &known), Ok(()));
        let told = one_of("task", "brows", &known).unwrap_err();
        assert_eq!(
            told.to_string(),
            "not_in_run: the run has no task \"brows\" (did you mean `browse`?); it has browse, sale"
        );
        let none = one_of("experiment", "kill", &[]).unwrap_err();
        assert_eq!(none.detail, "the run has no experiment \"kill\"; it has none");
    }
}
