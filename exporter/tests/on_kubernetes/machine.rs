//! The machine under the primary dies, with everything on it: the fault is the user's own command, and the
//! conductor is outside of the cluster.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::SHOP;
use super::cluster::{Cluster, kubectl, scratch, try_kubectl, until};

/// A command that is given `NODE stop` and `NODE start`, and kills and revives the machine of that name.
const POWER: &str = "ORDEAL_NODE_POWER";

#[test]
#[ignore = "breaks things on a cluster: make test-kubernetes"]
fn the_stores_recover_from_the_death_of_the_primarys_machine() {
    let Ok(power) = std::env::var(POWER) else {
        eprintln!("skipped: {POWER} names no command that stops and starts a node");
        return;
    };
    let Some(_cluster) = Cluster::with_shop() else { return };
    let folder = scratch("machine");
    let trial = folder.join("trial.yaml");
    fs::write(&trial, from_outside(&format!("{SHOP}{}", dead_machine(&power))))
        .expect("the trial is written");
    let run = Command::new(env!("CARGO_BIN_EXE_load-exporter"))
        .args([
            "run",
            "--run-id",
            "machine",
            "--no-wait-for-scrape",
            "--linger",
            "0s",
            "--web.listen-address",
            "127.0.0.1:0",
        ])
        .args(["--dir", "run"])
        .arg(&trial)
        .current_dir(&folder)
        .output()
        .expect("the conductor runs");
    let told = String::from_utf8_lossy(&run.stderr);
    until("every node is ready", Duration::from_mins(3), || {
        let ready = r#"{.items[*].status.conditions[?(@.type=="Ready")].status}"#;
        try_kubectl(&["get", "nodes", "-o", &format!("jsonpath={ready}")])
            .is_ok_and(|states| states.split(' ').all(|state| state == "True"))
    });
    let report = fs::read(folder.join("run/machine/chaos.json"));
    let report = report.unwrap_or_else(|error| panic!("chaos.json: {error}\n{told}"));
    let report: Value = serde_json::from_slice(&report).expect("chaos.json is JSON");
    let experiment = &report["experiments"][0];
    assert_eq!(experiment["state"], "recovered", "{experiment:#}\n{told}");
    let recovered = experiment["recoveries"].as_array().expect("recoveries");
    let outage = recovered.iter().find(|it| it["component"] == "postgres").expect("the store's recovery");
    assert!(outage["lower_seconds"].as_f64() > Some(0.0), "the store's clients notice: {outage:#}");
    let audits = report["audits"].as_array().expect("audits");
    let complete =
        audits.iter().filter(|audit| audit["experiment"].is_null() && audit["result"] == "complete");
    let lost: Vec<_> = complete.map(|audit| &audit["audit"]["worst"]["lost"]).collect();
    assert_eq!(lost, [0, 0], "of both stores\n{:#}", report["audits"]);
}

/// The experiment.
fn dead_machine(power: &str) -> String {
    format!(
        r"
after: 5s
settle: 15s
experiments:
  - name: dead-machine
    components: [shop, replicas, postgres, redis, postgres-members, redis-members]
    deadline: 300s
    hold: 90s
    exec:
      target: kubectl -n shop get pods -l role=master -o jsonpath='{{.items[0].spec.nodeName}}'
      inject: {power} $ORDEAL_TARGETS stop
      revert: {power} $ORDEAL_TARGETS start
      timeout: 2m
"
    )
}

/// The trial with addresses that are known outside of the cluster.
fn from_outside(trial: &str) -> String {
    ["shop", "postgres", "redis"].iter().fold(trial.to_owned(), |trial, service| {
        let address = kubectl(&["-n", "shop", "get", "service", service, "-o", "jsonpath={.spec.clusterIP}"]);
        trial.replace(&format!("{service}.shop.svc.cluster.local"), &address)
    })
}
