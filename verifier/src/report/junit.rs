//! The report as `JUnit`'s XML, for whatever shows results of tests: an objective is a test case, one that was
//! broken is a failure, one that was not decided is an error. Pure.

use std::fmt::Write;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::Report;
use super::alerts::{Alerts, Row};
use super::told::{Reason, cause, reasons, returned};
use crate::judge::Finding;
use crate::plain::plain;
use crate::verdict::Verdict;

/// The whole document.
pub(super) fn render(report: &Report) -> String {
    let run = report.evidence.as_ref().map(|evidence| &evidence.run);
    let mut suite = TestSuite::new(run.map_or_else(|| "no run".to_owned(), |run| plain(&run.id)));
    if let Some(run) = run {
        suite.add_property(property("trial", &run.trial));
        let (start, end) = run.times();
        suite.timestamp = chrono::DateTime::from_timestamp_millis(start.0).map(Into::into);
        suite.set_time(Duration::from_secs_f64((end.seconds() - start.seconds()).max(0.0)));
    }
    suite.add_property(property("verdict", report.verdict.word()));
    suite.add_property(property("prometheus", &report.prometheus()));
    suite.add_property(property("judged", &report.judged_list()));
    suite.add_property(property("not_claimed", &report.not_claimed().join("; ")));
    suite.add_test_cases(report.findings.iter().map(case));
    if let Some(told) = report.alerts() {
        suite.set_system_out(alerts(&told));
    }
    let mut document = quick_junit::Report::new("slo-verifier");
    document.add_test_suite(suite);
    document.to_string().expect("texts without control characters are XML")
}

/// The alerts that fired, or why there is none.
fn alerts(told: &Alerts) -> String {
    let mut text = format!("{}\n", told.heading);
    for Row { alert, experiment, fired, end } in &told.rows {
        let _ = writeln!(text, "{alert}, {experiment}: fired at {fired}, {end}");
    }
    text
}

fn property(name: &str, value: &str) -> Property {
    Property::new(name, plain(value))
}

fn case(finding: &Finding) -> TestCase {
    let mut case = TestCase::new(plain(&finding.name), status(finding));
    case.set_classname(finding.kind.word());
    case.add_property(property("limit", &finding.limit));
    if let Some(proves) = &finding.proves {
        case.add_property(property("proves", proves));
    }
    if let Some(observed) = &finding.judged.observed {
        case.add_property(property("observed", &observed.text));
        let numbers = [("value", observed.value), ("lower", observed.lower), ("upper", observed.upper)];
        for (name, number) in numbers {
            case.add_property(property(name, &number.to_string()));
        }
        case.add_property(property("unit", observed.unit));
    }
    case.set_system_out(evidence(finding));
    case
}

fn status(finding: &Finding) -> TestCaseStatus {
    let kind = match finding.verdict {
        Verdict::Pass => return TestCaseStatus::success(),
        Verdict::Fail => NonSuccessKind::Failure,
        Verdict::Inconclusive => NonSuccessKind::Error,
    };
    let reasons = reasons(finding);
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(plain(&cause(finding).unwrap_or_default()));
    status.set_type(kind_of(finding, &reasons));
    let told: Vec<String> = reasons.iter().flat_map(lines).collect();
    status.set_description(told.join("\n"));
    status
}

/// What programs tell cases apart by: what stood against a verdict. Against a fail nothing did, whatever else is lacking.
fn kind_of(finding: &Finding, reasons: &[Reason]) -> &'static str {
    let lacking = reasons.iter().find_map(|reason| reason.name);
    lacking.filter(|_| finding.verdict == Verdict::Inconclusive).unwrap_or(finding.verdict.word())
}

fn lines(reason: &Reason) -> Vec<String> {
    let said = reason.lines().into_iter().map(|said| plain(&said));
    let means = reason.means.map(str::to_owned);
    said.chain(means).chain([format!("What to do: {}", reason.remedy)]).collect()
}

/// What the verdict rests on.
fn evidence(finding: &Finding) -> String {
    let judged = &finding.judged;
    let mut text = String::new();
    let mut line = |told: String| {
        let _ = writeln!(text, "{}", plain(&told));
    };
    for told in std::iter::once(&judged.why).chain(&judged.beside).filter(|told| !told.is_empty()) {
        line(told.clone());
    }
    for paste in &judged.pastes {
        line(format!("query at {}: {}  {}", paste.at, paste.query, returned(paste)));
    }
    for sample in &judged.samples {
        line(format!("sample at {}: {} = {}", sample.at, sample.series, sample.value));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Lack, Shortfall};
    use crate::judge::Judged;
    use crate::slo::Kind;

    #[test]
    fn an_error_is_of_the_shortfalls_kind_and_a_failure_of_its_own() {
        let table = [
            (Verdict::Fail, Some(Lack::WatchGap), NonSuccessKind::Failure, "fail"),
            (Verdict::Fail, None, NonSuccessKind::Failure, "fail"),
            (Verdict::Inconclusive, Some(Lack::WatchGap), NonSuccessKind::Error, "watch_gap"),
            (Verdict::Inconclusive, None, NonSuccessKind::Error, "inconclusive"),
        ];
        for (verdict, lack, due, named) in table {
            let shortfalls = lack.map(|lack| Shortfall::new(lack, "for 9 s")).into_iter().collect();
            let judged = Judged { shortfalls, ..Judged::lacking(Shortfall::new(Lack::Gap, "")) };
            let (name, kind, limit) = (String::new(), Kind::Intervention, String::new());
            let finding = Finding { name, kind, proves: None, limit, verdict, judged };
            let TestCaseStatus::NonSuccess { kind, ty, description, .. } = status(&finding) else {
                panic!("{verdict:?} is a success");
            };
            assert_eq!((kind, ty.as_deref()), (due, Some(named)), "{lack:?}");
            let told = description.as_deref().unwrap_or_default();
            assert_eq!(told.contains("watch_gap: for 9 s"), lack.is_some(), "{told}");
        }
    }
}
