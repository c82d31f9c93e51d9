//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;

/// A small multi-tenant shop on `PostgreSQL` and Redis that rides out their failovers.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Address to serve HTTP on.
    #[arg(long, env = "SHOP_LISTEN", value_name = "ADDR:PORT", default_value = "0.0.0.0:8080")]
    pub(crate) listen: SocketAddr,

    /// `PostgreSQL` connection string, leading to the primary.
    #[arg(long, env = "SHOP_POSTGRES", value_name = "URL", hide_env_values = true)]
    pub(crate) postgres: String,

    /// Redis URL, leading to the master.
    #[arg(long, env = "SHOP_REDIS", value_name = "URL", hide_env_values = true)]
    pub(crate) redis: String,

    /// Name of this replica, in logs and in `PostgreSQL`'s `application_name`.
    #[arg(long, env = "SHOP_INSTANCE", value_name = "ID", default_value = "shop")]
    pub(crate) instance: String,

    /// How long a request may wait for a store that fails over; keep it below the clients' time-out.
    #[arg(long, env = "SHOP_BUDGET", value_name = "DURATION", default_value = "12s",
          value_parser = humantime::parse_duration)]
    pub(crate) budget: Duration,

    /// `PostgreSQL` connections of this replica.
    #[arg(long, env = "SHOP_POOL", value_name = "N", default_value = "6",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) pool: u16,

    /// How long to go on serving after SIGTERM, so that balancers see `/readyz` refuse first.
    #[arg(long, env = "SHOP_GRACE", value_name = "DURATION", default_value = "3s",
          value_parser = humantime::parse_duration)]
    pub(crate) grace: Duration,
}
