//! Conditions of nodes that speak of trouble. Pure.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::{Node, NodeCondition};

use super::super::objects::object_of;
use crate::cluster::seen::{Incident, IncidentKind};

/// The conditions that count, and what each should be.
const EXPECTED: [(&str, &str); 4] =
    [("Ready", "True"), ("MemoryPressure", "False"), ("DiskPressure", "False"), ("PIDPressure", "False")];

/// A condition's status, and since when it has it.
type Known = (String, Option<String>);

/// The conditions of nodes as they were seen last, by the node's UID and the condition's type.
#[derive(Debug, Default)]
pub(super) struct Conditions(HashMap<(String, String), Known>);

impl Conditions {
    /// Notes the state of a node; answers what is wrong, and how often it came since the last state: not at all where
    /// it only goes on, or was so when the node was first seen.
    pub(super) fn see(&mut self, node: &Node) -> Vec<(Incident, u64)> {
        let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
        conditions.filter_map(|condition| self.see_one(node, condition)).collect()
    }

    fn see_one(&mut self, node: &Node, condition: &NodeCondition) -> Option<(Incident, u64)> {
        let (_, expected) = EXPECTED.iter().find(|(type_, _)| *type_ == condition.type_)?;
        let since = condition.last_transition_time.as_ref().map(|time| time.0.to_string());
        let key = (node.metadata.uid.clone()?, condition.type_.clone());
        let now = (condition.status.clone(), since);
        let before = self.0.insert(key, now.clone());
        let same = before.as_ref() == Some(&now);
        let was_good = before.as_ref().is_some_and(|(status, _)| status == expected);
        match (condition.status == *expected, same) {
            (false, _) => {
                let what = format!("{} is {}", condition.type_, condition.status);
                Some((incident(node, condition, what), u64::from(before.is_some() && !same)))
            }
            // It turned, and turned back.
            (true, false) if was_good => {
                let what = format!("{} was not {expected} between two looks", condition.type_);
                Some((incident(node, condition, what), 1))
            }
            (true, _) => None,
        }
    }
}

fn incident(node: &Node, condition: &NodeCondition, what: String) -> Incident {
    let said = [condition.reason.as_deref(), condition.message.as_deref()];
    Incident {
        kind: IncidentKind::NodeCondition,
        object: object_of("Node", &node.metadata),
        container: None,
        what,
        said: said.into_iter().flatten().collect::<Vec<_>>().join(": "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(type_: &str, status: &str, since: &str) -> Node {
        let value = json!({"metadata": {"name": "n1", "uid": "u-1"}, "status": {"conditions": [
            {"type": type_, "status": status, "lastTransitionTime": format!("2026-11-24T10:{since}:00Z"),
             "reason": "R", "message": "m"}]}});
        serde_json::from_value(value).expect("a node")
    }

    #[test]
    fn a_condition_that_is_wrong_counts_once_and_goes_on() {
        let table = [
            (("Ready", "True", "00"), None),
            (("Ready", "True", "00"), None),
            (("Ready", "Unknown", "01"), Some(("Ready is Unknown", 1))),
            (("Ready", "Unknown", "01"), Some(("Ready is Unknown", 0))),
            (("Ready", "False", "02"), Some(("Ready is False", 1))),
            (("Ready", "True", "03"), None),
            // It was away, and is back.
            (("Ready", "True", "05"), Some(("Ready was not True between two looks", 1))),
            (("MemoryPressure", "False", "00"), None),
            (("MemoryPressure", "True", "01"), Some(("MemoryPressure is True", 1))),
            // It was so before, goes on, ends and comes again.
            (("DiskPressure", "True", "01"), Some(("DiskPressure is True", 0))),
            (("DiskPressure", "True", "01"), Some(("DiskPressure is True", 0))),
            (("DiskPressure", "False", "02"), None),
            (("DiskPressure", "True", "03"), Some(("DiskPressure is True", 1))),
            (("PIDPressure", "True", "01"), Some(("PIDPressure is True", 0))),
            (("PIDPressure", "Unknown", "02"), Some(("PIDPressure is Unknown", 1))),
            (("NetworkUnavailable", "True", "01"), None),
        ];
        let mut conditions = Conditions::default();
        for ((type_, status, since), expected) in table {
            let told = conditions.see(&node(type_, status, since)).pop();
            let said = told.as_ref().map(|(incident, count)| (incident.what.as_str(), *count));
            assert_eq!(said, expected, "{type_} {status} {since}");
            assert!(told.is_none_or(|(it, _)| it.said == "R: m" && it.object.to_string() == "Node n1"));
        }
    }
}
