//! How long a request may still wait.

use std::time::Duration;

/// A request's right to wait: when it came, and for how long it may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    started: tokio::time::Instant,
    budget: Duration,
}

impl Deadline {
    /// A deadline `budget` from now.
    pub(crate) fn after(budget: Duration) -> Self {
        Self { started: tokio::time::Instant::now(), budget }
    }

    /// Time since the request came.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How long the request may take in all.
    pub(crate) fn budget(&self) -> Duration {
        self.budget
    }

    /// `limit`, cut to what is left.
    pub(crate) fn cut(&self, limit: Duration) -> Duration {
        limit.min(self.budget.saturating_sub(self.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_limit_never_exceeds_what_is_left_of_the_budget() {
        let (limit, deadline) = (Duration::from_secs(2), Deadline::after(Duration::from_secs(12)));
        assert_eq!(deadline.cut(limit), limit);
        tokio::time::advance(Duration::from_millis(11_500)).await;
        assert_eq!(deadline.cut(limit), Duration::from_millis(500));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(deadline.cut(limit), Duration::ZERO);
    }
}
