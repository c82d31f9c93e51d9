//! What Prometheus recorded of a run, laid out for judging. Pure: everything here was fetched before.
//!
//! Every sample of one scrape of a process carries the same timestamp, and `ordeal_time_seconds` of that
//! scrape says what the process's own clock read. Windows are therefore placed on the process's clock, where
//! its experiments and phases have their times, and no skew between the machines can shift them.

mod families;
mod gauge;
mod index;
mod shortfall;
mod tally;

use std::collections::BTreeMap;
use std::fmt;

pub(crate) use families::{FAMILIES, Family};
pub(crate) use gauge::{Gauge, Point, Transition, mean_bounds};
pub(crate) use index::{Fetched, Recorded};
pub(crate) use shortfall::{Bars, Lack, Shortfall};
pub(crate) use tally::{Bounds, Cut, Edge, Tally, Window, cut};

use crate::run::Run;

/// Milliseconds since the Unix epoch, which is how Prometheus keeps time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Millis(pub(crate) i64);

impl Millis {
    /// The nearest millisecond.
    #[expect(clippy::cast_possible_truncation, reason = "times of this era fit, and `as` saturates")]
    pub(crate) fn from_seconds(seconds: f64) -> Self {
        Self((seconds * 1000.0).round() as i64)
    }

    /// Seconds since the Unix epoch.
    pub(crate) fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0.div_euclid(1000), self.0.rem_euclid(1000))
    }
}

/// A sample as Prometheus stored it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    pub(crate) at: Millis,
    pub(crate) value: f64,
}

/// A sample, for a report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    /// The series, or what was added up.
    pub(crate) series: String,
    pub(crate) at: Millis,
    pub(crate) value: f64,
}

/// Everything that judges look at.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) run: Run,
    /// The exporter's families by name.
    pub(crate) recorded: Recorded,
    /// Somebody else's series, by the selector that an objective named.
    pub(crate) others: BTreeMap<String, Fetched>,
    /// Answers to the objectives' own expressions, by the expression as sent.
    pub(crate) expressions: BTreeMap<String, Fetched>,
}

impl Evidence {
    /// A counter, added up over all series that match and all processes that expose it.
    pub(crate) fn tally(&self, family: &'static str, matching: &[(&str, &str)]) -> Result<Tally, Shortfall> {
        Tally::of(&self.run, &self.recorded, family, matching)
    }

    /// A gauge of the conductor: exactly one series.
    pub(crate) fn gauge(&self, family: &'static str, matching: &[(&str, &str)]) -> Result<Gauge, Shortfall> {
        Gauge::of(&self.run, &self.recorded, family, matching)
    }

    /// How long a window is at most, in seconds.
    pub(crate) fn length(&self, window: Window) -> f64 {
        match window {
            Window::Run => {
                let last = self.run.processes[0].scrapes.last().map_or(self.run.start, |scrape| scrape.clock);
                self.run.end.unwrap_or(last) - self.run.start
            }
            Window::Part { from, to } => to.latest - from.earliest,
        }
    }

    /// What counters of the conductor's process were at the scrapes that enclose a window.
    pub(crate) fn decisive(&self, window: Window, tallies: &[(&str, &Tally)]) -> Vec<Shown> {
        let Ok(cut) = self.run.cut(0, window) else { return Vec::new() };
        let scrapes = &self.run.processes[0].scrapes;
        let ends = cut.outer.0.into_iter().chain([cut.outer.1]);
        let shown = |scrape: usize| {
            tallies.iter().filter_map(move |(name, tally)| {
                let value = tally.at(scrape)?;
                Some(Shown { series: (*name).to_owned(), at: scrapes[scrape].at, value })
            })
        };
        ends.flat_map(shown).collect()
    }

    /// The values that a label has in a family.
    pub(crate) fn label_values(&self, family: &'static str, label: &str) -> Vec<String> {
        self.recorded.label_values(family, label)
    }
}
