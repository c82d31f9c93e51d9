//! What a fault hits, as all rooms name it. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::document::Instance;

/// One thing that a fault hits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", deny_unknown_fields)]
pub enum Target {
    /// What a command named: the id of an instance, or a node.
    Named {
        /// Its name.
        name: String,
    },
    /// A pod, and no other that has its name later.
    Pod {
        /// Its name.
        name: String,
        /// Its UID.
        uid: String,
    },
    /// A node of a cluster.
    Node {
        /// Its name.
        name: String,
        /// Its UID.
        uid: String,
    },
}

impl Target {
    /// What a command named.
    pub fn named(name: impl Into<String>) -> Self {
        Self::Named { name: name.into() }
    }

    /// Its name alone.
    pub fn name(&self) -> &str {
        match self {
            Self::Named { name } | Self::Pod { name, .. } | Self::Node { name, .. } => name,
        }
    }

    /// Whether it is `instance`, or the node that `instance` runs on.
    pub fn hits(&self, instance: &Instance) -> bool {
        match self {
            Self::Named { name } => *name == instance.id || *name == instance.node,
            Self::Pod { uid, .. } => *uid == instance.id,
            Self::Node { name, .. } => *name == instance.node,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named { name } => f.write_str(name),
            Self::Pod { name, uid } => write!(f, "pod {name} ({uid})"),
            Self::Node { name, uid } => write!(f, "node {name} ({uid})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_hit_by_its_id_or_with_its_node() {
        let instance = Instance { id: "u-1".to_owned(), node: "n1".to_owned(), ready: true };
        let pod = |name: &str, uid: &str| Target::Pod { name: name.to_owned(), uid: uid.to_owned() };
        let node = |name: &str| Target::Node { name: name.to_owned(), uid: "u-9".to_owned() };
        let table = [
            (Target::named("u-1"), true),
            (Target::named("n1"), true),
            (Target::named("u-2"), false),
            (pod("shop-1", "u-1"), true),
            // Another pod that came back under its name, and a pod that is named as the node is.
            (pod("shop-1", "u-2"), false),
            (pod("n1", "u-2"), false),
            (node("n1"), true),
            (node("u-1"), false),
        ];
        for (target, expected) in table {
            assert_eq!(target.hits(&instance), expected, "{target}");
        }
    }
}
