//! How many pods `ReplicaSet`s are to have. Pure.

use std::collections::{HashMap, HashSet};

use k8s_openapi::api::apps::v1::ReplicaSet;

/// How many pods each `ReplicaSet` is to have, by its UID.
#[derive(Debug, Default)]
pub(super) struct Sets(HashMap<String, u32>);

impl Sets {
    /// Notes the state of a set; answers how many pods less it is to have than before.
    pub(super) fn see(&mut self, set: &ReplicaSet) -> Option<(String, u32)> {
        let uid = set.metadata.uid.clone()?;
        // Without a number it is one.
        let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        let wanted = u32::try_from(wanted).unwrap_or(0);
        let before = self.0.insert(uid.clone(), wanted).unwrap_or(wanted);
        (wanted < before).then(|| (uid, before - wanted))
    }

    /// Forgets a set that is gone; all its pods go with it.
    pub(super) fn forget(&mut self, uid: &str) -> Option<(String, u32)> {
        self.0.remove(uid).filter(|wanted| *wanted > 0).map(|wanted| (uid.to_owned(), wanted))
    }

    /// [`Self::forget`] of all but `sets`.
    pub(super) fn keep(&mut self, sets: &[ReplicaSet]) -> Vec<(String, u32)> {
        let here: HashSet<&str> = sets.iter().filter_map(|set| set.metadata.uid.as_deref()).collect();
        let gone: Vec<String> = self.0.keys().filter(|uid| !here.contains(uid.as_str())).cloned().collect();
        gone.iter().filter_map(|uid| self.forget(uid)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(uid: &str, replicas: Option<i32>) -> ReplicaSet {
        let value = json!({"metadata": {"uid": uid}, "spec": {"replicas": replicas, "selector": {}}});
        serde_json::from_value(value).expect("a set")
    }

    #[test]
    fn a_set_that_is_to_have_fewer_pods_tells_how_many() {
        let mut sets = Sets::default();
        let table = [
            ("a", Some(30), None),
            ("b", None, None),
            ("a", Some(30), None),
            ("a", Some(12), Some(18)),
            ("a", Some(40), None),
            ("b", Some(0), Some(1)),
        ];
        for (uid, replicas, fewer) in table {
            let expected = fewer.map(|by| (uid.to_owned(), by));
            assert_eq!(sets.see(&set(uid, replicas)), expected, "{uid} {replicas:?}");
        }
        assert_eq!(sets.keep(&[set("b", Some(0))]), [("a".to_owned(), 40)]);
        assert_eq!(sets.forget("b"), None);
        assert_eq!(sets.forget("a"), None);
    }
}
