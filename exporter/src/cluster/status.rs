//! Polls the status document every 250 ms, one poll outstanding, and publishes what came of it.

use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::Url;

use super::document::Document;
use super::metrics::Metrics;
use crate::clock::{Clock, Moment};
use crate::tls;

/// Time between two polls.
pub const INTERVAL: Duration = Duration::from_millis(250);
/// A poll without an answer after this long has failed.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Why the document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The families are taken.
    #[error("register the cluster's metrics")]
    Metrics(#[source] prometheus::Error),
    /// No client.
    #[error("set up the client for the status document")]
    Client(#[source] reqwest::Error),
    /// No answer, or not the document.
    #[error("read the status document")]
    Poll(#[source] reqwest::Error),
}

/// One poll.
#[derive(Debug, Clone)]
pub struct Status {
    /// Counts polls, from 0.
    pub poll: u64,
    /// Just before the request.
    pub start: Moment,
    /// When the answer was there.
    pub end: Moment,
    /// The document, or why there is none.
    pub document: Result<Arc<Document>, Arc<Error>>,
}

/// The latest poll; `None` before the first, or where the trial names no document.
pub type Feed = watch::Receiver<Option<Status>>;

/// Starts to poll `url` until cancelled.
pub fn start(
    url: Option<Url>,
    clock: Clock,
    registry: &Registry,
    cancel: CancellationToken,
) -> Result<Feed, Error> {
    let (sender, feed) = watch::channel(None);
    if let Some(url) = url {
        let metrics = Metrics::register(registry).map_err(Error::Metrics)?;
        let client = tls::http_client(TIMEOUT).map_err(Error::Client)?;
        let poller = Poller { client, url, clock, metrics, sender };
        tokio::spawn(cancel.run_until_cancelled_owned(poller.run()));
    }
    Ok(feed)
}

struct Poller {
    client: reqwest::Client,
    url: Url,
    clock: Clock,
    metrics: Metrics,
    sender: watch::Sender<Option<Status>>,
}

impl Poller {
    async fn run(mut self) {
        let mut ticks = interval_at(Instant::now(), INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut readable = true;
        for poll in 0.. {
            ticks.tick().await;
            let start = self.clock.now();
            let document = self.read().await.map(Arc::new).map_err(Arc::new);
            let end = self.clock.now();
            match &document {
                Ok(document) => self.metrics.show(document),
                Err(_) => self.metrics.failed(),
            }
            if readable != document.is_ok() {
                readable = document.is_ok();
                match &document {
                    Ok(_) => info!("the status document is readable again"),
                    Err(error) => {
                        warn!(%error, cause = ?std::error::Error::source(error), "no status document");
                    }
                }
            }
            self.sender.send_replace(Some(Status { poll, start, end, document }));
        }
    }

    async fn read(&self) -> Result<Document, Error> {
        let answer = self.client.get(self.url.clone()).send().await.map_err(Error::Poll)?;
        let answer = answer.error_for_status().map_err(Error::Poll)?;
        answer.json().await.map_err(Error::Poll)
    }
}
