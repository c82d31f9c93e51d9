//! Sampled gauges: what they were at scrapes, and what they may have been in between. Pure.

use super::index::selector;
use super::{Lack, Millis, Processes, Recorded, Shortfall};

/// A gauge's value at one scrape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// Prometheus' time.
    pub(crate) at: Millis,
    /// The exporter's clock.
    pub(crate) clock: f64,
    pub(crate) value: f64,
}

/// The samples of one series, in order; at least one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gauge {
    /// Its name, for people.
    pub(crate) name: String,
    pub(crate) points: Vec<Point>,
    /// When a sample was due, on the exporter's clock: a value speaks only until the next one is missing.
    pub(crate) due: Vec<f64>,
}

/// A change that happened between two scrapes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Transition {
    /// The last sample before it, if there is one.
    pub(crate) before: Option<Point>,
    /// The first sample after it.
    pub(crate) after: Point,
}

impl Gauge {
    /// The only series of the conductor that matches.
    pub(crate) fn of(
        processes: &Processes,
        recorded: &Recorded,
        family: &'static str,
        matching: &[(&str, &str)],
    ) -> Result<Self, Shortfall> {
        Self::of_process(processes, recorded, 0, family, matching)
    }

    /// The only series of a process that matches.
    pub(crate) fn of_process(
        processes: &Processes,
        recorded: &Recorded,
        process: usize,
        family: &'static str,
        matching: &[(&str, &str)],
    ) -> Result<Self, Shortfall> {
        let mut series = recorded.matching(family, matching)?;
        series.retain(|laid| laid.process == process);
        let name = selector(family, matching);
        match series.as_slice() {
            [] => {
                let detail = format!("no series {name} of {}", processes.get(process));
                Err(Shortfall::new(Lack::FamilyAbsent, detail))
            }
            [one] => {
                let scrapes = &processes.get(process).scrapes;
                let point = |&(scrape, value): &(usize, f64)| {
                    let scrape = scrapes[scrape];
                    Point { at: scrape.at, clock: scrape.clock, value }
                };
                let points = one.values.iter().map(point).collect();
                Ok(Self { name, points, due: scrapes.iter().map(|scrape| scrape.clock).collect() })
            }
            many => {
                let detail = format!("{} series {name}, one is due", many.len());
                Err(Shortfall::new(Lack::DuplicateSeries, detail))
            }
        }
    }

    /// The newest sample, which the newest scrape must have; a value that is no number is a shortfall.
    pub(crate) fn last(&self) -> Result<Point, Shortfall> {
        let last = self.points.last().copied();
        let last = last.ok_or_else(|| Shortfall::new(Lack::NoSamples, "no sample"))?;
        self.fresh(last.clock, f64::INFINITY)?;
        if last.value.is_nan() {
            return Err(Shortfall::new(
                Lack::NotFinite,
                format!("the last sample, at {}, is {}", last.at, last.value),
            ));
        }
        Ok(last)
    }

    /// Whether every sample is a finite number.
    pub(crate) fn finite(self, what: &str) -> Result<Self, Shortfall> {
        match self.points.iter().find(|point| !point.value.is_finite()) {
            Some(point) => {
                Err(Shortfall::new(Lack::NotFinite, format!("{what} is {} at {}", point.value, point.at)))
            }
            None => Ok(self),
        }
    }

    /// Itself, where every sample is a number, infinity too.
    fn numbers(self) -> Result<Self, Shortfall> {
        match self.points.iter().find(|point| point.value.is_nan()) {
            Some(point) => {
                let detail = format!("{} is no number at {}", self.name, point.at);
                Err(Shortfall::new(Lack::NotFinite, detail))
            }
            None => Ok(self),
        }
    }

    /// Itself, where no sample is below an earlier one, as it is due for the worst of all so far.
    pub(crate) fn rising(self) -> Result<Self, Shortfall> {
        let this = self.numbers()?;
        let mut highest = f64::NEG_INFINITY;
        for point in &this.points {
            if point.value < highest {
                let detail = format!("{} fell from {highest} to {} at {}", this.name, point.value, point.at);
                return Err(Shortfall::new(Lack::CounterReset, detail));
            }
            highest = highest.max(point.value);
        }
        Ok(this)
    }

    /// The highest sample, the newest of several; one that is no number is a shortfall. The newest scrape must
    /// have one.
    pub(crate) fn highest(self) -> Result<Point, Shortfall> {
        let last = self.last()?;
        let points = self.numbers()?.points;
        Ok(points.into_iter().max_by(|a, b| a.value.total_cmp(&b.value)).unwrap_or(last))
    }

    /// The samples from one instant of the exporter's clock to another, both included.
    pub(crate) fn within(&self, from: f64, to: f64) -> &[Point] {
        let first = self.points.partition_point(|point| point.clock < from);
        let end = self.points.partition_point(|point| point.clock <= to);
        &self.points[first..end.max(first)]
    }

    /// The last sample at or before an instant; a shortfall where a later one was due by then.
    pub(crate) fn before(&self, clock: f64) -> Result<Option<Point>, Shortfall> {
        let last = self.points[..self.points.partition_point(|point| point.clock <= clock)].last().copied();
        if let Some(last) = last {
            self.fresh(last.clock, clock)?;
        }
        Ok(last)
    }

    /// Whether nothing was due after a sample, up to an instant.
    fn fresh(&self, sampled: f64, until: f64) -> Result<(), Shortfall> {
        let missing = self.due.iter().filter(|due| **due > sampled && **due <= until).count();
        if missing == 0 {
            return Ok(());
        }
        let before = if until.is_finite() { format!(" before {until:.3}") } else { String::new() };
        let detail = format!("{} is missing in the last {missing} scrapes of its process{before}", self.name);
        Err(Shortfall::new(Lack::Gap, detail))
    }

    /// Whether every sample that was due from one instant to another is there.
    pub(crate) fn whole(&self, from: f64, to: f64) -> Result<(), Shortfall> {
        let inside = |clock: &&f64| **clock >= from && **clock <= to;
        let sampled =
            |clock: &f64| self.points.binary_search_by(|point| point.clock.total_cmp(clock)).is_ok();
        let due: Vec<_> = self.due.iter().filter(inside).collect();
        let missing = due.iter().filter(|clock| !sampled(clock)).count();
        if missing == 0 {
            return Ok(());
        }
        let detail = format!("{} is missing in {missing} of {} scrapes that decide", self.name, due.len());
        Err(Shortfall::new(Lack::Gap, detail))
    }

    /// The first change to a value that holds `wanted`, looking from an instant on.
    pub(crate) fn first(&self, from: f64, wanted: impl Fn(f64) -> bool) -> Option<Transition> {
        let start = self.points.partition_point(|point| point.clock < from);
        let found = start + self.points[start..].iter().position(|point| wanted(point.value))?;
        Some(Transition { before: found.checked_sub(1).map(|at| self.points[at]), after: self.points[found] })
    }

    /// The change after which all samples hold `wanted`, up to an instant: `None` when the last does not.
    pub(crate) fn lasting(&self, to: f64, wanted: impl Fn(f64) -> bool) -> Option<Transition> {
        let end = self.points.partition_point(|point| point.clock <= to);
        let points = &self.points[..end];
        let run = points.iter().rev().take_while(|point| wanted(point.value)).count();
        let first = end.checked_sub(run).filter(|_| run > 0)?;
        Some(Transition { before: first.checked_sub(1).map(|at| points[at]), after: points[first] })
    }

    /// The longest time without a sample in an interval, its ends included.
    pub(crate) fn longest_gap(&self, from: f64, to: f64) -> f64 {
        let inside = self.within(from, to).iter().map(|point| point.clock);
        let times: Vec<f64> = std::iter::once(from).chain(inside).chain(std::iter::once(to)).collect();
        times.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max)
    }
}

/// The bounds of a mean over time between the first and the last point: between two samples the value was
/// somewhere between the two.
pub(crate) fn mean_bounds(points: &[Point]) -> Option<(f64, f64, f64)> {
    let (first, last) = (points.first()?, points.last()?);
    let span = last.clock - first.clock;
    if span <= 0.0 {
        return None;
    }
    let add = |(low, mid, high): (f64, f64, f64), pair: &[Point]| {
        let (a, b) = (pair[0].value, pair[1].value);
        let length = (pair[1].clock - pair[0].clock) / span;
        (low + a.min(b) * length, mid + f64::midpoint(a, b) * length, high + a.max(b) * length)
    };
    Some(points.windows(2).fold((0.0, 0.0, 0.0), add))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(values: &[f64]) -> Gauge {
        let point = |(at, value): (usize, &f64)| {
            let clock = at as f64;
            Point { at: Millis::from_seconds(clock), clock, value: *value }
        };
        let points: Vec<Point> = values.iter().enumerate().map(point).collect();
        let due = points.iter().map(|point| point.clock).collect();
        Gauge { name: "g".to_owned(), points, due }
    }

    #[test]
    fn a_change_lies_between_two_samples() {
        let gauge = gauge(&[3.0, 3.0, 10.0, 10.0, 4.0, 3.0, 3.0]);
        let up = gauge.first(0.0, |value| value >= 10.0).unwrap();
        assert_eq!((up.before.unwrap().clock, up.after.clock), (1.0, 2.0));
        let down = gauge.lasting(6.0, |value| value == 3.0).unwrap();
        assert_eq!((down.before.unwrap().clock, down.after.clock), (4.0, 5.0));
        assert_eq!(gauge.lasting(4.5, |value| value == 3.0), None);
        assert_eq!(gauge.lasting(-1.0, |_| true), None);
    }

    #[test]
    fn a_value_speaks_only_until_the_next_one_is_missing() {
        let mut gauge = gauge(&[1.0, 1.0, 1.0, 1.0]);
        assert_eq!(gauge.before(2.5).unwrap().unwrap().clock, 2.0);
        gauge.points.truncate(2);
        assert_eq!(gauge.last().unwrap_err().lack, Lack::Gap);
        assert_eq!(gauge.before(1.5).unwrap().unwrap().clock, 1.0);
        assert_eq!(gauge.before(2.5).unwrap_err().lack, Lack::Gap);
        assert_eq!(gauge.before(-1.0), Ok(None));
        assert_eq!((gauge.whole(0.0, 1.5), gauge.whole(0.0, 2.0).unwrap_err().lack), (Ok(()), Lack::Gap));
    }

    #[test]
    fn the_worst_so_far_never_falls() {
        let table: [(&[f64], bool); 5] = [
            (&[0.0, 0.0, 7.0, 7.0], true),
            (&[5.0], true),
            (&[0.0, 7.0, 0.0], false),
            (&[0.0, 7.0, f64::NAN, 7.0], false),
            (&[0.0, f64::INFINITY, 1.0], false),
        ];
        for (values, rises) in table {
            let told = gauge(values).rising();
            assert_eq!(told.is_ok(), rises, "{values:?}: {told:?}");
        }
        let highest = gauge(&[0.0, 7.0, 7.0, 6.0]).highest().expect("all are numbers");
        assert_eq!((highest.value, highest.clock), (7.0, 2.0));
        gauge(&[0.0, 7.0, f64::NAN, 6.0]).highest().expect_err("one is no number");
    }

    #[test]
    fn gaps_count_from_the_ends_of_the_interval() {
        assert_eq!(gauge(&[1.0, 1.0]).longest_gap(-3.0, 5.0), 4.0);
        assert_eq!(gauge(&[1.0, 1.0]).longest_gap(10.0, 20.0), 10.0);
    }

    #[test]
    fn a_mean_over_time_has_bounds() {
        let (low, mid, high) = mean_bounds(&gauge(&[1.0, 3.0, 3.0]).points).unwrap();
        assert_eq!((low, mid, high), (2.0, 2.5, 3.0));
        assert_eq!(mean_bounds(&gauge(&[1.0]).points), None);
    }

    #[test]
    fn not_a_number_is_no_last_value() {
        assert_eq!(gauge(&[1.0, f64::NAN]).last().unwrap_err().lack, Lack::NotFinite);
        assert_eq!(gauge(&[1.0, f64::INFINITY]).last().unwrap().value, f64::INFINITY);
        assert_eq!(gauge(&[f64::NAN, 1.0]).finite("x").unwrap_err().lack, Lack::NotFinite);
    }
}
