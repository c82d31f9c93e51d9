//! Outages that the scrapes themselves show, beside those that were counted. Pure.

use super::{Lack, lasting, show};
use crate::evidence::Shortfall;

/// How late a probe's outcome, or a scrape of it, may be, in seconds.
const LATE: f64 = 2.0;

/// A component at one scrape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    pub(super) clock: f64,
    pub(super) up: bool,
    /// Failed probes so far.
    pub(super) failed: f64,
}

/// What was counted of a component.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Counted {
    /// Outages that no experiment explains, and their seconds.
    pub(super) unexplained: (f64, f64),
    /// All outages, and their seconds.
    pub(super) all: (f64, f64),
    /// Time between two probes.
    pub(super) interval: f64,
    /// Probes whose outcome is not known.
    pub(super) missed: f64,
}

/// Where scrapes show an outage that began outside every experiment and was not counted, or one that was not
/// counted as so long.
pub(super) fn uncounted(
    name: &str,
    looks: &[Look],
    faults: &[(f64, f64)],
    counted: Counted,
) -> Option<Shortfall> {
    let Counted { unexplained, all, interval, missed } = counted;
    let outside = |pair: &[Look]| {
        let touches = |&(from, to): &(f64, f64)| pair[1].clock >= from - LATE && pair[0].clock <= to + LATE;
        !faults.iter().any(touches)
    };
    let told = |detail: String| Some(Shortfall::new(Lack::Uncounted, format!("{name}: {detail}")));
    let (first, down_outside) = outages(looks, outside);
    if let Some(first) = first.filter(|_| unexplained.0 < 1.0) {
        return told(format!(
            "failing at {first:.3}, outside every experiment, but no such outage was counted"
        ));
    }
    let lasting = lasting::within(interval) + LATE;
    let both =
        [(down_outside, unexplained, " outside every experiment"), (outages(looks, |_| true).1, all, "")];
    let longer = |&(down, (outages, seconds), _): &(f64, (f64, f64), &str)| {
        down > seconds + outages * lasting + missed * interval
    };
    let (down, (_, seconds), outside) = both.into_iter().find(longer)?;
    let (down, seconds) = (show::seconds(down), show::seconds(seconds));
    told(format!("seen down for {down} s{outside}, but {seconds} s were counted"))
}

/// When the first of these outages was seen, and for how long all of them were.
fn outages(looks: &[Look], wanted: impl Fn(&[Look]) -> bool) -> (Option<f64>, f64) {
    let began = |pair: &[Look]| pair[0].up && (!pair[1].up || pair[1].failed > pair[0].failed);
    let (mut first, mut down) = (None, 0.0);
    for (at, pair) in looks.windows(2).enumerate().filter(|(_, pair)| began(pair) && wanted(pair)) {
        first.get_or_insert(pair[1].clock);
        let last = looks[at + 1..].iter().take_while(|look| !look.up).last();
        down += last.map_or(0.0, |last| last.clock - pair[1].clock);
    }
    (first, down)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One look a second, down in these intervals, a probe failed at their beginning.
    fn looks(down: &[(f64, f64)]) -> Vec<Look> {
        let look = |second: u32| {
            let clock = f64::from(second);
            let up = !down.iter().any(|(from, to)| (*from..*to).contains(&clock));
            let failed = down.iter().filter(|(from, _)| *from <= clock).count() as f64;
            Look { clock, up, failed }
        };
        (0..100).map(look).collect()
    }

    /// What it is, when the component is down, what was counted, and whether that is contradicted.
    type Case = (&'static str, &'static [(f64, f64)], Counted, bool);

    #[test]
    fn an_outage_outside_every_experiment_must_have_been_counted() {
        let fault = [(20.0, 40.0)];
        let quiet = Counted { unexplained: (0.0, 0.0), all: (1.0, 9.0), interval: 0.05, missed: 0.0 };
        let one = Counted { unexplained: (1.0, 4.0), all: (2.0, 40.0), ..quiet };
        let table: [Case; 10] = [
            ("never down", &[], quiet, false),
            ("not up at first", &[(0.0, 9.0)], quiet, false),
            ("within an experiment", &[(21.0, 30.0)], quiet, false),
            ("begun within one", &[(39.0, 50.0)], quiet, false),
            ("within one, for longer than was counted", &[(39.0, 90.0)], quiet, true),
            ("after it", &[(60.0, 70.0)], quiet, true),
            ("before it", &[(5.0, 10.0)], quiet, true),
            ("shorter than a scrape", &[(60.0, 60.0)], quiet, true),
            ("counted", &[(60.0, 70.0)], one, false),
            ("counted as short", &[(60.0, 90.0)], one, true),
        ];
        for (what, down, counted, told) in table {
            assert_eq!(uncounted("shop", &looks(down), &fault, counted).is_some(), told, "{what}");
        }
    }
}
