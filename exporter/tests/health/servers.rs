//! Real server processes, each ended with its guard.

use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::process::{Process, free_port};
use crate::stores;
use crate::support::Between;
use exporter::clock::Clock;

/// A process in a folder of its own.
pub(crate) struct Server {
    // Ends before its folder does.
    process: Process,
    folder: TempDir,
    pub(crate) port: u16,
}

impl Server {
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
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
        let process = Process::start(command, folder.path(), Signal::KILL);
        Self { process, folder, port }
    }

    /// Redis on TCP and on the unix socket `redis.sock`; a replica of `master` if there is one.
    pub(crate) fn redis(master: Option<u16>) -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let socket = format!("{}/redis.sock", folder.path().display());
        let master = master.map(|port| port.to_string());
        let mut options = vec!["--unixsocket", &socket];
        if let Some(master) = &master {
            options.extend(["--replicaof", "127.0.0.1", master, "--repl-diskless-sync-delay", "0"]);
        }
        Self { process: stores::redis(folder.path(), port, &options), folder, port }
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
        let mut command = Command::new("redis-server");
        command.arg(&file).arg("--sentinel");
        let process = Process::start(command, folder.path(), Signal::KILL);
        Self { process, folder, port }
    }

    /// PostgreSQL with the database `postgres`, on TCP and on a unix socket in its folder; a standby of
    /// `primary` if there is one.
    pub(crate) fn postgres(primary: Option<&Server>) -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        match primary {
            None => stores::make_cluster(folder.path(), "ordeal"),
            Some(primary) => {
                let source = format!("host=127.0.0.1 port={} user=ordeal", primary.port);
                let mut command = stores::postgres_command("pg_basebackup", folder.path());
                command.arg("-D").arg(stores::data(folder.path())).current_dir(folder.path());
                stores::done(command.args(["-d", &source, "-R", "-c", "fast", "--no-sync"]));
            }
        }
        let at = folder.path().display().to_string();
        Self { process: stores::postgres(folder.path(), port, &["-k", &at, "-F"]), folder, port }
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

    /// Stops the process (SIGSTOP), or lets it go on; when that happened.
    pub(crate) fn signal_at(&self, signal: Signal, clock: Clock) -> Between {
        let before = clock.now();
        self.process.signal(signal);
        Between(before, clock.now())
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(&mut self, clock: Clock) -> Between {
        let before = clock.now();
        self.process.kill();
        Between(before, clock.now())
    }

    /// Shuts PostgreSQL down at once, children included.
    pub(crate) fn shut_down(&mut self, clock: Clock) -> Between {
        let before = clock.now();
        self.process.end();
        Between(before, clock.now())
    }

    /// Starts it again and finds out when it serves, by asking without a pause.
    pub(crate) async fn restart<F: Future<Output = bool>>(
        &mut self,
        clock: Clock,
        serves: impl Fn() -> F,
    ) -> Between {
        self.process.start_again();
        loop {
            let asked = clock.now();
            if serves().await {
                return Between(asked, clock.now());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
