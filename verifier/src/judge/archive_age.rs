//! How old the newest archived log was, by the newest success that any primary's samples told until then (pure).

use std::collections::BTreeSet;

use super::archive::Reading;
use crate::evidence::{Labels, Millis, Sample, Shown};

/// A log that was archived, and what tells so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Success {
    /// When it was, in seconds since the Unix epoch, on Prometheus' clock.
    pub(super) archived: f64,
    /// The sample that tells it.
    pub(super) told: Millis,
}

/// How old the newest archived log was, from one reading of a primary to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Age {
    pub(super) at: Millis,
    /// What it is counted from; nothing where none was seen yet.
    pub(super) success: Option<Success>,
    /// At this reading.
    pub(super) seen: f64,
    /// Just before the next one, or at the run's end.
    pub(super) upper: f64,
    pub(super) until: Millis,
}

/// The age at every reading of a primary within the run. What an earlier primary archived stays archived, so
/// the age falls only when something newer is.
pub(super) fn ages(servers: &[Vec<Reading>], from: Millis, to: Millis) -> Vec<Age> {
    let mut readings: Vec<&Reading> = servers.iter().flatten().filter(|reading| reading.primary).collect();
    readings.sort_by_key(|reading| reading.at);
    let mut newest: Option<Success> = None;
    let mut ages: Vec<Age> = Vec::new();
    for reading in readings.into_iter().filter(|reading| reading.at <= to) {
        let at = reading.at.seconds();
        if let Some(previous) = ages.last_mut() {
            previous.lasts(reading.at);
        }
        if let Some(age) = reading.age {
            let told = Success { archived: at - age, told: reading.at };
            newest = Some(newest.filter(|newest| newest.archived >= told.archived).unwrap_or(told));
        }
        if reading.at >= from {
            let seen = newest.map_or(f64::INFINITY, |newest| at - newest.archived);
            ages.push(Age { at: reading.at, success: newest, seen, upper: seen, until: reading.at });
        }
    }
    if let Some(last) = ages.last_mut().filter(|last| last.success.is_some()) {
        last.lasts(to);
    }
    ages
}

impl Age {
    /// It went on until then.
    fn lasts(&mut self, until: Millis) {
        let upper = self.success.map_or(f64::INFINITY, |success| until.seconds() - success.archived);
        self.upper = self.upper.max(upper);
        self.until = until;
    }
}

/// The age over time, as it grows and falls; no number where none was archived yet.
pub(super) fn course(ages: &[Age]) -> Vec<Sample> {
    let number = |value: f64| if value.is_finite() { value } else { f64::NAN };
    let ends = ages.iter().flat_map(|age| [(age.at, age.seen), (age.until, age.upper)]);
    ends.map(|(at, value)| Sample { at, value: number(value) }).collect()
}

/// A series of a family, by its labels.
type Series = (Labels, Vec<Sample>);

/// The samples that ages were made of: what told the success that each is counted from, and what told that a primary
/// was there, with what it said of its own archive.
pub(super) fn samples(ages: &[Age], families: [(&str, &[Series]); 2]) -> Vec<Shown> {
    let [(role, roles), (age, told)] = families;
    let moments: BTreeSet<Millis> = ages
        .iter()
        .flat_map(|age| age.success.map(|success| success.told).into_iter().chain([age.at]))
        .collect();
    let mut shown = Vec::new();
    for at in moments {
        let of =
            |samples: &[Sample]| samples.iter().find(|sample| sample.at == at).map(|sample| sample.value);
        let primaries =
            roles.iter().filter(|(_, samples)| of(samples) == Some(0.0)).map(|(labels, _)| labels);
        for labels in primaries {
            shown.push(Shown { series: named(role, labels), at, value: 0.0 });
            let own = told.iter().find(|(other, _)| named(age, other) == named(age, labels));
            let value = own.and_then(|(_, samples)| of(samples));
            shown.extend(value.map(|value| Shown { series: named(age, labels), at, value }));
        }
    }
    shown
}

/// A series by its labels.
fn named(family: &str, labels: &Labels) -> String {
    let own = labels.iter().filter(|(label, _)| label.as_str() != "__name__");
    let own: Vec<String> = own.map(|(label, value)| format!("{label}={value:?}")).collect();
    format!("{family}{{{}}}", own.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at: i64, primary: bool, age: Option<f64>) -> Reading {
        Reading { at: Millis(at * 1000), primary, age, archived: Some(1.0), failed: Some(0.0) }
    }

    fn two() -> [Vec<Reading>; 2] {
        let first = vec![reading(0, true, Some(5.0)), reading(10, true, Some(15.0))];
        let second = vec![reading(10, false, None), reading(40, true, None), reading(50, true, Some(2.0))];
        [first, second]
    }

    #[test]
    fn the_age_grows_until_the_next_sample_and_over_a_promotion() {
        let ages = ages(&two(), Millis(0), Millis(60_000));
        let seen: Vec<_> = ages.iter().map(|age| (age.seen, age.upper)).collect();
        assert_eq!(seen, [(5.0, 15.0), (15.0, 45.0), (45.0, 55.0), (2.0, 12.0)]);
        let told: Vec<_> =
            ages.iter().filter_map(|age| age.success).map(|it| (it.archived, it.told.0)).collect();
        assert_eq!(told, [(-5.0, 0), (-5.0, 0), (-5.0, 0), (48.0, 50_000)]);
        let course: Vec<_> = course(&ages).into_iter().map(|it| (it.at.0 / 1000, it.value)).collect();
        let due =
            [(0, 5.0), (10, 15.0), (10, 15.0), (40, 45.0), (40, 45.0), (50, 55.0), (50, 2.0), (60, 12.0)];
        assert_eq!(course, due);
    }

    #[test]
    fn what_was_never_archived_has_no_course() {
        let ages = ages(&[vec![reading(0, true, None), reading(10, true, None)]], Millis(0), Millis(60_000));
        assert_eq!(
            ages.iter().map(|age| (age.seen, age.upper)).collect::<Vec<_>>(),
            [(f64::INFINITY, f64::INFINITY); 2]
        );
        assert!(course(&ages).iter().all(|sample| sample.value.is_nan()));
    }

    #[test]
    fn the_samples_are_those_that_prometheus_has() {
        let series = |family: &str, instance: &str, samples: &[(i64, f64)]| {
            let labels = [("__name__", family), ("instance", instance)];
            let labels: Labels = labels.map(|(label, value)| (label.to_owned(), value.to_owned())).into();
            let sample = |&(at, value): &(i64, f64)| Sample { at: Millis(at * 1000), value };
            (labels, samples.iter().map(sample).collect::<Vec<_>>())
        };
        let roles = [
            series("role", "a", &[(0, 0.0), (10, 0.0)]),
            series("role", "b", &[(10, 1.0), (40, 0.0), (50, 0.0)]),
        ];
        let told =
            [series("age", "a", &[(0, 5.0), (10, 15.0)]), series("age", "b", &[(10, 9.0), (40, f64::NAN)])];
        let ages = ages(&two(), Millis(0), Millis(45_000));
        let shown = samples(&ages[2..], [("role", &roles[..]), ("age", &told[..])]);
        let shown: Vec<_> =
            shown.iter().map(|it| format!("{} {} {}", it.at.0 / 1000, it.series, it.value)).collect();
        let due = [
            "0 role{instance=\"a\"} 0",
            "0 age{instance=\"a\"} 5",
            "40 role{instance=\"b\"} 0",
            "40 age{instance=\"b\"} NaN",
        ];
        assert_eq!(shown, due);
    }
}
