//! What all faults of a cluster ask of its API server.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::api::policy::v1::Eviction;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
use kube::Api;
use kube::api::PostParams;
use serde::{Deserialize, Serialize};

use super::{Ending, Means};
use crate::chaos::guard::{self, Obstacle, Refusal};
use crate::cluster::kubernetes::{Kubernetes, MANAGER, is_about_itself, is_away, reason};
use crate::errors::chain;
use crate::trial::Name;

/// A cluster that only adds to what is known is not waited for longer.
const REACHED_WITHIN: Duration = Duration::from_secs(5);

/// Questions with a limit in time, whose failure is a reason not to break anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) timeout: Duration,
}

impl Asked {
    /// The answer to `request`, which is to do `action`.
    pub(super) async fn of<T>(
        self,
        action: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Refusal> {
        let said = match tokio::time::timeout(self.timeout, request).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => reason(&error),
            Err(_) => format!("no answer within {}", humantime::format_duration(self.timeout)),
        };
        Err(unknown(format!("{action}: {said}")))
    }
}

fn unknown(reason: String) -> Refusal {
    Refusal::TargetUnknown { reason }
}

/// The cluster that the trial names.
pub(super) fn cluster(means: Means<'_>) -> Result<Kubernetes, Refusal> {
    means.cluster.cloned().ok_or_else(|| unknown("the trial names no cluster".to_owned()))
}

/// The instance that takes writes, which is named as its pod.
pub(super) fn primary(means: Means<'_>) -> Result<&Name, Refusal> {
    means.primary.ok_or_else(|| unknown("nobody has said who takes writes".to_owned()))
}

/// Why a change was not made.
#[derive(Debug)]
pub(super) struct Failure {
    /// How a step ends with it.
    ending: Ending,
    /// The change was judged, and denied.
    denied: bool,
}

impl Failure {
    /// The API server's no to `action`, or its silence.
    pub(super) fn of(action: &str, error: &kube::Error) -> Self {
        let told = format!("{action}: {}", reason(error));
        Self { ending: ending(error)(told), denied: is_denial(error) }
    }

    /// A no.
    pub(super) fn no(reason: String) -> Self {
        Self { ending: Ending::Failed(reason), denied: false }
    }

    /// A person has to decide.
    pub(super) fn for_a_person(reason: String) -> Self {
        Self { ending: Ending::ForAPerson(reason), denied: false }
    }

    /// Whether the change may not be made, for want of a right or by an admission policy.
    pub(super) fn is_denied(&self) -> bool {
        self.denied
    }

    /// What is told of it.
    pub(super) fn into_reason(self) -> String {
        self.ending.failure().unwrap_or_default().to_owned()
    }

    /// How a step ends with it.
    pub(super) fn into_ending(self) -> Ending {
        self.ending
    }
}

/// How a step ends, for the reason that is told of it, with the API server's no or its silence.
pub(super) fn ending(error: &kube::Error) -> fn(String) -> Ending {
    if is_away(error) {
        Ending::Unanswered
    } else if is_about_itself(error) {
        Ending::Barred
    } else {
        Ending::Failed
    }
}

/// Whether a change was judged, and denied: for want of a right (403), or by an admission policy, which has a code of its
/// author's choice (of one that chooses none, 400 or 422). Other codes tell of who asks (401), of an object that is not
/// there or in another state (404, 409), or of time (408, 429).
fn is_denial(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    matches!(status.code, 400..=499) && !matches!(status.code, 401 | 404 | 408 | 409 | 429)
}

/// Where a fault is put back: a namespace, and no other of its name in another cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The namespace of the service.
    pub namespace: String,
    /// Its UID, which tells the cluster apart too.
    pub uid: String,
}

impl Place {
    /// [`Self::reach`], without a reason, and without waiting for whoever is silent.
    pub(in crate::chaos) async fn reach_in_time(&self) -> Option<Kubernetes> {
        tokio::time::timeout(REACHED_WITHIN, self.reach()).await.ok()?.ok()
    }

    /// The cluster that is reached from here, if it is the one. In another one nothing would be found to put back,
    /// and what is broken would pass for mended.
    pub(super) async fn reach(&self) -> Result<Kubernetes, Failure> {
        let cluster = Kubernetes::connect_to(&self.namespace).await;
        let cluster = cluster.map_err(|error| Failure::no(chain(&error)))?;
        let found = cluster.everywhere::<Namespace>().get_metadata_opt(&self.namespace).await;
        let found =
            found.map_err(|error| Failure::of(&format!("read namespace {}", self.namespace), &error))?;
        match found.and_then(|found| found.metadata.uid) {
            Some(uid) if uid == self.uid => Ok(cluster),
            _ => Err(Failure::no(format!(
                "namespace {} with UID {} is not in this cluster: use the kubeconfig by which it was broken",
                self.namespace, self.uid
            ))),
        }
    }
}

/// The namespace of the service, if it lets itself be broken.
pub(super) async fn opted_in(cluster: &Kubernetes, asked: Asked) -> Result<Place, Refusal> {
    let (place, consent) = look_up(cluster, cluster.namespace(), asked).await?;
    consent.map(|()| place).map_err(Refusal::Obstacle)
}

/// Whether the namespace of that name, which is another one, lets itself be broken too.
pub(super) async fn other_opted_in(cluster: &Kubernetes, name: &str, asked: Asked) -> Result<(), Refusal> {
    let (_, consent) = look_up(cluster, name, asked).await?;
    consent.map_err(Refusal::Obstacle)
}

/// The namespace in which targets are looked for. One that has not opted in is only looked at.
pub(super) async fn searched(means: Means<'_>, cluster: &Kubernetes, asked: Asked) -> Result<Place, Refusal> {
    if means.look_only {
        Ok(look_up(cluster, cluster.namespace(), asked).await?.0)
    } else {
        opted_in(cluster, asked).await
    }
}

/// Whether the namespace of `cluster` lets itself be broken.
pub async fn ensure_opted_in(cluster: &Kubernetes) -> Result<(), Refusal> {
    opted_in(cluster, Asked { timeout: REACHED_WITHIN }).await.map(drop)
}

/// The namespace of that name, and whether it lets itself be broken.
async fn look_up(
    cluster: &Kubernetes,
    name: &str,
    asked: Asked,
) -> Result<(Place, Result<(), Obstacle>), Refusal> {
    let namespace =
        asked.of("read the namespace", cluster.everywhere::<Namespace>().get_metadata(name)).await?;
    let consent = guard::opted_in(name, &namespace.metadata.labels.unwrap_or_default());
    let uid = namespace.metadata.uid.unwrap_or_default();
    Ok((Place { namespace: name.to_owned(), uid }, consent))
}

/// What came of an eviction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Evicted {
    /// The pod is on its way out.
    Going,
    /// It was not there, or another of its name, or in another state.
    Gone(String),
    /// A budget allows it not now, or the API server is busy or away.
    NotNow {
        /// When to ask again.
        after: Duration,
        /// What the API server said.
        reason: String,
        /// Whether it said no: else it may have carried the request out.
        answered: bool,
    },
    /// It will not go.
    Failed(String),
}

/// Asks for the eviction of the pod of this name and UID, with so many seconds of grace or its own.
///
/// The client's own eviction sends its options under a name that the API server does not know, so that neither UID
/// nor grace would count.
pub(super) async fn evict(pods: &Api<Pod>, name: &str, uid: &str, grace: Option<u32>) -> Evicted {
    let only = meta::Preconditions { uid: Some(uid.to_owned()), resource_version: None };
    let eviction = Eviction {
        metadata: meta::ObjectMeta { name: Some(name.to_owned()), ..meta::ObjectMeta::default() },
        delete_options: Some(meta::DeleteOptions {
            grace_period_seconds: grace.map(i64::from),
            preconditions: Some(only),
            ..meta::DeleteOptions::default()
        }),
    };
    let by = PostParams { field_manager: Some(MANAGER.to_owned()), dry_run: false };
    match pods.create_subresource::<_, meta::Status>("eviction", name, &by, &eviction).await {
        Ok(_) => Evicted::Going,
        Err(error) => refused(&error),
    }
}

/// Whether a request that failed may have been carried out. 429 is a no, as others of the API server are.
pub(super) fn is_unanswered(error: &kube::Error) -> bool {
    is_away(error) && !matches!(error, kube::Error::Api(status) if status.code == 429)
}

/// 429 is also a budget that allows no disruption at this moment.
fn refused(error: &kube::Error) -> Evicted {
    let reason = reason(error);
    match error {
        kube::Error::Api(status) if matches!(status.code, 404 | 409) => Evicted::Gone(reason),
        error if is_away(error) => {
            let seconds = match error {
                kube::Error::Api(status) => {
                    status.details.as_ref().map_or(0, |details| details.retry_after_seconds)
                }
                _ => 0,
            };
            let after = Duration::from_secs(seconds.into()).max(Duration::from_secs(1));
            Evicted::NotNow { after, reason, answered: !is_unanswered(error) }
        }
        _ => Evicted::Failed(reason),
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn a_change_that_was_not_made_is_denied_or_may_be_made_later() {
        type Case = (u16, &'static str, fn(String) -> Ending, bool);
        let table: [Case; 12] = [
            (400, "admission webhook \"w\" denied the request without explanation", Ending::Failed, true),
            (403, "nodes \"n1\" is forbidden", Ending::Barred, true),
            (412, "admission webhook \"w\" denied the request: not now", Ending::Failed, true),
            (422, "ValidatingAdmissionPolicy 'p' with binding 'b' denied request", Ending::Failed, true),
            (401, "Unauthorized", Ending::Barred, false),
            (404, "nodes \"n1\" not found", Ending::Failed, false),
            (408, "try again", Ending::Failed, false),
            (409, "the object has been modified", Ending::Failed, false),
            (429, "too many requests", Ending::Unanswered, false),
            (500, "failed calling webhook", Ending::Barred, false),
            (500, "etcdserver: request timed out", Ending::Unanswered, false),
            (503, "no healthy upstream", Ending::Unanswered, false),
        ];
        for (code, message, ending, denied) in table {
            let error = kube::Error::Api(Box::new(Status::failure(message, "").with_code(code)));
            let failure = Failure::of("cordon node n1", &error);
            assert_eq!(failure.is_denied(), denied, "{code} {message}");
            assert_eq!(failure.into_ending(), ending(format!("cordon node n1: {message}")), "{code}");
        }
        // A node's own words, handed on.
        let of_a_node = Status::failure("no sandbox", "Failed to parse error data").with_code(500);
        let failed = ending(&kube::Error::Api(Box::new(of_a_node)))(String::new());
        assert_eq!(failed, Ending::Failed(String::new()));
    }
}
