//! Pure: the life of one experiment as a state machine.
//!
//! [`State::on`] is the whole table: what is not in it cannot happen. Every experiment is in exactly one
//! state at any time, and a final state is never left.

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// Where an experiment stands. The labels are the values of the metric label `state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Its turn has not come.
    Planned,
    /// Its `inject` command has begun; the fault is being applied, or held.
    Injected,
    /// The fault was applied and, where there is a revert, put back: the components are awaited.
    Recovering,
    /// All its components recovered, and stayed healthy long enough for that to be final.
    Recovered,
    /// The deadline passed before that.
    NotRecovered,
    /// The fault could not be applied, or was not seen to take effect.
    Ineffective,
    /// It was not safe to begin.
    Refused,
    /// The run was aborted before its turn came.
    Skipped,
}

impl State {
    /// Every state, in the order of an experiment's life.
    pub const ALL: [Self; 8] = [
        Self::Planned,
        Self::Injected,
        Self::Recovering,
        Self::Recovered,
        Self::NotRecovered,
        Self::Ineffective,
        Self::Refused,
        Self::Skipped,
    ];

    /// The value of the label `state`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Injected => "injected",
            Self::Recovering => "recovering",
            Self::Recovered => "recovered",
            Self::NotRecovered => "not_recovered",
            Self::Ineffective => "ineffective",
            Self::Refused => "refused",
            Self::Skipped => "skipped",
        }
    }

    /// Whether nothing more will happen to the experiment.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Planned | Self::Injected | Self::Recovering)
    }

    /// The state after `event`.
    pub fn on(self, event: Event) -> Result<Self, IllegalTransition> {
        match (self, event) {
            (Self::Planned, Event::Refuse) => Ok(Self::Refused),
            (Self::Planned, Event::Inject) => Ok(Self::Injected),
            (Self::Injected, Event::Await) => Ok(Self::Recovering),
            (Self::Injected | Self::Recovering, Event::Fizzle) => Ok(Self::Ineffective),
            (Self::Recovering, Event::Recover) => Ok(Self::Recovered),
            (Self::Injected | Self::Recovering, Event::PassDeadline) => Ok(Self::NotRecovered),
            (Self::Planned, Event::Abort) => Ok(Self::Skipped),
            // What was under way when the run was aborted neither recovered nor failed to: the run's phase
            // says why it went no further.
            (state, Event::Abort) => Ok(state),
            (from, event) => Err(IllegalTransition { from, event }),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.label())
    }
}

/// What happens to an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The guard or its target command said no.
    Refuse,
    /// Its `inject` command begins.
    Inject,
    /// The fault is done with (applied, held and put back): from here its components are awaited.
    Await,
    /// The fault failed, neither a check of its own nor a failed probe saw it take effect, or it was less than it was to be.
    Fizzle,
    /// The recovery of all its components is final.
    Recover,
    /// Its deadline passed.
    PassDeadline,
    /// The run is aborted.
    Abort,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 7] = [
        Self::Refuse,
        Self::Inject,
        Self::Await,
        Self::Fizzle,
        Self::Recover,
        Self::PassDeadline,
        Self::Abort,
    ];
}

/// An event that cannot happen in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an experiment that is {from} cannot take {event:?}")]
pub struct IllegalTransition {
    /// The state it is in.
    pub from: State,
    /// What was said to have happened.
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of state and event; what is not listed is illegal.
    const LEGAL: [(State, Event, State); 16] = [
        (State::Planned, Event::Refuse, State::Refused),
        (State::Planned, Event::Inject, State::Injected),
        (State::Planned, Event::Abort, State::Skipped),
        (State::Injected, Event::Await, State::Recovering),
        (State::Injected, Event::Fizzle, State::Ineffective),
        (State::Injected, Event::PassDeadline, State::NotRecovered),
        (State::Injected, Event::Abort, State::Injected),
        (State::Recovering, Event::Recover, State::Recovered),
        (State::Recovering, Event::Fizzle, State::Ineffective),
        (State::Recovering, Event::PassDeadline, State::NotRecovered),
        (State::Recovering, Event::Abort, State::Recovering),
        (State::Recovered, Event::Abort, State::Recovered),
        (State::NotRecovered, Event::Abort, State::NotRecovered),
        (State::Ineffective, Event::Abort, State::Ineffective),
        (State::Refused, Event::Abort, State::Refused),
        (State::Skipped, Event::Abort, State::Skipped),
    ];

    #[test]
    fn the_table_is_the_whole_machine() {
        for from in State::ALL {
            for event in Event::ALL {
                let expected = LEGAL
                    .iter()
                    .find(|(state, on, _)| *state == from && *on == event)
                    .map(|(_, _, to)| *to)
                    .ok_or(IllegalTransition { from, event });
                assert_eq!(from.on(event), expected, "{from} on {event:?}");
            }
        }
    }

    #[test]
    fn a_final_state_is_never_left() {
        for from in State::ALL.into_iter().filter(|state| state.is_final()) {
            for event in Event::ALL {
                assert!(from.on(event).is_err() || from.on(event) == Ok(from), "{from} on {event:?}");
            }
        }
    }

    #[test]
    fn labels_are_distinct() {
        let labels: std::collections::BTreeSet<_> = State::ALL.iter().map(|state| state.label()).collect();
        assert_eq!(labels.len(), State::ALL.len());
    }
}
