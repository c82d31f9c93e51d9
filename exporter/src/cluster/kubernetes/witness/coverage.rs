//! For how long all kinds of objects were watched at once, without a gap. Pure.

use std::time::Duration;

use crate::clock::Moment;

/// When each kind was watched.
#[derive(Debug)]
pub(super) struct Coverage {
    /// For each kind, since when and until when nothing was missed.
    kinds: Vec<Option<(Moment, Moment)>>,
    counted: Moment,
    /// Times in which nothing of any kind was missed, that are not in `total` yet.
    spans: Vec<(Moment, Moment)>,
    total: Duration,
}

impl Coverage {
    pub(super) fn of(kinds: usize) -> Self {
        Self {
            kinds: vec![None; kinds],
            counted: Moment::default(),
            spans: Vec::new(),
            total: Duration::ZERO,
        }
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

    /// Until when nothing of `kind` was missed.
    pub(super) fn until(&self, kind: usize) -> Moment {
        self.kinds[kind].map_or(Moment::default(), |(_, until)| until)
    }

    /// The time so far in which nothing of any kind was missed, but none from `undecided` on: of something that was
    /// seen then it is not known yet what it was.
    pub(super) fn watched(&mut self, undecided: Option<Moment>) -> Duration {
        self.count();
        for (since, until) in &mut self.spans {
            let end = undecided.unwrap_or(*until).min(*until);
            self.total += end.since(*since);
            *since = end.max(*since);
        }
        self.spans.retain(|(since, until)| since < until);
        self.total
    }

    fn count(&mut self) {
        let Some(kinds) = self.kinds.iter().copied().collect::<Option<Vec<_>>>() else { return };
        let since = kinds.iter().map(|(since, _)| *since).max().unwrap_or_default().max(self.counted);
        let until = kinds.iter().map(|(_, until)| *until).min().unwrap_or_default();
        if until > since {
            self.spans.push((since, until));
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
        assert_eq!(coverage.watched(None), seconds(0));
        coverage.begin(1, at(3));
        coverage.go_on(1, at(8));
        assert_eq!(coverage.watched(None), seconds(5));
        assert_eq!(coverage.watched(None), seconds(5));
        coverage.go_on(1, at(20));
        assert_eq!(coverage.watched(None), seconds(7));
        // A gap of the second kind, from 20 to 25.
        coverage.go_on(0, at(22));
        coverage.begin(1, at(25));
        assert_eq!(coverage.watched(None), seconds(17));
        coverage.go_on(0, at(30));
        coverage.go_on(1, at(30));
        assert_eq!(coverage.watched(None), seconds(22));
    }

    #[test]
    fn what_is_not_decided_yet_counts_when_it_is() {
        let seconds = Duration::from_secs;
        let at = |number| Moment(seconds(number));
        let mut coverage = Coverage::of(1);
        coverage.begin(0, at(0));
        coverage.go_on(0, at(10));
        assert_eq!(coverage.watched(Some(at(7))), seconds(7));
        assert_eq!(coverage.watched(Some(at(7))), seconds(7));
        coverage.go_on(0, at(12));
        // A gap from 12 to 15.
        coverage.begin(0, at(15));
        coverage.go_on(0, at(18));
        assert_eq!(coverage.until(0), at(18));
        assert_eq!(coverage.watched(Some(at(7))), seconds(7));
        assert_eq!(coverage.watched(Some(at(16))), seconds(13));
        // It never falls.
        assert_eq!(coverage.watched(Some(at(1))), seconds(13));
        assert_eq!(coverage.watched(None), seconds(15));
    }
}
