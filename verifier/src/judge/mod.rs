//! From evidence to findings: one file a kind of objective, all of it pure.
//!
//! A judge computes the observed value with its bounds and says on which side of the limit the whole of it
//! lies. Whatever it cannot compute is a shortfall, and a shortfall is never a pass.

mod alerting;
mod archive;
mod archive_age;
mod archive_cover;
mod archive_falls;
mod archive_still;
mod availability;
mod buckets;
mod cut;
mod data_loss;
mod evidence;
mod experiment;
mod fired;
mod health;
mod health_seen;
mod intervention;
mod lasting;
mod latency;
mod leader;
mod limit;
mod listed;
mod load_held;
mod load_seen;
mod load_time;
mod names;
mod needs;
mod pace;
mod paste;
mod portion;
mod probes;
mod promql;
mod recovery;
mod relief;
mod rule;
mod scaling;
mod settled;
mod show;
mod split_brain;
mod unseen;
mod untested;
mod user_time;
mod users_ran;
mod written_point;

use crate::evidence::{Bars, Lack, PhaseName, Shortfall, Shown};
use crate::run::Run;
use crate::slo::{Kind, Objective, Promise};
use crate::verdict::Verdict;

pub(crate) use archive::{AGE as ARCHIVE_AGE, course as archive_course};
pub(crate) use availability::counters as availability_counters;
pub(crate) use evidence::Evidence;
pub(crate) use experiment::window;
pub(crate) use fired::{End, Fired, fired};
pub(crate) use lasting::{LASTING_PROBES, LASTING_SECONDS};
pub(crate) use latency::counters as latency_counters;
pub(crate) use needs::{Needs, needs};
pub(crate) use paste::{Expected, Paste, agree};
pub(crate) use portion::Counters;
pub(crate) use show::grouped;

/// What is said of one objective, and all that says so.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) proves: Option<String>,
    /// The limit, as text.
    pub(crate) limit: String,
    pub(crate) verdict: Verdict,
    pub(crate) judged: Judged,
}

/// What a judge found.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    /// `None` where the value could not be computed.
    pub(crate) observed: Option<Observed>,
    /// The verdict of the value alone.
    pub(crate) by_value: Verdict,
    /// What stands against that verdict.
    pub(crate) shortfalls: Vec<Shortfall>,
    /// What the value means, as a sentence.
    pub(crate) why: String,
    /// Other ways to tell the same.
    pub(crate) beside: Vec<String>,
    /// What belongs directly under the value, in few words.
    pub(crate) brief: Option<String>,
    /// `PromQL` for a person to paste.
    pub(crate) pastes: Vec<Paste>,
    /// The samples that decide.
    pub(crate) samples: Vec<Shown>,
}

/// A value somewhere in `lower..=upper`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Observed {
    /// For people, bounds included.
    pub(crate) text: String,
    pub(crate) value: f64,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
    pub(crate) unit: &'static str,
}

impl Judged {
    /// A value on its side of the limit.
    fn value(observed: Observed, by_value: Verdict, why: String) -> Self {
        Self {
            observed: Some(observed),
            by_value,
            shortfalls: Vec::new(),
            why,
            beside: Vec::new(),
            brief: None,
            pastes: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// No value, and why.
    pub(crate) fn lacking(shortfall: Shortfall) -> Self {
        Self {
            observed: None,
            by_value: Verdict::Inconclusive,
            shortfalls: vec![shortfall],
            why: String::new(),
            beside: Vec::new(),
            brief: None,
            pastes: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Notes a shortfall beside the value.
    fn lacks(&mut self, lack: Lack, detail: impl Into<String>) {
        self.shortfalls.push(Shortfall::new(lack, detail));
    }

    /// The verdict, shortfalls considered.
    fn verdict(&self) -> Verdict {
        self.shortfalls.iter().fold(self.by_value, |verdict, shortfall| {
            match (shortfall.lack.bars(), verdict) {
                (Bars::Both, _) | (Bars::Pass, Verdict::Pass) | (Bars::Fail, Verdict::Fail) => {
                    Verdict::Inconclusive
                }
                _ => verdict,
            }
        })
    }
}

impl Finding {
    /// Puts what was found beside what was promised.
    pub(crate) fn new(objective: &Objective, judged: Judged) -> Self {
        Self {
            name: objective.name.clone(),
            kind: objective.promise.kind(),
            proves: objective.proves.clone(),
            limit: limit::text(&objective.promise),
            verdict: judged.verdict(),
            judged,
        }
    }

    /// Adds a shortfall that turned up after judging.
    pub(crate) fn add(&mut self, shortfall: Shortfall) {
        self.judged.shortfalls.push(shortfall);
        self.verdict = self.judged.verdict();
    }
}

/// Judges one objective.
pub(crate) fn judge(objective: &Objective, evidence: &Evidence) -> Finding {
    if let (true, Some(flaw)) = (evidence.run.processes.is_dark(), evidence.run.flaws.first()) {
        // Whatever a judge found missing would only follow from that.
        let mut judged = Judged::lacking(flaw.clone());
        judged.shortfalls.clone_from(&evidence.run.flaws);
        return Finding::new(objective, judged);
    }
    let result = names::check(&objective.promise, evidence).and_then(|()| match &objective.promise {
        Promise::Availability(promise) => availability::judge(promise, evidence),
        Promise::Recovery(promise) => recovery::judge(promise, evidence),
        Promise::DataLoss(promise) => data_loss::judge(promise, evidence),
        Promise::Latency(promise) => latency::judge(promise, evidence),
        Promise::Leader(promise) => leader::judge(promise, evidence),
        Promise::SplitBrain(promise) => split_brain::judge(promise, evidence),
        Promise::WrittenPoint(promise) => written_point::judge(promise, evidence),
        Promise::ArchivePoint(promise) => archive::judge(promise, evidence),
        Promise::LoadHeld(share) => load_held::judge(*share, evidence),
        Promise::Scaling(promise) => scaling::judge(promise, evidence),
        Promise::Health(promise) => health::judge(promise, evidence),
        Promise::Intervention(share) => intervention::judge(*share, evidence),
        Promise::Alerting(promise) => alerting::judge(promise, evidence),
        Promise::Promql(promise) => promql::judge(promise, evidence),
    });
    let mut judged = result.unwrap_or_else(Judged::lacking);
    // Before the rest, which may only follow from it.
    judged.shortfalls.splice(0..0, load_seen::unseen(&objective.promise, evidence));
    if judged.by_value == Verdict::Fail {
        judged.shortfalls.extend(cut::short(&objective.promise, &evidence.run));
    }
    judged.shortfalls.extend(untested::missing(&objective.promise, evidence, judged.by_value));
    if evidence.run.end.is_none() {
        // Merely a consequence, that something had not come to its end or was not audited at it.
        let follows = |lack: Lack| matches!(lack, Lack::NotFinal | Lack::AuditIncomplete);
        judged.shortfalls.retain(|shortfall| !follows(shortfall.lack));
    }
    lead_with_early_end(&mut judged, &evidence.run.flaws);
    for flaw in &evidence.run.flaws {
        if !judged.shortfalls.contains(flaw) {
            judged.shortfalls.push(flaw.clone());
        }
    }
    let finding = Finding::new(objective, judged);
    // Harm that was seen all the same stays.
    let unjudged = before_load(&evidence.run).filter(|_| finding.verdict != Verdict::Fail);
    unjudged.map_or(finding, |judged| Finding::new(objective, judged))
}

/// What is said of every objective on a run that ended before its load: why it did, and what else is wrong with its
/// record. Whatever a judge finds missing, and scrapes that are, merely follow from that.
fn before_load(run: &Run) -> Option<Judged> {
    let aborted = run.flaws.iter().find(|flaw| flaw.lack == Lack::RunAborted)?;
    if run.phase(PhaseName::Preflight).is_none() || run.stopped_in() != Some(PhaseName::Preflight) {
        return None;
    }
    let mut judged = Judged::lacking(aborted.clone());
    let others = run.flaws.iter().filter(|flaw| !matches!(flaw.lack, Lack::RunAborted | Lack::Gap));
    judged.shortfalls.extend(others.cloned());
    Some(judged)
}

/// That a run was aborted or did not end comes first: the rest may only follow from it.
fn lead_with_early_end(judged: &mut Judged, flaws: &[Shortfall]) {
    let early = |flaw: &&Shortfall| matches!(flaw.lack, Lack::RunUnfinished | Lack::RunAborted);
    judged.shortfalls.splice(0..0, flaws.iter().filter(early).cloned());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(by_value: Verdict, lack: Lack) -> Verdict {
        let observed = Observed { text: String::new(), value: 0.0, lower: 0.0, upper: 0.0, unit: "" };
        let mut judged = Judged::value(observed, by_value, String::new());
        judged.lacks(lack, "");
        judged.verdict()
    }

    #[test]
    fn a_shortfall_stands_against_the_verdicts_that_it_bars() {
        let table = [
            (Verdict::Pass, Lack::Gap, Verdict::Inconclusive),
            (Verdict::Fail, Lack::Gap, Verdict::Inconclusive),
            // More of an audit could only have found more losses.
            (Verdict::Pass, Lack::AuditIncomplete, Verdict::Inconclusive),
            (Verdict::Fail, Lack::AuditIncomplete, Verdict::Fail),
            // One more fault could only have done more harm.
            (Verdict::Pass, Lack::FaultMissing, Verdict::Inconclusive),
            (Verdict::Fail, Lack::FaultMissing, Verdict::Fail),
            // A generator that could not keep up only makes things look worse.
            (Verdict::Pass, Lack::GeneratorSaturated, Verdict::Pass),
            (Verdict::Fail, Lack::GeneratorSaturated, Verdict::Inconclusive),
        ];
        for (by_value, lack, verdict) in table {
            assert_eq!(with(by_value, lack), verdict, "{by_value:?} {lack:?}");
        }
    }
}
