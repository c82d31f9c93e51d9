//! Data loss (pure): every acknowledged write is there, and nothing is there that should not be.

use super::Evidence;
use super::experiment::{all_recorded, bitten};
use super::paste::{Expected, Paste};
use super::{Judged, Lack, Shown, show};
use crate::evidence::{PhaseName, Shortfall, Window, family};
use crate::slo::DataLoss;
use crate::verdict::Verdict;

/// The classes of the audit that no promise allows.
const BAD: [&str; 5] = ["lost", "resurrected", "unexpected", "duplicate", "corrupt"];
/// Acknowledged writes in the 5 s before a fault, without which there was little to lose.
const WRITES_BEFORE: f64 = 20.0;

pub(super) fn judge(promise: &DataLoss, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let store = promise.store.as_str();
    let acked =
        evidence.tally(family::LEDGER_WRITES_TOTAL, &[("store", store), ("outcome", "acked")])?.total();
    let audited = |class| {
        let labels = [("store", store), ("class", class)];
        let point = evidence.gauge(family::LEDGER_AUDIT, &labels)?.last()?;
        if point.value.is_finite() && point.value >= 0.0 {
            return Ok(point);
        }
        let detail = format!("{} writes of {store} are {class} at {}", point.value, point.at);
        Err(Shortfall::new(Lack::NotFinite, detail))
    };
    let mut counts = Vec::new();
    for class in BAD {
        counts.push((class, audited(class)?));
    }
    let (present, recovered) = (audited("present")?.value, audited("recovered")?.value);
    if let Some(name) = &promise.experiment {
        let spared = spared(evidence, name, store)?;
        counts.retain(|(class, _)| *class != "lost" || !spared);
    }
    let bad: f64 = counts.iter().map(|(_, point)| point.value).sum();
    let verdict = if bad == 0.0 { Verdict::Pass } else { Verdict::Fail };
    let seen = counts.iter().filter(|(_, point)| point.value > 0.0);
    let parts: Vec<String> = seen.map(|(class, point)| format!("{} {class}", point.value)).collect();
    let text = if parts.is_empty() {
        format!("0 of {} acked", show::grouped(acked))
    } else {
        format!("{} of {} acked", parts.join(", "), show::grouped(acked))
    };
    let why = format!("{text} in {store}, by the worst of all audits");
    let mut judged = Judged::value(show::count(text, bad), verdict, why);
    judged.beside.push(format!(
        "{} present, {} recovered (unacknowledged, but there)",
        show::grouped(present),
        show::grouped(recovered)
    ));
    if acked > 0.0 && present == 0.0 && bad == 0.0 {
        judged.lacks(
            Lack::Disagreement,
            format!("{acked} writes were acknowledged, the audit found none present"),
        );
    }
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

/// Whether what was lost in the run, if anything, was lost by another experiment.
fn spared(evidence: &Evidence, experiment: &str, store: &str) -> Result<bool, Shortfall> {
    let labels = [("experiment", experiment), ("store", store)];
    Ok(evidence.gauge(family::RECOVERY_POINT_SECONDS, &labels)?.last()?.value == 0.0)
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
        match bitten(evidence, name) {
            Ok(_) => {}
            Err(shortfall) => judged.shortfalls.push(shortfall),
        }
        let before =
            evidence.gauge(family::EXPERIMENT_ACKED_WRITES_BEFORE, &[("experiment", name), ("store", store)]);
        match before.and_then(|gauge| gauge.last()) {
            Ok(point) if point.value >= WRITES_BEFORE => {}
            Ok(point) => judged.lacks(Lack::NoWritesBefore, format!("{} before {name}", point.value)),
            Err(shortfall) => judged.shortfalls.push(shortfall),
        }
    }
    if names.is_empty() && acked < WRITES_BEFORE {
        judged.lacks(Lack::NoWritesBefore, format!("{acked} in the whole run"));
    }
    if experiment.is_none() && judged.by_value != Verdict::Fail {
        judged.shortfalls.extend(all_recorded(evidence).err());
    }
    gate_audits(judged, evidence, store)
}

fn gate_audits(judged: &mut Judged, evidence: &Evidence, store: &str) -> Result<(), Shortfall> {
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
            let from = crate::evidence::Edge::exact(phase.start);
            let last = run.processes.cut(0, Window::Run)?.outer.1;
            let before = run.processes.cut(0, Window::Part { from, to: from })?.outer.0;
            complete.between(before, last)
        }
    };
    if at_end < 1.0 {
        judged
            .lacks(Lack::AuditIncomplete, format!("no complete audit of {store} after the writers stopped"));
    }
    Ok(())
}
