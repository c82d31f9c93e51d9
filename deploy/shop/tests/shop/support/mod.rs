//! A real `PostgreSQL`, a real Redis and a real shop in front of them, each on a free port, gone with the value.

pub(crate) mod client;
pub(crate) mod process;

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use process::Server;
use tempfile::TempDir;

/// How long a condition is waited for before the test fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// The whole system under test.
pub(crate) struct Stack {
    pub(crate) shop: Server,
    pub(crate) address: SocketAddr,
    pub(crate) postgres: Server,
    pub(crate) redis: Server,
    postgres_port: u16,
    _directory: TempDir,
}

impl Stack {
    /// Starts everything and waits until the shop is ready.
    pub(crate) fn start() -> Self {
        let directory = TempDir::new().expect("make a directory");
        let (postgres_port, redis_port) = (free_port(), free_port());
        let data = make_cluster(directory.path());
        let postgres = Server::start(postgres_command(&data, postgres_port));
        let redis = Server::start(redis_command(redis_port));
        wait_for("both stores listen", || {
            [postgres_port, redis_port]
                .iter()
                .all(|port| std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok())
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
        command
            .args(["--listen", "127.0.0.1:0", "--instance", "test", "--grace", "500ms"])
            .args(["--postgres", &format!("postgres://shop@127.0.0.1:{postgres_port}/postgres")])
            .args(["--redis", &format!("redis://127.0.0.1:{redis_port}")])
            .stderr(Stdio::piped());
        let mut shop = Server::start(command);
        let address = logged_address(&mut shop);
        let stack = Self { shop, address, postgres, redis, postgres_port, _directory: directory };
        wait_for("the shop is ready", || client::get_blocking(stack.address, "/readyz") == Some(200));
        stack
    }

    /// One number from the database.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        self.database().await.query_one(query, &[]).await.expect("query PostgreSQL").get(0)
    }

    /// Makes commits wait for a standby of that name; for none when it is empty.
    pub(crate) async fn await_standby(&self, name: &str) {
        let database = self.database().await;
        let set = format!("ALTER SYSTEM SET synchronous_standby_names = '{name}'");
        database.execute(&set, &[]).await.expect("set the standby's name");
        database.execute("SELECT pg_reload_conf()", &[]).await.expect("reload the configuration");
        // The server takes a new setting up in its own time.
        while self.commits_wait().await == name.is_empty() {}
    }

    /// Whether a commit waits for a standby.
    async fn commits_wait(&self) -> bool {
        let database = self.database().await;
        let write = database.execute("SELECT pg_logical_emit_message(true, 'test', '')", &[]);
        tokio::time::timeout(Duration::from_secs(1), write).await.is_err()
    }

    async fn database(&self) -> tokio_postgres::Client {
        let url = format!("postgres://shop@127.0.0.1:{}/postgres", self.postgres_port);
        let (client, connection) =
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connect to PostgreSQL");
        tokio::spawn(connection);
        client
    }
}

/// Waits until `condition` holds.
pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// The address in the shop's log; the rest of the log goes on to the test's stderr.
fn logged_address(shop: &mut Server) -> SocketAddr {
    let mut lines = BufReader::new(shop.take_stderr()).lines();
    let address = loop {
        let line = lines.next().expect("the shop logs its address").expect("read the shop's log");
        eprintln!("{line}");
        if let Some((_, rest)) = line.split_once("address=") {
            break rest.split_whitespace().next().and_then(|text| text.parse().ok()).expect("an address");
        }
    };
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
    address
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
    listener.local_addr().expect("read the port").port()
}

fn make_cluster(directory: &Path) -> PathBuf {
    let data = directory.join("postgres");
    if is_root() {
        run(Command::new("chown").arg("postgres").arg(directory));
    }
    let mut initdb = as_postgres(&program("initdb"));
    initdb.args(["--auth=trust", "--username=shop", "--no-sync", "--no-instructions", "-D"]).arg(&data);
    run(initdb.stdout(Stdio::null()));
    data
}

fn postgres_command(data: &Path, port: u16) -> Command {
    let mut command = as_postgres(&program("postgres"));
    command.arg("-D").arg(data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
    command.args(["-c", "unix_socket_directories=", "-c", "log_min_messages=panic"]).stderr(Stdio::null());
    command
}

fn redis_command(port: u16) -> Command {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    command.stdout(Stdio::null());
    command
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// `PostgreSQL` refuses to run as root.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program).current_dir("/");
    command
}

/// The newest installed `PostgreSQL`'s program of that name.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("Debian's PostgreSQL is installed");
    let mut found: Vec<_> = versions
        .map_while(Result::ok)
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| panic!("no {name} below /usr/lib/postgresql"))
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("run {command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}
