//! Shares: how the share of what was good went on, up to the one that is judged. Pure.

use super::super::chart::{Form, Line, Point, Unit};
use super::super::palette::Hue;
use super::{Drawn, Look, Sketch, why};
use crate::evidence::{Tally, family};
use crate::judge::window;
use crate::slo::{Availability, By, During, Latency, Share, show_duration};

/// The axis goes this many times what may be bad below the limit.
const BELOW: f64 = 4.0;

/// Of requests, of users' time or of probes.
pub(super) fn availability(promise: &Availability, look: Look<'_>) -> Drawn {
    let tally = |family, matching: &[(&str, &str)]| look.evidence.tally(family, matching).map_err(why);
    let (what, bad, total) = match &promise.by {
        By::Requests => {
            let bad = tally(family::REQUESTS_TOTAL, &of_task(promise.task.as_deref(), ("outcome", "error")))?;
            ("good requests", bad, requests(promise.task.as_deref(), look)?)
        }
        By::UserTime => {
            let overdue = tally(family::USER_SECONDS_TOTAL, &[("state", "overdue")])?;
            ("users' time within patience", overdue, tally(family::USER_SECONDS_TOTAL, &[])?)
        }
        By::Probes(component) => {
            let probes =
                |outcome| tally(family::PROBES_TOTAL, &[("component", component), ("outcome", outcome)]);
            let failed = probes("failed")?;
            ("answered probes", failed.clone(), probes("ok")?.plus(&failed))
        }
    };
    share(what, (&bad, &total), promise.at_least, &promise.during, look)
}

/// Of requests that were answered well and in time.
pub(super) fn latency(promise: &Latency, look: Look<'_>) -> Drawn {
    let family = family::RESPONSE_TIME_SECONDS_BUCKET;
    let limit = promise.within.as_secs_f64();
    let bounds = look.evidence.label_values(family, "le");
    let known = bounds.iter().filter_map(|text| Some((text, text.parse::<f64>().ok()?)));
    let within = known.filter(|(_, bound)| *bound <= limit).max_by(|a, b| a.1.total_cmp(&b.1));
    let Some((bound, seconds)) = within else {
        return Err("the histogram has no bound within the limit".to_owned());
    };
    let task = promise.task.as_deref();
    let mut matching = of_task(task, ("outcome", "ok"));
    matching.push(("le", bound));
    let good = look.evidence.tally(family, &matching).map_err(why)?;
    let total = requests(task, look)?;
    let what = format!("answers within {}", show_duration(std::time::Duration::from_secs_f64(seconds)));
    share(&what, (&total.minus(&good), &total), promise.at_least, &promise.during, look)
}

fn of_task<'a>(task: Option<&'a str>, also: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
    task.map(|task| ("task", task)).into_iter().chain([also]).collect()
}

fn requests(task: Option<&str>, look: Look<'_>) -> Result<Tally, String> {
    let matching: Vec<_> = task.map(|task| ("task", task)).into_iter().collect();
    look.evidence.tally(family::REQUESTS_TOTAL, &matching).map_err(why)
}

fn share(
    what: &str,
    (bad, total): (&Tally, &Tally),
    at_least: Share,
    during: &During,
    look: Look<'_>,
) -> Drawn {
    let (from, to) = look.window(window(look.evidence, during).map_err(why)?);
    let line = so_far(&look.tally(bad), &look.tally(total), (from, to));
    let Some(last) = line.last().copied() else { return Err("nothing was counted".to_owned()) };
    let limit = at_least.as_f64();
    let between = look.between();
    let lowest = between.map_or(last.1, |(lower, _)| lower.min(last.1));
    let room = 1.0 - limit;
    let mut chart = look.chart();
    chart.unit = Unit::Share;
    if *during != During::Run {
        chart.x = (from, to.max(from + 1.0));
    }
    chart.y = ((limit - BELOW * room).min(lowest - room).max(0.0), 1.0 + room * 0.4);
    chart.levels = vec![(limit, Hue::Limit)];
    chart.between = between;
    chart.marks = vec![last];
    let name = "so far".to_owned();
    chart.lines = vec![Line { name, hue: Hue::First, form: Form::Straight, points: line }];
    Ok(Sketch { title: format!("Share of {what} so far"), chart })
}

/// The good share of all since a window's start, at every sample up to the first one after its end.
fn so_far(bad: &[Point], total: &[Point], (from, to): (f64, f64)) -> Vec<Point> {
    let before = |points: &[Point]| {
        points.iter().rev().find(|point| point.0 <= from && point.1.is_finite()).map_or(0.0, |point| point.1)
    };
    let (bad_before, total_before) = (before(bad), before(total));
    let end = total.iter().position(|point| point.0 >= to).map_or(total.len(), |last| last + 1);
    let pairs = bad.iter().zip(total).take(end).filter(|(_, total)| total.0 > from);
    pairs
        .filter(|(_, total)| total.1.is_nan() || total.1 > total_before)
        .map(|(bad, total)| (total.0, 1.0 - (bad.1 - bad_before) / (total.1 - total_before)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_counts_from_its_windows_start_to_the_first_sample_after_its_end() {
        let total = [(0.0, 100.0), (5.0, 200.0), (10.0, 300.0), (15.0, 400.0), (20.0, 500.0)];
        let bad = [(0.0, 50.0), (5.0, 50.0), (10.0, 60.0), (15.0, 60.0), (20.0, 90.0)];
        assert_eq!(so_far(&bad, &total, (6.0, 14.0)), [(10.0, 0.9), (15.0, 0.95)]);
        assert_eq!(so_far(&bad, &total, (-1.0, 4.0)), [(0.0, 0.5), (5.0, 0.75)]);
        assert_eq!(so_far(&[(1.0, 0.0)], &[(1.0, 0.0)], (0.0, 9.0)), []);
    }
}
