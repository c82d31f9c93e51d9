//! The report as Markdown, for the summary of a CI step. Pure.
//!
//! Names and reasons come from others: whatever could be markup in them is escaped, and a line stays one line. A line
//! that begins with a tag is HTML, as are those up to the next empty one: no backslash escapes anything there, an entity
//! does.

use std::fmt::Write;

use super::Report;
use super::alerts::{Alerts, Row};
use super::told::{Reason, cause, reasons, returned};
use crate::judge::Finding;
use crate::plain::plain;
use crate::verdict::Verdict;

/// The whole report, or only its table where the whole would be longer than `room` bytes.
pub(super) fn render(report: &Report, room: usize) -> String {
    let table = head(report) + &table(report);
    let open = report.findings.iter().filter(|finding| finding.verdict != Verdict::Pass);
    let told = report.alerts().as_ref().map(alerts);
    let particulars: String = told.into_iter().chain(open.map(particulars)).collect();
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

/// The alerts that fired, folded away; or why there is none.
fn alerts(told: &Alerts) -> String {
    if told.rows.is_empty() {
        return format!("{}\n\n", escaped(&told.heading));
    }
    let mut text = folded(&format!("{}: {}", told.heading, told.rows.len()));
    text.push_str("| alert | experiment | fired at | |\n|---|---|---|---|\n");
    for Row { alert, experiment, fired, end } in &told.rows {
        let cells = [alert, experiment, fired, end].map(|cell| escaped(cell));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text.push_str("\n</details>\n\n");
    text
}

/// Why a finding did not pass, folded away.
fn particulars(finding: &Finding) -> String {
    let judged = &finding.judged;
    let (mark, verdict) = (mark(finding.verdict), finding.verdict.word());
    let mut text = folded(&format!("{mark} {verdict}: {}", finding.name));
    let mut item = |told: &str| {
        let _ = writeln!(text, "- {told}");
    };
    if !judged.why.is_empty() {
        item(&format!("{}; promised: {}", escaped(&judged.why), escaped(&finding.limit)));
    }
    for reason in reasons(finding) {
        if let Some(told) = because(&reason) {
            item(&told);
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

/// The item of a list that says why: several shortfalls of one name are a list of their own, below what they mean.
fn because(reason: &Reason) -> Option<String> {
    let name = reason.name.map(|name| format!("`{name}`: ")).unwrap_or_default();
    let means = reason.means.map(escaped).unwrap_or_default();
    match &reason.said[..] {
        [] => None,
        [said] => Some(format!("{name}{}. {means}", escaped(said)).trim_end().to_owned()),
        all => {
            let below: Vec<String> = all.iter().map(|said| format!("\n  - {}", escaped(said))).collect();
            Some(format!("{name}{means}{}", below.concat()))
        }
    }
}

/// What begins a part that is folded away, under a title that is no markup.
fn folded(title: &str) -> String {
    format!("<details><summary>{}</summary>\n\n", in_html(title))
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

/// The text within a line of HTML, with everything escaped that would be markup there, in one line.
fn in_html(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            _ => shown.push(c),
        }
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
    fn a_title_is_as_people_wrote_it_and_no_markup() {
        let table = [
            ("latency < 2 s & more_than_that", "latency &lt; 2 s &amp; more_than_that"),
            ("</summary x></details x><h2 x>pass", "&lt;/summary x&gt;&lt;/details x&gt;&lt;h2 x&gt;pass"),
            ("&lt;img&gt;", "&amp;lt;img&amp;gt;"),
            ("one\n\n# two", r"one\n\n# two"),
        ];
        for (text, due) in table {
            assert_eq!(folded(text), format!("<details><summary>{due}</summary>\n\n"));
        }
    }

    #[test]
    fn several_shortfalls_of_one_name_are_a_list_below_it() {
        let because = |said: &[&str]| {
            let said = said.iter().map(|&said| said.to_owned()).collect();
            because(&Reason { name: Some("no_writes"), said, means: Some("Too few."), remedy: "" })
        };
        assert_eq!(because(&[]), None);
        assert_eq!(because(&["3 before <a>"]).unwrap(), r"`no_writes`: 3 before \<a\>. Too few.");
        let several = "`no_writes`: Too few.\n  - 3 before \\_a\n  - 0 before b";
        assert_eq!(because(&["3 before _a", "0 before b"]).unwrap(), several);
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        assert_eq!(fence("up"), "```");
        assert_eq!(fence("````x"), "`````");
    }
}
