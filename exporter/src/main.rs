//! The binary `load-exporter`: reads the command line, and reports once what went wrong.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use exporter::app::{self, LoadRequest, Overrides, Request};
use exporter::cli::{Changes, Cli, Command, Load, Run};
use exporter::load::Share;
use exporter::logging::Log;
use exporter::plain::plain_lines;
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
            // Others may have written what it tells of.
            progress.say(&plain_lines(&format!("load-exporter: {error:#}")));
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(command: Command, log: &Log, progress: &Progress) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(run) => app::run(request(run)?, log, progress).await,
        Command::Load(load) => {
            let Some(share) = Share::new(load.index.into(), load.of.into()) else {
                progress.say("load-exporter: --index counts from 0 and is less than --of");
                return Ok(ExitCode::from(BAD_FILE));
            };
            app::load(load_request(load, share)?, progress).await
        }
        Command::Check { trials } => Ok(check(&trials, progress)),
        Command::Plan { trial, .. } => {
            let planned = app::plan(&read(&trial)?).await?;
            print(&planned.text)?;
            Ok(if planned.all_allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Recover { namespace: Some(namespace), run_commands, .. } => {
            app::recover_namespace(&namespace, run_commands, progress).await
        }
        Command::Recover { dir, .. } => {
            app::recover(dir.as_deref().unwrap_or(Path::new("run")), progress).await
        }
        Command::Cleanup { trial, which, .. } => {
            app::cleanup(&read(&trial)?, which.run.as_deref(), progress).await
        }
        Command::Manifests { trial, namespace, account, without_account, load_processes } => {
            let (is_there, leads) = (without_account, load_processes > 0);
            let account = app::Account { namespace, name: account, is_there, leads };
            print(&app::manifests(&read(&trial)?, &account))
        }
        Command::Sql { role } => print(&app::sql(&role)),
    }
}

fn request(run: Run) -> anyhow::Result<Request> {
    Ok(Request {
        trial: overrides(&run.changes).apply(read(&run.trial)?),
        run: run.run_id,
        dir: run.dir,
        listen: run.web.listen.0,
        telemetry_path: run.web.telemetry_path,
        wait_for_scrape: !run.no_wait_for_scrape,
        linger: run.linger,
        load_processes: run.load_processes.into(),
    })
}

fn load_request(load: Load, share: Share) -> anyhow::Result<LoadRequest> {
    Ok(LoadRequest {
        trial: overrides(&load.changes).apply(read(&load.trial)?),
        run: load.run_id,
        share,
        listen: load.web.listen.0,
        telemetry_path: load.web.telemetry_path,
        linger: load.linger,
    })
}

fn overrides(changes: &Changes) -> Overrides {
    Overrides { duration: changes.duration, users: changes.users, seed: changes.seed }
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
