//! Phases of a run and states of an experiment as numbers with words, so that one line shows which of them it is in
//! (pure data).

use crate::look::{Colour, State};

/// Which of its values a label has, told by a family of zeros and a one.
pub(super) struct Coded {
    family: &'static str,
    label: &'static str,
    /// What series are told apart by.
    by: &'static str,
    states: &'static [State],
}

/// The phases of a run.
pub(super) const PHASE: Coded = Coded { family: "ordeal_run_phase", label: "phase", by: "", states: &PHASES };

/// The states of each experiment.
pub(super) const EXPERIMENT: Coded =
    Coded { family: "ordeal_experiment_state", label: "state", by: "experiment", states: &EXPERIMENTS };

const fn state(code: u32, word: &'static str, colour: Colour) -> State {
    State { code, word, colour }
}

const PHASES: [State; 8] = [
    state(1, "preflight", Colour::Grey),
    state(2, "ramp", Colour::Blue),
    state(3, "steady", Colour::Green),
    state(4, "experiments", Colour::Purple),
    state(5, "cooldown", Colour::Blue),
    state(6, "audit", Colour::Yellow),
    state(7, "finished", Colour::Green),
    state(8, "aborted", Colour::Red),
];

const EXPERIMENTS: [State; 8] = [
    state(11, "planned", Colour::Grey),
    state(12, "injected", Colour::Red),
    state(13, "recovering", Colour::Yellow),
    state(14, "recovered", Colour::Green),
    state(15, "not_recovered", Colour::Red),
    state(16, "ineffective", Colour::Orange),
    state(17, "refused", Colour::Orange),
    state(18, "skipped", Colour::Orange),
];

impl Coded {
    /// The words of the numbers.
    pub(super) fn words(&self) -> Vec<State> {
        self.states.to_vec()
    }

    /// The number at each moment.
    pub(super) fn over_time(&self) -> String {
        self.with(|series| series)
    }

    /// The number at the end of the time range, also where the process is gone by then.
    pub(super) fn last(&self) -> String {
        self.with(|series| format!("last_over_time({series}[$__range])"))
    }

    fn with(&self, seen: impl Fn(String) -> String) -> String {
        let one = |State { code, word, .. }: &State| {
            let series = format!("{}{{RUN, {}=\"{word}\"}}", self.family, self.label);
            format!("{code} * ({} == 1)", seen(series))
        };
        let codes: Vec<_> = self.states.iter().map(one).collect();
        let by = if self.by.is_empty() { String::new() } else { format!(" by ({})", self.by) };
        format!("max{by} ({})", codes.join(" or "))
    }
}
