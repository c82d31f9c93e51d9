//! Stretches in which no probe told anything, each long enough to hide an outage (pure).

use std::collections::VecDeque;

use crate::clock::Moment;

/// Stretches remembered one by one at most.
const KEPT: usize = 4096;

/// A stretch in which the component may have failed unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unseen {
    /// Start of the last probe before it that told something.
    pub(super) began: Moment,
    /// When the first one after it had told something.
    pub(super) ended: Moment,
}

/// All of them, oldest first. Where they are too many, the oldest are one from the beginning of the first: more may
/// hide in it than did, but what each may hide is in it.
#[derive(Debug, Default)]
pub(super) struct Stretches(VecDeque<Unseen>);

impl Stretches {
    pub(super) fn push(&mut self, unseen: Unseen) {
        self.0.push_back(unseen);
        if self.0.len() > KEPT
            && let Some(oldest) = self.0.pop_front()
            && let Some(next) = self.0.front_mut()
        {
            next.began = oldest.began;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Unseen> {
        self.0.iter().copied()
    }
}
