mod strays;

use std::fs;
use std::path::Path;

use prometheus::{Registry, TextEncoder};
use tempfile::TempDir;

use super::*;
use crate::chaos::faults::Undo;
use crate::chaos::faults::commands::Mend;
use crate::chaos::journal::{FILE, Intent};
use crate::trial::{ComponentIndex, ExecFault, Fault, NonEmpty};

/// A system that is broken while a file named `broken` exists, and what is done to it.
struct Rig {
    folder: TempDir,
    registry: Registry,
    experiments: Vec<Experiment>,
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// Commands run anywhere; `@` in them is the rig's folder.
fn experiment(
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

const MEND: &str = "echo revert $ORDEAL_TARGETS >>@/log; rm -f @/broken";

impl Rig {
    fn new(faults: &[(&str, &str, Option<&str>, Option<&str>)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let experiments = faults
            .iter()
            .map(|(name, inject, bit, revert)| experiment(name, folder.path(), inject, *bit, *revert));
        let experiments = experiments.collect();
        Self { folder, registry: Registry::new(), experiments }
    }

    async fn driver(&mut self) -> Driver {
        self.registry = Registry::new();
        let metrics = Metrics::register(&self.registry, &self.experiments, &[&name("postgres")]);
        let setup = Setup {
            clock: Clock::start(),
            journal: Journal::open(self.folder.path()).await.expect("a journal"),
            run: "r1",
            token: self.token(),
            experiments: &self.experiments,
            components: vec![name("shop")],
            secrets: Secrets::default(),
            metrics: metrics.expect("the families fit"),
            retry: Retry { attempts: 3, pause: Duration::ZERO },
        };
        Driver::open(setup).await.expect("a driver")
    }

    /// No other rig has it, so that none ends the commands of another.
    fn token(&self) -> &str {
        self.folder.path().to_str().expect("a plain path")
    }

    fn broken(&self) -> bool {
        self.folder.path().join("broken").exists()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn exposed(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).expect("text")
    }

    /// The value of a series, if it is there.
    fn value(&self, series: &str) -> Option<f64> {
        let exposed = self.exposed();
        let line = exposed.lines().find_map(|line| line.strip_prefix(series))?;
        line.trim().parse().ok()
    }

    /// The states of an experiment that are 1.
    fn states(&self, experiment: &str) -> Vec<&'static str> {
        let series = |state: State| {
            format!("ordeal_experiment_state{{experiment=\"{experiment}\",state=\"{state}\"}}")
        };
        let is_one = |state: &State| self.value(&series(*state)).expect("every state has a series") > 0.5;
        State::ALL.into_iter().filter(is_one).map(State::label).collect()
    }
}

fn permit(driver: &mut Driver, experiment: &Name) -> Result<Permit, Refusal> {
    driver.check(experiment, &[(name("shop"), true)]).expect("its turn has not passed")
}

async fn plan(driver: &mut Driver, experiment: &Experiment) -> Plan {
    permit(driver, &experiment.name).expect("nothing speaks against it");
    driver.prepare(experiment).await.expect("a plan")
}

async fn inject(driver: &mut Driver, plan: &Plan) -> Result<Injected, FaultError> {
    let permit = permit(driver, &plan.experiment).expect("nothing speaks against it");
    driver.inject(plan, permit).await
}

#[tokio::test]
async fn an_experiment_from_its_plan_to_its_recovery() {
    let bit = "test -e @/broken";
    let mut rig =
        Rig::new(&[("cut", "echo inject $ORDEAL_TARGETS >>@/log; touch @/broken", Some(bit), Some(MEND))]);
    let mut driver = rig.driver().await;
    let cut = rig.experiments[0].clone();
    assert_eq!(rig.states("cut"), ["planned"]);
    let plan = plan(&mut driver, &cut).await;
    assert_eq!(plan.targets, ["pg1", "pg2"]);
    assert_eq!(rig.log(), "", "a plan changes nothing");
    assert_eq!(rig.value("ordeal_experiment_injected_timestamp_seconds{experiment=\"cut\"}"), None);

    let injected = inject(&mut driver, &plan).await.expect("injected");
    assert!(rig.broken());
    assert_eq!(rig.states("cut"), ["injected"]);
    let at = rig.value("ordeal_experiment_injected_timestamp_seconds{experiment=\"cut\"}").expect("injected");
    let due = rig.value("ordeal_experiment_revert_due_timestamp_seconds{experiment=\"cut\"}").expect("due");
    assert!((due - at - 40.0).abs() < 1e-3, "{at} {due}");
    assert_eq!(rig.value("ordeal_experiment_reverted_timestamp_seconds{experiment=\"cut\"}"), None);
    assert_eq!(driver.unfinished(), ["cut"]);

    let Bit::Seen(seen) = driver.bit(&plan).await.expect("it bit") else { panic!("there is a bit command") };
    assert!(seen >= injected.end);
    assert_eq!(rig.states("cut"), ["injected"]);

    let reverted = driver.revert(&plan).await.expect("reverted").expect("there is a revert");
    assert!(!rig.broken());
    assert_eq!(rig.states("cut"), ["recovering"]);
    assert!(reverted.start >= seen && reverted.end >= reverted.start);
    assert!(driver.unfinished().is_empty());
    assert!(rig.value("ordeal_experiment_reverted_timestamp_seconds{experiment=\"cut\"}").is_some());

    assert_eq!(driver.apply(&cut.name, Event::Recover), Ok(State::Recovered));
    assert_eq!(rig.states("cut"), ["recovered"]);
    assert_eq!(rig.log(), "inject pg1 pg2\nrevert pg1 pg2\n");

    let report = serde_json::to_value(driver.report()).expect("a report");
    let entry = &report["experiments"][0];
    assert_eq!(entry["state"], "recovered");
    assert_eq!(entry["targets"], serde_json::json!(["pg1", "pg2"]));
    let steps: Vec<_> =
        entry["commands"].as_array().expect("a list").iter().map(|one| &one["step"]).collect();
    assert_eq!(steps, ["inject", "bit", "revert"]);
    let states: Vec<_> =
        entry["states"].as_array().expect("a list").iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["injected", "recovering", "recovered"]);
}

#[tokio::test]
async fn a_fault_without_revert_is_awaited_at_once() {
    let mut rig = Rig::new(&[("kill", "true", None, None)]);
    let mut driver = rig.driver().await;
    let kill = rig.experiments[0].clone();
    let plan = plan(&mut driver, &kill).await;
    inject(&mut driver, &plan).await.expect("injected");
    assert_eq!(driver.bit(&plan).await.expect("not checked"), Bit::Unchecked);
    assert!(driver.revert(&plan).await.expect("nothing to do").is_none());
    assert_eq!(rig.states("kill"), ["recovering"]);
    assert!(driver.unfinished().is_empty());
    assert_eq!(rig.value("ordeal_experiment_revert_due_timestamp_seconds{experiment=\"kill\"}"), None);
    assert_eq!(rig.value("ordeal_experiment_reverted_timestamp_seconds{experiment=\"kill\"}"), None);
    assert_eq!(driver.apply(&kill.name, Event::PassDeadline), Ok(State::NotRecovered));
}

#[tokio::test]
async fn a_fault_that_fails_is_put_back_at_once() {
    let half = "touch @/broken; echo out of reach >&2; exit 3";
    let cases = [
        ("fails", half, None, "fails had no effect: exit status 3: out of reach"),
        ("hangs", "touch @/broken; exec sleep 600", None, "hangs had no effect: killed at its time limit"),
        (
            "unseen",
            "touch @/broken",
            Some("echo still whole; false"),
            "unseen had no effect: it was not seen to take effect within 2s: exit status 1: still whole",
        ),
        (
            "cut-short",
            "touch @/broken",
            Some("test -e @/looked && exec sleep 600; touch @/looked; echo still whole; false"),
            "cut-short had no effect: it was not seen to take effect within 2s: exit status 1: still whole",
        ),
    ];
    for (fault, command, bit, expected) in cases {
        let mut rig = Rig::new(&[(fault, command, bit, Some(MEND))]);
        let mut driver = rig.driver().await;
        let experiment = rig.experiments[0].clone();
        let plan = plan(&mut driver, &experiment).await;
        let error = match inject(&mut driver, &plan).await {
            Ok(_) => driver.bit(&plan).await.expect_err("it does not bite"),
            Err(error) => error,
        };
        assert_eq!(error.to_string(), expected);
        assert_eq!((rig.broken(), rig.log().as_str()), (false, "revert pg1 pg2\n"), "{fault}");
        assert_eq!(rig.states(fault), ["ineffective"]);
        assert!(driver.unfinished().is_empty());
    }
}

#[tokio::test]
async fn a_revert_is_tried_again_and_counts_from_its_first_attempt() {
    let third = "echo x >>@/log; test $(wc -l <@/log) -ge 3 && rm -f @/broken";
    let mut rig = Rig::new(&[("cut", "touch @/broken", None, Some(third))]);
    let mut driver = rig.driver().await;
    let cut = rig.experiments[0].clone();
    let plan = plan(&mut driver, &cut).await;
    inject(&mut driver, &plan).await.expect("injected");
    let reverted = driver.revert(&plan).await.expect("reverted").expect("there is a revert");
    assert_eq!(reverted.outcomes.len(), 3);
    assert_eq!(reverted.start, reverted.outcomes[0].start);
    assert_eq!(reverted.end, reverted.outcomes[2].end);
    assert!(!rig.broken());
}

#[tokio::test]
async fn what_cannot_be_put_back_stays_in_the_journal_and_stops_all_others() {
    let mut rig = Rig::new(&[
        ("cut", "touch @/broken", None, Some("test -e @/key && rm -f @/broken")),
        ("next", "touch @/next", None, None),
    ]);
    let mut driver = rig.driver().await;
    let experiments = rig.experiments.clone();
    let cut = plan(&mut driver, &experiments[0]).await;
    inject(&mut driver, &cut).await.expect("injected");
    let error = driver.revert(&cut).await.expect_err("no key");
    assert!(chain(&error).contains("failed 3 times, the last time: exit status 1"), "{}", chain(&error));
    assert_eq!(driver.apply(&experiments[0].name, Event::PassDeadline), Ok(State::NotRecovered));

    let refusal = permit(&mut driver, &experiments[1].name).expect_err("something is broken");
    assert_eq!(refusal.to_string(), "not put back yet: cut (run `load-exporter recover`)");
    assert_eq!(rig.states("next"), ["refused"]);
    let refused =
        serde_json::to_value(driver.report()).expect("a report")["experiments"][1]["refused"].clone();
    assert_eq!(refused["kind"], "not_put_back");

    driver.put_back_unfinished().await.expect_err("still no key");
    fs::write(rig.folder.path().join("key"), "").expect("a key");
    let done = driver.put_back_unfinished().await.expect("put back");
    assert_eq!(done.len(), 1);
    assert!(!rig.broken() && driver.unfinished().is_empty());
}

#[tokio::test]
async fn an_abort_in_the_middle_of_an_injection_puts_back() {
    let slow = "touch @/broken; while [ ! -e @/go ]; do sleep 0.01; done; touch @/broken @/late";
    let mut rig = Rig::new(&[("cut", slow, None, Some(MEND)), ("next", "true", None, None)]);
    rig.experiments[0].fault = match rig.experiments[0].fault.clone() {
        Fault::Exec(fault) => Fault::Exec(ExecFault { timeout: Duration::from_mins(10), ..fault }),
    };
    let mut driver = rig.driver().await;
    let cut = rig.experiments[0].clone();
    let plan = plan(&mut driver, &cut).await;
    {
        let mut inject = std::pin::pin!(inject(&mut driver, &plan));
        let broken = async {
            while !rig.broken() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = &mut inject => panic!("the injection waits for a file"),
            () = broken => {}
        }
    }
    let done = driver.abort().await.expect("put back");
    assert_eq!(done.len(), 1);
    assert!(!rig.broken());
    assert_eq!((rig.states("cut"), rig.states("next")), (vec!["injected"], vec!["skipped"]));
    assert!(rig.value("ordeal_experiment_reverted_timestamp_seconds{experiment=\"cut\"}").is_some());
    let error = driver.check(&name("next"), &[(name("shop"), true)]).expect_err("nothing more begins");
    assert_eq!(error.to_string(), "next is skipped");
}

#[tokio::test]
async fn one_experiment_at_a_time_in_the_trials_order() {
    let mut rig = Rig::new(&[("first", "true", None, None), ("second", "true", None, None)]);
    let mut driver = rig.driver().await;
    let experiments = rig.experiments.clone();
    let second = experiments[1].clone();
    let first = plan(&mut driver, &experiments[0]).await;
    let twice = permit(&mut driver, &first.experiment).expect("its turn has not passed");
    inject(&mut driver, &first).await.expect("injected");
    driver.revert(&first).await.expect("nothing to put back");
    let refusal = permit(&mut driver, &second.name).expect_err("the first is under way");
    assert_eq!(refusal.to_string(), "first is still recovering");
    assert_eq!((rig.states("second"), rig.states("first")), (vec!["refused"], vec!["recovering"]));
    let error = driver.inject(&first, twice).await.expect_err("it had its turn");
    assert_eq!(
        chain(&error),
        "carry on with first: first is recovering: an experiment that is recovering cannot take Inject"
    );
    let error = driver.check(&first.experiment, &[]).expect_err("it had its turn");
    assert_eq!(error.to_string(), "first is recovering");
}

#[tokio::test]
async fn a_word_given_to_another_experiment_lets_nothing_begin() {
    let mut rig = Rig::new(&[("first", "touch @/broken", None, None), ("second", "true", None, None)]);
    let mut driver = rig.driver().await;
    let experiments = rig.experiments.clone();
    let first = plan(&mut driver, &experiments[0]).await;
    let others = Situation { components: &[], previous: &[], unfinished: &[] };
    let others = may_start(&experiments[1].name, &others, driver.clock.now()).expect("a word");
    let error = driver.inject(&first, others).await.expect_err("it is not for the first");
    let expected = "first was refused: it could not be begun: the guard's word was given to second";
    assert_eq!((error.to_string().as_str(), rig.broken()), (expected, false));
    assert_eq!(rig.states("first"), ["refused"]);
}

#[tokio::test]
async fn without_a_target_an_experiment_is_refused() {
    let cases = [
        ("true", "no target: the target command printed no instance"),
        (
            "echo 'pg1: no route' >&2 | cat",
            "no target: the target command printed no instance, but on standard error: pg1: no route",
        ),
        ("echo pg1; echo cannot ask >&2; exit 7", "the target command failed: exit status 7: cannot ask"),
        (
            "printf 'a\\001b'",
            "the target command failed: line 1 of the target command's output holds a control character",
        ),
        ("yes", "the target command failed: killed at its time limit: y | y | y | y | y"),
        (
            "head -c 70000 /dev/zero | tr '\\0' x",
            "the target command failed: it printed more than 65536 bytes",
        ),
    ];
    for (target, expected) in cases {
        let mut rig = Rig::new(&[("cut", "touch @/broken", None, None)]);
        let Fault::Exec(fault) = &mut rig.experiments[0].fault;
        fault.target = target.to_owned();
        let mut driver = rig.driver().await;
        let cut = rig.experiments[0].clone();
        let error = driver.prepare(&cut).await.expect_err("no target");
        assert_eq!(error.to_string(), format!("cut was refused: {expected}"));
        assert_eq!(rig.states("cut"), ["refused"]);
    }
}

#[tokio::test]
async fn a_process_that_takes_up_a_run_knows_what_the_last_one_did() {
    let mut rig = Rig::new(&[("cut", "touch @/broken", None, Some(MEND)), ("next", "true", None, None)]);
    let mut driver = rig.driver().await;
    assert!(!driver.resumed());
    let cut = rig.experiments[0].clone();
    let plan = plan(&mut driver, &cut).await;
    inject(&mut driver, &plan).await.expect("injected");
    let at = rig.value("ordeal_experiment_injected_timestamp_seconds{experiment=\"cut\"}").expect("injected");
    drop(driver);

    let mut driver = rig.driver().await;
    assert!(driver.resumed());
    assert_eq!((rig.states("cut"), rig.states("next")), (vec!["injected"], vec!["planned"]));
    let again =
        rig.value("ordeal_experiment_injected_timestamp_seconds{experiment=\"cut\"}").expect("injected");
    assert!((at - again).abs() < 0.01, "{at} {again}");
    driver.abort().await.expect("put back");
    assert!(!rig.broken());
    assert_eq!((rig.states("cut"), rig.states("next")), (vec!["injected"], vec!["skipped"]));
}

#[tokio::test]
async fn what_is_put_back_of_another_run_is_told_as_that_runs() {
    let mut rig = Rig::new(&[("cut", "true", None, Some(MEND))]);
    let journal = Journal::open(rig.folder.path()).await.expect("a journal");
    let intent = Intent {
        id: 0,
        run: "r0".into(),
        experiment: "cut".into(),
        token: rig.token().to_owned(),
        targets: vec!["pg1".into()],
        undo: Some(Undo::Exec(Mend { command: "true".into(), timeout_ms: 60_000 })),
        directory: rig.folder.path().to_owned(),
        at_unix_ms: 0,
    };
    journal.intend(move |id| Intent { id, ..intent }).await.expect("noted");
    drop(journal);
    let mut driver = rig.driver().await;
    assert_eq!(driver.put_back_unfinished().await.expect("put back").len(), 1);
    let report = serde_json::to_value(driver.report()).expect("a report");
    assert_eq!(report["put_back_at_start"], serde_json::json!(["cut of run r0"]));
    assert_eq!(rig.value("ordeal_experiment_reverted_timestamp_seconds{experiment=\"cut\"}"), None);
}

#[tokio::test]
async fn a_journal_that_cannot_be_used_lets_nothing_begin() {
    let mut rig = Rig::new(&[("cut", "touch @/broken", None, Some(MEND))]);
    fs::write(rig.folder.path().join(FILE), "rubbish\n").expect("a file");
    let metrics = Metrics::register(&rig.registry, &rig.experiments, &[]).expect("the families fit");
    let setup = Setup {
        clock: Clock::start(),
        journal: Journal::open(rig.folder.path()).await.expect("a journal"),
        run: "r1",
        token: rig.token(),
        experiments: &rig.experiments,
        components: vec![name("shop")],
        secrets: Secrets::default(),
        metrics,
        retry: Retry::default(),
    };
    let mut driver = Driver::open(setup).await.expect("what is readable is to be put back");
    let error = driver.put_back_unfinished().await.expect_err("damaged").to_string();
    assert!(error.contains("journal.jsonl:1: not a journal entry; it has 7 bytes"), "{error}");
    let plan = driver.prepare(&rig.experiments[0]).await.expect("a plan");
    let error = inject(&mut driver, &plan).await.expect_err("damaged").to_string();
    assert!(error.contains("is damaged: nothing begins before it is set aside"), "{error}");
    assert!(!rig.broken());
    let journal = fs::read_to_string(rig.folder.path().join(FILE)).expect("a journal");
    assert_eq!(journal, "rubbish\n", "it is left as it is");
    rig.registry = Registry::new();
}
