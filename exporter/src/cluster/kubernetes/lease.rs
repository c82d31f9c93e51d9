//! One at a time: a Lease (coordination.k8s.io) of which one program is the holder, as Kubernetes' own leader
//! election uses it. There is no election here: whoever finds it held gives up.

mod observed;

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::{DeleteParams, PostParams, Preconditions};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

pub use self::observed::Observed;
use self::observed::is_free;
use super::{ANSWER_WITHIN, Kubernetes, MANAGER, in_time, is_absent, reason};

/// A holder whose lease was seen not to change for this long is gone. Longer than an API server is away when it is
/// restarted or replaced: that must end no run.
const LASTS: Duration = Duration::from_secs(45);
/// A holder that has not renewed for this long has lost it: it breaks nothing new from then on, and what it asked for
/// until then is answered, or given up, before anybody else may begin. It goes on putting back what it broke.
const KEPT: Duration = LASTS.saturating_sub(ANSWER_WITHIN);
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

/// Whether `lease` names `holder`.
fn is_of(lease: &Lease, holder: &str) -> bool {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()) == Some(holder)
}

impl Held {
    /// Takes the lease `name` for `holder`, and renews it until it is released. `lost` is cancelled where somebody
    /// else has taken it, or may have, since it could not be renewed. What was `observed` of it is for the next try.
    pub async fn take(
        cluster: Kubernetes,
        name: &str,
        holder: &str,
        lost: CancellationToken,
        observed: &mut Observed,
    ) -> Result<Self, LeaseError> {
        let held = Self {
            name: name.to_owned(),
            holder: holder.to_owned(),
            cluster,
            stop: CancellationToken::new(),
        };
        let begun = Instant::now();
        held.write(holder, Some(observed)).await?;
        let (cluster, stop) = (held.cluster.clone(), held.stop.clone());
        let again =
            Self { name: held.name.clone(), holder: held.holder.clone(), cluster, stop: stop.clone() };
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            let error = keep(begun, || again.write(&again.holder, None)).await;
            tracing::error!(error, "the lease is lost");
            lost.cancel();
        }));
        Ok(held)
    }

    /// Gives it up, so that the next one need not wait until it has run out.
    pub async fn release(self) {
        self.stop.cancel();
        if let Err(error) = self.write("", None).await {
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

    /// Writes `identity` as the holder, if the lease is free for us; without `observed`, only where nobody else is in
    /// it.
    async fn write(&self, identity: &str, observed: Option<&mut Observed>) -> Result<(), LeaseError> {
        let leases = self.cluster.here::<Lease>();
        let found = in_time(leases.get_opt(&self.name)).await.map_err(|error| self.failed(&error))?;
        let by = PostParams { field_manager: Some(MANAGER.to_owned()), dry_run: false };
        let spec = LeaseSpec {
            holder_identity: Some(identity.to_owned()),
            lease_duration_seconds: i32::try_from(LASTS.as_secs()).ok(),
            renew_time: Some(MicroTime(Timestamp::now())),
            ..LeaseSpec::default()
        };
        let written = match found {
            None => {
                let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                in_time(leases.create(&by, &Lease { metadata, spec: Some(spec) })).await
            }
            Some(lease) if self.is_free(&lease, observed) => {
                // Its state goes along: of two who take it at once, one is told of a conflict.
                in_time(leases.replace(&self.name, &by, &Lease { spec: Some(spec), ..lease })).await
            }
            Some(lease) => return Err(self.held(lease)),
        };
        written.map(drop).map_err(|error| self.failed(&error))
    }

    fn is_free(&self, lease: &Lease, observed: Option<&mut Observed>) -> bool {
        let Some(spec) = &lease.spec else { return true };
        let unchanged =
            observed.map_or(Duration::ZERO, |observed| observed.see(spec, Instant::now().into_std()));
        is_free(spec, &self.holder, unchanged)
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

/// Renews what was taken by a request begun at `renewed`, again and again, until somebody else has it or may have it;
/// says why. Others count from when they saw our last renewal, which was after we began it, and count further: so we
/// know first, by as long as a request of ours may be under way.
async fn keep<F>(mut renewed: Instant, mut renew: impl FnMut() -> F) -> String
where
    F: Future<Output = Result<(), LeaseError>>,
{
    loop {
        let ends = renewed + KEPT;
        sleep_until((Instant::now() + RENEWED_EVERY).min(ends)).await;
        let begun = Instant::now();
        if begun >= ends {
            return format!("not renewed for {} s", KEPT.as_secs());
        }
        match timeout_at(ends, renew()).await {
            Ok(Ok(())) => renewed = begun,
            Ok(Err(error @ LeaseError::Held { .. })) => return error.to_string(),
            Ok(Err(error)) => tracing::warn!(%error, "the lease is not renewed"),
            Err(_elapsed) => tracing::warn!("the lease is not renewed in time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> LeaseError {
        let text = |it: &str| it.to_owned();
        LeaseError::Request { name: text("l"), namespace: text("n"), reason: text("away") }
    }

    fn taken() -> LeaseError {
        let text = |it: &str| it.to_owned();
        LeaseError::Held { name: text("l"), namespace: text("n"), holder: text("another") }
    }

    /// Renews from 0 on with an answer by the second in which it is asked for: in which second the lease is lost.
    async fn lost_after(answer: impl Fn(u64) -> Option<Result<(), LeaseError>>) -> u64 {
        let start = Instant::now();
        let renew = || {
            let answer = answer(start.elapsed().as_secs());
            async move {
                match answer {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            }
        };
        let limit = Duration::from_secs(1000);
        let lost = tokio::time::timeout(limit, keep(start, renew)).await;
        lost.map_or(limit, |_| start.elapsed()).as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_cannot_renew_gives_up_before_others_may_take_it() {
        assert_eq!(lost_after(|_| Some(Ok(()))).await, 1000, "it lives");
        assert_eq!(lost_after(|_| Some(Err(away()))).await, 40, "never again");
        assert_eq!(lost_after(|at| Some(if at < 30 { Ok(()) } else { Err(away()) })).await, 27 + 40);
        // No answer, in place of a refusal.
        assert_eq!(lost_after(|at| (at < 30).then_some(Ok(()))).await, 27 + 40);
        let short = |at| Some(if (30..60).contains(&at) { Err(away()) } else { Ok(()) });
        assert_eq!(lost_after(short).await, 1000, "away for a while");
        assert_eq!(lost_after(|at| Some(if at < 30 { Ok(()) } else { Err(taken()) })).await, 30);
    }
}
