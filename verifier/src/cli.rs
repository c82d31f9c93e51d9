//! The command line.

mod outputs;
mod rules;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
pub(crate) use rules::{Format as RuleFormat, Rules as RulesOptions};

pub(crate) use outputs::{Color, Destination, Form, Outputs};

const EXAMPLES: &str = "\
Examples:
  slo-verifier check slos.yaml
  slo-verifier verify slos.yaml --prometheus http://localhost:9090 --run 7f3a91
  slo-verifier rules slos.yaml > rules.yml

Exit codes:
  0  every promise was kept (check: the file is sound)
  1  a promise was broken
  2  wrong usage, a file that cannot be used, or output that cannot be written
  3  inconclusive: the evidence does not decide
  4  no usable answer from Prometheus

verifier/OBJECTIVES.md has every kind of objective with its keys, and what each shortfall means.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  a run that still goes on, its end awaited:
    slo-verifier verify slos.yaml --prometheus http://localhost:9090 \\
      --run 7f3a91 --wait 10m
  whichever run Prometheus saw begin last, also if it is not the one in your mind:
    slo-verifier verify slos.yaml --prometheus http://localhost:9090 --run latest
  a certain run of last week, for a program:
    slo-verifier verify slos.yaml --prometheus http://localhost:9090 \\
      --run 7f3a91 --since 10d --output json
  every form of report in a folder, with load.json and chaos.json of the run's own:
    slo-verifier verify slos.yaml --prometheus http://localhost:9090 \\
      --run 7f3a91 --wait 10m --report-dir report --run-dir run/7f3a91
  behind a path prefix, with a token and an authority of your own:
    slo-verifier verify slos.yaml --prometheus https://metrics.example/prometheus \\
      --bearer-token-file token --ca ca.pem

Exit codes: 0 pass, 1 fail, 2 usage or bad file, 3 inconclusive, 4 no usable answer
from Prometheus, 130 interrupted.
A report that cannot be written, to a file or to standard output, turns a pass into exit
code 2, and no other verdict.
Files are read if they are regular ones of at most 1 MiB. Where GITHUB_STEP_SUMMARY
names a file, as in a step of GitHub Actions, the report is appended there as Markdown.";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  slo-verifier explain gap            # a shortfall, by the name in reports
  slo-verifier explain recovery       # a kind of objective that was broken
  slo-verifier explain OrdealDataLost # an alert: where its runbook is
  slo-verifier explain                # the list of names

Exit codes: 0 explained, 2 no such name, or output that cannot be written.";

const CHECK_EXAMPLES: &str = "\
Example:
  slo-verifier check slos.yaml

Every fault is told at once, as FILE:LINE:COLUMN and what was expected. Expressions of
the kind `promql` are read too: what no Prometheus can take is a fault, what is only
unknown here is told and left to Prometheus.

Exit codes: 0 sound, 2 faults, no such file, or output that cannot be written.";

/// Judges, from what Prometheus recorded, whether a service kept its promises during a run.
#[derive(Debug, Parser)]
#[command(name = "slo-verifier", version, after_help = EXAMPLES)]
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
    /// Judges a run: pass, fail or inconclusive, with bounds, queries and samples.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Box<Verify>),
    /// Says what a shortfall means and what to do, or where to look when a kind of objective was broken or an alert
    /// fired.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain {
        /// Name of a shortfall, kind or alert, as reports have it; all of them are listed without one.
        name: Option<String>,
    },
    /// Prints the JSON Schema of `--output json`.
    Schema,
    /// Checks a file of objectives and asks nobody.
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        /// The objectives (slos.yaml).
        file: PathBuf,
    },
    /// Writes recording and alerting rules for Prometheus from a file of objectives.
    #[command(after_help = rules::EXAMPLES)]
    Rules(Box<RulesOptions>),
}

/// The options of `verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The objectives (slos.yaml).
    pub(crate) file: PathBuf,
    /// Address of the Prometheus server, with its path prefix if it has one; a token goes to --bearer-token-file or
    /// --header.
    #[arg(long, value_name = "URL", env = "PROMETHEUS_URL", hide_env_values = true)]
    pub(crate) prometheus: String,
    /// Id of the run, as `load-exporter run` told it or took it (`--run-id`); `latest`: whichever began last.
    #[arg(long, value_name = "ID|latest", value_parser = run_choice)]
    pub(crate) run: RunChoice,
    /// How far back to look for the run.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    pub(crate) since: Duration,
    /// How long to wait for the run's end; not at all if 0s.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub(crate) wait: Duration,
    #[command(flatten)]
    pub(crate) outputs: Outputs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Which run is judged. There is no default: a run that Prometheus never saw must not get the verdict of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunChoice {
    /// The one of this id.
    Id(String),
    /// The one that began last.
    Latest,
}

fn run_choice(text: &str) -> Result<RunChoice, &'static str> {
    match text {
        "" => Err("expected the run's id, or `latest`"),
        "latest" => Ok(RunChoice::Latest),
        id => Ok(RunChoice::Id(id.to_owned())),
    }
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
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// The longest duration that is taken: clocks count no further than some multiples of it.
const LONGEST: Duration = Duration::from_hours(3650 * 24);

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration > LONGEST {
        return Err("it is longer than 3650d (ten years)".to_owned());
    }
    Ok(duration)
}

/// The forms of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_that_no_clock_can_add_are_refused() {
        assert_eq!(duration("10m"), Ok(Duration::from_mins(10)));
        assert_eq!(duration("3650d"), Ok(LONGEST));
        for text in ["3651d", "213503982334601d", "18446744073709551615s", "99999999999999999999d", "10", ""]
        {
            assert!(duration(text).is_err(), "{text}");
        }
        let arguments = ["slo-verifier", "verify", "s", "--prometheus", "u"];
        for option in ["--wait", "--since", "--timeout"] {
            let told = Cli::try_parse_from(arguments.iter().copied().chain([option, "213503982334601d"]));
            assert!(told.is_err_and(|error| error.to_string().contains("longer than 3650d")), "{option}");
        }
    }
}
