//! The findings of a run as people and programs read them.

mod advice;
mod alerts;
mod claims;
mod json;
mod text;
mod when;

use crate::evidence::{Lack, Millis, Shortfall};
use crate::judge::Evidence;
use crate::judge::Finding;
use crate::source::Server;
use crate::verdict::Verdict;

pub(crate) use when::Choice;

/// All that is said of a run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) url: String,
    /// How the run was chosen.
    pub(crate) choice: Choice,
    /// When it was judged.
    pub(crate) now: Millis,
    pub(crate) server: Server,
    /// `None` where no run was found.
    pub(crate) evidence: Option<Evidence>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) verdict: Verdict,
}

impl Report {
    /// Puts the findings together; the worst one is the verdict.
    pub(crate) fn new(
        url: &str,
        (choice, now): (Choice, Millis),
        server: Server,
        evidence: Option<Evidence>,
        findings: Vec<Finding>,
    ) -> Self {
        let verdict = Verdict::worst(findings.iter().map(|finding| finding.verdict));
        Self { url: url.to_owned(), choice, now, server, evidence, findings, verdict }
    }

    /// How many findings have this verdict.
    fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// Whether Prometheus told all and knows of no such run, rather than not having told.
    fn is_absent(&self) -> bool {
        let absent = |shortfall: &Shortfall| shortfall.lack == Lack::RunNotFound;
        self.evidence.is_none()
            && self.findings.iter().all(|finding| finding.judged.shortfalls.iter().any(absent))
    }

    /// As text, coloured or not.
    pub(crate) fn text(&self, colored: bool) -> String {
        text::render(self, colored)
    }

    /// As JSON.
    pub(crate) fn json(&self) -> String {
        json::render(self)
    }
}
