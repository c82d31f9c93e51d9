//! Pure: may the next experiment begin?
//!
//! A fault on top of a fault measures nothing and may break what one fault alone would not. So an
//! experiment begins only on a system that is whole, with nothing left to put back.

mod obstacle;

use std::fmt;
use std::time::Duration;

use super::experiment::State;
use crate::clock::Moment;
use crate::trial::Name;

pub use self::obstacle::{OPT_IN, Obstacle, opted_in};

/// How long the guard's word holds. What was healthy then may not be any more.
const HOLDS: Duration = Duration::from_secs(5);

/// All that the decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Every component of the trial, and whether it serves at this moment.
    pub components: &'a [(Name, bool)],
    /// The experiments before this one, by name.
    pub previous: &'a [(&'a str, State)],
    /// Experiments that the journal still has to put back.
    pub unfinished: &'a [String],
}

/// The guard's word that one experiment may begin. Only the guard gives it, and an injection takes it away.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    experiment: Name,
    given: Moment,
}

impl Permit {
    /// Takes the word for `experiment` at `now`; says why it does not hold, if it does not.
    pub(super) fn take(self, experiment: &Name, now: Moment) -> Result<(), Refusal> {
        let stale = |reason| Err(Refusal::NotBegun { reason });
        if self.experiment != *experiment {
            return stale(format!("the guard's word was given to {}", self.experiment));
        }
        match now.since(self.given) {
            age if age > HOLDS => stale(format!("the guard's word is {:.0} s old", age.as_secs_f64())),
            _ => Ok(()),
        }
    }
}

/// Why an experiment must not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Something does not serve already.
    Degraded {
        /// The components that are down.
        down: Vec<String>,
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
    NoTarget {
        /// What it printed on standard error, which may be why: the status of a pipeline is that of its last
        /// command.
        said: String,
    },
    /// They could not be found out.
    TargetUnknown {
        /// Why.
        reason: String,
    },
    /// Something of the cluster speaks against it.
    Obstacle(Obstacle),
    /// Nothing tells whether the targets that are to be replaced are known.
    NoDocument,
    /// A target that is to be replaced is unknown, so that nobody would see whether it was.
    NoReplica {
        /// The target, without secrets.
        target: String,
        /// Where it was looked for.
        workloads: String,
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
            Self::NoTarget { .. } => "no_target",
            Self::TargetUnknown { .. } => "target_unknown",
            Self::Obstacle(obstacle) => obstacle.kind(),
            Self::NoDocument => "no_document",
            Self::NoReplica { .. } => "no_replica",
            Self::NotBegun { .. } => "not_begun",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Degraded { down } => {
                let down: Vec<_> = down.iter().map(|name| format!("{name} is down")).collect();
                write!(f, "the system is already degraded: {}", down.join(", "))
            }
            Self::Overlap { experiment, state } => write!(f, "{experiment} is still {state}"),
            Self::NotPutBack { experiments } => {
                write!(f, "not put back yet: {} (run `load-exporter recover`)", experiments.join(", "))
            }
            Self::NoTarget { said } => {
                f.write_str("no target: the target command printed no instance")?;
                if said.is_empty() { Ok(()) } else { write!(f, ", but on standard error: {said}") }
            }
            Self::TargetUnknown { reason } => write!(f, "the targets are not known: {reason}"),
            Self::Obstacle(obstacle) => write!(f, "{obstacle}"),
            Self::NoDocument => f.write_str("no status document could be read to look for the targets"),
            Self::NoReplica { target, workloads } => {
                write!(f, "target {target} is neither an instance nor a node of workload {workloads}")
            }
            Self::NotBegun { reason } => write!(f, "it could not be begun: {reason}"),
        }
    }
}

/// Decides whether `experiment` may begin now.
pub fn may_start(experiment: &Name, situation: &Situation<'_>, now: Moment) -> Result<Permit, Refusal> {
    if !situation.unfinished.is_empty() {
        return Err(Refusal::NotPutBack { experiments: situation.unfinished.to_vec() });
    }
    if let Some((experiment, state)) = situation.previous.iter().find(|(_, state)| !state.is_final()) {
        return Err(Refusal::Overlap { experiment: (*experiment).to_owned(), state: *state });
    }
    let down = situation.components.iter().filter(|(_, serves)| !serves);
    let down: Vec<String> = down.map(|(name, _)| name.to_string()).collect();
    if down.is_empty() {
        Ok(Permit { experiment: experiment.clone(), given: now })
    } else {
        Err(Refusal::Degraded { down })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    fn ask(situation: &Situation<'_>) -> Result<Permit, Refusal> {
        may_start(&name("cut"), situation, Moment::from_secs_f64(100.0))
    }

    #[test]
    fn starts_only_when_nothing_speaks_against_it() {
        let whole = [(name("shop"), true), (name("postgres"), true)];
        let partly = [(name("shop"), false), (name("redis"), false), (name("postgres"), true)];
        let situation = Situation { components: &whole, previous: &[], unfinished: &[] };
        let left = ["drain".to_owned()];
        let cases: [(&str, Situation<'_>, &str); 6] = [
            ("whole", situation, "start"),
            (
                "something to put back",
                Situation { unfinished: &left, components: &partly, ..situation },
                "not_put_back: not put back yet: drain (run `load-exporter recover`)",
            ),
            (
                "previous under way",
                Situation { previous: &[("kill", State::Recovering)], ..situation },
                "overlap: kill is still recovering",
            ),
            (
                "previous planned is not final either",
                Situation { previous: &[("kill", State::Planned)], ..situation },
                "overlap: kill is still planned",
            ),
            (
                "previous failed, but the system is whole again",
                Situation { previous: &[("kill", State::NotRecovered)], ..situation },
                "start",
            ),
            (
                "degraded",
                Situation { components: &partly, ..situation },
                "degraded: the system is already degraded: shop is down, redis is down",
            ),
        ];
        for (case, situation, expected) in cases {
            let text = match ask(&situation) {
                Ok(_) => "start".to_owned(),
                Err(refusal) => format!("{}: {refusal}", refusal.kind()),
            };
            assert_eq!(text, expected, "{case}");
        }
    }

    #[test]
    fn the_word_holds_for_one_experiment_and_not_for_long() {
        let nothing = Situation { components: &[], previous: &[], unfinished: &[] };
        let cases = [
            ("cut", 100.0, None),
            ("cut", 104.9, None),
            ("cut", 112.0, Some("it could not be begun: the guard's word is 12 s old")),
            ("kill", 100.0, Some("it could not be begun: the guard's word was given to cut")),
        ];
        for (experiment, at, expected) in cases {
            let permit = ask(&nothing).expect("nothing speaks against it");
            let taken = permit.take(&name(experiment), Moment::from_secs_f64(at));
            let said = taken.err().map(|refusal| refusal.to_string());
            assert_eq!(said.as_deref(), expected, "{experiment} at {at}");
        }
    }
}
