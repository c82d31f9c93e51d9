//! Polls what tells what runs every 250 ms, one poll outstanding, and publishes what came of it.

use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::Url;

use super::chronicle::Chronicle;
use super::document::Document;
use super::kubernetes::witness::Witness;
use super::kubernetes::{Kubernetes, ReadError, Watched, incidents};
use super::metrics::Metrics;
use crate::clock::{Clock, Moment};
use crate::errors::chain;
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
    /// The cluster does not say.
    #[error("ask the cluster what runs")]
    Cluster(#[source] ReadError),
    /// The cluster is silent.
    #[error("ask the cluster what runs: no answer within {TIMEOUT:?}")]
    Silent,
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

/// Who is polled.
pub enum Source {
    /// Whoever serves the document.
    Document(Url),
    /// The API server of a cluster, about these workloads.
    Kubernetes {
        /// The cluster.
        cluster: Kubernetes,
        /// Names of the workloads.
        workloads: Vec<String>,
        /// Who may change things beside Kubernetes itself.
        managers: Vec<String>,
        /// Whether nodes may be watched.
        nodes: bool,
    },
}

/// What is known of what runs.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// What runs.
    pub feed: Feed,
    /// Whom to ask about all else, where it is one of Kubernetes.
    pub kubernetes: Option<Kubernetes>,
    /// What was seen of it beside what runs, where it is one of Kubernetes.
    pub chronicle: Option<Chronicle>,
}

/// Starts to poll `source` until cancelled.
pub fn start(
    source: Option<Source>,
    clock: Clock,
    registry: &Registry,
    cancel: CancellationToken,
) -> Result<Cluster, Error> {
    let (sender, feed) = watch::channel(None);
    let (mut kubernetes, mut chronicle) = (None, None);
    if let Some(source) = source {
        let metrics = Metrics::register(registry).map_err(Error::Metrics)?;
        let reader = match source {
            Source::Document(url) => {
                Reader::Document { client: tls::http_client(TIMEOUT).map_err(Error::Client)?, url }
            }
            Source::Kubernetes { cluster, workloads, managers, nodes } => {
                kubernetes = Some(cluster.clone());
                let kept = chronicle.insert(Chronicle::begin(clock)).clone();
                incidents::watch(&cluster, &kept, &cancel);
                let witness = Witness::start(cluster.clone(), &managers, nodes, kept, &cancel);
                Reader::Cluster(Box::new(Watched::new(cluster, workloads, witness)))
            }
        };
        let poller = Poller { reader, clock, metrics, sender };
        tokio::spawn(cancel.run_until_cancelled_owned(poller.run()));
    }
    Ok(Cluster { feed, kubernetes, chronicle })
}

enum Reader {
    Document { client: reqwest::Client, url: Url },
    Cluster(Box<Watched>),
}

struct Poller {
    reader: Reader,
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
            let document = self.reader.read().await.map(Arc::new).map_err(Arc::new);
            let end = self.clock.now();
            match &document {
                Ok(document) => self.metrics.show(document),
                Err(_) => self.metrics.failed(),
            }
            if readable != document.is_ok() {
                readable = document.is_ok();
                match &document {
                    Ok(_) => info!("it is known again what runs"),
                    Err(error) => warn!(error = chain(error.as_ref()), "it is not known what runs"),
                }
            }
            self.sender.send_replace(Some(Status { poll, start, end, document }));
        }
    }
}

impl Reader {
    async fn read(&self) -> Result<Document, Error> {
        match self {
            Self::Document { client, url } => {
                let answer = client.get(url.clone()).send().await.map_err(Error::Poll)?;
                let answer = answer.error_for_status().map_err(Error::Poll)?;
                answer.json().await.map_err(Error::Poll)
            }
            Self::Cluster(watched) => {
                let read = tokio::time::timeout(TIMEOUT, watched.read());
                read.await.map_err(|_| Error::Silent)?.map_err(Error::Cluster)
            }
        }
    }
}
