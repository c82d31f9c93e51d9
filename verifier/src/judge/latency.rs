//! Latency (pure): the share of all requests that were answered well and within a time.

use std::time::Duration;

use super::Evidence;
use super::availability::{audit_begun, paste, requests};
use super::experiment::window;
use super::paste::Expected;
use super::portion::{Counters, Portion, note_saturation};
use super::{Judged, Lack, show};
use crate::evidence::{Shortfall, Tally, Window, family};
use crate::slo::{Latency, Share};

const BUCKETS: &str = family::RESPONSE_TIME_SECONDS_BUCKET;

pub(super) fn judge(promise: &Latency, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let window = window(evidence, &promise.during)?;
    within(evidence, window, promise.within, promise.at_least, promise.task.as_deref())
}

/// The counters behind the share that is promised.
pub(crate) fn counters(promise: &Latency, evidence: &Evidence) -> Result<Counters, Shortfall> {
    let task = promise.task.as_deref();
    let (_, total) = requests(evidence, task)?;
    Ok(Histogram::of(evidence, task)?.counters(promise.within.as_secs_f64(), &total))
}

/// The share within a time over any window.
pub(super) fn within(
    evidence: &Evidence,
    window: Window,
    limit: Duration,
    at_least: Share,
    task: Option<&str>,
) -> Result<Judged, Shortfall> {
    let histogram = Histogram::of(evidence, task)?;
    let (_, total) = requests(evidence, task)?;
    let sure = histogram.at_or_below(limit.as_secs_f64());
    let maybe = histogram.at_or_above(limit.as_secs_f64());
    let counters = histogram.counters(limit.as_secs_f64(), &total);
    let portion = Portion::of(evidence, &counters, window)?;
    let mut judged = portion.judged(at_least, portion.total.inner, "requests")?;
    let exact = sure.zip(maybe).is_some_and(|(a, b)| a.le.to_bits() == b.le.to_bits());
    let bad = if exact {
        show::grouped(portion.bad.outer)
    } else {
        // Those between the bounds may be on either side of the limit: no number of them is the likely one.
        let (lower, _, upper) = portion.good();
        judged.observed = Some(show::share_between((lower, upper), at_least));
        format!("between {} and {}", show::grouped(portion.bad.inner), show::grouped(portion.bad.outer))
    };
    judged.why = format!(
        "{bad} of {} requests failed or took longer than {}",
        show::grouped(portion.total.outer),
        crate::slo::show_duration(limit)
    );
    note_saturation(&mut judged, evidence, window, portion, at_least)?;
    note_bounds(&mut judged, limit, sure, maybe);
    audit(&mut judged, &histogram, evidence, task)?;
    let quantiles = histogram.quantiles(evidence, window)?;
    judged.brief = Some(quantiles.clone());
    judged.beside.push(quantiles);
    if let Some(bound) = sure {
        let of_task = task.map(|task| format!(",task={task:?}")).unwrap_or_default();
        let matchers = format!("outcome=\"ok\",le={:?}{of_task}", bound.text);
        let grown = bound.tally.over(&evidence.run.processes, window)?;
        judged.pastes.extend(paste(
            evidence,
            window,
            BUCKETS,
            &matchers,
            &bound.tally,
            grown,
            Expected::Count,
        )?);
        let all = total.over(&evidence.run.processes, window)?;
        let matchers = of_task.trim_start_matches(',');
        let family = family::REQUESTS_TOTAL;
        judged.pastes.extend(paste(evidence, window, family, matchers, &total, all, Expected::Count)?);
        judged.samples = evidence.decisive(window, &[("in time", &bound.tally), ("requests", &total)]);
    }
    Ok(judged)
}

/// The histogram and the counter of requests must have seen the same answers.
fn audit(
    judged: &mut Judged,
    histogram: &Histogram,
    evidence: &Evidence,
    task: Option<&str>,
) -> Result<(), Shortfall> {
    let observed = histogram.all.last().map_or(0.0, |(_, tally)| tally.total());
    let all = requests(evidence, task)?.1;
    let counted = all.total();
    if (observed - counted).abs() > 0.0 {
        judged.lacks(Lack::Disagreement, format!("{counted} requests were counted, {observed} were timed"));
    }
    if let Some(bound) = histogram.bounds.iter().find(|bound| bound.tally.total() > counted) {
        let more = show::grouped(bound.tally.total());
        let detail = format!("{more} were answered well in {} s, of {counted} requests", bound.text);
        judged.lacks(Lack::Disagreement, detail);
    }
    if task.is_none() {
        audit_begun(judged, evidence, &all)?;
    }
    Ok(())
}

/// Where the limit is no bound of the histogram, says so; it is a shortfall where that decides.
fn note_bounds(judged: &mut Judged, limit: Duration, sure: Option<&Bound>, maybe: Option<&Bound>) {
    let exact = sure.zip(maybe).is_some_and(|(a, b)| a.le.to_bits() == b.le.to_bits());
    if exact {
        return;
    }
    let text =
        |bound: Option<&Bound>, none: &str| bound.map_or_else(|| none.to_owned(), |bound| bound.text.clone());
    let detail = format!(
        "{} is no bucket of the trial, whose nearest bounds are {} and {} (seconds): add {} to `load.buckets`",
        crate::slo::show_duration(limit),
        text(sure, "0"),
        text(maybe, "+Inf"),
        limit.as_secs_f64(),
    );
    if judged.by_value == crate::verdict::Verdict::Inconclusive {
        judged.lacks(Lack::SaturatedBucket, detail);
    } else {
        judged.beside.push(detail);
    }
}

/// One bucket: how many requests were answered well within its bound.
struct Bound {
    /// The label as the series has it: `2` or `2.0`.
    text: String,
    le: f64,
    tally: Tally,
}

/// The buckets of good answers, by bound.
struct Histogram {
    bounds: Vec<Bound>,
    /// Good and failed ones together, by bound.
    all: Vec<(f64, Tally)>,
}

impl Histogram {
    fn of(evidence: &Evidence, task: Option<&str>) -> Result<Self, Shortfall> {
        evidence.same_buckets(BUCKETS)?;
        let texts = evidence.label_values(BUCKETS, "le");
        let (mut bounds, mut all) = (Vec::new(), Vec::new());
        for text in texts {
            let le: f64 =
                text.parse().map_err(|_| Shortfall::new(Lack::NotFinite, format!("le={text:?}")))?;
            let matching = |outcome| {
                let mut matching = vec![("outcome", outcome), ("le", text.as_str())];
                matching.extend(task.map(|task| ("task", task)));
                evidence.tally(BUCKETS, &matching)
            };
            let tally = matching("ok")?;
            all.push((le, tally.plus(&matching("error")?)));
            bounds.push(Bound { text: text.clone(), le, tally });
        }
        if bounds.is_empty() {
            evidence.tally(BUCKETS, &[])?;
        }
        bounds.sort_by(|a, b| a.le.total_cmp(&b.le));
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(Self { bounds, all })
    }

    /// The largest bound that is not above the limit.
    fn at_or_below(&self, limit: f64) -> Option<&Bound> {
        self.bounds.iter().rev().find(|bound| bound.le <= limit)
    }

    /// The smallest bound that is not below the limit.
    fn at_or_above(&self, limit: f64) -> Option<&Bound> {
        self.bounds.iter().find(|bound| bound.le >= limit)
    }

    /// What failed or was late, of all: what lies between two bounds may be on either side of the limit.
    fn counters(&self, limit: f64, total: &Tally) -> Counters {
        let late = |good: Option<&Bound>| good.map_or_else(|| total.clone(), |good| total.minus(&good.tally));
        let (worst, best) = (late(self.at_or_below(limit)), late(self.at_or_above(limit)));
        Counters { worst, best, total: total.clone() }
    }

    /// Where p50, p95 and p99 of all answers lie: between two bounds, never interpolated.
    fn quantiles(&self, evidence: &Evidence, window: Window) -> Result<String, Shortfall> {
        let mut counts = Vec::new();
        for (le, tally) in &self.all {
            counts.push((*le, tally.over(&evidence.run.processes, window)?.outer));
        }
        let told =
            [(50, 0.5), (95, 0.95), (99, 0.99)].map(|(name, q)| format!("p{name} {}", quantile(&counts, q)));
        Ok(format!("{} of all answers, failed ones included", told.join(", ")))
    }
}

/// The bucket that a quantile falls into.
fn quantile(counts: &[(f64, f64)], q: f64) -> String {
    let total = counts.last().map_or(0.0, |(_, count)| *count);
    let Some(at) = counts.iter().position(|(_, count)| *count >= q * total).filter(|_| total > 0.0) else {
        return "unknown".to_owned();
    };
    let below = at.checked_sub(1).map_or(0.0, |below| counts[below].0);
    let bound = counts[at].0;
    if bound.is_infinite() {
        format!("above {} s, the last bound", show::seconds(below))
    } else {
        format!("in {below} s to {bound} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_told_as_its_bucket_and_never_interpolated() {
        let counts = [(0.1, 90.0), (1.0, 96.0), (2.0, 98.0), (f64::INFINITY, 100.0)];
        assert_eq!(quantile(&counts, 0.5), "in 0 s to 0.1 s");
        assert_eq!(quantile(&counts, 0.95), "in 0.1 s to 1 s");
        assert_eq!(quantile(&counts, 0.99), "above 2 s, the last bound");
        assert_eq!(quantile(&[(1.0, 0.0)], 0.5), "unknown");
    }
}
