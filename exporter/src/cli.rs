//! The command line: what was typed, checked by clap, nothing resolved yet.

mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

pub use self::values::Listen;
use self::values::{lasting, listen, namespace, run_id, telemetry_path};
use crate::logging::LogFormat;
use crate::trial::Namespace;

/// Drives users and chaos experiments against a service, and exposes what it sees as metrics.
#[derive(Debug, Parser)]
#[command(name = "load-exporter", version, propagate_version = true, after_help = BEGINNING)]
pub struct Cli {
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

const BEGINNING: &str = "\
Begin with:
  load-exporter check trial.yaml
  load-exporter run trial.yaml

exporter/TRIAL.md describes every key of a trial file.";

/// How a run is looked at from outside.
#[derive(Debug, Args)]
pub struct Web {
    /// Address and port that metrics are served on; :PORT is all interfaces, port 0 takes a free one and says
    /// which.
    #[arg(
        long = "web.listen-address",
        default_value = ":10042",
        value_name = "[ADDR]:PORT",
        value_parser = listen
    )]
    pub listen: Listen,
    /// Path that metrics are served under.
    #[arg(long = "web.telemetry-path", default_value = "/metrics", value_name = "PATH", value_parser = telemetry_path)]
    pub telemetry_path: String,
}

/// What is logged to stderr.
#[derive(Debug, Clone, Copy, Args)]
pub struct Logging {
    /// How log lines look.
    #[arg(long = "log.format", default_value = "text", value_name = "FORMAT")]
    pub format: LogFormat,
    /// The least severe events that are logged to stderr: error, warn, info, debug or trace. A run's own log
    /// always begins at info.
    #[arg(long = "log.level", default_value = "warn", value_name = "LEVEL")]
    pub level: LevelFilter,
}

impl Default for Logging {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: LevelFilter::WARN }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Carry out a trial.
    #[command(after_help = "\
Examples:
  load-exporter run trial.yaml
  load-exporter run trial.yaml --users 10 --duration 1m --no-wait-for-scrape
  load-exporter run trial.yaml --web.listen-address 127.0.0.1:9200 --dir /var/lib/ordeal

Exit codes:
  0    the run went through all its phases; whether promises were kept, slo-verifier says
  1    it could not begin, was aborted, or its results could not be written
  2    bad usage or a bad trial file
  130  it was interrupted; nothing is left broken")]
    Run(Run),
    /// Drive a share of the users of a run that another process conducts.
    #[command(after_help = "\
The conductor is `load-exporter run TRIAL --run-id ID --load-processes N`. Conductor and load processes agree by
the ConfigMap `ordeal-fleet` of the Kubernetes namespace that they are in. Users whose number is the index modulo
the number of processes are this one's.

Example:
  load-exporter load trial.yaml --run-id nightly-7 --index 0 --of 2

Exit codes:
  0    the load ended as the conductor said
  1    it did not begin, or ended by itself because the conductor was gone
  2    bad usage or a bad trial file
  130  it was interrupted")]
    Load(Load),
    /// Check trial files, and report all their faults with line and column.
    #[command(after_help = "\
Example:
  load-exporter check trial.yaml

Secrets are read as in a run: environment variables and files that the trial names must be there.

Exit codes:
  0  the files are good
  2  bad usage, or a file with faults")]
    Check {
        /// The trial files.
        #[arg(required = true, value_name = "TRIAL")]
        trials: Vec<PathBuf>,
    },
    /// Say what each experiment would do to what, and how it would be put back. Changes nothing.
    #[command(after_help = "\
Runs the `target` command of each experiment, which only looks.

Example:
  load-exporter plan trial.yaml

Exit codes:
  0  every experiment has its targets
  1  at least one would be refused: the last line says which and why
  2  bad usage or a bad trial file")]
    Plan {
        /// The trial file.
        trial: PathBuf,
        /// What is logged.
        #[command(flatten)]
        logging: Logging,
    },
    /// Put back what an interrupted run left broken, from the journal in its working folder.
    #[command(after_help = "\
Examples:
  load-exporter recover --dir run
  load-exporter recover --namespace shop

Exit codes:
  0  nothing is left broken
  1  something could not be put back: the message says what, and it may be tried again;
     or the journal is damaged and may have told of more; or the folder has no journal
  2  bad usage
  3  something may be left broken that is not put back before somebody has decided upon it,
     since only the copy of the journal in the cluster tells of it: the message says what to do")]
    Recover {
        /// The working folder of the run; without it and a namespace, `run`.
        #[arg(long, value_name = "DIR", conflicts_with = "namespace")]
        dir: Option<PathBuf>,
        /// Instead of a folder: the namespace of a service on Kubernetes that a run has broken something in, in the
        /// cluster of the kubeconfig's current context.
        #[arg(long, value_name = "NAMESPACE", value_parser = namespace)]
        namespace: Option<Namespace>,
        /// Run the commands in containers that only the journal of the namespace tells of, which is what puts back the
        /// fault `pod_exec`. Without this they are shown: whoever may write that ConfigMap may have made them up.
        #[arg(long, requires = "namespace", conflicts_with = "dir")]
        run_commands: bool,
        /// What is logged.
        #[command(flatten)]
        logging: Logging,
    },
    /// Remove what a run wrote to the ledgers, or all that runs left in the stores and on Kubernetes.
    #[command(after_help = "\
Which runs is to be said, because the ledger of a run that goes on must not be touched: its audit would find
every write before this moment lost. --all-runs is for when none goes on anywhere; tables that belong to
another role, as after `load-exporter sql`, are then emptied and stay. Where the trial has `kubernetes`,
the ConfigMap `ordeal-journal` and the Lease `ordeal` go as well, unless a run goes on there or something is
still to be put back.

Examples:
  load-exporter cleanup trial.yaml --run 7f3a91c0de42
  load-exporter cleanup trial.yaml --all-runs

Exit codes:
  0  nothing of the run, or of any run, is left
  1  something could not be removed: the message says what and why
  2  bad usage or a bad trial file")]
    Cleanup {
        /// The trial file.
        trial: PathBuf,
        /// What is removed.
        #[command(flatten)]
        which: Runs,
        /// What is logged.
        #[command(flatten)]
        logging: Logging,
    },
    /// Print the Kubernetes account and roles by which a trial may be run, and no more than that.
    #[command(after_help = "\
Asks no cluster. A trial without `kubernetes` needs nothing: then only the account is printed.

Examples:
  load-exporter manifests trial.yaml | kubectl apply -f -
  load-exporter manifests trial.yaml --namespace chaos --account conductor")]
    Manifests {
        /// The trial file.
        trial: PathBuf,
        /// The namespace in which Ordeal runs; where the service is, the trial says.
        #[arg(long, default_value = "ordeal", value_name = "NAMESPACE", value_parser = namespace)]
        namespace: Namespace,
        /// The name of the account, and of its roles.
        #[arg(long, default_value = "ordeal-conductor", value_name = "NAME", value_parser = namespace)]
        account: Namespace,
        /// Print the roles only: somebody else makes the account.
        #[arg(long)]
        without_account: bool,
        /// How many load processes have the users; beside 0, what they and their conductor need to agree comes too.
        #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=16))]
        load_processes: u16,
    },
    /// Print the SQL for role, tables and grants that probes and ledgers need.
    #[command(after_help = "\
For databases where the role of the trial may not create tables. It may be run again and again.

Example:
  load-exporter sql --role shop | psql -v ON_ERROR_STOP=1 postgres://postgres@db/shop")]
    Sql {
        /// The role by which the trial's address connects.
        #[arg(long, default_value = "ordeal", value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        role: String,
    },
}

impl Command {
    /// How this command logs.
    pub fn logging(&self) -> Logging {
        match self {
            Self::Run(Run { logging, .. })
            | Self::Load(Load { logging, .. })
            | Self::Plan { logging, .. }
            | Self::Recover { logging, .. }
            | Self::Cleanup { logging, .. } => *logging,
            Self::Check { .. } | Self::Manifests { .. } | Self::Sql { .. } => Logging::default(),
        }
    }
}

/// Which runs are meant.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Runs {
    /// The run whose writes to the ledgers are removed.
    #[arg(long, value_name = "ID", value_parser = run_id)]
    pub run: Option<String>,
    /// Everything that any run left, what probes use included: no run may be going on.
    #[arg(long)]
    pub all_runs: bool,
}

/// Flags of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The trial file.
    pub trial: PathBuf,
    /// Working folder: the journal, and a folder for each run with ledger, results and log.
    #[arg(long, default_value = "run", value_name = "DIR")]
    pub dir: PathBuf,
    /// What is otherwise than in the file.
    #[command(flatten)]
    pub changes: Changes,
    /// Id of the run; a random one unless given. The id of a run that died only brings that run to its end.
    #[arg(long = "run-id", value_name = "ID", value_parser = run_id)]
    pub run_id: Option<String>,
    /// How many load processes have the users, each as `load-exporter load`; with 0 they are of this process.
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=16))]
    pub load_processes: u16,
    /// Begin the ramp without waiting for a scrape.
    #[arg(long)]
    pub no_wait_for_scrape: bool,
    /// Longest wait for two scrapes of the end of the run, by everybody who has scraped it regularly.
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub linger: Duration,
    /// Where metrics are served.
    #[command(flatten)]
    pub web: Web,
    /// What is logged.
    #[command(flatten)]
    pub logging: Logging,
}

/// Flags of `run` and `load` that change the trial; all processes of a run need the same.
#[derive(Debug, Args)]
pub struct Changes {
    /// Hold the last stage until the load has lasted this long, instead of what the file says, as in 30m.
    #[arg(long, value_parser = lasting, value_name = "DURATION")]
    pub duration: Option<Duration>,
    /// Users of every stage, instead of what the file says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub users: Option<u32>,
    /// Seed of all random choices, instead of the file's.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Flags of `load`.
#[derive(Debug, Args)]
pub struct Load {
    /// The trial file, the same as the conductor's.
    pub trial: PathBuf,
    /// Id of the run, the same as the conductor's.
    #[arg(long = "run-id", value_name = "ID", value_parser = run_id)]
    pub run_id: String,
    /// Which load process this is, from 0; an Indexed Job on Kubernetes says so.
    #[arg(long, value_name = "I", env = "JOB_COMPLETION_INDEX", value_parser = clap::value_parser!(u16).range(0..16))]
    pub index: u16,
    /// How many load processes the run has.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=16))]
    pub of: u16,
    /// What is otherwise than in the file.
    #[command(flatten)]
    pub changes: Changes,
    /// Longest wait for two scrapes of the end of the load, by everybody who has scraped it regularly.
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub linger: Duration,
    /// Where metrics are served.
    #[command(flatten)]
    pub web: Web,
    /// What is logged.
    #[command(flatten)]
    pub logging: Logging,
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
    fn only_a_run_takes_flags_of_the_web() {
        let taken = |words: &[&str]| Cli::try_parse_from(["load-exporter"].iter().chain(words)).is_ok();
        assert!(taken(&["run", "t.yaml", "--web.listen-address", ":1", "--log.level", "info"]));
        assert!(taken(&["plan", "t.yaml", "--log.level", "info"]));
        for command in
            [&["check", "t.yaml"][..], &["plan", "t.yaml"], &["cleanup", "t.yaml", "--all-runs"], &["sql"]]
        {
            assert!(!taken(&[command, &["--web.listen-address", ":1"]].concat()), "{command:?}");
        }
    }

    #[test]
    fn a_load_process_says_which_of_how_many_it_is() {
        let taken = |words: &[&str]| {
            Cli::try_parse_from(["load-exporter", "load", "t.yaml", "--run-id", "r"].iter().chain(words))
                .is_ok()
        };
        assert!(
            taken(&["--index", "0", "--of", "1"]) && taken(&["--index", "15", "--of", "16", "--users", "9"])
        );
        for bad in [&["--index", "0"][..], &["--of", "2"], &["--index", "0", "--of", "0"]] {
            assert!(!taken(bad), "{bad:?}");
        }
        assert!(!taken(&["--index", "16", "--of", "16"]) && !taken(&["--index", "0", "--of", "17"]));
    }

    #[test]
    fn commands_of_a_journal_are_run_only_for_a_namespace_that_is_named() {
        let taken =
            |words: &[&str]| Cli::try_parse_from(["load-exporter", "recover"].iter().chain(words)).is_ok();
        assert!(taken(&["--namespace", "shop", "--run-commands"]) && taken(&["--dir", "run"]));
        assert!(!taken(&["--run-commands"]) && !taken(&["--dir", "run", "--run-commands"]));
        assert!(!taken(&["--dir", "run", "--namespace", "shop"]));
    }

    #[test]
    fn a_cleanup_says_whose_writes_go() {
        let taken = |words: &[&str]| {
            Cli::try_parse_from(["load-exporter", "cleanup", "t.yaml"].iter().chain(words)).is_ok()
        };
        assert!(taken(&["--run", "7f3a91"]) && taken(&["--all-runs"]));
        assert!(!taken(&[]) && !taken(&["--run", "7f3a91", "--all-runs"]));
    }
}
