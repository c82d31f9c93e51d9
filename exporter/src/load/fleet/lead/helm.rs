//! What the conductor steers by: its text in the ConfigMap, written again and again, and what it hears.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::super::roster::{Change, Roster};
use super::super::signal::{Lead, Order};
use super::super::{BEAT, CONFIG_MAP, LEAD, STALE, key, say_written};
use super::FleetError;
use super::claim::Observed;
use crate::clock::Clock;
use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::kubernetes::shared::{Shared, SharedError, Texts};
use crate::progress::Progress;

/// Time between two looks at who is lost.
const LOOK: Duration = Duration::from_millis(500);
/// Pause before a text that could not be written is written again.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// How long the last word may take.
const LAST_WORD: Duration = Duration::from_secs(10);

/// Steers the load processes of a run.
pub struct Helm {
    clock: Clock,
    shared: Shared,
    run: String,
    trial: String,
    of: usize,
    roster: Mutex<Roster>,
    order: watch::Sender<Order>,
    /// The order that the API server has.
    said: watch::Sender<Option<Order>>,
    uid: OnceLock<String>,
    over: CancellationToken,
}

impl Helm {
    pub(super) fn new(
        clock: Clock,
        cluster: Kubernetes,
        run: &str,
        trial: &str,
        tasks: usize,
        of: usize,
    ) -> Self {
        Self {
            clock,
            shared: Shared::new(cluster, CONFIG_MAP),
            run: run.to_owned(),
            trial: trial.to_owned(),
            of,
            roster: Mutex::new(Roster::new(trial, tasks, of)),
            order: watch::Sender::new(Order::Wait {}),
            said: watch::Sender::new(None),
            uid: OnceLock::new(),
            over: CancellationToken::new(),
        }
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) fn of(&self) -> usize {
        self.of
    }

    pub(super) fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the ConfigMap, and from now on writes and listens.
    pub(super) async fn take(self: &Arc<Self>, progress: &Progress) -> Result<(), FleetError> {
        let made = self.claim(progress).await?;
        let uid = self.uid.get_or_init(|| made.uid).clone();
        let (beats, hears) = (Arc::clone(self), Arc::clone(self));
        let progress = progress.clone();
        tokio::spawn(async move { beats.over.run_until_cancelled(beats.beat(&uid)).await });
        tokio::spawn(async move { hears.over.run_until_cancelled(hears.hear(&progress)).await });
        Ok(())
    }

    async fn claim(&self, progress: &Progress) -> Result<Texts, FleetError> {
        let limit = tokio::time::Instant::now() + STALE + PAUSE;
        let (mut told, mut observed) = (false, Observed::default());
        loop {
            let texts = BTreeMap::from([(LEAD.to_owned(), self.lead(Order::Wait {}).text())]);
            if let Some(made) = self.shared.make(("ordeal/run", label(&self.run)), texts).await? {
                return Ok(made);
            }
            let Some(seen) = self.shared.look().await? else { continue };
            let lead = seen.by_key.get(LEAD).map(String::as_str);
            let Some(run) = observed.leader(lead, self.clock.now()) else {
                self.shared.remove(&seen.uid, Some(&seen.version)).await?;
                continue;
            };
            if tokio::time::Instant::now() >= limit {
                return Err(FleetError::Taken { run });
            }
            if !std::mem::replace(&mut told, true) {
                progress
                    .say(&format!("waiting: the conductor of run {run} leads load processes, or was killed"));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn lead(&self, order: Order) -> Lead {
        Lead { run: self.run.clone(), trial: self.trial.clone(), of: self.of, at: self.unix(), order }
    }

    fn unix(&self) -> f64 {
        self.clock.unix_seconds(self.clock.now())
    }

    async fn beat(&self, uid: &str) {
        let (mut orders, mut failing) = (self.order.subscribe(), false);
        loop {
            let order = *orders.borrow_and_update();
            let written = self.shared.write(uid, LEAD, &self.lead(order).text()).await;
            say_written(&written, &mut failing);
            if let Err(SharedError::Gone { .. }) = written {
                // Load processes notice that nobody leads them, and end.
                return;
            }
            if !failing {
                self.said.send_replace(Some(order));
            }
            // The next one is due, or there is something else to say.
            let _ = tokio::time::timeout(if failing { PAUSE } else { BEAT }, orders.changed()).await;
        }
    }

    async fn hear(&self, progress: &Progress) {
        let (to, mut seen) = watch::channel(None);
        let follow = self.shared.clone().follow(to);
        let listen = async {
            loop {
                let _ = tokio::time::timeout(LOOK, seen.changed()).await;
                let texts = seen.borrow_and_update().clone();
                self.look(texts.as_ref(), progress);
            }
        };
        tokio::join!(follow, listen);
    }

    fn look(&self, texts: Option<&Texts>, progress: &Progress) {
        let now = self.clock.now();
        let mut roster = self.roster();
        if let Some(texts) = texts.filter(|texts| self.uid.get() == Some(&texts.uid)) {
            for index in 0..self.of {
                if let Some(text) = texts.by_key.get(&key(index)) {
                    roster.hear(index, text, now, self.clock.unix_seconds(now));
                }
            }
        }
        if matches!(*self.order.borrow(), Order::Wait {} | Order::Abort {}) {
            return;
        }
        for change in roster.look(now) {
            match change {
                Change::Lost(index, why) => {
                    tracing::warn!(process = index, why, "a load process is lost");
                    progress.say(&format!(
                        "warning: load process {index} is lost ({why}); the run goes on without its users"
                    ));
                }
                Change::Back(index) => {
                    tracing::warn!(process = index, "a load process is heard of again");
                    progress.say(&format!("load process {index} is heard of again"));
                }
            }
        }
    }

    /// From now on this is said.
    pub(super) fn say(&self, order: Order) {
        self.order.send_replace(order);
    }

    /// Says that the load ends, once.
    pub(super) fn finish(&self) {
        self.order.send_if_modified(|order| {
            let first = matches!(order, Order::Start { .. });
            if first {
                *order = Order::Finish {};
            }
            first
        });
    }

    /// Returns once the API server has that order.
    pub(super) async fn said(&self, order: Order) {
        // The sender is ours, so it stays.
        let _ = self.said.subscribe().wait_for(|said| *said == Some(order)).await;
    }

    /// The run is over: whoever still waits or runs is told so, and the ConfigMap goes.
    pub async fn leave(&self) {
        let Some(uid) = self.uid.get() else { return };
        self.order.send_if_modified(|order| {
            let open = !matches!(order, Order::Finish {});
            if open {
                *order = Order::Abort {};
            }
            open
        });
        let last = *self.order.borrow();
        let _ = tokio::time::timeout(LAST_WORD, self.said(last)).await;
        self.over.cancel();
        if let Err(error) = self.shared.remove(uid, None).await {
            tracing::warn!(%error, "the fleet's ConfigMap stays");
        }
    }
}

/// `run` as a label's value, which ends in a letter or digit.
fn label(run: &str) -> &str {
    run.trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
}
