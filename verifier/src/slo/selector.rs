//! Selectors and label matchers of the user's own, which stand inside other expressions. Pure.
//!
//! What is kept is what the parser read of them, not their text: a comment in it would take the rest of the expression
//! along.

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{self, Expr, VectorSelector};

use super::fields::Fields;
use super::node::Node;

/// The value of a key as one of the functions below reads it; what it cannot read is a fault.
pub(super) fn read(
    fields: &mut Fields<'_>,
    node: &Node,
    key: &str,
    expected: &str,
    reader: fn(&str) -> Option<String>,
) -> Option<String> {
    let text = fields.as_text(node, key, expected)?;
    let found = reader(&text);
    if found.is_none() {
        fields.fault(node.at, format!("`{key}` is `{text}`, expected {expected}"));
    }
    found
}

/// A selector of series, without a range or another time.
pub(super) fn series(text: &str) -> Option<String> {
    let Ok(Expr::VectorSelector(selector)) = parser::parse(text) else { return None };
    // Prometheus has no `or` between matchers.
    let plain =
        selector.offset.is_none() && selector.at.is_none() && selector.matchers.or_matchers.is_empty();
    plain.then(|| shown(&selector))
}

/// The selector of all series of the same metric, whatever their labels; none if a selector does not name it in full.
pub(crate) fn metric(selector: &str) -> Option<String> {
    let Ok(Expr::VectorSelector(selector)) = parser::parse(selector) else { return None };
    let names = |matcher: &&Matcher| matcher.name == "__name__" && matcher.op == MatchOp::Equal;
    let by_label = selector.matchers.matchers.iter().find(names).map(|matcher| format!("{{{matcher}}}"));
    selector.name.or(by_label)
}

/// Label matchers in braces, which fit behind any name of a metric.
pub(super) fn matchers(text: &str) -> Option<String> {
    const METRIC: &str = "metric";
    let text = text.trim_start();
    if !text.starts_with('{') {
        return None;
    }
    let selector = series(&format!("{METRIC}{text}"))?;
    let matchers = selector.strip_prefix(METRIC)?;
    Some(if matchers.is_empty() { "{}".to_owned() } else { matchers.to_owned() })
}

/// A selector with its matchers in the order in which they were written.
fn shown(selector: &VectorSelector) -> String {
    let name = selector.name.as_deref().unwrap_or_default();
    let matchers: Vec<String> = selector.matchers.matchers.iter().map(ToString::to_string).collect();
    if matchers.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", matchers.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_kept_as_they_were_read() {
        for (text, due) in [
            (r#"a_total{job="x",code=~"5.."}"#, r#"a_total{job="x",code=~"5.."}"#),
            (r#"a_total{job="shop"} # all of them"#, r#"a_total{job="shop"}"#),
            ("a_total{ # the job\n  job='it\\'s',\n}\n", r#"a_total{job="it's"}"#),
            (" a:b ", "a:b"),
            ("a{}", "a"),
            (r#"{__name__="a",b!="\\\"c # d"}"#, r#"{__name__="a",b!="\\\"c # d"}"#),
            (r#"{"a.b"}"#, r#"{__name__="a.b"}"#),
        ] {
            assert_eq!(series(text).as_deref(), Some(due), "{text}");
            assert_eq!(series(due).as_deref(), Some(due), "{text}");
        }
    }

    #[test]
    fn a_metric_is_known_by_its_name_alone() {
        for (text, due) in [
            (r#"a_total{job="x",code=~"5.."}"#, Some("a_total")),
            ("a:b", Some("a:b")),
            (r#"{b!="c",__name__="a.b"}"#, Some(r#"{__name__="a.b"}"#)),
            (r#"{__name__=~"a|b"}"#, None),
            (r#"{job="x"}"#, None),
        ] {
            assert_eq!(metric(text).as_deref(), due, "{text}");
        }
    }

    #[test]
    fn what_is_no_selector_of_prometheus_is_refused() {
        for text in [
            "",
            "# nothing",
            "a[5m]",
            "a offset 5m",
            "a @ 0",
            "(a)",
            "sum(a)",
            "a or b",
            "a)",
            "{}",
            r#"a{b="c" or d="e"}"#,
            r#"a{__name__="b"}"#,
        ] {
            assert_eq!(series(text), None, "{text}");
        }
    }

    #[test]
    fn matchers_fit_behind_any_name() {
        for (text, due) in [
            (r#"{job="postgres"}"#, r#"{job="postgres"}"#),
            (" {job='postgres',} # of the first cluster", r#"{job="postgres"}"#),
            ("{ }", "{}"),
            (r#"{job="}"}"#, r#"{job="}"}"#),
        ] {
            assert_eq!(matchers(text).as_deref(), Some(due), "{text}");
        }
        for text in [
            "",
            "job=pg",
            r#"_x{job="a"}"#,
            r#"{job="a"} or up # }"#,
            r#"{job="a"}}"#,
            r#"{{job="a"}}"#,
            r#"{job="a"}[5m]"#,
            r#"{job="a" or job="b"}"#,
            r#"{__name__="a"}"#,
            r#"{"a.b"}"#,
        ] {
            assert_eq!(matchers(text), None, "{text}");
        }
    }
}
