//! Durations as people write them: `500ms`, `30s`, `1.5s`, `1h30m`.

use std::fmt;
use std::time::Duration;

use super::words::shown;

/// The shortest and the longest duration that a value may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    low: Duration,
    high: Duration,
}

impl Limits {
    /// From `low` to `high` milliseconds.
    pub(super) const fn millis(low: u64, high: u64) -> Self {
        Self { low: Duration::from_millis(low), high: Duration::from_millis(high) }
    }

    /// From `low` to `high` seconds.
    pub(super) const fn secs(low: u64, high: u64) -> Self {
        Self { low: Duration::from_secs(low), high: Duration::from_secs(high) }
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a duration from {} to {}", Written(self.low), Written(self.high))
    }
}

/// A duration as [`parse`] reads it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written(pub(super) Duration);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let units = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
        if millis == 0 {
            return f.write_str("0s");
        }
        let mut rest = millis;
        for (unit, length) in units {
            if rest / length > 0 {
                write!(f, "{}{unit}", rest / length)?;
                rest %= length;
            }
        }
        Ok(())
    }
}

/// Reads one or more numbers with units, each unit smaller than the one before; a bare 0 is a duration too.
pub(super) fn parse(text: &str, limits: Limits) -> Result<Duration, String> {
    let duration = measure(text).ok_or_else(|| {
        format!("{} is not a duration; expected one such as 500ms, 30s, 2m or 1h30m", shown(text))
    })?;
    if (limits.low..=limits.high).contains(&duration) {
        Ok(duration)
    } else {
        Err(format!("{}; expected {limits}", shown(text)))
    }
}

fn measure(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    let mut last = f64::INFINITY;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let unit = rest[number..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - number);
        let length = match &rest[number..number + unit] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        if length >= last {
            return None;
        }
        last = length;
        let seconds = rest[..number].parse::<f64>().ok()? * length;
        total = total.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        rest = &rest[number + unit..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let table = [
            ("500ms", Some(500)),
            ("30s", Some(30_000)),
            ("1.5s", Some(1500)),
            ("2m", Some(120_000)),
            ("1h30m", Some(5_400_000)),
            ("1m30s500ms", Some(90_500)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("", None),
            ("30", None),
            ("s", None),
            ("30 s", None),
            ("-1s", None),
            ("1s1m", None),
            ("1s2s", None),
            ("1..3s", None),
            ("1d", None),
            ("1é", None),
            ("99999999999999999999999h", None),
        ];
        for (text, millis) in table {
            assert_eq!(measure(text), millis.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn limits_are_kept_and_named() {
        let limits = Limits::millis(10, 90_000);
        assert_eq!(parse("10ms", limits), Ok(Duration::from_millis(10)));
        assert_eq!(parse("9ms", limits), Err("`9ms`; expected a duration from 10ms to 1m30s".to_owned()));
        let unit = "`9` is not a duration; expected one such as 500ms, 30s, 2m or 1h30m";
        assert_eq!(parse("9", limits), Err(unit.to_owned()));
    }

    #[test]
    fn what_is_written_reads_back() {
        for millis in [0, 1, 999, 1000, 61_000, 3_600_001] {
            let written = Written(Duration::from_millis(millis)).to_string();
            assert_eq!(measure(&written), Some(Duration::from_millis(millis)), "{written}");
        }
    }
}
