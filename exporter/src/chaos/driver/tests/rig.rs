//! What the tests of the driver stand on.

use std::fs;
use std::path::Path;

use prometheus::{Registry, TextEncoder};
use tempfile::TempDir;

use super::super::*;
use crate::trial::{ComponentIndex, ExecFault, Fault, NonEmpty};

/// A system that is broken while a file named `broken` exists, and what is done to it.
pub(super) struct Rig {
    pub(super) folder: TempDir,
    pub(super) registry: Registry,
    pub(super) experiments: Vec<Experiment>,
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// Commands run anywhere; `@` in them is the rig's folder.
pub(super) fn experiment(
    experiment: &str,
    folder: &Path,
    inject: &str,
    bit: Option<&str>,
    revert: Option<&str>,
) -> Experiment {
    let command = |text: &str| text.replace('@', folder.to_str().expect("a plain path"));
    Experiment {
        name: name(experiment),
        fault: Fault::Exec(ExecFault {
            target: "echo pg1; echo pg2".into(),
            inject: command(inject),
            bit: bit.map(command),
            revert: revert.map(command),
            timeout: Duration::from_secs(2),
        }),
        components: NonEmpty::one(ComponentIndex::new(0, 1).expect("one component")),
        deadline: Duration::from_mins(1),
        hold: Duration::from_secs(40),
        replaced: false,
    }
}

pub(super) const MEND: &str = "echo revert $ORDEAL_TARGETS >>@/log; rm -f @/broken";

impl Rig {
    pub(super) fn new(faults: &[(&str, &str, Option<&str>, Option<&str>)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let experiments = faults
            .iter()
            .map(|(name, inject, bit, revert)| experiment(name, folder.path(), inject, *bit, *revert));
        let experiments = experiments.collect();
        Self { folder, registry: Registry::new(), experiments }
    }

    /// One whose run has begun.
    pub(super) async fn driver(&mut self) -> Driver {
        let driver = self.opened().await;
        driver.begin().await.expect("begun");
        driver
    }

    /// One whose run may still be refused.
    pub(super) async fn opened(&mut self) -> Driver {
        self.registry = Registry::new();
        let metrics = Metrics::register(&self.registry, &self.experiments, &[&name("postgres")]);
        let setup = Setup {
            clock: Clock::start(),
            journal: Journal::open(self.folder.path()).await.expect("a journal"),
            run: "r1",
            token: self.token(),
            experiments: &self.experiments,
            components: vec![name("shop")],
            stores: Vec::new(),
            secrets: Secrets::default(),
            cluster: None,
            metrics: metrics.expect("the families fit"),
            retry: Retry { attempts: 3, pause: Duration::ZERO, away: Duration::ZERO },
        };
        Driver::open(setup).await.expect("a driver")
    }

    /// No other rig has it, so that none ends the commands of another.
    pub(super) fn token(&self) -> &str {
        self.folder.path().to_str().expect("a plain path")
    }

    pub(super) fn broken(&self) -> bool {
        self.folder.path().join("broken").exists()
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(super) fn exposed(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).expect("text")
    }

    /// The value of a series, if it is there.
    pub(super) fn value(&self, series: &str) -> Option<f64> {
        let exposed = self.exposed();
        let line = exposed.lines().find_map(|line| line.strip_prefix(series))?;
        line.trim().parse().ok()
    }

    /// The states of an experiment that are 1.
    pub(super) fn states(&self, experiment: &str) -> Vec<&'static str> {
        let series = |state: State| {
            format!("ordeal_experiment_state{{experiment=\"{experiment}\",state=\"{state}\"}}")
        };
        let is_one = |state: &State| self.value(&series(*state)).expect("every state has a series") > 0.5;
        State::ALL.into_iter().filter(is_one).map(State::label).collect()
    }
}

pub(super) fn permit(driver: &mut Driver, experiment: &Name) -> Result<Permit, Refusal> {
    driver.check(experiment, &[(name("shop"), true)]).expect("its turn has not passed")
}

pub(super) async fn plan(driver: &mut Driver, experiment: &Experiment) -> Plan {
    permit(driver, &experiment.name).expect("nothing speaks against it");
    driver.prepare(experiment, None).await.expect("a plan")
}

pub(super) async fn inject(driver: &mut Driver, plan: &Plan) -> Result<Injected, FaultError> {
    let permit = permit(driver, &plan.experiment).expect("nothing speaks against it");
    driver.inject(plan, permit, &mut |_| ()).await
}
