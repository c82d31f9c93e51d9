//! Pure: may the next experiment begin?
//!
//! A fault on top of a fault measures nothing and may break what one fault alone would not. So an
//! experiment begins only on a system that is whole, with nothing left to put back.

use std::fmt;

use super::experiment::State;

/// What is known of a component's health at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Its last probes were good.
    Up,
    /// It is in an outage.
    Down,
    /// No probe has answered yet: nothing is known, which is not good enough.
    Unknown,
}

/// All that the decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Every component of the trial, by name.
    pub components: &'a [(&'a str, Health)],
    /// The experiments before this one, by name.
    pub previous: &'a [(&'a str, State)],
    /// Experiments that the journal still has to put back.
    pub unfinished: &'a [String],
    /// Whether the run is being aborted.
    pub aborting: bool,
}

/// The guard's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing speaks against it.
    Start,
    /// It must not begin: the experiment becomes `refused`.
    Refuse(Refusal),
    /// The run ends before its turn: the experiment becomes `skipped`.
    Skip,
}

/// Why an experiment must not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Something is already down, or was never seen up.
    Degraded {
        /// The components that are down.
        down: Vec<String>,
        /// The components of which nothing is known.
        unknown: Vec<String>,
    },
    /// An earlier experiment is still under way.
    Overlap {
        /// That experiment.
        experiment: String,
        /// Where it stands.
        state: State,
    },
    /// An earlier fault was not put back.
    NotPutBack {
        /// The experiments concerned.
        experiments: Vec<String>,
    },
    /// The target command named nothing to break.
    NoTarget,
    /// The target command did not work.
    TargetUnknown {
        /// What it said.
        reason: String,
    },
    /// It could not be noted down, or its command could not be started.
    NotBegun {
        /// What went wrong.
        reason: String,
    },
}

impl Refusal {
    /// A word for the kind of refusal, from a closed set.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Degraded { .. } => "degraded",
            Self::Overlap { .. } => "overlap",
            Self::NotPutBack { .. } => "not_put_back",
            Self::NoTarget => "no_target",
            Self::TargetUnknown { .. } => "target_unknown",
            Self::NotBegun { .. } => "not_begun",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Degraded { down, unknown } => {
                f.write_str("the system is already degraded: ")?;
                let down = down.iter().map(|name| format!("{name} is down"));
                let unknown = unknown.iter().map(|name| format!("{name} was never seen up"));
                f.write_str(&down.chain(unknown).collect::<Vec<_>>().join(", "))
            }
            Self::Overlap { experiment, state } => write!(f, "{experiment} is still {state}"),
            Self::NotPutBack { experiments } => {
                write!(f, "not put back yet: {} (run `load-exporter recover`)", experiments.join(", "))
            }
            Self::NoTarget => f.write_str("no target: the target command printed no instance"),
            Self::TargetUnknown { reason } => write!(f, "the target command failed: {reason}"),
            Self::NotBegun { reason } => write!(f, "it could not be begun: {reason}"),
        }
    }
}

/// Decides whether the next experiment may begin.
pub fn may_start(situation: &Situation<'_>) -> Decision {
    if situation.aborting {
        return Decision::Skip;
    }
    if !situation.unfinished.is_empty() {
        return Decision::Refuse(Refusal::NotPutBack { experiments: situation.unfinished.to_vec() });
    }
    if let Some((experiment, state)) = situation.previous.iter().find(|(_, state)| !state.is_final()) {
        return Decision::Refuse(Refusal::Overlap { experiment: (*experiment).to_owned(), state: *state });
    }
    let with = |health: Health| -> Vec<String> {
        let those = situation.components.iter().filter(|(_, now)| *now == health);
        those.map(|(name, _)| (*name).to_owned()).collect()
    };
    let (down, unknown) = (with(Health::Down), with(Health::Unknown));
    if down.is_empty() && unknown.is_empty() {
        Decision::Start
    } else {
        Decision::Refuse(Refusal::Degraded { down, unknown })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[(&str, Health)] = &[("shop", Health::Up), ("postgres", Health::Up)];

    fn situation<'a>() -> Situation<'a> {
        Situation { components: WHOLE, previous: &[], unfinished: &[], aborting: false }
    }

    fn text(situation: &Situation<'_>) -> String {
        match may_start(situation) {
            Decision::Start => "start".to_owned(),
            Decision::Skip => "skip".to_owned(),
            Decision::Refuse(refusal) => format!("{}: {refusal}", refusal.kind()),
        }
    }

    #[test]
    fn starts_only_when_nothing_speaks_against_it() {
        let left = ["drain".to_owned()];
        let partly: &[(&str, Health)] =
            &[("shop", Health::Down), ("redis", Health::Unknown), ("postgres", Health::Up)];
        let cases: [(&str, Situation<'_>, &str); 8] = [
            ("whole", situation(), "start"),
            ("aborting", Situation { aborting: true, ..situation() }, "skip"),
            (
                "aborting wins over everything",
                Situation { aborting: true, unfinished: &left, components: partly, ..situation() },
                "skip",
            ),
            (
                "something to put back",
                Situation { unfinished: &left, ..situation() },
                "not_put_back: not put back yet: drain (run `load-exporter recover`)",
            ),
            (
                "previous under way",
                Situation { previous: &[("kill", State::Recovering)], ..situation() },
                "overlap: kill is still recovering",
            ),
            (
                "previous planned is not final either",
                Situation { previous: &[("kill", State::Planned)], ..situation() },
                "overlap: kill is still planned",
            ),
            (
                "previous failed, but the system is whole again",
                Situation { previous: &[("kill", State::NotRecovered)], ..situation() },
                "start",
            ),
            (
                "degraded",
                Situation { components: partly, ..situation() },
                "degraded: the system is already degraded: shop is down, redis was never seen up",
            ),
        ];
        for (name, situation, expected) in cases {
            assert_eq!(text(&situation), expected, "{name}");
        }
    }
}
