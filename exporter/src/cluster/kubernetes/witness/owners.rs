//! What has pods, and deletes them or goes itself without telling of each. Pure.

use std::collections::HashMap;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;

use super::changes::Allowed;
use super::fields::setters;

/// Something that has pods.
pub(super) trait Owner: Resource<DynamicType = ()> {
    /// What it is, as the API names it.
    const KIND: &'static str;

    /// How many pods it is to have, where it deletes what it has too many of without telling of each.
    fn wanted(&self) -> Option<u32>;

    /// Whether it is to be expected that it goes, by no hand.
    fn goes_by_itself(&self) -> bool;
}

impl Owner for ReplicaSet {
    const KIND: &'static str = "ReplicaSet";

    /// Without a number it is one.
    fn wanted(&self) -> Option<u32> {
        let wanted = self.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        Some(u32::try_from(wanted).unwrap_or(0))
    }

    /// Its Deployment drops old revisions, which have no pods.
    fn goes_by_itself(&self) -> bool {
        self.wanted() == Some(0)
    }
}

impl Owner for Job {
    const KIND: &'static str = "Job";

    /// It tells of each pod.
    fn wanted(&self) -> Option<u32> {
        None
    }

    /// Once it has ended, its `CronJob` drops it at some time, or its time to live is over.
    fn goes_by_itself(&self) -> bool {
        let conditions = self.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let ended = |type_: &str| matches!(type_, "Complete" | "Failed");
        let has_ended = conditions.into_iter().any(|it| ended(&it.type_) && it.status == "True");
        let limited = self.spec.as_ref().is_some_and(|spec| spec.ttl_seconds_after_finished.is_some());
        let mut owners = self.metadata.owner_references.iter().flatten();
        has_ended && (limited || owners.any(|owner| owner.kind == "CronJob"))
    }
}

/// What is kept of one.
#[derive(Debug, Clone, Copy)]
struct Last {
    wanted: Option<u32>,
    by_itself: bool,
}

/// Those that are there, by their UIDs, as they were seen last.
#[derive(Debug, Default)]
pub(super) struct Owners(HashMap<String, Last>);

impl Owners {
    /// Notes the state of one; answers how many pods less it is to have than before, if one of those `allowed` says so.
    pub(super) fn see<K: Owner>(&mut self, owner: &K, allowed: &Allowed) -> Option<(String, u32)> {
        let uid = owner.meta().uid.clone()?;
        let after = Last { wanted: owner.wanted(), by_itself: owner.goes_by_itself() };
        let before = self.0.insert(uid.clone(), after)?;
        let fewer = before.wanted?.saturating_sub(after.wanted?);
        (fewer > 0 && is_allowed(owner.meta(), allowed)).then_some((uid, fewer))
    }

    /// Whether the one of this UID goes by no hand.
    pub(super) fn goes_by_itself(&self, uid: &str) -> bool {
        self.0.get(uid).is_some_and(|last| last.by_itself)
    }

    /// Forgets one that is gone.
    pub(super) fn forget(&mut self, uid: &str) {
        self.0.remove(uid);
    }
}

fn is_allowed(owner: &ObjectMeta, allowed: &Allowed) -> bool {
    let mut managers = setters(owner, "replicas").into_iter().filter_map(|entry| entry.manager.as_deref());
    managers.any(|manager| allowed.has(manager))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const CONTROLLER: &str = "kube-controller-manager";

    fn set(uid: &str, replicas: Option<i32>, by: &str) -> ReplicaSet {
        let fields = json!([{"manager": by, "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
        let value = json!({"metadata": {"uid": uid, "managedFields": fields},
            "spec": {"replicas": replicas, "selector": {}}});
        serde_json::from_value(value).expect("a set")
    }

    #[test]
    fn a_set_that_a_controller_wants_to_have_fewer_pods_tells_how_many() {
        let (mut owners, allowed) = (Owners::default(), Allowed::with(&["rollouts".to_owned()]));
        let table = [
            ("a", Some(30), CONTROLLER, None),
            ("b", None, CONTROLLER, None),
            ("a", Some(30), CONTROLLER, None),
            ("a", Some(12), CONTROLLER, Some(18)),
            ("a", Some(40), CONTROLLER, None),
            ("b", Some(0), "rollouts", Some(1)),
            // By hand, and what the Deployment then makes of it.
            ("a", Some(0), "kubectl", None),
            ("a", Some(40), CONTROLLER, None),
            ("a", Some(60), "kubectl", None),
            ("a", Some(40), CONTROLLER, Some(20)),
        ];
        for (uid, replicas, by, fewer) in table {
            let expected = fewer.map(|fewer| (uid.to_owned(), fewer));
            assert_eq!(owners.see(&set(uid, replicas, by), &allowed), expected, "{uid} {replicas:?} by {by}");
        }
        let unsigned = ReplicaSet {
            metadata: ObjectMeta { managed_fields: None, ..set("a", None, "").metadata },
            ..set("a", Some(1), "")
        };
        assert_eq!(owners.see(&unsigned, &allowed), None, "nobody knows who wants that");
    }

    #[test]
    fn an_old_revision_and_a_job_that_was_to_be_dropped_go_by_themselves() {
        let (mut owners, allowed) = (Owners::default(), Allowed::with(&[]));
        for (replicas, expected) in [(Some(3), false), (None, false), (Some(0), true)] {
            owners.see(&set("u", replicas, CONTROLLER), &allowed);
            assert_eq!(owners.goes_by_itself("u"), expected, "{replicas:?}");
        }
        owners.forget("u");
        assert!(!owners.goes_by_itself("u"));
        let cron = json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": "c", "uid": "u-c"}]);
        let table: [(Option<&str>, Value, Option<i32>, bool); 6] = [
            (Some("Complete"), cron.clone(), None, true),
            (Some("Failed"), json!([]), Some(60), true),
            (Some("Complete"), json!([]), None, false),
            (Some("Suspended"), cron.clone(), Some(60), false),
            (None, cron.clone(), None, false),
            (None, json!([]), Some(60), false),
        ];
        for (condition, owner, limit, expected) in table {
            let conditions: Vec<_> =
                condition.iter().map(|type_| json!({"type": type_, "status": "True"})).collect();
            let value = json!({"metadata": {"uid": "u-job", "ownerReferences": owner},
                "spec": {"template": {}, "ttlSecondsAfterFinished": limit}, "status": {"conditions": conditions}});
            let job: Job = serde_json::from_value(value).expect("a Job");
            assert_eq!(owners.see(&job, &allowed), None);
            assert_eq!(owners.goes_by_itself("u-job"), expected, "{condition:?} {owner} {limit:?}");
        }
    }
}
