//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Judges, from what Prometheus recorded, whether a service kept its promises during a run.
#[derive(Debug, Parser)]
#[command(
    name = "slo-verifier",
    version,
    after_help = "Exit codes: 0 pass, 1 fail, 2 usage or bad file, 3 inconclusive, 4 no usable answer from Prometheus."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// How the log on standard error is written.
    #[arg(long = "log.format", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub(crate) log_format: LogFormat,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judges a run.
    Verify(Box<Verify>),
    /// Checks a file of objectives and asks nobody.
    Check {
        /// The objectives.
        file: PathBuf,
    },
}

/// The options of `verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The objectives.
    pub(crate) file: PathBuf,
    /// Address of the Prometheus server.
    #[arg(long, value_name = "URL", env = "PROMETHEUS_URL", hide_env_values = true)]
    pub(crate) prometheus: String,
    /// Id of the run; the newest one if not given.
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    /// How far back to look for the run.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    pub(crate) since: Duration,
    /// How long to wait for the run's end.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    pub(crate) wait: Duration,
    /// How the findings are written.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
    /// Whether the findings are coloured.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// How Prometheus is reached.
#[derive(Debug, Args)]
pub(crate) struct AccessArgs {
    /// User of basic authentication.
    #[arg(long, value_name = "USER", env = "PROMETHEUS_USERNAME", requires = "password_file")]
    pub(crate) username: Option<String>,
    /// File that holds the password.
    #[arg(long, value_name = "FILE", env = "PROMETHEUS_PASSWORD_FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// File that holds a bearer token.
    #[arg(long, value_name = "FILE", env = "PROMETHEUS_BEARER_TOKEN_FILE", conflicts_with = "username")]
    pub(crate) bearer_token_file: Option<PathBuf>,
    /// A header for every request; may be given again.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// File with the certificate authority to trust instead of the system's.
    #[arg(long, value_name = "FILE", env = "PROMETHEUS_CA_FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// How long one answer may take.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Text,
    Json,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}

/// The forms of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}
