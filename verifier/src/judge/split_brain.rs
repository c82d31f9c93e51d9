//! Split brain (pure): two instances of a store that both take writes.

use super::Evidence;
use super::experiment::bitten;
use super::leader::gate_observed;
use super::paste::{Expected, Paste};
use super::{Judged, Lack, show};
use crate::evidence::{Point, Shortfall, Window, family};
use crate::slo::SplitBrain;
use crate::verdict::Verdict;

const FAMILY: &str = family::SPLIT_BRAIN_SECONDS_TOTAL;
/// For so many seconds two may seem to take writes where one takes over: a second that an instance counts after its
/// last acknowledgement, one that a write may be under way, and as much again for the scrape.
const HANDOVER: f64 = 4.0;

pub(super) fn judge(promise: &SplitBrain, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let window = match &promise.experiment {
        Some(name) => bitten(evidence, name)?.window(),
        None => Window::Run,
    };
    let tally = evidence.tally(FAMILY, &[("component", &promise.component)])?;
    let grown = tally.over(&evidence.run.processes, window)?;
    let limit = promise.at_most.as_secs_f64();
    let time = show::Time::at_most((grown.inner, grown.outer), limit);
    let why = format!("two instances took writes for {} s", time.seconds());
    let mut judged = Judged::value(time.observed(), Verdict::at_most(grown.inner, grown.outer, limit), why);
    gate_observed(&mut judged, evidence, &promise.component, window)?;
    judged.shortfalls.extend(uncounted(promise, evidence, window, grown.outer)?);
    let matchers = format!("component={:?}", promise.component);
    let cut = evidence.run.processes.cut(0, window)?;
    let expected = Expected::Seconds(grown.outer);
    judged.pastes.push(match window {
        Window::Run => Paste::last_sum(&evidence.run, FAMILY, &matchers, expected),
        Window::Part { .. } => Paste::growth(&evidence.run, FAMILY, &matchers, cut.outer, expected),
    });
    judged.samples = evidence.decisive(window, &[(FAMILY, &tally)]);
    Ok(judged)
}

/// Scrapes in which two instances took writes for longer than was counted and a handover may take.
fn uncounted(
    promise: &SplitBrain,
    evidence: &Evidence,
    window: Window,
    counted: f64,
) -> Result<Option<Shortfall>, Shortfall> {
    let writable = evidence.gauge(family::WRITABLE_INSTANCES, &[("component", &promise.component)])?;
    let scrapes = &evidence.run.processes.conductor().scrapes;
    let (from, to) = evidence.run.processes.cut(0, window)?.outer;
    let start = from.map_or(evidence.run.start, |from| scrapes[from].clock);
    let seen = longest_of_two(writable.within(start, scrapes[to].clock));
    let told = || {
        let [seen, counted] = [seen, counted].map(show::seconds);
        format!("two instances took writes at every scrape for {seen} s, {counted} s were counted")
    };
    Ok((seen > counted + HANDOVER).then(|| Shortfall::new(Lack::Uncounted, told())))
}

/// The longest time, in seconds, from one sample to another with two or more in each sample between.
fn longest_of_two(points: &[Point]) -> f64 {
    let stretches = points.split(|point| point.value < 2.0);
    let length = |stretch: &[Point]| Some(stretch.last()?.clock - stretch.first()?.clock);
    stretches.filter_map(length).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Millis;

    #[test]
    fn two_writers_are_seen_from_sample_to_sample() {
        let table: [(&[f64], f64); 6] = [
            (&[], 0.0),
            (&[1.0, 1.0, 0.0, 1.0], 0.0),
            (&[1.0, 2.0, 1.0], 0.0),
            (&[2.0, 2.0, 1.0, 2.0, 3.0, 2.0], 10.0),
            (&[1.0, 2.0, 2.0, 2.0, 2.0], 15.0),
            (&[2.0, f64::NAN, 2.0], 10.0),
        ];
        for (values, longest) in table {
            let point = |(at, &value): (usize, &f64)| Point { at: Millis(0), clock: at as f64 * 5.0, value };
            let points: Vec<Point> = values.iter().enumerate().map(point).collect();
            assert_eq!(longest_of_two(&points), longest, "{values:?}");
        }
    }
}
