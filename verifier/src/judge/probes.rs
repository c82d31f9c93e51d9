//! Whether probes were counted when they were made (pure): a count that stands still and then makes up for it at once
//! shows nobody who probed meanwhile.

use super::{Evidence, Lack, show};
use crate::evidence::{Shortfall, family};

/// How late, in seconds, a probe's outcome or a scrape of it may be besides.
const LATE: f64 = 2.0;

/// What grew between two neighbouring scrapes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    /// Seconds between the scrapes.
    passed: f64,
    /// Probes with an outcome. Those that were missed are counted when that is noticed.
    known: f64,
    /// Seconds that they took together.
    took: f64,
}

impl Step {
    /// The seconds for which more probes were counted than one every `interval`. Outcomes are counted in the order of
    /// the probes, so those behind a slow one wait for it, and no longer than it took.
    fn too_many(self, interval: f64) -> f64 {
        (self.known - 1.0) * interval - self.passed - self.took
    }
}

/// The first step of a component's count that no prober can have made.
pub(super) fn at_once(evidence: &Evidence, component: &str) -> Result<Option<Shortfall>, Shortfall> {
    let name = family::PROBE_INTERVAL_SECONDS;
    let interval = evidence.gauge(name, &[("component", component)])?.finite(name)?.last()?.value;
    let of =
        |outcome| evidence.tally(family::PROBES_TOTAL, &[("component", component), ("outcome", outcome)]);
    let known = of("ok")?.plus(&of("failed")?);
    let took = evidence.tally(family::PROBE_DURATION_SECONDS_SUM, &[("component", component)])?;
    let scrapes = &evidence.run.processes.conductor().scrapes;
    let mut steps = scrapes.windows(2).enumerate().map(|(at, pair)| {
        let passed = pair[1].clock - pair[0].clock;
        (pair[1].at, Step { passed, known: known.between(at, at + 1), took: took.between(at, at + 1) })
    });
    let found = steps.find(|(_, step)| step.too_many(interval) > LATE);
    Ok(found.map(|(at, step)| {
        let [known, passed] = [show::grouped(step.known), show::seconds(step.passed)];
        let detail = format!("{component}: {known} probes were counted within {passed} s at {at}, one is made every {interval} s");
        Shortfall::new(Lack::Disagreement, detail)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_probes_are_counted_than_are_made() {
        let table = [
            ("as many as are due", 5.0, 100.0, 0.5, 0.05, false),
            ("none", 5.0, 0.0, 0.0, 0.05, false),
            ("behind one that took ten seconds", 1.0, 220.0, 11.0, 0.05, false),
            ("a scrape that came late", 5.0, 130.0, 0.6, 0.05, false),
            ("one a minute", 1.0, 1.0, 0.0, 60.0, false),
            ("a minute's at once", 5.0, 1300.0, 6.5, 0.05, true),
            ("twice as many", 5.0, 200.0, 1.0, 0.05, true),
            ("two a minute within a second", 1.0, 2.0, 0.0, 60.0, true),
        ];
        for (what, passed, known, took, interval, told) in table {
            let step = Step { passed, known, took };
            assert_eq!(step.too_many(interval) > LATE, told, "{what}");
        }
    }
}
