//! The report for programs. Fields are only ever added; a change of meaning changes `version`. Pure.

use serde_json::{Value, json};

use super::{Report, alerts};
use crate::evidence::{Shortfall, Shown, State};
use crate::judge::Evidence;
use crate::judge::{Expected, Finding, Observed, Paste};
use crate::verdict::Verdict;

const VERSION: u32 = 1;

/// The whole report, with a newline at its end.
pub(super) fn render(report: &Report) -> String {
    let value = json!({
        "version": VERSION,
        "verdict": report.verdict.word(),
        "exit_code": report.verdict.exit_code(),
        "counts": {
            "pass": report.count(Verdict::Pass),
            "inconclusive": report.count(Verdict::Inconclusive),
            "fail": report.count(Verdict::Fail),
        },
        "prometheus": {"url": report.url, "version": report.server.version},
        "run": report.evidence.as_ref().map(run),
        "not_claimed": report.not_claimed(),
        "alerts": report.evidence.as_ref().map(alerts::json),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}

fn run(evidence: &Evidence) -> Value {
    let run = &evidence.run;
    let known = |value: f64| (!run.processes.is_dark()).then_some(value);
    let phases = run
        .phases
        .iter()
        .map(|phase| json!({"name": phase.name.word(), "start": phase.start, "end": phase.end}));
    let experiments = run.experiments.values().map(|experiment| {
        json!({
            "name": experiment.name,
            "fault": experiment.fault,
            "state": experiment.state.map_or("", State::word),
            "injected": experiment.injected,
            "reverted": experiment.reverted,
        })
    });
    let processes = run.processes.iter().map(|process| {
        json!({"job": process.job, "instance": process.instance, "loads": process.loads, "scrapes": process.scrapes.len()})
    });
    json!({
        "id": run.id,
        "trial": run.trial,
        "start": known(run.start),
        "end": run.end,
        "largest_skew_seconds": known(run.processes.largest_skew()),
        "scrape_interval_seconds": known(run.processes.scrape_interval()),
        "phases": phases.collect::<Vec<_>>(),
        "experiments": experiments.collect::<Vec<_>>(),
        "processes": processes.collect::<Vec<_>>(),
        "flaws": run.flaws.iter().map(shortfall).collect::<Vec<_>>(),
        "infos": evidence.recorded.infos(),
    })
}

fn finding(finding: &Finding) -> Value {
    let judged = &finding.judged;
    json!({
        "name": finding.name,
        "kind": finding.kind,
        "proves": finding.proves,
        "verdict": finding.verdict.word(),
        "limit": finding.limit,
        "observed": judged.observed.as_ref().map(observed),
        "verdict_of_value": judged.by_value.word(),
        "shortfalls": judged.shortfalls.iter().map(shortfall).collect::<Vec<_>>(),
        "why": judged.why,
        "beside": judged.beside,
        "queries": judged.pastes.iter().map(paste).collect::<Vec<_>>(),
        "samples": judged.samples.iter().map(sample).collect::<Vec<_>>(),
    })
}

/// JSON has no infinity and no NaN: those are told as Prometheus writes them.
fn number(value: f64) -> Value {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        json!(value)
    }
}

fn observed(observed: &Observed) -> Value {
    json!({
        "text": observed.text,
        "value": number(observed.value),
        "lower": number(observed.lower),
        "upper": number(observed.upper),
        "unit": observed.unit,
    })
}

fn shortfall(shortfall: &Shortfall) -> Value {
    json!({
        "name": shortfall.lack.name(),
        "detail": shortfall.detail,
        "means": shortfall.lack.meaning(),
        "remedy": shortfall.lack.remedy(),
    })
}

fn paste(paste: &Paste) -> Value {
    let (expected, differs) = match paste.expected {
        Expected::Count(value) | Expected::Seconds(value) => (number(value), None),
        Expected::Differs(why) => (Value::Null, Some(why)),
    };
    json!({
        "query": paste.query,
        "time": paste.at.seconds(),
        "expected": expected,
        "returned": paste.returned.map(number),
        "differs_because": differs,
    })
}

fn sample(sample: &Shown) -> Value {
    json!({"series": sample.series, "time": sample.at.seconds(), "value": number(sample.value)})
}
