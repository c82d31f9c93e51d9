//! Shares: how the share of what was good went on, up to the one that is judged. Pure.

use super::super::chart::{Form, Line, Point, Unit};
use super::super::palette::Hue;
use super::{Drawn, Look, Sketch, why};
use crate::evidence::Window;
use crate::judge::{Counters, availability_counters, latency_counters, window};
use crate::slo::{Availability, By, During, Latency, Share, show_duration};
use crate::verdict::Verdict;

/// The axis goes this many times what may be bad below the limit.
const BELOW: f64 = 4.0;

/// Of requests, of users' time or of probes.
pub(super) fn availability(promise: &Availability, look: Look<'_>) -> Drawn {
    let what = match &promise.by {
        By::Requests => "good requests",
        By::UserTime => "users' time within patience",
        By::Probes(_) => "answered probes",
    };
    let counters = availability_counters(promise, look.evidence).map_err(why)?;
    share(what, &counters, (promise.at_least, &promise.during), look)
}

/// Of requests that were answered well and in time.
pub(super) fn latency(promise: &Latency, look: Look<'_>) -> Drawn {
    let what = format!("answers within {}", show_duration(promise.within));
    let counters = latency_counters(promise, look.evidence).map_err(why)?;
    share(&what, &counters, (promise.at_least, &promise.during), look)
}

/// Which end of what was observed decides: only the best one can fail, else it is the worst that does or does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Worst,
    Best,
}

impl End {
    fn of(by_value: Verdict) -> Self {
        if by_value == Verdict::Fail { Self::Best } else { Self::Worst }
    }

    /// What its line is called.
    fn name(self, apart: bool) -> &'static str {
        match self {
            _ if !apart => "so far",
            Self::Worst => "so far, at worst",
            Self::Best => "so far, at best",
        }
    }
}

fn share(what: &str, counters: &Counters, (at_least, during): (Share, &During), look: Look<'_>) -> Drawn {
    let judged = &look.finding.judged;
    let end = End::of(judged.by_value);
    let bad = if end == End::Best { &counters.best } else { &counters.worst };
    let window = window(look.evidence, during).map_err(why)?;
    let (from, to) = look.window(window);
    let mut chart = look.chart();
    if *during != During::Run {
        chart.x = (from, to.max(from + 1.0));
    }
    let part = (window != Window::Run).then_some((from, to));
    let mut line = so_far(&look.tally(bad), &look.tally(&counters.total), part, end);
    let Some((at, seen)) = line.last().copied() else { return Err("nothing was counted".to_owned()) };
    // What was counted until the sample behind the end is judged as of the end.
    let decides = match (&judged.observed, end) {
        (Some(observed), End::Worst) => observed.lower,
        (Some(observed), End::Best) => observed.upper,
        (None, _) => seen,
    };
    let last = (at.min(chart.x.1), decides);
    line.retain(|point| point.0 < last.0);
    line.push(last);
    let limit = at_least.as_f64();
    let between = look.between();
    let lowest = between.map_or(decides, |(lower, _)| lower.min(decides));
    let room = 1.0 - limit;
    chart.unit = Unit::Share;
    chart.y = ((limit - BELOW * room).min(lowest - room).max(0.0), 1.0 + room * 0.4);
    chart.levels = vec![(limit, Hue::Limit)];
    chart.between = between;
    chart.marks = vec![last];
    let name = end.name(between.is_some()).to_owned();
    chart.lines = vec![Line { name, hue: Hue::First, form: Form::Straight, points: line }];
    Ok(Sketch { title: format!("Share of {what} so far"), chart })
}

/// The good share of all since the start of a part of the run, at every sample up to the first one after its end; of
/// the whole run without a part. At worst all of the bad ones between the enclosing samples fell among the fewest
/// events, at best only those between the enclosed ones among the most.
fn so_far(bad: &[Point], total: &[Point], part: Option<(f64, f64)>, end: End) -> Vec<Point> {
    let (bad, total) = match (part, end) {
        (None, _) => (bad.to_vec(), total.to_vec()),
        (Some(part), End::Worst) => (enclosing(bad, part), enclosed(total, part)),
        (Some(part), End::Best) => (enclosed(bad, part), enclosing(total, part)),
    };
    let from = part.map_or(f64::NEG_INFINITY, |part| part.0);
    let pairs = bad.iter().zip(&total).filter(|(_, total)| total.0 > from);
    pairs
        .filter(|(_, total)| total.1.is_nan() || total.1 > 0.0)
        .map(|(bad, total)| (total.0, (1.0 - bad.1 / total.1).clamp(0.0, 1.0)))
        .collect()
}

/// The samples of a counter up to the first one after a part of the run.
fn until(points: &[Point], to: f64) -> &[Point] {
    let end = points.iter().position(|point| point.0 >= to).map_or(points.len(), |last| last + 1);
    &points[..end]
}

/// What a counter grew since the last sample before a part of the run.
fn enclosing(points: &[Point], (from, to): (f64, f64)) -> Vec<Point> {
    let before = points.iter().rev().find(|point| point.0 <= from && point.1.is_finite());
    let before = before.map_or(0.0, |point| point.1);
    until(points, to).iter().map(|(at, value)| (*at, value - before)).collect()
}

/// What a counter grew since the first sample of a part of the run, up to its last one.
fn enclosed(points: &[Point], (from, to): (f64, f64)) -> Vec<Point> {
    let within = |point: &&Point| (from..=to).contains(&point.0) && point.1.is_finite();
    let first = points.iter().find(within).map_or(f64::INFINITY, |point| point.1);
    let last = points.iter().rev().find(within).map_or(f64::NEG_INFINITY, |point| point.1);
    until(points, to).iter().map(|(at, value)| (*at, if *at > to { last } else { *value } - first)).collect()
}

#[cfg(test)]
mod tests;
