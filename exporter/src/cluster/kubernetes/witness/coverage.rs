//! For how long all kinds of objects were watched at once, without a gap. Pure.

use std::time::Duration;

use crate::clock::Moment;

/// When each kind was watched.
#[derive(Debug)]
pub(super) struct Coverage {
    /// For each kind, since when and until when nothing was missed.
    kinds: Vec<Option<(Moment, Moment)>>,
    counted: Moment,
    total: Duration,
}

impl Coverage {
    pub(super) fn of(kinds: usize) -> Self {
        Self { kinds: vec![None; kinds], counted: Moment::default(), total: Duration::ZERO }
    }

    /// From `at` on nothing of `kind` is missed; what was between is.
    pub(super) fn begin(&mut self, kind: usize, at: Moment) {
        // What was covered until now counts.
        self.count();
        self.kinds[kind] = Some((at, at));
    }

    /// Nothing of `kind` was missed until `at`.
    pub(super) fn go_on(&mut self, kind: usize, at: Moment) {
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
            self.total += until.since(since);
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
        let at = |number| Moment(seconds(number));
        let mut coverage = Coverage::of(2);
        coverage.begin(0, at(1));
        coverage.go_on(0, at(10));
        assert_eq!(coverage.watched(), seconds(0));
        coverage.begin(1, at(3));
        coverage.go_on(1, at(8));
        assert_eq!(coverage.watched(), seconds(5));
        assert_eq!(coverage.watched(), seconds(5));
        coverage.go_on(1, at(20));
        assert_eq!(coverage.watched(), seconds(7));
        // A gap of the second kind, from 20 to 25.
        coverage.go_on(0, at(22));
        coverage.begin(1, at(25));
        assert_eq!(coverage.watched(), seconds(17));
        coverage.go_on(0, at(30));
        coverage.go_on(1, at(30));
        assert_eq!(coverage.watched(), seconds(22));
    }
}
