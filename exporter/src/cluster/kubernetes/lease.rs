//! One at a time: a Lease (coordination.k8s.io) of which one program is the holder, as Kubernetes' own leader
//! election uses it. There is no election here: whoever finds it held gives up.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{DeleteParams, PostParams, Preconditions};
use tokio_util::sync::CancellationToken;

use super::{Kubernetes, MANAGER, in_time, is_absent, reason};

/// A holder that has not renewed for this long is gone.
const LASTS: Duration = Duration::from_secs(15);
/// Time between two renewals.
const RENEWED_EVERY: Duration = Duration::from_secs(3);

/// How often it is removed where it changes meanwhile.
const REMOVALS: u32 = 3;

/// Why the lease is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else holds it.
    #[error(
        "Lease {name} in namespace {namespace} is held by {holder}: one at a time may break something there; \
         it is free {} s after its holder's end",
        LASTS.as_secs()
    )]
    Held {
        /// Its name.
        name: String,
        /// Where.
        namespace: String,
        /// By whom.
        holder: String,
    },
    /// The API server said no, or nothing.
    #[error("take or give up Lease {name} in namespace {namespace}: {reason}")]
    Request {
        /// Its name.
        name: String,
        /// Where.
        namespace: String,
        /// What it said.
        reason: String,
    },
}

/// A lease that is ours until [`Held::release`] or the end of this program.
#[derive(Debug)]
pub struct Held {
    name: String,
    holder: String,
    cluster: Kubernetes,
    stop: CancellationToken,
}

/// Whether `lease` is free for `holder` at `now`: never held, given up, run out, or its own. Pure.
fn is_free(lease: &Lease, holder: &str, now: Timestamp) -> bool {
    let Some(spec) = &lease.spec else { return true };
    let held_by = spec.holder_identity.as_deref().filter(|identity| !identity.is_empty());
    let lasts = SignedDuration::from_secs(spec.lease_duration_seconds.unwrap_or(0).into());
    let runs_out = spec.renew_time.as_ref().and_then(|renewed| renewed.0.checked_add(lasts).ok());
    held_by.is_none_or(|identity| identity == holder) || runs_out.is_none_or(|end| end < now)
}

/// Whether `lease` names `holder`.
fn is_of(lease: &Lease, holder: &str) -> bool {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()) == Some(holder)
}

impl Held {
    /// Takes the lease `name` for `holder`, and renews it until it is released. `lost` is cancelled where somebody
    /// else has taken it.
    pub async fn take(
        cluster: Kubernetes,
        name: &str,
        holder: &str,
        lost: CancellationToken,
    ) -> Result<Self, LeaseError> {
        let held = Self {
            name: name.to_owned(),
            holder: holder.to_owned(),
            cluster,
            stop: CancellationToken::new(),
        };
        held.renew().await?;
        let (cluster, stop) = (held.cluster.clone(), held.stop.clone());
        let again =
            Self { name: held.name.clone(), holder: held.holder.clone(), cluster, stop: stop.clone() };
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            loop {
                tokio::time::sleep(RENEWED_EVERY).await;
                match again.renew().await {
                    Ok(()) => {}
                    Err(error @ LeaseError::Held { .. }) => {
                        tracing::error!(%error, "the lease is lost");
                        lost.cancel();
                        return;
                    }
                    Err(error) => tracing::warn!(%error, "the lease is not renewed"),
                }
            }
        }));
        Ok(held)
    }

    /// Gives it up, so that the next one need not wait until it has run out.
    pub async fn release(self) {
        self.stop.cancel();
        if let Err(error) = self.write("").await {
            tracing::info!(%error, "the lease is not given up; it runs out by itself");
        }
    }

    /// Removes it, so that nothing is left of it.
    pub async fn remove(self) -> Result<(), LeaseError> {
        self.stop.cancel();
        let leases = self.cluster.here::<Lease>();
        let mut tries = REMOVALS;
        loop {
            let found = in_time(leases.get_opt(&self.name)).await.map_err(|error| self.failed(&error))?;
            let Some(lease) = found else { return Ok(()) };
            if !is_of(&lease, &self.holder) {
                return Err(self.held(lease));
            }
            let (uid, resource_version) = (lease.metadata.uid, lease.metadata.resource_version);
            let only = Preconditions { uid, resource_version };
            let how = DeleteParams { preconditions: Some(only), ..DeleteParams::default() };
            tries -= 1;
            match in_time(leases.delete(&self.name, &how)).await {
                Ok(_) => return Ok(()),
                Err(error) if is_absent(&error) => return Ok(()),
                // Our own last renewal may have been under way.
                Err(kube::Error::Api(status)) if status.code == 409 && tries > 0 => {}
                Err(error) => return Err(self.failed(&error)),
            }
        }
    }

    async fn renew(&self) -> Result<(), LeaseError> {
        self.write(&self.holder).await
    }

    /// Writes `identity` as the holder, if the lease is free for us.
    async fn write(&self, identity: &str) -> Result<(), LeaseError> {
        let leases = self.cluster.here::<Lease>();
        let now = Timestamp::now();
        let found = in_time(leases.get_opt(&self.name)).await.map_err(|error| self.failed(&error))?;
        let by = PostParams { field_manager: Some(MANAGER.to_owned()), dry_run: false };
        let spec = LeaseSpec {
            holder_identity: Some(identity.to_owned()),
            lease_duration_seconds: i32::try_from(LASTS.as_secs()).ok(),
            renew_time: Some(MicroTime(now)),
            ..LeaseSpec::default()
        };
        let written = match found {
            None => {
                let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                in_time(leases.create(&by, &Lease { metadata, spec: Some(spec) })).await
            }
            Some(lease) if is_free(&lease, &self.holder, now) => {
                // Its state goes along: of two who take it at once, one is told of a conflict.
                in_time(leases.replace(&self.name, &by, &Lease { spec: Some(spec), ..lease })).await
            }
            Some(lease) => return Err(self.held(lease)),
        };
        written.map(drop).map_err(|error| self.failed(&error))
    }

    fn held(&self, lease: Lease) -> LeaseError {
        let holder = lease.spec.and_then(|spec| spec.holder_identity).unwrap_or_default();
        let (name, namespace) = (self.name.clone(), self.cluster.namespace().to_owned());
        LeaseError::Held { name, namespace, holder }
    }

    fn failed(&self, error: &kube::Error) -> LeaseError {
        let (name, namespace) = (self.name.clone(), self.cluster.namespace().to_owned());
        LeaseError::Request { name, namespace, reason: reason(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_free_when_nobody_holds_it_or_its_holder_is_gone() {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().expect("a time");
        let lease = |holder: Option<&str>, renewed: &str| Lease {
            metadata: ObjectMeta::default(),
            spec: Some(LeaseSpec {
                holder_identity: holder.map(str::to_owned),
                lease_duration_seconds: Some(15),
                renew_time: renewed.parse().ok().map(MicroTime),
                ..LeaseSpec::default()
            }),
        };
        let (fresh, old) = ("2026-11-24T09:59:50Z", "2026-11-24T09:59:44Z");
        let table = [
            (lease(Some("other"), fresh), false),
            (lease(Some("other"), old), true),
            (lease(Some("other"), ""), true),
            (lease(Some("me"), fresh), true),
            (lease(Some(""), fresh), true),
            (lease(None, fresh), true),
            (Lease { spec: None, ..lease(None, fresh) }, true),
        ];
        for (lease, expected) in table {
            assert_eq!(is_free(&lease, "me", now), expected, "{:?}", lease.spec);
        }
    }
}
