//! What a chart shows, before it is drawn. Pure.

use super::palette::Hue;
use crate::evidence::Sample;
use crate::slo::trimmed;

/// A value of time: seconds since the run's start, and what it was. A value that is no number breaks the line.
pub(super) type Point = (f64, f64);

/// A chart over time.
#[derive(Debug, Clone, Default)]
pub(super) struct Chart {
    /// From when to when, in seconds.
    pub(super) x: (f64, f64),
    /// The least and the greatest value that is shown; what lies outside is shown at the edge.
    pub(super) y: (f64, f64),
    pub(super) unit: Unit,
    /// Parts of the time.
    pub(super) spans: Vec<Span>,
    pub(super) lines: Vec<Line>,
    /// Values that hold all the time: a limit, a bound.
    pub(super) levels: Vec<(f64, Hue)>,
    /// Moments: a limit.
    pub(super) moments: Vec<(f64, Hue)>,
    /// From one value to another.
    pub(super) between: Option<(f64, f64)>,
    /// The samples that decide.
    pub(super) marks: Vec<Point>,
}

impl Chart {
    /// The same with axes that hold all that decides: limits, bounds and samples.
    pub(super) fn whole(mut self) -> Self {
        let marks = || self.marks.iter().filter(|mark| !mark.1.is_nan());
        let bounds = self.spans.iter().filter(|span| span.hue == Hue::Bounds);
        let moments = self.moments.iter().map(|moment| moment.0).chain(marks().map(|mark| mark.0));
        let x = widened(self.x, moments.chain(bounds.flat_map(|span| [span.from, span.to])));
        let levels = self.levels.iter().map(|level| level.0).chain(marks().map(|mark| mark.1));
        let y = widened(self.y, levels.chain(self.between.into_iter().flat_map(|(low, high)| [low, high])));
        (self.x, self.y) = (x, y);
        self
    }
}

/// A part of the time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) hue: Hue,
    /// From 0, invisible, to 1.
    pub(super) strength: f64,
    /// Written into it where there is room.
    pub(super) text: String,
}

/// A series.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) hue: Hue,
    pub(super) form: Form,
    pub(super) points: Vec<Point>,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// From sample to sample.
    Straight,
    /// A value holds until the next sample.
    Steps,
    /// The same, filled.
    Area,
}

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Unit {
    #[default]
    Number,
    Seconds,
    /// A ratio, shown in percent.
    Share,
    /// 0 is down, 1 is up.
    State,
    /// Nothing is written beside the chart.
    Silent,
}

impl Unit {
    /// A value beside the chart.
    pub(super) fn label(self, value: f64) -> String {
        match self {
            Self::Number if value.abs() >= 10_000.0 => format!("{} k", trimmed(value / 1000.0, 1)),
            Self::Number => trimmed(value, 2),
            Self::Seconds if value != 0.0 && value.abs() < 1.0 => {
                format!("{} ms", trimmed(value * 1000.0, 1))
            }
            Self::Seconds => format!("{} s", trimmed(value, 1)),
            Self::Share => format!("{} %", trimmed(value * 100.0, 3)),
            Self::State if value < 0.25 => "down".to_owned(),
            Self::State if value > 0.75 => "up".to_owned(),
            Self::State | Self::Silent => String::new(),
        }
    }
}

/// A moment of the run below the chart: minutes and seconds.
pub(super) fn clock(seconds: f64) -> String {
    let (sign, seconds) = if seconds < -0.5 { ("-", -seconds) } else { ("", seconds.max(0.0)) };
    let minutes = (seconds.round() / 60.0).floor();
    format!("{sign}{minutes:.0}:{:02.0}", seconds.round() - minutes * 60.0)
}

/// Moments to write below a chart, in whole seconds, minutes or hours; about so many at most.
pub(super) fn ticks((from, to): (f64, f64), most: f64) -> Vec<f64> {
    const STEPS: [f64; 13] =
        [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0];
    let fits = STEPS.into_iter().find(|step| (to - from) / step <= most);
    let step = fits.unwrap_or_else(|| ((to - from) / most / 3600.0).ceil() * 3600.0);
    let first = (from / step).ceil() * step;
    std::iter::successors(Some(first), |at| Some(at + step)).take_while(|at| *at <= to).collect()
}

/// Samples as points, in seconds since `start` (Prometheus' time), broken where more than three steps of the series
/// are missing.
pub(super) fn points(samples: &[Sample], start: f64) -> Vec<Point> {
    let mut steps: Vec<f64> =
        samples.windows(2).map(|pair| pair[1].at.seconds() - pair[0].at.seconds()).collect();
    steps.sort_by(f64::total_cmp);
    let step = steps.get(steps.len() / 2).copied().unwrap_or(f64::INFINITY);
    let mut points = Vec::with_capacity(samples.len());
    for sample in samples {
        let at = sample.at.seconds() - start;
        if let Some((last, _)) = points.last().copied()
            && at - last > 3.0 * step
        {
            points.push((last + step, f64::NAN));
        }
        points.push((at, sample.value));
    }
    points
}

/// The least and the greatest of some values, with room around them.
pub(super) fn range(values: impl IntoIterator<Item = f64>, floor: Option<f64>) -> (f64, f64) {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let (low, high) = finite
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
    let low = floor.map_or(low, |floor| floor.min(low));
    let room = if high > low { (high - low) * 0.08 } else { high.abs().max(1.0) * 0.5 };
    (if floor.is_some() { low } else { low - room }, high + room)
}

/// A range that holds these values too, with some room beyond those that lay outside.
pub(super) fn widened(range: (f64, f64), values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let (low, high) = finite.fold(range, |(low, high), value| (low.min(value), high.max(value)));
    let room = (high - low) * 0.04;
    (if low < range.0 { low - room } else { low }, if high > range.1 { high + room } else { high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Millis;

    #[test]
    fn values_and_moments_are_written_briefly() {
        let table = [
            (Unit::Number, 12_500.0, "12.5 k"),
            (Unit::Number, 3.0, "3"),
            (Unit::Seconds, 0.025, "25 ms"),
            (Unit::Seconds, 0.0, "0 s"),
            (Unit::Seconds, 2.5, "2.5 s"),
            (Unit::Share, 0.999, "99.9 %"),
            (Unit::State, 0.0, "down"),
            (Unit::State, 1.0, "up"),
            (Unit::State, 0.5, ""),
        ];
        for (unit, value, due) in table {
            assert_eq!(unit.label(value), due);
        }
        assert_eq!([0.0, 59.7, 61.0, 600.0, -5.0].map(clock), ["0:00", "1:00", "1:01", "10:00", "-0:05"]);
    }

    #[test]
    fn moments_below_a_chart_are_whole_ones() {
        assert_eq!(ticks((0.0, 605.0), 10.0), [0.0, 120.0, 240.0, 360.0, 480.0, 600.0]);
        assert_eq!(ticks((-5.9, 39.0), 6.0), [0.0, 10.0, 20.0, 30.0]);
        assert_eq!(
            ticks((0.0, 90_000.0), 10.0),
            [0.0, 10_800.0, 21_600.0, 32_400.0, 43_200.0, 54_000.0, 64_800.0, 75_600.0, 86_400.0]
        );
    }

    #[test]
    fn a_line_breaks_where_samples_are_missing() {
        let sample = |at: i64| Sample { at: Millis(at * 1000), value: 1.0 };
        let points = points(&[100, 105, 110, 115, 200].map(sample), 100.0);
        let times: Vec<f64> = points.iter().map(|point| point.0).collect();
        assert_eq!(times, [0.0, 5.0, 10.0, 15.0, 20.0, 100.0]);
        assert!(points[4].1.is_nan());
    }

    #[test]
    fn axes_hold_all_that_decides() {
        let bounds = Span { from: 9.0, to: 110.0, hue: Hue::Bounds, strength: 0.3, text: String::new() };
        let fault = Span { from: -50.0, to: 500.0, hue: Hue::Fault, ..bounds.clone() };
        let never = Span { to: f64::INFINITY, ..bounds.clone() };
        let chart = Chart { x: (0.0, 100.0), y: (0.0, 50.0), ..Chart::default() };
        let table = [
            (
                Chart { spans: vec![fault], marks: vec![(50.0, 25.0)], ..chart.clone() },
                (0.0, 100.0),
                (0.0, 50.0),
            ),
            (Chart { levels: vec![(100.0, Hue::Limit)], ..chart.clone() }, (0.0, 100.0), (0.0, 104.0)),
            (Chart { between: Some((-50.0, 300.0)), ..chart.clone() }, (0.0, 100.0), (-64.0, 314.0)),
            (Chart { between: Some((10.0, f64::INFINITY)), ..chart.clone() }, (0.0, 100.0), (0.0, 50.0)),
            (Chart { marks: vec![(200.0, 100.0)], ..chart.clone() }, (0.0, 208.0), (0.0, 104.0)),
            (Chart { marks: vec![(200.0, f64::NAN)], ..chart.clone() }, (0.0, 100.0), (0.0, 50.0)),
            (Chart { moments: vec![(-25.0, Hue::Limit)], ..chart.clone() }, (-30.0, 100.0), (0.0, 50.0)),
            (Chart { spans: vec![bounds], ..chart.clone() }, (0.0, 114.4), (0.0, 50.0)),
            (Chart { spans: vec![never], ..chart }, (0.0, 100.0), (0.0, 50.0)),
        ];
        for (chart, x, y) in table {
            let told = format!("{chart:?}");
            let whole = chart.whole();
            assert_eq!((whole.x, whole.y), (x, y), "{told}");
        }
    }

    #[test]
    fn a_range_has_room_around_what_it_shows() {
        assert_eq!(range([1.0, f64::NAN, 2.0], None), (0.92, 2.08));
        assert_eq!(range([10.0], Some(0.0)), (0.0, 10.8));
        assert_eq!(range([], Some(0.0)), (0.0, 1.08));
    }
}
