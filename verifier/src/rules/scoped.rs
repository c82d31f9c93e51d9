//! Promises of a whole run and of one experiment on the same thing. Pure.
//!
//! Harm is counted for the whole run, so an alert cannot tell whose experiment it was: that on an experiment's promise is
//! a warning, that on the whole run's is critical. A promise needs no alert of its own where one that is as strict and as
//! bad fires with it.

use std::time::Duration;

/// A promise that not too much of something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told<'a> {
    pub(super) objective: &'a str,
    /// What it happens to.
    pub(super) of: &'a str,
    /// Whether the whole run is promised, rather than one experiment.
    pub(super) whole: bool,
    /// How much of it is allowed.
    pub(super) at_most: Duration,
}

impl Told<'_> {
    /// Whether this one's alert fires, and is as bad, whenever the other promise is broken.
    fn speaks_for(&self, other: &Self) -> bool {
        self.of == other.of && self.at_most <= other.at_most && (self.whole || !other.whole)
    }
}

/// The promises that need an alert: of each thing the strictest of the whole run, and the strictest of an experiment
/// where that one is stricter still.
pub(super) fn strictest<'a>(promises: impl Iterator<Item = Told<'a>>) -> Vec<Told<'a>> {
    let mut kept: Vec<Told<'a>> = Vec::new();
    for told in promises {
        if kept.iter().any(|other| other.speaks_for(&told)) {
            continue;
        }
        kept.retain(|other| !told.speaks_for(other));
        kept.push(told);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `whole` or `part`, of which thing, and how many seconds of it are allowed.
    fn told<'a>((objective, scope, of, seconds): (&'a str, &str, &'a str, u64)) -> Told<'a> {
        Told { objective, of, whole: scope == "whole", at_most: Duration::from_secs(seconds) }
    }

    #[test]
    fn no_promise_is_left_without_an_alert_that_fires_with_it() {
        let (whole, part) = ("whole", "part");
        let table: [(&[_], &[&str]); 9] = [
            (&[], &[]),
            (&[("a", whole, "x", 0), ("b", part, "x", 0)], &["a"]),
            (&[("a", part, "x", 0), ("b", whole, "x", 0)], &["b"]),
            (&[("a", part, "x", 0), ("b", part, "x", 0)], &["a"]),
            (&[("a", whole, "x", 0), ("b", whole, "y", 0)], &["a", "b"]),
            (&[("a", whole, "x", 30), ("b", part, "x", 0)], &["a", "b"]),
            (&[("a", part, "x", 0), ("b", whole, "x", 30), ("c", part, "x", 40)], &["a", "b"]),
            (&[("a", part, "x", 5), ("b", part, "x", 2), ("c", part, "x", 9)], &["b"]),
            (&[("a", whole, "x", 30), ("b", part, "x", 0), ("c", whole, "x", 0)], &["c"]),
        ];
        for (promises, due) in table {
            let promises: Vec<Told<'_>> = promises.iter().copied().map(told).collect();
            let kept = strictest(promises.iter().copied());
            assert_eq!(kept.iter().map(|told| told.objective).collect::<Vec<_>>(), due, "{promises:?}");
            let spoken_for = |promise: &Told<'_>| kept.iter().any(|alert| alert.speaks_for(promise));
            assert!(promises.iter().all(spoken_for), "{promises:?}");
        }
    }
}
