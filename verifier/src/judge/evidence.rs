//! Everything that judges look at: the run, and what was recorded of it. Pure.

use std::collections::BTreeMap;

use super::buckets;
use crate::evidence::{
    Fetched, Gauge, Labels, Lack, Millis, Point, Recorded, Rules, Sample, Shortfall, Shown, Signs, Tally,
    Window,
};
use crate::run::Run;

/// Somebody else's series is missing where so many of its steps are without a sample.
const MISSING: f64 = 3.0;

/// Everything that judges look at.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) run: Run,
    /// The exporter's families by name.
    pub(crate) recorded: Recorded,
    /// Somebody else's series, by the selector that an objective named.
    pub(crate) others: BTreeMap<String, Fetched>,
    /// The server's alerting rules.
    pub(crate) rules: Rules,
    /// When Prometheus was at work, so that it evaluated them.
    pub(crate) signs: Signs,
    /// Alerts about the run: those that fired, and since when they were active.
    pub(crate) alerts: Fetched,
    /// Until when these were asked for.
    pub(crate) alerts_until: Millis,
    /// Until when those were that objectives are about, by the selector.
    pub(crate) asked: BTreeMap<String, Millis>,
    /// Answers to the objectives' own expressions, by the expression as sent.
    pub(crate) expressions: BTreeMap<String, Fetched>,
}

/// When somebody else's series was due: at its samples, and once where more than three in a row are missing by
/// its own pace, up to an instant.
fn due(clocks: &[f64], until: f64) -> Vec<f64> {
    let mut steps: Vec<f64> = clocks.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_by(f64::total_cmp);
    let Some(step) = steps.get(steps.len() / 2).copied() else { return clocks.to_vec() };
    let mut due = Vec::with_capacity(clocks.len() + 1);
    for (at, clock) in clocks.iter().enumerate() {
        due.push(*clock);
        let next = clocks.get(at + 1).copied().unwrap_or(until);
        if next - clock > MISSING * step {
            due.push(clock + step);
        }
    }
    due
}

impl Evidence {
    /// A counter, added up over all series that match and all processes that expose it.
    pub(crate) fn tally(&self, family: &'static str, matching: &[(&str, &str)]) -> Result<Tally, Shortfall> {
        Tally::of(&self.run.processes, &self.recorded, family, matching)
    }

    /// A gauge of the conductor: exactly one series.
    pub(crate) fn gauge(&self, family: &'static str, matching: &[(&str, &str)]) -> Result<Gauge, Shortfall> {
        Gauge::of(&self.run.processes, &self.recorded, family, matching)
    }

    /// A gauge of every load process, one series each.
    pub(crate) fn gauges_of_load(
        &self,
        family: &'static str,
        matching: &[(&str, &str)],
    ) -> Result<Vec<Gauge>, Shortfall> {
        let of = |process| Gauge::of_process(&self.run.processes, &self.recorded, process, family, matching);
        self.run.processes.with(true).into_iter().map(of).collect()
    }

    /// Somebody else's series, by the selector that was fetched.
    pub(crate) fn other(&self, selector: &str) -> Result<&[(Labels, Vec<Sample>)], Shortfall> {
        let absent = || Shortfall::new(Lack::FamilyAbsent, format!("no series {selector}"));
        let series = self.others.get(selector).ok_or_else(absent)?.series()?;
        if series.is_empty() { Err(absent()) } else { Ok(series) }
    }

    /// Somebody else's gauge: exactly one series, placed on the exporter's clock.
    pub(crate) fn other_gauge(&self, selector: &str) -> Result<Gauge, Shortfall> {
        match self.other(selector)? {
            [(_, samples)] => {
                let ahead = self.run.processes.prometheus_time(0.0).seconds();
                let point = |sample: &Sample| Point {
                    at: sample.at,
                    clock: sample.at.seconds() - ahead,
                    value: sample.value,
                };
                let points: Vec<Point> = samples.iter().map(point).collect();
                let clocks: Vec<f64> = points.iter().map(|point| point.clock).collect();
                let end = self.run_end().seconds() - ahead;
                Ok(Gauge { name: selector.to_owned(), points, due: due(&clocks, end) })
            }
            many => {
                let detail = format!("{} series {selector}, one is due", many.len());
                Err(Shortfall::new(Lack::DuplicateSeries, detail))
            }
        }
    }

    /// Prometheus' time of the run's end, or of its last scrape.
    pub(crate) fn run_end(&self) -> Millis {
        self.run
            .end
            .map_or(self.run.processes.fetch_window().1, |end| self.run.processes.prometheus_time(end))
    }

    /// Whether every series of a histogram has the same bounds, and counts within a larger one no less.
    pub(crate) fn same_buckets(&self, family: &'static str) -> Result<(), Shortfall> {
        buckets::check(family, &self.recorded.matching(family, &[])?)
    }

    /// How long a window is at most, in seconds.
    pub(crate) fn length(&self, window: Window) -> f64 {
        match window {
            Window::Run => {
                let last = self
                    .run
                    .processes
                    .conductor()
                    .scrapes
                    .last()
                    .map_or(self.run.start, |scrape| scrape.clock);
                self.run.end.unwrap_or(last) - self.run.start
            }
            Window::Part { from, to } => to.latest - from.earliest,
        }
    }

    /// What counters of the conductor's process were at the scrapes that enclose a window.
    pub(crate) fn decisive(&self, window: Window, tallies: &[(&str, &Tally)]) -> Vec<Shown> {
        let Ok(cut) = self.run.processes.cut(0, window) else { return Vec::new() };
        let scrapes = &self.run.processes.conductor().scrapes;
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
