//! The metrics of a load whose users are elsewhere: how many are wanted, brought up to date at each scrape.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, GaugeVec, Registry};

use super::super::metrics::{register_of_conductor, users_family};
use super::super::schedule::Schedule;
use crate::clock::{Clock, Moment};
use crate::trial;

/// `users{target}` of the whole run.
#[derive(Debug, Clone)]
pub(super) struct Aim(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    schedule: Arc<Schedule>,
    users: GaugeVec,
    target: Gauge,
    /// Since when users are wanted.
    since: Mutex<Option<Moment>>,
}

impl Aim {
    /// Registers the families of a load in so many processes; nobody is wanted yet.
    pub(super) fn register(
        registry: &Registry,
        load: &trial::Load,
        processes: usize,
        schedule: Arc<Schedule>,
        clock: Clock,
    ) -> Result<Self, prometheus::Error> {
        register_of_conductor(registry, load, processes)?;
        let users = users_family()?;
        let target = users.with_label_values(&["target"]);
        let aim = Self(Arc::new(Inner { clock, schedule, users, target, since: Mutex::default() }));
        registry.register(Box::new(aim.clone()))?;
        Ok(aim)
    }

    /// Users are wanted since then; with `None`, no longer.
    pub(super) fn wanted_since(&self, since: Option<Moment>) {
        *self.since() = since;
    }

    /// How many users are wanted now.
    pub(super) fn wanted(&self) -> usize {
        let now = self.0.clock.now();
        self.since()
            .filter(|since| now >= *since)
            .map_or(0, |since| self.0.schedule.users_wanted(now.since(since)))
    }

    fn since(&self) -> MutexGuard<'_, Option<Moment>> {
        self.0.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Aim {
    fn desc(&self) -> Vec<&Desc> {
        self.0.users.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.0.target.set(self.wanted() as f64);
        self.0.users.collect()
    }
}
