//! Before anything is done to the target: is all of it there, healthy, and is this machine up to it?

use std::time::{Duration, Instant};

use thiserror::Error;

use super::reach::{self, ReachError};
use super::{Conductor, fitness};
use crate::errors::chain;
use crate::load::{FleetError, Prepared};
use crate::progress::Waiting;
use crate::{health, load};

/// How long components may take to be seen up.
const HEALTH_LIMIT: Duration = Duration::from_secs(30);
/// How long autoscalers may take to be at their minimum.
const AUTOSCALER_LIMIT: Duration = Duration::from_mins(1);
/// How long autoscalers may take to see the load: what they count by is read every 15 s, and by them as often.
const SIGHT_LIMIT: Duration = Duration::from_secs(90);
/// How long a scrape is awaited.
const SCRAPE_LIMIT: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);

/// Why a run cannot begin.
#[derive(Debug, Error)]
pub enum PreflightError {
    /// Something that the trial follows is not healthy.
    #[error(
        "not healthy after {} s: {}; a run begins on a healthy system, so mend it or leave the component out",
        HEALTH_LIMIT.as_secs(),
        .components.join(", ")
    )]
    Unhealthy {
        /// The components, each with why where that is known.
        components: Vec<String>,
    },
    /// Users could not go where they are to go.
    #[error("reach the target")]
    Target(#[source] ReachError),
    /// An autoscaler has not come down.
    #[error(
        "not at its minimum after {} s: {}; wait until it is, or leave `status` or `kubernetes` out of the trial",
        AUTOSCALER_LIMIT.as_secs(),
        .autoscalers.join(", ")
    )]
    ScaledUp {
        /// The autoscalers, each with its count.
        autoscalers: Vec<String>,
    },
    /// An autoscaler would leave its workload as it is, whatever the load.
    #[error(
        "do not see the load after {} s: {}; look whether metrics-server lives (`kubectl top pods`) and whether every \
         container requests what its autoscaler counts by (resources.requests.cpu)",
        SIGHT_LIMIT.as_secs(),
        .autoscalers.join(", ")
    )]
    Blind {
        /// The autoscalers, each with why.
        autoscalers: Vec<String>,
    },
    /// Nobody tells what runs.
    #[error("it is not known what runs, after {} s: {reason}", AUTOSCALER_LIMIT.as_secs())]
    NoStatus {
        /// Why.
        reason: String,
    },
    /// Load processes are not ready.
    #[error("gather the load processes")]
    Fleet(#[source] FleetError),
    /// The data set could not be written.
    #[error("prepare the ledger")]
    Ledger(#[source] crate::ledger::LedgerError),
}

/// Where to look when no scrape comes, which is another place in a pod.
fn scrape_hint(in_a_pod: bool) -> &'static str {
    if in_a_pod {
        "does Prometheus look for this pod, by the annotation `prometheus.io/scrape` or by a PodMonitor whose label \
         `release` is the one that the Prometheus of the Helm chart selects? --no-wait-for-scrape begins without"
    } else {
        "is it in the scrape_configs of prometheus.yml, as in deploy/examples/prometheus.yaml? \
         --no-wait-for-scrape begins without"
    }
}

impl Conductor {
    /// Looks at everything a run needs, and waits for it within limits.
    pub(super) async fn preflight(&mut self, load: &Prepared) -> Result<(), PreflightError> {
        if load.is_here() {
            self.say_limits();
        }
        reach::reach(&self.trial.target).await.map_err(PreflightError::Target)?;
        self.all_healthy().await?;
        self.say_settings().await;
        load.gather(&self.progress).await.map_err(PreflightError::Fleet)?;
        self.autoscalers_at_minimum().await?;
        self.autoscalers_see().await?;
        self.say_unprobed();
        self.ledgers.prepare_dataset().await.map_err(PreflightError::Ledger)?;
        if self.options.wait_for_scrape {
            self.scraped_in_order().await;
        }
        Ok(())
    }

    fn say_limits(&self) {
        let users = self.trial.load.stages.iter().map(|stage| stage.users).max().unwrap_or(0);
        match load::limits_report(users) {
            Ok(limits) => {
                for shortfall in limits.shortfalls() {
                    tracing::warn!(shortfall, "this machine may not carry the load");
                }
                tracing::info!(?limits, users, "this machine's limits");
            }
            Err(error) => tracing::warn!(%error, "this machine's limits cannot be read"),
        }
    }

    /// Says where the stores' settings cannot keep what the trial expects of them.
    async fn say_settings(&self) {
        for warning in health::failover::warnings(&self.trial).await {
            // The line below is for the person; the log's own warnings would show it twice.
            tracing::info!(warning, "a setting of a store");
            self.progress.say(&format!("warning: {warning}"));
        }
    }

    async fn all_healthy(&self) -> Result<(), PreflightError> {
        let healthy = async {
            while !self.not_up().is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        };
        let waiting = Waiting {
            for_what: &|| {
                format!(
                    "every component to be healthy, which is not yet: {}",
                    self.health.troubles().join(", ")
                )
            },
            limit: HEALTH_LIMIT,
            hint: "mend it, or leave it out of the trial's `components`",
            came: "every component is healthy",
        };
        let in_time = self.progress.await_aloud(&waiting, healthy).await;
        in_time.map_err(|_| PreflightError::Unhealthy { components: self.health.troubles() })
    }

    async fn autoscalers_at_minimum(&self) -> Result<(), PreflightError> {
        if self.trial.status.is_none() {
            return Ok(());
        }
        let waiting = Waiting {
            for_what: &|| match self.scaled_up() {
                None => format!("what runs to be known: {}", self.document_trouble()),
                Some(above) => format!("autoscalers to be at their minimum: {}", above.join(", ")),
            },
            limit: AUTOSCALER_LIMIT,
            hint: "they come down by themselves; without `status` or `kubernetes` in the trial nobody waits for them",
            came: "every autoscaler is at its minimum",
        };
        let in_time = self.progress.await_aloud(&waiting, self.scaled_down()).await;
        in_time.map_err(|_| match self.scaled_up() {
            None => PreflightError::NoStatus { reason: self.document_trouble() },
            Some(autoscalers) => PreflightError::ScaledUp { autoscalers },
        })
    }

    async fn autoscalers_see(&self) -> Result<(), PreflightError> {
        let blind = || self.document().map_or(Vec::new(), |document| fitness::blind(&document));
        let waiting = Waiting {
            for_what: &|| format!("autoscalers to see the load: {}", blind().join(", ")),
            limit: SIGHT_LIMIT,
            hint: "`kubectl top pods` shows whether metrics-server lives; a new pod takes it half a minute",
            came: "every autoscaler sees the load",
        };
        let see = async {
            while !blind().is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        };
        let in_time = self.progress.await_aloud(&waiting, see).await;
        in_time.map_err(|_| PreflightError::Blind { autoscalers: blind() })
    }

    /// Says whose pods count as ready without having said so.
    fn say_unprobed(&self) {
        for warning in self.document().iter().flat_map(|document| fitness::unprobed(document)) {
            // The line below is for the person; the log's own warnings would show it twice.
            tracing::info!(warning, "a workload");
            self.progress.say(&format!("warning: {warning}"));
        }
    }

    /// Why it is not known what runs.
    fn document_trouble(&self) -> String {
        match self.cluster.feed.borrow().as_ref().map(|status| &status.document) {
            Some(Err(error)) => chain(error.as_ref()),
            Some(Ok(_)) | None => "nobody has answered yet".to_owned(),
        }
    }

    /// The autoscalers above their minimum, each with its count; `None` without a document.
    fn scaled_up(&self) -> Option<Vec<String>> {
        let document = self.document()?;
        let above = document.autoscalers.iter().filter(|autoscaler| autoscaler.is_above_minimum());
        Some(above.map(|it| format!("{} ({} of {})", it.name, it.current.max(it.desired), it.min)).collect())
    }

    /// Returns once every autoscaler counts and wants no more than its minimum.
    pub(super) async fn scaled_down(&self) {
        loop {
            if self.scaled_up().is_some_and(|above| above.is_empty()) {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits for a scrape of the system in order, without users: what the load changes is compared with it.
    async fn scraped_in_order(&mut self) {
        let in_order = Instant::now();
        let waiting = Waiting {
            for_what: &|| "Prometheus to scrape this exporter before the load begins".to_owned(),
            limit: SCRAPE_LIMIT,
            hint: scrape_hint(std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()),
            came: "the scrape came",
        };
        let scraped = self.scrapers.wait_for(|scrapers| scrapers.any_since(in_order));
        if self.progress.await_aloud(&waiting, scraped).await.is_err() {
            let limit = SCRAPE_LIMIT.as_secs();
            // The line below is for the person; the log's own warning would show it twice.
            tracing::info!("nobody has scraped this exporter for {limit} s");
            self.progress.say(&format!(
                "warning: no scrape came within {limit} s; the run begins all the same, but without Prometheus \
                 there will be no verdict"
            ));
        }
    }
}
