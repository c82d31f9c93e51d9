//! Where reports go: standard output, the files of a folder, the summary of a CI step.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::cli::{Destination, Form};
use crate::report::Report;

/// The most that GitHub Actions takes as the summary of one step, in bytes.
const LARGEST_SUMMARY: u64 = 1 << 20;

/// Something that was asked for could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("making the folder {folder} for reports")]
    Folder { folder: PathBuf, source: std::io::Error },
    #[error("removing {file}, which tells an earlier verdict")]
    Remove { file: PathBuf, source: std::io::Error },
    #[error("writing to standard output")]
    Print { source: std::io::Error },
    #[error("writing {file}")]
    Write { file: PathBuf, source: std::io::Error },
    #[error("appending the report to {file}: it would be larger than the 1 MiB that a step's summary may be")]
    Full { file: PathBuf },
}

/// Makes a folder for reports if it is not there, and tries whether files can be made in it: whoever waits an hour
/// for a run's end must not learn only then that the report has no place. Reports that are there already are removed,
/// so that no earlier verdict stands beside this one, or in its place where there is none.
pub(crate) fn prepare(destination: &Destination) -> Result<(), Error> {
    let Destination::Folder(folder, _) = destination else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|source| Error::Folder { folder: folder.clone(), source })?;
    temporary(folder).map(drop).map_err(|source| Error::Write { file: folder.join("report.*"), source })?;
    for form in Form::all() {
        let file = folder.join(form.file());
        if file.symlink_metadata().is_ok_and(|found| found.is_file() || found.is_symlink()) {
            std::fs::remove_file(&file).map_err(|source| Error::Remove { file, source })?;
        }
    }
    Ok(())
}

/// Writes a text to standard output. A reader that went away wants no more.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => Err(Error::Print { source }),
        _ => Ok(()),
    }
}

/// Writes a report to the files that are asked for. What can be written is, whatever became of the others.
pub(crate) fn files(destination: &Destination, report: &Report) -> Result<(), Error> {
    let Destination::Folder(folder, forms) = destination else { return Ok(()) };
    let written = forms.iter().map(|form| {
        let file = folder.join(form.file());
        replace(folder, &file, &text(report, *form, false)).map_err(|source| Error::Write { file, source })
    });
    written.fold(Ok(()), Result::and)
}

/// The report in some form.
pub(crate) fn text(report: &Report, form: Form, colored: bool) -> String {
    match form {
        Form::Text => report.text(colored),
        Form::Json => report.json(),
        Form::Junit => report.junit(),
        Form::Markdown => report.markdown(usize::MAX),
        Form::Html => report.html(),
    }
}

/// Appends the report to the summary of a CI step, shortened where it would not fit.
pub(crate) fn summary(file: &Path, report: &Report) -> Result<(), Error> {
    let failed = |source| Error::Write { file: file.to_owned(), source };
    let mut open = OpenOptions::new().create(true).append(true).open(file).map_err(failed)?;
    let taken = open.metadata().map_err(failed)?.len();
    let room = usize::try_from(LARGEST_SUMMARY.saturating_sub(taken)).unwrap_or(0);
    let text = report.markdown(room);
    if text.len() > room {
        return Err(Error::Full { file: file.to_owned() });
    }
    open.write_all(text.as_bytes()).map_err(failed)
}

/// A file that has no name yet, with the rights that the user's other new files have.
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    let rights = std::fs::Permissions::from_mode(0o666);
    Builder::new().prefix(".report-").permissions(rights).tempfile_in(folder)
}

/// Writes a file under another name and puts it in the place of the old one: nobody reads half of it.
fn replace(folder: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    let mut new = temporary(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.txt");
        for text in ["a long first report", "short"] {
            replace(folder.path(), &file, text).unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_is_noticed_at_once_and_one_that_can_is_left_empty() {
        let folder = tempfile::tempdir().unwrap();
        let to = |folder: PathBuf| Destination::Folder(folder, vec![Form::Text]);
        let deep = folder.path().join("a/b");
        prepare(&to(deep.clone())).unwrap();
        assert_eq!(std::fs::read_dir(&deep).unwrap().count(), 0);
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(matches!(prepare(&to(folder.path().join("file/b"))), Err(Error::Folder { .. })));
        assert!(matches!(prepare(&to(PathBuf::from("/proc/sys"))), Err(Error::Write { .. })));
    }

    #[test]
    fn reports_of_an_earlier_verdict_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for file in ["report.txt", "report.json", "report.xml", "load.json", "report.html.old"] {
            std::fs::write(at(file), "pass").unwrap();
        }
        std::os::unix::fs::symlink(at("load.json"), at("report.md")).unwrap();
        std::fs::create_dir(at("report.html")).unwrap();
        prepare(&Destination::Folder(folder.path().to_owned(), vec![Form::Json])).unwrap();
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["load.json", "report.html", "report.html.old"]);
    }
}
