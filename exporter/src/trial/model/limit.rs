//! When failures end a run.

use std::time::Duration;

use super::Nonsense;
use super::nonsense::lasting;

/// A share of failed requests, of those that ended within a time, at which a run is aborted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorLimit {
    share: f64,
    window: Duration,
}

impl ErrorLimit {
    /// A share above 0, at most 1, over a time that is not zero.
    pub fn new(share: f64, window: Duration) -> Result<Self, Nonsense> {
        let window = lasting(window)?;
        if share > 0.0 && share <= 1.0 { Ok(Self { share, window }) } else { Err(Nonsense::Share) }
    }

    /// The share.
    pub fn share(self) -> f64 {
        self.share
    }

    /// The time.
    pub fn window(self) -> Duration {
        self.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused() {
        let second = Duration::from_secs(1);
        for share in [0.0, -0.1, 1.01, f64::NAN] {
            assert_eq!(ErrorLimit::new(share, second), Err(Nonsense::Share), "{share}");
        }
        assert_eq!(ErrorLimit::new(0.5, Duration::ZERO), Err(Nonsense::NoTime));
        assert!(ErrorLimit::new(1.0, second).is_ok());
    }
}
