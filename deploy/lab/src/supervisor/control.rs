//! Takes the commands.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::{Lab, health, lock};
use crate::control::{Action, Reply, Request};
use crate::interventions::Origin;
use crate::layout::Machine;
use crate::status::instance_name;

/// Starts listening.
pub(super) fn listen(lab: &Arc<Lab>) -> std::io::Result<()> {
    let socket = lab.layout.control_socket();
    let listener = UnixListener::bind(&socket)?;
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
    let lab = lab.clone();
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(serve(lab.clone(), stream));
                }
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "cannot accept a command");
                }
            }
        }
    });
    Ok(())
}

async fn serve(lab: Arc<Lab>, stream: UnixStream) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    if stream.read_line(&mut line).await.is_err() {
        return;
    }
    let (reply, stop) = match serde_json::from_str::<Request>(&line) {
        Ok(request) => (perform(&lab, &request).await, request.action == Action::Stop),
        Err(error) => (Reply::Refused(format!("not understood: {error}")), false),
    };
    if let Ok(mut text) = serde_json::to_string(&reply) {
        text.push('\n');
        if let Err(error) = stream.write_all(text.as_bytes()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a command left before its answer");
        }
    }
    if stop {
        lab.stop.cancel();
    }
}

async fn perform(lab: &Lab, request: &Request) -> Reply {
    if request.action.changes() {
        note(lab, &request.origin);
    }
    match &request.action {
        Action::Announce | Action::Stop => Reply::Done,
        Action::Health => Reply::Health(Box::pin(health::checks(lab)).await),
        Action::Machine(machine) => on_machine(lab, *machine),
        Action::Drain(machine) => drain(lab, *machine),
        Action::Uncordon(machine) => {
            lab.replicas().uncordon(*machine);
            Reply::Done
        }
        Action::Scale(wanted) => scale(lab, *wanted),
        Action::Restart(name) => restart(lab, name),
    }
}

fn note(lab: &Lab, origin: &Origin) {
    let intervention = lock(&lab.interventions).note(origin);
    tracing::info!(command = origin.command, run = origin.run, intervention, "operator command");
}

fn on_machine(lab: &Lab, machine: Machine) -> Reply {
    let replicas = lab.replicas();
    let here = replicas.all().iter().filter(|(_, replica)| replica.machine == Some(machine));
    let names = here.map(|(id, _)| instance_name(*id)).collect();
    Reply::Machine { drained: replicas.is_drained(machine), replicas: names }
}

fn drain(lab: &Lab, machine: Machine) -> Reply {
    let mut replicas = lab.replicas();
    let others = Machine::ALL.into_iter().filter(|other| *other != machine);
    if others.into_iter().all(|other| replicas.is_drained(other)) {
        return Reply::Refused(format!("{machine} is the last machine that may have replicas"));
    }
    replicas.drain(machine);
    Reply::Done
}

fn scale(lab: &Lab, wanted: u32) -> Reply {
    let (min, max) = (lab.autoscaler.min, lab.autoscaler.max);
    if !(min..=max).contains(&wanted) {
        return Reply::Refused(format!("the shop's autoscaler allows {min} to {max} replicas"));
    }
    lab.replicas().scale(wanted);
    Reply::Done
}

fn restart(lab: &Lab, name: &str) -> Reply {
    let Some(restart) = lab.restarts.get(name) else {
        let names = lab.restarts.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Reply::Refused(format!("there is no {name}; there are {names}"));
    };
    restart.notify_one();
    Reply::Done
}
