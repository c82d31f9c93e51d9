//! Recovery (pure): the exporter's measurement, which stands only if the scrapes tell the same story.

use super::Evidence;
use super::experiment::{Bitten, bitten};
use super::paste::{Expected, Paste};
use super::settled::{Settled, settled};
use super::{Judged, Lack, Shown, lasting, probes, show, unseen};
use crate::evidence::{Bounds, Point, Shortfall, family, same};
use crate::slo::{Recovery, Since};
use crate::verdict::Verdict;

/// Probes that may be counted beside the exact number: one at either end.
const ENDS: f64 = 2.0;
const INTERVAL: &str = family::PROBE_INTERVAL_SECONDS;
/// A stretch without probes of a second, or three intervals, hides more of an outage …
pub(super) const BLIND_SECONDS: f64 = 1.0;
pub(super) const BLIND_PROBES: f64 = 3.0;
/// … and a probe's outcome, or a scrape of it, may be so many seconds late.
const LATE: f64 = 2.0;

pub(super) fn judge(promise: &Recovery, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let bitten = bitten(evidence, &promise.experiment)?;
    if promise.since == Since::Reverted && bitten.experiment.reverted.is_none() {
        let detail = format!("{} has no revert to count from", promise.experiment);
        return Err(Shortfall::new(Lack::NoSamples, detail));
    }
    let measured = measured(promise, promise.since, evidence)?;
    let Measured { value, lower, upper } = measured;
    let limit = promise.within.as_secs_f64();
    let by_value = Verdict::at_most(lower, upper, limit);
    let time = show::Time::new(value, (lower, upper), limit);
    let mut judged = Judged::value(time.observed(), by_value, why(promise, measured, time));
    let audit = audit(promise, evidence, bitten)?;
    judged.beside.push(audit.story());
    judged.shortfalls.extend(audit.contradictions());
    judged.shortfalls.extend(probes::at_once(evidence, &promise.component)?);
    let relapse = unseen::relapse(evidence, &promise.component, audit.settled, audit.measured.upper)?;
    judged.shortfalls.extend(relapse);
    note(&mut judged, promise, evidence, measured)?;
    Ok(judged)
}

/// What is to be said of a recovery. One that was not seen may have come, for all that is known, in time.
fn why(promise: &Recovery, Measured { lower, upper, .. }: Measured, time: show::Time) -> String {
    let (component, since) = (&promise.component, promise.since.label());
    if upper.is_finite() {
        format!("{component} served lastingly {} s after the fault was {since}", time.seconds())
    } else if lower > promise.within.as_secs_f64() {
        format!("{component} had not recovered {} s later", time.least())
    } else if lower > 0.0 {
        let least = time.least();
        format!(
            "{component} was not seen to recover; its outage lasted until at least {least} s after the fault was {since}"
        )
    } else {
        format!("{component} was not seen to recover by the deadline")
    }
}

/// A recovery as the exporter measured it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Measured {
    value: f64,
    lower: f64,
    upper: f64,
}

fn measured(promise: &Recovery, since: Since, evidence: &Evidence) -> Result<Measured, Shortfall> {
    let labels = [
        ("experiment", promise.experiment.as_str()),
        ("component", &promise.component),
        ("since", since.label()),
    ];
    let of = |family| {
        let gauge = evidence.gauge(family, &labels)?;
        let last = gauge.last()?;
        if gauge.points.iter().any(|point| point.value.to_bits() != last.value.to_bits()) {
            let detail = format!("{family} of {} changed after it was final", promise.experiment);
            return Err(Shortfall::new(Lack::Disagreement, detail));
        }
        Ok(last.value)
    };
    let lower = of(family::RECOVERY_LOWER_SECONDS)?;
    let upper = of(family::RECOVERY_UPPER_SECONDS)?;
    // A component that did not recover has no middle to tell.
    let value = if upper.is_infinite() { f64::INFINITY } else { of(family::RECOVERY_SECONDS)? };
    if !(0.0 <= lower && lower <= value && value <= upper) {
        let detail = format!("{value} s is not within its own bounds, {lower} s to {upper} s");
        return Err(Shortfall::new(Lack::Disagreement, detail));
    }
    Ok(Measured { value, lower, upper })
}

/// What the scrapes saw between the injection and the moment at which the recovery was final.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Audit {
    /// The recovery since the injection.
    measured: Measured,
    failed: Bounds,
    missed: Bounds,
    outages: Bounds,
    outage_seconds: Bounds,
    /// That moment.
    settled: Settled,
    /// The last scrape before the recovery was told that saw the component down, in seconds since the injection.
    last_down: Option<f64>,
    /// Time between two probes.
    interval: f64,
}

fn audit(promise: &Recovery, evidence: &Evidence, bitten: Bitten<'_>) -> Result<Audit, Shortfall> {
    let run = &evidence.run;
    let component = promise.component.as_str();
    let measured = measured(promise, Since::Injected, evidence)?;
    let settled = settled(promise, evidence, bitten, (measured.lower, measured.upper))?;
    let window = settled.window();
    let probes =
        |outcome| evidence.tally(family::PROBES_TOTAL, &[("component", component), ("outcome", outcome)]);
    let (ok, failed, missed) = (probes("ok")?, probes("failed")?, probes("missed")?);
    let of = |family| evidence.tally(family, &[("component", component)])?.over(&run.processes, window);
    let all = ok.plus(&failed).plus(&missed);
    if all.total() <= 0.0 {
        return Err(Shortfall::new(Lack::NoSamples, format!("no probe of {component} was counted")));
    }
    let interval = evidence.gauge(INTERVAL, &[("component", component)])?.finite(INTERVAL)?.last()?.value;
    if interval <= 0.0 {
        return Err(Shortfall::new(Lack::Disagreement, format!("{INTERVAL} of {component} is {interval}")));
    }
    Ok(Audit {
        settled,
        last_down: last_down(component, evidence, settled)?,
        measured,
        failed: failed.over(&run.processes, window)?,
        missed: missed.over(&run.processes, window)?,
        outages: of(family::COMPONENT_OUTAGES_TOTAL)?,
        outage_seconds: of(family::COMPONENT_OUTAGE_SECONDS_TOTAL)?,
        interval,
    })
}

/// How long after the injection a scrape last saw the component down before its recovery was told.
fn last_down(component: &str, evidence: &Evidence, settled: Settled) -> Result<Option<f64>, Shortfall> {
    let Settled { injected, told, .. } = settled;
    let up = evidence.gauge(family::COMPONENT_UP, &[("component", component)])?.finite("component_up")?;
    up.whole(injected, told)?;
    let down = |point: &&Point| point.clock < told && !same(point.value, 1.0);
    let last = up.within(injected, told).iter().rev().find(down);
    Ok(last.map(|point| point.clock - injected))
}

impl Audit {
    fn story(&self) -> String {
        format!(
            "the scrapes saw {} failed and {} missed probes (one every {:.0} ms), {} of {} s in all",
            show::grouped(self.failed.outer),
            show::grouped(self.missed.outer),
            self.interval * 1000.0,
            show::counted(self.outages.outer, "outage", "outages"),
            show::seconds(self.outage_seconds.outer),
        )
    }

    /// Where the scrapes tell another story than the measurement.
    fn contradictions(&self) -> Vec<Shortfall> {
        let mut found = Vec::new();
        let mut tells = |another: bool, detail: String| {
            if another {
                found.push(Shortfall::new(Lack::Disagreement, detail));
            }
        };
        let Measured { lower, upper, .. } = self.measured;
        let [due, told] = [self.settled.due, self.settled.told].map(|at| at - self.settled.injected);
        let most = upper / self.interval + ENDS;
        tells(
            self.failed.inner > most,
            format!(
                "{} probes failed, but a recovery after {upper:.3} s allows {most:.0}",
                self.failed.inner
            ),
        );
        let unseen = self.failed.outer + self.missed.outer;
        tells(lower > 0.0 && unseen < 1.0, format!("down for {lower:.3} s at least, but no probe failed"));
        tells(
            self.outages.outer < 1.0 && self.failed.inner > 0.0,
            format!("{} probes failed, but no outage was counted", self.failed.inner),
        );
        tells(
            self.outages.inner > unseen,
            format!("{} outages, but only {unseen} probes failed or were missed", self.outages.inner),
        );
        tells(
            self.outage_seconds.inner > upper + self.interval * ENDS,
            format!("down for {:.3} s, more than the recovery's {upper:.3} s", self.outage_seconds.inner),
        );
        // Missed probes hide nothing of it beyond what they widen the bounds by.
        let blind = BLIND_SECONDS.max(BLIND_PROBES * self.interval) + (upper - lower);
        let down = self.last_down.unwrap_or(0.0);
        // A component counts as up again once its health has lasted.
        let seen_until = upper + lasting::within(self.interval) + blind + self.interval + LATE;
        let lasted = lower + lasting::within(self.interval) - self.interval;
        tells(
            lower > 0.0 && upper.is_finite() && told < lasted,
            format!("told as final {told:.3} s after the injection, when health could not have lasted"),
        );
        tells(
            self.settled.early(),
            format!("told as final {told:.3} s after the injection, which it cannot be before {due:.3} s"),
        );
        // Failures of one outage are no further apart than what makes health lasting.
        let apart = lasting::within(self.interval) + self.interval;
        let fewest = self.outage_seconds.inner / apart - ENDS;
        tells(
            unseen < fewest,
            format!(
                "down for {:.3} s, but only {unseen} probes failed or were missed",
                self.outage_seconds.inner
            ),
        );
        if down > seen_until {
            let detail =
                format!("seen down {down:.3} s after the injection, though it recovered after {upper:.3} s");
            found.push(Shortfall::new(Lack::Uncounted, detail));
        }
        found
    }
}

fn note(
    judged: &mut Judged,
    promise: &Recovery,
    evidence: &Evidence,
    measured: Measured,
) -> Result<(), Shortfall> {
    let Recovery { experiment, component, since, .. } = promise;
    let matchers = format!("experiment={experiment:?},component={component:?},since={:?}", since.label());
    let families = [
        (family::RECOVERY_SECONDS, measured.value),
        (family::RECOVERY_LOWER_SECONDS, measured.lower),
        (family::RECOVERY_UPPER_SECONDS, measured.upper),
    ];
    let labels = [("experiment", experiment.as_str()), ("component", component), ("since", since.label())];
    for (family, value) in families {
        let Ok(gauge) = evidence.gauge(family, &labels) else { continue };
        judged.pastes.push(Paste::last_sum(&evidence.run, family, &matchers, Expected::Seconds(value)));
        let at = gauge.last()?.at;
        judged.samples.push(Shown { series: format!("{family}{{{matchers}}}"), at, value });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn of_a_recovery_that_was_not_seen_no_more_is_said_than_is_known() {
        let promise = Recovery {
            experiment: "kill".to_owned(),
            component: "redis".to_owned(),
            since: Since::Injected,
            within: Duration::from_secs(30),
        };
        let never = f64::INFINITY;
        for (value, lower, upper, said) in [
            (5.41, 5.33, 5.49, "redis served lastingly 5.41 s after the fault was injected"),
            (never, 84.7, never, "redis had not recovered 84.7 s later"),
            (
                never,
                5.33,
                never,
                "redis was not seen to recover; its outage lasted until at least 5.33 s after the fault was injected",
            ),
            (never, 0.0, never, "redis was not seen to recover by the deadline"),
        ] {
            let time = show::Time::new(value, (lower, upper), 30.0);
            assert_eq!(why(&promise, Measured { value, lower, upper }, time), said);
        }
    }

    fn exactly(value: f64) -> Bounds {
        Bounds { inner: value, outer: value }
    }

    /// 5.4 s of outage, probed every 50 ms.
    fn honest() -> Audit {
        Audit {
            measured: Measured { value: 5.41, lower: 5.33, upper: 5.49 },
            failed: exactly(107.0),
            missed: exactly(0.0),
            outages: exactly(1.0),
            outage_seconds: exactly(5.4),
            settled: Settled { injected: 0.0, due: 65.49, told: 66.0 },
            last_down: Some(10.4),
            interval: 0.05,
        }
    }

    #[test]
    fn an_honest_recovery_is_not_contradicted() {
        assert_eq!(honest().contradictions(), []);
        let at_once = Measured { value: 0.0, lower: 0.0, upper: 0.0 };
        let quiet = Audit {
            measured: at_once,
            failed: exactly(0.0),
            outages: exactly(0.0),
            outage_seconds: exactly(0.0),
            last_down: None,
            ..honest()
        };
        assert_eq!(quiet.contradictions(), []);
    }

    #[test]
    fn scrapes_that_tell_another_story_are_noticed() {
        let table = [
            ("probes failed for longer", Audit { failed: exactly(400.0), ..honest() }),
            ("no probe failed", Audit { failed: exactly(0.0), ..honest() }),
            ("no outage was counted", Audit { outages: exactly(0.0), ..honest() }),
            (
                "an outage, though no probe failed",
                Audit { failed: exactly(0.0), outages: exactly(2.0), ..honest() },
            ),
            ("it was seen down long after", Audit { last_down: Some(79.0), ..honest() }),
            (
                "it was final before health lasted",
                Audit { settled: Settled { due: 6.49, told: 6.0, ..honest().settled }, ..honest() },
            ),
            (
                "it was final before health had held",
                Audit { settled: Settled { told: 60.0, ..honest().settled }, ..honest() },
            ),
            ("the outage was longer", Audit { outage_seconds: exactly(9.0), ..honest() }),
        ];
        for (what, audit) in table {
            assert!(!audit.contradictions().is_empty(), "{what}");
        }
    }

    #[test]
    fn missed_probes_may_stand_for_failed_ones() {
        let blind = Audit { failed: exactly(0.0), missed: exactly(107.0), ..honest() };
        assert_eq!(blind.contradictions(), []);
    }
}
