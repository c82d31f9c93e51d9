//! The machines: network namespaces behind one bridge.

use std::path::Path;

use crate::exec::{self, Error};
use crate::layout::{BRIDGE, HOST, Machine};

/// Makes the bridge and the machines.
pub(crate) fn create() -> Result<(), Error> {
    exec::run("ip", &["link", "add", BRIDGE, "type", "bridge"])?;
    exec::run("ip", &["address", "add", &format!("{HOST}/24"), "dev", BRIDGE])?;
    exec::run("ip", &["link", "set", BRIDGE, "up"])?;
    Machine::ALL.into_iter().try_for_each(create_machine)
}

fn create_machine(machine: Machine) -> Result<(), Error> {
    let name = machine.namespace();
    let name = name.as_str();
    let address = format!("{}/24", machine.address());
    exec::run("ip", &["netns", "add", name])?;
    exec::run("ip", &["link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name])?;
    exec::run("ip", &["link", "set", name, "master", BRIDGE, "up"])?;
    exec::run("ip", &["-n", name, "link", "set", "lo", "up"])?;
    exec::run("ip", &["-n", name, "address", "add", &address, "dev", "eth0"])?;
    set_link(machine, true)
}

/// Puts a machine's link up or down, from inside the machine: nothing on it reaches its peers or clients while
/// it is down, and the setting vanishes with the machine.
pub(crate) fn set_link(machine: Machine, up: bool) -> Result<(), Error> {
    let state = if up { "up" } else { "down" };
    exec::run("ip", &["-n", &machine.namespace(), "link", "set", "eth0", state]).map(drop)
}

/// Whether anything of the lab's network is there.
pub(crate) fn exists() -> bool {
    Path::new("/sys/class/net").join(BRIDGE).exists()
        || Machine::ALL.iter().any(|machine| Path::new(&machine.namespace_path()).exists())
}

/// Removes machines and bridge; what is not there is skipped. The machines' processes must be gone before, as
/// a namespace lives as long as a process in it.
pub(crate) fn remove() -> Result<(), Error> {
    for machine in Machine::ALL {
        if Path::new(&machine.namespace_path()).exists() {
            exec::run("ip", &["netns", "delete", &machine.namespace()])?;
        }
        remove_link(&machine.namespace())?;
    }
    remove_link(BRIDGE)
}

fn remove_link(name: &str) -> Result<(), Error> {
    let there = || Path::new("/sys/class/net").join(name).exists();
    if !there() {
        return Ok(());
    }
    match exec::run("ip", &["link", "delete", name]) {
        // The kernel takes a deleted namespace's links away on its own time and may win the race.
        Err(_) if !there() => Ok(()),
        other => other.map(drop),
    }
}
