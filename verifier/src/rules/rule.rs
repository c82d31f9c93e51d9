//! Rules and groups of them, as Prometheus reads them. Pure.

use std::collections::BTreeMap;

use promql_parser::parser;
use serde::{Deserialize, Serialize};

/// Rules that are evaluated together, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// Time between two evaluations; Prometheus' own if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) interval: Option<String>,
    pub(crate) rules: Vec<Rule>,
}

/// A recording rule or an alerting one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alert: Option<String>,
    pub(crate) expr: String,
    /// How long the condition must hold before the alert fires.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub(crate) hold: Option<String>,
    /// How long the alert goes on after the condition ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keep_firing_for: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// Worth a look.
    Info,
    /// A promise is in danger, or the run proves less than it should.
    Warning,
    /// A promise is broken, or something stays broken.
    Critical,
}

impl Severity {
    fn label(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// When an alert begins and ends, beyond its condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lasting {
    /// The value of `for`.
    pub(super) hold: &'static str,
    /// The value of `keep_firing_for`.
    pub(super) keep: &'static str,
}

/// What is broken for good: the exporter leaves within a minute of its run's end and its series with it, and whoever is
/// called must still find the alert.
pub(super) const FOR_GOOD: &str = "10m";

/// An alert, before it is a rule.
pub(super) struct Alert {
    pub(super) name: &'static str,
    pub(super) severity: Severity,
    pub(super) expr: String,
    pub(super) lasting: Lasting,
    /// Labels besides the severity and those of the expression; templates, as Prometheus has it.
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) summary: String,
    pub(super) description: String,
}

/// Where runbooks are, unless told otherwise: in this repository.
pub(crate) const RUNBOOKS: &str = "docs/runbooks.md";

impl Alert {
    pub(super) fn rule(self) -> Rule {
        // Templates know the labels of what the expression gives, and not those that the rule adds.
        let told = |text: String| {
            let known = |text: String, (label, value): &(&str, String)| {
                text.replace(&format!("{{{{ $labels.{label} }}}}"), value)
            };
            self.labels.iter().fold(text, known)
        };
        let (summary, description) = (told(self.summary), told(self.description));
        let severity = ("severity", self.severity.label().to_owned());
        let runbook = format!("{RUNBOOKS}#{}", self.name.to_lowercase());
        let annotations = [("summary", summary), ("description", description), ("runbook_url", runbook)];
        Rule {
            alert: Some(self.name.to_owned()),
            expr: self.expr,
            hold: Some(self.lasting.hold.to_owned()),
            keep_firing_for: Some(self.lasting.keep.to_owned()),
            labels: owned(self.labels.into_iter().chain([severity])),
            annotations: owned(annotations),
            ..Rule::default()
        }
    }
}

impl Rule {
    /// A rule that records what an expression gives, with labels added.
    pub(super) fn record(
        name: &str,
        expr: &str,
        labels: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Self {
        Self {
            record: Some(name.to_owned()),
            expr: expr.to_owned(),
            labels: owned(labels),
            ..Self::default()
        }
    }
}

impl Group {
    /// A group of the rules of a run. The exporter leaves once its end has been scraped twice, which may be after two
    /// seconds: what only the last audit tells must be evaluated in between.
    pub(super) fn of_run(name: &str, rules: Vec<Rule>) -> Self {
        Self { name: format!("ordeal-{name}"), interval: Some("1s".to_owned()), rules }
    }

    /// The same group with its expressions in lines that a person can read.
    pub(super) fn laid_out(mut self) -> Result<Self, NoPromql> {
        for rule in &mut self.rules {
            match laid_out(&rule.expr) {
                Ok(expr) => rule.expr = expr,
                Err(fault) => {
                    let name = rule.record.as_ref().or(rule.alert.as_ref()).cloned().unwrap_or_default();
                    return Err(NoPromql { rule: name, fault, expr: rule.expr.clone() });
                }
            }
        }
        Ok(self)
    }
}

/// An expression that we made and Prometheus would refuse, and the whole file with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "writing the rule {rule}: its expression is no PromQL ({fault}), a defect of slo-verifier, to be reported with \
     it: {expr}"
)]
pub(crate) struct NoPromql {
    rule: String,
    fault: String,
    expr: String,
}

fn owned(pairs: impl IntoIterator<Item = (&'static str, String)>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The expression in lines that a person can read. One that would begin with an indented line is put in parentheses,
/// since YAML would have to tell such an indentation.
fn laid_out(expr: &str) -> Result<String, String> {
    let pretty = parser::parse(expr)?.prettify();
    if !pretty.starts_with(' ') {
        return Ok(pretty);
    }
    Ok(format!("(\n  {}\n)", pretty.lines().collect::<Vec<_>>().join("\n  ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_that_is_laid_out_is_the_same_expression() {
        for expr in [
            r#"(a - on (job, instance) group_right () b{x="y\"z\\"} and on () c == 1) * on (job) group_left (run) d{e=~"2(\\.0)?"}"#,
            "max without (w) (a{b!~\"c|d\"} > (14.4 * 0.001)) and e or (f unless on (g) h)",
            "clamp_min((a - b) * 2, 0) / 30",
            "sum by (run) (rate(a[5m]) * on (job, instance) group_left (run) b) / (sum by (run) (c) >= 3000) / 0.001",
            "1 - a / ignoring (w) count_over_time(a{}[30d])",
            "a / (b and c >= 3000 or clamp_min(b, 3000)) / 0.001",
            "max by (run) (a or max_over_time(b[15m]) and on (run) c)",
            "(sum by (run, job) (a) or on (run, job) last_over_time(b[15m])) and on (run) c",
            "(sum(rate(a[5m])) or vector(0)) / (sum(rate(b[5m])) > 0)",
            "a % 2 ^ 3 ^ 2 - -1 > bool 3",
        ] {
            let laid_out = laid_out(expr).unwrap();
            let same = [expr.to_owned(), format!("({expr})")].map(|expr| parser::parse(&expr).unwrap());
            assert!(same.contains(&parser::parse(&laid_out).unwrap()), "{laid_out}");
            assert!(!laid_out.starts_with(' '), "{laid_out}");
        }
    }

    #[test]
    fn an_expression_that_is_none_is_told_and_not_written() {
        let rule = Rule::record("a:b", "sum(rate(c # d[5m]))", Vec::new());
        let told = Group::of_run("x", vec![rule]).laid_out().unwrap_err().to_string();
        for due in ["the rule a:b", "a defect of slo-verifier", "sum(rate(c # d[5m]))"] {
            assert!(told.contains(due), "{told}");
        }
    }
}
