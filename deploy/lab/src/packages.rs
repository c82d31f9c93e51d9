//! The Debian packages that the lab is made of.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::exec;

const NEEDED: [&str; 13] = [
    "etcd-server",
    "haproxy",
    "iproute2",
    "patroni",
    "postgresql-15",
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-node-exporter",
    "prometheus-postgres-exporter",
    "prometheus-redis-exporter",
    "python3-etcd",
    "redis-sentinel",
    "redis-server",
];

/// Units that these packages would start on their own.
const SERVICES: [&str; 10] = [
    "etcd",
    "haproxy",
    "patroni",
    "postgresql",
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-node-exporter",
    "prometheus-postgres-exporter",
    "prometheus-redis-exporter",
    "redis-server",
];

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Why packages could not be installed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("install packages")]
    Run(#[from] exec::Error),
    #[error("keep services from starting: write {POLICY}")]
    Policy(#[source] std::io::Error),
    #[error("apt-get ended with {0}")]
    Apt(std::process::ExitStatus),
    #[error("start apt-get")]
    NoApt(#[source] std::io::Error),
}

/// The packages that are missing, of the lab's and of `others`.
pub(crate) fn missing(others: &[String]) -> Vec<String> {
    let wanted: Vec<&str> = NEEDED.into_iter().chain(others.iter().map(String::as_str)).collect();
    let format = "-f=${Package} ${db:Status-Status}\n";
    let listed =
        Command::new("dpkg-query").arg("-W").arg(format).args(&wanted).stderr(Stdio::null()).output();
    let text = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    not_installed(&wanted, &text)
}

// dpkg-query leaves out what it has never heard of.
fn not_installed(wanted: &[&str], listing: &str) -> Vec<String> {
    let installed: BTreeSet<&str> =
        listing.lines().filter_map(|line| line.strip_suffix(" installed")).collect();
    wanted.iter().filter(|package| !installed.contains(*package)).map(ToString::to_string).collect()
}

/// Installs packages without letting their services start; those that were running before are left alone.
pub(crate) fn install(packages: &[String]) -> Result<(), Error> {
    let running_before = running();
    let policy = Policy::deny_starts()?;
    apt(&["update", "-q"])?;
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    apt(&[&["install", "-q", "-y", "--no-install-recommends"], packages.as_slice()].concat())?;
    drop(policy);
    stop_new(&running_before)
}

fn apt(arguments: &[&str]) -> Result<(), Error> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .map_err(Error::NoApt)?;
    if status.success() { Ok(()) } else { Err(Error::Apt(status)) }
}

fn has_systemd() -> bool {
    Path::new("/run/systemd/system").exists()
}

fn running() -> BTreeSet<&'static str> {
    let active = |service: &&str| exec::run("systemctl", &["is-active", "--quiet", service]).is_ok();
    if has_systemd() { SERVICES.into_iter().filter(active).collect() } else { BTreeSet::new() }
}

// A policy of the administrator's own may have allowed a start.
fn stop_new(running_before: &BTreeSet<&str>) -> Result<(), Error> {
    for service in running().into_iter().filter(|service| !running_before.contains(service)) {
        exec::run("systemctl", &["disable", "--now", service])?;
    }
    Ok(())
}

/// Debian's way to say that no service may be started by an installation; taken back when dropped.
struct Policy {
    ours: bool,
}

impl Policy {
    fn deny_starts() -> Result<Self, Error> {
        let created = std::fs::OpenOptions::new().write(true).create_new(true).open(POLICY);
        match created {
            Ok(mut file) => {
                let policy = Self { ours: true };
                file.write_all(b"#!/bin/sh\nexit 101\n").map_err(Error::Policy)?;
                file.set_permissions(std::fs::Permissions::from_mode(0o755)).map_err(Error::Policy)?;
                Ok(policy)
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Self { ours: false }),
            Err(error) => Err(Error::Policy(error)),
        }
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        if self.ours {
            let _ = std::fs::remove_file(POLICY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_and_unknown_packages_are_missing() {
        let all = NEEDED.map(|package| format!("{package} installed\n")).concat();
        assert!(not_installed(&NEEDED, &all).is_empty());
        let some =
            all.replace("haproxy installed", "haproxy config-files").replace("patroni installed\n", "");
        assert_eq!(not_installed(&NEEDED, &some), ["haproxy", "patroni"]);
    }
}
