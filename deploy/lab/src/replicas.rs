//! A workload's replicas: how many, where, and in which order they come and go. Pure: time comes in, steps
//! for the supervisor go out.
//!
//! A dead replica is replaced by a new one with a new id. A drain surges: a replica leaves its machine only
//! when those that stay are enough without it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::layout::Machine;

/// From the wish for a replica to its start, as a scheduler and a kubelet would need.
const SCHEDULING: Duration = Duration::from_secs(1);
/// A replica taken out of the balancer may finish its requests for this long: a little more than the longest
/// that the shop works on one.
const DRAIN: Duration = Duration::from_secs(15);
/// After that it is asked to end, and after this killed.
const GRACE: Duration = Duration::from_secs(5);

/// Number of a replica, never used twice.
pub(crate) type Id = u64;

/// Where a replica is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Wanted since.
    Pending(Duration),
    /// Started at.
    Running(Duration),
    /// Taken out of the balancer at.
    Draining(Duration),
    /// Asked to end at.
    Ending(Duration),
}

/// One replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replica {
    pub(crate) phase: Phase,
    /// Known once started.
    pub(crate) machine: Option<Machine>,
    pub(crate) ready: bool,
    pub(crate) ready_changed: Duration,
    /// Once ready, it is in the balancer, which has its own checks, until it leaves.
    pub(crate) admitted: bool,
    /// Its machine is being drained.
    leaving: bool,
}

impl Replica {
    fn stays(&self) -> bool {
        !self.leaving && matches!(self.phase, Phase::Pending(_) | Phase::Running(_))
    }

    fn serves(&self) -> bool {
        self.ready && matches!(self.phase, Phase::Running(_))
    }
}

/// What the supervisor has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Start(Id, Machine),
    /// Ask it to end (SIGTERM).
    End(Id),
    Kill(Id),
}

/// The workload.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replicas {
    desired: u32,
    last_id: Id,
    drained: BTreeSet<Machine>,
    /// Machines that have not answered for a while get no new replicas.
    unreachable: BTreeSet<Machine>,
    all: BTreeMap<Id, Replica>,
}

impl Replicas {
    pub(crate) fn new(desired: u32) -> Self {
        Self { desired, ..Self::default() }
    }

    pub(crate) fn desired(&self) -> u32 {
        self.desired
    }

    pub(crate) fn scale(&mut self, desired: u32) {
        self.desired = desired;
    }

    pub(crate) fn all(&self) -> &BTreeMap<Id, Replica> {
        &self.all
    }

    /// Replicas that exist to meet the wish.
    pub(crate) fn current(&self) -> usize {
        self.all.values().filter(|replica| replica.stays()).count()
    }

    pub(crate) fn drain(&mut self, machine: Machine) {
        self.drained.insert(machine);
    }

    /// Lets a machine have replicas again. Those that have not left yet stay.
    pub(crate) fn uncordon(&mut self, machine: Machine) {
        self.drained.remove(&machine);
    }

    pub(crate) fn is_drained(&self, machine: Machine) -> bool {
        self.drained.contains(&machine)
    }

    pub(crate) fn set_reachable(&mut self, machine: Machine, reachable: bool) {
        if reachable {
            self.unreachable.remove(&machine)
        } else {
            self.unreachable.insert(machine)
        };
    }

    /// A readiness check's result.
    pub(crate) fn checked(&mut self, id: Id, ready: bool, now: Duration) {
        let Some(replica) = self.all.get_mut(&id) else { return };
        let ready = ready && matches!(replica.phase, Phase::Running(_));
        if replica.ready != ready {
            replica.ready = ready;
            replica.ready_changed = now;
        }
        replica.admitted |= ready;
    }

    /// A replica's process is gone.
    pub(crate) fn exited(&mut self, id: Id) {
        self.all.remove(&id);
    }

    /// Brings the workload nearer to what is wanted. `in_flight` says how many requests a replica works on.
    pub(crate) fn tick(&mut self, now: Duration, in_flight: impl Fn(Id) -> u32) -> Vec<Step> {
        self.mark_leaving();
        self.add_missing(now);
        self.retire_surplus(now);
        self.retire_leaving(now);
        let mut steps = self.end_retired(now, in_flight);
        steps.extend(self.start_pending(now));
        steps
    }

    fn mark_leaving(&mut self) {
        for replica in self.all.values_mut() {
            replica.leaving = replica.machine.is_some_and(|machine| self.drained.contains(&machine));
        }
    }

    fn add_missing(&mut self, now: Duration) {
        for _ in self.current()..self.desired as usize {
            self.last_id += 1;
            let replica = Replica {
                phase: Phase::Pending(now),
                machine: None,
                ready: false,
                ready_changed: now,
                admitted: false,
                leaving: false,
            };
            self.all.insert(self.last_id, replica);
        }
    }

    fn retire_surplus(&mut self, now: Duration) {
        for _ in self.desired as usize..self.current() {
            let crowd = |replica: &Replica| replica.machine.map_or(0, |machine| self.load(machine));
            let staying = self.all.iter().filter(|(_, replica)| replica.stays());
            // First those that serve least: not started, not ready; then from the fullest machine the newest.
            let victim = staying.min_by_key(|(id, replica)| {
                let pending = matches!(replica.phase, Phase::Pending(_));
                (!pending, replica.ready, usize::MAX - crowd(replica), u64::MAX - **id)
            });
            let Some(id) = victim.map(|(id, _)| *id) else { return };
            self.retire(id, now);
        }
    }

    // A leaving replica may go when the others that serve are enough, or when it does not serve anyway.
    fn retire_leaving(&mut self, now: Duration) {
        let leaving: Vec<Id> = self
            .all
            .iter()
            .filter(|(_, replica)| replica.leaving && matches!(replica.phase, Phase::Running(_)))
            .map(|(id, _)| *id)
            .collect();
        for id in leaving {
            let serving = self.all.values().filter(|replica| replica.serves()).count();
            if !self.all[&id].serves() || serving > self.desired as usize {
                self.retire(id, now);
            }
        }
    }

    fn retire(&mut self, id: Id, now: Duration) {
        let Some(replica) = self.all.get_mut(&id) else { return };
        if matches!(replica.phase, Phase::Pending(_)) {
            self.all.remove(&id);
            return;
        }
        replica.phase = Phase::Draining(now);
        if replica.ready {
            replica.ready = false;
            replica.ready_changed = now;
        }
    }

    fn end_retired(&mut self, now: Duration, in_flight: impl Fn(Id) -> u32) -> Vec<Step> {
        let mut steps = Vec::new();
        for (id, replica) in &mut self.all {
            match replica.phase {
                // A moment for the balancer to hear of it, even when nothing is in flight.
                Phase::Draining(since)
                    if now >= since + DRAIN || (now >= since + SCHEDULING && in_flight(*id) == 0) =>
                {
                    replica.phase = Phase::Ending(now);
                    steps.push(Step::End(*id));
                }
                Phase::Ending(since) if now >= since + GRACE => {
                    replica.phase = Phase::Ending(now);
                    steps.push(Step::Kill(*id));
                }
                _ => {}
            }
        }
        steps
    }

    fn start_pending(&mut self, now: Duration) -> Vec<Step> {
        let due =
            |replica: &Replica| matches!(replica.phase, Phase::Pending(since) if now >= since + SCHEDULING);
        let due: Vec<Id> = self.all.iter().filter(|(_, replica)| due(replica)).map(|(id, _)| *id).collect();
        let mut steps = Vec::new();
        for id in due {
            let Some(machine) = self.place() else { break };
            if let Some(replica) = self.all.get_mut(&id) {
                replica.phase = Phase::Running(now);
                replica.machine = Some(machine);
                replica.ready_changed = now;
                steps.push(Step::Start(id, machine));
            }
        }
        steps
    }

    /// The machine for the next replica: the one with the fewest that may have any.
    fn place(&self) -> Option<Machine> {
        let open = |machine: &Machine| !self.drained.contains(machine) && !self.unreachable.contains(machine);
        Machine::ALL.into_iter().filter(open).min_by_key(|machine| (self.load(*machine), *machine))
    }

    /// Replicas on a machine that will stay there.
    fn load(&self, machine: Machine) -> usize {
        self.all.values().filter(|replica| replica.stays() && replica.machine == Some(machine)).count()
    }
}

#[cfg(test)]
mod tests;
