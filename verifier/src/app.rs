//! One verification from beginning to end: find the run, fetch, judge, cross-check.

use std::path::Path;

use crate::cli::{RunChoice, Verify};
use crate::deliver;
use crate::evidence::{Millis, Shortfall};
use crate::fetch;
use crate::judge::{Finding, Judged, judge, needs};
use crate::report::{self, Answers, Choice, Report, Shown};
use crate::results::Results;
use crate::slo::{self, Checked, Objective};
use crate::source::{self, Access, Prometheus};
use crate::wait::{self, Wanted};

/// A verification that came to no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Exit code 2.
    #[error("the objectives cannot be used")]
    Objectives { source: slo::Error },
    /// Exit code 2.
    #[error("the file promises nothing of a run, expected `objectives`; `services` are for `rules` alone")]
    NothingOfARun,
    /// Exit code 2.
    #[error(transparent)]
    Rules(#[from] crate::make_rules::Error),
    /// Exit code 2.
    #[error("the access to Prometheus cannot be set up")]
    Access { source: source::AccessError },
    /// Exit code 4.
    #[error("no usable answer from Prometheus")]
    Unreachable { source: source::Error },
    /// Exit code 2.
    #[error("the report cannot be written")]
    Report { source: deliver::Error },
    /// Exit code 2.
    #[error(transparent)]
    Print(deliver::Error),
    /// Exit code 2.
    #[error("{0}")]
    Unexplained(String),
    /// Exit code 130.
    #[error("interrupted: there is no verdict")]
    Stopped,
}

impl Error {
    /// The exit code of the program.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Objectives { .. }
            | Self::NothingOfARun
            | Self::Rules(_)
            | Self::Access { .. }
            | Self::Report { .. }
            | Self::Print(_)
            | Self::Unexplained(_) => 2,
            Self::Unreachable { .. } => 4,
            Self::Stopped => 130,
        }
    }
}

/// Reads and checks the objectives.
pub(crate) fn objectives(file: &Path) -> Result<Checked, Error> {
    slo::load(file).map_err(|source| Error::Objectives { source })
}

/// What a name in a report means, or the list of such names.
pub(crate) fn explain(name: Option<&str>) -> Result<String, Error> {
    let Some(name) = name else { return Ok(report::list()) };
    report::explain(name).ok_or_else(|| {
        let names: Vec<&str> = report::names().collect();
        let near = slo::suggestion(name, &names);
        Error::Unexplained(format!(
            "no report says `{name}`{near}; `slo-verifier explain` without a name lists all that it explains"
        ))
    })
}

/// Judges a run; with `page`, what only a page of HTML shows is fetched too. `tell` gets a line for a person while the run's end is awaited.
pub(crate) async fn verify(options: Verify, page: bool, tell: impl Fn(&str)) -> Result<Report, Error> {
    let Checked { objectives, .. } = objectives(&options.file)?;
    if objectives.is_empty() {
        return Err(Error::NothingOfARun);
    }
    let (choice, id) = match options.run {
        RunChoice::Id(id) => (Choice::Named, Some(id)),
        RunChoice::Latest => (Choice::Newest(options.since), None),
    };
    let wanted = Wanted { id, since: options.since, wait: options.wait };
    let access = Access {
        url: options.prometheus,
        username: options.access.username,
        password_file: options.access.password_file,
        bearer_token_file: options.access.bearer_token_file,
        headers: options.access.headers,
        ca: options.access.ca,
        timeout: options.access.timeout,
    };
    let prometheus = access.open().map_err(|source| Error::Access { source })?;
    let found = match wait::run(&prometheus, &wanted, &tell).await {
        Ok(found) => found,
        Err(source) if source.is_unreachable() => return Err(Error::Unreachable { source }),
        Err(refused) => Err(Shortfall::new(crate::evidence::Lack::QueryError, refused.to_string())),
    };
    let mut report = match found {
        Ok(found) => judged(&prometheus, choice, &found, &objectives).await,
        Err(shortfall) => {
            let finding = |objective| Finding::new(objective, Judged::lacking(shortfall.clone()));
            let findings = objectives.iter().map(finding).collect();
            Report::new(prometheus.url(), (choice, now()), prometheus.server().await, None, findings)
        }
    };
    if page {
        report.shown =
            Some(shown(&prometheus, &report, objectives, options.outputs.run_dir.as_deref()).await);
    }
    Ok(report)
}

/// What only a page of HTML shows. Whatever of it cannot be had is told there and changes no finding.
async fn shown(
    prometheus: &Prometheus,
    report: &Report,
    objectives: Vec<Objective>,
    run_dir: Option<&Path>,
) -> Shown {
    let mut answers = Answers::new();
    if let Some(asked) = report.evidence.as_ref().and_then(report::questions) {
        answers = fetch::courses(prometheus, asked.queries, asked.span, asked.step).await;
    }
    let run = report.evidence.as_ref().map_or("", |evidence| &evidence.run.id);
    let results = run_dir.map_or_else(Results::unasked, |folder| Results::read(folder, run));
    Shown { objectives, answers, results }
}

async fn judged(
    prometheus: &Prometheus,
    choice: Choice,
    found: &crate::run::Found,
    objectives: &[Objective],
) -> Report {
    let server = prometheus.server().await;
    let evidence = fetch::evidence(prometheus, &server, found, &needs(objectives)).await;
    let mut findings: Vec<Finding> = objectives.iter().map(|objective| judge(objective, &evidence)).collect();
    fetch::cross_check(prometheus, &mut findings).await;
    Report::new(prometheus.url(), (choice, now()), server, Some(evidence), findings)
}

fn now() -> Millis {
    Millis(chrono::Utc::now().timestamp_millis())
}
