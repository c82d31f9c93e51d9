//! The status document.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What runs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Document {
    /// Workloads and their instances.
    #[serde(default)]
    pub workloads: Vec<Workload>,
    /// Autoscalers.
    #[serde(default)]
    pub autoscalers: Vec<Autoscaler>,
    /// What operators did; absent where nothing watches.
    pub interventions: Option<Interventions>,
}

/// Instances of the same program.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// Instances that it should have.
    pub desired: u32,
    /// Instances that it has.
    pub instances: Vec<Instance>,
}

/// One running program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Instance {
    /// Told apart from all others, also from one that it replaces.
    pub id: String,
    /// The machine that it runs on.
    pub node: String,
    /// Whether it serves.
    pub ready: bool,
}

/// Something that sets a workload's desired instances.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Autoscaler {
    /// Its name.
    pub name: String,
    /// The workload that it scales.
    pub workload: String,
    /// Fewest instances.
    pub min: u32,
    /// Most instances.
    pub max: u32,
    /// Instances that it counted.
    pub current: u32,
    /// Instances that it wants.
    pub desired: u32,
    /// Mean utilisation that it saw (1: all that was requested); absent before the first reading.
    pub utilization: Option<f64>,
    /// Utilisation that it aims at.
    pub target_utilization: f64,
}

/// Changes that no controller made.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Interventions {
    /// For how long someone has watched without a gap.
    pub watched_seconds: f64,
    /// Seen so far, by kind; a closed set, all there from the start.
    pub kinds: BTreeMap<String, u64>,
}

impl Document {
    /// The workload called `name`.
    pub fn workload(&self, name: &str) -> Option<&Workload> {
        self.workloads.iter().find(|workload| workload.name == name)
    }

    /// The autoscaler of the workload called `name`.
    pub fn autoscaler_of(&self, name: &str) -> Option<&Autoscaler> {
        self.autoscalers.iter().find(|autoscaler| autoscaler.workload == name)
    }
}

impl Workload {
    /// Its ready instances.
    pub fn ready(&self) -> usize {
        self.instances.iter().filter(|instance| instance.ready).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_may_lack_utilisation_and_interventions() {
        let text = r#"{"workloads":[{"name":"shop","desired":3,"instances":[
            {"id":"shop-1","node":"n1","ready":true},{"id":"shop-2","node":"n2","ready":false}]}],
            "autoscalers":[{"name":"shop","workload":"shop","min":3,"max":10,"current":3,"desired":3,
            "utilization":null,"target_utilization":0.5}]}"#;
        let document: Document = serde_json::from_str(text).expect("a document");
        assert_eq!(document.workload("shop").map(Workload::ready), Some(1));
        assert_eq!(document.autoscaler_of("shop").and_then(|autoscaler| autoscaler.utilization), None);
        assert_eq!(document.interventions, None);
    }
}
