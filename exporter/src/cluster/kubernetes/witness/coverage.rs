//! For how long all kinds of objects were watched at once, without a gap. Pure.

use std::time::Duration;

/// When each kind was watched; times count from the same moment.
#[derive(Debug)]
pub(super) struct Coverage {
    /// For each kind, since when and until when nothing was missed.
    kinds: Vec<Option<(Duration, Duration)>>,
    counted: Duration,
    total: Duration,
}

impl Coverage {
    pub(super) fn of(kinds: usize) -> Self {
        Self { kinds: vec![None; kinds], counted: Duration::ZERO, total: Duration::ZERO }
    }

    /// From `at` on nothing of `kind` is missed; what was between is.
    pub(super) fn begin(&mut self, kind: usize, at: Duration) {
        // What was covered until now counts.
        self.count();
        self.kinds[kind] = Some((at, at));
    }

    /// Nothing of `kind` was missed until `at`.
    pub(super) fn go_on(&mut self, kind: usize, at: Duration) {
        if let Some((_, until)) = &mut self.kinds[kind] {
            *until = at.max(*until);
        }
    }

    /// The time so far in which nothing of any kind was missed.
    pub(super) fn watched(&mut self) -> Duration {
        self.count();
        self.total
    }

    fn count(&mut self) {
        let Some(kinds) = self.kinds.iter().copied().collect::<Option<Vec<_>>>() else { return };
        let since = kinds.iter().map(|(since, _)| *since).max().unwrap_or_default().max(self.counted);
        let until = kinds.iter().map(|(_, until)| *until).min().unwrap_or_default();
        if until > since {
            self.total += until.saturating_sub(since);
            self.counted = until;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_is_the_time_in_which_every_kind_was_watched() {
        let seconds = Duration::from_secs;
        let mut coverage = Coverage::of(2);
        coverage.begin(0, seconds(1));
        coverage.go_on(0, seconds(10));
        assert_eq!(coverage.watched(), seconds(0));
        coverage.begin(1, seconds(3));
        coverage.go_on(1, seconds(8));
        assert_eq!(coverage.watched(), seconds(5));
        assert_eq!(coverage.watched(), seconds(5));
        coverage.go_on(1, seconds(20));
        assert_eq!(coverage.watched(), seconds(7));
        // A gap of the second kind, from 20 to 25.
        coverage.go_on(0, seconds(22));
        coverage.begin(1, seconds(25));
        assert_eq!(coverage.watched(), seconds(17));
        coverage.go_on(0, seconds(30));
        coverage.go_on(1, seconds(30));
        assert_eq!(coverage.watched(), seconds(22));
    }
}
