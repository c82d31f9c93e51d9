//! `slo-verifier`: says of each promise of a file whether a run kept it, from what Prometheus recorded.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::float_cmp,
        reason = "tests fail by panicking, and compare made numbers"
    )
)]

mod app;
mod cli;
mod deliver;
mod evidence;
mod fetch;
mod file;
mod judge;
mod make_rules;
mod plain;
mod report;
mod results;
mod rules;
mod run;
mod slo;
mod source;
mod verdict;
mod wait;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Color, Command, Destination, Form, LogFormat, Verify};
use plain::plain;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use verdict::Verdict;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.log_format);
    let result = match cli.command {
        Command::Check { file } => app::objectives(&file).and_then(|checked| {
            for doubt in &checked.doubts {
                let _ = writeln!(std::io::stderr(), "{}", plain(doubt));
            }
            print(&format!("{}: {}\n", file.display(), checked.counted()))
        }),
        Command::Verify(options) => verify(*options),
        Command::Explain { name } => app::explain(name.as_deref()).and_then(|text| print(&text)),
        Command::Schema => print(&report::schema()),
        Command::Rules(options) => {
            make_rules::make(*options).map_err(app::Error::from).and_then(|(text, untold)| {
                for line in &untold {
                    say(line);
                }
                print(&text)
            })
        }
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let code = error.exit_code();
            tell(&error);
            ExitCode::from(code)
        }
    }
}

/// Tells whoever waits at a terminal, or reads its log.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", plain(line));
}

fn verify(options: Verify) -> Result<u8, app::Error> {
    let color = colored(options.outputs.color);
    let destination = options.outputs.destination().unwrap_or_else(|wrong| wrong.exit());
    deliver::prepare(&destination).map_err(|source| app::Error::Report { source })?;
    let runtime = tokio::runtime::Runtime::new().expect("the system grants threads at start");
    let page = destination.has(Form::Html);
    let report = runtime.block_on(async {
        tokio::select! {
            report = app::verify(options, page, say) => report,
            () = stopped() => Err(app::Error::Stopped),
        }
    })?;
    let form = if let Destination::Stdout(form) = destination { form } else { Form::Text };
    let printed = deliver::print(&deliver::text(&report, form, color));
    if let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty())
        && let Err(error) = deliver::summary(file.as_ref(), &report)
    {
        warn(&error);
    }
    let written = deliver::files(&destination, &report);
    let mut failed = [printed, written].into_iter().filter_map(Result::err);
    let first = if report.verdict == Verdict::Pass { failed.next() } else { None };
    failed.for_each(|error| warn(&error));
    match first {
        Some(source) => Err(app::Error::Report { source }),
        None => Ok(report.verdict.exit_code()),
    }
}

/// Ctrl-C or SIGTERM: the first process of a container ends by neither unless it says so.
async fn stopped() {
    let mut terminate = signal(SignalKind::terminate()).expect("the system lets a program hear its signals");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Tells of something that changes no verdict.
fn warn(error: &dyn std::error::Error) {
    say(&format!("warning: {}", with_causes(error)));
}

fn colored(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    }
}

/// Writes what was asked for to standard output.
fn print(text: &str) -> Result<u8, app::Error> {
    deliver::print(text).map(|()| 0).map_err(app::Error::Print)
}

/// Writes an error and its causes to standard error.
fn tell(error: &app::Error) {
    if let app::Error::Objectives { source: faults @ slo::Error::Faults(_) }
    | app::Error::Rules(make_rules::Error::Objectives { source: faults @ slo::Error::Faults(_) }) = error
    {
        for fault in faults.to_string().lines() {
            let _ = writeln!(std::io::stderr(), "{}", plain(fault));
        }
        return;
    }
    say(&format!("error: {}", with_causes(error)));
}

/// An error and its causes, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn start_log(format: LogFormat) {
    // What the library logs of a certificate, the error says again.
    let default = || EnvFilter::new("warn,rustls_platform_verifier=off");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| default());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
