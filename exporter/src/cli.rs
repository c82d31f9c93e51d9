//! The command line: what was typed, checked by clap, nothing resolved yet.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::logging::LogFormat;

/// Drives users and chaos experiments against a service, and exposes what it sees as metrics.
#[derive(Debug, Parser)]
#[command(name = "load-exporter", version, propagate_version = true)]
pub struct Cli {
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
    /// Flags that every command takes.
    #[command(flatten)]
    pub common: Common,
}

/// Flags that every command takes.
#[derive(Debug, Args)]
pub struct Common {
    /// Address and port that metrics are served on; port 0 takes a free one and says which.
    #[arg(
        long = "web.listen-address",
        global = true,
        default_value = "0.0.0.0:10042",
        value_name = "ADDR:PORT"
    )]
    pub listen: SocketAddr,
    /// Path that metrics are served under.
    #[arg(long = "web.telemetry-path", global = true, default_value = "/metrics", value_name = "PATH", value_parser = telemetry_path)]
    pub telemetry_path: String,
    /// How log lines look.
    #[arg(long = "log.format", global = true, default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// The least severe events that are logged to stderr: error, warn, info, debug or trace. The run's own
    /// log always begins at info.
    #[arg(long = "log.level", global = true, default_value = "warn", value_name = "LEVEL")]
    pub log_level: LevelFilter,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Carry out a trial. Ends with 0 when it went through all its phases, 1 when it could not, 2 on a bad
    /// file or bad usage, 130 when it was interrupted.
    Run(Run),
    /// Check trial files, and report all their faults with line and column. Ends with 2 if there are any.
    Check {
        /// The trial files.
        #[arg(required = true, value_name = "TRIAL")]
        trials: Vec<PathBuf>,
    },
    /// Say what each experiment would do to what, and how it would be put back. Changes nothing.
    Plan {
        /// The trial file.
        trial: PathBuf,
    },
    /// Put back what an interrupted run left broken, from the journal in its working folder. Ends with 1 if
    /// something could not be put back, or if the journal is damaged and may have told of more.
    Recover {
        /// The working folder of the run.
        #[arg(long, default_value = "run", value_name = "DIR")]
        dir: PathBuf,
    },
    /// Remove the tables, rows and keys that runs of a trial left in its stores.
    Cleanup {
        /// The trial file.
        trial: PathBuf,
    },
    /// Print the SQL for role, tables and grants that probes and ledgers need.
    Sql,
}

/// Flags of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The trial file.
    pub trial: PathBuf,
    /// Working folder: the journal, and a folder for each run with ledger, results and log.
    #[arg(long, default_value = "run", value_name = "DIR")]
    pub dir: PathBuf,
    /// Hold the last stage until the load has lasted this long, instead of what the file says, as in 30m.
    #[arg(long, value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub duration: Option<Duration>,
    /// Users of every stage, instead of what the file says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub users: Option<u32>,
    /// Seed of all random choices, instead of the file's.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Id of the run; a random one unless given. The id of a run that died only brings that run to its end.
    #[arg(long = "run-id", value_name = "ID", value_parser = run_id)]
    pub run_id: Option<String>,
    /// Begin the ramp without waiting for the first scrape.
    #[arg(long)]
    pub no_wait_for_scrape: bool,
    /// Longest wait for two scrapes of the end of the run, by everybody who has scraped it regularly.
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub linger: Duration,
}

fn telemetry_path(text: &str) -> Result<String, String> {
    let usable = text.starts_with('/') && text.len() > 1 && !text.contains(|c: char| c.is_whitespace());
    let taken = ["/healthz", "/readyz"].contains(&text);
    if usable && !taken { Ok(text.to_owned()) } else { Err("expected a path such as /metrics".to_owned()) }
}

fn run_id(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let usable = (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(allowed);
    if usable { Ok(text.to_owned()) } else { Err("expected 1 to 63 letters, digits, - _ or .".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_run_id_cannot_leave_the_working_folder() {
        for bad in ["", ".", "..", "../x", "a/b", "a b", "-x", &"x".repeat(64)] {
            assert!(run_id(bad).is_err(), "{bad:?}");
        }
        assert_eq!(run_id("7f3a91-b").as_deref(), Ok("7f3a91-b"));
    }

    #[test]
    fn a_telemetry_path_is_a_path_that_is_not_taken() {
        for bad in ["", "/", "metrics", "/healthz", "/a b"] {
            assert!(telemetry_path(bad).is_err(), "{bad:?}");
        }
        assert_eq!(telemetry_path("/x/metrics").as_deref(), Ok("/x/metrics"));
    }
}
