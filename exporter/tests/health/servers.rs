//! Real server processes, each ended with its guard.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::support::Between;
use exporter::clock::Clock;

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// A process in a folder of its own, killed at the end.
pub(crate) struct Server {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    program: PathBuf,
    arguments: Vec<String>,
    user: Option<&'static str>,
    child: Child,
}

impl Server {
    fn spawn(
        folder: TempDir,
        port: u16,
        program: &str,
        arguments: Vec<String>,
        user: Option<&'static str>,
    ) -> Self {
        let program = PathBuf::from(program);
        let child = run(&program, &arguments, user, folder.path());
        Self { folder, port, program, arguments, user, child }
    }

    pub(crate) fn nginx() -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let at = folder.path().display();
        let config = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/errors;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; client_body_temp_path {at}/a; proxy_temp_path {at}/b; \
             fastcgi_temp_path {at}/c; uwsgi_temp_path {at}/d; scgi_temp_path {at}/e;\n\
             server {{ listen 127.0.0.1:{port}; location /healthz {{ return 200 'ok'; }} \
             location /sick {{ return 503; }} }} }}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).expect("a configuration");
        let arguments = ["-p", &folder.path().display().to_string(), "-c", &file.display().to_string()];
        let arguments = arguments.map(str::to_owned).to_vec();
        Self::spawn(folder, port, "nginx", arguments, None)
    }

    /// Redis on TCP and on the unix socket `redis.sock`; a replica of `master` if there is one.
    pub(crate) fn redis(master: Option<u16>) -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let at = folder.path().display().to_string();
        let (port_text, socket) = (port.to_string(), format!("{at}/redis.sock"));
        let mut arguments: Vec<String> = [
            "--port",
            &port_text,
            "--bind",
            "127.0.0.1",
            "--dir",
            &at,
            "--unixsocket",
            &socket,
            "--save",
            "",
        ]
        .map(str::to_owned)
        .to_vec();
        if let Some(master) = master {
            arguments.extend(["--replicaof".to_owned(), "127.0.0.1".to_owned(), master.to_string()]);
            arguments.extend(["--repl-diskless-sync-delay".to_owned(), "0".to_owned()]);
        }
        Self::spawn(folder, port, "redis-server", arguments, None)
    }

    /// A Sentinel that watches `master` under the name `shop`.
    pub(crate) fn sentinel(master: u16, down_after: u32, failover_timeout: u32) -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let at = folder.path().display();
        let config = format!(
            "port {port}\nbind 127.0.0.1\ndir \"{at}\"\nsentinel monitor shop 127.0.0.1 {master} 1\n\
             sentinel down-after-milliseconds shop {down_after}\n\
             sentinel failover-timeout shop {failover_timeout}\n"
        );
        let file = folder.path().join("sentinel.conf");
        std::fs::write(&file, config).expect("a configuration");
        let arguments = vec![file.display().to_string(), "--sentinel".to_owned()];
        Self::spawn(folder, port, "redis-server", arguments, None)
    }

    /// PostgreSQL with the database `postgres`, on TCP and on a unix socket in its folder; a standby of
    /// `primary` if there is one.
    pub(crate) fn postgres(primary: Option<&Server>) -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let user = geteuid().is_root().then_some("postgres");
        if let Some(user) = user {
            done(Command::new("chown").arg(user).arg(folder.path()));
        }
        let data = folder.path().join("data").display().to_string();
        let options: Vec<String> = match primary {
            None => ["-D", &data, "-U", "ordeal", "-A", "trust", "--no-sync"].map(str::to_owned).to_vec(),
            Some(primary) => {
                let source = format!("host=127.0.0.1 port={} user=ordeal", primary.port);
                ["-D", &data, "-d", &source, "-R", "-c", "fast", "--no-sync"].map(str::to_owned).to_vec()
            }
        };
        let tool = if primary.is_none() { "initdb" } else { "pg_basebackup" };
        let mut maker = run(&tools().join(tool), &options, user, folder.path());
        assert!(maker.wait().expect("an end").success(), "{tool} failed");
        let (port_text, at) = (port.to_string(), folder.path().display().to_string());
        let arguments = ["-D", &data, "-p", &port_text, "-k", &at, "-c", "listen_addresses=127.0.0.1", "-F"];
        let arguments = arguments.map(str::to_owned).to_vec();
        let program = tools().join("postgres").display().to_string();
        Self::spawn(folder, port, &program, arguments, user)
    }

    pub(crate) fn postgres_address(&self) -> String {
        format!("host=127.0.0.1 port={} user=ordeal dbname=postgres", self.port)
    }

    /// The same server over its unix socket.
    pub(crate) fn postgres_socket(&self) -> String {
        format!("host={} port={} user=ordeal dbname=postgres", self.folder.path().display(), self.port)
    }

    pub(crate) fn redis_address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn redis_socket(&self) -> String {
        format!("redis+unix://{}/redis.sock", self.folder.path().display())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, signal).expect("the process takes signals");
    }

    /// Stops the process (SIGSTOP), or lets it go on; when that happened.
    pub(crate) fn signal_at(&self, signal: Signal, clock: Clock) -> Between {
        let before = clock.now();
        self.signal(signal);
        Between(before, clock.now())
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(&mut self, clock: Clock) -> Between {
        let before = clock.now();
        self.child.kill().expect("a process");
        self.child.wait().expect("an end");
        Between(before, clock.now())
    }

    /// Shuts PostgreSQL down at once, children included.
    pub(crate) fn shut_down(&mut self, clock: Clock) -> Between {
        let before = clock.now();
        self.signal(Signal::QUIT);
        self.child.wait().expect("an end");
        Between(before, clock.now())
    }

    /// Starts it again and finds out when it serves, by asking without a pause.
    pub(crate) async fn restart<F: Future<Output = bool>>(
        &mut self,
        clock: Clock,
        serves: impl Fn() -> F,
    ) -> Between {
        self.child = run(&self.program, &self.arguments, self.user, self.folder.path());
        loop {
            let asked = clock.now();
            if serves().await {
                return Between(asked, clock.now());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An immediate shutdown: of PostgreSQL the children go too, where SIGKILL would orphan them.
        self.signal_if_running(Signal::CONT);
        self.signal_if_running(if self.user.is_some() { Signal::QUIT } else { Signal::KILL });
        let _ = self.child.wait();
    }
}

impl Server {
    fn signal_if_running(&mut self, signal: Signal) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(signal);
        }
    }
}

/// Where Debian keeps the newest PostgreSQL's programs.
pub(crate) fn tools() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let newest = versions.filter_map(|entry| entry.ok()?.path().join("bin").canonicalize().ok()).max();
    newest.expect("a version of PostgreSQL")
}

fn run(program: &Path, arguments: &[String], user: Option<&str>, folder: &Path) -> Child {
    let mut command = match user {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.args([format!("--reuid={user}"), format!("--regid={user}"), "--init-groups".to_owned()]);
            command.arg("--").arg(program);
            command
        }
    };
    let log = std::fs::File::create(folder.join("output")).expect("a log");
    command.args(arguments).stdin(Stdio::null()).stderr(log.try_clone().expect("the log")).stdout(log);
    command
        .current_dir(folder)
        .spawn()
        .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()))
}

fn done(command: &mut Command) {
    assert!(command.status().expect("a program").success(), "{command:?} failed");
}
