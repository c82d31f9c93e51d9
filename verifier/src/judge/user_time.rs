//! Users' time, told twice (pure): by the seconds that users spent, and by how many ran.

use super::{Evidence, Lack, show};
use crate::evidence::{Shortfall, family, mean_bounds};

/// How exactly the clock of a scrape and what it counts belong to the same instant, in seconds.
const WIDTH: f64 = 0.02;
/// Users may come and go between two scrapes; more than this part of their time that way is another story.
const APART: f64 = 0.02;

/// Where the seconds that users thought, waited and were overdue are not those of the users that ran.
pub(super) fn contradiction(evidence: &Evidence) -> Option<Shortfall> {
    told(evidence).unwrap_or_else(Some)
}

fn told(evidence: &Evidence) -> Result<Option<Shortfall>, Shortfall> {
    let processes = &evidence.run.processes;
    let seconds = evidence.tally(family::USER_SECONDS_TOTAL, &[])?;
    let gauges = evidence.gauges_of_load(family::USERS, &[("state", "running")])?;
    let (mut spent, mut least, mut most) = (0.0, 0.0, 0.0);
    for (process, gauge) in processes.with(true).into_iter().zip(gauges) {
        let gauge = gauge.finite("users running")?;
        gauge.whole(f64::NEG_INFINITY, f64::INFINITY)?;
        let points = &gauge.points;
        let (Some(begin), Some(end)) = (points.first(), points.last()) else { continue };
        let Some((low, _, high)) = mean_bounds(points) else { continue };
        let span = end.clock - begin.clock;
        let width = 2.0 * WIDTH * points.iter().map(|point| point.value).fold(0.0, f64::max);
        least += low * span - width;
        most += high * span + width;
        spent += seconds.of_process(process);
    }
    Ok(apart(spent, least, most).then(|| {
        let [spent, least, most] = [spent, least, most].map(show::grouped);
        let detail = format!("users spent {spent} s, but those that ran had between {least} and {most} s");
        Shortfall::new(Lack::Disagreement, detail)
    }))
}

/// Whether these seconds are not those that there were at least and at most.
fn apart(spent: f64, least: f64, most: f64) -> bool {
    spent < least * (1.0 - APART) || spent > most * (1.0 + APART)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_spend_no_more_and_no_less_than_their_time() {
        let table = [
            (1000.0, 1000.0, 1000.0, false),
            (985.0, 1000.0, 1100.0, false),
            (1110.0, 1000.0, 1100.0, false),
            (970.0, 1000.0, 1100.0, true),
            (500.0, 1000.0, 1000.0, true),
            (3000.0, 1000.0, 1100.0, true),
            (0.0, -8.0, 0.0, false),
        ];
        for (spent, least, most, due) in table {
            assert_eq!(apart(spent, least, most), due, "{spent} of {least} to {most}");
        }
    }
}
