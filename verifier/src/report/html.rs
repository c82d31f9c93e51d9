//! The report as one page of HTML that needs nothing else: no script, no other file, no network. Pure.

mod asked;
mod chart;
mod course;
mod draw;
mod figure;
mod lanes;
mod objective;
mod page;
mod palette;
mod results;
mod timeline;

use askama::Template;

use super::Report;
use crate::results::Results;
use crate::slo::Objective;

pub(crate) use asked::{Answers, questions};

/// What only this form of the report shows, fetched beside the evidence.
#[derive(Debug)]
pub(crate) struct Shown {
    /// In the order of the findings.
    pub(crate) objectives: Vec<Objective>,
    /// What was asked for the timeline.
    pub(crate) answers: Answers,
    /// What the exporter wrote.
    pub(crate) results: Results,
}

/// The whole page.
pub(super) fn render(report: &Report, shown: &Shown) -> String {
    page::Page::of(report, shown).render().expect("texts are written into a text")
}
