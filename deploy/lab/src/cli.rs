//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::faults::{Kind, Wanted};

/// A replicated shop with its stores on one machine: three network namespaces as machines, no containers.
///
/// Everything is real: Patroni with two PostgreSQL, Redis with Sentinels, etcd, HAProxy, Prometheus with its
/// exporters, the shop and its autoscaler. Needs root. The members' own sockets, which a partition does not cut,
/// are /run/ordeal-lab/pg1, pg2 (PostgreSQL, folder) and /run/ordeal-lab/redis1/redis.sock, redis2, redis3.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    /// State folder [default: the running lab's, else ./lab-state].
    #[arg(long, global = true)]
    pub(crate) dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts the lab; returns when all of it is healthy.
    Up(Up),
    /// Installs the Debian packages that the lab needs, and others named, without starting their services.
    Install {
        #[arg(value_name = "PACKAGE")]
        others: Vec<String>,
    },
    /// Ends the lab and leaves nothing behind.
    Down {
        /// Keeps the state folder, for its logs and Prometheus' data.
        #[arg(long)]
        keep: bool,
    },
    /// Shows what runs where, and whether it is healthy.
    Status,
    /// Shows the end of a program's log [default: the supervisor's].
    Logs {
        name: Option<String>,
        #[arg(short = 'n', long, default_value_t = 50)]
        lines: usize,
        #[arg(short, long)]
        follow: bool,
    },
    /// Sets the number of the shop's replicas, until the autoscaler changes it.
    Scale {
        #[arg(value_parser = ["shop"])]
        workload: String,
        replicas: u32,
    },
    /// Stops a program properly and starts it again.
    Restart { name: String },
    /// Breaks something, and puts it back.
    #[command(subcommand)]
    Fault(Fault),
    /// Prints the rows of a table in the data directory that `fault inject lose-writes` copied aside.
    DeadIds {
        #[arg(long, default_value = "ordeal_ledger")]
        table: String,
        /// Printed of each row, separated by spaces.
        #[arg(long, value_delimiter = ',', default_value = "run,worker,seq")]
        columns: Vec<String>,
        #[arg(long, default_value = crate::layout::DATABASE)]
        database: String,
    },
    /// The daemon behind `up`.
    #[command(hide = true)]
    Supervise,
    /// Succeeds when a connection comes about; run inside a machine.
    #[command(hide = true)]
    Connect { address: std::net::SocketAddrV4 },
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Installs missing Debian packages.
    #[arg(long)]
    pub(crate) install: bool,
    /// Acknowledges writes before the standby has them: a failover may lose some.
    #[arg(long)]
    pub(crate) asynchronous: bool,
    /// The shop's program [default: `shop` beside this one].
    #[arg(long)]
    pub(crate) shop: Option<PathBuf>,
    /// Where Prometheus scrapes the load exporter.
    #[arg(long, default_value = "198.18.79.1:10042", value_name = "HOST:PORT")]
    pub(crate) exporter: String,
    /// Prometheus rule files.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) rules: Vec<PathBuf>,
}

/// The four commands of an exec fault. Inject, bit and revert take their targets from `ORDEAL_TARGETS`, one a
/// line; with `ORDEAL_RUN` and `ORDEAL_TOKEN` they are a run's own, without them an intervention.
#[derive(Debug, Subcommand)]
pub(crate) enum Fault {
    /// Prints the targets, one a line: whoever has the role now, asked of the system. Changes nothing.
    Target {
        #[arg(value_enum)]
        wanted: Wanted,
        /// How many replicas.
        #[arg(long, default_value_t = 2)]
        count: usize,
        /// Repeats a random choice.
        #[arg(long)]
        seed: Option<u64>,
    },
    Inject {
        #[arg(value_enum)]
        kind: Kind,
    },
    /// Succeeds when the fault took effect; waits a while for it.
    Bit {
        #[arg(value_enum)]
        kind: Kind,
        /// Longest wait in seconds.
        #[arg(long, default_value_t = 25)]
        within: u64,
    },
    Revert {
        #[arg(value_enum)]
        kind: Kind,
    },
}
