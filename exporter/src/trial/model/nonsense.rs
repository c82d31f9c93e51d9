//! What the types of a trial refuse to hold.

use std::time::Duration;

/// Why a value cannot be part of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Nonsense {
    /// A list that must have an entry has none.
    #[error("a list without an entry")]
    Empty,
    /// A rate of nothing, or of more than can be counted.
    #[error("a rate that is not a finite number above 0")]
    Rate,
    /// A time in which nothing can happen.
    #[error("a duration of 0")]
    NoTime,
    /// A range whose end is before its beginning.
    #[error("a range that ends before it begins")]
    Backwards,
    /// Histogram bounds out of order.
    #[error("bucket bounds that do not increase from above 0")]
    Buckets,
    /// A share of nothing, or of more than all.
    #[error("a share that is not above 0 and at most 1")]
    Share,
    /// A reference to something that is not there.
    #[error("a reference beyond the end of the list")]
    Dangling,
}

/// `duration`, unless it is zero.
pub(super) fn lasting(duration: Duration) -> Result<Duration, Nonsense> {
    if duration.is_zero() { Err(Nonsense::NoTime) } else { Ok(duration) }
}
