//! What was so or otherwise over the run, a lane each: components that were up, alerts that fired. Pure.

use std::collections::BTreeMap;

use super::asked::{Answers, Course};
use super::chart::{Chart, Point, Span, Unit};
use super::course::{Scope, faults};
use super::palette::Hue;
use super::timeline::read;
use crate::evidence::Labels;
use crate::judge::{End, Evidence, Fired};

/// A name, and its chart.
pub(super) type Lane = (String, Chart);

/// The state of each component over time, by name.
pub(super) fn components(evidence: &Evidence, answers: &Answers, scope: Scope) -> Result<Vec<Lane>, String> {
    let series = read(answers.get(&Course::Components), scope.start)?;
    if series.is_empty() {
        return Err("Prometheus has no samples of this".to_owned());
    }
    let of = |(labels, points): &(Labels, Vec<Point>)| {
        (labels.get("component").cloned().unwrap_or_default(), lane(evidence, scope, states(points)))
    };
    Ok(series.iter().map(of).collect())
}

/// When alerts fired, those of one name together.
pub(super) fn alerts(evidence: &Evidence, fired: &[Fired], scope: Scope) -> Vec<Lane> {
    let mut lanes: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for one in fired {
        lanes.entry(one.alert.as_str()).or_default().push(firing(one, scope.start));
    }
    lanes.into_iter().map(|(alert, spans)| (alert.to_owned(), lane(evidence, scope, spans))).collect()
}

fn lane(evidence: &Evidence, scope: Scope, shown: Vec<Span>) -> Chart {
    let mut spans = faults(evidence);
    spans.extend(shown);
    Chart { x: (0.0, scope.length), y: (0.0, 1.0), unit: Unit::Silent, spans, ..Chart::default() }
}

/// The times in which a component was up, and in which it was down.
fn states(points: &[Point]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for pair in points.windows(2) {
        let ((from, value), (to, _)) = (pair[0], pair[1]);
        if value.is_nan() {
            continue;
        }
        let (hue, strength) = if value > 0.5 { (Hue::Good, 0.45) } else { (Hue::Bad, 1.0) };
        match spans.last_mut().filter(|last| last.hue == hue && last.to >= from) {
            Some(last) => last.to = to,
            None => spans.push(Span { from, to, hue, strength, text: String::new() }),
        }
    }
    spans
}

/// The time for which an alert fired, as far as that is known.
fn firing(fired: &Fired, start: f64) -> Span {
    let last = match fired.end {
        End::Resolved(at) | End::Firing(at) => at,
        End::Unknown(_) => fired.firing.last,
    };
    let [from, to] = [fired.firing.first, last].map(|at| at.seconds() - start);
    Span { from, to, hue: Hue::Fourth, strength: 0.8, text: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Firing, Lack, Millis, Shortfall};

    #[test]
    fn a_component_is_up_or_down_from_sample_to_sample() {
        let values = [1.0, 1.0, 0.0, 1.0, f64::NAN, 1.0, 1.0];
        let points: Vec<Point> = values.iter().enumerate().map(|(at, value)| (at as f64, *value)).collect();
        let told: Vec<(Hue, f64, f64)> =
            states(&points).iter().map(|span| (span.hue, span.from, span.to)).collect();
        assert_eq!(
            told,
            [(Hue::Good, 0.0, 2.0), (Hue::Bad, 2.0, 3.0), (Hue::Good, 3.0, 4.0), (Hue::Good, 5.0, 6.0)]
        );
    }

    #[test]
    fn an_alert_whose_end_is_not_known_is_shown_until_it_was_last_seen() {
        let table = [
            (End::Resolved(Millis(145_000)), 45.0),
            (End::Firing(Millis(143_000)), 43.0),
            (End::Unknown(Shortfall::new(Lack::RuleUnproven, "")), 40.0),
        ];
        for (end, due) in table {
            let fired = Fired {
                alert: "Down".to_owned(),
                labels: Labels::new(),
                experiment: None,
                firing: Firing { first: Millis(110_000), last: Millis(140_000) },
                end,
            };
            let span = firing(&fired, 100.0);
            assert_eq!((span.from, span.to), (10.0, due), "{fired:?}");
        }
    }
}
