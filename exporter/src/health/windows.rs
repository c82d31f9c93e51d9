//! Which experiment was under way when (pure): the cause of outages, and what the replicas are held to.

use std::collections::BTreeMap;

use super::tracker::Outage;
use crate::clock::Moment;
use crate::cluster::Target;

/// An experiment that begins.
#[derive(Debug, Clone)]
pub struct Window {
    /// When it begins, before anything is asked or noted for the injection.
    pub begins: Moment,
    /// The instances (or nodes) that it hits.
    pub targets: Vec<Target>,
    /// Whether they count as ready replicas only after the experiment.
    pub replaced: bool,
}

/// Why a component did not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The outage began between the moment at which an experiment's injection began to act and the one at which all its
    /// components were final.
    Experiment,
    /// No experiment explains it.
    None,
}

impl Cause {
    /// Both, in the order of their indices.
    pub const ALL: [Self; 2] = [Self::Experiment, Self::None];

    /// The value of the label `cause`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Experiment => "experiment",
            Self::None => "none",
        }
    }
}

/// An experiment under way.
#[derive(Debug)]
pub(super) struct Underway {
    pub(super) window: Window,
    /// Ready instances of each workload just before the injection.
    pub(super) ready_before: BTreeMap<String, usize>,
    /// From when on something may be broken; `None`: not yet.
    pub(super) hit: Option<Moment>,
}

/// The experiments of a run so far; one at a time.
#[derive(Debug, Default)]
pub(super) struct Windows {
    past: Vec<(Moment, Moment)>,
    underway: Option<Underway>,
}

impl Windows {
    /// Begins an experiment; one that is under way ends with it.
    pub(super) fn begin(&mut self, window: Window, ready_before: BTreeMap<String, usize>) {
        self.end(window.begins);
        self.underway = Some(Underway { window, ready_before, hit: None });
    }

    /// From `at` on the fault of the experiment under way may break something.
    pub(super) fn hit(&mut self, at: Moment) {
        if let Some(underway) = &mut self.underway {
            underway.hit = Some(at);
        }
    }

    /// Ends the experiment under way: all its components were final at `at`.
    pub(super) fn end(&mut self, at: Moment) {
        if let Some(hit) = self.underway.take().and_then(|underway| underway.hit) {
            self.past.push((hit, at));
        }
    }

    pub(super) fn underway(&self) -> Option<&Underway> {
        self.underway.as_ref()
    }

    /// Bounds that touch the experiment's time count as within it: an outage that a fault makes begins at the
    /// injection at the earliest, but its lower bound may lie before.
    pub(super) fn cause(&self, outage: &Outage) -> Cause {
        let after = |injected: Moment| outage.began.upper >= injected;
        let past = self.past.iter().any(|&(injected, over)| after(injected) && outage.first_failed <= over);
        let now = self.underway.as_ref().and_then(|underway| underway.hit).is_some_and(after);
        if past || now { Cause::Experiment } else { Cause::None }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::tracker::Bounds;

    fn at(seconds: u64) -> Moment {
        Moment(Duration::from_secs(seconds))
    }

    fn outage(began: u64) -> Outage {
        Outage {
            first_failed: at(began),
            last_failed: at(began),
            began: Bounds { lower: at(began - 1), upper: at(began) },
            ended: None,
            over: false,
            answers_within: Duration::from_millis(10),
        }
    }

    #[test]
    fn an_experiment_explains_the_outages_that_begin_while_it_lasts() {
        let mut windows = Windows::default();
        assert_eq!(windows.cause(&outage(10)), Cause::None);
        windows.begin(Window { begins: at(15), targets: vec![], replaced: false }, BTreeMap::new());
        assert_eq!(windows.cause(&outage(16)), Cause::None, "nothing is broken yet");
        windows.hit(at(20));
        let table =
            [(19, Cause::None), (20, Cause::Experiment), (35, Cause::Experiment), (50, Cause::Experiment)];
        for (began, cause) in table {
            assert_eq!(windows.cause(&outage(began)), cause, "{began}");
        }
        windows.end(at(40));
        let table = [(19, Cause::None), (20, Cause::Experiment), (40, Cause::Experiment), (41, Cause::None)];
        for (began, cause) in table {
            assert_eq!(windows.cause(&outage(began)), cause, "{began}");
        }
        windows.begin(Window { begins: at(50), targets: vec![], replaced: false }, BTreeMap::new());
        windows.end(at(60));
        assert_eq!(windows.cause(&outage(55)), Cause::None, "that one was refused");
    }
}
