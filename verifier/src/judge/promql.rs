//! An expression of the user's own (pure): exactly one finite number, compared with a limit.

use super::Evidence;
use super::paste::{Expected, Paste, single};
use super::{Judged, Lack, Observed};
use crate::evidence::Shortfall;
use crate::slo::{Compare, Promql};
use crate::verdict::Verdict;

pub(super) fn judge(promise: &Promql, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let absent = || Shortfall::new(Lack::QueryError, "the expression was not evaluated");
    let answer = evidence.expressions.get(&promise.expr).ok_or_else(absent)?;
    let value = single(answer)?;
    if !value.is_finite() {
        return Err(Shortfall::new(Lack::NotFinite, format!("`{}` is {value}", answer.query)));
    }
    let verdict = match promise.compare {
        Compare::AtMost(limit) => Verdict::at_most(value, value, limit),
        Compare::AtLeast(limit) => Verdict::at_least(value, value, limit),
        Compare::Equals(limit) if (value - limit).abs() <= 0.0 => Verdict::Pass,
        Compare::Equals(_) => Verdict::Fail,
    };
    let observed = Observed { text: value.to_string(), value, lower: value, upper: value, unit: "" };
    let mut judged = Judged::value(observed, verdict, format!("the expression is {value}"));
    judged.pastes.push(Paste {
        query: answer.query.clone(),
        at: evidence.run_end(),
        expected: Expected::Seconds(value),
        returned: None,
    });
    judged.beside.extend(answer.infos.iter().map(|info| format!("remark by Prometheus: {info}")));
    Ok(judged)
}
