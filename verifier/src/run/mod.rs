//! A run as Prometheus shows it: its processes, phases and experiments, and what is wrong with it as a whole.

mod find;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub(crate) use find::{Found, find};

use crate::evidence::{Edge, Lack, Millis, Shortfall, Window};
use crate::source::Labels;

/// One execution of a trial.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) trial: String,
    /// Start and end on the exporter's clock, in Unix seconds.
    pub(crate) start: f64,
    pub(crate) end: Option<f64>,
    /// In order of their beginnings.
    pub(crate) phases: Vec<Phase>,
    /// The conductor first.
    pub(crate) processes: Vec<Process>,
    pub(crate) experiments: BTreeMap<String, Experiment>,
    /// Whether it was stopped before its end.
    pub(crate) aborted: bool,
    /// What stands against every objective.
    pub(crate) flaws: Vec<Shortfall>,
}

/// A process that exposes metrics of the run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Process {
    pub(crate) job: String,
    pub(crate) instance: String,
    /// Whether users run in it.
    pub(crate) loads: bool,
    pub(crate) scrapes: Vec<Scrape>,
}

/// One scrape: Prometheus' time and the process's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scrape {
    pub(crate) at: Millis,
    pub(crate) clock: f64,
}

/// A part of the run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Phase {
    pub(crate) name: String,
    pub(crate) start: f64,
    /// The beginning of the next one, or the run's end.
    pub(crate) end: f64,
}

/// One experiment.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Experiment {
    pub(crate) name: String,
    pub(crate) fault: String,
    pub(crate) injected: Option<f64>,
    pub(crate) reverted: Option<f64>,
    /// Its last state.
    pub(crate) state: String,
    /// When that state, if it is a last one, was reached.
    pub(crate) ended: Option<Edge>,
}

impl Process {
    /// Whether a series is this process's.
    pub(crate) fn owns(&self, labels: &Labels) -> bool {
        let is = |label: &str, value: &str| labels.get(label).map_or("", String::as_str) == value;
        is("job", &self.job) && is("instance", &self.instance)
    }

    /// The least and the greatest of Prometheus' time less the process's, in seconds.
    fn skew(&self) -> (f64, f64) {
        let skews = self.scrapes.iter().map(|scrape| scrape.at.seconds() - scrape.clock);
        skews.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), skew| (low.min(skew), high.max(skew)))
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {:?}, instance {:?}", self.job, self.instance)
    }
}

impl Run {
    /// Whether some process has no usable scrape, so that nothing can be placed in time.
    pub(crate) fn is_dark(&self) -> bool {
        self.processes.iter().any(|process| process.scrapes.is_empty())
    }

    /// The time that is fetched: from just before the first scrape of any process to the last.
    pub(crate) fn fetch_window(&self) -> (Millis, Millis) {
        let all = || self.processes.iter().flat_map(|process| process.scrapes.iter().map(|scrape| scrape.at));
        window_of(all().min().unwrap_or(Millis(0)), all().max().unwrap_or(Millis(0)))
    }

    /// Label matchers that hold for the run's processes only.
    pub(crate) fn pinned(&self) -> String {
        pin(self.processes.iter().map(|process| (process.job.as_str(), process.instance.as_str())))
    }

    /// The processes that must have a family.
    pub(crate) fn processes_with(&self, of_load: bool) -> Vec<usize> {
        if of_load {
            (0..self.processes.len()).filter(|at| self.processes[*at].loads).collect()
        } else {
            vec![0]
        }
    }

    /// A phase by name.
    pub(crate) fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// The phase in which the run was stopped, if it was: the last one before the audit that follows in any case.
    pub(crate) fn stopped_in(&self) -> Option<&str> {
        let of_trial =
            |phase: &&Phase| !["audit", "finished", "aborted"].contains(&phase.name.as_str());
        let last = self.phases.iter().rev().find(of_trial).map(|phase| phase.name.as_str());
        self.aborted.then(|| last.unwrap_or("preflight"))
    }

    /// When the load began and ended: from `ramp` to whatever follows `experiments` or `steady`.
    pub(crate) fn load_end(&self) -> Option<f64> {
        ["experiments", "steady", "ramp"].iter().find_map(|name| self.phase(name)).map(|phase| phase.end)
    }

    /// The scrapes of a process that decide a window on the conductor's clock.
    pub(crate) fn cut(&self, process: usize, window: Window) -> Result<crate::evidence::Cut, Shortfall> {
        let clocks: Vec<f64> = self.processes[process].scrapes.iter().map(|scrape| scrape.clock).collect();
        match window {
            Window::Run => {
                let last = clocks.len().checked_sub(1);
                let last =
                    last.ok_or_else(|| Shortfall::new(Lack::NoSamples, "the process has no scrape"))?;
                Ok(crate::evidence::Cut { outer: (None, last), inner: Some((None, last)) })
            }
            Window::Part { from, to } => {
                let (low, high) = self.shift(process);
                let shifted = |edge: Edge| Edge { earliest: edge.earliest + low, latest: edge.latest + high };
                crate::evidence::cut(&clocks, shifted(from), shifted(to))
            }
        }
    }

    /// How far a process's clock may be ahead of the conductor's, as bounds. Zero for the conductor.
    fn shift(&self, process: usize) -> (f64, f64) {
        if process == 0 {
            return (0.0, 0.0);
        }
        let (ours, theirs) = (self.processes[0].skew(), self.processes[process].skew());
        (ours.0 - theirs.1, ours.1 - theirs.0)
    }

    /// Prometheus' time of an instant on the conductor's clock, in the middle of what is possible.
    pub(crate) fn prometheus_time(&self, clock: f64) -> Millis {
        let (low, high) = self.processes[0].skew();
        Millis::from_seconds(clock + f64::midpoint(low, high))
    }

    /// An expression with the run's times in place of `$start`, `$end` and `$window`.
    pub(crate) fn fill(&self, expr: &str) -> String {
        let (from, last) = self.fetch_window();
        let start = if self.is_dark() { from } else { self.prometheus_time(self.start) };
        let end = self.end.map_or(last, |end| self.prometheus_time(end));
        let window = format!("{}ms", (end.0 - start.0).max(1));
        crate::slo::fill(expr, &start.to_string(), &end.to_string(), &window)
    }

    /// The largest difference between the clocks, in seconds.
    pub(crate) fn largest_skew(&self) -> f64 {
        let of = |process: &Process| {
            let (low, high) = process.skew();
            low.abs().max(high.abs())
        };
        self.processes.iter().filter(|process| !process.scrapes.is_empty()).map(of).fold(0.0, f64::max)
    }

    /// The median time between two scrapes of the conductor.
    pub(crate) fn scrape_interval(&self) -> f64 {
        let mut steps: Vec<f64> =
            self.processes[0].scrapes.windows(2).map(|pair| pair[1].clock - pair[0].clock).collect();
        steps.sort_by(f64::total_cmp);
        steps.get(steps.len() / 2).copied().unwrap_or(0.0)
    }
}

/// The window to fetch for samples from `first` to `last`. A second is added on the left, because a window is
/// left-open or left-closed as Prometheus' version has it.
pub(crate) fn window_of(first: Millis, last: Millis) -> (Millis, Millis) {
    (Millis(first.0 - 1000), last)
}

/// Label matchers for these pairs of job and instance.
pub(crate) fn pin<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let (jobs, instances): (BTreeSet<_>, BTreeSet<_>) = pairs.unzip();
    let matcher = |label: &str, values: BTreeSet<&str>| match values.first() {
        Some(value) if values.len() == 1 => format!("{label}={value:?}"),
        _ => {
            let quoted: Vec<_> = values.into_iter().map(quote).collect();
            format!("{label}=~{:?}", quoted.join("|"))
        }
    };
    format!("{},{}", matcher("job", jobs), matcher("instance", instances))
}

/// Takes their special meaning from the characters of a regular expression.
fn quote(text: &str) -> String {
    let special = |c: char| r"\.+*?()|[]{}^$".contains(c);
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_pinned_by_their_labels() {
        assert_eq!(pin([("j", "1.2.3.4:5")].into_iter()), r#"job="j",instance="1.2.3.4:5""#);
        assert_eq!(pin([("j", "a.b:1"), ("j", "c:1")].into_iter()), r#"job="j",instance=~"a\\.b:1|c:1""#);
    }
}
