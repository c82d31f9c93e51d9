mod hangs;
mod made;
mod model;
mod pauses;
mod polls;
mod recovery;
mod table;
mod unseen;

use std::time::Duration;

use super::{Outcome, Probe, Tracker};
use crate::clock::Moment;

const INTERVAL: Duration = Duration::from_millis(50);
const TIMEOUT: Duration = Duration::from_secs(1);

fn at(milliseconds: u64) -> Moment {
    Moment(Duration::from_millis(milliseconds))
}

fn probe(start: u64, took: u64, outcome: Outcome) -> Probe {
    Probe { start: at(start), end: at(start + took), outcome }
}

/// A tracker fed with one probe each 50 ms from 0 to `until` (ms): `outcome` says how long it takes and how it
/// ends.
fn fed(until: u64, outcome: impl Fn(u64) -> (u64, Outcome)) -> Tracker {
    let mut tracker = Tracker::new(INTERVAL, TIMEOUT);
    for start in (0..until).step_by(50) {
        let (took, outcome) = outcome(start);
        tracker.record(probe(start, took, outcome));
    }
    tracker
}

/// Good in 10 ms, except refused in 1 ms between `from` and `to` (ms).
fn refused_between(from: u64, to: u64) -> impl Fn(u64) -> (u64, Outcome) {
    move |start| if (from..to).contains(&start) { (1, Outcome::Refused) } else { (10, Outcome::Good) }
}
