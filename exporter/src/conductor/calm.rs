//! Pure: how long all components have been healthy without a break, as far as was looked.

use std::time::Duration;

use crate::clock::Moment;

/// Follows looks at the health of all components together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Calm {
    since: Option<Moment>,
}

impl Calm {
    /// A look at `now` found all of them healthy, or not; returns how long they have been so.
    pub(super) fn look(&mut self, all_healthy: bool, now: Moment) -> Duration {
        self.since = all_healthy.then(|| self.since.unwrap_or(now));
        self.since.map_or(Duration::ZERO, |since| now.since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calm_lasts_from_the_first_good_look_and_begins_anew_after_a_bad_one() {
        let looks = [
            (false, 1.0, 0.0),
            (true, 2.0, 0.0),
            (true, 5.0, 3.0),
            (false, 6.0, 0.0),
            (true, 7.0, 0.0),
            (true, 7.5, 0.5),
        ];
        let mut calm = Calm::default();
        for (healthy, at, lasted) in looks {
            let found = calm.look(healthy, Moment::from_secs_f64(at));
            assert_eq!(found, Duration::from_secs_f64(lasted), "at {at}");
        }
    }
}
