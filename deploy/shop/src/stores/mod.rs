//! `PostgreSQL` and Redis, ridden out through their failovers.

pub(crate) mod deadline;
pub(crate) mod gate;
pub(crate) mod keyvalue;
pub(crate) mod postgres;
pub(crate) mod retry;

use std::future::Future;
use std::time::Duration;

use tokio::time::sleep;

use crate::metrics::StoreMetrics;
use deadline::Deadline;
use gate::Gate;
use retry::{Class, Decision};

/// Why a request got nothing from a store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The store did not serve within the request's budget.
    #[error("wait for {store} for {waited:?}")]
    Unavailable {
        /// Which store.
        store: &'static str,
        /// How long the request waited in all.
        waited: Duration,
        /// The last attempt's failure; `None` when the budget ended at the gate.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The store refused, and would again.
    #[error("work with {store}")]
    Refused {
        /// Which store.
        store: &'static str,
        /// Its refusal.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A failure that can say what it means.
trait Classified: std::error::Error + Send + Sync + 'static {
    /// What it means for another attempt.
    fn class(&self) -> Class;
}

/// Repeats `attempt` until it succeeds, cannot succeed, or the deadline is too near for another one.
async fn ride_out<T, E, Attempt>(
    gate: &Gate,
    metrics: &StoreMetrics,
    deadline: Deadline,
    mut attempt: impl FnMut() -> Attempt,
) -> Result<T, StoreError>
where
    E: Classified,
    Attempt: Future<Output = Result<T, E>>,
{
    let store = metrics.store();
    let waiting = metrics.waiting();
    let result = loop {
        let Some(pass) = gate.pass(deadline.cut(Duration::MAX)).await else {
            break Err(StoreError::Unavailable { store, waited: deadline.elapsed(), source: None });
        };
        let failure = match attempt().await {
            Ok(value) => break Ok(value),
            Err(failure) => failure,
        };
        let class = failure.class();
        metrics.failed(class);
        if class.is_suspicious() {
            gate.suspect(pass);
        }
        match retry::decide(class, deadline.elapsed(), deadline.budget(), rand::random()) {
            Decision::Retry(pause) => sleep(pause).await,
            Decision::GiveUp if class == Class::Permanent => {
                break Err(StoreError::Refused { store, source: Box::new(failure) });
            }
            Decision::GiveUp => {
                let source = Some(Box::from(failure));
                break Err(StoreError::Unavailable { store, waited: deadline.elapsed(), source });
            }
        }
    };
    waiting.observe_duration();
    result
}
