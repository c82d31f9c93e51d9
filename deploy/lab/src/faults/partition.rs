//! A machine's link down: nothing on it reaches, or is reached by, its peers and its clients.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::Command;

use super::Error;
use crate::layout::{Machine, port};
use crate::netns;

fn machines(targets: &[String]) -> Result<Vec<Machine>, Error> {
    let machine = |target: &String| Machine::named(target).ok_or_else(|| Error::Unknown(target.clone()));
    targets.iter().map(machine).collect()
}

/// Cuts the targets off, or puts them back; either may be done already.
pub(super) fn set(targets: &[String], up: bool) -> Result<(), Error> {
    machines(targets)?.into_iter().try_for_each(|machine| netns::set_link(machine, up).map_err(Error::Link))
}

/// Whether new connections fail to the targets from every peer and from where clients are, while the service
/// that they go to lives.
pub(super) async fn is_cut_off(targets: &[String]) -> Result<bool, Error> {
    for machine in machines(targets)? {
        for from in Machine::ALL.into_iter().filter(|peer| *peer != machine).map(Some).chain([None]) {
            if reaches(from, machine).await {
                return Ok(false);
            }
        }
        // The same connection from the machine itself: the service is there, only the way is not.
        if !reaches(Some(machine), machine).await {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn reaches(from: Option<Machine>, to: Machine) -> bool {
    const WITHIN: Duration = Duration::from_millis(300);
    let address = to.at(port::SENTINEL);
    let Some(from) = from else {
        return tokio::time::timeout(WITHIN, TcpStream::connect(address))
            .await
            .is_ok_and(|stream| stream.is_ok());
    };
    let Ok(program) = std::env::current_exe() else { return false };
    let connecting = Command::new("nsenter")
        .arg(format!("--net={}", from.namespace_path()))
        .arg(program)
        .arg("connect")
        .arg(address.to_string())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .status();
    // Longer: two programs have to start before it connects.
    tokio::time::timeout(2 * WITHIN, connecting)
        .await
        .is_ok_and(|status| status.is_ok_and(|status| status.success()))
}
