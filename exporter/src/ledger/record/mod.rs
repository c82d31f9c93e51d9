//! The record of every write: what was attempted, when, and how it ended.
//!
//! Pure, apart from [`log`], which puts the record on disk before a write is sent.

mod book;
pub mod line;
pub mod log;

pub use book::{Book, Ended, WriteCounts};

use crate::clock::{Clock, Moment};

/// A point in time that outlives the process: microseconds since the Unix epoch, on the run's clock.
///
/// The record is read again by a process that was started after a crash, so it cannot hold [`Moment`]s, which
/// count from the start of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp(pub u64);

impl Stamp {
    /// `moment` of `clock`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a Unix time in microseconds is positive and fits for 500 000 years"
    )]
    pub fn of(clock: &Clock, moment: Moment) -> Self {
        Self((clock.unix_seconds(moment) * 1e6).round() as u64)
    }

    /// Seconds since the Unix epoch.
    pub fn unix_seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Seconds from `earlier` to `self`, 0 when `earlier` is later.
    pub fn seconds_since(self, earlier: Stamp) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / 1e6
    }
}

/// Which write of a run. A worker numbers its writes from 0 and never uses a number twice: a second attempt
/// is another write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId {
    /// The writer.
    pub worker: u32,
    /// The writer's count.
    pub seq: u64,
}

/// How a write ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The store said yes, at the tier asked for: it must be there for ever.
    Acked,
    /// The store definitely said no, or was never sent the write: it must never be there.
    Refused,
    /// Nobody can know: it may be there or not.
    Indeterminate,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 3] = [Self::Acked, Self::Refused, Self::Indeterminate];

    /// The value of the label `outcome`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Acked => "acked",
            Self::Refused => "refused",
            Self::Indeterminate => "indeterminate",
        }
    }
}

/// What a write stores under its id, and the checksum stored beside it.
///
/// The payload follows from the id, so that a value found under another's id is as wrong as a damaged one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The text.
    pub text: String,
    /// CRC-32 of run, id and text.
    pub crc: u32,
}

impl Payload {
    /// The payload of `id` in `run`.
    pub fn of(run: &str, id: WriteId) -> Self {
        let seed = crc32fast::hash(format!("{run}/{}/{}", id.worker, id.seq).as_bytes());
        // Spread by a multiplicative hash, so that neighbours share no long run of bytes.
        let spread = u64::from(seed).wrapping_add(id.seq).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let text = format!("{spread:016x}{:016x}", spread.rotate_left(29) ^ u64::from(id.worker));
        let crc = Self::checksum(run, id, &text);
        Self { text, crc }
    }

    /// Whether `text` and `crc`, read back, are what the write of `id` stored.
    pub fn is_intact(run: &str, id: WriteId, text: &str, crc: u32) -> bool {
        let expected = Self::of(run, id);
        expected.text == text && expected.crc == crc
    }

    fn checksum(run: &str, id: WriteId, text: &str) -> u32 {
        crc32fast::hash(format!("{run}/{}/{}/{text}", id.worker, id.seq).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_intact_only_under_its_own_id_and_run() {
        let id = WriteId { worker: 2, seq: 40 };
        let Payload { text, crc } = Payload::of("run-1", id);
        assert!(Payload::is_intact("run-1", id, &text, crc));
        assert!(!Payload::is_intact("run-2", id, &text, crc));
        assert!(!Payload::is_intact("run-1", WriteId { seq: 41, ..id }, &text, crc));
        assert!(!Payload::is_intact("run-1", id, &text, crc ^ 1));
        assert!(!Payload::is_intact("run-1", id, &text[1..], crc));
    }

    #[tokio::test]
    async fn a_stamp_keeps_differences_to_the_microsecond() {
        let clock = Clock::start();
        let at = Stamp::of(&clock, Moment::from_secs_f64(100.0));
        let later = Stamp::of(&clock, Moment::from_secs_f64(107.250_001));
        assert!((later.seconds_since(at) - 7.250_001).abs() < 2e-6);
        assert!((at.seconds_since(later)).abs() < f64::EPSILON);
    }
}
