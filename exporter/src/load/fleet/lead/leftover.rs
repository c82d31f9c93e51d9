//! What a conductor that was killed leaves: the ConfigMap by which it led.

use tokio::time::sleep;

use super::super::{CONFIG_MAP, LEAD};
use super::claim::Observed;
use super::helm::PAUSE;
use crate::clock::Clock;
use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::kubernetes::shared::{Shared, SharedError};

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Leftover {
    /// There was none.
    None,
    /// It is gone.
    Removed,
    /// This run goes on, and leads by it.
    Led(String),
}

/// Removes it from the namespace of `home`, unless somebody writes into it while we look.
pub async fn remove_leftover(home: Kubernetes) -> Result<Leftover, SharedError> {
    let (shared, clock) = (Shared::new(home, CONFIG_MAP), Clock::start());
    let (mut observed, mut first) = (Observed::default(), None);
    while let Some(seen) = shared.look().await? {
        let lead = seen.by_key.get(LEAD).cloned();
        let Some(run) = observed.leader(lead.as_deref(), clock.now()) else {
            if shared.remove(&seen.uid, Some(&seen.version)).await? {
                return Ok(Leftover::Removed);
            }
            continue;
        };
        if *first.get_or_insert_with(|| lead.clone()) != lead {
            return Ok(Leftover::Led(run));
        }
        sleep(PAUSE).await;
    }
    Ok(Leftover::None)
}
