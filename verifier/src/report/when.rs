//! When the judged run was, and who chose it: a verdict of an old run must not pass for one of today. Pure.

use std::time::Duration;

use super::Report;
use crate::evidence::Millis;
use crate::slo::show_duration;

/// How the run to judge was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// By its id.
    Named,
    /// As the newest one of so long a time.
    Newest(Duration),
}

impl Report {
    /// The line that tells it; nothing where there is nothing to tell.
    pub(super) fn when(&self) -> String {
        let Some(evidence) = &self.evidence else { return String::new() };
        let (start, end) = evidence.run.times();
        let first = if evidence.run.processes.is_dark() { "first seen" } else { "began" };
        let last = if evidence.run.end.is_some() { "ended" } else { "last seen" };
        let choice = match self.choice {
            Choice::Named => String::new(),
            Choice::Newest(since) => {
                format!("; newest run in the last {}, --run ID chooses", show_duration(since))
            }
        };
        format!("{first} {}, {last} {}{choice}", moment(start), ago(self.now.0 - end.0))
    }
}

/// A moment for people.
fn moment(at: Millis) -> String {
    let time = chrono::DateTime::from_timestamp_millis(at.0);
    time.map_or_else(|| "at no time".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// How long ago, in its largest unit; a clock that is a little behind sees the future.
fn ago(millis: i64) -> String {
    let seconds = millis / 1000;
    let units = [(86_400, "days"), (3600, "h"), (60, "min")];
    match units.into_iter().find(|(unit, ..)| seconds >= 2 * unit) {
        Some((unit, many)) => format!("{} {many} ago", seconds / unit),
        None if seconds < -60 => format!("{} s in the future (by this machine's clock)", -seconds),
        None => format!("{} s ago", seconds.max(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_units_that_a_glance_takes_in() {
        let table = [
            (-400, "0 s ago"),
            (-90_000, "90 s in the future (by this machine's clock)"),
            (119_000, "119 s ago"),
            (120_000, "2 min ago"),
            (7_199_000, "119 min ago"),
            (47 * 3_600_000, "47 h ago"),
            (75 * 3_600_000, "3 days ago"),
        ];
        for (millis, due) in table {
            assert_eq!(ago(millis), due);
        }
        assert_eq!(moment(Millis(1_700_000_000_123)), "2023-11-14 22:13:20 UTC");
        assert_eq!(moment(Millis(i64::MAX)), "at no time");
    }
}
