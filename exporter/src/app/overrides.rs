//! What the command line changes in a trial.

use std::time::Duration;

use crate::trial::{NonEmpty, Stage, Trial};

/// Values that stand in for the file's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overrides {
    /// The load's length.
    pub duration: Option<Duration>,
    /// Users of every stage.
    pub users: Option<u32>,
    /// The seed.
    pub seed: Option<u64>,
}

impl Overrides {
    /// `trial` with these values in their places.
    #[must_use]
    pub fn apply(self, mut trial: Trial) -> Trial {
        if let Some(users) = self.users {
            for stage in trial.load.stages.iter_mut() {
                stage.users = usize::try_from(users).unwrap_or(usize::MAX);
            }
        }
        if let Some(duration) = self.duration {
            trial.load.stages = lasting(&trial.load.stages, duration);
        }
        if let Some(seed) = self.seed {
            trial.load.seed = seed;
        }
        trial
    }
}

/// `stages` cut after `total`, or the last of them held until then. In no time there is no stage: then they stay.
fn lasting(stages: &NonEmpty<Stage>, total: Duration) -> NonEmpty<Stage> {
    let mut left = total;
    let mut kept = Vec::with_capacity(stages.len());
    for (index, stage) in stages.iter().enumerate() {
        let is_last = index + 1 == stages.len();
        let lasts = if is_last { left } else { stage.lasts().min(left) };
        kept.extend(Stage::new(stage.users, lasts));
        left -= lasts;
    }
    NonEmpty::new(kept).unwrap_or_else(|_| stages.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_cuts_the_stages_or_holds_the_last() {
        let seconds = Duration::from_secs;
        let stage = |users, lasts| Stage::new(users, seconds(lasts)).expect("a stage");
        let list = |stages: Vec<Stage>| NonEmpty::new(stages).expect("stages");
        let stages = list(vec![stage(10, 60), stage(100, 120)]);
        let cases = [
            (0, vec![stage(10, 60), stage(100, 120)]),
            (30, vec![stage(10, 30)]),
            (60, vec![stage(10, 60)]),
            (90, vec![stage(10, 60), stage(100, 30)]),
            (1800, vec![stage(10, 60), stage(100, 1740)]),
        ];
        for (total, expected) in cases {
            assert_eq!(lasting(&stages, seconds(total)), list(expected), "{total} s");
        }
    }
}
