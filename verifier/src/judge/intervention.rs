//! Interventions (pure): nobody changed anything by hand while somebody watched.

use super::Evidence;
use super::paste::{Expected, Paste};
use super::{Judged, Lack, Shown, pace, show};
use crate::evidence::{Gauge, PhaseName, Shortfall, family};
use crate::slo::Share;
use crate::verdict::Verdict;

const COUNT: &str = family::INTERVENTIONS_TOTAL;
const WATCHED: &str = family::INTERVENTIONS_WATCHED_SECONDS_TOTAL;
/// The exporter may for so long not hear from whoever watches, and then hear all of it at once. On Kubernetes a watch
/// goes on from the state that it had seen, so that what changed while the API server was away is seen after it, and
/// the exporter counts that time as watched only then. This covers one that is away for 20 s, and the 5 s after which
/// the exporter gives up a request that hangs, before it asks again.
const UNHEARD: f64 = 30.0;

pub(super) fn judge(watched_at_least: Share, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let run = &evidence.run;
    let kinds = evidence.label_values(COUNT, "kind");
    if kinds.is_empty() {
        evidence.tally(COUNT, &[])?;
    }
    // Whoever counts may have begun before the run, so these do not begin at zero with our process.
    let from = run.phase(PhaseName::Ramp).map_or(run.start, |ramp| ramp.start);
    let (mut lower, mut upper) = (0.0, 0.0);
    let mut told = Vec::new();
    let mut samples = Vec::new();
    let mut pastes = Vec::new();
    for kind in &kinds {
        let gauge = evidence.gauge(COUNT, &[("kind", kind)])?.finite(COUNT)?;
        rising(&gauge, COUNT)?;
        // The first sample is in preflight: what was done from then on counts.
        let (first, last) = (gauge.points[0], gauge.last()?);
        lower += last.value - first.value;
        upper += last.value - if first.clock <= from { first.value } else { 0.0 };
        if last.value > first.value {
            told.push(format!("{} {kind}", last.value - first.value));
        }
        let series = format!("{COUNT}{{kind={kind:?}}}");
        samples.extend([first, last].map(|point| Shown {
            series: series.clone(),
            at: point.at,
            value: point.value,
        }));
        let pinned = run.processes.pinned();
        let at =
            |point: crate::evidence::Point| format!("sum({COUNT}{{{pinned},kind={kind:?}}} @ {})", point.at);
        let query = format!("{} - {}", at(last), at(first));
        let expected = Expected::Count(last.value - first.value);
        pastes.push(Paste { query, at: last.at, expected, returned: None });
    }
    let text =
        if told.is_empty() { format!("0 ({} watched for)", kinds.join(", ")) } else { told.join(", ") };
    let why = format!("changes that no controller made: {text}");
    let mut observed = show::count(text, lower);
    observed.upper = upper;
    let mut judged = Judged::value(observed, Verdict::at_most(lower, upper, 0.0), why);
    judged.samples = samples;
    judged.pastes = pastes;
    gate(&mut judged, evidence, watched_at_least)?;
    Ok(judged)
}

fn rising(gauge: &Gauge, what: &str) -> Result<(), Shortfall> {
    match gauge.points.windows(2).find(|pair| pair[1].value < pair[0].value) {
        Some(pair) => {
            let detail = format!("{what} fell from {} to {} at {}", pair[0].value, pair[1].value, pair[1].at);
            Err(Shortfall::new(Lack::CounterReset, detail))
        }
        None => Ok(()),
    }
}

/// Somebody watched for nearly all of the run, from the ramp on: a watch that begins later has not seen the rest.
fn gate(judged: &mut Judged, evidence: &Evidence, at_least: Share) -> Result<(), Shortfall> {
    let gauge = evidence.gauge(WATCHED, &[])?.finite(WATCHED)?;
    rising(&gauge, WATCHED)?;
    let run = &evidence.run;
    let from = run.phase(PhaseName::Ramp).map_or(run.start, |ramp| ramp.start);
    let (first, last) = (gauge.before(from)?.unwrap_or(gauge.points[0]), gauge.last()?);
    let end = run.end.unwrap_or(last.clock);
    let length = last.clock.max(end) - first.clock.min(from);
    let samples = gauge.within(first.clock, last.clock).iter().map(|point| (point.clock, point.value));
    let watched = pace::seconds(samples, UNHEARD);
    if !at_least.reached_by(watched, length) {
        let detail = format!("watched for {} s of {} s", show::seconds(watched), show::seconds(length));
        judged.lacks(Lack::WatchGap, detail);
    }
    judged.samples.push(Shown { series: WATCHED.to_owned(), at: last.at, value: last.value });
    Ok(())
}
