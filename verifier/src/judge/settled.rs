//! When a component's recovery became final, by the exporter's own rule (pure): what comes after that is no part of it.

use super::experiment::Bitten;
use super::{Evidence, Lack};
use crate::evidence::{Edge, Shortfall, Window, family, same};
use crate::slo::{Recovery, Since};

/// What a scrape tells may be so many seconds younger than its clock.
const LATE: f64 = 2.0;

/// A moment between two, on the exporter's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Settled {
    pub(super) injected: f64,
    /// Not before health had held for as long as it must, or the deadline was over.
    pub(super) due: f64,
    /// Not after a scrape first told the recovery, or the experiment's end.
    pub(super) told: f64,
}

impl Settled {
    /// From the injection until then.
    pub(super) fn window(self) -> Window {
        let to = Edge { earliest: self.due.min(self.told), latest: self.told };
        Window::Part { from: Edge::exact(self.injected), to }
    }

    /// Whether it was told before it can have been.
    pub(super) fn early(self) -> bool {
        self.told + LATE < self.due
    }
}

/// When the promise's component had recovered from the experiment for good, `lower` to `upper` seconds after the
/// injection.
pub(super) fn settled(
    promise: &Recovery,
    evidence: &Evidence,
    bitten: Bitten<'_>,
    (lower, upper): (f64, f64),
) -> Result<Settled, Shortfall> {
    let injected = bitten.injected;
    let reverted = bitten.experiment.reverted.map_or(0.0, |reverted| reverted - injected);
    Ok(Settled {
        injected,
        due: injected + due(lower, upper, reverted, settle(evidence)?),
        told: told(promise, evidence).min(bitten.ended.latest),
    })
}

/// How long health must hold, which nothing changes while the run lasts.
fn settle(evidence: &Evidence) -> Result<f64, Shortfall> {
    let name = family::SETTLE_SECONDS;
    let gauge = evidence.gauge(name, &[])?.finite(name)?;
    let settle = gauge.last()?.value;
    let other = gauge.points.iter().map(|point| point.value).find(|value| !same(*value, settle));
    match other {
        Some(other) => {
            let detail = format!("{name} was {other}, and {settle} in the end");
            Err(Shortfall::new(Lack::Disagreement, detail))
        }
        None if settle <= 0.0 => Err(Shortfall::new(Lack::Disagreement, format!("{name} is {settle}"))),
        None => Ok(settle),
    }
}

/// The exporter's clock when a scrape first told the recovery, whatever of it and whatever it counts from.
fn told(promise: &Recovery, evidence: &Evidence) -> f64 {
    let families = [family::RECOVERY_SECONDS, family::RECOVERY_LOWER_SECONDS, family::RECOVERY_UPPER_SECONDS];
    let first = |(since, family): (Since, &'static str)| {
        let Recovery { experiment, component, .. } = promise;
        let labels =
            [("experiment", experiment.as_str()), ("component", component), ("since", since.label())];
        evidence.gauge(family, &labels).ok()?.points.first().map(|point| point.clock)
    };
    let of = |since| families.map(|family| (since, family));
    [Since::Injected, Since::Reverted]
        .into_iter()
        .flat_map(of)
        .filter_map(first)
        .fold(f64::INFINITY, f64::min)
}

/// The earliest moment, in seconds since the injection, at which it is final that the last outage ended `lower` to
/// `upper` seconds after the injection. `reverted`: when the revert began, likewise.
fn due(lower: f64, upper: f64, reverted: f64, settle: f64) -> f64 {
    if upper.is_infinite() {
        return lower;
    }
    // Without a lower bound there need not have been an outage, and health held from the fault on.
    let back = if lower > 0.0 { upper } else { 0.0 };
    back.max(reverted) + settle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_final_once_health_held_after_recovery_and_revert() {
        let table = [
            ("an outage", (5.3, 5.5), 0.0, 65.5),
            ("an outage that ended before the revert", (5.3, 5.5), 30.0, 90.0),
            ("one that ended after it", (42.3, 42.5), 30.0, 102.5),
            ("a hang, or nothing at all", (0.0, 1.5), 0.0, 60.0),
            ("nothing, and a revert", (0.0, 0.1), 30.0, 90.0),
            ("no recovery by the deadline", (84.7, f64::INFINITY), 30.0, 84.7),
        ];
        for (what, (lower, upper), reverted, expected) in table {
            let due = due(lower, upper, reverted, 60.0);
            assert!(same(due, expected), "{what}: {due}");
        }
    }

    #[test]
    fn it_was_final_between_that_and_the_scrape_that_told_it() {
        let table = [
            ("told at the next scrape", 164.0, (160.0, 164.0), false),
            ("a scrape that began before", 159.5, (159.5, 159.5), false),
            ("told before it can have been", 150.0, (150.0, 150.0), true),
        ];
        for (what, told, (earliest, latest), early) in table {
            let settled = Settled { injected: 100.0, due: 160.0, told };
            let window = Window::Part { from: Edge::exact(100.0), to: Edge { earliest, latest } };
            assert_eq!((settled.window(), settled.early()), (window, early), "{what}");
        }
    }
}
