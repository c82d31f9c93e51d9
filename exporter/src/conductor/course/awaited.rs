//! Pure: how far the components that an experiment waits for are.

use std::sync::Arc;
use std::time::Duration;

use super::{Note, Outcome};
use crate::chaos::plan::Plan;
use crate::clock::Moment;
use crate::health::tracker::{Question, Recovery, Revert, Saw, Seconds, Since, Span};

/// The components awaited after an injection, and what is known by then.
#[derive(Debug)]
pub(super) struct Awaited {
    pub(super) plan: Arc<Plan>,
    pub(super) injected: Span,
    pub(super) deadline: Moment,
    /// Whether the fault's own check or a failed probe saw it: a slow answer comes of much else.
    pub(super) seen: bool,
    /// Whether it was, or may have been, less than it was to be.
    pub(super) spoilt: bool,
    revert: Revert,
    /// Component and instant counted from, of the recoveries that are not final yet.
    open: Vec<(usize, Since)>,
    all_recovered: bool,
}

impl Awaited {
    pub(super) fn new(plan: Arc<Plan>, injected: Span, components: &[usize], deadline: Moment) -> Self {
        Self {
            injected,
            deadline,
            seen: false,
            spoilt: false,
            revert: if plan.action.undo().is_some() { Revert::Due } else { Revert::None },
            open: components.iter().map(|component| (*component, Since::Injected)).collect(),
            all_recovered: true,
            plan,
        }
    }

    /// From the revert on, the recoveries since it are awaited too.
    pub(super) fn reverted(&mut self, span: Span, components: &[usize]) {
        self.revert = Revert::Done(span);
        self.open.extend(components.iter().map(|component| (*component, Since::Reverted)));
    }

    pub(super) fn any_open(&self) -> bool {
        !self.open.is_empty()
    }

    pub(super) fn questions(&self, settle: Duration) -> Vec<(usize, Question)> {
        let Self { injected, revert, deadline, .. } = *self;
        let question = |since| Question { injected, revert, since, settle, deadline };
        self.open.iter().map(|(component, since)| (*component, question(*since))).collect()
    }

    /// Takes the answers to the questions; notes those that are final.
    pub(super) fn take(&mut self, answers: Vec<Option<Recovery>>) -> Vec<Note> {
        let mut notes = Vec::new();
        let answers = answers.into_iter().chain(std::iter::repeat(None));
        for ((component, since), answer) in std::mem::take(&mut self.open).into_iter().zip(answers) {
            let seconds = match answer {
                None | Some(Recovery::Pending { .. }) => {
                    self.open.push((component, since));
                    continue;
                }
                Some(Recovery::Recovered { took, saw, .. }) => {
                    self.seen |= saw == Saw::Outage;
                    took.seconds()
                }
                Some(Recovery::NotRecovered { at_least, saw }) => {
                    self.seen |= saw == Saw::Outage;
                    self.all_recovered = false;
                    Seconds::more_than(at_least)
                }
            };
            notes.push(Note::Recovery { component, since, seconds });
        }
        notes
    }

    /// What came of the experiment once nothing is open. Nobody recovers from a fault that nobody saw, nor
    /// fails to; nor does anybody recover from one that was less than it was to be.
    pub(super) fn outcome(&self) -> Outcome {
        match (self.seen, self.all_recovered) {
            (false, _) => Outcome::Fizzle,
            // Less than was to be survived was not.
            (true, false) => Outcome::PassDeadline,
            (true, true) if self.spoilt => Outcome::Fizzle,
            (true, true) => Outcome::Recover,
        }
    }
}
