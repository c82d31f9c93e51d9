//! Recovery point of writes (pure): the span of acknowledged writes that a fault took with it.

use super::Evidence;
use super::data_loss::gate;
use super::paste::{Expected, Paste};
use super::{Judged, Lack, Shown, show};
use crate::evidence::{Point, Shortfall, family};
use crate::slo::WrittenPoint;
use crate::verdict::Verdict;

const FAMILY: &str = family::RECOVERY_POINT_SECONDS;

pub(super) fn judge(promise: &WrittenPoint, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let store = promise.store.as_str();
    let names: Vec<String> = match &promise.experiment {
        Some(name) => vec![name.clone()],
        None => evidence.run.experiments.keys().cloned().collect(),
    };
    let mut points = Vec::new();
    for name in &names {
        points.push((name, last(evidence, &[("experiment", name), ("store", store)])?));
    }
    let worst = points.iter().max_by(|a, b| a.1.value.total_cmp(&b.1.value));
    let Some((name, worst)) = worst else {
        return Err(Shortfall::new(
            Lack::NoSamples,
            "the run had no experiment, so no recovery point was measured",
        ));
    };
    let value = worst.value;
    let limit = promise.within.as_secs_f64();
    let time = show::Time::at_most((value, value), limit);
    let why = format!("the writes lost span {} at most ({name})", time.length());
    let mut judged = Judged::value(time.observed(), Verdict::at_most(value, value, limit), why);
    let acked =
        evidence.tally(family::LEDGER_WRITES_TOTAL, &[("store", store), ("outcome", "acked")])?.total();
    gate(&mut judged, evidence, promise.experiment.as_deref(), store, acked)?;
    for (name, point) in &points {
        let matchers = format!("experiment={name:?},store={store:?}");
        let expected = Expected::Seconds(point.value);
        judged.pastes.push(Paste::last_sum(&evidence.run, FAMILY, &matchers, expected));
        let series = format!("{FAMILY}{{{matchers}}}");
        judged.samples.push(Shown { series, at: point.at, value: point.value });
    }
    Ok(judged)
}

/// The span of lost writes that was seen last; it is no negative one.
pub(super) fn last(evidence: &Evidence, matching: &[(&str, &str)]) -> Result<Point, Shortfall> {
    let point = evidence.gauge(FAMILY, matching)?.rising()?.last()?;
    if point.value >= 0.0 {
        return Ok(point);
    }
    Err(Shortfall::new(Lack::NotFinite, format!("{FAMILY} is {} at {}", point.value, point.at)))
}
