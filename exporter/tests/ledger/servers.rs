//! Servers of the tests' own, on free ports of the loopback interface, gone with the value that holds them.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::process::{Process, free_port};
use crate::stores;

pub(crate) struct Postgres {
    // Ends before its folder does.
    server: Process,
    dir: TempDir,
    port: u16,
}

impl Postgres {
    /// A fresh cluster with default durability.
    pub(crate) async fn start() -> Self {
        let (dir, port) = (tempfile::tempdir().expect("directory"), free_port());
        stores::make_cluster(dir.path(), "owner");
        let postgres = Self { server: stores::postgres(dir.path(), port, &["-k", ""]), dir, port };
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
        stores::data(self.dir.path())
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
        self.server.kill();
    }

    /// Starts it again on the same data and port, once the dead server's children are gone.
    pub(crate) async fn restart(&mut self) {
        let url = self.url();
        eventually("PostgreSQL is back", async || {
            self.server.start_again();
            tokio_postgres::connect(&url, NoTls).await.ok().map(drop)
        })
        .await;
    }
}

pub(crate) struct Redis {
    // Ends before its folder does.
    server: Process,
    _dir: TempDir,
    port: u16,
}

impl Redis {
    /// An empty server that puts each write on disk before it answers.
    pub(crate) async fn start() -> Self {
        let (dir, port) = (tempfile::tempdir().expect("directory"), free_port());
        let server = stores::redis(dir.path(), port, &["--appendonly", "yes", "--appendfsync", "always"]);
        let redis = Self { server, _dir: dir, port };
        redis.ready().await;
        redis
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) {
        self.server.kill();
    }

    pub(crate) async fn restart(&mut self) {
        self.server.start_again();
        self.ready().await;
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        self.server.signal(signal);
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
