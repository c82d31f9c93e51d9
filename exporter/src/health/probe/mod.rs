//! The probes on the paths that clients use.

pub(super) mod http;
pub(super) mod postgres;
pub(super) mod redis;

use std::pin::pin;

/// Polls `driver`, which moves a connection's bytes, until `work` is done; both are then dropped, so nothing
/// outlives the probe.
pub(super) async fn driven<T>(driver: impl Future, work: impl Future<Output = T>) -> T {
    let (mut driver, mut work) = (pin!(driver), pin!(work));
    tokio::select! {
        biased;
        result = &mut work => result,
        // The connection is over; what it left behind still has to be read.
        _ = &mut driver => work.await,
    }
}
