//! The report for programs, and its schema. Fields are only ever added; a change of meaning changes `version`. Pure.

mod shape;

use schemars::generate::SchemaSettings;

use shape::{
    Alert, Counts, Document, Experiment, Finding, Lacking, Number, Observed, Phase, Process, Prometheus,
    Query, Run, Sample, Special, VERSION,
};

use super::Report;
use super::alerts::labels;
use super::told::{cause, reasons};
use crate::evidence::{Shortfall, Shown, State};
use crate::judge::{self, End, Expected, Fired, fired};
use crate::verdict::Verdict;

/// The whole report, with a newline at its end.
pub(super) fn render(report: &Report) -> String {
    let document = Document::of(report);
    let text = serde_json::to_string_pretty(&document).expect("numbers, texts and lists of them are JSON");
    format!("{text}\n")
}

/// The JSON Schema of the report, with a newline at its end.
pub(crate) fn schema() -> String {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    format!("{:#}\n", generator.into_root_schema_for::<Document<'_>>().to_value())
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        match value {
            _ if value.is_nan() => Self::Other(Special::None),
            f64::INFINITY => Self::Other(Special::Infinite),
            f64::NEG_INFINITY => Self::Other(Special::Below),
            _ => Self::Finite(value),
        }
    }
}

impl<'a> Document<'a> {
    fn of(report: &'a Report) -> Self {
        let (alerts, alerts_not_told) = match report.evidence.as_ref().map(fired) {
            Some(Ok(fired)) => (Some(fired.iter().map(Alert::of).collect()), None),
            Some(Err(why)) => (None, Some(why.to_string())),
            None => (None, None),
        };
        Self {
            version: VERSION,
            verdict: report.verdict,
            exit_code: report.verdict.exit_code(),
            counts: Counts {
                pass: report.count(Verdict::Pass),
                inconclusive: report.count(Verdict::Inconclusive),
                fail: report.count(Verdict::Fail),
            },
            prometheus: Prometheus { url: &report.url, version: report.server.version.as_deref() },
            run: report.evidence.as_ref().map(Run::of),
            not_claimed: report.not_claimed(),
            alerts,
            alerts_not_told,
            findings: report.findings.iter().map(Finding::of).collect(),
        }
    }
}

impl Alert {
    fn of(fired: &Fired) -> Self {
        let (resolved_by, end_unknown) = match &fired.end {
            End::Resolved(by) => (Some(by.seconds()), None),
            End::Firing(_) => (None, None),
            End::Unknown(why) => (None, Some(why.to_string())),
        };
        Self {
            name: fired.alert.clone(),
            labels: labels(fired),
            experiment: fired.experiment.clone(),
            fired: fired.firing.first.seconds(),
            last_firing: fired.firing.last.seconds(),
            resolved_by,
            end_unknown,
        }
    }
}

impl<'a> Run<'a> {
    fn of(evidence: &'a judge::Evidence) -> Self {
        let run = &evidence.run;
        let known = |value: f64| (!run.processes.is_dark()).then_some(value);
        let phases = run.phases.iter().map(|it| Phase { name: it.name.word(), start: it.start, end: it.end });
        let experiments = run.experiments.values().map(|it| Experiment {
            name: &it.name,
            fault: &it.fault,
            state: it.state.map_or("", State::word),
            injected: it.injected,
            reverted: it.reverted,
        });
        let processes = run.processes.iter().map(|it| Process {
            job: &it.job,
            instance: &it.instance,
            loads: it.loads,
            scrapes: it.scrapes.len(),
        });
        Self {
            id: &run.id,
            trial: &run.trial,
            start: known(run.start),
            end: run.end,
            largest_skew_seconds: known(run.processes.largest_skew()),
            scrape_interval_seconds: known(run.processes.scrape_interval()),
            phases: phases.collect(),
            experiments: experiments.collect(),
            processes: processes.collect(),
            flaws: run.flaws.iter().map(Lacking::of).collect(),
            infos: evidence.recorded.infos(),
        }
    }
}

impl<'a> Finding<'a> {
    fn of(finding: &'a judge::Finding) -> Self {
        let judged = &finding.judged;
        Self {
            name: &finding.name,
            kind: finding.kind.word(),
            proves: finding.proves.as_deref(),
            verdict: finding.verdict,
            limit: &finding.limit,
            observed: judged.observed.as_ref().map(Observed::of),
            verdict_of_value: judged.by_value,
            shortfalls: judged.shortfalls.iter().map(Lacking::of).collect(),
            cause: cause(finding),
            remedy: reasons(finding).first().map(|reason| reason.remedy),
            why: &judged.why,
            beside: &judged.beside,
            queries: judged.pastes.iter().map(Query::of).collect(),
            samples: judged.samples.iter().map(Sample::of).collect(),
        }
    }
}

impl<'a> Observed<'a> {
    fn of(observed: &'a judge::Observed) -> Self {
        let [value, lower, upper] = [observed.value, observed.lower, observed.upper].map(Number::from);
        Self { text: &observed.text, value, lower, upper, unit: observed.unit }
    }
}

impl<'a> Lacking<'a> {
    fn of(shortfall: &'a Shortfall) -> Self {
        let lack = shortfall.lack;
        let (name, means, remedy) = (lack.name(), lack.meaning(), lack.remedy());
        Self { name, detail: &shortfall.detail, means, remedy }
    }
}

impl<'a> Query<'a> {
    fn of(paste: &'a judge::Paste) -> Self {
        let (expected, differs_because) = match paste.expected {
            Expected::Count(value) | Expected::Seconds(value) => (Some(value.into()), None),
            Expected::Differs(why) => (None, Some(why)),
        };
        let returned = paste.returned.map(Number::from);
        Self { text: &paste.query, time: paste.at.seconds(), expected, returned, differs_because }
    }
}

impl<'a> Sample<'a> {
    fn of(sample: &'a Shown) -> Self {
        Self { series: &sample.series, time: sample.at.seconds(), value: sample.value.into() }
    }
}
