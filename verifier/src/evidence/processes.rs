//! The processes that expose a run, and how their clocks and scrapes stand to each other. Pure.

use std::collections::BTreeSet;
use std::fmt;

use super::window::{self, Cut, Edge, Window};
use super::{Labels, Lack, Millis, Shortfall};

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

/// The processes of a run: the conductor, which there always is, and whoever else carries load, by number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Processes {
    conductor: Process,
    others: Vec<Process>,
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

impl Processes {
    /// The conductor, and the others in their order.
    pub(crate) fn new(conductor: Process, others: impl IntoIterator<Item = Process>) -> Self {
        Self { conductor, others: others.into_iter().collect() }
    }

    /// The process that leads the run.
    pub(crate) fn conductor(&self) -> &Process {
        &self.conductor
    }

    /// All of them, the conductor first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Process> {
        std::iter::once(&self.conductor).chain(&self.others)
    }

    /// The process of that number, which series that were laid along its scrapes carry.
    pub(crate) fn get(&self, process: usize) -> &Process {
        process.checked_sub(1).map_or(&self.conductor, |other| &self.others[other])
    }

    /// Whether some process has no usable scrape, so that nothing can be placed in time.
    pub(crate) fn is_dark(&self) -> bool {
        self.iter().any(|process| process.scrapes.is_empty())
    }

    /// The time that is fetched: from just before the first scrape of any process to the last.
    pub(crate) fn fetch_window(&self) -> (Millis, Millis) {
        let all = || self.iter().flat_map(|process| process.scrapes.iter().map(|scrape| scrape.at));
        window_of(all().min().unwrap_or(Millis(0)), all().max().unwrap_or(Millis(0)))
    }

    /// Label matchers that hold for the run's processes only.
    pub(crate) fn pinned(&self) -> String {
        pin(self.iter().map(|process| (process.job.as_str(), process.instance.as_str())))
    }

    /// The processes that must have a family.
    pub(crate) fn with(&self, of_load: bool) -> Vec<usize> {
        if of_load { (0..=self.others.len()).filter(|at| self.get(*at).loads).collect() } else { vec![0] }
    }

    /// The scrapes of a process that decide a window on the conductor's clock.
    pub(crate) fn cut(&self, process: usize, window: Window) -> Result<Cut, Shortfall> {
        let clocks: Vec<f64> = self.get(process).scrapes.iter().map(|scrape| scrape.clock).collect();
        match window {
            Window::Run => {
                let last = clocks.len().checked_sub(1);
                let last =
                    last.ok_or_else(|| Shortfall::new(Lack::NoSamples, "the process has no scrape"))?;
                Ok(Cut { outer: (None, last), inner: Some((None, last)) })
            }
            Window::Part { from, to } => {
                let (low, high) = self.shift(process);
                let shifted = |edge: Edge| Edge { earliest: edge.earliest + low, latest: edge.latest + high };
                window::cut(&clocks, shifted(from), shifted(to))
            }
        }
    }

    /// How far a process's clock may be ahead of the conductor's, as bounds. Zero for the conductor.
    pub(crate) fn shift(&self, process: usize) -> (f64, f64) {
        if process == 0 {
            return (0.0, 0.0);
        }
        let (ours, theirs) = (self.conductor().skew(), self.get(process).skew());
        (ours.0 - theirs.1, ours.1 - theirs.0)
    }

    /// Prometheus' time of an instant on the conductor's clock, in the middle of what is possible.
    pub(crate) fn prometheus_time(&self, clock: f64) -> Millis {
        let (low, high) = self.conductor().skew();
        Millis::from_seconds(clock + f64::midpoint(low, high))
    }

    /// The conductor's clock at an instant of Prometheus', as bounds.
    pub(crate) fn clock_at(&self, at: Millis) -> Edge {
        let (low, high) = self.conductor().skew();
        Edge { earliest: at.seconds() - high, latest: at.seconds() - low }
    }

    /// The largest difference between the clocks, in seconds.
    pub(crate) fn largest_skew(&self) -> f64 {
        let of = |process: &Process| {
            let (low, high) = process.skew();
            low.abs().max(high.abs())
        };
        self.iter().filter(|process| !process.scrapes.is_empty()).map(of).fold(0.0, f64::max)
    }

    /// The median time between two scrapes of the conductor.
    pub(crate) fn scrape_interval(&self) -> f64 {
        let mut steps: Vec<f64> =
            self.conductor().scrapes.windows(2).map(|pair| pair[1].clock - pair[0].clock).collect();
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
