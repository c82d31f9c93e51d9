//! How traffic of pods that were cut off is let through again.

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::Api;
use kube::api::DeleteParams;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{about, ending, mark_of, patch, policy_name};
use crate::chaos::faults::api::{Failure, Place};
use crate::chaos::faults::policies::{NARROWED, Narrowed, SUFFIXES, marked, widened};
use crate::chaos::faults::{Outcome, Scene};
use crate::chaos::step;
use crate::cluster::kubernetes::is_absent;

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
            widen(&policies, narrowed, &mark_of(scene.intent)).await?;
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

/// Gives a policy back whom it was about, if it has the mark of `by`, and takes that away; what somebody else has made
/// of it meanwhile stays.
async fn widen(policies: &Api<NetworkPolicy>, narrowed: &Narrowed, by: &str) -> Result<(), Failure> {
    let name = &narrowed.name;
    let found = policies.get_opt(name).await;
    let found = found.map_err(|error| Failure::of(&format!("read NetworkPolicy {name}"), &error))?;
    // Gone, or another one by now: whoever did that wanted it so.
    let Some(found) = found.filter(|found| found.metadata.uid.as_ref() == Some(&narrowed.uid)) else {
        return Ok(());
    };
    let Some(ours) = marked(by, &found) else { return Ok(()) };
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

impl fmt::Display for Heal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delete the NetworkPolicies that cut off {}", self.whom)?;
        about(f, ", after it is back in", &self.narrowed)
    }
}
