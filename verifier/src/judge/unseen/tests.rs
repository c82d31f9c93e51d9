use super::*;

/// The exporter's bounds.
const BOUNDS: [f64; 8] = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];

/// Outcomes and missed probes between each two scrapes, and how long the stretches lasted that ended there.
type Counts = &'static [(f64, f64, &'static [f64])];
/// When experiments explain an outage that begins.
type Faults = &'static [(f64, f64)];

fn longest(stretches: &[f64]) -> Longest {
    let no_longer = |bound: f64| stretches.iter().filter(|seconds| **seconds <= bound).count() as f64;
    let within = BOUNDS.map(|bound| (bound, no_longer(bound)));
    Longest::of(stretches.len() as f64, stretches.iter().sum(), &within)
}

/// So many seconds from one scrape to the next.
fn steps(length: f64, counts: Counts) -> Vec<Step> {
    let step = |(at, &(known, missed, stretches)): (usize, &(f64, f64, &[f64]))| {
        let from = at as f64 * length;
        Step { from, to: from + length, known, missed, ended: longest(stretches) }
    };
    counts.iter().enumerate().map(step).collect()
}

/// As a stretch is told, to the hundredth of a second: from when to when, and how long at most.
fn rounded(stretch: Stretch) -> [f64; 3] {
    [stretch.from, stretch.to, stretch.most].map(|seconds| (seconds * 100.0).round() / 100.0)
}

#[test]
fn the_longest_of_some_stretches_is_bounded_by_their_sum_and_their_buckets() {
    let table: [(&[f64], f64, f64); 6] = [
        (&[], 0.0, 0.0),
        (&[3.0], 3.0, 3.0),
        (&[90.0], 90.0, 90.0),
        (&[0.25, 0.25, 0.25], 0.25, 0.25),
        (&[0.25, 3.75], 2.0, 4.0),
        (&[0.5, 4.0, 5.0], 3.0 + 1.0 / 6.0, 5.0),
    ];
    for (stretches, least, most) in table {
        let Longest { least: told, most: told_most } = longest(stretches);
        assert!(
            (told - least).abs() < 1e-9 && (told_most - most).abs() < 1e-9,
            "{stretches:?}: {told}, {told_most}"
        );
    }
}

#[test]
fn a_whole_stretch_is_of_missed_probes_without_any_outcome() {
    let stretch = |from, to, missed| Stretch { from, to, missed, most: to - from };
    let table: [(&str, Counts, &[Stretch]); 6] = [
        ("all answered", &[(20.0, 0.0, &[]), (20.0, 0.0, &[])], &[]),
        ("some missed between others", &[(15.0, 5.0, &[]), (15.0, 5.0, &[])], &[]),
        ("a probe that took long", &[(20.0, 0.0, &[]), (0.0, 0.0, &[]), (40.0, 0.0, &[])], &[]),
        (
            "missed",
            &[(20.0, 0.0, &[]), (0.0, 18.0, &[]), (0.0, 20.0, &[]), (15.0, 5.0, &[])],
            &[stretch(1.0, 3.0, 43.0)],
        ),
        (
            "counted when it is over",
            &[(20.0, 0.0, &[]), (0.0, 0.0, &[]), (5.0, 35.0, &[])],
            &[stretch(1.0, 2.0, 35.0)],
        ),
        ("to the end", &[(20.0, 0.0, &[]), (0.0, 20.0, &[])], &[stretch(1.0, 2.0, 20.0)]),
    ];
    for (what, counts, expected) in table {
        assert_eq!(whole(&steps(1.0, counts)), expected, "{what}");
    }
}

/// What it is, three times in seconds, what was counted, and the stretch that may hide too long an outage.
type Case = (&'static str, [f64; 3], Counts, Option<[f64; 3]>);

#[test]
fn a_stretch_that_may_have_lasted_longer_than_an_outage_may_hides_one() {
    const ALL: (f64, f64, &[f64]) = (300.0, 0.0, &[]);
    // The times from probe to probe and from scrape to scrape, and that an outage may last.
    let table: [Case; 8] = [
        ("many short ones", [0.05, 1.0, 0.5], &[(8.0, 12.0, &[0.2; 6]), (20.0, 0.0, &[])], None),
        ("as long as an outage may be", [0.05, 15.0, 0.5], &[(290.0, 10.0, &[0.5]), ALL], None),
        (
            "polls that took a second each, for forty",
            [0.25, 20.0, 10.0],
            &[(70.0, 2.0, &[]), (0.0, 20.0, &[]), (10.0, 18.0, &[40.0]), (80.0, 0.0, &[])],
            Some([17.25, 60.0, 40.0]),
        ),
        (
            "across a scrape, with outcomes on either side",
            [0.05, 1.0, 1.0],
            &[(5.0, 15.0, &[]), (5.0, 15.0, &[1.5]), (20.0, 0.0, &[])],
            Some([0.2, 2.0, 1.5]),
        ),
        (
            "across a scrape, nearly two intervals long",
            [0.05, 15.0, 10.0],
            &[(20.0, 280.0, &[]), (20.0, 280.0, &[28.0]), ALL],
            Some([0.95, 30.0, 28.0]),
        ),
        (
            "within one interval, beside a short one",
            [0.05, 15.0, 5.0],
            &[ALL, (160.0, 140.0, &[0.25, 6.75]), ALL],
            Some([14.95, 30.0, 7.0]),
        ),
        (
            "between the limit's bounds, but too short together",
            [0.05, 15.0, 3.0],
            &[ALL, (240.0, 60.0, &[2.75]), ALL],
            None,
        ),
        ("that was not told", [0.05, 15.0, 10.0], &[ALL, (0.0, 300.0, &[]), ALL], Some([15.0, 30.0, 15.0])),
    ];
    for (what, [interval, length, limit], counts, expected) in table {
        let found = hiding(&steps(length, counts), interval, f64::INFINITY, limit, &[]);
        assert_eq!(found.map(rounded), expected, "{what}");
    }
}

#[test]
fn a_stretch_is_explained_by_a_fault_in_which_it_began_and_ended() {
    // From 31 s to 47 s, scraped every five seconds.
    const ALL: (f64, f64, &[f64]) = (100.0, 0.0, &[]);
    const NONE: (f64, f64, &[f64]) = (0.0, 100.0, &[]);
    const AWAY: Counts =
        &[ALL, ALL, ALL, ALL, ALL, ALL, (20.0, 80.0, &[]), NONE, NONE, (60.0, 40.0, &[16.0]), ALL];
    let table: [(&str, Faults, bool); 6] = [
        ("nothing broken", &[], true),
        ("within it", &[(30.0, 90.0)], false),
        ("begun with it", &[(31.0, 90.0)], false),
        ("begun before it", &[(34.0, 90.0)], true),
        ("ended after it", &[(20.0, 46.0)], true),
        ("in two of them", &[(20.0, 40.0), (41.0, 90.0)], true),
    ];
    for (what, faults, hides) in table {
        let found = hiding(&steps(5.0, AWAY), 0.05, f64::INFINITY, 5.0, faults);
        assert_eq!(found.is_some(), hides, "{what}: {found:?}");
    }
}

#[test]
fn a_stretch_that_has_not_ended_with_the_run_lasts_until_then() {
    const ALL: (f64, f64, &[f64]) = (100.0, 0.0, &[]);
    const AWAY: Counts = &[ALL, (20.0, 80.0, &[]), (0.0, 100.0, &[])];
    const POLLS: Counts = &[(20.0, 0.0, &[]), (0.0, 5.0, &[]), (0.0, 5.0, &[])];
    const AFTER: Counts = &[ALL, ALL, (20.0, 80.0, &[4.0])];
    // The time from probe to probe, the run's end, and the time that an outage may last.
    let table: [Case; 5] = [
        ("when the record ends", [0.05, f64::INFINITY, 5.0], AWAY, Some([6.0, 15.0, 9.0])),
        ("when the run does", [0.05, 14.0, 5.0], AWAY, Some([6.0, 14.0, 8.0])),
        ("no longer than an outage may", [0.05, 9.0, 5.0], AWAY, None),
        ("polls that took a second each", [0.25, f64::INFINITY, 5.0], POLLS, Some([5.0, 15.0, 10.0])),
        ("begun after the run", [0.05, 9.0, 1.0], AFTER, None),
    ];
    for (what, [interval, end, limit], counts, expected) in table {
        let found = hiding(&steps(5.0, counts), interval, end, limit, &[]);
        assert_eq!(found.map(rounded), expected, "{what}");
    }
}

#[test]
fn a_stretch_that_outlasts_a_recovery_and_began_before_it_was_final_may_hide_a_relapse() {
    // From 16 s to 44 s, scraped every fifteen seconds.
    const ALL: (f64, f64, &[f64]) = (300.0, 0.0, &[]);
    const AWAY: Counts = &[ALL, (20.0, 280.0, &[]), (20.0, 280.0, &[28.0]), ALL];
    const SHORT: Counts = &[ALL, ALL, (260.0, 40.0, &[2.0]), ALL];
    const UNTOLD: Counts = &[ALL, (0.0, 300.0, &[]), (0.0, 300.0, &[]), ALL];
    let final_at = |due| Settled { injected: 10.0, due, told: due + 5.0 };
    let table = [
        ("it goes on after it", AWAY, 5.5, 45.5, Some([15.95, 45.0, 28.0])),
        ("nobody tells of its end", UNTOLD, 5.5, 45.5, Some([15.0, 45.0, 30.0])),
        ("nobody tells of its end, and the recovery came after it", UNTOLD, 34.0, 74.0, None),
        ("the recovery came after it", AWAY, 34.0, 74.0, None),
        ("the recovery came while it may have ended", AWAY, 19.5, 49.5, None),
        ("no recovery", AWAY, f64::INFINITY, 45.5, None),
        ("final before it began", AWAY, 2.0, 14.0, None),
        ("too short to hide an outage, as may be", SHORT, 5.5, 45.5, None),
    ];
    for (what, counts, upper, due, expected) in table {
        let found = later(&steps(15.0, counts), 0.05, final_at(due), upper);
        assert_eq!(found.map(rounded), expected, "{what}");
    }
}
