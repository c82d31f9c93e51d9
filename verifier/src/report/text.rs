//! The report for people. Pure.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::Report;
use super::alerts::{Alerts, Row};
use super::told::{Reason, cause, reasons, returned};
use crate::judge::Finding;
use crate::plain::plain;
use crate::verdict::Verdict;

/// Samples shown for one finding.
const SAMPLES: usize = 8;
/// The most characters of a shortfall's particulars beside a finding; longer ones stand below only.
const DETAIL: usize = 48;
/// The most characters that the names of alerts, and of experiments, are padded to; longer ones overflow.
const PADDED: usize = 72;

/// The whole report, the verdict on the last line.
pub(super) fn render(report: &Report, colored: bool) -> String {
    let mut out = String::new();
    header(&mut out, report);
    table(&mut out, report, colored);
    if let Some(told) = report.alerts() {
        alerts(&mut out, &told);
    }
    let mut told = BTreeSet::new();
    let open: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.verdict != Verdict::Pass).collect();
    for (names, finding) in alike(&open) {
        explain(&mut out, &names, finding, report.started(), &mut told, colored);
    }
    out.push_str("verdict: ");
    out.push_str(&paint(report.verdict.word(), report.verdict, colored));
    line(&mut out, &format!(" ({}), exit code {}", report.counts(), report.verdict.exit_code()));
    out
}

/// Ends a line. No text of others begins one of its own.
fn line(out: &mut String, text: &str) {
    out.push_str(plain(text).trim_end());
    out.push('\n');
}

/// Findings of which nothing is known but why, told once for all that lack the same.
fn alike<'a>(findings: &[&'a Finding]) -> Vec<(String, &'a Finding)> {
    let mut groups: Vec<(String, &Finding)> = Vec::new();
    for finding in findings {
        let same = |other: &Finding| {
            other.is_bare() && finding.is_bare() && other.judged.shortfalls == finding.judged.shortfalls
        };
        match groups.iter_mut().find(|(_, other)| same(other)) {
            Some((names, _)) => *names = format!("{names}, {}", finding.name),
            None => groups.push((finding.name.clone(), finding)),
        }
    }
    groups
}

impl Finding {
    /// Whether nothing is told of it but its shortfalls.
    fn is_bare(&self) -> bool {
        let judged = &self.judged;
        judged.why.is_empty()
            && judged.beside.is_empty()
            && judged.pastes.is_empty()
            && judged.samples.is_empty()
    }
}

fn header(out: &mut String, report: &Report) {
    line(out, &report.heading());
    let when = report.when();
    if !when.is_empty() {
        line(out, &when);
    }
    line(out, &format!("judged: {}", report.judged_list()));
    let not_claimed = report.not_claimed();
    if !not_claimed.is_empty() {
        line(out, &format!("not claimed: {}", not_claimed.join("; ")));
    }
    for info in report.evidence.iter().flat_map(|evidence| evidence.recorded.infos()) {
        line(out, &format!("remark by Prometheus: {info}"));
    }
    out.push('\n');
}

fn table(out: &mut String, report: &Report, colored: bool) {
    let rows: Vec<[String; 4]> =
        report.findings.iter().map(|finding| row(finding).map(|text| plain(&text))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (names, values, limits) = (width(0), width(1), width(2));
    for (row, finding) in rows.iter().zip(&report.findings) {
        let mark = match finding.verdict {
            Verdict::Pass => "pass",
            Verdict::Inconclusive => "?   ",
            Verdict::Fail => "fail",
        };
        let mark = paint(mark, finding.verdict, colored);
        let [name, value, limit, tail] = row;
        out.push_str(&mark);
        line(out, &format!("   {name:names$}   {value:values$}   {limit:limits$}   {tail}"));
        if let Some(brief) = &finding.judged.brief {
            line(out, &format!("         {brief}"));
        }
    }
    out.push('\n');
}

/// The alerts that fired, a line each; or why there is none.
fn alerts(out: &mut String, told: &Alerts) {
    line(out, &format!("{}{}", told.heading, if told.rows.is_empty() { "" } else { ":" }));
    let width = |cell: fn(&Row) -> &String| {
        told.rows.iter().map(|row| cell(row).chars().count()).max().unwrap_or(0).min(PADDED)
    };
    let (names, experiments) = (width(|row| &row.alert), width(|row| &row.experiment));
    for Row { alert, experiment, fired, end } in &told.rows {
        line(out, &format!("  {alert:names$}   {experiment:experiments$}   fired at {fired}, {end}"));
    }
    out.push('\n');
}

/// Name, observed value, limit; then what is proven, or why nothing is.
fn row(finding: &Finding) -> [String; 4] {
    let observed = finding.judged.observed.as_ref().map_or("-", |observed| &observed.text);
    let proves = finding.proves.clone().unwrap_or_default();
    let tail = match finding.verdict {
        Verdict::Inconclusive => format!("{proves:4}{}", beside(finding)),
        Verdict::Pass | Verdict::Fail => proves,
    };
    [finding.name.clone(), observed.to_owned(), finding.limit.clone(), tail]
}

/// Why a finding is open, as far as it fits beside it.
fn beside(finding: &Finding) -> String {
    let whole = cause(finding).unwrap_or_default();
    let name = reasons(finding).into_iter().find_map(|reason| reason.name);
    name.filter(|_| whole.chars().count() > DETAIL).map_or(whole, str::to_owned)
}

/// Why a finding did not pass, what to do, the query, and the samples that decide.
/// What a shortfall means is told where it is met first.
fn explain(
    out: &mut String,
    names: &str,
    finding: &Finding,
    started: Option<f64>,
    told: &mut BTreeSet<&'static str>,
    colored: bool,
) {
    let judged = &finding.judged;
    out.push_str(&paint(finding.verdict.word(), finding.verdict, colored));
    line(out, &format!(": {names}"));
    if !judged.why.is_empty() {
        line(out, &format!("  {}; promised: {}", judged.why, finding.limit));
    }
    for reason in reasons(finding) {
        because(out, &reason, told);
    }
    for beside in &judged.beside {
        line(out, &format!("  {beside}"));
    }
    for paste in &judged.pastes {
        line(out, &format!("  query at {}: {}  {}", paste.at, paste.query, returned(paste)));
    }
    for sample in judged.samples.iter().take(SAMPLES) {
        let since = started.map(|started| format!(" ({:+.1} s)", sample.at.seconds() - started));
        let since = since.unwrap_or_default();
        line(out, &format!("  sample at {}{since}: {} = {}", sample.at, sample.series, sample.value));
    }
    if judged.samples.len() > SAMPLES {
        let _ = writeln!(out, "  … and {} more samples (--output json)", judged.samples.len() - SAMPLES);
    }
    out.push('\n');
}

/// Why it did not pass, and what to do.
fn because(out: &mut String, reason: &Reason, told: &mut BTreeSet<&'static str>) {
    let mut said = reason.lines();
    let again = reason.name.is_some_and(|name| !told.insert(name));
    if let Some(last) = said.last_mut().filter(|_| again) {
        last.push_str(" (what to do: see above)");
    }
    for one in said {
        line(out, &format!("  {one}"));
    }
    if again {
        return;
    }
    if let Some(means) = reason.means {
        line(out, &format!("    {means}"));
    }
    line(out, &format!("    What to do: {}", reason.remedy));
}

fn paint(text: &str, verdict: Verdict, colored: bool) -> String {
    let code = match verdict {
        Verdict::Pass => 32,
        Verdict::Inconclusive => 33,
        Verdict::Fail => 31,
    };
    if colored { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Lack, Shortfall};
    use crate::report::told::grouped;

    #[test]
    fn what_to_do_about_a_shortfall_is_told_where_it_is_met_first() {
        let gaps = ["of users", "of\nprobes"].map(|detail| Shortfall::new(Lack::Gap, detail));
        let (mut out, mut told) = (String::new(), BTreeSet::new());
        for reason in grouped(&gaps).iter().chain(&grouped(&gaps)) {
            because(&mut out, reason, &mut told);
        }
        let (means, remedy) = (Lack::Gap.meaning(), Lack::Gap.remedy());
        let first = format!("  gap: of users\n  gap: of\\nprobes\n    {means}\n    What to do: {remedy}\n");
        let again = "  gap: of users\n  gap: of\\nprobes (what to do: see above)\n";
        assert_eq!(out, first + again);
    }

    #[test]
    fn one_long_name_of_an_alert_does_not_pad_all_of_them() {
        let row = |alert: &str| Row {
            alert: alert.to_owned(),
            experiment: "kill".to_owned(),
            fired: "+1.0 s".to_owned(),
            end: "resolved by +2.0 s".to_owned(),
        };
        let long = "a".repeat(200);
        let told = Alerts { heading: "alerts".to_owned(), rows: vec![row("Down"), row(&long)] };
        let mut out = String::new();
        alerts(&mut out, &told);
        let due = [format!("  {:72}   kill   fired at", "Down"), format!("  {long}   kill   fired at")];
        for (told, due) in out.lines().skip(1).zip(due) {
            assert!(told.starts_with(&due), "{told}");
        }
    }
}
