//! Runs made up as time series, for judging by a real Prometheus.
//!
//! A [`Made`] run is a list of series, each a function of the seconds since the run's start, read off at every
//! scrape. [`healthy`] makes one in which every promise of `tests/made/slos.yaml` is kept; the methods of
//! `Made` then bend it.

#![allow(dead_code, unused_imports, reason = "each test program uses its own part of this")]

mod alerts;
mod brief;
mod healthy;
pub(crate) mod live;
mod prometheus;
pub(crate) mod proxy;
pub(crate) mod spread;
pub(crate) mod stub;
pub(crate) mod tls;
pub(crate) mod trap;
mod unseen;

use std::fmt::Write;
use std::sync::Arc;

pub(crate) use brief::{KEPT, brief};
pub(crate) use healthy::{healthy, requests};
pub(crate) use prometheus::{Server, await_that, told};

/// The value of a series so many seconds after the run's start; `None` where it is not exposed.
pub(crate) type Value = Arc<dyn Fn(f64) -> Option<f64> + Send + Sync>;

/// One series.
#[derive(Clone)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: Value,
}

/// A run and how it is scraped.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) instance: String,
    pub(crate) series: Vec<Series>,
    /// Seconds between two scrapes.
    pub(crate) interval: f64,
    /// The first scrape, in seconds since the run's start.
    pub(crate) first: f64,
    /// No scrape after this.
    pub(crate) last: f64,
    /// Prometheus' clock less the exporter's.
    pub(crate) skew: f64,
    /// Intervals without a scrape.
    pub(crate) gaps: Vec<(f64, f64)>,
    /// One scrape in so many is missing; 0 for none.
    pub(crate) one_missing_in: usize,
}

impl Made {
    /// Adds a series.
    pub(crate) fn add(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        value: impl Fn(f64) -> Option<f64> + Send + Sync + 'static,
    ) {
        let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        self.series.push(Series { name: name.to_owned(), labels, value: Arc::new(value) });
    }

    /// Replaces the values of all series that match; there must be one.
    pub(crate) fn set(
        &mut self,
        name: &str,
        matching: &[(&str, &str)],
        value: impl Fn(f64) -> Option<f64> + Send + Sync + 'static,
    ) {
        self.change(name, matching, |_| Arc::new(value));
    }

    /// Replaces the values of all series that match by something made of the old ones.
    pub(crate) fn bend(
        &mut self,
        name: &str,
        matching: &[(&str, &str)],
        bend: impl Fn(f64, Option<f64>) -> Option<f64> + Send + Sync + Clone + 'static,
    ) {
        let matched = self.matched(name, matching);
        for at in matched {
            let (old, bend) = (self.series[at].value.clone(), bend.clone());
            self.series[at].value = Arc::new(move |t| bend(t, old(t)));
        }
    }

    fn change(&mut self, name: &str, matching: &[(&str, &str)], make: impl FnOnce(&Value) -> Value) {
        let matched = self.matched(name, matching);
        let value = make(&self.series[matched[0]].value);
        for at in matched {
            self.series[at].value = value.clone();
        }
    }

    /// The series that match, at least one: a test that bends nothing tests nothing.
    fn matched(&self, name: &str, matching: &[(&str, &str)]) -> Vec<usize> {
        let fits = |series: &Series| {
            let has = |(label, value): &(&str, &str)| {
                series.labels.iter().any(|(is, it)| is == label && it == value)
            };
            series.name == name && matching.iter().all(has)
        };
        let matched: Vec<_> = (0..self.series.len()).filter(|at| fits(&self.series[*at])).collect();
        assert!(!matched.is_empty(), "no series {name} {matching:?}");
        matched
    }

    /// Renames all series that match.
    pub(crate) fn rename(&mut self, name: &str, matching: &[(&str, &str)], to: &str) {
        for at in self.matched(name, matching) {
            to.clone_into(&mut self.series[at].name);
        }
    }

    /// Removes all series that match.
    pub(crate) fn remove(&mut self, name: &str, matching: &[(&str, &str)]) {
        for at in self.matched(name, matching).into_iter().rev() {
            self.series.remove(at);
        }
    }

    /// Adds a second copy of all series that match, told apart by one more label.
    pub(crate) fn duplicate(&mut self, name: &str, matching: &[(&str, &str)], label: &str, value: &str) {
        for at in self.matched(name, matching) {
            let mut copy = self.series[at].clone();
            copy.labels.push((label.to_owned(), value.to_owned()));
            self.series.push(copy);
        }
    }

    /// So many acknowledged writes to postgres are found in a class of bad ones instead of present, from then on.
    pub(crate) fn find(&mut self, class: &str, since: f64, count: f64) {
        let (family, store) = ("ordeal_ledger_audit", ("store", "postgres"));
        self.set(family, &[store, ("class", class)], steps(&[(0.0, 0.0), (since, count)]));
        if class == "lost" || class == "corrupt" {
            self.bend(family, &[store, ("class", "present")], move |t, present| {
                Some(present? - if t < since { 0.0 } else { count })
            });
        }
    }

    /// Only this share of the users runs, and spends time.
    pub(crate) fn fewer(&mut self, share: f64) {
        let part = move |_: f64, value: Option<f64>| Some(value? * share);
        self.bend("ordeal_users", &[("state", "running")], part);
        self.bend("ordeal_user_seconds_total", &[], part);
    }

    /// Its users do nothing any more from then on, whatever else it shows.
    pub(crate) fn stop_users(&mut self, at: f64) {
        for series in &mut self.series {
            let before = series.value.clone();
            let runs = series.name == "ordeal_users";
            if runs || spread::OF_LOAD.contains(&series.name.as_str()) {
                series.value = Arc::new(move |t| if runs && t > at { Some(0.0) } else { before(t.min(at)) });
            }
        }
    }

    /// Only this share of the good answers takes no longer than 2 s.
    pub(crate) fn in_time(&mut self, share: f64) {
        const LONGER: [&str; 6] = ["3", "5", "6", "10", "16", "+Inf"];
        for at in self.matched("ordeal_response_time_seconds_bucket", &[("outcome", "ok")]) {
            let longer = |(label, le): &(String, String)| label == "le" && LONGER.contains(&le.as_str());
            if !self.series[at].labels.iter().any(longer) {
                let count = self.series[at].value.clone();
                self.series[at].value = Arc::new(move |t| Some((count(t)? * share).floor()));
            }
        }
    }

    /// Goes through these phases instead of its own.
    pub(crate) fn walk(&mut self, phases: &[(&'static str, f64)]) {
        self.remove("ordeal_run_phase", &[]);
        self.remove("ordeal_run_phase_start_timestamp_seconds", &[]);
        healthy::walk(self, phases);
    }

    /// Loses all scrapes of an interval.
    pub(crate) fn gap(&mut self, from: f64, to: f64) {
        self.gaps.push((from, to));
    }

    /// Every series, with the count of requests begun, which is that of the ended ones, and the beginnings of alerts, unless
    /// they are made otherwise.
    fn exposed(&self) -> Vec<Series> {
        let mut series = self.series.clone();
        if !series.iter().any(|series| series.name == BEGUN) {
            series.extend(self.begun());
        }
        series.extend(alerts::active(self));
        series
    }

    /// Makes the count of requests begun from what the requests are now, whatever becomes of them later.
    pub(crate) fn keep_begun(&mut self) {
        let begun = self.begun().expect("the run has requests");
        self.series.push(begun);
    }

    fn begun(&self) -> Option<Series> {
        let of_requests = self.series.iter().filter(|series| series.name == "ordeal_requests_total");
        let ended: Vec<Value> = of_requests.map(|series| series.value.clone()).collect();
        let sum = move |t: f64| {
            let values: Vec<f64> =
                ended.iter().filter_map(|value| value(t)).filter(|it| it.is_finite()).collect();
            (!values.is_empty()).then(|| values.iter().sum())
        };
        let any = self.series.iter().any(|series| series.name == "ordeal_requests_total");
        any.then(|| Series { name: BEGUN.to_owned(), labels: Vec::new(), value: Arc::new(sum) })
    }

    /// The times of the scrapes, in seconds since the run's start.
    fn scrapes(&self) -> Vec<f64> {
        let mut times = Vec::new();
        let mut at = self.first;
        let mut number = 0;
        while at <= self.last {
            number += 1;
            let missing = self.one_missing_in > 0 && number % self.one_missing_in == self.one_missing_in / 2;
            if !missing && !self.gaps.iter().any(|(from, to)| (*from..=*to).contains(&at)) {
                times.push(at);
            }
            at += self.interval;
        }
        times
    }

    /// The run in the `OpenMetrics` text format, begun at `start` (Unix seconds); without the closing line.
    pub(crate) fn text(&self, start: f64) -> String {
        let mut text = String::new();
        let scrapes = self.scrapes();
        for series in &self.exposed() {
            let labels = self.labels(series, &[("job", "ordeal"), ("instance", &self.instance)]);
            for at in &scrapes {
                let Some(value) = series.at(*at, start) else { continue };
                let stamp = start + at + self.skew;
                let _ = writeln!(text, "{}{{{labels}}} {value} {stamp:.3}", series.name);
            }
        }
        text
    }

    /// One scrape's exposition, `at` seconds after the run's start at `start` (Unix seconds).
    pub(crate) fn exposition(&self, at: f64, start: f64) -> String {
        let mut text = String::new();
        for series in &self.exposed() {
            let Some(value) = series.at(at, start) else { continue };
            let _ = writeln!(text, "{}{{{}}} {value}", series.name, self.labels(series, &[]));
        }
        text
    }

    fn labels(&self, series: &Series, added: &[(&str, &str)]) -> String {
        let own = || series.labels.iter().map(|(label, value)| (label.as_str(), value.as_str()));
        let added = added.iter().copied().filter(|(label, _)| own().all(|(is, _)| is != *label));
        let all = added.chain(own()).filter(|(_, value)| !value.is_empty());
        let told = all.map(|(label, value)| format!("{label}=\"{}\"", value.replace("$run", &self.id)));
        told.collect::<Vec<_>>().join(",")
    }
}

impl Series {
    /// Its value as exposed at some time of a run that began at `start`.
    fn at(&self, at: f64, start: f64) -> Option<String> {
        let value = (self.value)(at)?;
        let moment = is_time(&self.name) && value > MOMENT / 2.0;
        let value = if moment { value - MOMENT + start } else { value };
        // Told in whole seconds.
        Some(shown(if self.name == alerts::ACTIVE { value.floor() } else { value }))
    }
}

/// Each request begun is one observation of how late it began.
const BEGUN: &str = "ordeal_schedule_lag_seconds_count";

/// Values of timestamp families are moments: this much plus the seconds since the run's start.
pub(crate) const MOMENT: f64 = 1e9;

fn is_time(name: &str) -> bool {
    name.ends_with("_timestamp_seconds")
        || name == "ordeal_time_seconds"
        || name == "process_start_time_seconds"
        || name == alerts::ACTIVE
}

fn shown(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        "+Inf".to_owned()
    } else {
        value.to_string()
    }
}

/// A constant.
pub(crate) fn always(value: f64) -> impl Fn(f64) -> Option<f64> + Send + Sync + Clone {
    move |_| Some(value)
}

/// A moment that is exposed from then on.
pub(crate) fn moment(at: f64) -> impl Fn(f64) -> Option<f64> + Send + Sync + Clone {
    move |t| (t >= at).then_some(MOMENT + at)
}

/// A value that is exposed from some time on.
pub(crate) fn from(at: f64, value: f64) -> impl Fn(f64) -> Option<f64> + Send + Sync + Clone {
    move |t| (t >= at).then_some(value)
}

/// Steps: the value of the last one that was reached.
pub(crate) fn steps(steps: &[(f64, f64)]) -> impl Fn(f64) -> Option<f64> + Send + Sync + Clone + use<> {
    let steps = steps.to_vec();
    move |t| steps.iter().rev().find(|(at, _)| t >= *at).map(|(_, value)| *value)
}

/// Objectives of every kind, for a run.
pub(crate) fn slos(run: &str) -> String {
    include_str!("slos.yaml").replace("$run", run)
}

/// What a finding says: its verdict and the names of its shortfalls.
pub(crate) fn said(told: &serde_json::Value, objective: &str) -> String {
    let findings = told["findings"].as_array().expect("findings");
    let finding = findings.iter().find(|finding| finding["name"] == objective).expect("the objective");
    let shortfalls = finding["shortfalls"].as_array().expect("shortfalls");
    let names: Vec<_> = shortfalls.iter().filter_map(|shortfall| shortfall["name"].as_str()).collect();
    format!("{} {}", finding["verdict"].as_str().expect("a verdict"), names.join(" "))
}
