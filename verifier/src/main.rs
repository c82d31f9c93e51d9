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
mod evidence;
mod fetch;
mod file;
mod judge;
mod make_rules;
mod plain;
mod report;
mod rules;
mod run;
mod slo;
mod source;
mod verdict;
mod wait;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Color, Command, LogFormat, Output, Verify};
use plain::plain;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.log_format);
    let result = match cli.command {
        Command::Check { file } => app::objectives(&file).map(|checked| {
            for doubt in &checked.doubts {
                let _ = writeln!(std::io::stderr(), "{}", plain(doubt));
            }
            print(&format!("{}: {}\n", file.display(), checked.counted()));
            0
        }),
        Command::Verify(options) => verify(*options),
        Command::Rules(options) => {
            make_rules::make(*options).map_err(app::Error::from).map(|(text, untold)| {
                for line in &untold {
                    say(line);
                }
                print(&text);
                0
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
    let (output, color) = (options.output, options.color);
    let runtime = tokio::runtime::Runtime::new().expect("the system grants threads at start");
    let report = runtime.block_on(app::verify(options, say))?;
    print(&match output {
        Output::Text => report.text(colored(color)),
        Output::Json => report.json(),
    });
    Ok(report.verdict.exit_code())
}

fn colored(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    }
}

/// Writes to standard output. A reader that went away wants no more, and the exit code still tells.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
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
    let mut text = format!("error: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    let _ = writeln!(std::io::stderr(), "{}", plain(&text));
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
