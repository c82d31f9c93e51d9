//! The report as Markdown, for the summary of a CI step. Pure.
//!
//! Names and reasons come from others: whatever could be markup in them is escaped, and a line stays one line.

use std::fmt::Write;

use super::Report;
use super::told::{cause, reasons, returned};
use crate::judge::Finding;
use crate::plain::plain;
use crate::verdict::Verdict;

/// The whole report, or only its table where the whole would be longer than `room` bytes.
pub(super) fn render(report: &Report, room: usize) -> String {
    let table = head(report) + &table(report);
    let open = report.findings.iter().filter(|finding| finding.verdict != Verdict::Pass);
    let particulars: String = open.map(particulars).collect();
    if table.len() + particulars.len() > room {
        return table + "\nThe particulars do not fit here: `--report-dir` writes them to files.\n\n";
    }
    table + &particulars
}

/// Shown before the verdict's word: a colour for whoever looks, the word for whoever reads.
fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Inconclusive => "❔",
        Verdict::Fail => "❌",
    }
}

fn head(report: &Report) -> String {
    let verdict = report.verdict;
    let mut text = format!("## {} Verdict: {}\n\n", mark(verdict), verdict.word());
    let mut line = |told: &str| {
        let _ = writeln!(text, "{told}  ");
    };
    line(&format!("{}, exit code {}", report.counts(), verdict.exit_code()));
    line(&escaped(&report.heading()));
    let when = report.when();
    if !when.is_empty() {
        line(&escaped(&when));
    }
    line(&format!("Judged: {}", escaped(&report.judged_list())));
    let not_claimed = report.not_claimed();
    if !not_claimed.is_empty() {
        line(&format!("**Not claimed:** {}", escaped(&not_claimed.join("; "))));
    }
    for info in report.evidence.iter().flat_map(|evidence| evidence.recorded.infos()) {
        line(&format!("Remark by Prometheus: {}", escaped(info)));
    }
    text.push('\n');
    text
}

fn table(report: &Report) -> String {
    let mut text =
        String::from("| | objective | observed | promised | proves | |\n|---|---|---|---|---|---|\n");
    for finding in &report.findings {
        let observed = finding.judged.observed.as_ref().map_or("-", |observed| &observed.text);
        let said = cause(finding).or_else(|| finding.judged.brief.clone()).unwrap_or_default();
        let proves = finding.proves.as_deref().unwrap_or_default();
        let cells = [finding.name.as_str(), observed, &finding.limit, proves, &said].map(escaped);
        let _ = writeln!(
            text,
            "| {} {} | {} |",
            mark(finding.verdict),
            finding.verdict.word(),
            cells.join(" | ")
        );
    }
    text.push('\n');
    text
}

/// Why a finding did not pass, folded away.
fn particulars(finding: &Finding) -> String {
    let judged = &finding.judged;
    let mut text = format!(
        "<details><summary>{} {}: {}</summary>\n\n",
        mark(finding.verdict),
        finding.verdict.word(),
        escaped(&finding.name)
    );
    let mut item = |told: &str| {
        let _ = writeln!(text, "- {told}");
    };
    if !judged.why.is_empty() {
        item(&format!("{}; promised: {}", escaped(&judged.why), escaped(&finding.limit)));
    }
    for reason in reasons(finding) {
        let name = reason.name.map(|name| format!("`{name}`: ")).unwrap_or_default();
        let means = reason.means.map(|means| format!(" {}", escaped(means))).unwrap_or_default();
        if !name.is_empty() || !reason.said.is_empty() {
            item(&format!("{name}{}.{means}", escaped(&reason.said)));
        }
        item(&format!("**What to do:** {}", escaped(reason.remedy)));
    }
    for beside in &judged.beside {
        item(&escaped(beside));
    }
    let told: Vec<String> =
        judged
            .pastes
            .iter()
            .map(|paste| format!("# at {} {}\n{}", paste.at, plain(&returned(paste)), plain(&paste.query)))
            .chain(judged.samples.iter().map(|sample| {
                format!("# sample at {}: {} = {}", sample.at, plain(&sample.series), sample.value)
            }))
            .collect();
    if !told.is_empty() {
        let told = told.join("\n");
        let fence = fence(&told);
        let _ = write!(text, "\n{fence}promql\n{told}\n{fence}\n");
    }
    text.push_str("\n</details>\n\n");
    text
}

/// A fence that no line of the text ends.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(3.max(longest + 1))
}

/// The text with everything escaped that Markdown or HTML would take for markup, in one line.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in plain(text).chars() {
        if r"\`*_{}[]<>&|~$#@".contains(c) {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_name_becomes_markup() {
        let table = [
            ("a | b", r"a \| b"),
            ("<img src=x> & [x](y)", r"\<img src=x\> \& \[x\](y)"),
            ("`code` **bold** \\", r"\`code\` \*\*bold\*\* \\"),
            ("one\ntwo", r"one\\ntwo"),
            ("99.9 % within 2 s", "99.9 % within 2 s"),
        ];
        for (text, due) in table {
            assert_eq!(escaped(text), due);
        }
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        assert_eq!(fence("up"), "```");
        assert_eq!(fence("````x"), "`````");
    }
}
