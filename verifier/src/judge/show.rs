//! Numbers for people. Pure.

use super::Observed;
use crate::slo::{Share, trimmed};

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
/// A hundred times a share is that inexact.
const PERCENT_NOISE: f64 = 1e-12;

/// A number of seconds with as many digits as are worth reading, and more where it would change its side of a limit.
fn kept(value: f64, toward: Toward, limit: f64) -> String {
    if value.is_infinite() {
        return "never".to_owned();
    }
    let few = if value.abs() < 100.0 { 2 } else { 1 };
    let same_side = |text: &String| text.parse().is_ok_and(|shown: f64| (shown <= limit) == (value <= limit));
    let mut texts = (few..UNITS.len()).map(|digits| rounded(value, digits, (toward, NOISE)));
    texts.find(same_side).unwrap_or_else(|| value.to_string())
}

/// A number with so many digits, rounded to one side unless it is off by no more than noise.
fn rounded(value: f64, digits: usize, (toward, noise): (Toward, f64)) -> String {
    let shown: f64 = trimmed(value, digits).parse().unwrap_or(value);
    let further = match toward {
        Toward::Less if shown > value + noise => -UNITS[digits],
        Toward::More if shown < value - noise => UNITS[digits],
        _ => 0.0,
    };
    trimmed(shown + further, digits)
}

/// A share as a percentage, in few digits.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", part_kept(share, 2, None))
}

/// The same of a share that must reach a limit: no text has it on the other side.
pub(crate) fn part(share: f64, limit: Share) -> String {
    format!("{} %", part_kept(share, 2, Some(limit)))
}

/// A share in percent with so many digits, rounded down, and more where it would change its side of a limit that it must
/// reach.
fn part_kept(share: f64, few: usize, limit: Option<Share>) -> String {
    let limit = limit.map_or(f64::NEG_INFINITY, Share::as_f64);
    // Read as a share again, with the one rounding that the limit has.
    let same_side = |text: &String| {
        format!("{text}e-2").parse().is_ok_and(|shown: f64| (shown >= limit) == (share >= limit))
    };
    let percent = share * 100.0;
    let texts = (few..UNITS.len()).map(|digits| rounded(percent, digits, (Toward::Less, PERCENT_NOISE)));
    // The product itself may have been rounded to the limit.
    let exact = [percent, percent.next_down(), percent.next_up()].map(|percent| percent.to_string());
    texts.chain(exact).find(same_side).unwrap_or_else(|| percent.to_string())
}

/// A share as a percentage with its bounds, and the limit that it must reach, if there is one: no text has any of them on
/// the other side of it.
pub(crate) fn share(value: f64, (lower, upper): (f64, f64), limit: Option<Share>) -> Observed {
    let [shown, least, most] = [value, lower, upper].map(|share| part_kept(share, 4, limit));
    let text = if lower.to_bits() == upper.to_bits() {
        format!("{shown} %")
    } else {
        format!("{shown} %  [{least}, {most}]")
    };
    Observed { text, value, lower, upper, unit: "ratio" }
}

/// A share of which only the bounds are known, and the limit that it must reach; its value is the worst one.
pub(crate) fn share_between((lower, upper): (f64, f64), limit: Share) -> Observed {
    let [least, most] = [lower, upper].map(|share| part_kept(share, 4, Some(limit)));
    let text = format!("{least} % to {most} %");
    Observed { text, value: lower, lower, upper, unit: "ratio" }
}

/// A count.
pub(crate) fn count(text: String, value: f64) -> Observed {
    Observed { text, value, lower: value, upper: value, unit: "count" }
}

#[cfg(test)]
mod tests;
