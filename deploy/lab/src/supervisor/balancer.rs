//! Holds `HAProxy`'s places to the replicas that there are, also after `HAProxy` itself came back.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::{Lab, lock, shop};
use crate::balancing::{Load, Mode, Places, commands, parse_loads, parse_slots};
use crate::replicas::{Id, Phase};

const PERIOD: Duration = Duration::from_millis(100);

/// Keeps the places right until the supervision ends.
pub(super) async fn keep(lab: Arc<Lab>) {
    let stop = lab.stop.clone();
    stop.run_until_cancelled(keep_on(&lab)).await;
}

async fn keep_on(lab: &Lab) {
    let mut places = Places::default();
    let mut answered = true;
    loop {
        let result = tokio::time::timeout(Duration::from_secs(1), converge(lab, &mut places)).await;
        let error = match result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(late) => Some(late.into()),
        };
        if answered != error.is_none() {
            answered = error.is_none();
            let error = error.as_ref().map(|error| error as &dyn std::error::Error);
            tracing::info!(answered, error, "haproxy");
        }
        // Its checks are asked for at this pace; nobody tells when one changes.
        tokio::time::sleep(PERIOD).await;
    }
}

async fn converge(lab: &Lab, places: &mut Places) -> std::io::Result<()> {
    let wanted = wanted(lab);
    places.seat(&wanted.keys().copied().collect());
    let slots = parse_slots(&ask(lab, "show servers state shop").await?);
    let commands = commands(places, &wanted, &slots);
    if !commands.is_empty() {
        let answer = ask(lab, &commands.join(";")).await?;
        tracing::debug!(commands = commands.join("; "), answer = answer.trim(), "haproxy told");
    }
    let loads = parse_loads(&ask(lab, "show stat shop 4 -1").await?);
    note_loads(lab, places, &loads);
    Ok(())
}

fn wanted(lab: &Lab) -> BTreeMap<Id, (SocketAddrV4, Mode)> {
    let replicas = lab.replicas();
    let mut wanted = BTreeMap::new();
    for (id, replica) in replicas.all().iter().filter(|(_, replica)| replica.admitted) {
        let Some(machine) = replica.machine else { continue };
        let mode = if matches!(replica.phase, Phase::Running(_)) { Mode::Ready } else { Mode::Drain };
        wanted.insert(*id, (shop::address(*id, machine), mode));
    }
    wanted
}

fn note_loads(lab: &Lab, places: &Places, loads: &[Load]) {
    let seated = |load: &Load| places.in_slot(&load.name).map(|id| (id, load.in_flight));
    *lock(&lab.in_flight) = loads.iter().filter_map(seated).collect();
    *lock(&lab.balanced) = loads.iter().filter(|load| load.up).count();
}

async fn ask(lab: &Lab, command: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(lab.layout.haproxy_socket()).await?;
    stream.write_all(format!("{command}\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
