//! The findings of a run as people and programs read them.

mod advice;
mod alerts;
mod claims;
mod explain;
mod heading;
mod html;
mod json;
mod junit;
mod markdown;
mod text;
mod told;
mod when;

use crate::evidence::{Lack, Millis, Shortfall};
use crate::judge::Evidence;
use crate::judge::Finding;
use crate::source::Server;
use crate::verdict::Verdict;

pub(crate) use explain::{explain, list, names};
pub(crate) use html::{Answers, Shown, questions};
pub(crate) use json::schema;
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
    /// What only the page of HTML shows.
    pub(crate) shown: Option<Shown>,
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
        Self { url: url.to_owned(), choice, now, server, evidence, findings, verdict, shown: None }
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

    /// As `JUnit`'s XML: an objective is a test case.
    pub(crate) fn junit(&self) -> String {
        junit::render(self)
    }

    /// As one page of HTML; empty where what it shows was not fetched.
    pub(crate) fn html(&self) -> String {
        self.shown.as_ref().map(|shown| html::render(self, shown)).unwrap_or_default()
    }

    /// As Markdown, without the particulars where it would be longer than so many bytes with them.
    pub(crate) fn markdown(&self, room: usize) -> String {
        markdown::render(self, room)
    }
}
