//! Servers of the tests' own, on free ports of the loopback interface, gone with the value that holds them.

use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// The folder of PostgreSQL's programs where Debian has them; elsewhere they are on the path.
const DEBIAN_PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

pub(crate) struct Postgres {
    port: u16,
    dir: TempDir,
    server: Child,
}

impl Postgres {
    /// A fresh cluster with default durability.
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().expect("directory");
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).expect("permissions");
        let data = dir.path().join("data");
        std::fs::create_dir(&data).expect("data directory");
        if let Some((uid, gid)) = unprivileged() {
            chown(&data, Some(uid), Some(gid)).expect("owner");
        }
        let made = postgres_program("initdb")
            .args(["--username=owner", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .status();
        assert!(made.expect("initdb runs").success());
        let port = free_port();
        let server = spawn_postgres(&data, port);
        let postgres = Self { port, dir, server };
        drop(postgres.client().await);
        postgres
    }

    pub(crate) fn url(&self) -> String {
        self.url_of("owner")
    }

    pub(crate) fn url_of(&self, role: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/postgres", self.port)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A session beside the ledger's, awaited until the server answers.
    pub(crate) async fn client(&self) -> Client {
        let url = self.url();
        eventually("PostgreSQL answers", async || {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.ok()?;
            tokio::spawn(connection);
            Some(client)
        })
        .await
    }

    /// `kill -9` of the postmaster; its children end by themselves.
    pub(crate) fn kill(&mut self) {
        self.server.kill().expect("killed");
        self.server.wait().expect("reaped");
    }

    /// Starts it again on the same data and port, once the dead server's children are gone.
    pub(crate) async fn restart(&mut self) {
        let (data, port, url) = (self.data(), self.port, self.url());
        eventually("PostgreSQL is back", async || {
            if self.server.try_wait().expect("state").is_some() {
                self.server = spawn_postgres(&data, port);
            }
            tokio_postgres::connect(&url, NoTls).await.ok().map(drop)
        })
        .await;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.server.kill().is_ok() {
            let _ = self.server.wait();
        }
    }
}

fn spawn_postgres(data: &Path, port: u16) -> Child {
    let log =
        std::fs::File::options().append(true).create(true).open(data.with_extension("log")).expect("log");
    postgres_program("postgres")
        .arg("-D")
        .arg(data)
        .args(["-h", "127.0.0.1", "-k", "", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("postgres starts")
}

/// PostgreSQL refuses to run as root.
fn postgres_program(name: &str) -> Command {
    let debian = Path::new(DEBIAN_PROGRAMS).join(name);
    let program = if debian.exists() { debian } else { PathBuf::from(name) };
    if unprivileged().is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program).current_dir("/");
    command
}

/// The user and group `postgres`, where the tests run as root.
fn unprivileged() -> Option<(u32, u32)> {
    let id = |flag: &str| {
        let output = Command::new("id").args([flag, "postgres"]).output().expect("id runs");
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("an id of the user postgres")
    };
    rustix::process::getuid().is_root().then(|| (id("-u"), id("-g")))
}

pub(crate) struct Redis {
    port: u16,
    dir: TempDir,
    server: Child,
}

impl Redis {
    /// An empty server that puts each write on disk before it answers.
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().expect("directory");
        let port = free_port();
        let server = spawn_redis(dir.path(), port);
        let redis = Self { port, dir, server };
        redis.ready().await;
        redis
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) {
        self.server.kill().expect("killed");
        self.server.wait().expect("reaped");
    }

    pub(crate) async fn restart(&mut self) {
        self.server = spawn_redis(self.dir.path(), self.port);
        self.ready().await;
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.server);
        rustix::process::kill_process(pid, signal).expect("signalled");
    }

    /// A connection beside the ledger's.
    pub(crate) async fn client(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("URL");
        client.get_multiplexed_async_connection().await.expect("connected")
    }

    async fn ready(&self) {
        let client = redis::Client::open(self.url()).expect("URL");
        eventually("Redis answers", async || {
            let mut connection = client.get_multiplexed_async_connection().await.ok()?;
            redis::cmd("DBSIZE").query_async::<u64>(&mut connection).await.ok()
        })
        .await;
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if self.server.kill().is_ok() {
            let _ = self.server.wait();
        }
    }
}

fn spawn_redis(dir: &Path, port: u16) -> Child {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "yes"])
        .args(["--appendfsync", "always", "--dir"])
        .arg(dir)
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server starts")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// Asks until there is an answer; fails after half a minute, which even a busy machine does not need.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking)
        .await
        .unwrap_or_else(|_| panic!("never happened: {what}"))
}
