//! A run as Prometheus shows it (pure): its processes, phases and experiments, and what is wrong with all of it.

mod find;
mod phases;
mod read;

use std::collections::BTreeMap;

pub(crate) use find::{Found, find};

use crate::evidence::{Edge, Millis, PhaseName, Processes, Shortfall, State};

/// One execution of a trial.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) trial: String,
    /// When any of its processes was first and last seen, on Prometheus' clock.
    pub(crate) seen: (Millis, Millis),
    /// Start and end on the exporter's clock, in Unix seconds.
    pub(crate) start: f64,
    pub(crate) end: Option<f64>,
    /// In order of their beginnings.
    pub(crate) phases: Vec<Phase>,
    pub(crate) processes: Processes,
    pub(crate) experiments: BTreeMap<String, Experiment>,
    /// Whether it was stopped before its end.
    pub(crate) aborted: bool,
    /// What stands against every objective.
    pub(crate) flaws: Vec<Shortfall>,
}

/// A part of the run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Phase {
    pub(crate) name: PhaseName,
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
    /// Its last state, if any was recorded.
    pub(crate) state: Option<State>,
    /// When that state, if it is a last one, was reached.
    pub(crate) ended: Option<Edge>,
    /// What keeps all of this from being relied on.
    pub(crate) flaw: Option<Shortfall>,
}

impl Experiment {
    /// Whether it is shown to have broken something, by a record that does not contradict itself.
    pub(crate) fn broke(&self) -> bool {
        self.flaw.is_none() && self.injected.is_some() && self.state.is_some_and(State::is_of_harm)
    }
}

impl Run {
    /// A phase by name.
    pub(crate) fn phase(&self, name: PhaseName) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// The phase in which the run was stopped, if it was.
    pub(crate) fn stopped_in(&self) -> Option<PhaseName> {
        let last = self.phases.iter().map(|phase| phase.name).filter(|name| name.is_of_trial()).max();
        self.aborted.then(|| last.unwrap_or(PhaseName::Preflight))
    }

    /// When the load ended: with whatever follows `experiments` or `steady`.
    pub(crate) fn load_end(&self) -> Option<f64> {
        let phases = [PhaseName::Experiments, PhaseName::Steady, PhaseName::Ramp];
        phases.into_iter().find_map(|name| self.phase(name)).map(|phase| phase.end)
    }

    /// Prometheus' time of the run's start and end; when it was first and last seen where they are not known.
    pub(crate) fn times(&self) -> (Millis, Millis) {
        if self.processes.is_dark() {
            return self.seen;
        }
        let last = self.processes.fetch_window().1;
        let end = self.end.map_or(last, |end| self.processes.prometheus_time(end));
        (self.processes.prometheus_time(self.start), end)
    }

    /// Prometheus' time of what charts show: as long as the run, and up to the last scrape of any of its processes, which
    /// alone tells what was so at the run's end; to the full second, in which ranges are asked for.
    pub(crate) fn charted(&self) -> (Millis, Millis) {
        let (start, end) = self.times();
        let last = end.max(self.processes.fetch_window().1);
        (start, Millis::from_seconds(last.seconds().ceil()))
    }
}
