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
        let (ended, judged) = (moment_after(start, end), moment_after(end, self.now));
        let later = later(self.now.0 - end.0);
        format!("{first} {}, {last} {ended}, judged {judged}, {later}{choice}", moment(start))
    }
}

/// A moment after another that was told: without its date where that is the same.
fn moment_after(told: Millis, at: Millis) -> String {
    let (told, at) = (moment(told), moment(at));
    match (told.split_once(' '), at.split_once(' ')) {
        (Some((before, _)), Some((date, time))) if before == date => time.to_owned(),
        _ => at,
    }
}

/// A moment for people.
fn moment(at: Millis) -> String {
    let time = chrono::DateTime::from_timestamp_millis(at.0);
    time.map_or_else(|| "at no time".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// How much later, in its largest unit; a clock that is a little behind sees the future.
fn later(millis: i64) -> String {
    let seconds = millis / 1000;
    let units = [(86_400, "days"), (3600, "h"), (60, "min")];
    match units.into_iter().find(|(unit, ..)| seconds >= 2 * unit) {
        Some((unit, many)) => format!("{} {many} later", seconds / unit),
        None if seconds < -60 => format!("{} s before that (by this machine's clock)", -seconds),
        None => format!("{} s later", seconds.max(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_units_that_a_glance_takes_in() {
        let table = [
            (-400, "0 s later"),
            (-90_000, "90 s before that (by this machine's clock)"),
            (119_000, "119 s later"),
            (120_000, "2 min later"),
            (7_199_000, "119 min later"),
            (47 * 3_600_000, "47 h later"),
            (75 * 3_600_000, "3 days later"),
        ];
        for (millis, due) in table {
            assert_eq!(later(millis), due);
        }
        assert_eq!(moment(Millis(1_700_000_000_123)), "2023-11-14 22:13:20 UTC");
        assert_eq!(moment(Millis(i64::MAX)), "at no time");
        let told = Millis(1_700_000_000_123);
        let after = [60_000, 7_200_000, 86_400_000].map(|more| moment_after(told, Millis(told.0 + more)));
        assert_eq!(after, ["22:14:20 UTC", "2023-11-15 00:13:20 UTC", "2023-11-15 22:13:20 UTC"]);
    }
}
