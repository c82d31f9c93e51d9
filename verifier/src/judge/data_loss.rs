//! Data loss (pure): every acknowledged write is there, and nothing is there that should not be.

use super::Evidence;
use super::experiment::bitten;
use super::paste::{Expected, Paste};
use super::{Judged, Lack, Observed, Shown, show, written_point};
use crate::evidence::{Edge, PhaseName, Point, Shortfall, Window, family};
use crate::run::Experiment;
use crate::slo::DataLoss;
use crate::verdict::Verdict;

/// The classes of the audit that no promise allows.
const BAD: [&str; 5] = ["lost", "resurrected", "unexpected", "duplicate", "corrupt"];
const PRESENT: &str = "present";
/// Acknowledged writes in the 5 s before a fault, without which there was little to lose.
const WRITES_BEFORE: f64 = 20.0;
/// How long before it these were acknowledged, in seconds.
const BEFORE: f64 = 5.0;
/// The part of them that must have been counted by the first scrape after it.
const COUNTED: f64 = 0.9;

pub(super) fn judge(promise: &DataLoss, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let store = promise.store.as_str();
    let acked =
        evidence.tally(family::LEDGER_WRITES_TOTAL, &[("store", store), ("outcome", "acked")])?.total();
    let audited = |class| audited(evidence, store, class);
    let mut counts = Vec::new();
    for class in BAD {
        counts.push((class, audited(class)?));
    }
    let (present, recovered) = (audited(PRESENT)?.value, audited("recovered")?.value);
    let told = match &promise.experiment {
        None => told(&counts, acked, store),
        Some(name) => told_of_experiment(&counts, acked, store, point(evidence, name, store)?)?,
    };
    let bad: f64 = counts.iter().map(|(_, point)| point.value).sum();
    let mut judged = Judged::value(told.observed, told.verdict, told.why);
    judged.beside.push(format!(
        "{} present, {} recovered (unacknowledged, but there)",
        show::grouped(present),
        show::grouped(recovered)
    ));
    gate(&mut judged, evidence, promise.experiment.as_deref(), store, acked)?;
    let matchers = format!(
        "store={store:?},class=~\"{}\"",
        counts.iter().map(|(c, _)| *c).collect::<Vec<_>>().join("|")
    );
    judged.pastes.push(Paste::last_sum(&evidence.run, family::LEDGER_AUDIT, &matchers, Expected::Count(bad)));
    for (class, point) in counts {
        let series = format!("ordeal_ledger_audit{{store={store:?},class={class:?}}}");
        judged.samples.push(Shown { series, at: point.at, value: point.value });
    }
    Ok(judged)
}

/// How many writes the audits put into a class.
fn audited(evidence: &Evidence, store: &str, class: &str) -> Result<Point, Shortfall> {
    let labels = [("store", store), ("class", class)];
    let gauge = evidence.gauge(family::LEDGER_AUDIT, &labels)?;
    // What was found present may be missed later; all else is the worst so far.
    let point = if class == PRESENT { gauge } else { gauge.rising()? }.last()?;
    if point.value.is_finite() && point.value >= 0.0 {
        return Ok(point);
    }
    let detail = format!("{} writes of {store} are {class} at {}", point.value, point.at);
    Err(Shortfall::new(Lack::NotFinite, detail))
}

/// What is said of the counts.
struct Told {
    observed: Observed,
    verdict: Verdict,
    why: String,
}

/// How many there are of each class of which there is any.
fn parts<'a>(counts: impl IntoIterator<Item = &'a (&'static str, Point)>) -> String {
    let seen = counts.into_iter().filter(|(_, point)| point.value > 0.0);
    let parts: Vec<String> = seen.map(|(class, point)| format!("{} {class}", point.value)).collect();
    parts.join(", ")
}

fn told(counts: &[(&'static str, Point)], acked: f64, store: &str) -> Told {
    let bad: f64 = counts.iter().map(|(_, point)| point.value).sum();
    let verdict = if bad == 0.0 { Verdict::Pass } else { Verdict::Fail };
    let parts = if bad == 0.0 { "0".to_owned() } else { parts(counts) };
    let text = format!("{parts} of {} acked", show::grouped(acked));
    let why = format!("{text} in {store}, by the worst of all audits");
    Told { observed: show::count(text, bad), verdict, why }
}

/// What is an experiment's own is whether any lost write is charged to it, and their span; the audit's counts are
/// the whole run's, and of writes that are bad in another way nobody knows whose they are.
fn told_of_experiment(
    counts: &[(&'static str, Point)],
    acked: f64,
    store: &str,
    span: f64,
) -> Result<Told, Shortfall> {
    let (lost, others): (Vec<_>, Vec<_>) = counts.iter().partition(|(class, _)| *class == "lost");
    let sum = |counts: &[&(&str, Point)]| counts.iter().map(|(_, point)| point.value).sum::<f64>();
    let (lost, bad) = (sum(&lost), sum(&others));
    if span > 0.0 && lost == 0.0 {
        let detail = format!("lost writes span {}, but no write is lost", show::length(span));
        return Err(Shortfall::new(Lack::Disagreement, detail));
    }
    let bounds = |text: String, lower: f64, upper: f64| {
        let mut observed = show::count(text, upper);
        observed.lower = lower;
        observed
    };
    Ok(if span > 0.0 {
        let text =
            format!("lost writes over {} ({} in the whole run)", show::length(span), show::grouped(lost));
        let why = format!("{text} in {store}");
        Told { observed: bounds(text, 1.0, lost), verdict: Verdict::Fail, why }
    } else if bad > 0.0 {
        let text = format!("{} in the whole run", parts(others));
        let why = format!("{text} in {store}, and no audit tells which experiment did it");
        Told { observed: bounds(text, 0.0, bad), verdict: Verdict::Inconclusive, why }
    } else {
        let text = format!("0 of {} acked in the run", show::grouped(acked));
        let why = format!("no lost write in {store} is charged to it");
        Told { observed: show::count(text, 0.0), verdict: Verdict::Pass, why }
    })
}

/// The span of the lost writes that are charged to an experiment.
fn point(evidence: &Evidence, experiment: &str, store: &str) -> Result<f64, Shortfall> {
    let labels = [("experiment", experiment), ("store", store)];
    written_point::last(evidence, &labels).map(|point| point.value)
}

/// What an audit's figures need to be worth anything: faults that bit while writes flowed, and every audit
/// complete, the last one after all else.
pub(super) fn gate(
    judged: &mut Judged,
    evidence: &Evidence,
    experiment: Option<&str>,
    store: &str,
    acked: f64,
) -> Result<(), Shortfall> {
    let run = &evidence.run;
    let names: Vec<&str> = match experiment {
        Some(name) => vec![name],
        None => run.experiments.keys().map(String::as_str).collect(),
    };
    for name in &names {
        // That it broke nothing is told of the whole run, and bars no fail: what was lost all the same is lost.
        let harmless = |one: &Experiment| one.flaw.is_none() && !one.broke();
        if experiment.is_none() && run.experiments.get(*name).is_some_and(harmless) {
            continue;
        }
        let before = match bitten(evidence, name) {
            Ok(bitten) => writes_before(evidence, name, store, Some(bitten.injected)),
            Err(shortfall) => {
                judged.shortfalls.push(shortfall);
                writes_before(evidence, name, store, None)
            }
        };
        judged.shortfalls.extend(before.err());
    }
    if names.is_empty() && acked < WRITES_BEFORE {
        judged.lacks(Lack::NoWritesBefore, format!("{acked} in the whole run"));
    }
    gate_audits(judged, evidence, store, acked)
}

/// Whether enough writes were acknowledged before a fault, and the counter grew by as many.
fn writes_before(
    evidence: &Evidence,
    name: &str,
    store: &str,
    injected: Option<f64>,
) -> Result<(), Shortfall> {
    let labels = [("experiment", name), ("store", store)];
    let gauge = evidence.gauge(family::EXPERIMENT_ACKED_WRITES_BEFORE, &labels)?;
    let told = gauge.finite(family::EXPERIMENT_ACKED_WRITES_BEFORE)?.last()?.value;
    if told < WRITES_BEFORE {
        return Err(Shortfall::new(Lack::NoWritesBefore, format!("{told} before {name}")));
    }
    let Some(injected) = injected else { return Ok(()) };
    let window = Window::Part { from: Edge::exact(injected - BEFORE), to: Edge::exact(injected) };
    let acked = evidence.tally(family::LEDGER_WRITES_TOTAL, &[("store", store), ("outcome", "acked")])?;
    let counted = acked.over(&evidence.run.processes, window)?.outer;
    if grew(told, counted) {
        return Ok(());
    }
    let detail = format!("{told} writes are told to be acknowledged before {name}, {counted} were counted");
    Err(Shortfall::new(Lack::Disagreement, detail))
}

/// Whether a counter grew by as many writes as are told, over a time at least as long: it counts a write a little
/// later than it was acknowledged.
fn grew(told: f64, counted: f64) -> bool {
    counted >= COUNTED * told
}

fn gate_audits(judged: &mut Judged, evidence: &Evidence, store: &str, acked: f64) -> Result<(), Shortfall> {
    let run = &evidence.run;
    let audits =
        |result| evidence.tally(family::LEDGER_AUDITS_TOTAL, &[("store", store), ("result", result)]);
    let (complete, incomplete) = (audits("complete")?, audits("incomplete")?.total());
    if incomplete > 0.0 {
        judged.lacks(
            Lack::AuditIncomplete,
            format!("{incomplete} audits of {store} could not read everything"),
        );
    }
    let at_end = match run.phase(PhaseName::Audit) {
        None => 0.0,
        Some(phase) => {
            let from = Edge::exact(phase.start);
            let last = run.processes.cut(0, Window::Run)?.outer.1;
            let before = run.processes.cut(0, Window::Part { from, to: from })?.outer.0;
            complete.between(before, last)
        }
    };
    if at_end < 1.0 {
        judged
            .lacks(Lack::AuditIncomplete, format!("no complete audit of {store} after the writers stopped"));
    }
    let whole = at_end >= 1.0 && incomplete == 0.0;
    let of = |class| audited(evidence, store, class).map(|point| point.value);
    let (present, lost, corrupt) = (of(PRESENT)?, of("lost")?, of("corrupt")?);
    if let Some(lack) = apart(present, lost, corrupt, acked, whole) {
        let [present, lost, corrupt] = [present, lost, corrupt].map(show::grouped);
        let acked = show::grouped(acked);
        let detail =
            format!("{store}: {present} present, {lost} lost and {corrupt} corrupt of {acked} acknowledged");
        judged.lacks(lack, detail);
    }
    Ok(())
}

/// Why the classes are not those of as many writes as were acknowledged: each of these is present, lost or
/// damaged, and of the corrupt ones those that were acknowledged and are not lost are the damaged ones. Those that
/// are in no class may be harm that nobody counted; before the last audit is complete, they were judged by none yet.
fn apart(present: f64, lost: f64, corrupt: f64, acked: f64, whole: bool) -> Option<Lack> {
    if present + lost > acked {
        return Some(Lack::Disagreement);
    }
    (whole && present + lost + corrupt < acked).then_some(Lack::Uncounted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_that_are_told_were_counted() {
        let table = [(100.0, 100.0, true), (100.0, 340.0, true), (100.0, 92.0, true), (100.0, 80.0, false)];
        for (told, counted, due) in table {
            assert_eq!(grew(told, counted), due, "{told} told, {counted} counted");
        }
        assert!(!grew(100.0, 0.0));
    }

    #[test]
    fn every_acknowledged_write_is_present_lost_or_damaged() {
        let table = [
            (100.0, 0.0, 0.0, 100.0, true, None),
            (93.0, 7.0, 0.0, 100.0, true, None),
            (91.0, 7.0, 2.0, 100.0, true, None),
            // Corrupt, but never acknowledged, or lost in another audit.
            (93.0, 7.0, 2.0, 100.0, true, None),
            (5.0, 0.0, 0.0, 100.0, true, Some(Lack::Uncounted)),
            (91.0, 7.0, 1.0, 100.0, true, Some(Lack::Uncounted)),
            (100.0, 7.0, 0.0, 100.0, true, Some(Lack::Disagreement)),
            // The audits so far saw the first half.
            (50.0, 0.0, 0.0, 100.0, false, None),
            (100.0, 7.0, 0.0, 100.0, false, Some(Lack::Disagreement)),
            (0.0, 0.0, 0.0, 0.0, true, None),
        ];
        for (present, lost, corrupt, acked, whole, due) in table {
            let told = apart(present, lost, corrupt, acked, whole);
            assert_eq!(told, due, "{present} + {lost} + {corrupt} of {acked}, {whole}");
        }
    }
}
