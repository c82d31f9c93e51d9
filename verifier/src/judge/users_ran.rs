//! How many of the users wanted ran (pure): each load process counts its own by its own clock, which may be seconds
//! off.

use super::Evidence;
use crate::evidence::{Gauge, Point, Shortfall, family};

/// The least share of the users wanted that ran.
pub(super) struct Ran {
    /// At least and at most: how far the clocks of load processes are off is known within bounds only.
    pub(super) least: f64,
    pub(super) most: f64,
    /// Where `least` was, and how many ran then.
    pub(super) at: Point,
    pub(super) sum: f64,
}

/// The users that ran of those wanted, at each scrape of `target` within the load.
pub(super) fn users_ran(
    evidence: &Evidence,
    target: &Gauge,
    (start, end): (f64, f64),
) -> Result<Ran, Shortfall> {
    let processes = &evidence.run.processes;
    let gauges = evidence.gauges_of_load(family::USERS, &[("state", "running")])?;
    let gauges: Vec<Gauge> =
        gauges.into_iter().map(|gauge| gauge.finite("users running")).collect::<Result<_, _>>()?;
    let shifts: Vec<_> = processes.with(true).into_iter().map(|process| processes.shift(process)).collect();
    let wider = |(low, high): (f64, f64), shift: &(f64, f64)| (low.min(shift.0), high.max(shift.1));
    let widest = shifts.iter().fold((0.0, 0.0), wider);
    let points = &target.points;
    let first = points.partition_point(|point| point.clock < start);
    let mut ran = Ran { least: 1.0, most: 1.0, at: points[first], sum: 0.0 };
    let mut seen = false;
    for (number, point) in points.iter().enumerate().skip(first).take_while(|(_, point)| point.clock <= end) {
        let (least_due, due) = due(points, number, widest);
        if due <= 0.0 {
            continue;
        }
        let (mut least, mut most) = (0.0, 0.0);
        for (gauge, (low, high)) in gauges.iter().zip(&shifts) {
            let (fewest, greatest) = between(gauge, point.clock + low, point.clock + high)?;
            (least, most) = (least + fewest, most + greatest);
        }
        if !seen || least / due < ran.least {
            (ran.at, ran.sum) = (*point, least);
        }
        seen = true;
        ran.least = ran.least.min(least / due);
        // Where nobody may have been due, nobody may have been missing.
        ran.most = if least_due > 0.0 { ran.most.min(most / least_due) } else { ran.most };
    }
    Ok(ran)
}

/// The fewest and the most users that are due in all processes at a scrape. Users of other processes may have been
/// scraped a little earlier, and a change of the number wanted takes effect over time, so the lesser of two
/// neighbouring targets is due. Each process follows the schedule by its own clock: what was wanted as long before or
/// after as a clock may be off, `widest`, may be all that is due.
fn due(target: &[Point], number: usize, (low, high): (f64, f64)) -> (f64, f64) {
    let point = target[number];
    let least = |from: usize, to: usize| {
        target[from..=to].iter().map(|point| point.value).fold(f64::INFINITY, f64::min)
    };
    let first_at = |clock: f64| target.partition_point(|point| point.clock < clock).min(target.len() - 1);
    let from = first_at(point.clock + low).saturating_sub(1);
    (least(from, first_at(point.clock + high)), least(number.saturating_sub(1), number))
}

/// The fewest and the most that a gauge showed at an instant between these two of its process's clock: what was
/// sampled last before the first, and all that was sampled until the second.
fn between(gauge: &Gauge, from: f64, to: f64) -> Result<(f64, f64), Shortfall> {
    let before = gauge.before(from)?.map_or(0.0, |point| point.value);
    gauge.before(to)?;
    let later = gauge.within(from, to).iter().map(|point| point.value);
    Ok(later.fold((before, before), |(least, most), value| (least.min(value), most.max(value))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Millis;

    fn points(values: &[f64]) -> Vec<Point> {
        let point = |(at, &value): (usize, &f64)| Point { at: Millis(0), clock: at as f64, value };
        values.iter().enumerate().map(point).collect()
    }

    #[test]
    fn users_are_due_by_the_clock_of_each_process() {
        let target = points(&[100.0, 100.0, 200.0, 200.0, 200.0, 50.0, 50.0]);
        let table = [
            (3, (0.0, 0.0), (200.0, 200.0)),
            // A change takes effect over time.
            (2, (0.0, 0.0), (100.0, 100.0)),
            (0, (0.0, 0.0), (100.0, 100.0)),
            // A process that is behind still has as many as before.
            (3, (-1.5, -1.4), (100.0, 200.0)),
            (4, (-1.5, -1.4), (200.0, 200.0)),
            // One that is ahead has as many as are wanted next.
            (4, (0.3, 0.4), (50.0, 200.0)),
            (3, (0.3, 0.4), (200.0, 200.0)),
            (6, (1.8, 1.9), (50.0, 50.0)),
        ];
        for (number, widest, told) in table {
            assert_eq!(due(&target, number, (widest.0, widest.1)), told, "{number} {widest:?}");
        }
    }

    #[test]
    fn a_gauge_is_read_on_the_clock_of_its_process() {
        let points = points(&[10.0, 20.0, 30.0, 0.0]);
        let due = points.iter().map(|point| point.clock).collect();
        let gauge = Gauge { name: "users".to_owned(), points, due };
        let table = [
            (2.5, 2.5, (30.0, 30.0)),
            // With the clock of the conductor it would be one of 0.
            (1.2, 1.3, (20.0, 20.0)),
            (1.9, 2.1, (20.0, 30.0)),
            (0.5, 2.5, (10.0, 30.0)),
            (2.9, 3.1, (0.0, 30.0)),
            (-1.0, -0.5, (0.0, 0.0)),
        ];
        for (from, to, told) in table {
            assert_eq!(between(&gauge, from, to), Ok(told), "{from} to {to}");
        }
    }
}
