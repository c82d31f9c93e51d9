//! `lab`: a whole replicated system on one machine without containers, to be loaded, broken and judged.

mod ask;
mod autoscaler;
mod balancing;
mod cli;
mod configs;
mod control;
mod dead_ids;
mod exec;
mod faults;
mod http;
mod interventions;
mod layout;
mod netns;
mod overview;
mod packages;
mod ports;
mod procs;
mod program;
mod replicas;
mod state;
mod status;
mod supervisor;
mod teardown;
mod units;
mod up;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::cli::{Cli, Command, Up};
use crate::control::Action;
use crate::layout::Layout;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::Level::INFO.into())
        .from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The chain, once.
            let _ = writeln!(std::io::stderr(), "lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line for the user; a reader that went away is no failure.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    anyhow::ensure!(rustix::process::geteuid().is_root(), "the lab makes network namespaces: it needs root");
    let dir = cli.dir.map(std::path::absolute).transpose().context("find the state folder")?;
    match cli.command {
        Command::Up(asked) => up::up(checked(dir, asked)?).await?,
        Command::Install { others } => {
            let missing = packages::missing(&others);
            if !missing.is_empty() {
                packages::install(&missing)?;
            }
        }
        Command::Down { keep } => down(dir, keep).await?,
        Command::Supervise => {
            let layout = Layout::new(dir.context("--dir is missing")?);
            let options = state::options(&layout).context("read the lab's options")?;
            supervisor::run(layout, options).await?;
        }
        Command::Connect { address } => drop(tokio::net::TcpStream::connect(address).await?),
        Command::Status => overview::status(&running(dir)?).await?,
        Command::Logs { name, lines, follow } => {
            overview::logs(&known(dir)?, name.as_deref(), lines, follow).await?;
        }
        Command::Scale { workload: _, replicas } => ask(dir, Action::Scale(replicas)).await?,
        Command::Restart { name } => ask(dir, Action::Restart(name)).await?,
        Command::Fault(fault) => faults::run(&running(dir)?, fault).await?,
        Command::DeadIds { table, columns, database } => {
            dead_ids::print(&known(dir)?, &database, &table, &columns).await?;
        }
    }
    Ok(())
}

fn checked(dir: Option<PathBuf>, asked: Up) -> anyhow::Result<up::Asked> {
    let beside = || std::env::current_exe().map(|path| path.with_file_name("shop"));
    let shop = asked.shop.map_or_else(beside, std::path::absolute).context("find the shop's program")?;
    let rules: std::io::Result<Vec<PathBuf>> = asked.rules.iter().map(std::path::absolute).collect();
    let options = state::Options {
        asynchronous: asked.asynchronous,
        shop,
        exporter: asked.exporter,
        rules: rules.context("find the rule files")?,
    };
    Ok(up::Asked { dir, install: asked.install, options })
}

async fn down(dir: Option<PathBuf>, keep: bool) -> anyhow::Result<()> {
    let layout = dir.map(Layout::new).or_else(Layout::running);
    let there = netns::exists() || layout.as_ref().is_some_and(|layout| layout.marker().exists());
    teardown::tear_down(layout.as_ref(), keep).await?;
    say(if there { "the lab is down" } else { "there was no lab" });
    Ok(())
}

async fn ask(dir: Option<PathBuf>, action: Action) -> anyhow::Result<()> {
    control::ask(&running(dir)?.control_socket(), action).await?;
    Ok(())
}

fn running(dir: Option<PathBuf>) -> anyhow::Result<Layout> {
    dir.map(Layout::new).or_else(Layout::running).context("no lab is running")
}

/// The running lab, or one that was kept.
fn known(dir: Option<PathBuf>) -> anyhow::Result<Layout> {
    let kept =
        || std::path::absolute("lab-state").ok().map(Layout::new).filter(|layout| layout.marker().exists());
    dir.map(Layout::new)
        .or_else(Layout::running)
        .or_else(kept)
        .context("no lab is running, and none was kept here")
}
