//! One clock for a whole run: monotonic inside, Unix time at the edge.
//!
//! Load, probes, ledger and experiments all stamp events with [`Moment`]s of the same [`Clock`], so any two
//! of them can be subtracted. Unix seconds are derived from one anchor taken at start, hence a step of the
//! machine's wall clock during a run never stretches a recovery time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// A point in time, as the monotonic time since the [`Clock`] was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(pub Duration);

impl Moment {
    /// A moment `seconds` after the clock's origin; negative and non-finite values become the origin.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }

    /// Seconds since the clock's origin.
    pub fn as_secs_f64(self) -> f64 {
        self.0.as_secs_f64()
    }

    /// The time from `earlier` to `self`, zero when `earlier` is later.
    pub fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Seconds from `earlier` to `self`, negative when `earlier` is later.
    pub fn secs_since(self, earlier: Moment) -> f64 {
        self.0.as_secs_f64() - earlier.0.as_secs_f64()
    }

    /// `self` moved back by `by`, not before the clock's origin.
    #[must_use]
    pub fn earlier_by(self, by: Duration) -> Moment {
        Moment(self.0.saturating_sub(by))
    }

    /// `self` moved forward by `by`.
    #[must_use]
    pub fn later_by(self, by: Duration) -> Moment {
        Moment(self.0.saturating_add(by))
    }
}

/// The origin that every [`Moment`] of a run counts from, tied once to Unix time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
    unix_origin: Duration,
}

impl Clock {
    /// Starts a clock now.
    pub fn start() -> Self {
        Self {
            origin: Instant::now(),
            unix_origin: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        Moment(self.origin.elapsed())
    }

    /// The runtime's instant of `moment`, for sleeping until it.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.origin + moment.0
    }

    /// The moment of so many seconds since the Unix epoch; the origin, where that was before it.
    pub fn moment(&self, unix_seconds: f64) -> Moment {
        Moment::from_secs_f64(unix_seconds - self.unix_origin.as_secs_f64())
    }

    /// `moment` in seconds since the Unix epoch.
    pub fn unix_seconds(&self, moment: Moment) -> f64 {
        (self.unix_origin + moment.0).as_secs_f64()
    }
}
