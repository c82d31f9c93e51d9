//! Whether the archiver's counts fell only where their server began anew (pure): one that falls again and again is
//! the count of several servers, or of none, and what it gained in between proves nothing.

use super::Lack;
use super::archive::Reading;
use super::archive_cover::{Faults, LATE, MISSING, step, within};
use crate::evidence::{Millis, Shortfall};

/// What a server has counted.
type Count = fn(&Reading) -> Option<f64>;

/// Falls that neither a fault nor an absence nor another role of the server explains.
pub(super) fn contradiction(
    servers: &[Vec<Reading>],
    faults: &Faults,
    (from, to): (Millis, Millis),
) -> Option<Shortfall> {
    let counts: [(&str, Count); 2] =
        [("archived", |reading| reading.archived), ("failed", |reading| reading.failed)];
    let mut found = counts.into_iter().flat_map(|(what, count)| {
        servers.iter().map(move |readings| (what, unexplained(readings, count, faults, (from, to))))
    });
    let (what, falls) = found.find(|(_, falls)| !falls.is_empty())?;
    let times = super::show::counted(falls.len() as f64, "time", "times");
    let detail = format!(
        "the count of logs that {what} fell {times} without a restart, a fault or a change of role that explains it, first at {}",
        falls[0]
    );
    Some(Shortfall::new(Lack::CounterReset, detail))
}

/// When a server's count fell and nothing explains it. A fault restarts a server once.
fn unexplained(
    readings: &[Reading],
    count: Count,
    faults: &Faults,
    (from, to): (Millis, Millis),
) -> Vec<Millis> {
    let step = step(readings);
    let mut unused = faults.clone();
    let told: Vec<(&Reading, f64)> = readings
        .iter()
        .filter(|reading| (from..=to).contains(&reading.at))
        .filter_map(|reading| Some((reading, count(reading)?)))
        .collect();
    let fell = told.windows(2).filter(|pair| pair[1].1 < pair[0].1).map(|pair| (pair[0].0, pair[1].0));
    fell.filter(|(before, after)| {
        let (a, b) = (before.at.seconds(), after.at.seconds());
        if before.primary != after.primary || b - a > MISSING * step + LATE {
            return false;
        }
        let fault = unused.iter().position(|fault| within((a, b), std::slice::from_ref(fault), step));
        if let Some(fault) = fault {
            unused.remove(fault);
        }
        fault.is_none()
    })
    .map(|(_, after)| after.at)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_falls_only_where_its_server_began_anew() {
        type Case = (&'static str, &'static [(i64, bool, f64)], usize);
        let table: [Case; 7] = [
            ("it grows", &[(0, true, 1.0), (5, true, 2.0), (10, true, 2.0)], 0),
            ("a change of role", &[(0, true, 5.0), (5, false, 0.0), (10, true, 0.0)], 0),
            ("it was away", &[(0, true, 5.0), (5, true, 5.0), (10, true, 5.0), (40, true, 0.0)], 0),
            ("a fault", &[(95, true, 5.0), (100, true, 5.0), (105, true, 0.0)], 0),
            (
                "twice in a fault",
                &[(100, true, 5.0), (105, true, 0.0), (110, true, 1.0), (115, true, 0.0)],
                1,
            ),
            ("without a reason", &[(0, true, 5.0), (5, true, 0.0), (10, true, 1.0)], 1),
            ("again and again", &[(0, true, 1.0), (5, true, 0.0), (10, true, 1.0), (15, true, 0.0)], 2),
        ];
        for (what, readings, falls) in table {
            let reading = |&(at, primary, count): &(i64, bool, f64)| Reading {
                at: Millis(at * 1000),
                primary,
                age: Some(5.0),
                archived: Some(count),
                failed: Some(0.0),
            };
            let readings: Vec<Reading> = readings.iter().map(reading).collect();
            let faults = vec![(100.0, 200.0)];
            let all = (Millis(0), Millis(600_000));
            let found = unexplained(&readings, |reading| reading.archived, &faults, all);
            assert_eq!(found.len(), falls, "{what}");
        }
    }
}
