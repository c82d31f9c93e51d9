use proptest::prelude::*;

use super::*;
use crate::verdict::Verdict;

#[test]
fn numbers_are_shown_as_people_read_them() {
    let table =
        [(0.0, "0"), (999.0, "999"), (48_211.0, "48 211"), (1_000_000.0, "1 000 000"), (-1234.0, "-1 234")];
    for (value, text) in table {
        assert_eq!(grouped(value), text);
    }
    assert_eq!((length(3.5), length(f64::INFINITY)), ("3.5 s".to_owned(), "an endless time".to_owned()));
    assert_eq!(share(0.971, (0.949, 0.982), None).text, "97.1 %  [94.9, 98.2]");
    assert_eq!(share(0.971_234_56, (0.949_999_96, 0.982), None).text, "97.1234 %  [94.9999, 98.2]");
    assert_eq!([0.57, 0.999_96, 1.0].map(percent), ["57 %", "99.99 %", "100 %"]);
}

#[test]
fn a_time_is_shown_with_its_bounds() {
    let never = f64::INFINITY;
    let table = [
        (Time::new(5.41, (5.33, 5.49), 30.0), "5.41 s  [5.33, 5.49]", "5.41 s"),
        (Time::new(5.4142, (5.337, 5.4911), 30.0), "5.41 s  [5.33, 5.5]", "5.41 s"),
        (Time::at_most((115.9, 120.91), 130.0), "121 s  [115.9, 121]", "121 s"),
        (Time::at_most((1.0, 1.0), 2.0), "1 s", "1 s"),
        // Exact ones are rounded to the nearest.
        (Time::at_most((1.234, 1.234), 2.0), "1.23 s", "1.23 s"),
        (Time::new(121.04, (120.0, never), 30.0), "121 s  [120, never]", "121 s"),
        (Time::more_than(84.719, 30.0), "more than 84.71 s", "an endless time"),
        (Time::more_than(never, 30.0), "never", "an endless time"),
        // What clocks are inexact by is no reason to round.
        (Time::at_most((29.999_999_9, 31.000_000_1), 40.0), "31 s  [30, 31]", "31 s"),
    ];
    for (time, text, length) in table {
        assert_eq!((time.observed().text.as_str(), time.length().as_str()), (text, length));
    }
}

#[test]
fn no_bound_of_a_time_is_shown_on_the_other_side_of_its_limit() {
    let table = [
        // The upper bound is beyond the limit, or just within it.
        (Time::new(29.92, (29.84, 30.004), 30.0), "29.92 s  [29.84, 30.01]"),
        (Time::new(29.92, (29.84, 29.996), 30.0), "29.92 s  [29.84, 30]"),
        (Time::new(29.92, (29.84, 29.9961), 29.997), "29.92 s  [29.84, 29.997]"),
        // So is the lower one.
        (Time::new(30.05, (30.004, 30.11), 30.0), "30.05 s  [30.004, 30.11]"),
        (Time::at_most((30.0, 30.11), 30.0), "30.11 s  [30, 30.11]"),
        (Time::more_than(30.004, 30.0), "more than 30.004 s"),
        (Time::more_than(120.04, 120.0), "more than 120.04 s"),
        // An exact one.
        (Time::at_most((0.503, 0.503), 0.5), "0.503 s"),
        (Time::at_most((0.4996, 0.4996), 0.5), "0.5 s"),
        (Time::at_most((0.0004, 0.0004), 0.0), "0.0004 s"),
        (Time::at_most((0.0, 0.0), 0.0), "0 s"),
        // By less than digits tell.
        (Time::at_most((30.000_000_000_04, 31.0), 30.0), "31 s  [30.00000000004, 31]"),
    ];
    for (time, text) in table {
        assert_eq!(time.observed().text, text);
    }
}

proptest! {
    #[test]
    fn what_is_shown_of_a_time_says_what_its_verdict_says(
        lower in 0.0..200.0_f64, width in 0.0..2.0_f64, limit in 0..200_000_u32, off in -0.02..0.02_f64
    ) {
        // Often just beside the limit.
        let limit = f64::from(limit) / 1000.0;
        let (beside, upper) = ((limit + off).max(0.0), lower + width);
        for (lower, upper) in [(lower, upper), (beside, beside + width), (beside, beside)] {
            let time = Time::at_most((lower, upper), limit);
            let [least, most, value] = [time.least(), time.most(), time.seconds()]
                .map(|text| text.parse::<f64>().expect("a number"));
            prop_assert!(least <= lower + NOISE && most >= upper - NOISE);
            let shown = Verdict::at_most(least, most, limit);
            prop_assert_eq!(shown, Verdict::at_most(lower, upper, limit));
            prop_assert_eq!(upper <= limit, value <= limit);
        }
    }
}

#[test]
fn no_share_is_shown_on_the_other_side_of_its_limit() {
    let table = [
        ("93%", (0.93, 0.93), "93 %"),
        ("99.9%", (0.998_999_99, 0.998_999_99), "99.8999 %"),
        ("100%", (0.999_999_99, 0.999_999_99), "99.9999 %"),
        // A limit of more digits than are shown.
        ("99.99999%", (0.999_999_95, 0.999_999_95), "99.99999 %"),
        ("99%", (0.95, 0.989_999_99), "95 %  [95, 98.9999]"),
        ("99.99999%", (0.95, 0.999_999_93), "95 %  [95, 99.99999]"),
        // By less than digits tell.
        ("93%", (0.93_f64.next_down(), 0.93_f64.next_down()), "92.99999999999999 %"),
    ];
    for (limit, (lower, upper), text) in table {
        assert_eq!(share(lower, (lower, upper), Share::parse(limit)).text, text);
    }
    let between = share_between((0.57, 0.999_999_93), Share::parse("99.99999%").expect("a share"));
    assert_eq!(between.text, "57 % to 99.99999 %");
}

proptest! {
    #[test]
    fn what_is_shown_of_a_share_says_what_its_verdict_says(
        total in 1..100_000_000_u32, limit in 0..=100_000_u32, off in -3..=3_i32, width in 0.0..0.001_f64
    ) {
        // Beside the limit, by few events or by the last digit of a number.
        let limit = Share::parse(&format!("{}.{:03}%", limit / 1000, limit % 1000)).expect("a share");
        let (total, least) = (f64::from(total), limit.as_f64());
        let good = ((total * least).floor() + f64::from(off)).clamp(0.0, total);
        let read = |text: String| format!("{text}e-2").parse::<f64>().expect("a number");
        let value = read(part_kept(good / total, 4, Some(limit)));
        prop_assert_eq!(value >= least, limit.reached_by(good, total));
        for beside in [good / total, least, least.next_down().max(0.0), least.next_up()] {
            for (lower, upper) in [(beside, beside), (beside, beside + width), (beside - width, beside)] {
                let [low, high] = [lower, upper].map(|share| read(part_kept(share, 4, Some(limit))));
                prop_assert!(low <= lower + PERCENT_NOISE && high <= upper + PERCENT_NOISE);
                prop_assert!(lower - low < 1e-6 && upper - high < 1e-6);
                prop_assert_eq!(Verdict::at_least(low, high, least), Verdict::at_least(lower, upper, least));
            }
        }
    }
}
