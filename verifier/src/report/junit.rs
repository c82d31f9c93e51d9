//! The report as `JUnit`'s XML, for whatever shows results of tests: an objective is a test case, one that was
//! broken is a failure, one that was not decided is an error. Pure.

use std::fmt::Write;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::Report;
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
    let mut document = quick_junit::Report::new("slo-verifier");
    document.add_test_suite(suite);
    document.to_string().expect("texts without control characters are XML")
}

fn property(name: &str, value: &str) -> Property {
    Property::new(name, plain(value))
}

fn case(finding: &Finding) -> TestCase {
    let mut case = TestCase::new(plain(&finding.name), status(finding));
    case.set_classname(finding.kind);
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
    status.set_type(reasons.iter().find_map(|reason| reason.name).unwrap_or(finding.verdict.word()));
    let told: Vec<String> = reasons.iter().flat_map(lines).collect();
    status.set_description(told.join("\n"));
    status
}

fn lines(reason: &Reason) -> Vec<String> {
    let name = reason.name.map(|name| format!("{name}: ")).unwrap_or_default();
    let said = (!reason.said.is_empty()).then(|| plain(&format!("{name}{}", reason.said)));
    let means = reason.means.map(str::to_owned);
    said.into_iter().chain(means).chain([format!("What to do: {}", reason.remedy)]).collect()
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
