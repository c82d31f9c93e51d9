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

/// A severity as the legend names it, and its colour.
type Severity = (&'static str, Hue);

const SEVERITIES: [Severity; 3] = [("critical", Hue::Bad), ("warning", Hue::Fourth), ("info", Hue::First)];
const OTHER: Severity = ("another severity, or none", Hue::Third);

/// The least part of a lane in which an alert is shown that fired in it: some pixels.
const LEAST: f64 = 0.006;
/// The part in which one fades whose end is not known, in so many steps.
const FADE: f64 = 0.04;
const STEPS: u32 = 6;

/// When alerts fired, and what has to be said of the way in which that is shown.
#[derive(Debug)]
pub(super) struct Alarms {
    /// One for each name and severity.
    pub(super) lanes: Vec<Lane>,
    /// Those that there are.
    pub(super) severities: Vec<Severity>,
    /// Whether the end of some is not known.
    pub(super) open: bool,
    /// Whether some began after the time that is shown.
    pub(super) late: bool,
}

/// A time in which an alert fired, in seconds since the run's start.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Time {
    from: f64,
    to: f64,
    /// Whether it may have been longer.
    open: bool,
}

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

/// When alerts fired, those of one name and severity together.
pub(super) fn alerts(evidence: &Evidence, fired: &[Fired], scope: Scope) -> Alarms {
    let mut times: BTreeMap<(&str, Option<&str>), Vec<Time>> = BTreeMap::new();
    for one in fired {
        let severity = one.labels.get("severity").map(String::as_str);
        times.entry((one.alert.as_str(), severity)).or_default().push(firing(one, scope.start));
    }
    let late = |time: &Time| time.from >= scope.length;
    let all = || times.values().flatten();
    let shown: Vec<Severity> = times.keys().map(|(_, severity)| look(*severity)).collect();
    let severities = SEVERITIES.into_iter().chain([OTHER]).filter(|one| shown.contains(one)).collect();
    let (open, late) = (all().any(|time| time.open && !late(time)), all().any(late));
    let one = |((alert, severity), times): (&(&str, Option<&str>), &Vec<Time>)| {
        let name = severity.map_or_else(|| (*alert).to_owned(), |severity| format!("{alert}, {severity}"));
        let (bars, marks) = bars(times, look(*severity).1, scope.length);
        (name, Chart { marks, ..lane(evidence, scope, bars) })
    };
    Alarms { lanes: times.iter().map(one).collect(), severities, open, late }
}

/// How alerts of a severity are shown.
fn look(severity: Option<&str>) -> Severity {
    SEVERITIES.into_iter().find(|(name, _)| severity == Some(*name)).unwrap_or(OTHER)
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
fn firing(fired: &Fired, start: f64) -> Time {
    let (last, open) = match fired.end {
        End::Resolved(at) => (at, false),
        End::Firing(at) => (at, true),
        End::Unknown(_) => (fired.firing.last, true),
    };
    let [from, to] = [fired.firing.first, last].map(|at| at.seconds() - start);
    Time { from, to, open }
}

/// What a lane of such a length in seconds shows of these times: bars, of which none lies on another, and a mark at its
/// end for those that began after it.
fn bars(times: &[Time], hue: Hue, length: f64) -> (Vec<Span>, Vec<Point>) {
    let (late, within): (Vec<Time>, Vec<Time>) = times.iter().copied().partition(|time| time.from >= length);
    let within = united(within);
    let next = within.iter().skip(1).map(|time| time.from).chain([length]);
    let spans = within.iter().zip(next).flat_map(|(time, next)| bar(*time, next, hue, length)).collect();
    (spans, if late.is_empty() { Vec::new() } else { vec![(length, 0.5)] })
}

/// The same times, those that touch as one.
fn united(mut times: Vec<Time>) -> Vec<Time> {
    times.sort_by(|a, b| a.from.total_cmp(&b.from));
    let mut united: Vec<Time> = Vec::new();
    for time in times {
        match united.last_mut().filter(|last| time.from <= last.to) {
            Some(last) => (last.to, last.open) = (last.to.max(time.to), last.open || time.open),
            None => united.push(time),
        }
    }
    united
}

/// A bar that is wide enough to be seen. One whose end is not known fades out, before the next one begins.
fn bar(time: Time, next: f64, hue: Hue, length: f64) -> Vec<Span> {
    let span = |from: f64, to: f64, strength: f64| Span { from, to, hue, strength, text: String::new() };
    let (least, fade) = (LEAST * length, FADE * length);
    let from = time.from.min(length - least).max(0.0);
    let to = time.to.min(length).max(from + least);
    if !time.open {
        return vec![span(from, to, 1.0)];
    }
    let to = to.min(length - fade).max(from);
    let room = fade.min(next - to).max(0.0).min(length - to);
    let part = |step: u32| f64::from(step) / f64::from(STEPS);
    let steps = (0..STEPS).map(|step| {
        let strength = 1.0 - (f64::from(step) + 1.0) / (f64::from(STEPS) + 1.0);
        span(to + room * part(step), to + room * part(step + 1), strength)
    });
    std::iter::once(span(from, to, 1.0)).chain(steps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Firing, Lack, Millis, Shortfall};
    use crate::report::html::draw::svg;

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

    fn down(severity: Option<&str>, end: End) -> Fired {
        let severity = severity.map(|it| ("severity".to_owned(), it.to_owned()));
        Fired {
            alert: "Down".to_owned(),
            labels: severity.into_iter().collect(),
            experiment: None,
            firing: Firing { first: Millis(110_000), last: Millis(140_000) },
            end,
        }
    }

    #[test]
    fn an_alert_whose_end_is_not_known_is_shown_until_it_was_last_seen() {
        let table = [
            (End::Resolved(Millis(145_000)), 45.0, false),
            (End::Firing(Millis(143_000)), 43.0, true),
            (End::Unknown(Shortfall::new(Lack::RuleUnproven, "")), 40.0, true),
        ];
        for (end, to, open) in table {
            let fired = down(None, end);
            assert_eq!(firing(&fired, 100.0), Time { from: 10.0, to, open }, "{fired:?}");
        }
    }

    #[test]
    fn alerts_are_told_apart_by_severity() {
        let of = |severity| look(severity).1;
        let hues = [Some("critical"), Some("warning"), Some("info"), Some("page"), None].map(of);
        assert_eq!(hues, [Hue::Bad, Hue::Fourth, Hue::First, Hue::Third, Hue::Third]);
    }

    const NO_TIME: Time = Time { from: 0.0, to: 0.0, open: false };

    #[test]
    fn no_bar_lies_on_another() {
        let time = |from: f64, to: f64| Time { from, to, ..NO_TIME };
        let open = Time { open: true, ..time(40.0, 60.0) };
        let (spans, marks) =
            bars(&[time(300.0, 400.0), time(10.0, 50.0), open, time(20.0, 30.0)], Hue::Bad, 1000.0);
        let solid: Vec<_> = spans.iter().filter(|span| span.strength >= 1.0).collect();
        let solid: Vec<(f64, f64)> = solid.iter().map(|span| (span.from, span.to)).collect();
        assert_eq!((solid, marks.len()), (vec![(10.0, 60.0), (300.0, 400.0)], 0));
        assert!(spans.windows(2).all(|pair| pair[0].to <= pair[1].from), "{spans:?}");
    }

    #[test]
    fn a_bar_whose_end_is_not_known_fades_out_inside_the_lane() {
        let table = [
            // From, to, and the beginning of the next; where it begins to fade, and where it has faded.
            ((100.0, 200.0, 1000.0), (200.0, 240.0)),
            ((100.0, 200.0, 210.0), (200.0, 210.0)),
            ((100.0, 1200.0, 1000.0), (960.0, 1000.0)),
            ((980.0, 1200.0, 1000.0), (980.0, 1000.0)),
        ];
        for ((from, to, next), (fades, faded)) in table {
            let spans = bar(Time { from, to, open: true }, next, Hue::Bad, 1000.0);
            let fading: Vec<&Span> = spans.iter().filter(|span| span.strength < 1.0).collect();
            let (first, last) = (fading[0], fading[fading.len() - 1]);
            assert_eq!((first.from, last.to.round()), (fades, faded), "{from} {to} {next}");
            assert!(fading.windows(2).all(|pair| pair[0].strength > pair[1].strength), "{fading:?}");
        }
    }

    #[test]
    fn every_alert_that_fired_is_seen_in_its_lane() {
        // What fired in one evaluation only, before the run and in its last moment; and after its end.
        for from in [300.0, -60.0, 999.9] {
            let (spans, marks) = bars(&[Time { from, to: from, open: false }], Hue::Bad, 1000.0);
            let [span] = &spans[..] else { panic!("{spans:?}") };
            assert!(span.to - span.from > 5.9 && span.from >= 0.0 && span.to <= 1000.1, "{span:?}");
            assert!(marks.is_empty());
        }
        let (spans, marks) = bars(&[Time { from: 1010.0, to: 1050.0, open: false }], Hue::Bad, 1000.0);
        assert!(spans.is_empty());
        let axes = Chart { x: (0.0, 1000.0), y: (0.0, 1.0), unit: Unit::Silent, ..Chart::default() };
        let chart = Chart { marks, ..axes };
        assert!(svg(&chart, (1080, 16)).is_some_and(|drawn| drawn.contains("<circle")), "{chart:?}");
    }
}
