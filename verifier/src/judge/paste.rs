//! `PromQL` that a person would paste, and whether it agrees with what was computed from raw samples. Pure.

use super::{Finding, Lack, Shortfall};
use crate::evidence::{Data, Fetched, Millis};
use crate::run::Run;

/// A query and what it is expected to return.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Paste {
    pub(crate) query: String,
    /// The time to evaluate it at.
    pub(crate) at: Millis,
    pub(crate) expected: Expected,
    /// What it returned, once asked.
    pub(crate) returned: Option<f64>,
}

/// What a pasted query returns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expected {
    /// Exactly this count.
    Count(f64),
    /// This many seconds, to 1e-9 of it.
    Seconds(f64),
    /// Something else, because of this.
    Differs(&'static str),
}

impl Paste {
    /// The sum of counters or gauges at the end of the run. Exact: every counter of a run begins at zero with
    /// its process and no window cuts it, so the last sample is all that it counted.
    pub(crate) fn last_sum(run: &Run, family: &str, matchers: &str, expected: Expected) -> Self {
        let (from, at) = run.processes.fetch_window();
        let window = at.0 - from.0;
        let query = format!("sum(last_over_time({family}{{{}}}[{window}ms]))", joined(run, matchers));
        Self { query, at, expected, returned: None }
    }

    /// The highest value of a gauge in the run.
    pub(crate) fn highest(run: &Run, family: &str, matchers: &str, expected: Expected) -> Self {
        let (from, at) = run.processes.fetch_window();
        let window = at.0 - from.0;
        let query = format!("max(max_over_time({family}{{{}}}[{window}ms]))", joined(run, matchers));
        Self { query, at, expected, returned: None }
    }

    /// A counter's growth between two scrapes of the conductor.
    pub(crate) fn growth(
        run: &Run,
        family: &str,
        matchers: &str,
        (from, to): (Option<usize>, usize),
        expected: Expected,
    ) -> Self {
        let scrapes = &run.processes.conductor().scrapes;
        let sum = |at: usize| format!("sum({family}{{{}}} @ {})", joined(run, matchers), scrapes[at].at);
        let query = match from {
            Some(from) => format!("{} - {}", sum(to), sum(from)),
            None => sum(to),
        };
        Self { query, at: scrapes[to].at, expected, returned: None }
    }
}

fn joined(run: &Run, matchers: &str) -> String {
    let pinned = run.processes.pinned();
    if matchers.is_empty() { pinned } else { format!("{pinned},{matchers}") }
}

/// Compares what a query returned with what was expected; a difference stands against the finding.
pub(crate) fn agree(finding: &mut Finding, paste: usize, answer: &Fetched) {
    let returned = single(answer);
    let expected = finding.judged.pastes[paste].expected.clone();
    finding.judged.pastes[paste].returned = returned.as_ref().ok().copied();
    let (value, tolerance) = match expected {
        Expected::Count(value) => (value, 0.0),
        Expected::Seconds(value) => (value, 1e-9 * value.abs().max(1.0)),
        Expected::Differs(_) => return,
    };
    match returned {
        Err(shortfall) => finding.add(shortfall),
        Ok(got) if (got - value).abs() <= tolerance || got.to_bits() == value.to_bits() => {}
        Ok(got) => {
            let detail = format!("raw samples give {value}, but `{}` gives {got}", answer.query);
            finding.add(Shortfall::new(Lack::Disagreement, detail));
        }
    }
}

/// The only sample of an answer.
pub(crate) fn single(answer: &Fetched) -> Result<f64, Shortfall> {
    match answer.sound()? {
        Data::Scalar(sample) => Ok(sample.value),
        Data::Vector(points) => match points.as_slice() {
            [(_, sample)] => Ok(sample.value),
            [] => Err(Shortfall::new(Lack::NoSamples, format!("`{}` returned nothing", answer.query))),
            many => {
                let detail = format!("`{}` returned {} series, one is due", answer.query, many.len());
                Err(Shortfall::new(Lack::DuplicateSeries, detail))
            }
        },
        _ => Err(Shortfall::new(Lack::QueryError, format!("`{}` returned no single number", answer.query))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Judged, Observed};
    use super::*;
    use crate::evidence::Sample;
    use crate::slo::Kind;
    use crate::verdict::Verdict;

    fn after(expected: Expected, values: &[f64]) -> (Verdict, Vec<Lack>) {
        let observed = Observed { text: String::new(), value: 1.0, lower: 1.0, upper: 1.0, unit: "" };
        let mut judged = Judged::value(observed, Verdict::Pass, String::new());
        judged.pastes.push(Paste { query: "q".into(), at: Millis(0), expected, returned: None });
        let mut finding = Finding {
            name: String::new(),
            kind: Kind::Promql,
            proves: None,
            limit: String::new(),
            verdict: Verdict::Pass,
            judged,
        };
        let point = |value: &f64| (crate::evidence::Labels::new(), Sample { at: Millis(0), value: *value });
        let data = Data::Vector(values.iter().map(point).collect());
        let answer = Fetched { query: "q".into(), outcome: Ok(data), warnings: vec![], infos: vec![] };
        agree(&mut finding, 0, &answer);
        (finding.verdict, finding.judged.shortfalls.iter().map(|shortfall| shortfall.lack).collect())
    }

    #[test]
    fn counts_agree_exactly_and_seconds_nearly() {
        assert_eq!(after(Expected::Count(3.0), &[3.0]), (Verdict::Pass, vec![]));
        assert_eq!(after(Expected::Seconds(3.0), &[3.0 + 1e-10]), (Verdict::Pass, vec![]));
        assert_eq!(after(Expected::Seconds(f64::INFINITY), &[f64::INFINITY]), (Verdict::Pass, vec![]));
        assert_eq!(after(Expected::Differs("so"), &[9.0]), (Verdict::Pass, vec![]));
    }

    #[test]
    fn another_number_none_or_several_stand_against_the_finding() {
        let against = |lack| (Verdict::Inconclusive, vec![lack]);
        assert_eq!(after(Expected::Count(3.0), &[3.0 + 1e-10]), against(Lack::Disagreement));
        assert_eq!(after(Expected::Seconds(3.0), &[3.1]), against(Lack::Disagreement));
        assert_eq!(after(Expected::Count(3.0), &[f64::NAN]), against(Lack::Disagreement));
        assert_eq!(after(Expected::Count(3.0), &[]), against(Lack::NoSamples));
        assert_eq!(after(Expected::Count(3.0), &[3.0, 3.0]), against(Lack::DuplicateSeries));
    }
}
