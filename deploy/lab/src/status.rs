//! The status document: what runs, for whoever asks over HTTP.

use serde::Serialize;

use crate::autoscaler::Settings;
use crate::layout::Machine;
use crate::replicas::{Id, Phase, Replicas};

/// Name of the workload and of its autoscaler.
pub(crate) const SHOP: &str = "shop";

#[derive(Debug, Serialize, PartialEq)]
pub(crate) struct Document {
    workloads: [Workload; 1],
    autoscalers: [Autoscaler; 1],
    interventions: Interventions,
}

#[derive(Debug, Serialize, PartialEq)]
struct Workload {
    name: &'static str,
    desired: u32,
    instances: Vec<Instance>,
}

#[derive(Debug, Serialize, PartialEq)]
struct Instance {
    id: String,
    node: Machine,
    ready: bool,
}

#[derive(Debug, Serialize, PartialEq)]
struct Autoscaler {
    name: &'static str,
    workload: &'static str,
    min: u32,
    max: u32,
    current: usize,
    desired: u32,
    utilization: Option<f64>,
    target_utilization: f64,
}

#[derive(Debug, Serialize, PartialEq)]
struct Interventions {
    watched_seconds: f64,
    kinds: Kinds,
}

#[derive(Debug, Serialize, PartialEq)]
struct Kinds {
    command: u64,
}

/// A replica's name.
pub(crate) fn instance_name(id: Id) -> String {
    format!("{SHOP}-{id}")
}

/// The document. A replica that is on its way out is still listed, not ready, until its process is gone.
pub(crate) fn document(
    replicas: &Replicas,
    settings: &Settings,
    utilization: Option<f64>,
    commands: u64,
    watched_seconds: f64,
) -> Document {
    let instance = |(id, replica): (&Id, &crate::replicas::Replica)| {
        let node = replica.machine?;
        (!matches!(replica.phase, Phase::Pending(_))).then(|| Instance {
            id: instance_name(*id),
            node,
            ready: replica.ready,
        })
    };
    let workload = Workload {
        name: SHOP,
        desired: replicas.desired(),
        instances: replicas.all().iter().filter_map(instance).collect(),
    };
    let autoscaler = Autoscaler {
        name: SHOP,
        workload: SHOP,
        min: settings.min,
        max: settings.max,
        current: replicas.current(),
        desired: replicas.desired(),
        utilization,
        target_utilization: settings.target,
    };
    let interventions = Interventions { watched_seconds, kinds: Kinds { command: commands } };
    Document { workloads: [workload], autoscalers: [autoscaler], interventions }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_document_has_the_agreed_form() {
        let mut replicas = Replicas::new(1);
        for second in 0..3 {
            let now = Duration::from_secs(second);
            replicas.tick(now, |_| 0);
            replicas.checked(1, true, now);
        }
        let document = document(&replicas, &Settings::lab(), Some(0.31), 2, 81.2);
        let expected = r#"{"workloads":[{"name":"shop","desired":1,"instances":[{"id":"shop-1","node":"n1","ready":true}]}],"autoscalers":[{"name":"shop","workload":"shop","min":3,"max":10,"current":1,"desired":1,"utilization":0.31,"target_utilization":0.5}],"interventions":{"watched_seconds":81.2,"kinds":{"command":2}}}"#;
        assert_eq!(serde_json::to_string(&document).expect("it is plain data"), expected);
    }
}
