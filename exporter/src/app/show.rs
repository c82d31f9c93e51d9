//! What a person is shown while a run goes on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::conductor::{Board, Glance};
use crate::load;
use crate::progress::Progress;

/// Shows how the run stands until `stop`.
pub(super) async fn show(
    progress: Progress,
    clock: Clock,
    board: Board,
    running: watch::Receiver<Option<Arc<load::Running>>>,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(progress.interval());
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let shown = board.shown();
        let load = running.borrow().as_ref().map(|load| load.snapshot());
        progress.show(&Glance {
            elapsed: clock.now().0,
            phase: shown.phase,
            users: load.map_or((0, 0), |load| (load.running, load.largest)),
            request_rate: load.map_or(0.0, |load| load.per_second),
            errors: load.map_or(0, |load| load.error),
            p95: load.and_then(|load| load.response_time).map(|times| Duration::from_secs_f64(times.p95)),
            experiment: shown.experiment,
        });
    }
    progress.end();
}

/// Where a browser on this machine finds what listens at `address`.
pub(super) fn visitable(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}
