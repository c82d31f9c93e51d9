//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

const CHECK_EXAMPLE: &str = "\
Example:
  dashboards check --prometheus http://localhost:9090 --run 7f3a91

Exit codes: 0 each panel has data, 1 some panels have none, 2 wrong usage or no answer.";

/// Grafana dashboards of a run: writes their files, and tells what they would show.
#[derive(Debug, Parser)]
#[command(name = "dashboards", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Writes a file for each dashboard.
    Write {
        /// Where to.
        folder: PathBuf,
    },
    /// Asks a Prometheus everything that the panels ask, and tells which would show nothing.
    #[command(after_help = CHECK_EXAMPLE)]
    Check(Check),
}

/// The options of `check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Address of the Prometheus server.
    #[arg(long, value_name = "URL", env = "PROMETHEUS_URL", hide_env_values = true)]
    pub(crate) prometheus: String,
    /// Id of the run whose time is looked at.
    #[arg(long, value_name = "ID", required_unless_present_all = ["from", "to"])]
    pub(crate) run: Option<String>,
    /// The beginning of the time instead, in Unix seconds.
    #[arg(long, value_name = "SECONDS", requires = "to", conflicts_with = "run")]
    pub(crate) from: Option<i64>,
    /// Its end.
    #[arg(long, value_name = "SECONDS", requires = "from")]
    pub(crate) to: Option<i64>,
    /// How often Prometheus scrapes the exporter.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    pub(crate) scrape_interval: Duration,
    /// Requires data of panels, too, that need more than Ordeal's own metrics: rules of the objectives, or exporters
    /// of somebody else.
    #[arg(long)]
    pub(crate) all: bool,
    /// How the panels are told.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

/// The forms of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A line for each panel.
    Text,
    /// Every series with its labels and its last number, and of each panel the queries that have none.
    Json,
}
