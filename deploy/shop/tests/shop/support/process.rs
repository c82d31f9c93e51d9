//! A server process that can be stopped, continued, killed and started again.

use std::process::{Child, ChildStderr, Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};

/// See the module's text.
pub(crate) struct Server {
    command: Command,
    child: Child,
}

impl Server {
    /// Starts the server.
    pub(crate) fn start(mut command: Command) -> Self {
        let child = command.spawn().unwrap_or_else(|error| panic!("start {command:?}: {error}"));
        Self { command, child }
    }

    /// The pipe of its standard error.
    pub(crate) fn take_stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().expect("standard error is a pipe")
    }

    /// Freezes it and its children: connections stay, nothing answers.
    pub(crate) fn freeze(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Undoes [`Server::freeze`].
    pub(crate) fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    /// Kills it and its children at once.
    pub(crate) fn kill(&mut self) {
        self.signal_all(Signal::KILL);
        let _ = self.child.wait();
    }

    /// Starts it again after [`Server::kill`].
    pub(crate) fn restart(&mut self) {
        self.child = self.command.spawn().expect("start the server again");
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        signal(self.pid(), Signal::TERM);
    }

    /// Its exit status, if it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("ask for the exit status")
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn signal_all(&self, which: Signal) {
        // The parent first, so that it starts no child that the list lacks.
        signal(self.pid(), which);
        for child in children(self.pid()) {
            signal(child, which);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.kill();
        }
    }
}

fn signal(pid: u32, which: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id");
    // It may have ended by itself meanwhile.
    let _ = kill_process(pid, which);
}

fn children(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("list processes").map_while(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name, in brackets, may hold anything; the parent is the second field after it.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
