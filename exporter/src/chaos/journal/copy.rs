//! Pure: how a journal on this machine and its copy in a cluster belong together.
//!
//! The copy is written after each entry that must be durable, with all lines until then. So for whoever wrote
//! both, the copy is how the file begins. A program that takes the place of another elsewhere has no file, and
//! goes on from the copy.

use super::reading;

/// The object that holds the copy.
pub const CONFIG_MAP: &str = "ordeal-journal";

/// The key beside it that tells, one a line, what may still be broken, for whoever has kubectl and no exporter
/// (`deploy/kubernetes/run.sh`).
pub(super) const UNFINISHED: &str = "unfinished";
/// What stands there where nothing is.
const NOTHING: &str = "none";

/// What the text of a journal does not tell to be put back.
pub fn unfinished(journal: &str) -> Vec<String> {
    let content = reading::read(journal.as_bytes());
    let records = content.account.unfinished().into_iter();
    let unfinished =
        records.map(|record| format!("{} of run {}", record.intent.experiment, record.intent.run));
    let unreadable =
        content.damage.iter().map(|damage| format!("line {}, which cannot be read", damage.line));
    let unknown = content.account.unknown.iter().map(|id| format!("an unknown experiment, number {id}"));
    unfinished.chain(unreadable).chain(unknown).collect()
}

/// The same as it stands beside the copy.
pub(super) fn told(journal: &str) -> String {
    let unfinished = unfinished(journal);
    if unfinished.is_empty() { NOTHING.to_owned() } else { unfinished.join("\n") }
}

/// What to go on from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum From<'a> {
    /// The file as it is.
    File,
    /// The copy, which knows more.
    Copy(&'a str),
    /// They tell different stories.
    Neither,
}

/// Compares a file with its copy. What follows the file's last line feed was cut short and does not count.
pub(super) fn compare<'a>(file: &[u8], copy: &'a str) -> From<'a> {
    let whole = file.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let (file, kept) = (&file[..whole], copy.as_bytes());
    if file.starts_with(kept) {
        From::File
    } else if kept.starts_with(file) {
        From::Copy(copy)
    } else {
        From::Neither
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_continues_the_other_is_gone_on_from() {
        let table = [
            ("", "", From::File),
            ("a\n", "", From::File),
            ("a\nb\n", "a\n", From::File),
            ("a\n", "a\n", From::File),
            ("", "a\nb\n", From::Copy("a\nb\n")),
            ("a\n", "a\nb\n", From::Copy("a\nb\n")),
            // The file's last write was cut short.
            ("a\nb", "a\nb\n", From::Copy("a\nb\n")),
            ("a\nc", "a\n", From::File),
            ("a\nc\n", "a\nb\n", From::Neither),
            ("c\n", "a\n", From::Neither),
        ];
        for (file, copy, expected) in table {
            assert_eq!(compare(file.as_bytes(), copy), expected, "{file:?} {copy:?}");
        }
    }
}
