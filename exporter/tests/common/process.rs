//! A server of the tests' own: a process that is gone with the value that holds it.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A port of the loopback interface that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

pub(crate) struct Process {
    command: Command,
    child: Child,
    end: Signal,
}

impl Process {
    /// Starts `command` in `folder`, where the file `output` takes what it says. The signal `end` ends it with
    /// all its children, where there are any.
    pub(crate) fn start(mut command: Command, folder: &Path, end: Signal) -> Self {
        let said = File::options().append(true).create(true).open(folder.join("output")).expect("a log");
        command.current_dir(folder).stdin(Stdio::null());
        command.stdout(said.try_clone().expect("the log")).stderr(said);
        let child = spawn(&mut command);
        Self { command, child, end }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process takes signals");
    }

    /// `kill -9`, awaited. Children end by themselves, some time later.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a process");
        self.child.wait().expect("an end");
    }

    /// Ends it at once, children included.
    pub(crate) fn end(&mut self) {
        self.signal(self.end);
        self.child.wait().expect("an end");
    }

    /// Starts it again, unless it runs.
    pub(crate) fn start_again(&mut self) {
        if !self.runs() {
            self.child = spawn(&mut self.command);
        }
    }

    fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }
}

fn spawn(command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.runs() {
            // A stopped one would not end otherwise.
            self.signal(Signal::CONT);
            self.end();
        }
    }
}
