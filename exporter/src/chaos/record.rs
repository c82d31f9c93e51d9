//! What was done to what, when, and what came of it: this room's part of `chaos.json`.

use serde::{Serialize, Serializer};

use super::experiment::State;
use super::faults::Outcome;
use super::guard::Refusal;
use super::journal::Step;
use super::plan::Plan;
use crate::clock::{Clock, Moment};
use crate::trial::Experiment;

/// The experiments of a run.
#[derive(Debug, Clone, Serialize)]
pub struct ChaosReport {
    /// The run's id.
    pub run: String,
    /// Unix time of the clock's origin, from which `run_seconds` count.
    pub origin_unix_seconds: f64,
    /// The experiments, in the trial's order.
    pub experiments: Vec<ExperimentReport>,
    /// Faults of earlier runs that were put back when this one began.
    pub put_back_at_start: Vec<String>,
}

/// One experiment.
#[derive(Debug, Clone, Serialize)]
pub struct ExperimentReport {
    /// Its name.
    pub experiment: String,
    /// Its kind of fault.
    pub fault: &'static str,
    /// Where it ended up.
    pub state: State,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusalReport>,
    /// What was broken.
    pub targets: Vec<String>,
    /// When the injection began.
    pub injected: Option<At>,
    /// When the injection had ended.
    pub injection_ended: Option<At>,
    /// When the fault was seen to take effect; `None` also where nothing looks for that.
    pub bit: Option<At>,
    /// When the successful revert began.
    pub reverted: Option<At>,
    /// When it had ended.
    pub revert_ended: Option<At>,
    /// Every change of state.
    pub states: Vec<StateChange>,
    /// Every step that was taken, except looks that did not see the fault yet.
    pub commands: Vec<StepReport>,
}

/// An instant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct At {
    /// Seconds since the Unix epoch.
    pub unix_seconds: f64,
    /// Seconds since the clock's origin; negative in a run that was taken up again after a crash.
    pub run_seconds: f64,
}

/// A refusal.
#[derive(Debug, Clone, Serialize)]
pub struct RefusalReport {
    /// A word from a closed set.
    pub kind: &'static str,
    /// The whole reason.
    pub reason: String,
}

/// A change of state.
#[derive(Debug, Clone, Serialize)]
pub struct StateChange {
    /// The new state.
    pub state: State,
    /// When it came.
    pub at: At,
}

/// A step and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    /// Which of the experiment's steps it was.
    pub step: Step,
    /// When it began to act.
    pub start: At,
    /// When it acted no more.
    pub end: At,
    /// What its kind of fault tells of it; of a command `exit`, and the last lines of `stdout` and `stderr`.
    #[serde(flatten)]
    pub told: Told,
}

/// Keys and texts, in order.
#[derive(Debug, Clone)]
pub struct Told(Vec<(&'static str, String)>);

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, text)| (key, text)))
    }
}

impl At {
    /// `moment` of `clock`.
    pub fn new(clock: &Clock, moment: Moment) -> Self {
        Self { unix_seconds: clock.unix_seconds(moment), run_seconds: moment.as_secs_f64() }
    }

    /// A Unix time in milliseconds, which may lie before the clock's origin.
    pub(super) fn from_unix_ms(clock: &Clock, unix_ms: u64) -> Self {
        let unix_seconds = unix_ms as f64 / 1e3;
        Self { unix_seconds, run_seconds: unix_seconds - clock.unix_seconds(Moment::default()) }
    }
}

impl ChaosReport {
    /// The report of a run in which nothing has happened yet.
    pub fn new(run: &str, clock: &Clock, experiments: &[Experiment]) -> Self {
        Self {
            run: run.to_owned(),
            origin_unix_seconds: clock.unix_seconds(Moment::default()),
            experiments: experiments.iter().map(ExperimentReport::new).collect(),
            put_back_at_start: Vec::new(),
        }
    }
}

impl ExperimentReport {
    fn new(experiment: &Experiment) -> Self {
        Self {
            experiment: experiment.name.to_string(),
            fault: experiment.fault.kind().label(),
            state: State::Planned,
            refused: None,
            targets: Vec::new(),
            injected: None,
            injection_ended: None,
            bit: None,
            reverted: None,
            revert_ended: None,
            states: Vec::new(),
            commands: Vec::new(),
        }
    }

    pub(super) fn set_state(&mut self, state: State, at: At) {
        self.state = state;
        self.states.push(StateChange { state, at });
    }

    pub(super) fn refuse(&mut self, refusal: &Refusal) {
        self.refused = Some(RefusalReport { kind: refusal.kind(), reason: refusal.to_string() });
    }

    pub(super) fn plan(&mut self, plan: &Plan) {
        self.targets.clone_from(&plan.shown);
    }

    pub(super) fn step(&mut self, clock: &Clock, step: Step, outcome: &Outcome) {
        self.commands.push(StepReport {
            step,
            start: At::new(clock, outcome.start),
            end: At::new(clock, outcome.end),
            told: Told(outcome.told.clone()),
        });
    }
}
