//! Which machines answer, as a control plane knows from their heartbeats.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::Lab;
use crate::layout::{Machine, port};

/// Missed heartbeats after which a machine gets no new replicas.
const MISSES: u32 = 4;

/// Follows the machines until the supervision ends.
pub(super) async fn watch(lab: Arc<Lab>) {
    let watching = Machine::ALL.map(|machine| follow(&lab, machine));
    let [first, second, third] = watching;
    lab.stop.run_until_cancelled(async { tokio::join!(first, second, third) }).await;
}

async fn follow(lab: &Lab, machine: Machine) {
    const PERIOD: Duration = Duration::from_secs(1);
    let mut misses = 0;
    let mut reachable = true;
    loop {
        misses = if beat(machine, PERIOD).await { 0 } else { misses + 1 };
        if reachable != (misses < MISSES) {
            reachable = !reachable;
            lab.replicas().set_reachable(machine, reachable);
            tracing::info!(machine = %machine, reachable, "machine");
        }
        // The pace of its heartbeats.
        tokio::time::sleep(PERIOD).await;
    }
}

// Refused is an answer too: the machine is there, whatever runs on it.
async fn beat(machine: Machine, within: Duration) -> bool {
    match tokio::time::timeout(within, TcpStream::connect(machine.at(port::SENTINEL))).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        Err(_) => false,
    }
}
