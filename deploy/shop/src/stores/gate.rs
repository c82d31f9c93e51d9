//! One gate before each store: closed while the store is suspected, so that waiting requests wait instead of
//! hammering it. A single keeper asks the store again and opens the gate for all of them at once; the number
//! of connection attempts during an outage does not depend on the number of waiting requests.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use super::retry;
use crate::errors::chain;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Gate {
    store: &'static str,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    open: bool,
    /// Grows whenever the gate opens.
    epoch: u64,
    /// Connections made before this instant are not trusted.
    trusted_since: Instant,
}

/// The permission to make one attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass {
    epoch: u64,
}

impl Gate {
    /// A closed gate: nothing is known of the store yet.
    pub(crate) fn new(store: &'static str) -> Self {
        let state = State { open: false, epoch: 0, trusted_since: Instant::now() };
        Self { store, state: watch::Sender::new(state) }
    }

    /// Waits until the gate is open, `limit` at most.
    pub(crate) async fn pass(&self, limit: Duration) -> Option<Pass> {
        if let Some(pass) = self.try_pass() {
            return Some(pass);
        }
        let mut state = self.state.subscribe();
        let opened = timeout(limit, state.wait_for(|state| state.open)).await.ok()?.ok()?;
        Some(Pass { epoch: opened.epoch })
    }

    /// A pass if the gate is open now.
    pub(crate) fn try_pass(&self) -> Option<Pass> {
        let state = self.state.borrow();
        state.open.then_some(Pass { epoch: state.epoch })
    }

    /// Closes the gate after an attempt failed suspiciously. An attempt from before the last opening says
    /// nothing about the store as it is now.
    pub(crate) fn suspect(&self, pass: Pass) {
        self.state.send_if_modified(|state| {
            let current = state.open && state.epoch == pass.epoch;
            if current {
                state.open = false;
                state.trusted_since = Instant::now();
            }
            current
        });
    }

    /// Whether a connection made at `created` is from before the last suspicion.
    pub(crate) fn distrusts(&self, created: std::time::Instant) -> bool {
        created < self.state.borrow().trusted_since.into_std()
    }

    /// Opens the gate whenever `probe` succeeds after a suspicion; never returns.
    pub(crate) async fn keep<Probing, E>(&self, mut probe: impl FnMut() -> Probing)
    where
        Probing: Future<Output = Result<(), E>>,
        E: Error,
    {
        let mut state = self.state.subscribe();
        while state.wait_for(|state| !state.open).await.is_ok() {
            let closed_at = Instant::now();
            let mut failures: u32 = 0;
            while let Err(error) = probe().await {
                failures += 1;
                if failures == 1 {
                    warn!(store = self.store, error = %chain(&error), "store does not serve, requests wait");
                } else {
                    debug!(store = self.store, error = %chain(&error), failures, "store does not serve yet");
                }
                // A store that comes up is not kept busy with being asked.
                sleep(retry::pause(rand::random())).await;
            }
            if failures > 0 {
                let seconds = closed_at.elapsed().as_secs_f64();
                info!(store = self.store, seconds, failures, "store serves");
            }
            self.state.send_modify(|state| {
                state.open = true;
                state.epoch += 1;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(12);

    /// A gate whose store fails the first `failing` probes of each suspicion.
    fn kept(failing: u32) -> (Arc<Gate>, Arc<AtomicU32>) {
        let gate = Arc::new(Gate::new("made up"));
        let probes = Arc::new(AtomicU32::new(0));
        let (keeper, counter) = (Arc::clone(&gate), Arc::clone(&probes));
        tokio::spawn(async move {
            keeper
                .keep(|| {
                    let done = counter.fetch_add(1, Ordering::Relaxed) + 1;
                    std::future::ready(if done.is_multiple_of(failing + 1) {
                        Ok(())
                    } else {
                        Err(std::fmt::Error)
                    })
                })
                .await;
        });
        (gate, probes)
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_waits_at_a_closed_gate_until_its_limit() {
        let gate = Gate::new("made up");
        let before = Instant::now();
        assert!(gate.pass(LONG).await.is_none());
        assert_eq!(before.elapsed(), LONG);
    }

    #[tokio::test(start_paused = true)]
    async fn many_waiting_requests_cost_one_probe_at_a_time() {
        let (gate, probes) = kept(4);
        let waiting: Vec<_> = (0..100)
            .map(|_| {
                let gate = Arc::clone(&gate);
                tokio::spawn(async move { gate.pass(LONG).await.is_some() })
            })
            .collect();
        for request in waiting {
            assert!(request.await.expect("the request does not panic"));
        }
        assert_eq!(probes.load(Ordering::Relaxed), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stale_failure_does_not_close_a_gate_that_opened_since() {
        let (gate, _) = kept(0);
        let old = gate.pass(LONG).await.expect("the store serves");
        gate.suspect(old);
        assert!(gate.try_pass().is_none());
        gate.pass(LONG).await.expect("the store serves again");
        gate.suspect(old);
        assert!(gate.try_pass().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn connections_from_before_a_suspicion_are_distrusted() {
        let (gate, _) = kept(0);
        let pass = gate.pass(LONG).await.expect("the store serves");
        let old = Instant::now().into_std();
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!gate.distrusts(old));
        gate.suspect(pass);
        gate.pass(LONG).await.expect("the store serves again");
        assert!(gate.distrusts(old));
        assert!(!gate.distrusts(Instant::now().into_std()));
    }
}
