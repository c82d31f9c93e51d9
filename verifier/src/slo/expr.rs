//! Expressions of the user's own: their placeholders, and whether they can be `PromQL` at all. Pure.

use promql_parser::parser;

/// What the parser says of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    Sound,
    /// No version of Prometheus will take it.
    Broken(String),
    /// The parser does not know it; a newer Prometheus may.
    Doubtful(String),
}

/// An expression with times in place of `$start`, `$end` and `$window`.
pub(crate) fn fill(expr: &str, start: &str, end: &str, window: &str) -> String {
    expr.replace("$start", start).replace("$end", end).replace("$window", window)
}

/// Reads an expression as it would be sent.
pub(super) fn read(expr: &str) -> Reading {
    match parser::parse(&fill(expr, "1700000000.000", "1700000600.000", "600000ms")) {
        Ok(_) => Reading::Sound,
        Err(error) if is_broken(&error) => Reading::Broken(error),
        Err(error) => Reading::Doubtful(error),
    }
}

/// Whether something is not closed, or closed that was not open: no syntax of any version allows that. All else
/// that the parser refuses may only be newer than the parser.
fn is_broken(error: &str) -> bool {
    const BROKEN: [&str; 9] = [
        "no expression found",
        "unclosed left parenthesis",
        "unexpected right parenthesis",
        "unexpected right brace",
        "unexpected right bracket",
        "unexpected end of input inside",
        "unterminated quoted string",
        "escape sequence not terminated",
        "'!' can not be at the end",
    ];
    BROKEN.iter().any(|start| error.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_that_no_prometheus_takes_are_broken() {
        for expr in [
            "sum(",
            "up)",
            "up{job=\"x\"",
            "up[$window",
            "up]",
            "up}",
            "up{job=\"x}",
            "sum(rate(x[5m])",
            "# nothing",
        ] {
            assert!(matches!(read(expr), Reading::Broken(_)), "{expr}: {:?}", read(expr));
        }
    }

    #[test]
    fn sound_expressions_are_read_with_their_placeholders_filled() {
        for expr in [
            "sum(max_over_time(ordeal_users{state=\"running\"}[$window] @ $end))",
            "count_over_time((up == 0)[$window:1s]) or vector(0)",
            "histogram_quantile(0.95, sum by (le) (increase(x_bucket[$window] @ $end)))",
            "label_replace(up, \"a\", \"$1\", \"b\", \"(x)$\")",
            "up offset -5m",
            "{\"a.b\", job=\"x\"}",
            "x @ start()",
        ] {
            assert_eq!(read(expr), Reading::Sound, "{expr}");
        }
    }

    #[test]
    fn what_only_a_newer_prometheus_knows_is_no_fault() {
        for expr in ["not_yet_known(up)", "up[5m] smoothed now", "rate(up[$window * 2 + 1m]) %% 2", "up up"] {
            assert!(!matches!(read(expr), Reading::Broken(_)), "{expr}: {:?}", read(expr));
        }
    }
}
