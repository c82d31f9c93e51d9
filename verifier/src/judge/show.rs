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
    if value.is_infinite() {
        return "never".to_owned();
    }
    let digits = if value.abs() < 100.0 { 2 } else { 1 };
    trimmed(value, digits)
}

/// How long something lasts.
pub(crate) fn length(value: f64) -> String {
    if value.is_infinite() { "an endless time".to_owned() } else { format!("{} s", seconds(value)) }
}

/// A time in seconds with its bounds. Of one that is not over, only the lower one is known.
pub(crate) fn time(value: f64, lower: f64, upper: f64) -> Observed {
    let text = if lower.is_infinite() {
        "never".to_owned()
    } else if value.is_infinite() {
        format!("more than {} s", seconds(lower))
    } else if lower.to_bits() == upper.to_bits() {
        format!("{} s", seconds(value))
    } else {
        format!("{} s  [{}, {}]", seconds(value), seconds(lower), seconds(upper))
    };
    Observed { text, value, lower, upper, unit: "seconds" }
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
    use super::*;

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
        assert_eq!(time(5.41, 5.33, 5.49).text, "5.41 s  [5.33, 5.49]");
        assert_eq!(time(121.04, 120.0, f64::INFINITY).text, "121 s  [120, never]");
        assert_eq!(time(f64::INFINITY, 84.71, f64::INFINITY).text, "more than 84.71 s");
        assert_eq!(time(f64::INFINITY, f64::INFINITY, f64::INFINITY).text, "never");
        assert_eq!((length(3.5), length(f64::INFINITY)), ("3.5 s".to_owned(), "an endless time".to_owned()));
        assert_eq!(share(0.971, 0.949, 0.982).text, "97.1 %  [94.9, 98.2]");
    }

    #[test]
    fn a_share_is_never_rounded_up_to_its_limit() {
        assert_eq!(share(0.998_999_99, 0.998_999_99, 0.998_999_99).text, "99.8999 %");
    }
}
