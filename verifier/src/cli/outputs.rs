//! How and where the findings are written: the options, and which of them go together.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, ValueEnum};

/// The options of `verify` about its reports.
#[derive(Debug, Args)]
pub(crate) struct Outputs {
    /// How the findings are written to standard output: text if nothing else is said. With --report-dir: which
    /// files are written, all five if nothing is said; several as a comma list, or by giving this again.
    #[arg(long = "output", value_name = "FORM", value_enum, value_delimiter = ',')]
    forms: Vec<Form>,
    /// Folder for the reports, made if it is not there: report.txt, report.json, report.xml (`JUnit`), report.md
    /// and report.html, each written whole or not at all. Those that are there already are removed at the start,
    /// whichever are asked for, so that none tells an earlier verdict. Text still goes to standard output.
    #[arg(long, value_name = "DIR")]
    report_dir: Option<PathBuf>,
    /// The run's own results (`load.json`, `chaos.json`), which the exporter wrote: shown in the HTML report.
    #[arg(long, value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
    /// Whether the findings are coloured.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

/// Where the reports go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// One report, to standard output.
    Stdout(Form),
    /// These to a folder, and text to standard output.
    Folder(PathBuf, Vec<Form>),
}

impl Destination {
    /// Whether this form is asked for.
    pub(crate) fn has(&self, form: Form) -> bool {
        match self {
            Self::Stdout(only) => *only == form,
            Self::Folder(_, forms) => forms.contains(&form),
        }
    }
}

impl Outputs {
    /// Where the reports go, or what does not go together.
    pub(crate) fn destination(&self) -> Result<Destination, clap::Error> {
        let wrong = |message| super::Cli::command().error(ErrorKind::ArgumentConflict, message);
        let mut forms = self.forms.clone();
        forms.sort_unstable();
        forms.dedup();
        let destination = match (&self.report_dir, forms.as_slice()) {
            (Some(folder), []) => Destination::Folder(folder.clone(), Form::all().to_vec()),
            (Some(folder), _) => Destination::Folder(folder.clone(), forms),
            (None, []) => Destination::Stdout(Form::Text),
            (None, [one]) => Destination::Stdout(*one),
            (None, _) => {
                return Err(wrong("several forms of --output need --report-dir DIR to be written to"));
            }
        };
        if self.run_dir.is_some() && !destination.has(Form::Html) {
            return Err(wrong("--run-dir is shown in the HTML report: ask for it with --output html"));
        }
        Ok(destination)
    }
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Form {
    /// For a terminal.
    Text,
    /// For programs; `slo-verifier schema` tells its shape.
    Json,
    /// For whatever shows results of tests.
    Junit,
    /// For the summary of a CI step.
    Markdown,
    /// For people: one file with charts, which needs nothing else.
    Html,
}

impl Form {
    /// Every one.
    pub(crate) fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// The name of its file.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::Text => "report.txt",
            Self::Json => "report.json",
            Self::Junit => "report.xml",
            Self::Markdown => "report.md",
            Self::Html => "report.html",
        }
    }
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    fn destination(options: &[&str]) -> Result<Destination, String> {
        let arguments = ["slo-verifier", "verify", "s", "--prometheus", "u", "--run", "latest"];
        let cli = Cli::try_parse_from(arguments.iter().chain(options)).map_err(|error| error.to_string())?;
        let Command::Verify(verify) = cli.command else { panic!("verify was parsed") };
        verify.outputs.destination().map_err(|error| error.to_string())
    }

    #[test]
    fn forms_and_places_go_together_as_they_are_told_to() {
        let folder = |forms: &[Form]| Ok(Destination::Folder(PathBuf::from("d"), forms.to_vec()));
        let table: [(&[&str], _); 8] = [
            (&[], Ok(Destination::Stdout(Form::Text))),
            (&["--output", "json"], Ok(Destination::Stdout(Form::Json))),
            (&["--output", "json,json"], Ok(Destination::Stdout(Form::Json))),
            (&["--report-dir", "d"], folder(Form::value_variants())),
            (&["--report-dir", "d", "--output", "html"], folder(&[Form::Html])),
            (&["--report-dir", "d", "--output", "junit,json"], folder(&[Form::Json, Form::Junit])),
            (
                &["--output", "json", "--output", "text", "--report-dir", "d"],
                folder(&[Form::Text, Form::Json]),
            ),
            (&["--output", "html", "--run-dir", "r"], Ok(Destination::Stdout(Form::Html))),
        ];
        for (options, due) in table {
            assert_eq!(destination(options), due, "{options:?}");
        }
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        let table: [(&[&str], &str); 4] = [
            (&["--output", "text,json"], "several forms of --output need --report-dir"),
            (&["--run-dir", "r"], "ask for it with --output html"),
            (&["--output", "xml"], "invalid value 'xml'"),
            (&["--report-dir", "d", "--output", "json", "--run-dir", "r"], "ask for it with --output html"),
        ];
        for (options, due) in table {
            let told = destination(options).unwrap_err();
            assert!(told.contains(due), "{options:?}: {told}");
        }
    }
}
