use std::collections::BTreeMap;
use std::time::Duration;

use super::super::super::asked::questions;
use super::super::super::course::Scope;
use super::*;
use crate::evidence::{
    Data, Fetched, Labels, Millis, PhaseName, Process, Processes, Recorded, Rules, Sample, Scrape, Signs,
    family,
};
use crate::judge::{Evidence, Finding, judge};
use crate::run::{Phase, Run};
use crate::slo::{Objective, Promise};

/// Seconds between two scrapes.
const INTERVAL: i32 = 5;
/// A run of so many seconds, scraped once more after its end.
const LENGTH: i32 = 300;
/// When it began, on either clock.
const START: f64 = 1000.0;

/// A counter that grows by so much a second: its family, its labels and the rate.
type Counter = (&'static str, &'static [(&'static str, &'static str)], f64);

/// Per second 3.6 probes answered, 0.2 failed and 0.2 missed; 3.6 s of users' time thinking, 0.2 s waiting and 0.2 s
/// overdue; 4 requests, of which 0.2 failed, 3 were answered well within 1 s and 0.4 more within 3 s.
const COUNTERS: [Counter; 18] = [
    (family::PROBES_TOTAL, &[("component", "shop"), ("outcome", "ok")], 3.6),
    (family::PROBES_TOTAL, &[("component", "shop"), ("outcome", "failed")], 0.2),
    (family::PROBES_TOTAL, &[("component", "shop"), ("outcome", "missed")], 0.2),
    (family::PROBE_DURATION_SECONDS_SUM, &[("component", "shop")], 0.1),
    (family::USER_SECONDS_TOTAL, &[("state", "thinking")], 3.6),
    (family::USER_SECONDS_TOTAL, &[("state", "waiting")], 0.2),
    (family::USER_SECONDS_TOTAL, &[("state", "overdue")], 0.2),
    (family::REQUESTS_TOTAL, &[("task", "sale"), ("outcome", "ok")], 3.8),
    (family::REQUESTS_TOTAL, &[("task", "sale"), ("outcome", "error")], 0.2),
    (family::REQUEST_ERRORS_TOTAL, &[("task", "sale"), ("reason", "reset")], 0.2),
    (family::SCHEDULE_LAG_SECONDS_COUNT, &[], 4.0),
    (family::RESPONSE_TIME_SECONDS_BUCKET, &[("task", "sale"), ("outcome", "ok"), ("le", "1")], 3.0),
    (family::RESPONSE_TIME_SECONDS_BUCKET, &[("task", "sale"), ("outcome", "ok"), ("le", "3")], 3.4),
    (family::RESPONSE_TIME_SECONDS_BUCKET, &[("task", "sale"), ("outcome", "ok"), ("le", "+Inf")], 3.8),
    (family::RESPONSE_TIME_SECONDS_BUCKET, &[("task", "sale"), ("outcome", "error"), ("le", "1")], 0.2),
    (family::RESPONSE_TIME_SECONDS_BUCKET, &[("task", "sale"), ("outcome", "error"), ("le", "3")], 0.2),
    (family::RESPONSE_TIME_SECONDS_BUCKET, &[("task", "sale"), ("outcome", "error"), ("le", "+Inf")], 0.2),
    (family::SATURATED_SECONDS_TOTAL, &[("cause", "cpu")], 0.0),
];

fn fetched(series: Vec<(Labels, Vec<Sample>)>) -> Fetched {
    let outcome = Ok(Data::Series(series));
    Fetched { query: String::new(), outcome, warnings: Vec::new(), infos: Vec::new() }
}

/// The scrapes of the run, in seconds since its start.
fn scrapes() -> impl Iterator<Item = f64> {
    (0..=LENGTH / INTERVAL + 1).map(|number| f64::from(number * INTERVAL))
}

fn series(labels: &[(&str, &str)], value: impl Fn(f64) -> f64) -> (Labels, Vec<Sample>) {
    let target = [("job", "j"), ("instance", "i")];
    let labels = target
        .iter()
        .chain(labels)
        .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()))
        .collect();
    let sample = |at: f64| Sample { at: Millis::from_seconds(START + at), value: value(at) };
    (labels, scrapes().map(sample).collect())
}

/// What was recorded of such a run, whose `steady` begins and ends between two scrapes.
fn evidence() -> Evidence {
    let scrape = |at: f64| Scrape { at: Millis::from_seconds(START + at), clock: START + at };
    let (job, instance, scrapes) = ("j".to_owned(), "i".to_owned(), scrapes().map(scrape).collect());
    let processes = Processes::new(Process { job, instance, loads: true, scrapes }, []);
    let mut families: BTreeMap<&'static str, Fetched> = BTreeMap::new();
    for (name, labels, rate) in COUNTERS {
        let counted = series(labels, |at| (rate * at).round());
        let family = families.entry(name).or_insert_with(|| fetched(Vec::new()));
        if let Ok(Data::Series(all)) = &mut family.outcome {
            all.push(counted);
        }
    }
    let interval = series(&[("component", "shop")], |_| 0.25);
    families.insert(family::PROBE_INTERVAL_SECONDS, fetched(vec![interval]));
    let recorded = Recorded::lay(&processes, &families);
    let end = START + f64::from(LENGTH);
    let run = Run {
        id: "a".to_owned(),
        trial: "t".to_owned(),
        seen: (Millis::from_seconds(START), Millis::from_seconds(end)),
        start: START,
        end: Some(end),
        phases: vec![Phase { name: PhaseName::Steady, start: START + 101.0, end: START + 199.0 }],
        processes,
        experiments: BTreeMap::new(),
        aborted: false,
        flaws: Vec::new(),
    };
    Evidence {
        run,
        recorded,
        others: BTreeMap::new(),
        rules: Rules { outcome: Ok(Vec::new()), warnings: Vec::new(), loaded: None },
        signs: Signs::default(),
        alerts: fetched(Vec::new()),
        alerts_until: Millis::from_seconds(end),
        asked: BTreeMap::new(),
        expressions: BTreeMap::new(),
    }
}

fn judged(evidence: &Evidence, promise: Promise) -> Finding {
    judge(&Objective { name: "a".to_owned(), proves: None, promise }, evidence)
}

fn promise(by: By, at_least: &str, during: During) -> Availability {
    Availability { at_least: Share::parse(at_least).unwrap(), by, during, task: None }
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[test]
fn the_curve_ends_in_the_bound_that_the_verdict_was_decided_by() {
    let (probes, steady) =
        (|| By::Probes("shop".to_owned()), || During::Phase { name: PhaseName::Steady, last: None });
    let (pass, open, fail) = (Verdict::Pass, Verdict::Inconclusive, Verdict::Fail);
    // A missed probe is a bad one for a pass, and a good one for a fail.
    let table = [
        (promise(probes(), "85%", During::Run), pass, 0.9, "so far, at worst"),
        (promise(probes(), "92%", During::Run), open, 0.9, "so far, at worst"),
        (promise(probes(), "99%", During::Run), fail, 0.95, "so far, at best"),
        (promise(By::UserTime, "85%", During::Run), pass, 0.95, "so far"),
        (promise(By::UserTime, "99%", During::Run), fail, 0.95, "so far"),
        (promise(By::Requests, "99%", During::Run), fail, 0.95, "so far"),
        // The enclosing scrapes are 100 s apart and the enclosed ones 90 s: at worst all that was bad in 100 s fell
        // among what there was in 90 s.
        (promise(By::UserTime, "90%", steady()), pass, 1.0 - 20.0 / 360.0, "so far, at worst"),
        (promise(By::UserTime, "95%", steady()), open, 1.0 - 20.0 / 360.0, "so far, at worst"),
        (promise(By::UserTime, "99%", steady()), fail, 1.0 - 18.0 / 400.0, "so far, at best"),
        (promise(probes(), "99%", steady()), fail, 1.0 - 18.0 / 400.0, "so far, at best"),
        (promise(probes(), "85%", steady()), pass, 1.0 - 40.0 / 360.0, "so far, at worst"),
    ];
    let evidence = evidence();
    for (promise, by_value, decides, name) in table {
        let finding = judged(&evidence, Promise::Availability(promise.clone()));
        assert_eq!(finding.judged.by_value, by_value, "{promise:?}");
        let look = Look { evidence: &evidence, finding: &finding, scope: Scope::of(&evidence).unwrap() };
        let chart = availability(&promise, look).unwrap().chart;
        let line = &chart.lines[0];
        assert_eq!(line.name, name, "{promise:?}");
        let last = *line.points.last().unwrap();
        assert!(near(last.1, decides) && chart.marks == [last], "{promise:?}: {last:?} {:?}", chart.marks);
        assert!(near(last.0, chart.x.1), "what decides lies at the end of the chart: {last:?}");
        let counters = availability_counters(&promise, &evidence).unwrap();
        let end = End::of(by_value);
        let bad = if end == End::Best { &counters.best } else { &counters.worst };
        let part = (promise.during != During::Run).then_some((101.0, 199.0));
        let seen = so_far(&look.tally(bad), &look.tally(&counters.total), part, end);
        assert!(near(seen.last().unwrap().1, decides), "{promise:?}: the curve comes to {:?}", seen.last());
    }
}

/// Its counters end 5 s after the run did.
#[test]
fn charts_go_on_to_the_scrape_that_tells_of_the_runs_end() {
    let evidence = evidence();
    let asked = questions(&evidence).unwrap();
    assert_eq!(asked.span, (Millis(1_000_000), Millis(1_305_000)));
    assert_eq!(asked.step, Duration::from_secs(5));
    let promise = promise(By::Requests, "99%", During::Run);
    let finding = judged(&evidence, Promise::Availability(promise.clone()));
    let look = Look { evidence: &evidence, finding: &finding, scope: Scope::of(&evidence).unwrap() };
    let chart = availability(&promise, look).unwrap().chart;
    assert!(near(chart.x.1, 305.0) && near(chart.marks[0].0, 305.0), "{:?} {:?}", chart.x, chart.marks);
    // Nothing else of the run takes longer.
    assert_eq!(evidence.run.times().1, Millis(1_300_000));
}

#[test]
fn a_limit_between_two_buckets_is_charted_by_the_one_that_decides() {
    let evidence = evidence();
    let table =
        [("70%", Verdict::Pass, 0.75), ("80%", Verdict::Inconclusive, 0.75), ("95%", Verdict::Fail, 0.85)];
    for (at_least, by_value, decides) in table {
        let (within, at_least) = (Duration::from_secs(2), Share::parse(at_least).unwrap());
        let promise = Latency { within, at_least, task: None, during: During::Run };
        let finding = judged(&evidence, Promise::Latency(promise.clone()));
        assert_eq!(finding.judged.by_value, by_value, "{promise:?}");
        let look = Look { evidence: &evidence, finding: &finding, scope: Scope::of(&evidence).unwrap() };
        let chart = latency(&promise, look).unwrap().chart;
        assert!(chart.lines[0].points.iter().all(|point| near(point.1, decides)), "{promise:?}");
        assert!(near(chart.marks[0].1, decides), "{promise:?}: {:?}", chart.marks);
    }
}

#[test]
fn a_share_counts_from_its_parts_start_to_the_first_sample_after_its_end() {
    let total = [(0.0, 100.0), (5.0, 200.0), (10.0, 300.0), (15.0, 400.0), (20.0, 500.0)];
    let bad = [(0.0, 50.0), (5.0, 50.0), (10.0, 60.0), (15.0, 70.0), (20.0, 100.0)];
    let part = Some((4.0, 16.0));
    assert_eq!(so_far(&bad, &total, part, End::Worst), [(10.0, 0.9), (15.0, 0.9), (20.0, 0.75)]);
    let best = so_far(&bad, &total, part, End::Best);
    assert_eq!(best, [(5.0, 1.0), (10.0, 0.95), (15.0, 1.0 - 20.0 / 300.0), (20.0, 0.95)]);
    let whole = [(0.0, 0.5), (5.0, 0.75), (10.0, 0.8), (15.0, 0.825), (20.0, 0.8)];
    for end in [End::Worst, End::Best] {
        assert_eq!(so_far(&bad, &total, None, end), whole);
        assert_eq!(so_far(&[(1.0, 0.0)], &[(1.0, 0.0)], None, end), []);
    }
}
