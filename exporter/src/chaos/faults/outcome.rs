//! Pure: what became of one step of a fault, whatever its kind.

use crate::clock::Moment;

/// What became of a step: an injection, a look whether it took effect, an attempt to put it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// When it began to act.
    pub start: Moment,
    /// When it acted no more.
    pub end: Moment,
    /// How it ended.
    pub ending: Ending,
    /// What its kind tells of it in the report: keys and texts, in order, without any secret.
    pub told: Vec<(&'static str, String)>,
}

/// How a step ended. The reasons are ready for people, without any secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It did what it was to do.
    Done,
    /// It failed.
    Failed(String),
    /// It was given up at its time limit.
    OutOfTime(String),
    /// Nobody decided upon it: whoever was asked is away, and may be there later.
    Unanswered(String),
    /// Whoever was asked said no of us, or of itself, as one that has only just come back says, too.
    Barred(String),
    /// It was not done, as a person has to decide whether it is to be.
    ForAPerson(String),
}

impl Ending {
    /// Why it is not what was to be done; `None`: it is.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Failed(reason)
            | Self::OutOfTime(reason)
            | Self::Unanswered(reason)
            | Self::Barred(reason)
            | Self::ForAPerson(reason) => Some(reason),
        }
    }
}

impl Outcome {
    /// Why it did not do what it was to do; `None`: it did.
    pub fn failure(&self) -> Option<&str> {
        self.ending.failure()
    }
}
