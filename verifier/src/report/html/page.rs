//! What the page says, in the order in which it is read: the verdict, the run over time, the alerts that fired, each
//! objective, the exporter's own results. Pure.

use askama::Template;

use super::course::injected;
use super::figure::{Figure, Timeline, of_finding};
use super::results::{Chaos, Load};
use super::{Report, Shown, palette};
use crate::evidence::State;
use crate::judge;
use crate::plain::plain;
use crate::report::alerts::Alerts;
use crate::report::heading::clocks;
use crate::report::told::{Reason, cause, grouped, reasons, returned};
use crate::slo::trimmed;
use crate::verdict::Verdict;

/// The columns of the load's table, behind the task.
const COLUMNS: [&str; 7] = ["good", "bad", "a second", "p50", "p95", "p99", "longest"];

/// The page.
#[derive(Debug, Template)]
#[template(path = "report.html")]
pub(super) struct Page {
    style: String,
    verdict: &'static str,
    sentence: String,
    run: String,
    facts: Vec<(&'static str, String)>,
    judged: String,
    not_claimed: Vec<String>,
    remarks: Vec<String>,
    flaws: Vec<Why>,
    findings: Vec<Card>,
    timeline: Timeline,
    experiments: Vec<Fault>,
    alerts: Option<Alerts>,
    load: Result<Load, String>,
    chaos: Result<Chaos, String>,
}

/// An objective.
#[derive(Debug)]
struct Card {
    number: usize,
    name: String,
    kind: &'static str,
    proves: String,
    verdict: &'static str,
    observed: String,
    limit: String,
    /// In few words, for the overview.
    cause: String,
    why: String,
    beside: Vec<String>,
    reasons: Vec<Why>,
    queries: Vec<Query>,
    samples: Vec<Sample>,
    figure: Figure,
}

/// Why something did not pass, and what to do.
#[derive(Debug)]
struct Why {
    name: &'static str,
    said: Vec<String>,
    means: &'static str,
    remedy: &'static str,
}

/// A query to paste.
#[derive(Debug)]
struct Query {
    at: String,
    text: String,
    returned: String,
}

/// A sample that decides.
#[derive(Debug)]
struct Sample {
    since: String,
    at: String,
    series: String,
    value: f64,
}

/// An experiment of the timeline.
#[derive(Debug)]
struct Fault {
    number: usize,
    name: String,
    kind: String,
    at: String,
    state: &'static str,
}

impl Page {
    /// What is said of a report.
    pub(super) fn of(report: &Report, shown: &Shown) -> Self {
        let evidence = report.evidence.as_ref();
        let pairs = shown.objectives.iter().zip(&report.findings).enumerate();
        let card = |(at, (objective, finding)): (usize, (_, &judge::Finding))| Card {
            figure: of_finding(report, objective, finding),
            ..Card::of(report, at + 1, finding)
        };
        let flaws = evidence.map_or(&[][..], |evidence| &evidence.run.flaws);
        let remarks = evidence.map_or(&[][..], |evidence| evidence.recorded.infos());
        let run = evidence.map_or_else(|| "no run".to_owned(), |evidence| plain(&evidence.run.id));
        Self {
            style: palette::style(),
            verdict: report.verdict.word(),
            sentence: sentence(report),
            run,
            facts: facts(report),
            judged: report.judged_list(),
            not_claimed: report.not_claimed().iter().map(|text| plain(text)).collect(),
            remarks: remarks.iter().map(|text| plain(text)).collect(),
            flaws: grouped(flaws).iter().map(Why::of).collect(),
            findings: pairs.map(card).collect(),
            timeline: Timeline::of(report, shown),
            experiments: experiments(report),
            alerts: report.alerts(),
            load: shown.results.load.as_ref().map(Load::of).map_err(|why| plain(why)),
            chaos: shown.results.chaos.as_ref().map(Chaos::of).map_err(|why| plain(why)),
        }
    }

    /// The findings that did not pass.
    fn open(&self) -> impl Iterator<Item = &Card> {
        self.findings.iter().filter(|card| card.verdict != Verdict::Pass.word())
    }
}

impl Card {
    fn of(report: &Report, number: usize, finding: &judge::Finding) -> Self {
        let judged = &finding.judged;
        let started = report.started();
        let query = |paste: &judge::Paste| Query {
            at: paste.at.to_string(),
            text: plain(&paste.query),
            returned: plain(&returned(paste)),
        };
        let sample = |sample: &crate::evidence::Shown| Sample {
            since: started.map(|start| format!("{:+.1} s", sample.at.seconds() - start)).unwrap_or_default(),
            at: sample.at.to_string(),
            series: plain(&sample.series),
            value: sample.value,
        };
        let observed = judged.observed.as_ref().map_or("-", |observed| &observed.text);
        Self {
            number,
            name: plain(&finding.name),
            kind: finding.kind.word(),
            proves: plain(finding.proves.as_deref().unwrap_or_default()),
            verdict: finding.verdict.word(),
            observed: plain(observed),
            limit: plain(&finding.limit),
            cause: plain(&cause(finding).unwrap_or_default()),
            why: plain(&judged.why),
            beside: judged.beside.iter().map(|text| plain(text)).collect(),
            reasons: reasons(finding).iter().map(Why::of).collect(),
            queries: judged.pastes.iter().map(query).collect(),
            samples: judged.samples.iter().map(sample).collect(),
            figure: Figure::default(),
        }
    }
}

impl Why {
    fn of(reason: &Reason) -> Self {
        Self {
            name: reason.name.unwrap_or_default(),
            said: reason.said.iter().map(|said| plain(said)).collect(),
            means: reason.means.unwrap_or_default(),
            remedy: reason.remedy,
        }
    }
}

/// The verdict in words.
fn sentence(report: &Report) -> String {
    let all = report.findings.len();
    let of = |count: usize| {
        if all == 1 { "The only promise".to_owned() } else { format!("{count} of {all} promises") }
    };
    let (failed, open) = (report.count(Verdict::Fail), report.count(Verdict::Inconclusive));
    let was = |count: usize| if count == 1 || all == 1 { "was" } else { "were" };
    let undecided = format!("{} could not be decided: the evidence does not suffice", of(open));
    match (failed, open) {
        (0, 0) if all == 1 => "The only promise was kept.".to_owned(),
        (0, 0) => format!("All {all} promises were kept."),
        (0, _) => format!("{undecided}."),
        (_, 0) => format!("{} {} broken.", of(failed), was(failed)),
        _ => format!("{} {} broken; {undecided}.", of(failed), was(failed)),
    }
}

/// What the verdict is about.
fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(evidence) = &report.evidence {
        facts.push(("run", plain(&evidence.run.id)));
        facts.push(("trial", plain(&evidence.run.trial)));
        facts.push(("lasted", report.length().unwrap_or_else(|| "not known".to_owned())));
        facts.push(("when", plain(&report.when())));
        facts.push(("times", clocks(&evidence.run.processes).join(", ")));
    } else {
        facts.push(("run", plain(&report.heading())));
    }
    facts.push(("recorded by", plain(&report.prometheus())));
    facts.push(("findings", format!("{}, exit code {}", report.counts(), report.verdict.exit_code())));
    facts
}

fn experiments(report: &Report) -> Vec<Fault> {
    let Some(evidence) = &report.evidence else { return Vec::new() };
    let fault = |(at, (experiment, injected)): (usize, (&crate::run::Experiment, f64))| Fault {
        number: at + 1,
        name: plain(&experiment.name),
        kind: plain(&experiment.fault),
        at: format!("{} s", trimmed(injected, 1)),
        state: experiment.state.map_or("", State::word),
    };
    injected(evidence).into_iter().enumerate().map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Lack, Millis, Shortfall};
    use crate::judge::{Finding, Judged};
    use crate::report::Choice;
    use crate::slo::Kind;
    use crate::source::Server;

    #[test]
    fn the_verdict_is_a_sentence() {
        let (pass, open, fail) = (Verdict::Pass, Verdict::Inconclusive, Verdict::Fail);
        let table: [(&[Verdict], &str); 6] = [
            (&[pass], "The only promise was kept."),
            (&[pass, pass], "All 2 promises were kept."),
            (&[pass, fail], "1 of 2 promises was broken."),
            (&[open], "The only promise could not be decided: the evidence does not suffice."),
            (&[fail], "The only promise was broken."),
            (
                &[fail, fail, open],
                "2 of 3 promises were broken; 1 of 3 promises could not be decided: the evidence does not suffice.",
            ),
        ];
        for (verdicts, due) in table {
            let finding = |verdict: &Verdict| Finding {
                name: String::new(),
                kind: Kind::Health,
                proves: None,
                limit: String::new(),
                verdict: *verdict,
                judged: Judged::lacking(Shortfall::new(Lack::Gap, "")),
            };
            let findings = verdicts.iter().map(finding).collect();
            let report = Report::new("u", (Choice::Named, Millis(0)), Server::default(), None, findings);
            assert_eq!(sentence(&report), due);
        }
    }
}
