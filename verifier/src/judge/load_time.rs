//! When the load began and ended, and whether its users agree (pure): by an end that is told late, replicas and users
//! would be judged by a time in which nothing was asked of them.

use super::{Evidence, Lack};
use crate::evidence::{PhaseName, Point, Shortfall, family};

/// Users start and stop around the phases' ends, not all at one instant.
pub(super) const EDGE: f64 = 1.0;

/// When the load began and ended, by the phases.
pub(super) fn span(evidence: &Evidence) -> Result<(f64, f64), Shortfall> {
    let run = &evidence.run;
    let absent = || Shortfall::new(Lack::NoSamples, "the run has no phase `ramp`");
    Ok((run.phase(PhaseName::Ramp).ok_or_else(absent)?.start, run.load_end().ok_or_else(absent)?))
}

/// Where the number of users wanted tells another load than the phases do.
pub(super) fn wanted_otherwise(evidence: &Evidence) -> Option<Shortfall> {
    told(evidence, |(start, end)| {
        let target = evidence.gauge(family::USERS, &[("state", "target")])?.finite("users wanted")?;
        Ok(otherwise(&target.points, start, end))
    })
}

/// Where no user ran any more though the load is told to last.
pub(super) fn ran_no_longer(evidence: &Evidence) -> Option<Shortfall> {
    told(evidence, |(_, end)| {
        let processes = &evidence.run.processes;
        let gauges = evidence.gauges_of_load(family::USERS, &[("state", "running")])?;
        let mut running = 0.0;
        for (process, gauge) in processes.with(true).into_iter().zip(gauges) {
            let until = end - EDGE + processes.shift(process).0;
            running += gauge.finite("users running")?.before(until)?.map_or(0.0, |point| point.value);
        }
        Ok((running <= 0.0)
            .then(|| format!("no user ran any more, though the load is told to last until {end:.3}")))
    })
}

/// What is found of a run whose phases are whole; where they are not, that stands against everything already.
fn told(
    evidence: &Evidence,
    found: impl FnOnce((f64, f64)) -> Result<Option<String>, Shortfall>,
) -> Option<Shortfall> {
    if !evidence.run.flaws.is_empty() {
        return None;
    }
    match span(evidence).and_then(found) {
        Ok(detail) => detail.map(|detail| Shortfall::new(Lack::Disagreement, detail)),
        Err(flaw) => Some(flaw),
    }
}

/// Users that are wanted outside the load, or none at its end.
fn otherwise(wanted: &[Point], start: f64, end: f64) -> Option<String> {
    let some = |point: &&Point| point.value > 0.0;
    let early = wanted.iter().take_while(|point| point.clock < start - EDGE).find(some);
    if let Some(point) = early {
        return Some(format!(
            "{} users were wanted at {}, before the load is told to begin",
            point.value, point.at
        ));
    }
    let late = wanted.iter().rev().take_while(|point| point.clock > end + EDGE).find(some);
    if let Some(point) = late {
        return Some(format!("{} users were wanted at {}, after the load's told end", point.value, point.at));
    }
    let lasting = wanted.iter().rev().skip_while(|point| point.clock > end - EDGE);
    let idle = lasting.take_while(|point| point.value <= 0.0).last()?;
    let seconds = super::show::seconds(end - idle.clock);
    Some(format!("no users were wanted from {} on, {seconds} s before the load's told end", idle.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Millis;

    #[test]
    fn users_are_wanted_while_the_load_lasts_and_at_no_other_time() {
        let load: Vec<f64> = vec![0.0, 0.0, 5.0, 5.0, 0.0, 5.0, 5.0, 0.0, 0.0];
        let table = [
            ("as told", load.clone(), 20.0, 70.0, false),
            ("within a second", load.clone(), 20.9, 69.1, false),
            ("a scrape missing", load.clone(), 15.0, 65.0, false),
            ("begun before", load.clone(), 25.0, 70.0, true),
            ("ended before", load.clone(), 20.0, 75.0, true),
            ("ended long before", load.clone(), 20.0, 500.0, true),
            ("ended after", load, 20.0, 55.0, true),
            ("never", vec![0.0; 9], 20.0, 70.0, true),
        ];
        for (what, values, start, end, told) in table {
            let point = |(at, &value): (usize, &f64)| Point { at: Millis(0), clock: at as f64 * 10.0, value };
            let points: Vec<Point> = values.iter().enumerate().map(point).collect();
            assert_eq!(otherwise(&points, start, end).is_some(), told, "{what}");
        }
    }
}
