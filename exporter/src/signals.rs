//! Ctrl-C, SIGTERM, a closed terminal and SIGQUIT, turned into a cancellation.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels the returned token at the first SIGINT, SIGTERM, SIGHUP or SIGQUIT; later ones are only answered,
/// because what is broken must be put back first. Once the run is `over` there is no more to lose than the last
/// samples, and that is what is told. A SIGHUP that is ignored already (`nohup`) stays ignored.
pub fn abort_on_signal(over: CancellationToken) -> std::io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut quit = signal(SignalKind::quit())?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut hangup = if ignores_hangup(&status) { None } else { Some(signal(SignalKind::hangup())?) };
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        loop {
            let name = tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
                () = came(hangup.as_mut()) => "SIGHUP",
                _ = quit.recv() => "SIGQUIT",
            };
            if over.is_cancelled() {
                tracing::warn!(
                    signal = name,
                    "the run has ended, and what it wrote is kept; the wait for Prometheus, which may lack its \
                     last samples, is cut short"
                );
            } else if cancel.is_cancelled() {
                tracing::warn!(signal = name, "already ending; whatever is broken is put back first");
            } else {
                tracing::warn!(signal = name, "ending; whatever is broken is put back first");
            }
            cancel.cancel();
        }
    });
    Ok(token)
}

async fn came(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether SIGHUP is among the ignored signals of a process, from its `/proc/PID/status`.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hangup_that_nohup_ignores_is_told_from_one_that_ends_the_run() {
        assert!(ignores_hangup("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"));
        assert!(!ignores_hangup("Name:\tx\nSigIgn:\t0000000000001000\nSigCgt:\t1\n"));
        assert!(!ignores_hangup(""));
    }
}
