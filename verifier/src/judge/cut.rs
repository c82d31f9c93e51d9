//! Runs that were stopped before their end: which of their failures would have stood all the same. Pure.
//!
//! What is counted one by one, or waited for beyond its limit, was seen whole. A share of a time that was cut
//! short was not: the rest of that time may have made it good.

use crate::evidence::{Lack, PhaseName, Shortfall};
use crate::run::Run;
use crate::slo::{During, Promise, Shape};

/// Why a failure of this promise is not whole, if it is not.
pub(super) fn short(promise: &Promise, run: &Run) -> Option<Shortfall> {
    let stopped = run.stopped_in()?;
    let load = stopped != PhaseName::Cooldown;
    let cut = match promise {
        Promise::Availability(availability) => during(&availability.during, stopped, load),
        Promise::Latency(latency) => during(&latency.during, stopped, load),
        Promise::LoadHeld(_) => load,
        Promise::Scaling(scaling) => match scaling.shape {
            Shape::Up { within: None, .. } => load,
            Shape::Relief { .. } => stopped == PhaseName::Steady,
            Shape::Up { within: Some(_), .. } | Shape::Down { .. } => false,
        },
        Promise::Promql(_) => true,
        Promise::Recovery(_)
        | Promise::Leader(_)
        | Promise::SplitBrain(_)
        | Promise::DataLoss(_)
        | Promise::WrittenPoint(_)
        | Promise::ArchivePoint(_)
        | Promise::Health(_)
        | Promise::Intervention(_)
        | Promise::Alerting(_) => false,
    };
    cut.then(|| Shortfall::new(Lack::CutShort, format!("the run was stopped in `{stopped}`")))
}

fn during(during: &During, stopped: PhaseName, load: bool) -> bool {
    match during {
        During::Run => load,
        // It was final: nothing of it is missing.
        During::Experiment(_) => false,
        During::Phase { name, .. } => *name == stopped || *name == PhaseName::Audit,
    }
}
