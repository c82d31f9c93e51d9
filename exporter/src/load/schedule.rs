//! How many users run when: a pure function of the stages, the spawn rate and the time since the start.

use std::time::Duration;

use crate::trial::Stage;

/// The stages laid out in time.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    legs: Vec<Leg>,
    spawn_rate: f64,
    duration: Duration,
}

/// A stage with the number of users that the one before left behind.
#[derive(Debug, Clone, Copy)]
struct Leg {
    begins: Duration,
    from: usize,
    to: usize,
    most: usize,
}

impl Schedule {
    /// Lays out `stages`; `spawn_rate` is users started or stopped a second.
    pub(super) fn new(stages: &[Stage], spawn_rate: f64) -> Self {
        let mut legs = Vec::with_capacity(stages.len());
        let (mut begins, mut from) = (Duration::ZERO, 0);
        for stage in stages {
            let reached = level(from, stage.users, spawn_rate, stage.lasts());
            legs.push(Leg { begins, from, to: stage.users, most: from.max(reached) });
            begins += stage.lasts();
            from = reached;
        }
        Self { legs, spawn_rate, duration: begins }
    }

    /// Users that should run `elapsed` after the start. After the last stage its users stay.
    pub(super) fn users_wanted(&self, elapsed: Duration) -> usize {
        let leg = self.legs.iter().rev().find(|leg| leg.begins <= elapsed);
        leg.map_or(0, |leg| level(leg.from, leg.to, self.spawn_rate, elapsed.saturating_sub(leg.begins)))
    }

    /// The largest stage: how many users there must be room for.
    pub(super) fn largest(&self) -> usize {
        self.legs.iter().map(|leg| leg.to).max().unwrap_or(0)
    }

    /// When [`Self::users_wanted`] first is as high as it gets within the stages.
    pub(super) fn fully_ramped_at(&self) -> Duration {
        let most = self.legs.iter().map(|leg| leg.most).max().unwrap_or(0);
        let Some(leg) = self.legs.iter().find(|leg| leg.most == most) else { return Duration::ZERO };
        let missing = most.saturating_sub(leg.from).saturating_sub(1);
        let climb = Duration::try_from_secs_f64(missing as f64 / self.spawn_rate).unwrap_or(Duration::MAX);
        leg.begins.saturating_add(climb)
    }

    /// The time of all stages together.
    pub(super) fn duration(&self) -> Duration {
        self.duration
    }
}

/// The users after `time` on the way from one number to another: the first moves at once.
fn level(from: usize, to: usize, rate: f64, time: Duration) -> usize {
    // A tenth of a user forgives a product such as 0.1 s × 30 that falls just short of a whole number.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both positive; saturates")]
    let moved = ((time.as_secs_f64() * rate + 1e-6) as usize).saturating_add(1);
    if to >= from { from.saturating_add(moved).min(to) } else { from.saturating_sub(moved).max(to) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(stages: &[(usize, u64)], rate: f64) -> Schedule {
        let stages: Vec<_> = stages
            .iter()
            .map(|&(users, s)| Stage::new(users, Duration::from_secs(s)).expect("a stage"))
            .collect();
        Schedule::new(&stages, rate)
    }

    fn wanted(schedule: &Schedule, millis: u64) -> usize {
        schedule.users_wanted(Duration::from_millis(millis))
    }

    #[test]
    fn users_start_one_by_one_at_the_spawn_rate_and_stay_after_the_last_stage() {
        let s = schedule(&[(100, 60)], 50.0);
        let seen: Vec<_> = [0, 19, 20, 40, 1979, 1980, 60_000, 900_000].map(|at| wanted(&s, at)).into();
        assert_eq!(seen, [1, 1, 2, 3, 99, 100, 100, 100]);
        assert_eq!(s.fully_ramped_at(), Duration::from_millis(1980));
        assert_eq!(s.duration(), Duration::from_mins(1));
    }

    #[test]
    fn a_smaller_stage_stops_users_at_the_spawn_rate() {
        let s = schedule(&[(10, 10), (4, 10), (20, 10)], 2.0);
        let seen: Vec<_> =
            [9_999, 10_000, 10_500, 12_500, 19_999, 20_000, 27_500].map(|at| wanted(&s, at)).into();
        assert_eq!(seen, [10, 9, 8, 4, 4, 5, 20]);
        assert_eq!((s.largest(), s.fully_ramped_at()), (20, Duration::from_millis(27_500)));
    }

    #[test]
    fn a_stage_too_short_for_its_ramp_is_left_where_it_got() {
        let s = schedule(&[(1000, 1), (5, 60)], 10.0);
        assert_eq!((wanted(&s, 999), wanted(&s, 1_000), wanted(&s, 30_000)), (10, 10, 5));
        assert_eq!((s.largest(), s.fully_ramped_at()), (1000, Duration::from_secs(1)));
    }

    #[test]
    fn no_users_are_a_schedule_too() {
        let s = schedule(&[(0, 5)], 1.0);
        assert_eq!((wanted(&s, 3_000), s.fully_ramped_at()), (0, Duration::ZERO));
    }
}
