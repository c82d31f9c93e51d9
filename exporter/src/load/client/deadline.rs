//! A timer that is cheap to push back.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

/// A point in time that requests must not reach.
///
/// A request that ends in time moves its end only in memory; the runtime's timer, once set, is left to fire
/// early and is then set anew. So a thousand quick requests cost one timer, not a thousand.
pub(in crate::load) struct Deadline {
    sleep: Pin<Box<Sleep>>,
    at: Instant,
}

impl Deadline {
    /// A deadline at `at`.
    pub(in crate::load) fn new(at: Instant) -> Self {
        Self { sleep: Box::pin(sleep_until(at)), at }
    }

    /// Moves it to `at`.
    pub(in crate::load) fn set(&mut self, at: Instant) {
        self.at = at;
        if self.sleep.deadline() > at {
            self.sleep.as_mut().reset(at);
        }
    }

    /// Where it is.
    pub(in crate::load) fn at(&self) -> Instant {
        self.at
    }

    /// Ready once it is reached.
    pub(in crate::load) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if self.sleep.deadline() >= self.at {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(self.at);
        }
    }

    /// Waits until it is reached.
    pub(in crate::load) async fn reached(&mut self) {
        std::future::poll_fn(|cx| self.poll(cx)).await;
    }

    /// The output of `future`, or `None` when the deadline comes first.
    pub(in crate::load) async fn bound<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => self.poll(cx).map(|()| None),
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_fires_at_its_last_place_only() {
        let start = Instant::now();
        let mut deadline = Deadline::new(start + Duration::from_secs(1));
        deadline.set(start + Duration::from_secs(5));
        deadline.reached().await;
        assert_eq!(start.elapsed(), Duration::from_secs(5));

        deadline.set(start + Duration::from_secs(20));
        deadline.set(start + Duration::from_secs(7));
        deadline.reached().await;
        assert_eq!(start.elapsed(), Duration::from_secs(7));
        deadline.reached().await;
        assert_eq!(start.elapsed(), Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_in_time_is_had_and_what_does_not_is_not() {
        let start = Instant::now();
        let mut deadline = Deadline::new(start + Duration::from_secs(1));
        let short = tokio::time::sleep(Duration::from_millis(999));
        assert!(deadline.bound(short).await.is_some());
        let long = tokio::time::sleep(Duration::from_secs(1));
        assert!(deadline.bound(long).await.is_none());
    }
}
