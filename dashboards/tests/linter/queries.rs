//! The linter's rules on one query.

use std::convert::Infallible;
use std::time::Duration;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};

/// A duration that nobody writes, in place of `$__rate_interval`.
const RATE_INTERVAL: Duration = Duration::from_secs(7919);
const RATES: [&str; 3] = ["rate", "irate", "increase"];

/// Families of the exporter, of its process, and those that Prometheus tells of every target.
const OWN: [&str; 4] = ["ordeal_", "process_", "scrape_", "up"];

/// What a rule has against the query.
pub(crate) fn faults(expr: &str) -> Vec<(&'static str, String)> {
    let filled = expr.replace("$__rate_interval", "7919s").replace("$__range", "1h");
    let parsed = match parser::parse(&filled) {
        Ok(parsed) => parsed,
        Err(error) => return vec![("target-promql", format!("{error}: {expr}"))],
    };
    let mut walk = Walk::default();
    let Ok(_) = walk_expr(&mut walk, &parsed);
    walk.found
}

/// Whether nobody of the run exposes the family.
pub(crate) fn is_of_others(family: &str) -> bool {
    !OWN.iter().any(|prefix| family.starts_with(prefix))
}

#[derive(Default)]
struct Walk {
    /// Functions around what is visited.
    calls: Vec<&'static str>,
    found: Vec<(&'static str, String)>,
}

impl Walk {
    fn selector(&mut self, selector: &VectorSelector, range: Option<Duration>) {
        let name = selector.name.as_deref().unwrap_or_default();
        let around = range.and(self.calls.last().copied()).unwrap_or("");
        if name.ends_with("_total") && !RATES.contains(&around) {
            self.found.push(("target-counter-agg", format!("{around} of {name}")));
        }
        if matches!(around, "rate" | "irate") && range != Some(RATE_INTERVAL) {
            self.found.push(("target-rate-interval", format!("{around} of {name} over another time")));
        }
        let picked = |label: &str| {
            let is_due = |matcher: &Matcher| {
                matcher.name == label
                    && matches!(matcher.op, MatchOp::Re(_))
                    && matcher.value == format!("${label}")
            };
            selector.matchers.matchers.iter().any(is_due)
        };
        if !picked("job") || !picked("instance") {
            self.found.push(("target-job-instance", format!("no variable picks {name}")));
        }
    }
}

impl ExprVisitor for Walk {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        match expr {
            Expr::Call(call) => self.calls.push(call.func.name),
            Expr::VectorSelector(selector) => self.selector(selector, None),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs, Some(matrix.range)),
            _ => {}
        }
        Ok(true)
    }

    fn post_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        if matches!(expr, Expr::Call(_)) {
            self.calls.pop();
        }
        Ok(true)
    }
}
