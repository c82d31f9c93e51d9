//! Looks at the load from outside while users run: saturation, the rate of late, the end of the ramp.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::record::Recorder;
use super::saturation::{Lack, Saturation};
use super::schedule::Schedule;
use super::share::Share;
use crate::clock::Moment;

/// Time between two looks at the generator's own state.
const WATCH_EVERY: Duration = Duration::from_millis(250);

/// The rate of requests is that of so many looks: 5 s.
const RECENT_LOOKS: usize = 20;

/// Requests ended so far, at some moments of the last 5 s.
pub(super) type Recent = Arc<Mutex<VecDeque<(Moment, u64)>>>;

/// Looks at the generator's own state while users run.
pub(super) struct Watcher {
    pub(super) recorder: Arc<Recorder>,
    pub(super) schedule: Arc<Schedule>,
    pub(super) share: Share,
    pub(super) started: Moment,
    pub(super) recent: Recent,
    /// Set to true once.
    pub(super) is_ramped: watch::Sender<bool>,
}

impl Watcher {
    /// Looks until the load has ended.
    pub(super) async fn run(self, ended: CancellationToken) {
        let clock = self.recorder.clock;
        let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get) as f64;
        let mut saturation = Saturation::new(self.started);
        let (mut before, mut cpu_before) = (self.started, cpu_time());
        let mut next = self.started;
        loop {
            next = next.later_by(WATCH_EVERY).max(clock.now());
            tokio::select! {
                () = ended.cancelled() => return,
                () = tokio::time::sleep_until(clock.instant(next)) => {}
            }
            let (now, cpu) = (clock.now(), cpu_time());
            let mut seen = self.recorder.strain.take();
            let possible = now.secs_since(before).max(f64::EPSILON) * processors;
            seen.cpu_share = cpu.saturating_sub(cpu_before).as_secs_f64() / possible;
            (before, cpu_before) = (now, cpu);
            for (lack, time) in Lack::ALL.into_iter().zip(saturation.look(now, &seen)) {
                self.recorder.metrics.saturated[lack as usize].inc_by(time.as_secs_f64());
            }
            self.note(now);
        }
    }

    fn note(&self, now: Moment) {
        let (ok, error) = self.recorder.totals();
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_back((now, ok + error));
        if recent.len() > RECENT_LOOKS {
            recent.pop_front();
        }
        drop(recent);
        let elapsed = now.since(self.started);
        let running = self.recorder.metrics.live.settle(now).running;
        let wanted = self.share.of_users(self.schedule.users_wanted(elapsed));
        let full = elapsed >= self.schedule.fully_ramped_at() && running >= wanted;
        if full || elapsed >= self.schedule.duration() {
            self.is_ramped.send_if_modified(|ramped| !std::mem::replace(ramped, true));
        }
    }
}

/// Processor time of this process so far.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}
