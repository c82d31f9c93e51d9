//! Ends a run in which too many requests fail.

use std::time::Duration;

use super::limit::Tracker;
use super::{Conductor, Phase, Stopped};

/// Time between two looks at the counts.
const LOOK: Duration = Duration::from_millis(500);

impl Conductor {
    /// Returns once the trial's abort limit is reached while users are to run, which may be never.
    pub(super) fn watchdog(&self) -> impl Future<Output = Stopped> + use<> {
        let (limit, clock, board) = (self.trial.load.abort_when, self.clock, self.board.clone());
        let mut running = self.running.subscribe();
        async move {
            let Some(limit) = limit else { return std::future::pending().await };
            let begun = running.wait_for(Option::is_some).await.ok().and_then(|load| load.clone());
            let Some(load) = begun else { return std::future::pending().await };
            let mut tracker = Tracker::new(limit);
            loop {
                // What is cut at the load's end has failed too, but by our own hand.
                if board.shown().phase >= Phase::Cooldown {
                    return std::future::pending().await;
                }
                if let Some(exceeded) = tracker.look(clock.now(), load.counts()) {
                    let (ended, failed) = (exceeded.ended, exceeded.failed);
                    return Stopped::Errors { ended, failed, window: limit.window() };
                }
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}
