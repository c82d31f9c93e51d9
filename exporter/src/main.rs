//! The binary `load-exporter`: reads the command line, and reports once what went wrong.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use exporter::app::{self, Overrides, Request};
use exporter::cli::{Cli, Command, Run};
use exporter::logging::Log;
use exporter::progress::Progress;
use exporter::trial::{self, Faults, ProcessEnvironment, Trial};

/// Usage and bad files.
const BAD_FILE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let progress = Progress::on_stderr();
    let logging = command.logging();
    let log = Log::start(logging.format, logging.level, &progress);
    match carry_out(command, &log, &progress).await {
        Ok(code) => code,
        Err(error) => {
            progress.end();
            if let Some(faults) = error.downcast_ref::<Faults>() {
                progress.say(&faults.to_string());
                return ExitCode::from(BAD_FILE);
            }
            progress.say(&format!("load-exporter: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(command: Command, log: &Log, progress: &Progress) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(run) => app::run(request(run)?, log, progress).await,
        Command::Check { trials } => Ok(check(&trials, progress)),
        Command::Plan { trial, .. } => {
            let planned = app::plan(&read(&trial)?).await?;
            print(&planned.text)?;
            Ok(if planned.all_allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Recover { namespace: Some(namespace), .. } => {
            app::recover_namespace(&namespace, progress).await
        }
        Command::Recover { dir, .. } => app::recover(&dir, progress).await,
        Command::Cleanup { trial, which, .. } => {
            app::cleanup(&read(&trial)?, which.run.as_deref(), progress).await
        }
        Command::Manifests { trial, namespace, account, without_account } => {
            let account = app::Account { namespace, name: account, is_there: without_account };
            print(&app::manifests(&read(&trial)?, &account))
        }
        Command::Sql { role } => print(&app::sql(&role)),
    }
}

fn request(run: Run) -> anyhow::Result<Request> {
    let overrides = Overrides { duration: run.duration, users: run.users, seed: run.seed };
    Ok(Request {
        trial: overrides.apply(read(&run.trial)?),
        run: run.run_id,
        dir: run.dir,
        listen: run.web.listen.0,
        telemetry_path: run.web.telemetry_path,
        wait_for_scrape: !run.no_wait_for_scrape,
        linger: run.linger,
    })
}

fn read(path: &Path) -> Result<Trial, Faults> {
    trial::read(path, &ProcessEnvironment)
}

fn check(paths: &[std::path::PathBuf], progress: &Progress) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for path in paths {
        match read(path) {
            Ok(trial) => progress.say(&format!("{}: {}", path.display(), app::summary(&trial))),
            Err(faults) => {
                progress.say(&faults.to_string());
                code = ExitCode::from(BAD_FILE);
            }
        }
    }
    code
}

fn print(text: &str) -> anyhow::Result<ExitCode> {
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
