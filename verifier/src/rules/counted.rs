//! What the processes of a run have counted, each as it was last seen. Pure.
//!
//! The processes of a fleet leave one by one, a scrape of one may fail, and one may be lost for good. A sum over those that
//! are seen just now would be without what the others counted, the good with the bad. So each is remembered, and by its
//! run: the next one on the same address begins anew.

use super::Scope;
use super::promql::{REMEMBERED, quoted};
use super::rule::Rule;

/// What the budget of an objective is counted in, one record a process and kind of events.
pub(super) struct Counted<'a> {
    /// The recorded series.
    pub(super) series: &'static str,
    pub(super) objective: &'a str,
    pub(super) scope: &'a Scope,
}

impl Counted<'_> {
    /// What each process has of the series that a selector picks or, where it is not seen, the record itself: so it is
    /// remembered until the conductor leaves.
    pub(super) fn record(&self, of: &str, selector: &str) -> Rule {
        let expr = format!(
            "({} or on (run, job, instance) last_over_time({}[{REMEMBERED}])) and on (run) {}",
            self.scope.by_process(selector),
            self.series_of(of),
            self.scope.conductor()
        );
        let labels = [("objective", self.objective.to_owned()), ("of", of.to_owned())];
        Rule::record(self.series, &expr, labels)
    }

    /// The sum of a record over all processes of each run.
    pub(super) fn sum(&self, of: &str) -> String {
        format!("sum by (run) ({})", self.scope.of_own(&self.series_of(of)))
    }

    fn series_of(&self, of: &str) -> String {
        format!("{}{{objective={},of={}}}", self.series, quoted(self.objective), quoted(of))
    }
}
