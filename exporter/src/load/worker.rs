//! A thread that users live on, and who starts and stops them.
//!
//! Load has threads of its own, each with a single-threaded runtime: users never wait for a scrape or a probe
//! that runs on the program's other threads, nor the other way round, and a request stays on one processor.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::schedule::Schedule;
use super::share::Share;
use super::slots::Doing;
use super::user::{Desk, User};
use crate::clock::Moment;
use crate::trial::Think;

/// Time between two looks at the schedule while it changes, and while it does not.
const BUSY_TICK: Duration = Duration::from_millis(5);
const QUIET_TICK: Duration = Duration::from_millis(20);

/// Requests a second that one thread is trusted with: about half of what one can do. Fewer threads are better
/// ones, for each then finds more work whenever it wakes up.
const PER_THREAD: f64 = 30_000.0;

/// A request's time where the target is quick.
const QUICK: f64 = 0.002;

/// How many threads `users` need on `processors`.
pub(super) fn threads(users: usize, think: Think, processors: usize) -> usize {
    let per_second = users as f64 / (think.mean().as_secs_f64() + QUICK);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; saturates")]
    let wanted = (per_second / PER_THREAD).ceil() as usize;
    wanted.clamp(1, processors.max(1))
}

/// What workers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Follow the schedule.
    Run,
    /// Let no request begin; those open may end until then.
    Finish {
        /// The end of draining.
        by: Moment,
    },
}

/// Starts and stops the users of one thread.
pub(super) struct Worker {
    desk: Rc<Desk>,
    schedule: Arc<Schedule>,
    started: Moment,
    share: Share,
    users: JoinSet<()>,
    places: Vec<Place>,
    /// So many places, from the first, are meant to be taken.
    taken: usize,
}

/// A user's place, kept when it leaves.
struct Place {
    task: AbortHandle,
    leave: Rc<Cell<bool>>,
    sent_away: bool,
}

impl Worker {
    /// The worker of `share`'s users; the schedule counts from `started`.
    pub(super) fn new(desk: Rc<Desk>, schedule: Arc<Schedule>, started: Moment, share: Share) -> Self {
        Self { desk, schedule, started, share, users: JoinSet::new(), places: Vec::new(), taken: 0 }
    }

    /// Follows schedule and orders until all users are gone.
    pub(super) async fn run(mut self, mut orders: watch::Receiver<Order>, cancel: CancellationToken) {
        let clock = self.desk.recorder.clock;
        let mut wanted = usize::MAX;
        loop {
            let order = *orders.borrow_and_update();
            let now = clock.now();
            let before = wanted;
            wanted = match order {
                Order::Run => self.schedule.users_wanted(now.since(self.started)),
                Order::Finish { .. } => 0,
            };
            if self.share.index() == 0 {
                self.desk.recorder.metrics.live.want(wanted);
            }
            self.adjust(self.share.of_users(wanted));
            let mut due = now.later_by(if wanted == before { QUIET_TICK } else { BUSY_TICK });
            if let Order::Finish { by } = order {
                if self.users.is_empty() {
                    return;
                }
                due = due.min(by);
                if now >= by {
                    break;
                }
            }
            tokio::select! {
                () = cancel.cancelled() => break,
                changed = orders.changed() => if changed.is_err() { break },
                Some(ended) = self.users.join_next() => self.ended(ended),
                () = tokio::time::sleep_until(clock.instant(due)) => {
                    self.desk.recorder.strain.woke(clock.now().since(due));
                }
            }
            while let Some(ended) = self.users.try_join_next() {
                self.ended(ended);
            }
        }
        self.desk.recorder.metrics.live.want(0);
        // Requests that are open are dropped here, and so counted as drained.
        self.users.shutdown().await;
    }

    #[expect(clippy::unused_self, reason = "called where self is borrowed anyway")]
    fn ended(&self, ended: Result<(), tokio::task::JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            tracing::error!(%error, "a user of the load broke off");
        }
    }

    /// Makes `wanted` users of this thread run.
    fn adjust(&mut self, wanted: usize) {
        while self.taken < wanted && self.take_place(self.taken) {
            self.taken += 1;
        }
        while self.taken > wanted {
            self.taken -= 1;
            self.send_away(self.taken);
        }
    }

    /// Starts the user of a place, or lets one stay that was about to leave.
    fn take_place(&mut self, place: usize) -> bool {
        if let Some(place) = self.places.get_mut(place)
            && !place.task.is_finished()
        {
            // One sent away from its thinking is gone in a moment; a second of its number must wait for that.
            place.leave.set(false);
            return !place.sent_away;
        }
        let leave = Rc::new(Cell::new(false));
        let user = User::new(Rc::clone(&self.desk), self.share.user(place), Rc::clone(&leave));
        let task = self.users.spawn_local(user.live());
        let taken = Place { task, leave, sent_away: false };
        match self.places.get_mut(place) {
            Some(place) => *place = taken,
            None => self.places.push(taken),
        }
        true
    }

    /// Stops the user of a place: at once, or after the request that it has open.
    fn send_away(&mut self, place: usize) {
        let busy = self.desk.recorder.slots.doing(self.share.user(place)) == Doing::Waiting;
        let place = &mut self.places[place];
        place.leave.set(true);
        if !busy {
            place.sent_away = true;
            place.task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_follow_the_load_and_stay_within_the_machine() {
        let think = Think::uniform(Duration::from_secs(1), Duration::from_secs(3)).expect("a range");
        assert_eq!(
            [threads(1_000, think, 2), threads(10_000, think, 2), threads(200_000, think, 8)],
            [1, 1, 4]
        );
        assert_eq!([50, 1_000].map(|users| threads(users, Think::constant(Duration::ZERO), 2)), [1, 2]);
        assert_eq!(threads(0, think, 0), 1);
    }
}
