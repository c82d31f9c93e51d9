//! Asks each instance of a store for itself, every 250 ms, whether it takes a write, on a path that a partition
//! does not cut.
//!
//! One attempt is outstanding: a write that hangs is left to, and stands for an instance that is observed and
//! takes nothing. Directly, every attempt is a fresh connection (PostgreSQL with `synchronous_commit=local`,
//! Redis a plain SET). Inside a pod the connection is kept as long as it answers, and a write that hangs is given
//! up where the API server is away or was so just before it or since, or finds no way to the pod. Through a command
//! prefix it is one process; as long as that says nothing, what was known before it stays.

pub(super) mod leadership;
#[cfg(test)]
mod tests;

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info};

use super::component::lock;
use super::metrics::{StoreMetrics, raise};
use super::pace::Slots;
use super::server::socket::Address;
use super::server::{Trouble, postgres, redis};
use crate::clock::{Clock, Moment};
use crate::cluster::kubernetes::Kubernetes;
use leadership::{Event, Leadership};

const EVERY: Duration = Duration::from_millis(250);
/// Time until the first look at what a write that hangs goes through.
const LOOK: Duration = Duration::from_secs(1);
/// The longest time between two: each is one more connection that a server which is frozen does not take.
const SELDOM: Duration = Duration::from_secs(5);

/// One server of either kind of store.
#[derive(Debug)]
pub(super) enum Server {
    Postgres(postgres::Server),
    Redis(redis::Server),
}

impl Server {
    /// The same, asked inside `pod` of `cluster`.
    pub(super) fn inside(self, cluster: &Kubernetes, pod: &str) -> Self {
        match self {
            Self::Postgres(server) => Self::Postgres(server.inside(cluster, pod)),
            Self::Redis(server) => Self::Redis(server.inside(cluster, pod)),
        }
    }
}

/// An instance and where its writes go.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) name: String,
    /// Its row or key, unique among all stores.
    pub(super) id: String,
    pub(super) server: Server,
}

impl Instance {
    /// Where it listens, unless it is asked by a command.
    fn address(&self) -> Option<&Address> {
        match &self.server {
            Server::Postgres(postgres::Server::Direct { address, .. })
            | Server::Redis(redis::Server::Direct { address, .. }) => Some(address),
            Server::Postgres(postgres::Server::Command(_)) | Server::Redis(redis::Server::Command(_)) => None,
        }
    }

    /// The cluster through whose API server it is asked, if it is.
    pub(super) fn through(&self) -> Option<&Kubernetes> {
        self.address()?.through()
    }

    /// Waits until it is found not to be reached any more: it may be the way there that holds up a write.
    async fn out_of_sight(&self) -> Trouble {
        let Some(address) = self.address() else { return pending().await };
        let (asked, mut pause) = (Instant::now(), LOOK);
        loop {
            sleep(pause).await;
            pause = (pause * 2).min(SELDOM);
            if let Err(trouble) = address.is_reached(asked).await {
                return trouble;
            }
        }
    }
}

/// All instances of one store.
struct Watched {
    instances: Vec<Instance>,
    clock: Clock,
    metrics: StoreMetrics,
    leadership: Mutex<Leadership>,
}

/// The key that an instance's writes go to in Redis.
pub(super) fn key(id: &str) -> String {
    format!("ordeal:instance:{id}")
}

/// Starts to watch `instances`.
pub(super) fn start(
    instances: Vec<Instance>,
    metrics: StoreMetrics,
    clock: Clock,
    tasks: &TaskTracker,
    cancel: &CancellationToken,
) {
    let leadership = Mutex::new(Leadership::new(instances.len()));
    let watched = Arc::new(Watched { instances, clock, metrics, leadership });
    for index in 0..watched.instances.len() {
        tasks.spawn(cancel.clone().run_until_cancelled_owned(ask(Arc::clone(&watched), index)));
    }
    tasks.spawn(cancel.clone().run_until_cancelled_owned(count(watched)));
}

async fn ask(watched: Arc<Watched>, index: usize) {
    let instance = &watched.instances[index];
    let mut slots = Slots::new(watched.clock.now(), EVERY);
    let mut attempt: u64 = 0;
    loop {
        sleep_until(watched.clock.instant(slots.next())).await;
        if slots.take(watched.clock.now()).is_none() {
            continue;
        }
        attempt += 1;
        let begun = watched.clock.now();
        let written = tokio::select! {
            written = instance.write(attempt, || watched.event(index, Event::Open)) => written,
            trouble = instance.out_of_sight() => Err(trouble),
        };
        if let Err(trouble) = &written {
            debug!(instance = %instance.id, %trouble, "did not take a write");
        }
        watched.event(index, event(&written, begun));
    }
}

fn event(written: &Result<(), Trouble>, begun: Moment) -> Event {
    match written {
        Ok(()) => Event::Taken { begun },
        Err(Trouble::Refused(_)) => Event::Refused,
        Err(Trouble::Down(_)) => Event::Down,
        Err(Trouble::Gone(_)) => Event::Gone,
        Err(Trouble::Predecessor(_)) => Event::Predecessor,
        Err(Trouble::NoPath(_) | Trouble::Away(_) | Trouble::Own(_)) => Event::NoPath,
    }
}

async fn count(watched: Arc<Watched>) {
    let mut slots = Slots::new(watched.clock.now(), EVERY);
    loop {
        sleep_until(watched.clock.instant(slots.next())).await;
        slots.take(watched.clock.now());
        let mut leadership = lock(&watched.leadership);
        leadership.tick(watched.clock.now());
        watched.show(&leadership);
    }
}

impl Watched {
    fn event(&self, index: usize, event: Event) {
        let mut leadership = lock(&self.leadership);
        let (leader, split) = (leadership.leader(), leadership.split_brain());
        leadership.event(index, event, self.clock.now());
        if let Some(new) = leadership.leader().filter(|_| leadership.leader() != leader) {
            info!(instance = %self.instances[new].id, "sole writer");
        }
        if split.is_zero() && !leadership.split_brain().is_zero() {
            tracing::warn!(instance = %self.instances[index].id, "two instances take writes");
        }
        self.show(&leadership);
    }

    fn show(&self, leadership: &Leadership) {
        let writers = leadership.writers(self.clock.now());
        self.metrics.writable.set(i64::try_from(writers).unwrap_or(i64::MAX));
        let changes = &self.metrics.leader_changes;
        changes.inc_by(leadership.changes().saturating_sub(changes.get()));
        raise(&self.metrics.split_brain, leadership.split_brain().as_secs_f64());
        raise(&self.metrics.observed, leadership.observed().as_secs_f64());
        if let Some(since) = leadership.leader_since() {
            self.metrics.leader_since(self.clock.unix_seconds(since));
        }
    }
}

impl Instance {
    /// Writes once; `open` is called as soon as the path is known to be open.
    async fn write(&self, attempt: u64, open: impl FnOnce()) -> Result<(), Trouble> {
        match &self.server {
            Server::Postgres(server) => {
                let path = server.open().await?;
                if path.known() {
                    open();
                }
                path.query(&self.insert(attempt)).await.map(drop)
            }
            Server::Redis(server) => {
                let path = server.open().await?;
                if path.known() {
                    open();
                }
                let reply = path.command(&["SET", &key(&self.id), &attempt.to_string()]).await?;
                if reply == ["OK"] { Ok(()) } else { Err(Trouble::Refused(reply.join(" "))) }
            }
        }
    }

    /// Local commit: whether the instance takes writes is asked, not whether its standby does.
    fn insert(&self, attempt: u64) -> String {
        format!(
            "BEGIN; SET LOCAL synchronous_commit = local; \
             INSERT INTO ordeal_instance (instance, token) VALUES ('{}', {attempt}) \
             ON CONFLICT (instance) DO UPDATE SET token = excluded.token, at = now(); COMMIT;",
            self.id
        )
    }
}
