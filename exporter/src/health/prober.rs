//! Probes one component at a fixed rate, whatever becomes of the probes.
//!
//! A probe that hangs does not hold up the next slot. A slot that we come to only after the next one is due is
//! missed, and so is a probe whose time-out we noticed late: for that long we may have been unable to read its
//! answer. A probe that timed out is missed too where what it goes through may have been away.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::component::Follower;
use super::pace::{Due, Ordered, Slots};
use super::silence::{Silence, Whose, within};
use super::tracker::{Outcome, Probe};
use crate::clock::Clock;
use crate::errors::{OwnLack, chain};

/// The longest time spent on tidying up after a probe that timed out.
const TIDY_WITHIN: Duration = Duration::from_secs(1);

/// Something to do on the server after a probe was given up.
pub(super) type Tidy = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One kind of probe.
pub(super) trait Check: Send + Sync + 'static {
    /// What makes it fail.
    type Error: std::error::Error + Send + 'static;

    /// Asks the component once, on a fresh connection. It is dropped at the time-out; `tidy` is then run.
    fn check(
        &self,
        slot: u64,
        tidy: &mut Option<Tidy>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Whether `error` says nothing of the component.
    fn is_ours(error: &Self::Error) -> bool {
        OwnLack::behind(error).is_some()
    }

    /// Whether all that it is asked through answers and, for all that is known, was there for the question.
    fn way(&self, _asked: Instant) -> impl Future<Output = bool> + Send {
        std::future::ready(true)
    }
}

type Done = (u64, Probe, Option<String>);

/// Probes until cancelled.
pub(super) async fn run<C: Check>(
    check: Arc<C>,
    follower: Arc<Follower>,
    clock: Clock,
    cancel: CancellationToken,
) {
    let mut slots = Slots::new(clock.now(), follower.interval());
    let mut running = JoinSet::new();
    let mut ordered = Ordered::default();
    let (sender, mut done) = mpsc::unbounded_channel::<Done>();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            Some((slot, probe, reason)) = done.recv() => ordered.insert(slot, (probe, reason)),
            Some(_) = running.join_next() => {}
            () = sleep_until(clock.instant(slots.next())) => {
                let Some(Due { missed, slot }) = slots.take(clock.now()) else { continue };
                for slot in missed {
                    let start = slots.at(slot);
                    ordered.insert(slot, (Probe { start, end: start, outcome: Outcome::Missed }, None));
                }
                running.spawn(probe(Arc::clone(&check), slot, clock, Limits::of(&follower), sender.clone()));
            }
        }
        while let Some((probe, reason)) = ordered.pop() {
            follower.take(probe, reason.as_deref());
        }
    }
}

#[derive(Clone, Copy)]
struct Limits {
    timeout: Duration,
    /// A time-out noticed later than this after the start was noticed late.
    late: Duration,
}

impl Limits {
    fn of(follower: &Follower) -> Self {
        let timeout = follower.timeout();
        Self { timeout, late: timeout + follower.interval().max(Duration::from_millis(100)) }
    }
}

async fn probe<C: Check>(
    check: Arc<C>,
    slot: u64,
    clock: Clock,
    limits: Limits,
    done: mpsc::UnboundedSender<Done>,
) {
    let mut tidy = None;
    let start = clock.now();
    let answer = within(limits.timeout, check.check(slot, &mut tidy), check.way(Instant::now())).await;
    let end = match &answer {
        Ok(_) => clock.now(),
        // Whose silence it was may be known only later.
        Err(silence) => start.later_by(silence.waited),
    };
    let (outcome, reason) = match answer {
        Ok(Ok(())) => (Outcome::Good, None),
        Ok(Err(error)) if C::is_ours(&error) => (Outcome::Missed, None),
        Ok(Err(error)) => (Outcome::Refused, Some(chain(&error))),
        Err(Silence { of: Whose::Way, .. }) => (Outcome::Missed, None),
        Err(Silence { waited, .. }) if waited > limits.late => (Outcome::Missed, None),
        Err(_) => (Outcome::TimedOut, Some(format!("no answer within {:?}", limits.timeout))),
    };
    let timed_out = answer_timed_out(outcome);
    // The receiver is gone only when the run is over.
    let _ = done.send((slot, Probe { start, end, outcome }, reason));
    if let Some(tidy) = tidy.filter(|_| timed_out) {
        let _ = timeout(TIDY_WITHIN, tidy).await;
    }
}

fn answer_timed_out(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::TimedOut | Outcome::Missed)
}

#[cfg(test)]
mod tests;
