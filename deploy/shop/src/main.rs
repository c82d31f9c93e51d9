//! A small real service: several tenants' inventory, sales, customers and reports, on `PostgreSQL` and Redis.
//!
//! It exists to be put under load and broken: it rides out failovers of its stores inside a budget, as a
//! well-built service does.

mod app;
mod cli;
mod errors;
mod lifecycle;
mod metrics;
mod stores;
mod web;

use std::io::IsTerminal;

use clap::Parser;
use tracing_subscriber::EnvFilter;

/// One thread a replica: the shop scales by replicas, and a single thread spends nothing on handing work over.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // The pool's own log has a line for each broken connection; the gates log each outage once.
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,deadpool.postgres=off,tokio_postgres=warn"));
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_writer(std::io::stderr).init();
    app::run(cli::Arguments::parse()).await
}
