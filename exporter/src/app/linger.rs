//! The end of a run stays up until whoever recorded the run has it.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::progress::Progress;
use crate::web::Scrapers;

/// Whoever interrupts the run does not want to wait long for a Prometheus that may not be there.
const INTERRUPTED: Duration = Duration::from_secs(5);

/// Waits, `limit` at most and [`INTERRUPTED`] after an interruption, until everybody who scraped regularly has
/// scraped the end twice, and says who has not.
pub(super) async fn linger(
    scrapers: &watch::Sender<Scrapers>,
    limit: Duration,
    abort: &CancellationToken,
    progress: &Progress,
) {
    let begun = Instant::now();
    scrapers.send_modify(|scrapers| scrapers.end(Instant::now()));
    let mut seen = scrapers.subscribe();
    let shown = if abort.is_cancelled() { limit.min(INTERRUPTED) } else { limit };
    if !shown.is_zero() && !scrapers.borrow().have_the_end() {
        progress.say(&format!("waiting up to {} s for Prometheus to scrape the end", shown.as_secs()));
    }
    let interrupted = async {
        abort.cancelled().await;
        tokio::time::sleep(INTERRUPTED).await;
    };
    tokio::select! {
        _ = seen.wait_for(Scrapers::have_the_end) => return,
        () = tokio::time::sleep(limit) => {}
        () = interrupted => {}
    }
    let waited = humantime::format_duration(Duration::from_secs(begun.elapsed().as_secs())).to_string();
    let scrapers = scrapers.borrow();
    match scrapers.missing().as_slice() {
        // Nobody lacks the end of what nobody recorded; that is told elsewhere.
        [] if scrapers.total() == 0 => {}
        [] => tracing::warn!(waited, "the end of the run was not scraped twice; Prometheus may lack it"),
        missing => tracing::warn!(
            waited,
            scrapers = missing.join(", "),
            "not everybody who recorded the run scraped its end twice; theirs may lack it"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Visitor;

    fn scrape(scrapers: &watch::Sender<Scrapers>, connection: u64) {
        let visitor = Visitor::new("127.0.0.1", "Prometheus");
        scrapers.send_modify(|scrapers| scrapers.note(visitor, connection, Instant::now()));
    }

    /// Two connections that have scraped three times each, before now and at now and later.
    fn recorded() -> watch::Sender<Scrapers> {
        let scrapers = watch::Sender::<Scrapers>::default();
        let visitor = Visitor::new("127.0.0.1", "Prometheus");
        for second in 0..3 {
            let at = Instant::now() + Duration::from_secs(second);
            scrapers.send_modify(|scrapers| {
                scrapers.note(visitor.clone(), 1, at);
                scrapers.note(visitor.clone(), 2, at);
            });
        }
        scrapers
    }

    const LIMIT: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_each() {
        let scrapers = recorded();
        let begun = tokio::time::Instant::now();
        let waiting = {
            let (scrapers, abort) = (scrapers.clone(), CancellationToken::new());
            tokio::spawn(async move { linger(&scrapers, LIMIT, &abort, &Progress::on_stderr()).await })
        };
        tokio::task::yield_now().await;
        for connection in [1, 1, 2] {
            scrape(&scrapers, connection);
        }
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "one of them has the end once");
        scrape(&scrapers, 2);
        waiting.await.expect("no panic");
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn but_not_for_ever() {
        let begun = tokio::time::Instant::now();
        let abort = CancellationToken::new();
        linger(&recorded(), LIMIT, &abort, &Progress::on_stderr()).await;
        assert!((LIMIT..LIMIT + Duration::from_secs(1)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        abort.cancel();
        let begun = tokio::time::Instant::now();
        linger(&recorded(), LIMIT, &abort, &Progress::on_stderr()).await;
        assert!((INTERRUPTED..INTERRUPTED + Duration::from_secs(1)).contains(&begun.elapsed()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_interruption_cuts_the_wait_short() {
        let (begun, abort) = (tokio::time::Instant::now(), CancellationToken::new());
        let interrupt = async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            abort.cancel();
        };
        let (scrapers, progress) = (recorded(), Progress::on_stderr());
        tokio::join!(linger(&scrapers, LIMIT, &abort, &progress), interrupt);
        let due = Duration::from_secs(10) + INTERRUPTED;
        assert!((due..due + Duration::from_secs(1)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }
}
