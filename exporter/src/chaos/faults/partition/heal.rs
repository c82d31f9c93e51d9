//! How traffic of pods that were cut off is let through again.

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;
use kube::Api;
use kube::api::DeleteParams;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{about, ending, mark_of, patch, policy_name};
use crate::chaos::faults::api::{Failure, Place};
use crate::chaos::faults::policies::{NARROWED, Narrowed, SUFFIXES, marked, widened};
use crate::chaos::faults::{Outcome, Scene};
use crate::chaos::journal::CONFIG_MAP;
use crate::chaos::step;
use crate::cluster::kubernetes::{MANAGER, is_absent};

/// What lets traffic through again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heal {
    /// Where.
    pub place: Place,
    /// The pods that were cut off, as they are told.
    pub whom: String,
    /// What the names of the policies that cut them off end with.
    pub cuts: Vec<String>,
    /// Policies that were made narrower.
    pub narrowed: Vec<Narrowed>,
    /// Time limit of an attempt, in milliseconds.
    pub timeout_ms: u64,
}

impl Heal {
    /// What shows that no exporter wrote it: a name that no policy of ours has. Another's policy is given back nothing
    /// but what its own mark tells.
    pub(in crate::chaos::faults) fn unlike_ours(&self) -> Option<String> {
        let cut = self.cuts.iter().find(|cut| !SUFFIXES.contains(&cut.as_str()));
        cut.map(|cut| format!("it deletes NetworkPolicies that end with {cut}"))
    }

    /// One attempt to let traffic through again.
    pub(in crate::chaos::faults) async fn attempt(&self, scene: Scene<'_>) -> Outcome {
        let limit = Duration::from_millis(self.timeout_ms);
        let start = scene.clock.now();
        step!("revert_started");
        let done = tokio::time::timeout(limit, self.apply(scene)).await;
        let told = vec![("request", self.to_string())];
        Outcome { start, end: scene.clock.now(), ending: ending(done, limit), told }
    }

    /// Others first: our policies hold everything back until they stand as they stood.
    async fn apply(&self, scene: Scene<'_>) -> Result<(), Failure> {
        let cluster = self.place.reach().await?;
        let policies = cluster.here::<NetworkPolicy>();
        for narrowed in &self.narrowed {
            widen(&policies, narrowed, scene).await?;
        }
        for suffix in &self.cuts {
            let name = policy_name(scene.intent, suffix);
            cluster.ours().add(&name);
            match policies.delete(&name, &DeleteParams::default()).await {
                Ok(_) => {}
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(Failure::of(&format!("delete NetworkPolicy {name}"), &error)),
            }
        }
        Ok(())
    }
}

/// What of a policy is to be taken away again.
#[derive(Debug, PartialEq)]
enum Left {
    /// Nothing: it was not made narrower, or is not any more.
    Nothing,
    /// This.
    Ours(LabelSelectorRequirement),
    /// This, which only the journal tells to be ours.
    Unmarked(LabelSelectorRequirement),
}

impl Left {
    /// What `by` has left in `policy`: what its mark tells, else what it meant to leave there, if that is there. Others
    /// may have taken the mark away.
    fn of(policy: &NetworkPolicy, narrowed: &Narrowed, by: &str) -> Self {
        match marked(policy) {
            Some((whose, ours)) if whose == by => return Self::Ours(ours),
            // Another experiment's by now, and so is whatever makes it narrower.
            Some(_) => return Self::Nothing,
            None => {}
        }
        let about = policy.spec.as_ref().and_then(|spec| spec.pod_selector.clone());
        match narrowed.expression().filter(|meant| widened(about, meant).is_some()) {
            Some(meant) => Self::Unmarked(meant.clone()),
            None => Self::Nothing,
        }
    }
}

/// Gives a policy back whom it was about, and takes the mark away; what somebody else has made of it meanwhile stays.
/// Without the mark only a journal of this machine is believed: whoever wrote the copy of one may mean to open another's
/// policy.
async fn widen(policies: &Api<NetworkPolicy>, narrowed: &Narrowed, scene: Scene<'_>) -> Result<(), Failure> {
    let name = &narrowed.name;
    let found = policies.get_opt(name).await;
    let found = found.map_err(|error| Failure::of(&format!("read NetworkPolicy {name}"), &error))?;
    // Gone, or another one by now: whoever did that wanted it so.
    let Some(found) = found.filter(|found| found.metadata.uid.as_ref() == Some(&narrowed.uid)) else {
        return Ok(());
    };
    let ours = match Left::of(&found, narrowed, &mark_of(scene.intent)) {
        Left::Nothing => return Ok(()),
        Left::Ours(ours) => ours,
        Left::Unmarked(ours) if is_of_this_machine(scene) => ours,
        Left::Unmarked(theirs) => return Err(Failure::for_a_person(unmarked(name, &theirs))),
    };
    let mut change = json!({"metadata": {"resourceVersion": found.metadata.resource_version,
        "uid": narrowed.uid, "annotations": {NARROWED: null}}});
    let about = found.spec.and_then(|spec| spec.pod_selector);
    if let Some(wide) = widened(about, &ours) {
        // In a merge, what is left out stays; null takes it away.
        let selector = json!({"matchLabels": wide.match_labels, "matchExpressions": wide.match_expressions});
        change["spec"] = json!({"podSelector": selector});
    }
    patch(policies, name, &change).await
}

/// Whether this machine's own journal tells of the experiment.
fn is_of_this_machine(scene: Scene<'_>) -> bool {
    let records = scene.journal.unfinished();
    records.iter().any(|record| record.intent.id == scene.intent.id && record.copied_from.is_none())
}

/// What a person is told who has to decide whose `expression` is.
fn unmarked(policy: &str, expression: &LabelSelectorRequirement) -> String {
    format!(
        "NetworkPolicy {policy} has still the expression by which it was made narrower, {}, but no mark of ours any more \
         (annotation {NARROWED}): if it is not meant to be there, take it out of the policy's podSelector and try again; \
         if it is, delete the NetworkPolicies with the label app.kubernetes.io/managed-by={MANAGER}, then the ConfigMap \
         {CONFIG_MAP}",
        json!(expression)
    )
}

impl fmt::Display for Heal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delete the NetworkPolicies that cut off {}", self.whom)?;
        about(f, ", after it is back in", &self.narrowed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_left_of_a_cut_is_told_by_its_mark_and_without_it_by_what_was_meant() {
        let expression = |pod: &str| json!({"key": "pod", "operator": "NotIn", "values": [pod]});
        let (ours, others) = (expression("kv-0"), expression("kv-1"));
        let about = |expressions: Value| json!({"matchExpressions": expressions});
        let narrowed: Narrowed = serde_json::from_value(json!({"name": "kv", "uid": "u-1", "version": "7",
            "before": about(json!([others])), "after": about(json!([others, ours]))}))
        .expect("a narrowed policy");
        let read = |it: &Value| serde_json::from_value(it.clone()).expect("an expression");
        let mark = |by: &str| Some(json!([by, ours]).to_string());
        let table = [
            (mark("t-0"), about(json!([others, ours])), Left::Ours(read(&ours))),
            // Somebody has taken it out, but left the mark.
            (mark("t-0"), about(json!([others])), Left::Ours(read(&ours))),
            (None, about(json!([others, ours])), Left::Unmarked(read(&ours))),
            (None, about(json!([ours, others])), Left::Unmarked(read(&ours))),
            (Some("nobody's".to_owned()), about(json!([ours])), Left::Unmarked(read(&ours))),
            (mark("t-1"), about(json!([ours])), Left::Nothing),
            (None, about(json!([others])), Left::Nothing),
            (None, json!({}), Left::Nothing),
        ];
        for (mark, about, expected) in table {
            let annotations = mark.as_ref().map(|mark| json!({NARROWED: mark}));
            let policy: NetworkPolicy = serde_json::from_value(
                json!({"metadata": {"name": "kv", "annotations": annotations}, "spec": {"podSelector": about}}),
            )
            .expect("a policy");
            assert_eq!(Left::of(&policy, &narrowed, "t-0"), expected, "{mark:?} {about}");
        }
    }
}
