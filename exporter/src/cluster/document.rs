//! The status document. What is read of one is checked: names that stand for one thing each, limits that can hold.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// What runs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Document {
    /// Workloads and their instances; no two of the same name.
    pub workloads: Vec<Workload>,
    /// Autoscalers; no two of the same name.
    pub autoscalers: Vec<Autoscaler>,
    /// What operators did; absent where nothing watches.
    pub interventions: Option<Interventions>,
}

/// A document as it is served.
#[derive(Deserialize)]
struct Unchecked {
    #[serde(default)]
    workloads: Vec<Workload>,
    #[serde(default)]
    autoscalers: Vec<Autoscaler>,
    interventions: Option<Interventions>,
}

/// What a document says that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Nonsense {
    /// One name for two workloads.
    #[error("two workloads are named {0}")]
    TwoWorkloads(String),
    /// One name for two autoscalers.
    #[error("two autoscalers are named {0}")]
    TwoAutoscalers(String),
    /// Nothing is at least the minimum and at most the maximum.
    #[error("autoscaler {name} has a minimum of {min} above its maximum of {max}")]
    Range {
        /// The autoscaler.
        name: String,
        /// Its minimum.
        min: u32,
        /// Its maximum.
        max: u32,
    },
    /// A share below none, or too large for a number.
    #[error("autoscaler {name} has a utilisation of {value}")]
    Utilization {
        /// The autoscaler.
        name: String,
        /// The share.
        value: f64,
    },
}

impl TryFrom<Unchecked> for Document {
    type Error = Nonsense;

    fn try_from(it: Unchecked) -> Result<Self, Nonsense> {
        let Unchecked { workloads, autoscalers, interventions } = it;
        Self::new(workloads, autoscalers, interventions)
    }
}

impl Document {
    /// Checks what is read.
    pub fn new(
        workloads: Vec<Workload>,
        autoscalers: Vec<Autoscaler>,
        interventions: Option<Interventions>,
    ) -> Result<Self, Nonsense> {
        if let Some(name) = repeated(workloads.iter().map(|workload| &workload.name)) {
            return Err(Nonsense::TwoWorkloads(name.clone()));
        }
        if let Some(name) = repeated(autoscalers.iter().map(|autoscaler| &autoscaler.name)) {
            return Err(Nonsense::TwoAutoscalers(name.clone()));
        }
        autoscalers.iter().try_for_each(Autoscaler::check)?;
        Ok(Self { workloads, autoscalers, interventions })
    }
}

/// The first name that comes a second time.
fn repeated<'a>(mut names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = BTreeSet::new();
    names.find(|name| !seen.insert(*name))
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
    /// Programs of an instance that do not say when they serve, where a cluster tells.
    #[serde(skip)]
    pub unprobed: Vec<String>,
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
    /// Utilisation that it aims at; absent where it aims at something else.
    pub target_utilization: Option<f64>,
    /// Why it does not follow the load, where a cluster tells.
    #[serde(skip)]
    pub blind: Option<String>,
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

impl Autoscaler {
    fn check(&self) -> Result<(), Nonsense> {
        let name = || self.name.clone();
        if self.min > self.max {
            return Err(Nonsense::Range { name: name(), min: self.min, max: self.max });
        }
        let mut shares = self.utilization.into_iter().chain(self.target_utilization);
        let wrong = shares.find(|share| !share.is_finite() || *share < 0.0);
        wrong.map_or(Ok(()), |value| Err(Nonsense::Utilization { name: name(), value }))
    }

    /// Whether it counts or wants more than its minimum.
    pub fn is_above_minimum(&self) -> bool {
        self.current > self.min || self.desired > self.min
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

    #[test]
    fn a_document_that_cannot_be_is_refused_with_what_is_wrong() {
        let workload = |name| serde_json::json!({"name": name, "desired": 1, "instances": []});
        let autoscaler = |name, (min, max), utilization, target| {
            serde_json::json!({"name": name, "workload": "shop", "min": min, "max": max, "current": 1,
                "desired": 1, "utilization": utilization, "target_utilization": target})
        };
        let table = [
            (
                vec!["shop", "mail"],
                vec![autoscaler("a", (3, 3), 0.0, 0.5), autoscaler("b", (0, 1), 2.0, 0.5)],
                "",
            ),
            (vec!["shop", "mail", "shop"], vec![], "two workloads are named shop"),
            (
                vec![],
                vec![autoscaler("a", (3, 3), 0.1, 0.5), autoscaler("a", (3, 3), 0.1, 0.5)],
                "two autoscalers are named a",
            ),
            (
                vec![],
                vec![autoscaler("a", (4, 3), 0.1, 0.5)],
                "autoscaler a has a minimum of 4 above its maximum of 3",
            ),
            (vec![], vec![autoscaler("a", (3, 3), -0.1, 0.5)], "autoscaler a has a utilisation of -0.1"),
            (vec![], vec![autoscaler("a", (3, 3), 0.1, -0.5)], "autoscaler a has a utilisation of -0.5"),
        ];
        for (workloads, autoscalers, expected) in table {
            let workloads: Vec<_> = workloads.into_iter().map(workload).collect();
            let document = serde_json::json!({"workloads": workloads, "autoscalers": autoscalers});
            let read = serde_json::from_value::<Document>(document);
            let said = read.err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn an_autoscaler_is_above_its_minimum_as_long_as_it_counts_or_wants_more() {
        for (current, desired, above) in
            [(3, 3, false), (2, 3, false), (4, 3, true), (3, 4, true), (4, 4, true)]
        {
            let autoscaler = Autoscaler {
                name: "shop".to_owned(),
                workload: "shop".to_owned(),
                min: 3,
                max: 10,
                current,
                desired,
                utilization: None,
                target_utilization: Some(0.5),
                blind: None,
            };
            assert_eq!(autoscaler.is_above_minimum(), above, "{current} {desired}");
        }
    }
}
