//! What every form of the report says of a finding in the same words. Pure.

use super::advice::{advice, undecided};
use crate::evidence::Shortfall;
use crate::judge::{Expected, Finding, Paste};
use crate::verdict::Verdict;

/// Why a finding did not pass, or what stands against a pass, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    /// The name of a shortfall, where it is one.
    pub(super) name: Option<&'static str>,
    /// The particulars, one for each shortfall of that name; none where the finding says all.
    pub(super) said: Vec<String>,
    /// What the shortfall means.
    pub(super) means: Option<&'static str>,
    pub(super) remedy: &'static str,
}

impl Reason {
    /// The particulars, each behind the name; none where the finding says all.
    pub(super) fn lines(&self) -> Vec<String> {
        let named = |said: &String| self.name.map_or_else(|| said.clone(), |name| format!("{name}: {said}"));
        self.said.iter().map(named).collect()
    }
}

/// What shortfalls say: those of one name together, so that what to do about them is told once. The names stand in the
/// order in which they are met.
pub(super) fn grouped(shortfalls: &[Shortfall]) -> Vec<Reason> {
    let mut groups: Vec<Reason> = Vec::new();
    for Shortfall { lack, detail } in shortfalls {
        let name = Some(lack.name());
        if let Some(group) = groups.iter_mut().find(|group| group.name == name) {
            group.said.push(detail.clone());
        } else {
            let (said, means) = (vec![detail.clone()], Some(lack.meaning()));
            groups.push(Reason { name, said, means, remedy: lack.remedy() });
        }
    }
    groups
}

/// All reasons of a finding, the first one first to look at; none for a plain pass.
pub(super) fn reasons(finding: &Finding) -> Vec<Reason> {
    let shortfalls = &finding.judged.shortfalls;
    let mut reasons = Vec::new();
    match finding.verdict {
        Verdict::Fail => {
            let remedy = advice(finding.kind);
            reasons.push(Reason { name: None, said: Vec::new(), means: None, remedy });
        }
        Verdict::Inconclusive if shortfalls.is_empty() => {
            let open = undecided(finding);
            let said = vec![open.why.to_owned()];
            reasons.push(Reason { name: None, said, means: None, remedy: open.remedy });
        }
        Verdict::Inconclusive | Verdict::Pass => {}
    }
    reasons.extend(grouped(shortfalls));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Lack;
    use crate::judge::Judged;
    use crate::slo::Kind;

    #[test]
    fn shortfalls_of_one_name_are_one_reason() {
        let (ledger, gap) = (Lack::NoWritesBefore, Lack::Gap);
        let shortfalls =
            [(ledger, "3 before a"), (gap, "of users"), (ledger, "0 before b"), (ledger, "1 before c")]
                .map(|(lack, detail)| Shortfall::new(lack, detail));
        let groups = grouped(&shortfalls);
        let told: Vec<_> = groups.iter().map(|group| (group.name, group.remedy, group.lines())).collect();
        let due = [
            (
                Some("no_writes_before"),
                ledger.remedy(),
                ["3 before a", "0 before b", "1 before c"]
                    .map(|it| format!("no_writes_before: {it}"))
                    .to_vec(),
            ),
            (Some("gap"), gap.remedy(), vec!["gap: of users".to_owned()]),
        ];
        assert_eq!(told, due);
    }

    #[test]
    fn what_to_do_about_the_broken_promise_comes_first() {
        let shortfalls = ["early", "late"].map(|detail| Shortfall::new(Lack::WatchGap, detail)).to_vec();
        let judged = Judged { shortfalls, ..Judged::lacking(Shortfall::new(Lack::Gap, "")) };
        let (name, kind, limit) = (String::new(), Kind::Intervention, String::new());
        let finding = Finding { name, kind, proves: None, limit, verdict: Verdict::Fail, judged };
        let told: Vec<_> = reasons(&finding).into_iter().map(|reason| (reason.name, reason.said)).collect();
        let both = ["early", "late"].map(str::to_owned).to_vec();
        assert_eq!(told, [(None, Vec::new()), (Some("watch_gap"), both)]);
    }
}
