//! What every form of the report says of a finding in the same words. Pure.

use super::advice::{advice, undecided};
use crate::judge::{Expected, Finding, Paste};
use crate::verdict::Verdict;

/// Why a finding did not pass, or what stands against a pass, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    /// The name of a shortfall, where it is one.
    pub(super) name: Option<&'static str>,
    /// The particulars; empty where the finding says all.
    pub(super) said: String,
    /// What the shortfall means.
    pub(super) means: Option<&'static str>,
    pub(super) remedy: &'static str,
}

/// All reasons of a finding, the first one first to look at; none for a plain pass.
pub(super) fn reasons(finding: &Finding) -> Vec<Reason> {
    let shortfalls = &finding.judged.shortfalls;
    let mut reasons = Vec::new();
    match finding.verdict {
        Verdict::Fail => {
            let remedy = advice(finding.kind);
            reasons.push(Reason { name: None, said: String::new(), means: None, remedy });
        }
        Verdict::Inconclusive if shortfalls.is_empty() => {
            let open = undecided(finding);
            let said = open.why.to_owned();
            reasons.push(Reason { name: None, said, means: None, remedy: open.remedy });
        }
        Verdict::Inconclusive | Verdict::Pass => {}
    }
    reasons.extend(shortfalls.iter().map(|shortfall| Reason {
        name: Some(shortfall.lack.name()),
        said: shortfall.detail.clone(),
        means: Some(shortfall.lack.meaning()),
        remedy: shortfall.lack.remedy(),
    }));
    reasons
}

/// The first reason in few words: what stands beside a value that did not pass.
pub(super) fn cause(finding: &Finding) -> Option<String> {
    match (finding.verdict, finding.judged.shortfalls.first()) {
        (Verdict::Pass, _) => None,
        (Verdict::Fail, _) => Some(finding.judged.why.clone()).filter(|why| !why.is_empty()),
        (Verdict::Inconclusive, Some(shortfall)) => Some(shortfall.to_string()),
        (Verdict::Inconclusive, None) => Some(undecided(finding).why.to_owned()),
    }
}

/// What a query returned, beside what was due.
pub(super) fn returned(paste: &Paste) -> String {
    match (&paste.expected, paste.returned) {
        (Expected::Differs(why), Some(value)) => format!("= {value}, which differs: {why}"),
        (Expected::Differs(why), None) => format!("differs: {why}"),
        (_, Some(value)) => format!("= {value}"),
        (_, None) => "returned no single number".to_owned(),
    }
}
