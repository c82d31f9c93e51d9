//! Experiments on a service that a file breaks: carried out, interrupted, and cut off.

use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Exporter, System, value};

/// A trial with a component and `experiments`.
fn trial(system: &System, experiments: &str) -> PathBuf {
    let rest = format!(
        "components:\n  - {{name: shop, http: /healthz, interval: 20ms}}\n\
         after: 0s\nsettle: 1s\nexperiments:\n{experiments}"
    );
    system.trial("1s", &rest)
}

/// Its commands write down that they ran.
fn breaking(name: &str, hold: &str, target: &str, bit: &str) -> String {
    let trace = "echo $ORDEAL_EXPERIMENT $ORDEAL_STEP >>trace;";
    format!(
        "  - name: {name}\n    components: [shop]\n    deadline: 60s\n    hold: {hold}\n    exec:\n      \
         target: \"echo target >>trace; {target}\"\n      inject: {trace} touch broken\n      \
         bit: {trace} {bit}\n      revert: {trace} rm -f broken\n      timeout: 2s\n"
    )
}

fn state(experiment: &str, state: &str) -> String {
    format!(r#"ordeal_experiment_state{{experiment="{experiment}",state="{state}"}} 1"#)
}

/// An instant of the report, in seconds.
fn at(experiment: &Value, key: &str) -> f64 {
    experiment[key]["run_seconds"].as_f64().unwrap_or_else(|| panic!("{key} is not in {experiment}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn experiments_are_carried_out_and_their_recoveries_told_with_bounds() {
    let system = System::start().await;
    // The target command of the last one takes so long that the system has meanwhile broken by itself.
    let meanwhile = "rm -f seen; touch broken; until test -e seen; do sleep 0.05; done; echo shop";
    let experiments = [
        breaking("no-bite", "0s", "echo shop", "false"),
        // Its injection goes on until probes have seen the service broken.
        breaking("break-it", "1s", "echo shop", "test -e broken")
            .replace(" touch broken", " rm -f seen; touch broken; until test -e seen; do sleep 0.05; done")
            .replace("timeout: 2s", "timeout: 1m"),
        breaking("too-late", "0s", meanwhile, "test -e broken"),
    ];
    let mut exporter = Exporter::start(&system, &trial(&system, &experiments.concat()));
    let last = exporter.until(&[r#"ordeal_run_phase{phase="finished"} 1"#]).await;
    let status = exporter.ended().await;
    assert!(status.success(), "{status}\n{}", exporter.said());

    let chaos = system.result("chaos.json");
    let [no_bite, break_it, too_late] = [0, 1, 2].map(|index| &chaos["experiments"][index]);
    assert_eq!(no_bite["state"], "ineffective", "{chaos:#}");
    assert_eq!(break_it["state"], "recovered", "it began once all was calm again: {chaos:#}");
    assert_eq!((&too_late["state"], &too_late["refused"]["kind"]), (&"refused".into(), &"degraded".into()));
    assert_eq!(too_late["injected"], Value::Null, "{chaos:#}");
    for (name, expected) in [("no-bite", "ineffective"), ("break-it", "recovered"), ("too-late", "refused")] {
        assert!(last.contains(&state(name, expected)), "{name}\n{last}");
    }

    let warned =
        ["no-bite ended as ineffective: its fault", "too-late ended as refused: the system is already"];
    for warning in warned {
        assert!(exporter.said().contains(&format!("warning: experiment {warning}")), "{}", exporter.said());
    }
    assert!(!exporter.said().contains("break-it ended as"), "{}", exporter.said());

    assert_in_order(&system, &last, &chaos);
    // The service was broken from within the injection until within the revert.
    let (start, end) = (at(break_it, "injected"), at(break_it, "injection_ended"));
    let (reverted, whole) = (at(break_it, "reverted"), at(break_it, "revert_ended"));
    assert!(reverted - start >= 1.0, "it was held: {break_it:#}");
    for (since, earliest, latest) in
        [("injected", reverted - end, whole - start), ("reverted", 0.0, whole - reverted)]
    {
        let labels = format!(r#"{{component="shop",experiment="break-it",since="{since}"}}"#);
        let exposed = |name: &str| value(&last, &format!("ordeal_recovery_{name}{labels}"));
        let (lower, upper) = (exposed("lower_seconds"), exposed("upper_seconds"));
        assert!(lower <= latest && earliest <= upper, "{since}: [{lower}, {upper}] [{earliest}, {latest}]");
        assert!((lower..=upper).contains(&exposed("seconds")), "{since}: {last}");
        let recoveries = break_it["recoveries"].as_array().expect("a list");
        let told = recoveries.iter().find(|it| it["component"] == "shop" && it["since"] == since);
        let told = told.unwrap_or_else(|| panic!("{since}: {break_it:#}"));
        let told = (told["lower_seconds"].as_f64(), told["upper_seconds"].as_f64());
        let near = |told: Option<f64>, exposed: f64| told.is_some_and(|told| (told - exposed).abs() < 1e-6);
        assert!(near(told.0, lower) && near(told.1, upper), "{since}: {told:?} is not [{lower}, {upper}]");
    }
}

/// What was done when, and what was seen meanwhile, as told by the commands, the metrics and the report.
fn assert_in_order(system: &System, last: &str, chaos: &Value) {
    let trace = std::fs::read_to_string(system.path("trace")).expect("commands ran");
    let mut ran: Vec<&str> = trace.lines().collect();
    ran.dedup();
    let of = |name: &str| ["inject", "bit", "revert"].map(|step| format!("{name} {step}"));
    let expected = [&["target".to_owned()][..], &of("no-bite"), &["target".to_owned()], &of("break-it")];
    assert_eq!(ran, [&expected.concat()[..], &["target".to_owned()]].concat());

    // An outage that begins during an injection is the experiment's; the last target command is no experiment.
    for (cause, count) in [("experiment", 2.0), ("none", 1.0)] {
        let series = format!(r#"ordeal_component_outages_total{{cause="{cause}",component="shop"}}"#);
        assert!((value(last, &series) - count).abs() < 0.5, "{cause}: {last}");
    }

    let began =
        |phase: &str| value(last, &format!(r#"ordeal_run_phase_start_timestamp_seconds{{phase="{phase}"}}"#));
    let phases = ["preflight", "ramp", "steady", "experiments", "cooldown", "audit", "finished"].map(began);
    assert!(phases.is_sorted(), "{phases:?}");
    let [.., experiments, cooldown, _, _] = phases;
    for experiment in chaos["experiments"].as_array().expect("a list") {
        for change in experiment["states"].as_array().expect("a list") {
            let at = change["at"]["unix_seconds"].as_f64().expect("an instant");
            assert!((experiments..=cooldown).contains(&at), "{experiments} {cooldown}: {experiment:#}");
        }
    }
}

/// Waits until `break-it` is in place.
async fn broken(exporter: &mut Exporter, system: &System) {
    let down = r#"ordeal_component_up{component="shop"} 0"#;
    exporter.until(&[&state("break-it", "injected"), down]).await;
    assert!(system.is_broken());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_in_the_middle_of_an_experiment_puts_it_back_first() {
    ends_in_order(Signal::INT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_terminal_in_the_middle_of_an_experiment_puts_it_back_first() {
    ends_in_order(Signal::HUP).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quit_in_the_middle_of_an_experiment_puts_it_back_first() {
    ends_in_order(Signal::QUIT).await;
}

/// An experiment that a signal interrupts is put back, then audited.
async fn ends_in_order(signal: Signal) {
    let system = System::start().await;
    let experiment = breaking("break-it", "10m", "echo shop", "test -e broken").replace("60s", "20m");
    let mut exporter = Exporter::start(&system, &trial(&system, &experiment));
    broken(&mut exporter, &system).await;
    exporter.signal(signal);
    let last = exporter.until(&[r#"ordeal_run_phase{phase="aborted"} 1"#]).await;
    assert!(!system.is_broken(), "it is put back by then");
    let reverted = value(&last, r#"ordeal_experiment_reverted_timestamp_seconds{experiment="break-it"}"#);
    let audit = value(&last, r#"ordeal_run_phase_start_timestamp_seconds{phase="audit"}"#);
    assert!(reverted <= audit, "the revert comes first");
    assert_eq!(exporter.ended().await.code(), Some(130), "{}", exporter.said());
    assert!(exporter.said().contains("interrupted; nothing is left broken"), "{}", exporter.said());
    let chaos = system.result("chaos.json");
    assert!(chaos["experiments"][0]["revert_ended"].is_object(), "{chaos:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_exporter_left_broken_is_put_back_by_recover() {
    let system = System::start().await;
    let experiment = breaking("break-it", "10m", "echo shop", "test -e broken").replace("60s", "20m");
    let mut exporter = Exporter::start(&system, &trial(&system, &experiment));
    broken(&mut exporter, &system).await;
    exporter.signal(Signal::KILL);
    assert_eq!(exporter.ended().await.code(), None);
    assert!(system.is_broken(), "nobody was left to put it back");

    let (code, said) = system.run(&["recover", "--dir", "run"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("put back: break-it of run "), "{said}");
    assert!(!system.is_broken());
    let (code, said) = system.run(&["recover", "--dir", "run"]).await;
    assert_eq!((code, said.trim()), (Some(0), "nothing to put back in run"));

    for elsewhere in ["run/latest", ".", "nowhere", "trial.yaml"] {
        let (code, said) = system.run(&["recover", "--dir", elsewhere]).await;
        let expected = format!("no journal.jsonl in {elsewhere}: give the working folder");
        assert!(code == Some(1) && said.contains(&expected), "{code:?} {said}");
    }
}

/// It is ready all along: that it is to be replaced is all that tells it from one that serves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_hit_and_never_replaced_is_told_as_not_recovered() {
    let system = System::start().await;
    let rest = format!(
        "status: http://{}/status\ncomponents:\n  - {{name: replicas, replicas: shop}}\nafter: 0s\nsettle: 1s\n\
         experiments:\n  - name: hit\n    components: [replicas]\n    deadline: 2s\n    replaced: true\n    exec:\n      \
         target: echo shop-1\n      inject: \"true\"\n      bit: \"true\"\n",
        system.address
    );
    let mut exporter = Exporter::start(&system, &system.trial("1s", &rest));
    let status = exporter.ended().await;
    assert!(status.success(), "{status}\n{}", exporter.said());
    let chaos = system.result("chaos.json");
    assert_eq!(chaos["experiments"][0]["state"], "not_recovered", "{chaos:#}");
}
