//! Values of the objectives' file (pure): shares of a whole and durations, both exact.

use std::fmt;
use std::time::Duration;

/// A share of a whole as a fraction of whole numbers: 99.9 % is 999 of 1000, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    parts: u64,
    of: u64,
}

impl Share {
    /// Reads `99.9%` or a number from 0 to 1 such as `0.999`; at most 9 digits after the point.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (digits, percent) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), true),
            None => (text, false),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty())
            || !plain(whole)
            || !plain(fraction)
            || fraction.len() > 9
        {
            return None;
        }
        let scale = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
        let parts = format!("{whole}{fraction}").parse::<u64>().ok()?;
        let of = if percent { scale * 100 } else { scale };
        (parts <= of).then_some(Self { parts, of })
    }

    /// Whether `part` of `whole` is at least this share. Exact for whole numbers whose products stay under
    /// 2^53, which 10^9 events at 99.999 % do.
    pub(crate) fn reached_by(self, part: f64, whole: f64) -> bool {
        part * self.of as f64 >= whole * self.parts as f64
    }

    /// The share as a number from 0 to 1.
    pub(crate) fn as_f64(self) -> f64 {
        self.parts as f64 / self.of as f64
    }

    /// How much may be bad, as a number from 0 to 1.
    pub(crate) fn allowed_bad(self) -> f64 {
        (self.of - self.parts) as f64 / self.of as f64
    }

    /// Events needed before a share this close to the whole says anything: 3 / (1 - share). No number of them
    /// proves the whole.
    pub(crate) fn events_needed(self) -> f64 {
        let bad = self.of - self.parts;
        if bad == 0 { f64::INFINITY } else { 3_u64.saturating_mul(self.of).div_ceil(bad) as f64 }
    }

    /// The share in percent, as a bare number.
    pub(crate) fn percent(self) -> String {
        trimmed(self.parts as f64 * 100.0 / self.of as f64, 6)
    }

    /// Whether nothing at all may be bad.
    pub(crate) fn is_whole(self) -> bool {
        self.parts == self.of
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.percent())
    }
}

/// A number with at most `digits` after the point and no trailing zeros.
pub(crate) fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Reads `500ms`, `30s`, `2m`, `1h`, `1m30s`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text.contains('.') {
        let seconds = text.strip_suffix('s').filter(|number| !number.ends_with('m'))?;
        return Duration::try_from_secs_f64(seconds.parse().ok()?).ok();
    }
    if text == "0" {
        return Some(Duration::ZERO);
    }
    humantime::parse_duration(text).ok()
}

/// A duration as a person reads it: `500 ms`, `30 s`, `8 min 12 s`.
pub(crate) fn show_duration(duration: Duration) -> String {
    let text = humantime::format_duration(duration).to_string();
    let part = |part: &str| {
        let (number, unit) = part.split_at(part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len()));
        format!("{number} {}", if unit == "m" { "min" } else { unit })
    };
    text.split(' ').map(part).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shares_are_read_exactly() {
        for (text, parts, of) in
            [("99.9%", 999, 1000), ("95 %", 95, 100), ("0.999", 999, 1000), ("100%", 100, 100), ("1", 1, 1)]
        {
            assert_eq!(Share::parse(text), Some(Share { parts, of }), "{text}");
        }
        for text in ["", "%", "101%", "1.1", "-1%", "99,9%", "abc", "1e-3", "99.9 percent"] {
            assert_eq!(Share::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_share_is_reached_exactly_at_its_limit() {
        let share = Share::parse("99.9%").unwrap();
        assert!(share.reached_by(999_000.0, 1_000_000.0));
        assert!(!share.reached_by(998_999.0, 1_000_000.0));
        assert_eq!(share.to_string(), "99.9 %");
        assert_eq!(share.events_needed(), 3000.0);
        assert_eq!(Share::parse("95%").unwrap().events_needed(), 60.0);
        assert_eq!(Share::parse("100%").unwrap().events_needed(), f64::INFINITY);
    }

    #[test]
    fn durations_are_shown_with_their_units_apart() {
        let table =
            [(500, "500 ms"), (30_000, "30 s"), (492_000, "8 min 12 s"), (3_600_000, "1 h"), (0, "0 s")];
        for (millis, text) in table {
            assert_eq!(show_duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        let table = [
            ("500ms", 500),
            ("30s", 30_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1m30s", 90_000),
            ("0.5s", 500),
        ];
        for (text, millis) in table {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "30", "s", "-1s", "0.5m", "fast", "NaNs", "infs"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_percentages_are_reached_as_integer_arithmetic_says(percent in 0_u64..=100, part in 0_u64..1_000_000, rest in 0_u64..1_000_000) {
            let share = Share::parse(&format!("{percent}%")).unwrap();
            let whole = part + rest;
            prop_assert_eq!(share.reached_by(part as f64, whole as f64), part * 100 >= whole * percent);
        }
    }
}
