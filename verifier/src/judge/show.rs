//! Numbers for people. Pure.

use super::Observed;
use crate::slo::trimmed;

/// A whole number in groups of three.
pub(crate) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
    let mut text = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// So many of something: `1 outage`, `2 outages`.
pub(crate) fn counted(count: f64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count.total_cmp(&1.0).is_eq() { one } else { many })
}

/// A number of seconds with as many digits as are worth reading.
pub(crate) fn seconds(value: f64) -> String {
    kept(value, Toward::Nearest, f64::INFINITY)
}

/// How long something lasts.
pub(crate) fn length(value: f64) -> String {
    if value.is_infinite() { "an endless time".to_owned() } else { format!("{} s", seconds(value)) }
}

/// A time in seconds with its bounds, and the limit that it must not exceed. The lower bound is rounded down and the
/// upper one up, and no text has any of them on the other side of the limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    value: f64,
    lower: f64,
    upper: f64,
    limit: f64,
}

impl Time {
    /// One with a best guess between its bounds.
    pub(crate) fn new(value: f64, (lower, upper): (f64, f64), limit: f64) -> Self {
        Self { value, lower, upper, limit }
    }

    /// One that is told by its upper bound.
    pub(crate) fn at_most((lower, upper): (f64, f64), limit: f64) -> Self {
        Self::new(upper, (lower, upper), limit)
    }

    /// One that is not over: no more is known than what it was at least.
    pub(crate) fn more_than(lower: f64, limit: f64) -> Self {
        Self::at_most((lower, f64::INFINITY), limit)
    }

    /// The value as a number, without its bounds.
    pub(crate) fn seconds(self) -> String {
        let is = |bound: f64| self.value.total_cmp(&bound).is_eq();
        let toward = match (is(self.lower), is(self.upper)) {
            (true, false) => Toward::Less,
            (false, true) => Toward::More,
            _ => Toward::Nearest,
        };
        kept(self.value, toward, self.limit)
    }

    /// The lower bound as a number.
    pub(crate) fn least(self) -> String {
        kept(self.lower, Toward::Less, self.limit)
    }

    /// The upper bound as a number.
    pub(crate) fn most(self) -> String {
        kept(self.upper, Toward::More, self.limit)
    }

    /// How long it lasts.
    pub(crate) fn length(self) -> String {
        if self.value.is_infinite() { length(self.value) } else { format!("{} s", self.seconds()) }
    }

    /// What is observed. Of a time that is not over, only the lower bound is known.
    pub(crate) fn observed(self) -> Observed {
        let Self { value, lower, upper, .. } = self;
        let text = if lower.is_infinite() {
            "never".to_owned()
        } else if value.is_infinite() {
            format!("more than {} s", self.least())
        } else if lower.to_bits() == upper.to_bits() {
            format!("{} s", self.seconds())
        } else {
            format!("{} s  [{}, {}]", self.seconds(), self.least(), self.most())
        };
        Observed { text, value, lower, upper, unit: "seconds" }
    }
}

/// What a number is rounded to.
#[derive(Debug, Clone, Copy)]
enum Toward {
    Less,
    Nearest,
    More,
}

/// The last digit's weight, by the number of digits behind the point.
const UNITS: [f64; 10] = [1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9];
/// A difference of two clocks is that inexact: Unix seconds fill a number to the quarter of a microsecond.
const NOISE: f64 = 1e-6;

/// A number of seconds with as many digits as are worth reading, and more where it would change its side of a limit.
fn kept(value: f64, toward: Toward, limit: f64) -> String {
    if value.is_infinite() {
        return "never".to_owned();
    }
    let few = if value.abs() < 100.0 { 2 } else { 1 };
    let same_side = |text: &String| text.parse().is_ok_and(|shown: f64| (shown <= limit) == (value <= limit));
    let mut texts = (few..UNITS.len()).map(|digits| rounded(value, digits, toward));
    texts.find(same_side).unwrap_or_else(|| value.to_string())
}

fn rounded(value: f64, digits: usize, toward: Toward) -> String {
    let shown: f64 = trimmed(value, digits).parse().unwrap_or(value);
    let further = match toward {
        Toward::Less if shown > value + NOISE => -UNITS[digits],
        Toward::More if shown < value - NOISE => UNITS[digits],
        _ => 0.0,
    };
    trimmed(shown + further, digits)
}

/// A share as a percentage, in few digits.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", trimmed((share * 1e4).floor() / 1e2, 2))
}

fn bare_percent(share: f64) -> String {
    trimmed((share * 1e6).floor() / 1e4, 4)
}

/// A share as a percentage with its bounds. Digits enough that 99.9 % is not shown for less.
pub(crate) fn share(value: f64, lower: f64, upper: f64) -> Observed {
    let text = if lower.to_bits() == upper.to_bits() {
        format!("{} %", bare_percent(value))
    } else {
        format!("{} %  [{}, {}]", bare_percent(value), bare_percent(lower), bare_percent(upper))
    };
    Observed { text, value, lower, upper, unit: "ratio" }
}

/// A share of which only the bounds are known; its value is the worst one.
pub(crate) fn share_between(lower: f64, upper: f64) -> Observed {
    let text = format!("{} % to {} %", bare_percent(lower), bare_percent(upper));
    Observed { text, value: lower, lower, upper, unit: "ratio" }
}

/// A count.
pub(crate) fn count(text: String, value: f64) -> Observed {
    Observed { text, value, lower: value, upper: value, unit: "count" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verdict::Verdict;

    #[test]
    fn numbers_are_shown_as_people_read_them() {
        let table = [
            (0.0, "0"),
            (999.0, "999"),
            (48_211.0, "48 211"),
            (1_000_000.0, "1 000 000"),
            (-1234.0, "-1 234"),
        ];
        for (value, text) in table {
            assert_eq!(grouped(value), text);
        }
        assert_eq!((length(3.5), length(f64::INFINITY)), ("3.5 s".to_owned(), "an endless time".to_owned()));
        assert_eq!(share(0.971, 0.949, 0.982).text, "97.1 %  [94.9, 98.2]");
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
    fn a_share_is_never_rounded_up_to_its_limit() {
        assert_eq!(share(0.998_999_99, 0.998_999_99, 0.998_999_99).text, "99.8999 %");
    }
}
