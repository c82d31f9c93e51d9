//! `dashboards`: writes the dashboards' files, and tells what their panels would show of a run.

mod cli;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use cli::{Check, Cli, Command, Output};
use dashboards::check::{self, Server, Shown, Span};
use dashboards::{boards, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Write { folder } => write(&folder).map(|()| ExitCode::SUCCESS),
        Command::Check(options) => check(&options).await,
    };
    result.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "dashboards: {error:#}");
        ExitCode::from(2)
    })
}

fn write(folder: &Path) -> anyhow::Result<()> {
    for board in boards::all() {
        let path = folder.join(json::file(&board));
        std::fs::write(&path, json::text(&board)).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

async fn check(options: &Check) -> anyhow::Result<ExitCode> {
    let server = Server::new(&options.prometheus)?;
    let scrape = i64::try_from(options.scrape_interval.as_secs())?.max(1);
    let span = match (&options.run, options.from, options.to) {
        (Some(run), _, _) => server.span_of(run, scrape).await?,
        (None, Some(from), Some(to)) if from < to => Span { from, to, scrape },
        _ => anyhow::bail!("--to must be after --from"),
    };
    let shown = check::all(&server, span).await?;
    let mut out = std::io::stdout().lock();
    match options.output {
        Output::Json => writeln!(out, "{:#}", serde_json::to_value(&shown)?)?,
        Output::Text => shown.iter().try_for_each(|panel| writeln!(out, "{}", line(panel)))?,
    }
    let missed =
        shown.iter().filter(|panel| panel.is_empty() && (options.all || panel.needs.is_none())).count();
    if missed > 0 {
        writeln!(std::io::stderr(), "{missed} panels would show nothing")?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// So many series of a panel are told.
const TOLD: usize = 4;

fn line(panel: &Shown) -> String {
    let one = |series: &check::Series| {
        let labels: Vec<&str> = series.labels.values().map(String::as_str).collect();
        format!("{} {}", labels.join("/"), series.last).trim_start().to_owned()
    };
    let mut told: Vec<_> = panel.series.iter().take(TOLD).map(one).collect();
    if panel.series.len() > TOLD {
        told.push(format!("… {} series", panel.series.len()));
    }
    let state = if panel.is_empty() { "NOTHING" } else { "" };
    let needs = panel.needs.map_or_else(String::new, |needs| format!(" (needs {needs})"));
    format!("{:8}{:16} {:34} {}{needs}", state, panel.dashboard, panel.panel, told.join(", "))
}
