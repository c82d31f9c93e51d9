//! The autoscaler's loop: measures the replicas, asks the algorithm, scales.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Lab, lock};
use crate::autoscaler::{Autoscaler, Reading};
use crate::procs::{Process, TICKS_PER_SECOND};
use crate::replicas::{Id, Phase};
use crate::status::instance_name;

/// Time between two rounds, and the window of each reading.
const PERIOD: Duration = Duration::from_secs(5);

/// CPU time of a process up to some moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    process: Process,
    at: Duration,
    cpu_seconds: f64,
}

/// Scales the shop until the supervision ends.
pub(super) async fn keep(lab: Arc<Lab>) {
    let stop = lab.stop.clone();
    stop.run_until_cancelled(keep_on(&lab)).await;
}

async fn keep_on(lab: &Lab) {
    let mut autoscaler = Autoscaler::new(lab.autoscaler);
    let mut samples = BTreeMap::new();
    let mut rounds = tokio::time::interval(PERIOD);
    loop {
        rounds.tick().await;
        let readings = read(lab, &mut samples);
        let mut replicas = lab.replicas();
        let wanted = replicas.desired();
        let decision = autoscaler.sync(lab.now(), wanted, &readings);
        replicas.scale(decision.desired);
        drop(replicas);
        *lock(&lab.utilization) = decision.utilization;
        if decision.desired != wanted {
            tracing::info!(
                from = wanted,
                to = decision.desired,
                utilization = decision.utilization,
                "scaled"
            );
        }
    }
}

// Replicas that are on their way out are not asked, as deleted pods are not.
fn read(lab: &Lab, samples: &mut BTreeMap<Id, Sample>) -> Vec<Reading> {
    let now = lab.now();
    let replicas = lab.replicas();
    samples.retain(|id, _| replicas.all().contains_key(id));
    let mut readings = Vec::new();
    for (id, replica) in replicas.all() {
        let Phase::Running(started) = replica.phase else { continue };
        let sample = sample(lab, *id, now);
        let before = sample.and_then(|sample| samples.insert(*id, sample));
        let (millicores, window) = match (before, sample) {
            (Some(before), Some(sample)) if before.process == sample.process => {
                let window = sample.at.saturating_sub(before.at);
                let used = sample.cpu_seconds - before.cpu_seconds;
                (Some(used / window.as_secs_f64() * 1000.0), window)
            }
            _ => (None, PERIOD),
        };
        let (ready, ready_changed) = (replica.ready, replica.ready_changed);
        readings.push(Reading { millicores, window, started, ready, ready_changed });
    }
    readings
}

fn sample(lab: &Lab, id: Id, at: Duration) -> Option<Sample> {
    let process = Process::read(&lab.layout.pid_file(&instance_name(id)))?;
    let stat = process.stat()?;
    Some(Sample { process, at, cpu_seconds: stat.cpu as f64 / TICKS_PER_SECOND })
}
