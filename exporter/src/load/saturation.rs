//! When the generator itself cannot keep up. Pure, but for the counters that users add to.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Moment;
use crate::errors::OwnLack;

/// A wake-up later than this is late.
pub(super) const LATE: Duration = Duration::from_millis(50);

/// What the generator lacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    /// Wake-ups were late.
    Lag = 0,
    /// Local ports.
    Ports = 1,
    /// File descriptors.
    Descriptors = 2,
    /// Processor time.
    Cpu = 3,
}

impl Lack {
    /// All of them, by number.
    pub(super) const ALL: [Lack; 4] = [Self::Lag, Self::Ports, Self::Descriptors, Self::Cpu];

    /// The value of the label `cause`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Lag => "lag",
            Self::Ports => "ports",
            Self::Descriptors => "descriptors",
            Self::Cpu => "cpu",
        }
    }
}

/// What happened since the last look, added up by users and workers.
#[derive(Debug, Default)]
pub(super) struct Strain {
    wakeups: AtomicU64,
    late: AtomicU64,
    latest_nanos: AtomicU64,
    ports: AtomicBool,
    descriptors: AtomicBool,
}

impl Strain {
    /// A wake-up came `late` after it was due.
    pub(super) fn woke(&self, late: Duration) {
        self.wakeups.fetch_add(1, Ordering::Relaxed);
        if late > LATE {
            self.late.fetch_add(1, Ordering::Relaxed);
            let nanos = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
            self.latest_nanos.fetch_max(nanos, Ordering::Relaxed);
        }
    }

    /// A connection could not be opened for want of something of our own.
    pub(super) fn lacked(&self, limit: OwnLack) {
        match limit {
            OwnLack::Ports => self.ports.store(true, Ordering::Relaxed),
            OwnLack::Descriptors => self.descriptors.store(true, Ordering::Relaxed),
        }
    }

    /// Takes what came together since the last call.
    pub(super) fn take(&self) -> Seen {
        Seen {
            wakeups: self.wakeups.swap(0, Ordering::Relaxed),
            late: self.late.swap(0, Ordering::Relaxed),
            latest: Duration::from_nanos(self.latest_nanos.swap(0, Ordering::Relaxed)),
            ports: self.ports.swap(false, Ordering::Relaxed),
            descriptors: self.descriptors.swap(false, Ordering::Relaxed),
            cpu_share: 0.0,
        }
    }
}

/// One look at the generator.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// Wake-ups of users and workers.
    pub(super) wakeups: u64,
    /// Those later than [`LATE`].
    pub(super) late: u64,
    /// The latest.
    pub(super) latest: Duration,
    /// Whether ports ran out.
    pub(super) ports: bool,
    /// Whether descriptors ran out.
    pub(super) descriptors: bool,
    /// Processor time of this process over that of all processors it may use.
    pub(super) cpu_share: f64,
}

/// Turns looks into saturated time.
#[derive(Debug, Clone)]
pub(super) struct Saturation {
    looked: Moment,
    charged: [Moment; 4],
}

impl Saturation {
    /// Begins at `now`.
    pub(super) fn new(now: Moment) -> Self {
        Self { looked: now, charged: [now; 4] }
    }

    /// The time to add to each cause, by number, after a look at `now`.
    ///
    /// Lag: more than 1 % of the wake-ups were late, so the 99th percentile is over the bound. What woke
    /// late was late since it was due, hence the time reaches back that far, but is never counted twice.
    pub(super) fn look(&mut self, now: Moment, seen: &Seen) -> [Duration; 4] {
        let lags = seen.late * 100 > seen.wakeups;
        let holds = [lags, seen.ports, seen.descriptors, seen.cpu_share > 0.95];
        let mut add = [Duration::ZERO; 4];
        for lack in Lack::ALL {
            let charged = &mut self.charged[lack as usize];
            if holds[lack as usize] {
                let due = if lack == Lack::Lag { now.earlier_by(seen.latest) } else { now };
                let since = due.min(self.looked).max(*charged);
                add[lack as usize] = now.since(since);
                *charged = now;
            }
        }
        self.looked = now;
        add
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment(Duration::from_millis(millis))
    }

    fn lag(saturation: &mut Saturation, now: u64, wakeups: u64, late: u64, latest: u64) -> u128 {
        let seen = Seen { wakeups, late, latest: Duration::from_millis(latest), ..Seen::default() };
        saturation.look(at(now), &seen)[Lack::Lag as usize].as_millis()
    }

    #[test]
    fn lag_counts_when_more_than_one_wakeup_in_a_hundred_is_late() {
        let mut saturation = Saturation::new(at(0));
        assert_eq!(lag(&mut saturation, 1_000, 1_000, 0, 0), 0);
        assert_eq!(lag(&mut saturation, 2_000, 1_000, 10, 60), 0);
        assert_eq!(lag(&mut saturation, 3_000, 1_000, 11, 60), 1_000);
        assert_eq!(lag(&mut saturation, 4_000, 0, 0, 0), 0);
    }

    #[test]
    fn lag_reaches_back_to_when_the_latest_was_due_but_is_counted_once() {
        let mut saturation = Saturation::new(at(0));
        assert_eq!(lag(&mut saturation, 1_000, 100, 0, 0), 0);
        // Frozen for 5 s: the looks in between never came or saw nothing.
        assert_eq!(lag(&mut saturation, 6_500, 10, 10, 5_000), 5_500);
        assert_eq!(lag(&mut saturation, 7_000, 10, 10, 5_000), 500);
        assert_eq!(lag(&mut saturation, 8_000, 10, 10, 900), 1_000);
    }

    #[test]
    fn a_want_of_ports_descriptors_or_processors_counts_the_time_since_the_last_look() {
        let mut saturation = Saturation::new(at(0));
        let seen = Seen { ports: true, cpu_share: 0.96, ..Seen::default() };
        let add = saturation.look(at(250), &seen).map(|d| d.as_millis());
        assert_eq!(add, [0, 250, 0, 250]);
        let seen = Seen { descriptors: true, cpu_share: 0.95, ..Seen::default() };
        assert_eq!(saturation.look(at(500), &seen).map(|d| d.as_millis()), [0, 0, 250, 0]);
    }

    #[test]
    fn strain_is_taken_once() {
        let strain = Strain::default();
        strain.woke(Duration::from_millis(51));
        strain.woke(Duration::from_millis(50));
        strain.lacked(OwnLack::Ports);
        let seen = strain.take();
        assert_eq!((seen.wakeups, seen.late, seen.latest.as_millis(), seen.ports), (2, 1, 51, true));
        assert_eq!(strain.take().wakeups, 0);
    }
}
