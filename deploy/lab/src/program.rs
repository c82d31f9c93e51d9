//! How a program of the lab is started: on which machine, as whom, with which priority.

use std::path::PathBuf;
use std::process::Stdio;

use crate::layout::{Layout, Machine};

/// Watchdogs and stores go before everything else, so that a starved one never fails over by itself.
pub(crate) const NICE_STORE: i32 = -5;
/// What only observes.
pub(crate) const NICE_OBSERVER: i32 = 0;
/// The shop gives way to generator, Prometheus and stores.
pub(crate) const NICE_SHOP: i32 = 10;

/// A program to be started.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Name in logs, pid files and commands.
    pub(crate) name: String,
    /// The machine, or outside all machines.
    pub(crate) machine: Option<Machine>,
    /// User; its own group is the only one.
    pub(crate) user: &'static str,
    pub(crate) nice: i32,
    pub(crate) words: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) folder: PathBuf,
}

impl Program {
    /// The whole command line. Each word's program replaces itself by the next: one process in the end.
    fn command_line(&self) -> Vec<String> {
        let mut line = vec!["nice".to_owned(), "-n".to_owned(), self.nice.to_string()];
        if let Some(machine) = self.machine {
            line.extend(["nsenter".to_owned(), format!("--net={}", machine.namespace_path())]);
        }
        if self.user != "root" {
            line.extend(["setpriv".to_owned(), format!("--reuid={}", self.user)]);
            line.extend([format!("--regid={}", primary_group(self.user)), "--init-groups".to_owned()]);
        }
        line.extend(self.words.iter().cloned());
        line
    }

    /// Starts it with its output in its log. The environment is the lab's own: nothing of the caller's gets in.
    pub(crate) fn spawn(&self, layout: &Layout) -> std::io::Result<tokio::process::Child> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(layout.log_file(&self.name))?;
        let line = self.command_line();
        tokio::process::Command::new(&line[0])
            .args(&line[1..])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LANG", "C.UTF-8")
            .env("HOME", &self.folder)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
    }
}

fn primary_group(user: &str) -> &str {
    if user == "nobody" { "nogroup" } else { user }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_runs_on_its_machine_as_its_user_first_in_line() {
        let program = Program {
            name: "pg1".to_owned(),
            machine: Some(Machine::N1),
            user: "postgres",
            nice: NICE_STORE,
            words: vec!["patroni".to_owned()],
            environment: Vec::new(),
            folder: PathBuf::from("/"),
        };
        let expected = "nice -n -5 nsenter --net=/run/netns/ordeal-lab-n1 \
                        setpriv --reuid=postgres --regid=postgres --init-groups patroni";
        assert_eq!(program.command_line().join(" "), expected);
    }
}
