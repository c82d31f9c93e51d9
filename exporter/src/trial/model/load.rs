//! The users and their behaviour.

use std::num::NonZeroU32;
use std::ops::{Deref, RangeInclusive};
use std::time::Duration;

use super::nonsense::lasting;
use super::{ErrorLimit, Name, NonEmpty, Nonsense, Rate, Step};

/// The users and their behaviour.
#[derive(Debug, Clone)]
pub struct Load {
    /// How many users run when.
    pub stages: NonEmpty<Stage>,
    /// Users started or stopped a second.
    pub spawn_rate: Rate,
    /// Pause after every request.
    pub think: Think,
    /// Seeds every random choice of the run.
    pub seed: u64,
    /// A request that has no full answer after this long has failed (default 15 s).
    pub timeout: Duration,
    /// Waiting beyond this long is overdue (default 2 s); tasks may differ.
    pub patience: Duration,
    /// Whether redirects are followed (default false); hops are not requests of their own.
    pub redirects: Redirects,
    /// Upper bounds of the response-time histogram.
    pub buckets: Buckets,
    /// When failures end the run; by default they never do.
    pub abort_when: Option<ErrorLimit>,
    /// Done once by each user before its first task.
    pub login: Option<NonEmpty<Step>>,
    /// The kinds of user action; names are unique.
    pub tasks: NonEmpty<Task>,
}

impl Load {
    /// The time from the first user's start to the end of the last stage.
    pub fn duration(&self) -> Duration {
        self.stages.iter().map(|stage| stage.lasts()).sum()
    }
}

/// A number of users held for a time. The time counts from the stage's beginning, its ramp included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Users wanted; reached at the spawn rate.
    pub users: usize,
    lasts: Duration,
}

impl Stage {
    /// `users` for a time that is not zero.
    pub fn new(users: usize, lasts: Duration) -> Result<Self, Nonsense> {
        Ok(Self { users, lasts: lasting(lasts)? })
    }

    /// How long the stage lasts.
    pub fn lasts(self) -> Duration {
        self.lasts
    }
}

/// The pause of a user after each request: uniform between two bounds, which may be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Think {
    low: Duration,
    high: Duration,
}

impl Think {
    /// Always the same.
    pub const fn constant(pause: Duration) -> Self {
        Self { low: pause, high: pause }
    }

    /// Uniform from `low` to `high`.
    pub fn uniform(low: Duration, high: Duration) -> Result<Self, Nonsense> {
        if low <= high { Ok(Self { low, high }) } else { Err(Nonsense::Backwards) }
    }

    /// The shortest and the longest pause.
    pub fn bounds(self) -> RangeInclusive<Duration> {
        self.low..=self.high
    }

    /// The mean pause.
    pub fn mean(self) -> Duration {
        (self.low + self.high) / 2
    }
}

/// Upper bounds of a histogram's buckets in seconds: above zero and strictly increasing.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets(Vec<f64>);

impl Buckets {
    /// These bounds.
    pub fn new(bounds: Vec<f64>) -> Result<Self, Nonsense> {
        let first_is_sound = bounds.first().is_some_and(|first| *first > 0.0);
        let sound = first_is_sound && bounds.is_sorted_by(|one, next| one < next);
        if sound { Ok(Self(bounds)) } else { Err(Nonsense::Buckets) }
    }
}

impl Default for Buckets {
    /// A bound at every limit people use, and one just above each time-out.
    fn default() -> Self {
        Self(vec![
            0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 6.0,
            10.0, 16.0,
        ])
    }
}

impl Deref for Buckets {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.0
    }
}

/// What a user does with a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// A redirect is an answer like any other: its status must be an expected one.
    Answer,
    /// Followed, at most this many hops.
    Follow(NonZeroU32),
}

/// One kind of user action.
#[derive(Debug, Clone)]
pub struct Task {
    /// Exported as the label `task`.
    pub name: Name,
    /// Share of choices, relative to the other tasks' weights.
    pub weight: NonZeroU32,
    /// Patience of this task's requests.
    pub patience: Duration,
    /// The requests, in order. A failed one ends the journey.
    pub journey: NonEmpty<Step>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused() {
        let second = Duration::from_secs(1);
        assert_eq!(Stage::new(1, Duration::ZERO), Err(Nonsense::NoTime));
        assert_eq!(Think::uniform(2 * second, second), Err(Nonsense::Backwards));
        assert_eq!(Think::uniform(second, second), Ok(Think::constant(second)));
        for bounds in [vec![], vec![0.0], vec![1.0, 1.0], vec![2.0, 1.0], vec![f64::NAN], vec![1.0, f64::NAN]]
        {
            assert_eq!(Buckets::new(bounds.clone()), Err(Nonsense::Buckets), "{bounds:?}");
        }
        assert_eq!(Buckets::new(Buckets::default().to_vec()), Ok(Buckets::default()));
    }
}
