//! The phases of a run: a closed list, walked forwards only, and exported as `run_phase`.

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nothing has been done to the target yet: reachability, health, limits, a scrape of the system in order.
    Preflight,
    /// Users are being started.
    Ramp,
    /// All users run, nothing is broken.
    Steady,
    /// Faults are injected, one at a time.
    Experiments,
    /// The load has ended; autoscalers return to their minimum.
    Cooldown,
    /// Writers have stopped; every acknowledged write is read back.
    Audit,
    /// The run is complete.
    Finished,
    /// The run ended early: it was interrupted, or could not go on.
    Aborted,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Phase; 8] = [
        Phase::Preflight,
        Phase::Ramp,
        Phase::Steady,
        Phase::Experiments,
        Phase::Cooldown,
        Phase::Audit,
        Phase::Finished,
        Phase::Aborted,
    ];

    /// The value of the label `phase`.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Preflight => "preflight",
            Phase::Ramp => "ramp",
            Phase::Steady => "steady",
            Phase::Experiments => "experiments",
            Phase::Cooldown => "cooldown",
            Phase::Audit => "audit",
            Phase::Finished => "finished",
            Phase::Aborted => "aborted",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
