//! Whether every load process of a run was scraped (pure): of one that never was no series tells, and what the
//! others count would be taken for all of it.

use super::Evidence;
use crate::evidence::{Lack, Shortfall, family, same};
use crate::slo::Promise;

/// What stands against an objective that is about the load where not all of its processes were scraped.
pub(super) fn unseen(promise: &Promise, evidence: &Evidence) -> Option<Shortfall> {
    match promise {
        Promise::Availability(_) | Promise::Latency(_) | Promise::LoadHeld(_) | Promise::Scaling(_) => {
            told(evidence).unwrap_or_else(Some)
        }
        _ => None,
    }
}

fn told(evidence: &Evidence) -> Result<Option<Shortfall>, Shortfall> {
    let gauge = evidence.gauge(family::LOAD_PROCESSES, &[])?.finite(family::LOAD_PROCESSES)?;
    let due = gauge.last()?.value;
    if let Some(other) = gauge.points.iter().find(|point| !same(point.value, due)) {
        let detail = format!("the run has {due} load processes, but {} at {}", other.value, other.at);
        return Err(Shortfall::new(Lack::Disagreement, detail));
    }
    let loading = evidence.run.processes.with(true);
    Ok(missing(due, &loading).map(|detail| Shortfall::new(Lack::LoadUnseen, detail)))
}

/// Fewer processes that have users than are due; number 0 is the conductor, which is none of them.
fn missing(due: f64, loading: &[usize]) -> Option<String> {
    let seen = loading.iter().filter(|process| **process > 0).count();
    ((seen as f64) < due).then(|| format!("the run has {due} load processes, but {seen} were scraped"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_load_process_must_have_been_scraped() {
        let table: [(f64, &[usize], bool); 9] = [
            (0.0, &[0], false),
            // That the conductor tells nothing of its own users is another shortfall.
            (0.0, &[], false),
            (1.0, &[1], false),
            (2.0, &[1, 2], false),
            (2.0, &[1], true),
            (2.0, &[], true),
            // The conductor is none of them.
            (2.0, &[0, 1], true),
            // One that was replaced before the load began is there as well.
            (2.0, &[1, 2, 3], false),
            (16.0, &[1, 2, 3], true),
        ];
        for (due, loading, lacks) in table {
            assert_eq!(missing(due, loading).is_some(), lacks, "{due} {loading:?}");
        }
    }
}
