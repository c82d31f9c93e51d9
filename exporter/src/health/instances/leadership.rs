//! Who takes writes, since when, and whether two ever did (pure).
//!
//! An instance is a writer while its last write was taken within the last second. The leader is the sole
//! writer; another becomes it, from the first write that it took, once it alone is one.
//!
//! Split brain needs three writes: `A` acknowledges, `B` acknowledges one begun after that, and `A` one begun
//! after `B`'s acknowledgement. It runs from `B`'s acknowledgement to `A`'s last. An instance that was seen not
//! to take a write (refused, down, gone just after it had answered) has stopped: what it takes later is a new
//! beginning, so a handover and its return are no split brain.

use std::time::Duration;

use crate::clock::Moment;

/// A write taken longer ago than this says nothing about now.
const FRESH: Duration = Duration::from_secs(1);

/// What is known of an instance since its last attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::health) enum Event {
    /// Its path is open: a write is on its way.
    Open,
    /// It took the write begun then.
    Taken { begun: Moment },
    /// It said no, or went away.
    Refused,
    /// Nobody listens.
    Down,
    /// Nothing runs by its name where it is looked for.
    Gone,
    /// An earlier one of its name runs still, and cannot be reached.
    Predecessor,
    /// It cannot be observed.
    NoPath,
}

/// How an instance was last met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Met {
    /// Not at all since it was last out of sight, where it may run on though something else has its name.
    #[default]
    Never,
    /// It answered, if only that it is down, or runs still though it had been seen to go.
    Answering,
    /// It was gone just after it had answered, and nothing has answered by its name since.
    SeenToGo,
}

#[derive(Debug, Clone, Copy, Default)]
struct Instance {
    observed: bool,
    met: Met,
    /// First and last acknowledgement since it was last seen not to take writes.
    run: Option<(Moment, Moment)>,
}

impl Met {
    fn then(self, event: Event) -> Self {
        match (event, self) {
            (Event::Taken { .. } | Event::Refused | Event::Down, _)
            | (Event::Predecessor, Self::SeenToGo) => Self::Answering,
            (Event::Open | Event::Predecessor, before) => before,
            (Event::Gone, Self::Answering) | (Event::Gone | Event::NoPath, Self::SeenToGo) => Self::SeenToGo,
            (Event::Gone | Event::NoPath, _) => Self::Never,
        }
    }
}

/// What one instance, `A`, has seen of another, `B`.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Earliest acknowledgement of `B` for a write begun after one of `A`'s.
    armed: Option<Moment>,
    /// `B` was seen to stop since.
    stopped: bool,
    /// Both take writes: counted already.
    split: bool,
}

/// The instances of one store.
#[derive(Debug)]
pub(in crate::health) struct Leadership {
    instances: Vec<Instance>,
    /// `seen[a][b]`.
    seen: Vec<Vec<Seen>>,
    leader: Option<(usize, Moment)>,
    changes: u64,
    overlaps: Vec<(Moment, Moment)>,
    observed: Duration,
    ticked: Option<Moment>,
}

impl Leadership {
    pub(in crate::health) fn new(instances: usize) -> Self {
        Self {
            instances: vec![Instance::default(); instances],
            seen: vec![vec![Seen::default(); instances]; instances],
            leader: None,
            changes: 0,
            overlaps: Vec::new(),
            observed: Duration::ZERO,
            ticked: None,
        }
    }

    /// Takes what happened to `instance` at `now`.
    pub(in crate::health) fn event(&mut self, instance: usize, event: Event, now: Moment) {
        let met = self.instances[instance].met.then(event);
        let unseen = match event {
            Event::NoPath | Event::Predecessor => true,
            Event::Gone => met == Met::Never,
            Event::Open | Event::Taken { .. } | Event::Refused | Event::Down => false,
        };
        self.instances[instance] = Instance { observed: !unseen, met, ..self.instances[instance] };
        match event {
            Event::Taken { begun } => self.taken(instance, begun, now),
            Event::Refused | Event::Down | Event::Gone if !unseen => self.stopped(instance),
            _ => {}
        }
        self.find_leader(now);
    }

    /// Counts the time since the tick before as observed if every instance is; to be called several times a
    /// second.
    pub(in crate::health) fn tick(&mut self, now: Moment) {
        let passed = self.ticked.replace(now).map_or(Duration::ZERO, |before| now.since(before));
        let all = self.instances.iter().all(|instance| instance.observed);
        // A longer stretch is one in which we did not run.
        if all && passed <= FRESH {
            self.observed += passed;
        }
        self.find_leader(now);
    }

    /// Instances that took a write just now.
    pub(in crate::health) fn writers(&self, now: Moment) -> usize {
        self.instances.iter().filter(|instance| fresh(instance, now)).count()
    }

    /// The first write taken by the present leader.
    pub(in crate::health) fn leader_since(&self) -> Option<Moment> {
        self.leader.map(|(_, since)| since)
    }

    /// Which instance leads.
    pub(in crate::health) fn leader(&self) -> Option<usize> {
        self.leader.map(|(leader, _)| leader)
    }

    /// Times that another instance took over.
    pub(in crate::health) fn changes(&self) -> u64 {
        self.changes
    }

    /// Time in which two instances took writes.
    pub(in crate::health) fn split_brain(&self) -> Duration {
        self.overlaps.iter().map(|&(from, to)| to.since(from)).sum()
    }

    /// Time in which every instance was observed.
    pub(in crate::health) fn observed(&self) -> Duration {
        self.observed
    }

    fn taken(&mut self, x: usize, begun: Moment, now: Moment) {
        for y in (0..self.instances.len()).filter(|&y| y != x) {
            self.close_triple(x, y, begun, now);
            let run = self.instances[y].run;
            let seen = &mut self.seen[y][x];
            if seen.armed.is_none() && run.is_some_and(|(first, _)| begun >= first) {
                *seen = Seen { armed: Some(now), stopped: false, split: false };
            }
        }
        let (first, _) = self.instances[x].run.unwrap_or((now, now));
        self.instances[x].run = Some((first, now));
    }

    /// `x` acknowledges a write; if it is the third of a triple, the two overlap.
    fn close_triple(&mut self, x: usize, y: usize, begun: Moment, now: Moment) {
        let seen = self.seen[x][y];
        let Some(armed) = seen.armed.filter(|&armed| begun >= armed) else { return };
        // While both go on, the overlap reaches to the last acknowledgement of the one that stops first.
        let until = match self.instances[y].run {
            Some((_, last)) if seen.split => now.min(last),
            _ => now,
        };
        self.overlap(armed, until);
        if seen.stopped {
            self.seen[x][y] = Seen::default();
        } else {
            self.seen[x][y].split = true;
            self.seen[y][x].split = true;
        }
    }

    fn stopped(&mut self, x: usize) {
        self.instances[x].run = None;
        for y in (0..self.instances.len()).filter(|&y| y != x) {
            self.seen[x][y] = Seen::default();
            let seen = &mut self.seen[y][x];
            if seen.split || seen.armed.is_none() {
                *seen = Seen::default();
            } else {
                // A write of y's that is still to come may show that it was a writer all along.
                seen.stopped = true;
            }
        }
    }

    /// Adds an interval to the union of overlaps.
    fn overlap(&mut self, mut from: Moment, mut to: Moment) {
        self.overlaps.retain(|&(other_from, other_to)| {
            let apart = other_to < from || to < other_from;
            if !apart {
                from = from.min(other_from);
                to = to.max(other_to);
            }
            apart
        });
        self.overlaps.push((from, to));
    }

    fn find_leader(&mut self, now: Moment) {
        let mut writers = (0..self.instances.len()).filter(|&n| fresh(&self.instances[n], now));
        let (Some(sole), None) = (writers.next(), writers.next()) else { return };
        let Some((since, _)) = self.instances[sole].run else { return };
        match self.leader {
            Some((leader, _)) if leader == sole => return,
            Some(_) => self.changes += 1,
            None => {}
        }
        self.leader = Some((sole, since));
    }
}

fn fresh(instance: &Instance, now: Moment) -> bool {
    instance.run.is_some_and(|(_, last)| now.since(last) <= FRESH)
}
