//! Real stores, started by the tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Signal, geteuid};

use crate::process::Process;

/// A program of PostgreSQL: Debian keeps the newest here, elsewhere it is on the path.
pub(crate) fn postgres_program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let programs = versions.filter_map(|entry| entry.ok()?.path().join("bin").join(name).canonicalize().ok());
    programs.max().unwrap_or_else(|| name.into())
}

/// The program `name` of PostgreSQL, which refuses to run as root: then `folder` becomes its user's.
pub(crate) fn postgres_command(name: &str, folder: &Path) -> Command {
    const USER: &str = "postgres";
    let program = postgres_program(name);
    if !geteuid().is_root() {
        return Command::new(program);
    }
    done(Command::new("chown").arg(USER).arg(folder));
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={USER}"), format!("--regid={USER}"), "--init-groups".to_owned()]);
    command.arg("--").arg(program);
    command
}

/// Makes a cluster in `folder` that is the role `owner`'s and trusts everybody.
pub(crate) fn make_cluster(folder: &Path, owner: &str) {
    let mut command = postgres_command("initdb", folder);
    command.args(["--username", owner, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]);
    done(command.arg("-D").arg(data(folder)).current_dir(folder).stdout(Stdio::null()));
}

/// Where the cluster in `folder` is.
pub(crate) fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Serves the cluster in `folder` on `port`.
pub(crate) fn postgres(folder: &Path, port: u16, options: &[&str]) -> Process {
    let mut command = postgres_command("postgres", folder);
    command.arg("-D").arg(data(folder)).args(["-h", "127.0.0.1", "-p", &port.to_string()]).args(options);
    Process::start(command, folder, Signal::QUIT)
}

/// An empty Redis on `port` that keeps what it keeps in `folder`.
pub(crate) fn redis(folder: &Path, port: u16, options: &[&str]) -> Process {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--dir"]).arg(folder);
    command.args(options);
    Process::start(command, folder, Signal::KILL)
}

/// Runs `command` to its end, which must be a good one.
pub(crate) fn done(command: &mut Command) {
    assert!(command.status().expect("a program").success(), "{command:?} failed");
}
