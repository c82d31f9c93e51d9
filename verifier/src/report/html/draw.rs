//! Draws a chart as SVG. Pure: into a text.

use std::ops::Range;

use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{Chart, Form, Point, Unit, clock, ticks};
use super::palette::Hue;

/// Room for what is written beside a chart, in pixels; the same for all, so that times stand below each other.
const BESIDE: u32 = 64;
/// The height of a letter.
const LETTERS: f64 = 15.0;
/// The width of one, as far as that can be said.
const LETTER: u32 = 8;

/// The room of a moment below a chart.
const MOMENT: f64 = 70.0;
/// The least room to the right of a chart, in pixels.
const BEHIND: u32 = 10;

/// No axis is longer: beyond it neighbouring numbers are no longer told apart, and the library looks for moments and
/// values to write to it without an end.
const LONGEST: f64 = 1e15;

type Canvas<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Time, RangedCoordf64>>;
type Failed<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

/// The axis of time, with whole moments written to it.
struct Time {
    axis: RangedCoordf64,
    moments: Vec<f64>,
}

impl Ranged for Time {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.axis.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.moments.clone()
    }

    fn range(&self) -> Range<f64> {
        self.axis.range()
    }
}

impl ValueFormatter<f64> for Time {
    fn format(value: &f64) -> String {
        clock(*value)
    }
}

/// The chart as an `svg` element of that size in pixels; nothing where it cannot be drawn.
pub(super) fn svg(chart: &Chart, size: (u32, u32)) -> Option<String> {
    if [chart.x, chart.y].iter().any(|(low, high)| !(0.0..=LONGEST).contains(&(high - low))) {
        return None;
    }
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
    let drawn = draw(chart, &area, size);
    drop(area);
    drawn.ok().map(|()| text)
}

fn draw<'a>(
    chart: &Chart,
    area: &DrawingArea<SVGBackend<'a>, Shift>,
    size: (u32, u32),
) -> Result<(), Failed<'a>> {
    let below = if chart.unit == Unit::Silent { 0 } else { 22 };
    let moments = ticks(chart.x, f64::from(size.0) / MOMENT);
    let time = Time { axis: (chart.x.0..chart.x.1).into(), moments };
    let mut canvas = ChartBuilder::on(area)
        .margin_top(6)
        .margin_right(behind(chart))
        .set_label_area_size(LabelAreaPosition::Left, BESIDE)
        .set_label_area_size(LabelAreaPosition::Bottom, below)
        .build_cartesian_2d(time, chart.y.0..chart.y.1)?;
    spans(chart, &mut canvas, size.0)?;
    mesh(chart, &mut canvas, size)?;
    if let Some((low, high)) = chart.between {
        let [low, high] = [low, high].map(|value| held(value, chart.y));
        let corners = [(chart.x.0, low), (chart.x.1, high)];
        canvas.draw_series([Rectangle::new(corners, Hue::Bounds.color().mix(0.22).filled())])?;
    }
    for line in &chart.lines {
        for part in parts(&line.points, line.form, chart) {
            if line.form == Form::Area {
                let fill = line.hue.color().mix(0.25);
                canvas.draw_series(AreaSeries::new(part.clone(), chart.y.0.max(0.0), fill))?;
            }
            canvas.draw_series(LineSeries::new(part, line.hue.color().stroke_width(2)))?;
        }
    }
    for (value, hue) in &chart.levels {
        let value = held(*value, chart.y);
        dashed(&mut canvas, [(chart.x.0, value), (chart.x.1, value)], *hue)?;
    }
    for (at, hue) in &chart.moments {
        let at = held(*at, chart.x);
        dashed(&mut canvas, [(at, chart.y.0), (at, chart.y.1)], *hue)?;
    }
    let inside =
        chart.marks.iter().filter(|(at, value)| (chart.x.0..=chart.x.1).contains(at) && !value.is_nan());
    canvas.draw_series(
        inside.map(|(at, value)| Circle::new((*at, held(*value, chart.y)), 4, Hue::Bounds.color().filled())),
    )?;
    area.present()
}

/// The room to the right of a chart, in pixels: half of the last moment's letters, should it be written at the very
/// end. It follows from the time alone, so that charts of one time have their moments below each other.
fn behind(chart: &Chart) -> u32 {
    let letters = u32::try_from(clock(chart.x.1).len()).unwrap_or(0);
    (letters * LETTER / 2 + 2).max(BEHIND)
}

fn mesh<'b>(chart: &Chart, canvas: &mut Canvas<'_, 'b>, size: (u32, u32)) -> Result<(), Failed<'b>> {
    let unit = chart.unit;
    let text = ("sans-serif", LETTERS).into_font().color(&Hue::Ink.color());
    let beside = |value: &f64| unit.label(*value);
    let mut mesh = canvas.configure_mesh();
    mesh.disable_x_mesh()
        .axis_style(Hue::Grid.color())
        .bold_line_style(Hue::Grid.color())
        .light_line_style(TRANSPARENT)
        .y_labels(if size.1 < 100 { 3 } else { 5 })
        .label_style(text)
        .y_label_formatter(&beside);
    if unit == Unit::Silent {
        mesh.disable_mesh().disable_axes();
    }
    mesh.draw()
}

fn spans<'b>(chart: &Chart, canvas: &mut Canvas<'_, 'b>, width: u32) -> Result<(), Failed<'b>> {
    let room = f64::from(width.saturating_sub(BESIDE + behind(chart))) / (chart.x.1 - chart.x.0);
    let style = ("sans-serif", LETTERS).into_font().color(&Hue::Ink.color());
    let style = style.pos(Pos::new(HPos::Center, VPos::Center));
    for span in &chart.spans {
        let (from, to) = (held(span.from, chart.x), held(span.to, chart.x));
        if from >= to {
            continue;
        }
        let fill = span.hue.color().mix(span.strength).filled();
        canvas.draw_series([Rectangle::new([(from, chart.y.0), (to, chart.y.1)], fill)])?;
        if span.text.chars().count() as f64 * f64::from(LETTER) < (to - from) * room {
            let middle = (f64::midpoint(from, to), f64::midpoint(chart.y.0, chart.y.1));
            canvas.draw_series([Text::new(span.text.clone(), middle, style.clone())])?;
        }
    }
    Ok(())
}

fn dashed<'b>(canvas: &mut Canvas<'_, 'b>, ends: [Point; 2], hue: Hue) -> Result<(), Failed<'b>> {
    canvas.draw_series(DashedLineSeries::new(ends, 6, 4, hue.color().stroke_width(2)))?;
    Ok(())
}

/// A value inside a range: what lies outside is shown at its edge.
fn held(value: f64, range: (f64, f64)) -> f64 {
    value.clamp(range.0, range.1)
}

/// The unbroken parts of a line, as it is drawn.
fn parts(points: &[Point], form: Form, chart: &Chart) -> Vec<Vec<Point>> {
    let inside = |part: &[Point]| {
        let mut drawn: Vec<Point> = Vec::with_capacity(part.len() * 2);
        for (at, value) in part.iter().filter(|point| (chart.x.0..=chart.x.1).contains(&point.0)) {
            let value = held(*value, chart.y);
            let same = |point: &Point| point.1.to_bits() == value.to_bits();
            let flat = drawn.len() > 1 && drawn[drawn.len() - 2..].iter().all(same);
            match drawn.last().copied().filter(|last| !same(last)) {
                // What does not change is one line, however often it was sampled.
                None if flat => drawn.truncate(drawn.len() - 1),
                Some((_, before)) if form != Form::Straight => drawn.push((*at, before)),
                _ => {}
            }
            drawn.push((*at, value));
        }
        drawn
    };
    points.split(|point| point.1.is_nan()).map(inside).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::chart::{Line, Span};
    use super::*;

    fn chart() -> Chart {
        let points = vec![(0.0, 1.0), (5.0, 2.0), (6.0, f64::NAN), (8.0, 900.0)];
        let line = Line { name: "a".to_owned(), hue: Hue::First, form: Form::Steps, points };
        Chart { x: (0.0, 10.0), y: (0.0, 3.0), lines: vec![line], ..Chart::default() }
    }

    #[test]
    fn a_line_is_drawn_in_parts_and_what_lies_outside_at_the_edge() {
        let drawn = chart();
        let parts = parts(&drawn.lines[0].points, Form::Steps, &drawn);
        assert_eq!(parts, [vec![(0.0, 1.0), (5.0, 1.0), (5.0, 2.0)], vec![(8.0, 3.0)]]);
        let flat: Vec<Point> = (0..9).map(|at| (f64::from(at), if at < 6 { 1.0 } else { 2.0 })).collect();
        let steps = super::parts(&flat, Form::Steps, &drawn);
        assert_eq!(steps, [[(0.0, 1.0), (5.0, 1.0), (6.0, 1.0), (6.0, 2.0), (8.0, 2.0)]]);
    }

    #[test]
    fn a_moment_at_the_very_end_is_written_whole() {
        for (length, last) in [(60.0, "1:00"), (4800.0, "80:00"), (86_400.0, "1440:00")] {
            let chart = Chart { x: (0.0, length), y: (0.0, 1.0), ..Chart::default() };
            let drawn = svg(&chart, (900, 100)).unwrap();
            let label = drawn.split("<text ").find(|text| text.contains(&format!(">\n{last}\n"))).unwrap();
            let middle = label.split("x=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            let half = last.len() as f64 * f64::from(LETTER) / 2.0;
            assert!(middle.parse::<f64>().unwrap() + half <= 900.0, "{last}: {label}");
        }
    }

    #[test]
    fn what_others_wrote_is_text_in_a_drawing() {
        let mut chart = chart();
        let text = "</svg><script>x</script>".to_owned();
        chart.spans.push(Span { from: 0.0, to: 10.0, hue: Hue::Fault, strength: 0.5, text });
        let svg = svg(&chart, (900, 100)).unwrap();
        assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script"), "{svg}");
        assert!(svg.contains("#2563EB"), "the colour that the page's style looks for");
    }

    #[test]
    fn axes_without_an_end_or_from_back_to_front_are_not_drawn() {
        let table = [(f64::MIN, f64::MAX), (0.0, f64::INFINITY), (0.0, 1e300), (f64::NAN, 1.0), (2.0, 1.0)];
        for (low, high) in table {
            let across = Chart { x: (low, high), ..chart() };
            let upright = Chart { y: (low, high), ..chart() };
            assert_eq!([across, upright].map(|chart| svg(&chart, (900, 100))), [None, None], "{low} {high}");
        }
    }

    #[test]
    fn a_chart_of_nothing_is_drawn_all_the_same() {
        assert!(svg(&Chart { x: (0.0, 1.0), y: (0.0, 1.0), ..Chart::default() }, (300, 100)).is_some());
    }
}
