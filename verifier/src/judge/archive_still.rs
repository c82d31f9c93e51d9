//! Whether the archive's age and its count agree (pure): a log that is newer was counted.

use super::archive::Reading;
use super::archive_cover::{LATE, MISSING, step};
use super::{Lack, show};
use crate::evidence::Shortfall;

/// By so much the time of the newest log may seem to change, in seconds: a scrape may take 10 s until its
/// time-out, and a clock be set by one.
const SEEMS: f64 = 11.0;

/// A server whose newest log became newer, though no further one was counted.
pub(super) fn contradiction(servers: &[Vec<Reading>]) -> Option<Shortfall> {
    let (reading, newer) = servers.iter().find_map(|readings| newer(readings))?;
    let newer = show::seconds(newer);
    let detail = format!("the newest log became {newer} s newer by {}, but none was counted", reading.at);
    Some(Shortfall::new(Lack::Disagreement, detail))
}

/// The first reading of a primary without a gap before it that tells so, and how many seconds newer its log is.
fn newer(readings: &[Reading]) -> Option<(&Reading, f64)> {
    let gap = MISSING * step(readings) + LATE;
    let mut oldest: Option<(f64, f64, f64)> = None;
    for reading in readings {
        let told = reading.age.zip(reading.archived).filter(|_| reading.primary);
        let Some((age, count)) = told else {
            oldest = None;
            continue;
        };
        let at = reading.at.seconds();
        let time = at - age;
        // Statistics begin anew when the server does.
        let goes_on = |(before, counted, _): &(f64, f64, f64)| {
            at - before <= gap && counted.to_bits() == count.to_bits()
        };
        let least = oldest.filter(goes_on).map_or(time, |(.., least)| least.min(time));
        if time - least > SEEMS {
            return Some((reading, time - least));
        }
        oldest = Some((at, count, least));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Millis;

    fn told(readings: &[(i64, bool, f64, f64)]) -> bool {
        let reading = |&(at, primary, age, archived): &(i64, bool, f64, f64)| Reading {
            at: Millis(at * 1000),
            primary,
            age: Some(age),
            archived: Some(archived),
            failed: Some(0.0),
        };
        contradiction(&[readings.iter().map(reading).collect()]).is_some()
    }

    #[test]
    fn a_newer_log_was_counted() {
        let table = [
            ("it ages", vec![(0, true, 5.0, 3.0), (5, true, 10.0, 3.0), (10, true, 15.0, 3.0)], false),
            ("one more", vec![(0, true, 25.0, 3.0), (5, true, 2.0, 4.0), (10, true, 7.0, 4.0)], false),
            ("a slow scrape", vec![(0, true, 5.0, 3.0), (5, true, 19.0, 3.0), (10, true, 15.0, 3.0)], false),
            ("a replica", vec![(0, false, 5.0, 3.0), (5, false, 5.0, 3.0), (20, false, 5.0, 3.0)], false),
            (
                "statistics anew",
                vec![(0, true, 80.0, 1.0), (5, true, 85.0, 1.0), (10, true, 90.0, 1.0), (60, true, 1.0, 1.0)],
                false,
            ),
            ("it stands still", vec![(0, true, 5.0, 3.0), (6, true, 5.0, 3.0), (12, true, 5.0, 3.0)], true),
            ("newer uncounted", vec![(0, true, 25.0, 3.0), (5, true, 2.0, 3.0), (10, true, 7.0, 3.0)], true),
        ];
        for (what, readings, contradicted) in table {
            assert_eq!(told(&readings), contradicted, "{what}");
        }
    }
}
