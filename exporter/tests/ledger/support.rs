//! A trial with one ledger, and its run.

use std::num::NonZeroUsize;
use std::time::Duration;

use exporter::clock::{Clock, Moment};
use exporter::ledger::{self, AuditResult, AuditSummary, Completed, Ledgers};
use exporter::trial::{
    ComponentIndex, Endpoint, ExecFault, Experiment, Fault, Ledger, Name, NonEmpty, PostgresAddress,
    ProcessEnvironment, Rate, RedisAddress, Store, StoreIndex, Trial,
};
use prometheus::Registry;
use tempfile::TempDir;

use crate::servers::eventually;

pub(crate) const RUN: &str = "run-1";

/// A run of `trial`, whose only store is named `store`.
pub(crate) struct Run {
    pub(crate) ledgers: Ledgers,
    pub(crate) clock: Clock,
    pub(crate) registry: Registry,
    dir: TempDir,
}

impl Run {
    pub(crate) async fn start(trial: &Trial) -> Self {
        ledger::ensure_schema(trial).await.expect("schema");
        let (clock, registry) = (Clock::start(), Registry::new());
        let dir = tempfile::tempdir().expect("directory");
        let ledgers = Ledgers::open(trial, RUN, clock, &registry, dir.path()).expect("opens");
        ledgers.start_writers();
        Self { ledgers, clock, registry, dir }
    }

    /// What a process finds that is started after this one died, which its record does not notice.
    pub(crate) fn reopened(&self, trial: &Trial) -> Ledgers {
        Ledgers::open(trial, RUN, Clock::start(), &Registry::new(), self.dir.path()).expect("opens")
    }

    pub(crate) fn acked(&self) -> u64 {
        self.ledgers.acked_between("store", Moment::default(), self.clock.now())
    }

    /// Waits until `more` further writes were acknowledged.
    pub(crate) async fn acked_more(&self, more: u64) {
        let wanted = self.acked() + more;
        eventually("writes are acknowledged", async || (self.acked() >= wanted).then_some(())).await;
    }

    /// Waits until at least one write ended as `outcome`.
    pub(crate) async fn ended_as(&self, outcome: &str) {
        let name = format!("ordeal_ledger_writes_total{{outcome=\"{outcome}\",store=\"store\"}}");
        eventually("a write ends so", async || (self.series(&name) > 0.0).then_some(())).await;
    }

    /// The value of a series, by its line in the exposition.
    pub(crate) fn series(&self, name: &str) -> f64 {
        let text = prometheus::TextEncoder::new().encode_to_string(&self.registry.gather()).expect("encodes");
        let line =
            text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {text}"));
        line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
    }

    pub(crate) fn class(&self, class: &str) -> f64 {
        self.series(&format!("ordeal_ledger_audit{{class=\"{class}\",store=\"store\"}}"))
    }

    pub(crate) async fn audit_after(&self, experiment: &str) -> Completed {
        completed(self.ledgers.audit_after(experiment, self.clock.now()).await)
    }
}

/// The findings of the only audit, which is complete.
pub(crate) fn completed(mut summaries: Vec<AuditSummary>) -> Completed {
    let summary = summaries.pop().expect("one audit");
    let AuditResult::Complete { audit } = summary.result else { panic!("{summary:?}") };
    *audit
}

pub(crate) fn trial(endpoint: Endpoint, ledger: Ledger) -> Trial {
    let name = |text: &str| Name::new(text).expect("a name");
    let second = Duration::from_secs(1);
    let nothing = || "true".to_owned();
    let fault = ExecFault { target: nothing(), inject: nothing(), bit: None, revert: None, timeout: second };
    let experiment = Experiment {
        name: name("kill"),
        fault: Fault::Exec(fault),
        components: NonEmpty::one(ComponentIndex::new(0, 1).expect("one component")),
        deadline: second,
        hold: Duration::ZERO,
        replaced: false,
    };
    Trial {
        stores: vec![Store { name: name("store"), endpoint, instances: Vec::new(), failover: None }],
        ledgers: vec![ledger],
        experiments: vec![experiment],
        ..exporter::trial::parse(SMALLEST, "trial.yaml".as_ref(), &ProcessEnvironment).expect("a trial")
    }
}

const SMALLEST: &str = "target: http://127.0.0.1
load: {users: 1, spawn_rate: 1, duration: 1m, tasks: [{name: none, journey: [GET /]}]}
components: [{name: web, http: /}]
";

/// Four writers, 200 writes a second.
pub(crate) fn four_writers() -> Ledger {
    let writers = NonZeroUsize::new(4).expect("four");
    let (store, rate) = (StoreIndex::new(0, 1).expect("one store"), Rate::new(200.0).expect("a rate"));
    Ledger { store, writers, rate, wait_replicas: 0, dataset: 0 }
}

pub(crate) fn postgres_at(address: &str) -> Endpoint {
    Endpoint::Postgres(PostgresAddress::parse(address).expect("an address"))
}

pub(crate) fn redis_at(address: &str) -> Endpoint {
    Endpoint::Redis(RedisAddress::parse(address).expect("an address"))
}
