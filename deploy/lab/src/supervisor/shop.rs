//! Runs the shop's replicas: carries out what [`crate::replicas`] decides.

use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;

use super::{Lab, lock, unit};
use crate::configs::prometheus::{self, Target};
use crate::http;
use crate::layout::{DATABASE, Machine, ROLE, on_host, port};
use crate::procs::Process;
use crate::program::{NICE_SHOP, Program};
use crate::replicas::{Id, Step};
use crate::status::instance_name;

const TICK: Duration = Duration::from_millis(100);
const CHECK_PERIOD: Duration = Duration::from_millis(250);
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// Where a replica listens.
pub(super) fn address(id: Id, machine: Machine) -> SocketAddrV4 {
    let offset = u16::try_from(id % 10_000).unwrap_or_default();
    machine.at(port::REPLICA_BASE + offset)
}

/// Keeps the replicas right until the supervision ends. The shop starts when it has a database.
pub(super) async fn keep(lab: Arc<Lab>) {
    let stop = lab.stop.clone();
    stop.run_until_cancelled(keep_on(lab)).await;
}

async fn keep_on(lab: Arc<Lab>) {
    // The sender lives as long as the lab: there is always an answer.
    let _ = lab.database_ready.subscribe().wait_for(|ready| *ready).await;
    let mut listed = Vec::new();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let in_flight = lock(&lab.in_flight).clone();
        let steps = lab.replicas().tick(lab.now(), |id| in_flight.get(&id).copied().unwrap_or(0));
        for step in steps {
            perform(&lab, step);
        }
        list_for_prometheus(&lab, &mut listed);
    }
}

fn perform(lab: &Arc<Lab>, step: Step) {
    match step {
        Step::Start(id, machine) => start(lab, id, machine),
        Step::End(id) => signal(lab, id, Signal::TERM),
        Step::Kill(id) => signal(lab, id, Signal::KILL),
    }
}

fn signal(lab: &Lab, id: Id, signal: Signal) {
    let name = instance_name(id);
    tracing::info!(name, ?signal, "ending");
    if let Some(process) = Process::read(&lab.layout.pid_file(&name)) {
        process.signal(signal);
    }
}

fn start(lab: &Arc<Lab>, id: Id, machine: Machine) {
    let name = instance_name(id);
    let child = program(lab, id, machine).spawn(&lab.layout);
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            tracing::error!(name, error = &error as &dyn std::error::Error, "cannot start");
            lab.replicas().exited(id);
            return;
        }
    };
    unit::note(lab, &name, child.id());
    tracing::info!(name, machine = %machine, pid = child.id(), "started");
    let lab = lab.clone();
    tokio::spawn(async move {
        let status = tokio::select! {
            status = child.wait() => status,
            () = check(&lab, id, machine) => return,
        };
        lab.replicas().exited(id);
        let _ = std::fs::remove_file(lab.layout.pid_file(&name));
        tracing::info!(name, status = ?status.map(|status| status.to_string()), "ended");
    });
}

fn program(lab: &Lab, id: Id, machine: Machine) -> Program {
    let (postgres, redis) = (on_host(port::POSTGRES), on_host(port::REDIS));
    let words = [
        lab.layout.bin().join("shop").display().to_string(),
        format!("--listen={}", address(id, machine)),
        format!("--postgres=postgres://{ROLE}@{postgres}/{DATABASE}"),
        format!("--redis=redis://{redis}"),
        format!("--instance={}", instance_name(id)),
    ];
    Program {
        name: instance_name(id),
        machine: Some(machine),
        user: "nobody",
        nice: NICE_SHOP,
        words: words.to_vec(),
        environment: Vec::new(),
        folder: lab.layout.dir().to_path_buf(),
    }
}

/// Checks a replica's readiness from outside its machine until the supervision ends.
async fn check(lab: &Lab, id: Id, machine: Machine) {
    let checking = async {
        loop {
            let began = tokio::time::Instant::now();
            let answer = http::get(address(id, machine), "/readyz", CHECK_TIMEOUT).await;
            let ready = answer.is_some_and(|answer| answer.status == 200);
            lab.replicas().checked(id, ready, lab.now());
            tokio::time::sleep_until(began + CHECK_PERIOD).await;
        }
    };
    lab.stop.run_until_cancelled(checking).await;
}

fn list_for_prometheus(lab: &Lab, listed: &mut Vec<Id>) {
    let started: Vec<(Id, Machine)> =
        lab.replicas().all().iter().filter_map(|(id, replica)| Some((*id, replica.machine?))).collect();
    let ids: Vec<Id> = started.iter().map(|(id, _)| *id).collect();
    if ids == *listed {
        return;
    }
    let target = |(id, machine): &(Id, Machine)| Target {
        instance: instance_name(*id),
        machine: *machine,
        address: address(*id, *machine),
    };
    let targets: Vec<Target> = started.iter().map(target).collect();
    match prometheus::replace(&prometheus::replicas_file(&lab.layout), &prometheus::replicas(&targets)) {
        Ok(()) => *listed = ids,
        Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "cannot list the replicas"),
    }
}
