//! Signs of a Prometheus at work (pure): one that scrapes evaluates its rules too, unless its own counters say that it
//! failed to.

use std::collections::{BTreeMap, BTreeSet};

use super::sample::same;
use super::{Fetched, Millis, Processes, Sample};

/// Two signs that are no further apart than so many scrapes have no interruption between them: no scrape is missed.
const STEPS: f64 = 1.5;

/// When Prometheus was at work.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Signs {
    /// When it scraped a process of the run, answered or not, in order.
    scraped: Vec<Millis>,
    /// The longest time between two of these that is no interruption, in seconds.
    longest: f64,
    /// Between which moments evaluations failed, by group of rules.
    failed: BTreeMap<String, Vec<(Millis, Millis)>>,
}

impl Signs {
    /// From the scrapes of a run, its processes' `up`, which goes on when they are gone, and the counters of failed
    /// evaluations of a Prometheus that scrapes itself. Where these were not told, there are no signs.
    pub(crate) fn of(processes: &Processes, up: &Fetched, failures: &Fetched) -> Self {
        let Ok(failures) = failures.series() else { return Self::default() };
        let mut failed: BTreeMap<String, Vec<(Millis, Millis)>> = BTreeMap::new();
        for (labels, samples) in failures {
            let group = labels.get("rule_group").cloned().unwrap_or_default();
            failed.entry(group).or_default().extend(changes(samples));
        }
        let up = up.series().unwrap_or_default();
        let up = up.iter().flat_map(|(_, samples)| samples.iter().map(|sample| sample.at));
        let own = processes.conductor().scrapes.iter().map(|scrape| scrape.at);
        let scraped: BTreeSet<Millis> = own.chain(up).collect();
        let longest = STEPS * processes.scrape_interval();
        Self { scraped: scraped.into_iter().collect(), longest, failed }
    }

    /// By when rules of these groups, due every `pace` seconds, were evaluated once more after an evaluation, and before
    /// another one at some moment, if there is one: not by the one that was due then.
    pub(crate) fn again(
        &self,
        groups: &[&str],
        (last, before): (Millis, Option<Millis>),
        pace: f64,
    ) -> Option<Millis> {
        // Since when nothing interrupted it, and until when that is known.
        let (mut alive, mut known) = (last, last);
        let within = |at: &&Millis| last < **at && before.is_none_or(|before| **at < before);
        for sign in self.scraped.iter().filter(within) {
            if self.interrupted(groups, (known, *sign)) {
                alive = *sign;
            }
            known = *sign;
            let due = Millis::from_seconds(alive.seconds() + pace);
            let another = before.is_some_and(|before| before.seconds() < due.seconds() + pace / 2.0);
            if due <= known && !another {
                return Some(due);
            }
        }
        None
    }

    /// The first time in a span in which rules of these groups may not have been evaluated, as far as there are signs.
    pub(crate) fn dark(&self, groups: &[&str], (from, to): (Millis, Millis)) -> Option<(Millis, Millis)> {
        if self.scraped.is_empty() {
            return Some((from, to));
        }
        let pairs = self.scraped.windows(2).map(|pair| (pair[0], pair[1]));
        let mut within = pairs.filter(|(start, end)| *start < to && from < *end);
        within.find(|span| self.interrupted(groups, *span))
    }

    /// Whether it was at work all through a span, from the last sign before it on, and evaluated rules of these groups.
    /// What is seen of it later says nothing.
    pub(crate) fn through(&self, groups: &[&str], (from, to): (Millis, Millis)) -> bool {
        let [begun, over] = [from, to].map(|end| self.scraped.partition_point(|sign| *sign <= end));
        let Some(first) = begun.checked_sub(1) else { return false };
        let known = [&self.scraped[first..over], &[to]].concat();
        !known.windows(2).any(|pair| self.interrupted(groups, (pair[0], pair[1])))
    }

    /// Whether Prometheus may not have been at work between two signs in a row, or failed to evaluate these groups.
    fn interrupted(&self, groups: &[&str], (from, to): (Millis, Millis)) -> bool {
        let mut failed = groups.iter().filter_map(|group| self.failed.get(*group)).flatten();
        to.seconds() - from.seconds() > self.longest || failed.any(|(start, end)| *start < to && from < *end)
    }
}

/// Between which samples a counter of failures rose; one that fell was begun anew, with whoever counts.
fn changes(samples: &[Sample]) -> impl Iterator<Item = (Millis, Millis)> {
    let changed = |pair: &&[Sample]| !same(pair[0].value, pair[1].value);
    samples.windows(2).filter(changed).map(|pair| (pair[0].at, pair[1].at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Data, Labels, Process, Scrape};

    fn fetched(outcome: Result<Vec<(Labels, Vec<Sample>)>, &str>) -> Fetched {
        Fetched {
            query: "q".to_owned(),
            outcome: outcome.map(Data::Series).map_err(str::to_owned),
            warnings: Vec::new(),
            infos: Vec::new(),
        }
    }

    fn series(label: (&str, &str), samples: &[(i64, f64)]) -> (Labels, Vec<Sample>) {
        let sample = |(at, value): &(i64, f64)| Sample { at: Millis(at * 1000), value: *value };
        ([(label.0.to_owned(), label.1.to_owned())].into(), samples.iter().map(sample).collect())
    }

    /// Those of a run that is scraped every 5 s, at these times.
    fn signs(times: &[i64]) -> Signs {
        Signs {
            scraped: times.iter().map(|at| Millis(at * 1000)).collect(),
            longest: 7.5,
            failed: BTreeMap::new(),
        }
    }

    #[test]
    fn scrapes_in_a_row_prove_that_rules_were_evaluated_in_between() {
        // The last sample at 140, its rule due every 5 s, and a scrape as often.
        let table: [(&[i64], Option<i64>, Option<i64>); 11] = [
            (&[135, 140, 145, 150], None, Some(145)),
            // One scrape is missed: it may have been away just then.
            (&[135, 140, 150], None, None),
            (&[135, 140, 150, 155], None, Some(155)),
            // Nobody was there, and then was for long enough, or not.
            (&[135, 140, 222, 227], None, Some(227)),
            (&[135, 140, 222], None, None),
            (&[135, 140], None, None),
            (&[], None, None),
            // It fires again.
            (&[135, 140, 145, 150], Some(150), Some(145)),
            // That was late and is what was due.
            (&[135, 140, 145, 150], Some(146), None),
            (&[135, 140, 145, 150], Some(145), None),
            (&[135, 140, 222, 227, 232], Some(226), None),
        ];
        for (times, before, due) in table {
            let ends = (Millis(140_000), before.map(|at| Millis(at * 1000)));
            let told = signs(times).again(&[], ends, 5.0).map(|at| at.0 / 1000);
            assert_eq!(told, due, "{times:?} {before:?}");
        }
    }

    #[test]
    fn evaluations_that_failed_are_none() {
        let mut signs = signs(&[135, 140, 145, 150, 155, 160, 165]);
        signs.failed.insert("f;g".to_owned(), vec![(Millis(138_000), Millis(153_000))]);
        let ends = (Millis(140_000), None);
        assert_eq!(signs.again(&["f;g"], ends, 5.0), Some(Millis(160_000)));
        assert_eq!(signs.again(&["f;other"], ends, 5.0), Some(Millis(145_000)));
        let span = (Millis(151_000), Millis(165_000));
        assert_eq!(signs.dark(&["f;g"], span), Some((Millis(150_000), Millis(155_000))));
        assert_eq!(signs.dark(&["f;other"], span), None);
        let at = |group: &str| signs.through(&[group], (Millis(147_000), Millis(147_000)));
        assert_eq!([at("f;g"), at("f;other")], [false, true]);
        // Long over at the end, but not at the beginning.
        let since = |from: i64| signs.through(&["f;g"], (Millis(from * 1000), Millis(163_000)));
        assert_eq!([since(152), since(156)], [false, true]);
    }

    #[test]
    fn a_span_is_dark_where_scrapes_are_missing_in_it() {
        let signs = signs(&[100, 105, 110, 135, 140]);
        let dark = |from: i64, to: i64| signs.dark(&[], (Millis(from * 1000), Millis(to * 1000))).is_some();
        assert_eq!(
            [dark(100, 140), dark(130, 140), dark(100, 110), dark(135, 900)],
            [true, true, false, false]
        );
        let through = |from: i64, to: i64| signs.through(&[], (Millis(from * 1000), Millis(to * 1000)));
        let at = |at: i64| through(at, at);
        assert_eq!([at(99), at(100), at(117), at(118), at(136)], [false, true, true, false, true]);
        assert_eq!(
            [through(99, 104), through(102, 117), through(134, 141), through(135, 147), through(135, 148)],
            [false, true, false, true, false]
        );
        assert!(Signs::default().dark(&[], (Millis(1), Millis(2))).is_some());
        assert!(!Signs::default().through(&[], (Millis(1), Millis(1))));
    }

    #[test]
    fn signs_are_read_from_scrapes_targets_and_counters_of_failures() {
        let scrape = |at: i64| Scrape { at: Millis(at * 1000), clock: at as f64 };
        let scrapes = vec![scrape(100), scrape(105), scrape(110)];
        let (job, instance) = ("j".to_owned(), "i".to_owned());
        let processes = Processes::new(Process { job, instance, loads: true, scrapes }, []);
        let up = series(("job", "j"), &[(110, 1.0), (115, 0.0)]);
        let failures = series(("rule_group", "f;g"), &[(90, 2.0), (100, 3.0), (110, 3.0), (120, 0.0)]);
        let read = Signs::of(&processes, &fetched(Ok(vec![up.clone()])), &fetched(Ok(vec![failures])));
        let mut due = signs(&[100, 105, 110, 115]);
        let spans =
            [(90, 100), (110, 120)].map(|(from, to): (i64, i64)| (Millis(from * 1000), Millis(to * 1000)));
        due.failed.insert("f;g".to_owned(), spans.to_vec());
        assert_eq!(read, due);
        let untold = Signs::of(&processes, &fetched(Ok(vec![up])), &fetched(Err("no")));
        assert_eq!(untold, Signs::default());
    }
}
