//! Before a run: can the stores fail over in time, and do they promise to lose nothing? Whoever cannot be
//! asked is a warning too, never an error: the run itself shows the truth.

mod ask;
mod judge;

use std::time::Duration;

use tokio::time::Instant;

use self::ask::Unanswered;
use crate::errors::chain;
use crate::trial::{Endpoint, Failover, Ledger, Manager, Store, Trial};

/// The longest wait for one answer.
const WITHIN: Duration = Duration::from_secs(5);
/// Between two questions to the same one.
const PAUSE: Duration = Duration::from_millis(500);

/// What speaks against the settings of the trial's stores, each ready to print.
pub async fn warnings(trial: &Trial) -> Vec<String> {
    let mut warnings = Vec::new();
    for (index, store) in trial.stores.iter().enumerate() {
        let name = &store.name;
        let mut found = Vec::new();
        if let Some(failover) = &store.failover {
            found.extend(of_failover(failover).await);
        }
        if let Some(ledger) = trial.ledgers.iter().find(|ledger| ledger.store.get() == index) {
            found.extend(of_promise(store, ledger).await);
        }
        warnings.extend(found.into_iter().map(|warning| format!("store {name}: {warning}")));
    }
    warnings
}

async fn of_failover(failover: &Failover) -> Vec<String> {
    let within = failover.within;
    match &failover.manager {
        Manager::Patroni(url) => match in_time(|| ask::patroni(url)).await {
            Ok(settings) => [judge::lease(&settings, within), judge::restart(&settings, within)]
                .into_iter()
                .flatten()
                .collect(),
            Err(error) => vec![not_known("Patroni", "whether a failover can begin in time", &error)],
        },
        Manager::Sentinel { address, master } => match in_time(|| ask::sentinel(address, master)).await {
            Ok(settings) => [judge::silence(&settings, within), judge::second_attempt(&settings, within)]
                .into_iter()
                .flatten()
                .collect(),
            Err(error) => vec![not_known("Sentinel", "whether a failover can begin in time", &error)],
        },
    }
}

async fn of_promise(store: &Store, ledger: &Ledger) -> Vec<String> {
    match &store.endpoint {
        Endpoint::Postgres(address) => match in_time(|| ask::postgres(address)).await {
            Ok((commit, names)) => judge::postgres_promise(&commit, &names).into_iter().collect(),
            Err(error) => vec![not_known("PostgreSQL", "whether zero loss is promised", &error)],
        },
        Endpoint::Redis(address) => {
            let policy = in_time(|| ask::redis(address)).await;
            let mut found = judge::redis_promise(ledger.wait_replicas, policy.as_deref().ok());
            let unknown = policy.err().map(|error| not_known("Redis", "whether it may drop keys", &error));
            found.extend(unknown);
            found
        }
    }
}

/// Asks again where nobody is there yet: a network may know a pod that has just begun, as this one, a moment later.
async fn in_time<T, F>(ask: impl Fn() -> F) -> Result<T, Unanswered>
where
    F: Future<Output = Result<T, Unanswered>>,
{
    let limit = Instant::now() + WITHIN;
    let mut last = Unanswered::Late(WITHIN);
    loop {
        match tokio::time::timeout_at(limit, ask()).await {
            Ok(Ok(told)) => return Ok(told),
            Ok(Err(error)) if error.is_of_nobody() => last = error,
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(last),
        }
        if Instant::now() + PAUSE >= limit {
            return Err(last);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn not_known(who: &str, what: &str, error: &Unanswered) -> String {
    format!("{who} did not tell its settings ({}), so {what} is not known", chain(error))
}
