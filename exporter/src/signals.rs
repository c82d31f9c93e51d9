//! Ctrl-C and SIGTERM, turned into a cancellation.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels the returned token at the first SIGINT or SIGTERM; later ones are only answered, because what is
/// broken must be put back first.
pub fn abort_on_signal() -> std::io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        loop {
            let name = tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
            };
            if cancel.is_cancelled() {
                tracing::warn!(signal = name, "already ending: reverting and auditing first");
            } else {
                tracing::warn!(signal = name, "aborting the run: reverting first, then the audit");
                cancel.cancel();
            }
        }
    });
    Ok(token)
}
