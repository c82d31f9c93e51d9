//! Holds the exposition of a run to `metrics.prom`, the contract between exporter, verifier, dashboards and
//! alerts: names, types, help, labels and their values. Values of samples are all written as 0.
//!
//! After a wanted change: `UPDATE_GOLDEN=1 cargo test -p exporter --test exposition`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use exporter::chaos::driver::{Driver, Setup};
use exporter::chaos::journal::Journal;
use exporter::chaos::putback::Retry;
use exporter::clock::Clock;
use exporter::conductor::Phase;
use exporter::health::Health;
use exporter::health::tracker::{Seconds, Since};
use exporter::ledger::Ledgers;
use exporter::load::Load;
use exporter::trial::{self, Name, ProcessEnvironment, Trial};
use exporter::{chaos, cluster, conductor, health};
use prometheus::proto::MetricFamily;
use prometheus::{Registry, TextEncoder};
use tokio_util::sync::CancellationToken;

const HEADER: &str = "\
# What a run of deploy/lab/trial.yaml exposes once all of it has happened, every value written as 0: the
# contract between the load exporter and the SLO verifier, the dashboards and the alerts.
# exporter/tests/exposition.rs holds the code to it. After a wanted change, write it anew:
# UPDATE_GOLDEN=1 cargo test -p exporter --test exposition
";

/// What the lab's status document looks like.
const STATUS: &str = r#"{"workloads":[{"name":"shop","desired":3,"instances":[
    {"id":"shop-1","node":"n1","ready":true}]}],
    "autoscalers":[{"name":"shop","workload":"shop","min":3,"max":10,"current":3,"desired":3,
    "utilization":0.31,"target_utilization":0.5}],
    "interventions":{"watched_seconds":81.2,"kinds":{"command":0}}}"#;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// All families of a run of `trial` in which everything has happened, without asking any of its stores.
async fn families(trial: Trial) -> Vec<MetricFamily> {
    let (clock, registry) = (Clock::start(), Registry::new());
    let trial = Arc::new(trial);
    let folder = tempfile::tempdir().expect("a temporary folder");
    conduct(&trial, clock, &registry);
    experiment(&trial, clock, &registry, folder.path()).await;
    // Probes are spawned by rooms that start; a cancelled run, left without another await, sends none.
    let stop = CancellationToken::new();
    let feed = read_status(clock, &registry, &stop).await;
    let _ledgers = Ledgers::open(&trial, "7f3a91", clock, &registry, folder.path()).expect("ledgers open");
    let _load = Load::new(Arc::clone(&trial), clock, &registry).expect("the load is ready");
    stop.cancel();
    let health = Health::start(&trial, clock, &registry, feed, &stop).expect("health starts");
    recoveries(&trial, &health);
    let mut families = registry.gather();
    families.extend(leaders(&families));
    families.sort_by(|a, b| a.name().cmp(b.name()));
    families
}

fn conduct(trial: &Trial, clock: Clock, registry: &Registry) {
    let metrics = conductor::Metrics::register(registry, clock, "7f3a91", trial, "");
    let metrics = metrics.expect("free names");
    for phase in Phase::ALL {
        metrics.entered(phase, 0.0);
    }
    metrics.ended(0.0);
}

async fn experiment(trial: &Trial, clock: Clock, registry: &Registry, folder: &Path) {
    let ledgers: Vec<&Name> = trial.ledgers.iter().map(|ledger| &trial.store(ledger.store).name).collect();
    let metrics = chaos::metrics::Metrics::register(registry, &trial.experiments, &ledgers);
    let driver = Driver::open(Setup {
        clock,
        journal: Journal::open(folder).await.expect("a journal"),
        run: "7f3a91",
        token: "token",
        experiments: &trial.experiments,
        stores: Vec::new(),
        components: trial.components.iter().map(|component| component.name.clone()).collect(),
        secrets: trial.secrets.clone(),
        cluster: None,
        metrics: metrics.expect("free names"),
        retry: Retry::default(),
    });
    let driver = driver.await.expect("the journal opens");
    let metrics = driver.metrics();
    for experiment in &trial.experiments {
        let name = experiment.name.as_str();
        metrics.set_injected(name, 0.0);
        if experiment.fault.is_reverted() {
            metrics.revert_due_by(name, 0.0);
            metrics.set_reverted(name, 0.0);
        }
    }
}

fn recoveries(trial: &Trial, health: &Health) {
    let never = Seconds::more_than(Duration::ZERO);
    for experiment in &trial.experiments {
        for component in &experiment.components {
            health.note_recovery(&experiment.name, component.get(), Since::Injected, never);
            if experiment.fault.is_reverted() {
                health.note_recovery(&experiment.name, component.get(), Since::Reverted, never);
            }
        }
    }
}

/// Reads a status document such as the lab's.
async fn read_status(clock: Clock, registry: &Registry, stop: &CancellationToken) -> cluster::Cluster {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/status", listener.local_addr().expect("bound"));
    let json = || async { ([("content-type", "application/json")], STATUS) };
    let server = Router::new().route("/status", get(json));
    tokio::spawn(async move { axum::serve(listener, server).await });
    let url = url.parse().expect("a URL");
    let source = Some(cluster::Source::Document(url));
    let mut cluster = cluster::start(source, clock, registry, stop.clone()).expect("it starts");
    let read = |status: &Option<cluster::Status>| status.as_ref().is_some_and(|it| it.document.is_ok());
    cluster.feed.wait_for(read).await.expect("it is read");
    cluster
}

/// What is absent until an instance led: the moment since which it leads, for every store that is watched.
fn leaders(families: &[MetricFamily]) -> Vec<MetricFamily> {
    let registry = Registry::new();
    let metrics = health::metrics::Metrics::register(&registry).expect("free names");
    let watched = families.iter().find(|family| family.name() == "ordeal_writable_instances");
    for series in watched.expect("instances are watched").get_metric() {
        metrics.store(series.get_label()[0].value()).leader_since(0.0);
    }
    let led = |family: &MetricFamily| family.name() == "ordeal_leader_since_timestamp_seconds";
    registry.gather().into_iter().filter(led).collect()
}

/// The text of `families` with every value 0.
fn text(families: &[MetricFamily]) -> String {
    let text = TextEncoder::new().encode_to_string(families).expect("families are complete");
    let line = |line: &str| match line.rsplit_once(' ') {
        Some((series, _)) if !line.starts_with('#') => format!("{series} 0\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn lab_trial() -> Trial {
    trial::read(&here("../deploy/lab/trial.yaml"), &ProcessEnvironment).expect("the lab's trial is sound")
}

#[tokio::test]
async fn a_run_exposes_what_the_golden_file_says() {
    let exposed = format!("{HEADER}{}", text(&families(lab_trial()).await));
    let golden = here("metrics.prom");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &exposed).expect("writable");
    }
    let golden = std::fs::read_to_string(&golden).expect("metrics.prom");
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (has, due) = (lines(&exposed), lines(&golden));
    let only = |one: &BTreeSet<String>, other| one.difference(other).cloned().collect::<Vec<_>>().join("\n");
    assert!(
        exposed == golden,
        "not as in metrics.prom (UPDATE_GOLDEN=1 writes it anew)\nmissing:\n{}\nnew:\n{}",
        only(&due, &has),
        only(&has, &due)
    );
    lint(&golden);
}

/// promtool has nothing to say against `exposition`.
fn lint(exposition: &str) {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = promtool.spawn().expect("promtool is installed (Debian package prometheus)");
    child.stdin.take().expect("piped").write_all(exposition.as_bytes()).expect("promtool reads");
    let output = child.wait_with_output().expect("promtool ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", output.status);
}
