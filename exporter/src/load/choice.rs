//! Which task a user does next. The n-th choice of a user depends on the seed, the user and n alone, never
//! on how earlier requests fared, so that two runs of a trial ask for the same things.

use crate::trial::Task;

/// Tasks by weight.
#[derive(Debug, Clone)]
pub(super) struct TaskChoice {
    upper: Vec<u64>,
    total: u64,
}

impl TaskChoice {
    /// Choices among `tasks`, of which there is at least one.
    pub(super) fn new(tasks: &[Task]) -> Self {
        let mut total = 0;
        let upper = tasks.iter().map(|task| {
            total += u64::from(task.weight.get());
            total
        });
        let upper = upper.collect();
        Self { upper, total }
    }

    /// Index of the task that `user` does as its `nth`.
    pub(super) fn pick(&self, seed: u64, user: usize, nth: u64) -> usize {
        let draw = u128::from(scramble(mix(seed, user) ^ scramble(nth)));
        // The high half of the product is uniform below `total`.
        let point = (draw * u128::from(self.total)) >> 64;
        self.upper.partition_point(|&upper| u128::from(upper) <= point)
    }
}

/// A seed for one user's own random numbers.
pub(super) fn mix(seed: u64, user: usize) -> u64 {
    scramble(scramble(seed) ^ (user as u64))
}

/// The finaliser of `SplitMix64`, with its increment.
fn scramble(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::smallest;
    use std::num::NonZeroU32;

    fn choice(weights: &[u32]) -> TaskChoice {
        let tasks: Vec<_> = weights
            .iter()
            .map(|&weight| Task {
                weight: NonZeroU32::new(weight).expect("a weight"),
                ..smallest().load.tasks[0].clone()
            })
            .collect();
        TaskChoice::new(&tasks)
    }

    #[test]
    fn shares_follow_the_weights() {
        let weights = [10, 30, 25, 20, 10, 5];
        let choice = choice(&weights);
        let mut seen = [0_u32; 6];
        for user in 0..1000 {
            for nth in 0..100 {
                seen[choice.pick(42, user, nth)] += 1;
            }
        }
        for (seen, weight) in seen.into_iter().zip(weights) {
            let (share, due) = (f64::from(seen) / 1e5, f64::from(weight) / 100.0);
            // Five standard deviations of a binomial share.
            assert!((share - due).abs() < 5.0 * (due * (1.0 - due) / 1e5).sqrt(), "{share} for {due}");
        }
    }

    #[test]
    fn the_same_seed_chooses_the_same_and_another_does_not() {
        let choice = choice(&[1, 1, 1, 1]);
        let walk = |seed, user| (0..50).map(|nth| choice.pick(seed, user, nth)).collect::<Vec<_>>();
        assert_eq!(walk(7, 3), walk(7, 3));
        assert_ne!(walk(7, 3), walk(8, 3));
        assert_ne!(walk(7, 3), walk(7, 4));
    }
}
